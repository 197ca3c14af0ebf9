//! How calls carry the credentials.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use patchbay_flow::expression::{Scope, Template};

use crate::FieldFault;

/// How calls carry the credentials.
#[derive(Debug)]
pub(crate) enum Auth {
    None,
    Bearer(Template),
    Header(HeaderName, Template),
    Query(String, Template),
    Basic { username: Template, password: Template },
}

impl Auth {
    /// The name of the kind, as manifests write it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer(_) => "bearer",
            Self::Header(..) | Self::Query(..) => "api_key",
            Self::Basic { .. } => "basic",
        }
    }

    /// Puts the credentials into the headers. The messages never show them.
    pub(super) fn sign(&self, headers: &mut HeaderMap, scope: &Scope) -> Result<(), FieldFault> {
        let (name, credentials) = match self {
            Self::None | Self::Query(..) => return Ok(()),
            Self::Bearer(token) => (header::AUTHORIZATION, format!("Bearer {}", secret_text(token, scope)?)),
            Self::Header(name, key) => (name.clone(), secret_text(key, scope)?),
            Self::Basic { username, password } => (header::AUTHORIZATION, basic(username, password, scope)?),
        };
        let mut value = HeaderValue::try_from(credentials)
            .map_err(|_| FieldFault::new("connection", "the credentials have characters that no header can carry"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }

    /// The query parameter with the credentials.
    pub(super) fn parameter(&self, scope: &Scope) -> Result<Option<(&str, String)>, FieldFault> {
        let Self::Query(name, key) = self else { return Ok(None) };
        secret_text(key, scope).map(|key| Some((name.as_str(), key)))
    }
}

/// RFC 7617.
fn basic(username: &Template, password: &Template, scope: &Scope) -> Result<String, FieldFault> {
    let (username, password) = (render(username, scope)?, render(password, scope)?);
    if username.is_empty() && password.is_empty() {
        return Err(FieldFault::new("connection", "the credentials are empty"));
    }
    if username.contains(':') {
        return Err(FieldFault::new("connection", "the credentials have a name with `:` in it"));
    }
    Ok(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

fn secret_text(template: &Template, scope: &Scope) -> Result<String, FieldFault> {
    let text = render(template, scope)?;
    if text.is_empty() { Err(FieldFault::new("connection", "the credentials are empty")) } else { Ok(text) }
}

fn render(template: &Template, scope: &Scope) -> Result<String, FieldFault> {
    template
        .render_text(scope, str::to_owned)
        .map_err(|_| FieldFault::new("connection", "the credentials can't be put together"))
}
