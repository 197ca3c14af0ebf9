//! Ids in paths.

use std::{fmt::Display, str::FromStr};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use patchbay_service::problem::Problem;
use patchbay_types::Fault;

/// The `{id}` of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err: Display>> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = |reason: &str| Problem(Fault::invalid(reason).with_field("id"));
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| wrong("the path must be percent-encoded UTF-8"))?;
        let text = parameters.iter().find_map(|(name, value)| (name == "id").then_some(value)).unwrap_or_default();
        text.parse().map(Self).map_err(|error: T::Err| wrong(&error.to_string()))
    }
}
