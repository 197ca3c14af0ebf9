//! What the service knows of a source.

use std::sync::Arc;

use axum::http::HeaderName;
use bytes::Bytes;
use patchbay_connector::{Catalog, Trigger, Webhook};
use patchbay_flow::expression::{self, Expression, Name};
use patchbay_proto::{automation::internal::v1 as automation, event::v1::PublishedEvent};
use patchbay_types::{ConnectionId, Fault, WorkspaceId, fault::Code};
use serde::Deserialize;
use serde_json::Value;

/// The trigger of no partner: any body on a hook URL.
const WEBHOOK: &str = "webhook.received";
/// The trigger of no partner that programs fire.
const EVENT: &str = "event.received";

/// One live instance of a trigger.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) workspace: WorkspaceId,
    /// The 16 bytes of its id, shared by all its events.
    pub(crate) id: Bytes,
    /// The name of its trigger.
    pub(crate) operation: String,
    pub(crate) kind: Kind,
}

/// What a source takes.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Any body.
    Any(Dedupe),
    /// What a partner sends.
    Partner(Box<Partner>),
    /// Events that programs publish.
    Published(Wanted),
    /// Nothing, and what senders are told of it.
    Unusable(Fault),
}

/// The webhook of a partner's trigger.
#[derive(Debug)]
pub(crate) struct Partner {
    trigger: Arc<Trigger>,
    pub(crate) connection: ConnectionId,
    pub(crate) parameters: expression::Value,
    /// Headers by which the sender proves who it is.
    pub(crate) proofs: Vec<HeaderName>,
}

/// Which published events a source takes.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// A type, or the beginning of one and `*`.
    r#type: String,
    source: Option<String>,
    subject: Option<String>,
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

/// What is known of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connection {
    pub(crate) workspace: WorkspaceId,
    /// Raised by every change of it.
    pub(crate) revision: i64,
    pub(crate) deleted: bool,
}

impl Source {
    pub(crate) fn new(source: automation::Source, catalog: &Catalog) -> Self {
        let kind = match source.operation.as_str() {
            WEBHOOK => Kind::Any(Dedupe::read(&source.parameters)),
            EVENT => match serde_json::from_slice(&source.parameters) {
                Ok(wanted) => Kind::Published(wanted),
                Err(_) => Kind::Unusable(Fault::new(Code::Unavailable, "its parameters can't be read")),
            },
            _ => match Partner::new(&source, catalog) {
                Ok(partner) => Kind::Partner(Box::new(partner)),
                Err(fault) => Kind::Unusable(fault),
            },
        };
        Self { workspace: WorkspaceId::new(source.workspace_id), id: source.id, operation: source.operation, kind }
    }
}

impl Kind {
    /// Whether bodies become values; else they are only looked through.
    pub(crate) fn reads_values(&self) -> bool {
        match self {
            Self::Partner(_) => true,
            Self::Any(Dedupe::Expression(expression)) => expression.uses(Name::Trigger),
            Self::Any(Dedupe::Auto | Dedupe::Off | Dedupe::Broken(_)) | Self::Published(_) | Self::Unusable(_) => false,
        }
    }
}

impl Partner {
    fn new(source: &automation::Source, catalog: &Catalog) -> Result<Self, Fault> {
        // Whoever sends now sends again: what is wrong here can be set right.
        let unusable = |reason: &str| Fault::new(Code::Unavailable, format!("this hook can't be used now: {reason}"));
        if source.mode != "webhook" {
            return Err(Fault::new(Code::NotFound, "this trigger takes no webhooks"));
        }
        let (_, trigger) = catalog.trigger(&source.operation).ok_or_else(|| unusable("its trigger is not known"))?;
        let webhook = trigger.webhook().ok_or_else(|| unusable("its trigger takes no webhooks"))?;
        if source.connection_id == 0 {
            return Err(unusable("it has no connection"));
        }
        let given: &[u8] = if source.parameters.is_empty() { b"{}" } else { &source.parameters };
        let parameters = expression::parse_json(given).map_err(|_| unusable("its parameters can't be read"))?;
        let parameters = trigger.coerce_parameters(parameters);
        Ok(Self {
            connection: ConnectionId::new(source.connection_id),
            parameters: parameters.map_err(|fault| unusable(&format!("parameter {fault}")))?,
            proofs: webhook.verification_headers(),
            trigger: Arc::clone(trigger),
        })
    }

    pub(crate) fn webhook(&self) -> Result<&Webhook, Fault> {
        self.trigger.webhook().ok_or_else(|| Fault::new(Code::Internal, "the trigger of this hook takes no webhooks"))
    }
}

impl Wanted {
    /// Whether it takes this event.
    pub(crate) fn takes(&self, event: &PublishedEvent) -> bool {
        let of_type = match self.r#type.strip_suffix('*') {
            Some(beginning) => event.r#type.starts_with(beginning),
            None => event.r#type == self.r#type,
        };
        let equals = |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|wanted| wanted == given);
        of_type && equals(&self.source, &event.source) && equals(&self.subject, &event.subject)
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
    fn takes_events_by_type_source_and_subject() {
        let event = |r#type: &str, source: &str, subject: &str| PublishedEvent {
            r#type: r#type.to_owned(),
            source: source.to_owned(),
            subject: subject.to_owned(),
            ..PublishedEvent::default()
        };
        let wanted = |text: &str| serde_json::from_str::<Wanted>(text).unwrap();
        for (text, r#type, source, subject, takes) in [
            (r#"{"type":"com.acme.created"}"#, "com.acme.created", "any", "any", true),
            (r#"{"type":"com.acme.created"}"#, "com.acme.created.v2", "any", "any", false),
            (r#"{"type":"com.acme.*"}"#, "com.acme.created.v2", "any", "any", true),
            (r#"{"type":"com.acme.*"}"#, "com.acmes", "any", "any", false),
            (r#"{"type":"*","source":"/shop"}"#, "x", "/shop", "", true),
            (r#"{"type":"*","source":"/shop"}"#, "x", "/shop/2", "", false),
            (r#"{"type":"*","subject":"7"}"#, "x", "y", "7", true),
            (r#"{"type":"*","subject":"7"}"#, "x", "y", "", false),
        ] {
            assert_eq!(wanted(text).takes(&event(r#type, source, subject)), takes, "{text} {type} {source} {subject}");
        }
    }

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
