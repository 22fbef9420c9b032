//! Query strings.

use std::borrow::Cow;
use std::str::FromStr;

use http::Uri;

use super::Problem;

/// The value of a parameter, decoded; the first where there are several.
pub(super) fn parameter<'u>(uri: &'u Uri, name: &str) -> Option<Cow<'u, str>> {
    let query = uri.query()?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// The value of a parameter as something else.
///
/// # Errors
///
/// A 422 with `expected` when there is a value and it is none.
pub(super) fn parsed<T: FromStr>(
    uri: &Uri,
    name: &str,
    expected: &'static str,
) -> Result<Option<T>, Problem> {
    parameter(uri, name)
        .map(|value| value.parse().map_err(|_| Problem::invalid_input(expected)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn a_parameter_is_found_and_decoded() {
        let uri = uri("/sessions/1/name?x=&name=Work+lap%C3%B6top&name=second");
        assert_eq!(parameter(&uri, "name").unwrap(), "Work lapötop");
        assert_eq!(parameter(&uri, "x").unwrap(), "");
        assert_eq!(parameter(&uri, "y"), None);
        assert_eq!(parameter(&"/".parse().unwrap(), "y"), None);
    }

    #[test]
    fn a_value_of_another_kind_is_a_422() {
        let read = |text| parsed::<bool>(&uri(text), "keep", "true or false");
        assert_eq!(read("/?keep=true"), Ok(Some(true)));
        assert_eq!(read("/"), Ok(None));
        assert_eq!(read("/?keep=maybe").unwrap_err().status(), 422);
        assert_eq!(read("/?keep=%ff").unwrap_err().status(), 422);
    }
}
