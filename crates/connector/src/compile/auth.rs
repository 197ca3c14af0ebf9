//! How calls carry the credentials.

use patchbay_flow::expression::Template;

use super::{Compiler, expression::Sees};
use crate::{call::Auth, manifest::document::AuthKind};

const PATH: &str = "connection.auth";

impl Compiler<'_> {
    pub(super) fn auth(&mut self) -> Option<Auth> {
        let section = &self.document().connection.auth;
        let wanted: &[&str] = match section.kind {
            AuthKind::None => &[],
            AuthKind::Bearer => &["token"],
            AuthKind::ApiKey => &["key"],
            AuthKind::Basic => &["username", "password"],
        };
        let optional: &[&str] = if section.kind == AuthKind::ApiKey { &["header", "query"] } else { &[] };
        let given = [
            ("token", section.token.is_some()),
            ("header", section.header.is_some()),
            ("query", section.query.is_some()),
            ("key", section.key.is_some()),
            ("username", section.username.is_some()),
            ("password", section.password.is_some()),
        ];
        self.keys_of_kind(PATH, &given, wanted, optional);
        match section.kind {
            AuthKind::None => Some(Auth::None),
            AuthKind::Bearer => self.credential("token", section.token.as_ref()?).map(Auth::Bearer),
            AuthKind::ApiKey => {
                let key = section.key.as_ref().and_then(|key| self.credential("key", key));
                match (&section.header, &section.query) {
                    (Some(header), None) => Some(Auth::Header(self.header("connection.auth.header", header)?, key?)),
                    (None, Some(query)) => Some(Auth::Query(query.clone(), key?)),
                    (Some(_), Some(_)) => {
                        self.exclusive(PATH, &[("header", true), ("query", true)]);
                        None
                    }
                    (None, None) => {
                        self.fail(PATH, "expected one of the keys `header` and `query`, which say where the key goes");
                        None
                    }
                }
            }
            AuthKind::Basic => {
                let username = section.username.as_ref().and_then(|text| self.credential("username", text));
                let password = section.password.as_ref().and_then(|text| self.credential("password", text));
                Some(Auth::Basic { username: username?, password: password? })
            }
        }
    }

    fn credential(&mut self, name: &str, text: &str) -> Option<Template> {
        self.text(&format!("{PATH}.{name}"), text, Sees::CONNECTION)
    }
}
