//! The reference and the structures say the same.

use std::collections::BTreeSet;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor, value::Error},
    forward_to_deserialize_any,
};
use toml::{Table, Value};

use super::*;

fn reference() -> Table {
    REFERENCE.parse().unwrap()
}

#[test]
fn the_reference_is_a_configuration() {
    let config: Config = load(REFERENCE, None, &Default::default()).unwrap();
    config.check().map_err(|_| "refused").unwrap();
    assert_eq!(config.gateway(), patchbay_gateway::Config::default());
    assert_eq!(config.ingress, patchbay_webhook_ingress::Config::default());
    assert_eq!(config.catalog, patchbay_catalog::Config::default());
    assert_eq!(config.connection, patchbay_connection::Config::default());
}

#[test]
fn every_key_is_in_the_reference_and_nothing_else() {
    let sections: [(&str, BTreeSet<&str>); 14] = [
        ("store", keys_of::<Store>()),
        ("broker", keys_of::<Broker>()),
        ("storage", keys_of::<Storage>()),
        ("vault", keys_of::<Vault>()),
        ("egress", keys_of::<Egress>()),
        ("retention", keys_of::<patchbay_action_executor::config::Retention>()),
        ("ingress", keys_of::<patchbay_webhook_ingress::Config>()),
        ("connection", keys_of::<patchbay_connection::Config>()),
        ("catalog", keys_of::<patchbay_catalog::Config>()),
        ("executor", keys_of::<patchbay_action_executor::config::Config>()),
        ("gateway", keys_of::<Gateway>()),
        ("log", keys_of::<Log>()),
        ("shutdown", keys_of::<Shutdown>()),
        ("runtime", keys_of::<Runtime>()),
    ];
    let names = sections.iter().map(|(name, _)| *name).chain(["public_url"]);
    assert_eq!(names.collect::<BTreeSet<_>>(), keys_of::<Config>());

    let reference = reference();
    assert_eq!(reference.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys_of::<Config>());
    for (name, keys) in sections {
        let Value::Table(section) = &reference[name] else { panic!("{name} is no section") };
        assert_eq!(section.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys, "{name}");
    }
}

#[test]
fn every_key_of_the_reference_has_a_comment() {
    let lines: Vec<&str> = REFERENCE.lines().collect();
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#')) {
        assert!(lines[number - 1].starts_with("# "), "{line}");
    }
}

/// The names of the fields that a structure reads.
fn keys_of<T: DeserializeOwned>() -> BTreeSet<&'static str> {
    let mut keys = BTreeSet::new();
    // It reads no value: it only asks for the names.
    assert!(T::deserialize(Names(&mut keys)).is_err());
    keys
}

struct Names<'keys>(&'keys mut BTreeSet<&'static str>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.extend(fields);
        Err(serde::de::Error::custom("only names are read"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("not a structure"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
