//! Values with a form of their own. What is said about a wrong one never repeats a secret.

use std::{fmt::Display, str::FromStr};

use patchbay_egress::AllowRule;
use patchbay_vault::MasterKey;
use serde::{Deserialize, Deserializer, de::Error};
use toml::Value;

/// Keys as `id:base64`.
pub(super) fn master_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MasterKey>, D::Error> {
    list(deserializer, "expected a list of master keys, each written `id:base64`")
}

/// Networks, addresses and hosts.
pub(super) fn allow_rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AllowRule>, D::Error> {
    list(deserializer, "expected a list of networks, addresses or host names")
}

fn list<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
    expected: &'static str,
) -> Result<Vec<T>, D::Error> {
    let Value::Array(items) = Value::deserialize(deserializer)? else { return Err(D::Error::custom(expected)) };
    let mut parsed = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        let Value::String(text) = item else { return Err(D::Error::custom(expected)) };
        let value = text.parse().map_err(|error| D::Error::custom(format_args!("item {}: {error}", position + 1)))?;
        parsed.push(value);
    }
    Ok(parsed)
}
