//! Who asks.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use patchbay_service::problem::Problem;
use patchbay_types::{
    WorkspaceId,
    fault::{Code, Fault},
};

use super::Gateway;
use crate::token;

/// The caller, known by a valid token. A handler that takes one is closed to everybody else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) workspace: WorkspaceId,
}

/// Why somebody is not let in.
#[derive(Debug)]
pub(crate) struct Refusal(Fault);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let is_unknown = self.0.code == Code::Unauthenticated;
        let mut response = Problem(self.0).into_response();
        if is_unknown {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl Caller {
    pub(crate) async fn find(gateway: &Gateway, headers: &HeaderMap) -> Result<Self, Refusal> {
        let unknown = |message: &str| Refusal(Fault::new(Code::Unauthenticated, message));
        let Some(header) = headers.get(header::AUTHORIZATION) else {
            return Err(unknown("send `Authorization: Bearer <token>`; POST /user/auth gives a token"));
        };
        let invalid = || unknown("the token is wrong or expired; POST /user/auth gives a new one");
        let digest = header.to_str().ok().and_then(token::from_header).ok_or_else(invalid)?;
        let session = gateway.sessions.find(digest).await.map_err(|error| Refusal(error.into()))?;
        session.map(|session| Self { workspace: session.workspace }).ok_or_else(invalid)
    }
}

impl FromRequestParts<Arc<Gateway>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        Self::find(gateway, &parts.headers).await
    }
}
