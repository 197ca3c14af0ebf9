//! Defaults, then a file, then the environment.

use std::{collections::BTreeMap, fs, path::Path};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

const PREFIX: &str = "PATCHBAY__";

/// Why a configuration can't be used. Displayed whole: the reader is the person who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be read.
    #[error("configuration file {path} can't be read: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A key or value is not one of ours.
    #[error("configuration of {origin}: {reason}\nhint: `patchbay config reference` lists every key with its default")]
    Invalid {
        /// A file, or an environment variable.
        origin: String,
        /// Why.
        reason: String,
    },
}

/// The process's environment, as far as it is ours.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// One variable of the environment that is not configuration, such as one that the operating system defines.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    std::env::var(name).ok()
}

/// Lays `file` and `environment` over the commented `reference`, and reads the result.
///
/// # Errors
/// When a source can't be read, or has a key or value that `T` does not know.
pub fn load<T: DeserializeOwned>(
    reference: &str,
    file: Option<&Path>,
    environment: &BTreeMap<String, String>,
) -> Result<T, Error> {
    let mut table = parse(reference, "the defaults")?;
    if let Some(path) = file {
        let name = path.display().to_string();
        let text =
            fs::read_to_string(path).map_err(|error| Error::File { path: name.clone(), reason: error.to_string() })?;
        lay_over(&mut table, parse(&text, &name)?);
        check::<T>(&table, &name)?;
    }
    for (variable, text) in environment {
        set(&mut table, variable, text)?;
        check::<T>(&table, &format!("environment variable {variable}"))?;
    }
    read(table, "the defaults")
}

fn parse(text: &str, origin: &str) -> Result<Table, Error> {
    // The line itself is not repeated: it may hold a secret.
    text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
        Error::Invalid { origin: origin.to_owned(), reason: format!("line {line}: {}", error.message()) }
    })
}

fn check<T: DeserializeOwned>(table: &Table, origin: &str) -> Result<(), Error> {
    read::<T>(table.clone(), origin).map(drop)
}

fn read<T: DeserializeOwned>(table: Table, origin: &str) -> Result<T, Error> {
    Value::Table(table).try_into().map_err(|error| invalid(origin, &error))
}

fn invalid(origin: &str, reason: &toml::de::Error) -> Error {
    Error::Invalid { origin: origin.to_owned(), reason: reason.to_string().trim_end().to_owned() }
}

/// Names of roles are written with dashes everywhere else: a key may be, too.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        let key = key.replace('-', "_");
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// Sets `PATCHBAY__SECTION__KEY`. A value is text where the default is text, else TOML (JSON lists are TOML too).
fn set(table: &mut Table, variable: &str, text: &str) -> Result<(), Error> {
    let path: Vec<String> = variable.trim_start_matches(PREFIX).split("__").map(|part| part.to_lowercase()).collect();
    let Some((key, sections)) = path.split_last() else { return Ok(()) };
    let mut section = table;
    for name in sections {
        let entry = section.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = entry else {
            let reason = format!("{name} is a value, not a section");
            return Err(Error::Invalid { origin: format!("environment variable {variable}"), reason });
        };
        section = inner;
    }
    let value = match section.get(key) {
        Some(Value::String(_)) => Value::String(text.to_owned()),
        _ => format!("value = {text}")
            .parse::<Table>()
            .ok()
            .and_then(|mut parsed| parsed.remove("value"))
            .unwrap_or_else(|| Value::String(text.to_owned())),
    };
    section.insert(key.clone(), value);
    Ok(())
}

/// Durations as people write them: `250ms`, `5s`, `2m`, `1h`, `7d`.
pub mod duration {
    use std::{borrow::Cow, time::Duration};

    use serde::{Deserialize, Deserializer, de::Error};

    /// Reads one duration.
    ///
    /// # Errors
    /// When it is not a whole number with a unit.
    pub fn parse(text: &str) -> Result<Duration, String> {
        let wrong =
            || format!("{text:?} is not a duration; expected a whole number and a unit, like 250ms, 5s, 2m, 1h or 7d");
        let digits = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
        let millis = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
    }

    /// For `#[serde(deserialize_with)]`.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        parse(&Cow::<'de, str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    /// A list of durations, for `#[serde(deserialize_with)]`.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn deserialize_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| parse(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        store: Store,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Store {
        url: String,
        readers: u32,
        hosts: Vec<String>,
        #[serde(deserialize_with = "duration::deserialize")]
        patience: Duration,
    }

    const REFERENCE: &str = "[store]\nurl = \"\"\nreaders = 2\nhosts = []\npatience = \"5s\"\n";

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_environment_wins_over_the_defaults() {
        let environment = environment(&[
            ("PATCHBAY__STORE__URL", "123"),
            ("PATCHBAY__STORE__READERS", "4"),
            ("PATCHBAY__STORE__HOSTS", r#"["a", "b:1"]"#),
            ("PATCHBAY__STORE__PATIENCE", "250ms"),
        ]);
        let config: Config = load(REFERENCE, None, &environment).unwrap();
        let hosts = vec!["a".to_owned(), "b:1".to_owned()];
        let store = Store { url: "123".to_owned(), readers: 4, hosts, patience: Duration::from_millis(250) };
        assert_eq!(config, Config { store });
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_origin() {
        let error = load::<Config>(REFERENCE, None, &environment(&[("PATCHBAY__STORE__COLOR", "1")])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("PATCHBAY__STORE__COLOR") && text.contains("color"), "{text}");
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_was_expected() {
        let error =
            load::<Config>(REFERENCE, None, &environment(&[("PATCHBAY__STORE__PATIENCE", "soon")])).unwrap_err();
        assert!(error.to_string().contains("expected a whole number and a unit"), "{error}");
    }

    #[test]
    fn a_key_may_be_written_with_dashes() {
        let mut below: Table = "[peers]\nwebhook_ingress = \"\"".parse().unwrap();
        lay_over(&mut below, "[peers]\nwebhook-ingress = \"http://a:1\"".parse().unwrap());
        assert_eq!(below, "[peers]\nwebhook_ingress = \"http://a:1\"".parse().unwrap());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load::<Config>(REFERENCE, Some(Path::new("/nowhere.toml")), &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("/nowhere.toml"), "{error}");
    }

    #[test]
    fn a_line_that_is_no_toml_is_named_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("patchbay.toml");
        fs::write(&path, "[store]\nurl = \"postgres://ann:s3cret@db\n").unwrap();
        let text = load::<Config>(REFERENCE, Some(&path), &BTreeMap::new()).unwrap_err().to_string();
        assert!(text.contains("line 2") && !text.contains("s3cret"), "{text}");
    }

    #[test]
    fn the_file_lies_between_defaults_and_environment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("patchbay.toml");
        fs::write(&path, "[store]\nreaders = 3\nurl = \"file\"\n").unwrap();
        let config: Config = load(REFERENCE, Some(&path), &environment(&[("PATCHBAY__STORE__URL", "env")])).unwrap();
        assert_eq!((config.store.readers, config.store.url.as_str()), (3, "env"));
    }
}
