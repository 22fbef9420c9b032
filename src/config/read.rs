//! Values of variables, read into what they mean; what cannot be read is noted with its fix.

use std::time::Duration;

use super::env::Environment;
use crate::error::ConfigError;

impl Environment {
    pub(super) fn file(&self, name: &str, problems: &mut ConfigError) -> Option<String> {
        let path = self.get(name)?;
        match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) => {
                problems.add(
                    format!("{name} {path:?} cannot be read ({error})"),
                    "check the path and its permissions",
                );
                None
            }
        }
    }

    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
    }

    pub(super) fn duration(&self, name: &str, problems: &mut ConfigError) -> Option<Duration> {
        let text = self.get(name)?;
        match humantime::parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                problems.add(
                    format!("{name} {text:?} has no unit"),
                    format!("write {text}s, {text}m, {text}h or {text}d"),
                );
                None
            }
            Err(_) => {
                problems.add(
                    format!("{name} {text:?} is not a duration"),
                    "write one as 90s, 15m, 2h or 30d",
                );
                None
            }
        }
    }

    pub(super) fn flag(&self, name: &str, problems: &mut ConfigError) -> Option<bool> {
        self.parsed(name, problems, |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err("write true or false"),
            }
        })
    }

    pub(super) fn parsed<T>(
        &self,
        name: &str,
        problems: &mut ConfigError,
        parse: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.get(name)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(fix) => {
                problems.add(format!("{name} {text:?} is not understood"), fix);
                None
            }
        }
    }
}
