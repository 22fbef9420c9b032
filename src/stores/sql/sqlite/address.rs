//! Addresses, as `sqlite:sessions.db`.

/// The path in an address.
pub(super) fn path_of(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("sqlite:")?;
    let path = match rest.strip_prefix("//") {
        Some(url) => match url.strip_prefix('/') {
            Some(relative) if relative.starts_with("./") || relative.starts_with("../") => relative,
            _ => url,
        },
        None => rest,
    };
    let is_file = !path.is_empty() && !path.ends_with('/') && path != ":memory:";
    is_file.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_from_every_way_to_write_it() {
        for (address, path) in [
            ("sqlite:sessions.db", "sessions.db"),
            ("sqlite:./data/sessions.db", "./data/sessions.db"),
            ("sqlite:/var/lib/sessions.db", "/var/lib/sessions.db"),
            ("sqlite://sessions.db", "sessions.db"),
            ("sqlite:///./sessions.db", "./sessions.db"),
            ("sqlite:///../sessions.db", "../sessions.db"),
            ("sqlite:///var/lib/sessions.db", "/var/lib/sessions.db"),
        ] {
            assert_eq!(path_of(address), Some(path), "{address}");
        }
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for rest in ["", "//", "///", "data/", ":memory:", "//:memory:"] {
            assert_eq!(path_of(&format!("sqlite:{rest}")), None, "{rest}");
        }
        assert_eq!(path_of("sessions.db"), None);
    }
}
