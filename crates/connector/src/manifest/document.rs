//! The shape of a manifest. Keys that are not here are refused.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

use crate::{Choice, FieldType, outcome::ErrorClass};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) schema: String,
    pub(crate) partner: PartnerSection,
    pub(crate) connection: ConnectionSection,
    pub(crate) http: HttpSection,
    pub(crate) operations: Vec<OperationSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartnerSection {
    pub(crate) key: String,
    pub(crate) id: u64,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) titles: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) categories: Vec<String>,
    #[serde(default)]
    pub(crate) region: Vec<u32>,
    #[serde(default)]
    pub(crate) deprecated: bool,
    pub(crate) version: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionSection {
    pub(crate) fields: Vec<FieldSection>,
    pub(crate) auth: AuthSection,
    pub(crate) test: Option<TestSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestSection {
    pub(crate) request: RequestSection,
    pub(crate) expect: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthSection {
    pub(crate) kind: AuthKind,
    pub(crate) token: Option<String>,
    pub(crate) header: Option<String>,
    pub(crate) key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthKind {
    Bearer,
    ApiKey,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldSection {
    pub(crate) name: String,
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) help: String,
    #[serde(rename = "type")]
    pub(crate) kind: FieldType,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) required_when: Option<String>,
    pub(crate) show_when: Option<String>,
    pub(crate) default: Option<serde_json::Value>,
    pub(crate) validate: Option<Validation>,
    #[serde(default)]
    pub(crate) options: Vec<Choice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Validation {
    Host,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpSection {
    pub(crate) base_url: String,
    pub(crate) timeout: Seconds,
    pub(crate) success: String,
    #[serde(default)]
    pub(crate) errors: Vec<ErrorSection>,
    pub(crate) budget: Option<BudgetSection>,
    pub(crate) idempotency: Option<IdempotencySection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorSection {
    pub(crate) when: String,
    pub(crate) action: ActionKind,
    pub(crate) class: Option<ErrorClass>,
    pub(crate) message: Option<String>,
    pub(crate) known: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionKind {
    Fail,
    Retry,
    RateLimited,
    Reauthorize,
    Ignore,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetSection {
    pub(crate) concurrency: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdempotencySection {
    pub(crate) header: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationSection {
    pub(crate) key: String,
    pub(crate) id: u64,
    #[serde(rename = "kind")]
    pub(crate) _kind: OperationKind,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) titles: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) deprecated: bool,
    #[serde(default)]
    pub(crate) safe_to_repeat: bool,
    pub(crate) timeout: Option<Seconds>,
    pub(crate) fields: Vec<FieldSection>,
    pub(crate) request: RequestSection,
    #[serde(default)]
    pub(crate) output: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) sample: serde_json::Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OperationKind {
    Action,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestSection {
    pub(crate) method: Method,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) json: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// A duration as it is written: a number and `ms`, `s` or `m`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Seconds;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a duration like `10s`, `500ms` or `2m`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
                parse_duration(text).map(Seconds).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let unit = text.find(|character: char| !character.is_ascii_digit())?;
    let number: u32 = text[..unit].parse().ok()?;
    let duration = match &text[unit..] {
        "ms" => Duration::from_millis(number.into()),
        "s" => Duration::from_secs(number.into()),
        "m" => Duration::from_secs(u64::from(number) * 60),
        _ => return None,
    };
    (!duration.is_zero()).then_some(duration)
}
