//! [`Call`]: one call, as it stands in the document.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use http::Method;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{
    ContentBuilder, OpenApi, RefOr, Required, Response, ResponseBuilder, Schema,
};

use super::headers;
use super::schemas::{code_among, text};
use super::security;
use crate::endpoints::routes::Access;

/// A call, to stand in a [document](super::document) in the manner of those that are there.
///
/// # Examples
///
/// ```
/// use http::Method;
/// use tower_jwt_session::endpoints::Group;
/// use tower_jwt_session::endpoints::openapi::{self, Call};
///
/// let mut document = openapi::document(Group::DEFAULT);
/// Call::new(Method::POST, "/orders", "order", "Orders something")
///     .takes(openapi::object(&[("article", "text"), ("note?", "text")]))
///     .tells(201, openapi::object(&[("id", "text")]))
///     .for_users()
///     .add_to(&mut document);
/// assert!(openapi::to_json(&document).contains("\"/orders\""));
/// ```
#[derive(Clone)]
#[must_use = "it stands in no document yet"]
pub struct Call {
    method: Method,
    path: String,
    id: String,
    summary: String,
    tag: Option<String>,
    query: Vec<(String, String)>,
    body: Option<Content>,
    optional_body: bool,
    status: u16,
    about: String,
    told: Option<Content>,
    also: Vec<(u16, String)>,
    refusals: BTreeMap<u16, BTreeSet<&'static str>>,
    access: Access,
    cookies: Cookies,
    limited: bool,
    plain_refusals: bool,
}

/// A media type, and what it looks like.
type Content = (String, RefOr<Schema>);

/// What cookies have to do with a call that anybody may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookies {
    None,
    /// The answer may set them.
    Set,
    /// And the refresh cookie may stand instead of a body.
    SetByRefresh,
    /// Either cookie may stand instead of a body, and both are taken back.
    TakenBack,
}

impl Call {
    /// A call that takes nothing, is answered with 204, and is for everybody. The id is unlike
    /// that of every other call; the path has `{name}` for a parameter.
    pub fn new(
        method: Method,
        path: impl Into<String>,
        id: impl Into<String>,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            method,
            path: path.into(),
            id: id.into(),
            summary: summary.into(),
            tag: None,
            query: Vec::new(),
            body: None,
            optional_body: false,
            status: 204,
            about: "Done.".to_owned(),
            told: None,
            also: Vec::new(),
            refusals: BTreeMap::new(),
            access: Access::Public,
            cookies: Cookies::None,
            limited: false,
            plain_refusals: false,
        }
    }

    /// Groups it with others.
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// It has a parameter in its query, which may be missing.
    pub fn asks(mut self, name: impl Into<String>, about: impl Into<String>) -> Self {
        self.query.push((name.into(), about.into()));
        self
    }

    /// It takes a JSON object, and refuses what is none as [`read_json`](crate::endpoints::read_json) does.
    pub fn takes(mut self, schema: impl Into<RefOr<Schema>>) -> Self {
        self.body = Some(("application/json".to_owned(), schema.into()));
        self.refuses_bodies().refuses(422, INVALID_INPUT)
    }

    /// It takes a form.
    pub fn takes_form(mut self, schema: impl Into<RefOr<Schema>>) -> Self {
        let form = "application/x-www-form-urlencoded";
        self.body = Some((form.to_owned(), schema.into()));
        self.refuses_bodies()
    }

    /// It is answered with this status and no body.
    pub fn answers(mut self, status: u16) -> Self {
        self.status = status;
        self.told = None;
        self
    }

    /// It is answered with this status and JSON.
    pub fn tells(self, status: u16, schema: impl Into<RefOr<Schema>>) -> Self {
        self.tells_as("application/json", schema).answered(status)
    }

    /// It is answered with 200 and text of a media type.
    pub fn shows(self, media_type: &str, about: impl Into<String>) -> Self {
        let mut shown = self.tells_as(media_type, text()).answered(200);
        shown.about = about.into();
        shown
    }

    /// It may also be answered with this status and nothing to read, as a redirection.
    pub fn also(mut self, status: u16, about: impl Into<String>) -> Self {
        self.also.push((status, about.into()));
        self
    }

    /// It may be refused with a problem of this status and code.
    pub fn refuses(mut self, status: u16, code: &'static str) -> Self {
        self.refusals.entry(status).or_default().insert(code);
        self
    }

    /// It stands behind a [`JwtSessionLayer`](crate::JwtSessionLayer).
    pub fn for_users(self) -> Self {
        self.with_access(Access::User)
    }

    /// The same, and takes a role.
    pub fn for_role(self) -> Self {
        self.with_access(Access::Admin)
    }

    /// Its answer may [hand out](crate::JwtSession::hand_out) cookies.
    pub fn sets_cookies(self) -> Self {
        self.with_cookies(Cookies::Set)
    }

    /// Attempts are [limited](crate::endpoints::Endpoints::limited).
    pub fn limited(mut self) -> Self {
        self.limited = true;
        self.refuses(429, "rate_limited")
    }

    /// Puts it into a document; what stands there of the same path and method is replaced.
    pub fn add_to(self, document: &mut OpenApi) {
        let path = self.path.replace("{*", "{");
        let item = document.paths.paths.entry(path).or_default();
        item.merge_operations(PathItem::new(self.http_method(), self.operation()));
    }

    pub(super) fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        if access != Access::Public {
            self = BEHIND_THE_LAYER
                .into_iter()
                .fold(self, |call, code| call.refuses(401, code))
                .refuses(503, "overloaded")
                .refuses(503, "store_unavailable");
        }
        if matches!(access, Access::Admin | Access::Introspector) {
            self = self.refuses(403, "insufficient_role");
        }
        self.guarded()
    }

    pub(super) fn with_cookies(mut self, cookies: Cookies) -> Self {
        self.cookies = cookies;
        self.guarded()
    }

    pub(super) fn tells_as(mut self, media: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.about = "OK.".to_owned();
        self.told = Some((media.to_owned(), schema.into()));
        self
    }

    pub(super) fn answered(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn with_optional_body(mut self, optional: bool) -> Self {
        self.optional_body = optional;
        self
    }

    /// Stock OAuth clients insist on plain JSON where RFC 6749 speaks.
    pub(super) fn with_plain_refusals(mut self, plain: bool) -> Self {
        self.plain_refusals = plain;
        self
    }

    pub(super) fn refusals(&self) -> &BTreeMap<u16, BTreeSet<&'static str>> {
        &self.refusals
    }

    fn refuses_bodies(self) -> Self {
        [400, 413, 415]
            .into_iter()
            .fold(self, |call, status| call.refuses(status, INVALID_INPUT))
            .refuses(408, "request_timeout")
    }

    /// What changes something by cookies is for pages of this site.
    fn guarded(self) -> Self {
        let users = matches!(self.access, Access::Admin | Access::User | Access::Watcher);
        let by_cookie = users || self.cookies != Cookies::None;
        if by_cookie && self.method != Method::GET {
            self.refuses(403, "csrf_rejected")
        } else {
            self
        }
    }

    fn operation(self) -> OperationBuilder {
        let mut operation = OperationBuilder::new()
            .summary(Some(&self.summary))
            .operation_id(Some(&self.id))
            .request_body(self.request_body())
            .response(self.status.to_string(), self.success());
        if let Some(tag) = &self.tag {
            operation = operation.tag(tag);
        }
        for parameter in self.parameters() {
            operation = operation.parameter(parameter);
        }
        for requirement in security::requirements(self.access, self.cookies) {
            operation = operation.security(requirement);
        }
        for (status, about) in &self.also {
            let response = ResponseBuilder::new().description(about).build();
            operation = operation.response(status.to_string(), response);
        }
        for (status, codes) in &self.refusals {
            operation = operation.response(status.to_string(), self.refusal(*status, codes));
        }
        operation
    }

    fn parameters(&self) -> impl Iterator<Item = Parameter> {
        let in_path = self.path.split('/').filter_map(|segment| {
            let name = segment.strip_prefix('{')?.strip_suffix('}')?;
            let name = name.trim_start_matches('*');
            Some(parameter(name, ParameterIn::Path).required(Required::True))
        });
        let in_query = self.query.iter().map(|(name, about)| {
            let parameter = parameter(name, ParameterIn::Query).required(Required::False);
            parameter.description(Some(about))
        });
        in_path.chain(in_query).map(ParameterBuilder::build)
    }

    fn success(&self) -> Response {
        let response = ResponseBuilder::new().description(&self.about);
        let response = headers::of_success(response, self.limited, self.cookies);
        match &self.told {
            Some((media, schema)) => {
                let content = ContentBuilder::new().schema(Some(schema.clone()));
                response.content(media, content.build()).build()
            }
            None => response.build(),
        }
    }

    fn refusal(&self, status: u16, codes: &BTreeSet<&str>) -> Response {
        let content = ContentBuilder::new().schema(Some(code_among(codes)));
        let listed: Vec<_> = codes.iter().copied().collect();
        let kind = if self.plain_refusals && ![403, 503].contains(&status) {
            "application/json"
        } else {
            "application/problem+json"
        };
        let response = ResponseBuilder::new().description(listed.join(", "));
        let response = headers::of_refusal(response, self.limited, status);
        response.content(kind, content.build()).build()
    }

    fn request_body(&self) -> Option<RequestBody> {
        let (media, schema) = self.body.as_ref()?;
        let content = ContentBuilder::new().schema(Some(schema.clone())).build();
        let required = if self.optional_body {
            Required::False
        } else {
            Required::True
        };
        let body = RequestBodyBuilder::new().content(media, content);
        Some(body.required(Some(required)).build())
    }

    fn http_method(&self) -> HttpMethod {
        match self.method.as_str() {
            "DELETE" => HttpMethod::Delete,
            "PATCH" => HttpMethod::Patch,
            "POST" => HttpMethod::Post,
            "PUT" => HttpMethod::Put,
            _ => HttpMethod::Get,
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn parameter(name: &str, place: ParameterIn) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .schema(Some(text()))
}

const BEHIND_THE_LAYER: [&str; 6] = [
    "invalid_token",
    "malformed_token",
    "missing_token",
    "token_expired",
    "token_revoked",
    "token_stale",
];

const INVALID_INPUT: &str = "invalid_input";
