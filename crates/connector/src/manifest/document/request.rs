//! One call.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::schema::Scalar;

/// One call. At most one of `json`, `form` and `text` is there. What an expression leaves undefined is not sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestSection {
    /// The HTTP method.
    pub(crate) method: Method,
    /// A template of the path under `base_url`; what expressions give is encoded as one segment.
    pub(crate) path: String,
    /// Templates of the query's parameters; a list repeats its name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Scalar>")]
    pub(crate) query: BTreeMap<String, String>,
    /// Templates of headers.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Scalar>")]
    pub(crate) headers: BTreeMap<String, String>,
    /// A body that is sent as JSON; its texts are templates.
    pub(crate) json: Option<serde_json::Value>,
    /// A body that is sent as `application/x-www-form-urlencoded`: templates by name; a list repeats its name.
    #[schemars(with = "Option<BTreeMap<String, Scalar>>")]
    pub(crate) form: Option<BTreeMap<String, String>>,
    /// A template of a body that is sent as it is.
    pub(crate) text: Option<String>,
    /// Of `text`: its media type; `text/plain; charset=utf-8` when it is not here.
    pub(crate) content_type: Option<String>,
}

/// The HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}
