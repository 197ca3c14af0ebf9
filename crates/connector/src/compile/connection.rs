//! What a person fills in to connect an account, and how it is proved.

use std::{collections::BTreeMap, sync::Arc};

use patchbay_flow::expression::{Name, Template};

use super::{Compiler, expression::Sees, form::Place};
use crate::{
    Field, FieldType, Operation, Partner, about::About, call::Http, form::Form, manifest::document::TestSection,
};

impl Compiler<'_> {
    pub(super) fn connection_fields(&mut self) -> Vec<Field> {
        let fields = &self.document().connection.fields;
        self.fields("connection.fields", fields, Place::Connection, &self.connection_fields.clone())
    }

    /// The test has the shape of an operation, and is in no catalog.
    pub(super) fn test(
        &mut self,
        section: &TestSection,
        partner: &Arc<Partner>,
        http: Option<&Arc<Http>>,
    ) -> Option<Operation> {
        let request = self.request("connection.test.request", &section.request, Sees::CONNECTION);
        let sees = Sees::new(&[Name::Status, Name::Headers, Name::Body]);
        let expect = self.expression("connection.test.expect", &section.expect, sees)?;
        let http = http?;
        Some(Operation {
            about: About {
                partner: Arc::clone(partner),
                key: "test".to_owned(),
                name: format!("{}.test", partner.key),
                id: 0,
                title: "Test of the connection".to_owned(),
                titles: BTreeMap::new(),
                description: String::new(),
                deprecated: false,
                sample: serde_json::Value::Null,
            },
            http: Arc::clone(http),
            safe_to_repeat: true,
            timeout: http.timeout,
            form: Form::new(Vec::new(), Vec::new(), None),
            request: request?,
            sees_headers: expect.uses(Name::Headers),
            success: Some(expect),
            output: Vec::new(),
        })
    }

    pub(super) fn label(&mut self, fields: &[Field]) -> Option<Template> {
        let section = &self.document().connection;
        let text = section.label.as_ref()?;
        if section.test.is_none() {
            let hint = "add `connection.test`, or leave `label` out";
            self.fail_with("connection.label", "there is no test whose answer could name a connection", hint);
        }
        let label = self.text("connection.label", text, Sees::new(&[Name::Connection, Name::Test]))?;
        let paths = label.paths();
        for field in fields.iter().filter(|field| field.kind == FieldType::Secret) {
            if paths.contains(&format!("connection.{}", field.name)) || paths.contains("connection") {
                self.fail("connection.label", format!("would show `{}`, which is secret", field.name));
            }
        }
        Some(label)
    }
}
