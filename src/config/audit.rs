//! The audit log, from the environment.

use super::builder::JwtSessionBuilder;
use super::env::Environment;
use crate::audit::AuditLevel;
use crate::verify::CustomClaims;

impl Environment {
    pub(super) fn apply_audit<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let problems = &mut builder.problems;
        let mut audit = builder.audit.clone();
        let level = self.parsed("SESSION_AUDIT", problems, |text| match text {
            "all" => Ok(AuditLevel::All),
            "off" => Ok(AuditLevel::Off),
            "on" => Ok(AuditLevel::On),
            _ => Err("write on, all or off"),
        });
        if let Some(level) = level {
            audit = audit.with_level(level);
        }
        if let Some(keep) = self.duration("SESSION_AUDIT_RETENTION", problems) {
            audit = audit.with_retention(keep);
        }
        let most = self.parsed("SESSION_AUDIT_MAX_ENTRIES", problems, |text| {
            let number = text.parse::<u64>();
            number.map_err(|_| "write a whole number, as 1000000")
        });
        if let Some(most) = most {
            audit = audit.with_max_entries(most);
        }
        builder.audit = audit;
    }
}
