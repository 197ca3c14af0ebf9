//! Triggers.

use std::sync::Arc;

use patchbay_flow::expression::Name;

use super::{Compiler, expression::Sees, form::Place, operation::about};
use crate::{
    Partner, Trigger, Webhook,
    manifest::document::{ModesSection, OperationSection, WebhookSection},
    trigger::Verification,
};

const MAX_ANSWER_CHARS: usize = 1_000;

impl<'manifest> Compiler<'manifest> {
    pub(super) fn trigger(
        &mut self,
        path: &str,
        section: &'manifest OperationSection,
        partner: &Arc<Partner>,
    ) -> Option<Trigger> {
        for (name, given) in [
            ("request", section.request.is_some()),
            ("output", !section.output.is_empty()),
            ("row_sections", !section.row_sections.is_empty()),
            ("safe_to_repeat", section.safe_to_repeat.is_some()),
            ("timeout", section.timeout.is_some()),
        ] {
            if given {
                self.fail(&format!("{path}.{name}"), "has no meaning for a trigger, only for an action");
            }
        }
        let form = self.form(path, &section.fields, &[], Place::Trigger);
        let input = Self::input_names(&section.fields, &[]);
        let Some(modes) = &section.modes else {
            self.fail_with(path, "the key `modes` is missing", "a trigger has the mode `webhook`");
            return None;
        };
        let webhook = self.modes(&format!("{path}.modes"), modes);
        let webhook = webhook.and_then(|webhook| self.webhook(path, section, webhook, &input));
        Some(Trigger { about: about(partner, section), form, webhook: Some(webhook?) })
    }

    fn modes(&mut self, path: &str, modes: &'manifest ModesSection) -> Option<&'manifest WebhookSection> {
        for (name, given) in [("poll", modes.poll.is_some()), ("broker", modes.broker.is_some())] {
            if given {
                let message = format!("the mode `{name}` is not available yet; there is `webhook`");
                self.fail_with(&format!("{path}.{name}"), message, "leave it out");
            }
        }
        if modes.webhook.is_none() && modes.poll.is_none() && modes.broker.is_none() {
            self.fail(path, "the key `webhook` is missing");
        }
        modes.webhook.as_ref()
    }

    fn webhook(
        &mut self,
        path: &str,
        operation: &'manifest OperationSection,
        section: &'manifest WebhookSection,
        input: &[&str],
    ) -> Option<Webhook> {
        let event_id = format!("{path}.event_id");
        let path = format!("{path}.modes.webhook");
        let call = Sees::new(&[Name::Body, Name::Headers, Name::Input]).with_input(input);
        let item = Sees::new(&[Name::Item, Name::Body, Name::Headers, Name::Input]).with_input(input);
        let any = Sees::new(&[Name::Item, Name::Body, Name::Headers, Name::Input, Name::Connection]).with_input(input);
        let batch = self.optional_expression(&format!("{path}.batch"), section.batch.as_ref(), call);
        let select = self.optional_expression(&format!("{path}.select"), section.select.as_ref(), any);
        let event_id = self.optional_expression(&event_id, operation.event_id.as_ref(), item);
        let (status, body) = self.respond(&format!("{path}.respond"), section);
        let verification = self.verification(&format!("{path}.verify"), &section.verify)?;
        let expressions = [&batch, &select, &event_id];
        let uses = |name| expressions.iter().any(|one| one.as_ref().is_some_and(|one| one.uses(name)));
        Some(Webhook {
            sees_headers: uses(Name::Headers),
            uses_connection: uses(Name::Connection) || !matches!(verification, Verification::Address),
            batch,
            select,
            event_id,
            status,
            body,
            verification,
        })
    }

    fn respond(&mut self, path: &str, section: &WebhookSection) -> (u16, String) {
        let respond = section.respond.as_ref();
        let status = respond.and_then(|respond| respond.status).unwrap_or(200);
        if !(200..300).contains(&status) {
            self.fail(&format!("{path}.status"), format!("expected a status from 200 to 299, found {status}"));
        }
        let body = respond.and_then(|respond| respond.body.clone()).unwrap_or_else(|| "OK".to_owned());
        if body.chars().count() > MAX_ANSWER_CHARS {
            self.fail(&format!("{path}.body"), format!("expected at most {MAX_ANSWER_CHARS} characters"));
        }
        (status, body)
    }
}
