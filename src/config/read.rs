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

    /// A secret, from a variable or from the file that another one names.
    pub(super) fn secret_in(
        &self,
        [name, file]: [&str; 2],
        problems: &mut ConfigError,
    ) -> Option<String> {
        let inline = self.get(name);
        let text = self.file(file, problems);
        if inline.is_some() && text.is_some() {
            problems.add(
                format!("{name} and {file} are both set"),
                "keep the one that holds the secret you mean",
            );
        }
        let secret = inline.map(str::to_owned);
        secret.or_else(|| text.map(|text| text.trim().to_owned()))
    }

    /// Secrets with commas between, or in a file, one a line.
    pub(super) fn secrets(&self, names: [&str; 2], problems: &mut ConfigError) -> Vec<String> {
        let text = self.secret_in(names, problems).unwrap_or_default();
        let secrets = text.split([',', '\n']).map(str::trim);
        let secrets = secrets.filter(|secret| !secret.is_empty());
        secrets.map(str::to_owned).collect()
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
