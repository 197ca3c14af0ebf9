//! The commands `config reference` and `config print`.

use anyhow::Context;
use patchbay_runtime::config::{environment, load};
use toml::{Table, Value};

use crate::{cli::Sources, failure::Failure, output};

use super::{Config, DATA_DIRECTORY, REFERENCE, directory_name};

const MASK: &str = "••";

/// Prints the file with every default, or the defaults alone as JSON.
pub(crate) fn print_reference(json: bool) -> Result<(), Failure> {
    if !json {
        return output::print(REFERENCE);
    }
    let table: Table = toml::from_str(REFERENCE).context("reference can't be read")?;
    output::print_json(&table)
}

/// Prints what holds, when all of it can be used.
pub(crate) fn print_effective(sources: &Sources, json: bool) -> Result<(), Failure> {
    Config::load(sources)?;
    let mut table: Table =
        load(REFERENCE, sources.file(), &environment()).map_err(|error| Failure::Usage(error.into()))?;
    let directory = directory_name(sources)?;
    for section in ["store", "broker"] {
        if let Some(Value::String(url)) = table.get_mut(section).and_then(|section| section.get_mut("url")) {
            *url = without_password(&url.replace(DATA_DIRECTORY, directory));
        }
    }
    if let Some(Value::Array(keys)) = table.get_mut("vault").and_then(|section| section.get_mut("master_keys")) {
        keys.iter_mut().for_each(mask_key);
    }
    if let Some(Value::String(token)) = table.get_mut("service_auth").and_then(|section| section.get_mut("token"))
        && !token.is_empty()
    {
        MASK.clone_into(token);
    }
    if json {
        return output::print_json(&table);
    }
    output::print(&toml::to_string(&table).context("configuration can't be printed")?)
}

/// Leaves the id of a key.
fn mask_key(key: &mut Value) {
    let id = key.as_str().and_then(|text| text.split_once(':')).map_or("", |(id, _)| id);
    *key = Value::String(format!("{id}:{MASK}"));
}

/// The address with what may hold a password masked: the part between user and host, and all parameters.
fn without_password(url: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, _)) if !url.starts_with("sqlite:") => (address, format!("?{MASK}")),
        _ => (url, String::new()),
    };
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let masked = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:{MASK}@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    format!("{scheme}://{masked}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_passwords() {
        let cases = [
            ("sqlite:///var/lib/patchbay.db", "sqlite:///var/lib/patchbay.db"),
            ("postgres://ann@db/patchbay", "postgres://ann@db/patchbay"),
            ("postgres://ann:s3cr@et@db:5432/patchbay", "postgres://ann:••@db:5432/patchbay"),
            ("amqps://ann:s3cret@mq/patchbay", "amqps://ann:••@mq/patchbay"),
            ("postgres://db/patchbay?password=s3cret", "postgres://db/patchbay?••"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_password(url), shown);
        }
    }
}
