//! The contract as a document.

use std::sync::Arc;

use http::Request;

use super::{Endpoints, Group, Problem, Response, jwks};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Endpoints<C> {
    /// Answers `GET /openapi.json` with this document: that of these endpoints, which the feature
    /// `openapi` has, or one that the application made of it and its own calls.
    #[must_use]
    pub fn with_document(mut self, json: impl Into<Arc<str>>) -> Self {
        self.document = Some(json.into());
        let groups = self.groups.iter().copied();
        self.groups = groups.chain([Group::Document]).collect();
        self
    }

    /// `GET /openapi.json`: the document, or 304 for who has it; 404 where there is none.
    #[must_use]
    pub fn document<B>(&self, request: Request<B>) -> Response {
        match &self.document {
            Some(json) => jwks::cacheable(json.to_string(), "application/json", request.headers()),
            None => Problem::not_found().into_response(),
        }
    }
}
