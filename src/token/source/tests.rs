use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value).unwrap();
        map.append(HeaderName::from_static(name), value);
    }
    map
}

fn find(source: &TokenSource, map: &HeaderMap) -> Result<Option<(String, Carrier)>, SourceError> {
    let Some(raw) = source.find(map).map_err(|misread| misread.error)? else {
        return Ok(None);
    };
    Ok(Some((raw.text()?.to_owned(), raw.carrier())))
}

fn bearer_of(value: &[u8]) -> Result<Option<String>, SourceError> {
    let found = find(
        &TokenSource::bearer(),
        &headers(&[("authorization", value)]),
    )?;
    Ok(found.map(|(text, _)| text))
}

fn both() -> TokenSource {
    TokenSource::first_of([TokenSource::bearer(), TokenSource::cookie("at")])
}

#[test]
fn the_scheme_is_matched_in_any_case() {
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let value = format!("{scheme} a.b.c");
        assert_eq!(bearer_of(value.as_bytes()), Ok(Some("a.b.c".to_owned())));
    }
}

#[test]
fn anything_but_one_token_behind_one_space_is_malformed() {
    for value in [
        &b""[..],
        b"Bearer",
        b"Bearer ",
        b"Bearer  a.b.c",
        b"Bearer\ta.b.c",
        b"Bearer a.b.c ",
        b"Bearer a.b.c d",
        b"Bearer a.b.c,d.e.f",
        b"Bearer a.b.c, Bearer d.e.f",
        b"Bearer, a.b.c",
        b"Bearer \"a.b.c\"",
        b"Bearer =",
        b"Bearer a=b",
        b" Bearer a.b.c",
        b"Bearer a.b.\xff",
        b"Bearer a.b.\xc3\xa9",
        b"\xff\xfe",
        b"B\xc3\xa9arer a.b.c",
    ] {
        assert_eq!(bearer_of(value), Err(SourceError::Malformed), "{value:?}");
    }
}

#[test]
fn another_scheme_counts_as_no_token() {
    for value in [
        &b"Basic dXNlcjpwYXNz"[..],
        b"Bearers a.b.c",
        b"DPoP a.b.c",
        b"Basic \xff",
    ] {
        assert_eq!(bearer_of(value), Ok(None), "{value:?}");
    }
}

#[test]
fn two_authorization_headers_are_refused_whatever_they_hold() {
    for second in ["Bearer a.b.c", "Basic dXNlcjpwYXNz", ""] {
        let map = headers(&[
            ("authorization", b"Bearer a.b.c"),
            ("authorization", second.as_bytes()),
        ]);
        assert_eq!(find(&both(), &map), Err(SourceError::Duplicate));
    }
}

#[test]
fn another_header_that_stands_twice_is_no_second_token() {
    let map = headers(&[
        ("accept", b"text/html"),
        ("authorization", b"Bearer a.b.c"),
        ("accept", b"text/plain"),
    ]);
    let found = find(&both(), &map);
    assert_eq!(found, Ok(Some(("a.b.c".to_owned(), Carrier::Bearer))));
}

#[test]
fn what_is_wrong_is_said_for_the_log() {
    assert!(SourceError::Duplicate.to_string().contains("more than one"));
    assert!(SourceError::Malformed.to_string().contains("malformed"));
}

#[test]
fn a_cookie_is_found_among_others_and_over_several_headers() {
    let map = headers(&[
        ("cookie", b"a=1; \xff=\xfe;b"),
        ("cookie", b"theme=dark;at=x.y.z ; AT=no; att=no"),
    ]);
    let found = find(&TokenSource::cookie("at"), &map);
    assert_eq!(found, Ok(Some(("x.y.z".to_owned(), Carrier::Cookie))));
}

#[test]
fn one_cookie_twice_is_refused_in_one_header_or_two() {
    for fields in [
        vec![("cookie", &b"at=x.y.z; at=x.y.z"[..])],
        vec![("cookie", &b"at=x.y.z"[..]), ("cookie", &b"b=1;at=q"[..])],
        vec![("cookie", &b"at=x.y.z; at ="[..])],
    ] {
        let found = find(&TokenSource::cookie("at"), &headers(&fields));
        assert_eq!(found, Err(SourceError::Duplicate));
    }
}

#[test]
fn a_cookie_that_holds_no_token_is_malformed() {
    for value in [
        &b"at="[..],
        b"at=\"x.y.z\"",
        b"at=x y",
        b"at=\xff",
        b"at=x,y",
    ] {
        let found = find(&TokenSource::cookie("at"), &headers(&[("cookie", value)]));
        assert_eq!(found, Err(SourceError::Malformed), "{value:?}");
    }
}

#[test]
fn a_bearer_header_never_falls_back_to_the_cookie() {
    let good = headers(&[("authorization", b"Bearer a.b.c"), ("cookie", b"at=x.y.z")]);
    assert_eq!(
        find(&both(), &good),
        Ok(Some(("a.b.c".to_owned(), Carrier::Bearer)))
    );

    let bad = headers(&[("authorization", b"Bearer "), ("cookie", b"at=x.y.z")]);
    assert_eq!(find(&both(), &bad), Err(SourceError::Malformed));
}

#[test]
fn without_a_bearer_header_the_cookie_is_found() {
    let cookie = Ok(Some(("x.y.z".to_owned(), Carrier::Cookie)));
    assert_eq!(find(&both(), &headers(&[("cookie", b"at=x.y.z")])), cookie);
    let basic = headers(&[("authorization", b"Basic eA=="), ("cookie", b"at=x.y.z")]);
    assert_eq!(find(&both(), &basic), cookie);
    assert_eq!(find(&both(), &HeaderMap::new()), Ok(None));
}

proptest! {
    #[test]
    fn no_bytes_in_any_header_make_it_panic(
        fields in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..80)), 0..4)
    ) {
        let mut map = HeaderMap::new();
        for (cookie, bytes) in fields {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                map.append(if cookie { COOKIE } else { AUTHORIZATION }, value);
            }
        }
        let _ = both().find(&map);
    }

    #[test]
    fn what_is_found_behind_a_bearer_scheme_is_one_token(tail in "[ -~\t\u{80}-\u{ff}]{0,60}") {
        let Ok(value) = HeaderValue::from_bytes(format!("Bearer {tail}").as_bytes()) else {
            return Ok(());
        };
        let mut map = HeaderMap::new();
        map.append(AUTHORIZATION, value);
        if let Ok(Some((token, _))) = find(&TokenSource::bearer(), &map) {
            prop_assert!(!token.is_empty());
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!token.contains([' ', ',', ';', '"']));
        }
    }
}
