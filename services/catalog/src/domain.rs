//! Lists of accounts, and forms, as this service knows them.

use std::{collections::BTreeMap, sync::Arc};

use patchbay_connector::{Connector, List, Operation, Trigger};
use patchbay_types::{ConnectionId, Timestamp, WorkspaceId, json::canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// The values that a list depends on, by the name of their field.
pub(crate) type Inputs = BTreeMap<String, Json>;

/// A connection of the caller's workspace, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) workspace: WorkspaceId,
    pub(crate) connection: ConnectionId,
    /// Another one after every change of the connection: it may lead to another account then.
    pub(crate) version: i64,
    pub(crate) connector: Arc<Connector>,
}

/// Where a list of an account is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) workspace: WorkspaceId,
    pub(crate) connection: ConnectionId,
    pub(crate) version: i64,
    pub(crate) list: String,
    /// Of the inputs.
    pub(crate) digest: [u8; 32],
}

/// What an account is asked for: a list, with everything that it depends on.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) account: Account,
    pub(crate) list: Arc<List>,
    pub(crate) inputs: Inputs,
}

impl Question {
    pub(crate) fn place(&self) -> Place {
        Place {
            workspace: self.account.workspace,
            connection: self.account.connection,
            version: self.account.version,
            list: self.list.name().to_owned(),
            digest: Sha256::digest(self.inputs_json()).into(),
        }
    }

    /// One text for the same inputs.
    pub(crate) fn inputs_json(&self) -> Vec<u8> {
        canonical(&Json::Object(self.inputs.clone().into_iter().collect()))
    }
}

/// An entry of a list, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) label: String,
    /// Of lists of custom fields: their type, as manifests write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) required: bool,
}

/// What a partner answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) entries: Vec<Entry>,
    /// There were more than are kept.
    pub(crate) truncated: bool,
    pub(crate) fetched_at: Timestamp,
}

/// An action or a trigger.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    Action(Arc<Operation>),
    Trigger(Arc<Trigger>),
}

/// One of the values that a field may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
}

/// A field as it is shown for an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FormField {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) help: String,
    /// As manifests write it.
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) default: Option<Json>,
    pub(crate) options: Vec<Choice>,
    /// The list that its options come from.
    pub(crate) list: Option<String>,
    /// What must be filled in before the list can be asked for.
    pub(crate) waits_for: Vec<String>,
    /// Why there are no options.
    pub(crate) options_error: Option<String>,
    /// It comes from the account.
    pub(crate) custom: bool,
}

/// Rows of fields that are filled in as often as needed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FormSection {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) help: String,
    pub(crate) required: bool,
    pub(crate) fields: Vec<FormField>,
}

/// Everything that a person fills in for an operation.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) operation: Found,
    pub(crate) fields: Vec<FormField>,
    pub(crate) sections: Vec<FormSection>,
}

/// What came of asking again for a list, with all the inputs that it was asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refreshed {
    pub(crate) list: String,
    pub(crate) options: usize,
    /// The first reason why it could not be had.
    pub(crate) error: Option<String>,
}
