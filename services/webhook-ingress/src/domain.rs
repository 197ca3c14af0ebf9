//! What the service knows of a source.

use bytes::Bytes;
use patchbay_flow::expression::Expression;
use patchbay_types::{SourceId, WorkspaceId};
use serde_json::Value;

/// One live instance of a webhook trigger.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) workspace: WorkspaceId,
    /// The 16 bytes of its id, shared by all its events.
    pub(crate) id: Bytes,
    pub(crate) dedupe: Dedupe,
}

/// What makes two requests the same event.
#[derive(Debug)]
pub(crate) enum Dedupe {
    /// The sender's id when a header names one, else the content.
    Auto,
    /// Nothing: every request is an event of its own.
    Off,
    /// What an expression gives.
    Expression(Expression),
    /// The parameter can't be used; the reason is told to the sender.
    Broken(String),
}

impl Source {
    pub(crate) fn new(workspace: WorkspaceId, id: SourceId, parameters: &[u8]) -> Self {
        Self { workspace, id: Bytes::copy_from_slice(id.as_bytes()), dedupe: Dedupe::read(parameters) }
    }
}

impl Dedupe {
    /// Reads the parameter `dedupe` of a source; a source without it has `auto`.
    fn read(parameters: &[u8]) -> Self {
        if parameters.is_empty() {
            return Self::Auto;
        }
        let Ok(parameters) = serde_json::from_slice::<Value>(parameters) else {
            return Self::Broken("the parameters of this source are not JSON".to_owned());
        };
        match parameters.get("dedupe") {
            None | Some(Value::Null) => Self::Auto,
            Some(Value::String(text)) => match text.as_str() {
                "" | "auto" => Self::Auto,
                "off" => Self::Off,
                text => match Expression::compile(text) {
                    Ok(expression) => Self::Expression(expression),
                    Err(error) => Self::Broken(format!("parameter dedupe: {error}")),
                },
            },
            Some(_) => Self::Broken("parameter dedupe must be auto, off or an expression".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_makes_requests_the_same_event() {
        assert!(matches!(Dedupe::read(b""), Dedupe::Auto));
        assert!(matches!(Dedupe::read(b"{}"), Dedupe::Auto));
        assert!(matches!(Dedupe::read(br#"{"dedupe":"auto"}"#), Dedupe::Auto));
        assert!(matches!(Dedupe::read(br#"{"dedupe":"off"}"#), Dedupe::Off));
        assert!(matches!(Dedupe::read(br#"{"dedupe":"trigger.id"}"#), Dedupe::Expression(_)));
    }

    #[test]
    fn keeps_the_reason_why_a_parameter_cannot_be_used() {
        for parameters in [r#"{"dedupe":7}"#, r#"{"dedupe":"nonsense("}"#, r#"{"dedupe":"secret.x"}"#, "{"] {
            assert!(matches!(Dedupe::read(parameters.as_bytes()), Dedupe::Broken(_)), "{parameters}");
        }
    }
}
