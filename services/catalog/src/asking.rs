//! Asking a partner for a list, page by page.

use std::{collections::HashSet, sync::Arc, time::Duration};

use patchbay_connector::{Action, Connector, ErrorClass, Failure, ListItem, ListPage};
use patchbay_egress::Egress;
use patchbay_flow::expression::{self, Value, from_json_value};
use patchbay_service::credentials::Credential;
use patchbay_types::fault::{Code, Fault};
use zeroize::Zeroizing;

use crate::{
    domain::{Account, Entry, Question},
    peers::Connections,
    telemetry,
};

/// What is kept of one list, in bytes of its keys and labels.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Shorter secrets are not looked for in what partners answer: they would match by chance.
const SHORTEST_SECRET: usize = 4;

/// Asks partners.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) egress: Egress,
    pub(crate) connections: Connections,
    /// For one list, all its pages together.
    pub(crate) timeout: Duration,
    pub(crate) max_options: usize,
}

/// The entries of a list, and whether there were more.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) entries: Vec<Entry>,
    pub(crate) truncated: bool,
    keys: HashSet<String>,
    bytes: usize,
}

impl Asker {
    /// The whole list, as far as it is kept.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Gathered, Fault> {
        match tokio::time::timeout(self.timeout, self.walk(question)).await {
            Ok(gathered) => gathered,
            Err(_) => {
                let title = &question.account.connector.partner().title;
                let message = format!("{title} took longer than {:?} for this list; try again", self.timeout);
                Err(Fault::new(Code::Timeout, message))
            }
        }
    }

    async fn walk(&self, question: &Question) -> Result<Gathered, Fault> {
        let Question { account, list, inputs } = question;
        let credential = self.connections.credential(account.connection).await?;
        let connection = expression::parse_json(&credential.fields).unwrap_or_default();
        let secrets = secrets(&account.connector, &connection);
        let input = Value::from_pairs(inputs.iter().map(|(name, value)| (name.as_str(), from_json_value(value))));
        let mut gathered = Gathered::default();
        let mut page = list.first();
        // The list bounds its pages itself.
        loop {
            let request = list.request(&connection, &input, &page).map_err(|fault| {
                let message = format!("this list can't be asked for: {fault}; look at the connection's fields");
                Fault::new(Code::FailedPrecondition, message)
            })?;
            let answer = self.egress.send(request).await;
            let ListPage { items, next, cut } = match list.read(&connection, &input, &page, answer.as_ref()) {
                Ok(read) => read,
                Err(failure) => return Err(self.refused(account, &credential, &failure).await),
            };
            if !gathered.take(items, self.max_options, &secrets) {
                gathered.truncated = true;
                return Ok(gathered);
            }
            let Some(next) = next else {
                gathered.truncated = cut;
                return Ok(gathered);
            };
            page = next;
        }
    }

    /// What the caller is told; the owner of the credential is told too when it was the reason.
    async fn refused(&self, account: &Account, credential: &Credential, failure: &Failure) -> Fault {
        if failure.action == Action::Reauthorize {
            telemetry::credential_refused(account.connection);
            self.connections.report_refused(account.connection, credential.revision).await;
        }
        fault_of(&account.connector.partner().title, failure)
    }
}

impl Gathered {
    /// Takes the items of a page; whether all had room.
    fn take(&mut self, items: Vec<ListItem>, max_options: usize, secrets: &[Zeroizing<String>]) -> bool {
        for item in items {
            // A key with a secret in it can't be kept, and would be of no use covered.
            let is_usable = !item.key.is_empty() && !secrets.iter().any(|secret| item.key.contains(secret.as_str()));
            if !is_usable || self.keys.contains(&item.key) {
                continue;
            }
            let label = covered(if item.label.is_empty() { item.key.clone() } else { item.label }, secrets);
            self.bytes = self.bytes.saturating_add(item.key.len() + label.len());
            if self.entries.len() >= max_options || self.bytes > MOST_BYTES {
                return false;
            }
            self.keys.insert(item.key.clone());
            let kind = item.kind.map(|kind| kind.to_string());
            self.entries.push(Entry { key: item.key, label, kind, required: item.required });
        }
        true
    }
}

fn secrets(connector: &Arc<Connector>, connection: &Value) -> Vec<Zeroizing<String>> {
    let values = connector.secret_fields().into_iter().filter_map(|name| {
        let value = connection.get_attr(name).ok()?;
        value.as_str().filter(|secret| secret.len() >= SHORTEST_SECRET).map(|secret| Zeroizing::new(secret.to_owned()))
    });
    values.collect()
}

fn covered(text: String, secrets: &[Zeroizing<String>]) -> String {
    secrets.iter().fold(
        text,
        |text, secret| if text.contains(secret.as_str()) { text.replace(secret.as_str(), "***") } else { text },
    )
}

/// What happened, and what to do about it.
fn fault_of(title: &str, failure: &Failure) -> Fault {
    let said = &failure.message;
    match failure.action {
        Action::Reauthorize => credential_refused(title, said),
        Action::RateLimited { after } => {
            let wait = after.map_or_else(|| "a moment".to_owned(), |after| format!("{} s", after.as_secs().max(1)));
            Fault::new(Code::TooMany, format!("{title} wants fewer calls; try again in {wait}"))
        }
        Action::Fail | Action::Retry => fault_of_class(title, failure),
    }
}

fn fault_of_class(title: &str, failure: &Failure) -> Fault {
    let said = &failure.message;
    let (code, message) = match failure.class {
        ErrorClass::Auth => return credential_refused(title, said),
        ErrorClass::Timeout => (Code::Timeout, format!("{title} did not answer in time: {said}; try again")),
        ErrorClass::Connection => {
            let hint = "look at the connection's host, or try again";
            (Code::Unavailable, format!("{title} can't be reached: {said}; {hint}"))
        }
        ErrorClass::RateLimit => (Code::TooMany, format!("{title} wants fewer calls: {said}; try again in a moment")),
        ErrorClass::Validation => {
            (Code::InvalidArgument, format!("{title} does not take the values that the list depends on: {said}"))
        }
        ErrorClass::Configuration if failure.partner_status.is_some() => {
            let hint = "look at the connection's host, or tell whoever keeps the connector";
            (Code::FailedPrecondition, format!("{title} gave no list: {said}; {hint}"))
        }
        ErrorClass::Configuration => {
            (Code::FailedPrecondition, format!("the connection to {title} can't be used: {said}; look at its fields"))
        }
        ErrorClass::System => (Code::Internal, format!("{title} could not be asked: {said}")),
        ErrorClass::Partner if failure.action == Action::Retry => {
            (Code::Unavailable, format!("{title} failed: {said}; try again"))
        }
        ErrorClass::Partner => {
            let hint = "look at what this account may do";
            (Code::FailedPrecondition, format!("{title} does not give this list: {said}; {hint}"))
        }
    };
    Fault::new(code, message)
}

fn credential_refused(title: &str, said: &str) -> Fault {
    let message = format!("{title} does not take the connection's credential: {said}; give the connection a new one");
    Fault::new(Code::FailedPrecondition, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str, label: &str) -> ListItem {
        ListItem { key: key.to_owned(), label: label.to_owned(), kind: None, required: false }
    }

    fn entry(key: &str, label: &str) -> Entry {
        Entry { key: key.to_owned(), label: label.to_owned(), kind: None, required: false }
    }

    #[test]
    fn keeps_each_key_once_and_no_secret() {
        let mut gathered = Gathered::default();
        let items = vec![
            item("1", "One"),
            item("1", "Again"),
            item("", "No key"),
            item("2", ""),
            item("3", "of s3cret!"),
            item("s3cret", "Bad"),
        ];
        assert!(gathered.take(items, 3, &[Zeroizing::new("s3cret".to_owned())]));
        assert_eq!(gathered.entries, [entry("1", "One"), entry("2", "2"), entry("3", "of ***!")]);
    }

    #[test]
    fn ends_at_its_bounds() {
        let mut gathered = Gathered::default();
        assert!(gathered.take(vec![item("1", "a"), item("2", "b")], 2, &[]));
        assert!(!gathered.take(vec![item("3", "c")], 2, &[]));
        let mut gathered = Gathered::default();
        assert!(!gathered.take(vec![item("1", &"x".repeat(MOST_BYTES))], 2, &[]));
    }

    #[test]
    fn every_failure_says_what_to_do() {
        let failure = |action, class| Failure {
            action,
            class,
            message: "it says no".to_owned(),
            partner_status: None,
            known: true,
            excerpt: None,
        };
        for (action, class, code) in [
            (Action::Reauthorize, ErrorClass::Auth, Code::FailedPrecondition),
            (Action::Fail, ErrorClass::Auth, Code::FailedPrecondition),
            (Action::RateLimited { after: None }, ErrorClass::RateLimit, Code::TooMany),
            (Action::Retry, ErrorClass::Timeout, Code::Timeout),
            (Action::Retry, ErrorClass::Connection, Code::Unavailable),
            (Action::Retry, ErrorClass::Partner, Code::Unavailable),
            (Action::Fail, ErrorClass::Partner, Code::FailedPrecondition),
            (Action::Fail, ErrorClass::Validation, Code::InvalidArgument),
            (Action::Fail, ErrorClass::Configuration, Code::FailedPrecondition),
            (Action::Fail, ErrorClass::System, Code::Internal),
        ] {
            assert_eq!(fault_of("Shop", &failure(action, class)).code, code, "{action:?} {class:?}");
        }
    }
}
