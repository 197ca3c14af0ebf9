//! How a call of the partner proves itself.

use http::HeaderName;
use patchbay_flow::expression::{Name, Template};

use super::{Compiler, MAX_DAY, expression::Sees};
use crate::{
    manifest::document::{SignedSection, VerifyKind, VerifySection},
    trigger::{Hmac, SignedPart, Verification},
};

impl Compiler<'_> {
    pub(super) fn verification(&mut self, path: &str, section: &VerifySection) -> Option<Verification> {
        let (wanted, optional): (&[&str], &[&str]) = match section.kind {
            VerifyKind::None | VerifyKind::SecretUrl => (&[], &[]),
            VerifyKind::Hmac => (&["algorithm", "secret", "header", "encoding"], &["prefix", "signed", "timestamp"]),
            VerifyKind::Basic => (&["username", "password"], &[]),
            VerifyKind::HeaderToken => (&["header", "token"], &[]),
            VerifyKind::StandardWebhooks => (&["secret"], &[]),
        };
        let given = [
            ("algorithm", section.algorithm.is_some()),
            ("secret", section.secret.is_some()),
            ("header", section.header.is_some()),
            ("encoding", section.encoding.is_some()),
            ("prefix", section.prefix.is_some()),
            ("signed", section.signed.is_some()),
            ("timestamp", section.timestamp.is_some()),
            ("username", section.username.is_some()),
            ("password", section.password.is_some()),
            ("token", section.token.is_some()),
        ];
        self.keys_of_kind(path, &given, wanted, optional);
        match section.kind {
            VerifyKind::None | VerifyKind::SecretUrl => Some(Verification::Address),
            VerifyKind::Hmac => self.hmac(path, section).map(|hmac| Verification::Hmac(Box::new(hmac))),
            VerifyKind::Basic => {
                let username = self.shared(path, "username", section.username.as_ref());
                let password = self.secret(path, "password", section.password.as_ref());
                Some(Verification::Basic { username: username?, password: password? })
            }
            VerifyKind::HeaderToken => {
                let header = section.header.as_ref().and_then(|name| self.header(&format!("{path}.header"), name));
                let token = self.secret(path, "token", section.token.as_ref());
                Some(Verification::Token { header: header?, token: token? })
            }
            VerifyKind::StandardWebhooks => {
                let secret = self.secret(path, "secret", section.secret.as_ref());
                Some(Verification::Standard { secret: secret? })
            }
        }
    }

    fn hmac(&mut self, path: &str, section: &VerifySection) -> Option<Hmac> {
        let secret = self.secret(path, "secret", section.secret.as_ref());
        let header = section.header.as_ref().and_then(|name| self.header(&format!("{path}.header"), name));
        let signed = self.signed(&format!("{path}.signed"), section.signed.as_deref());
        let timestamp = section.timestamp.as_ref().and_then(|timestamp| {
            let path = format!("{path}.timestamp");
            if timestamp.tolerance.0 > MAX_DAY {
                self.fail(&format!("{path}.tolerance"), "expected at most `24h`");
            }
            let header = self.header(&format!("{path}.header"), &timestamp.header)?;
            if !signed.iter().any(|part| matches!(part, SignedPart::Header(name) if *name == header)) {
                let message = format!("the header `{header}` is not signed, so that anybody could change it");
                self.fail_with(&format!("{path}.header"), message, "add it to `signed` where the partner signs it");
            }
            Some((header, timestamp.tolerance.0))
        });
        Some(Hmac {
            algorithm: section.algorithm?,
            secret: secret?,
            header: header?,
            encoding: section.encoding?,
            prefix: section.prefix.clone().unwrap_or_default(),
            signed,
            timestamp,
        })
    }

    fn signed(&mut self, path: &str, sections: Option<&[SignedSection]>) -> Vec<SignedPart> {
        let Some(sections) = sections else { return vec![SignedPart::Body] };
        let mut parts = Vec::new();
        for (index, section) in sections.iter().enumerate() {
            parts.extend(match section {
                SignedSection::Header(name) => {
                    let name: Option<HeaderName> = self.header(&format!("{path}[{index}].header"), name);
                    name.map(SignedPart::Header)
                }
                SignedSection::Text(text) => Some(SignedPart::Text(text.clone())),
                SignedSection::Body => Some(SignedPart::Body),
            });
        }
        if !sections.contains(&SignedSection::Body) {
            let message = "expected `body` among what is signed, or anybody could change the events";
            self.fail_with(
                path,
                message,
                "add `body` where the partner signs it, such as `[{ header: X-Time }, body]`",
            );
        }
        parts
    }

    /// A shared secret, which only the connection can know.
    fn secret(&mut self, path: &str, name: &str, text: Option<&String>) -> Option<Template> {
        let template = self.shared(path, name, text)?;
        if !template.uses(Name::Connection) {
            let message = "expected a template over the connection, because what stands in a manifest is no secret";
            self.fail_with(&format!("{path}.{name}"), message, "such as `{{ connection.webhook_secret }}`");
        }
        Some(template)
    }

    fn shared(&mut self, path: &str, name: &str, text: Option<&String>) -> Option<Template> {
        self.text(&format!("{path}.{name}"), text?, Sees::CONNECTION)
    }
}
