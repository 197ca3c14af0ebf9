//! In which format a body comes and an answer is wanted.

use axum::http::header;

use crate::altcraft::envelope::{Format, Refusal};
use crate::altcraft::parameters::Parameters;
use crate::call::Call;

pub(crate) fn is_xml(call: &Call) -> bool {
    content_type(call).contains("xml")
}

pub(crate) fn is_form(call: &Call) -> bool {
    content_type(call).contains("x-www-form-urlencoded")
}

/// The format that the body or the URL asks for.
pub(crate) fn format(call: &Call, parameters: &Parameters) -> Result<Format, Refusal> {
    let name = match parameters.text("format")? {
        Some(name) => name,
        None => call.query_value("format").unwrap_or_default(),
    };
    Format::of(&name).ok_or_else(|| Refusal::bad(format!("The sandbox does not answer in the format {name:?}")))
}

fn content_type(call: &Call) -> &str {
    call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
