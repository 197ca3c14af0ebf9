//! Actions.

use std::sync::Arc;

use patchbay_flow::expression::Name;

use super::{Compiler, expression::Sees, form::Place};
use crate::{
    Operation, Partner, Trigger,
    about::About,
    call::Http,
    manifest::document::{OperationKind, OperationSection},
};

impl<'manifest> Compiler<'manifest> {
    pub(super) fn operations(
        &mut self,
        partner: &Arc<Partner>,
        http: Option<&Arc<Http>>,
    ) -> (Vec<Arc<Operation>>, Vec<Arc<Trigger>>) {
        let (mut operations, mut triggers) = (Vec::new(), Vec::new());
        for (index, section) in self.document().operations.iter().enumerate() {
            let path = format!("operations[{index}]");
            match section.kind {
                OperationKind::Action => {
                    operations.extend(self.operation(&path, section, partner, http).map(Arc::new));
                }
                OperationKind::Trigger => triggers.extend(self.trigger(&path, section, partner).map(Arc::new)),
            }
        }
        (operations, triggers)
    }

    fn operation(
        &mut self,
        path: &str,
        section: &'manifest OperationSection,
        partner: &Arc<Partner>,
        http: Option<&Arc<Http>>,
    ) -> Option<Operation> {
        for (name, given) in [("modes", section.modes.is_some()), ("event_id", section.event_id.is_some())] {
            if given {
                self.fail(&format!("{path}.{name}"), "has no meaning for an action, only for a trigger");
            }
        }
        let form = self.form(path, &section.fields, &section.row_sections, Place::Action);
        let input = Self::input_names(&section.fields, &section.row_sections);
        let Some(request) = &section.request else {
            self.fail(path, "the key `request` is missing");
            return None;
        };
        let request = self.request(&format!("{path}.request"), request, Sees::CALL.with_input(&input));
        let mut output = Vec::new();
        for (key, text) in &section.output {
            let path = format!("{path}.output.{key}");
            let expression = self.expression(&path, text, Sees::ANSWER.with_input(&input));
            output.extend(expression.map(|expression| (key.clone(), expression)));
        }
        let timeout = section.timeout.map(|timeout| self.timeout(&format!("{path}.timeout"), timeout));
        let http = http?;
        let sees_headers =
            http.success.uses(Name::Headers) || output.iter().any(|(_, expression)| expression.uses(Name::Headers));
        Some(Operation {
            about: about(partner, section),
            http: Arc::clone(http),
            safe_to_repeat: section.safe_to_repeat.unwrap_or(false),
            timeout: timeout.unwrap_or(http.timeout),
            form,
            request: request?,
            success: None,
            sees_headers,
            output,
        })
    }
}

pub(super) fn about(partner: &Arc<Partner>, section: &OperationSection) -> About {
    About {
        partner: Arc::clone(partner),
        key: section.key.clone(),
        name: format!("{}.{}", partner.key, section.key),
        id: section.id,
        title: section.title.clone(),
        titles: section.titles.clone(),
        description: section.description.clone(),
        deprecated: section.deprecated,
        sample: section.sample.clone(),
    }
}
