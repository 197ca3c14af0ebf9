//! The reference and the structures say the same.

use std::{collections::BTreeSet, fs};

use patchbay_service::Role;
use patchbay_store::Schema;
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
    assert_eq!(config.poller, patchbay_trigger_poller::Config::default());
    let calls = patchbay_service::peer::Options::default();
    assert_eq!(format!("{:?}", config.calls), format!("{calls:?}"));
}

#[test]
fn every_key_is_in_the_reference_and_nothing_else() {
    let sections: [(&str, BTreeSet<&str>); 18] = [
        ("store", keys_of::<Store>()),
        ("broker", keys_of::<Broker>()),
        ("storage", keys_of::<Storage>()),
        ("vault", keys_of::<Vault>()),
        ("egress", keys_of::<Egress>()),
        ("retention", keys_of::<patchbay_action_executor::config::Retention>()),
        ("ingress", keys_of::<patchbay_webhook_ingress::Config>()),
        ("connection", keys_of::<patchbay_connection::Config>()),
        ("catalog", keys_of::<patchbay_catalog::Config>()),
        ("poller", keys_of::<patchbay_trigger_poller::Config>()),
        ("executor", keys_of::<patchbay_action_executor::config::Config>()),
        ("gateway", keys_of::<Gateway>()),
        ("service_auth", keys_of::<ServiceAuth>()),
        ("peers", keys_of::<Peers>()),
        ("calls", keys_of::<patchbay_service::peer::Options>()),
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
fn every_role_has_a_key_for_its_address() {
    let keys: BTreeSet<String> = Role::ALL.into_iter().map(Peers::key).collect();
    let known = keys_of::<Peers>().into_iter().map(|key| format!("peers.{key}"));
    assert_eq!(known.collect::<BTreeSet<_>>(), keys);
}

/// The defaults with these values over them.
fn with(pairs: &[(&str, &str)]) -> Config {
    let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(REFERENCE, None, &environment).unwrap()
}

fn refusal<T>(outcome: Result<T, Failure>) -> Option<String> {
    match outcome {
        Ok(_) => None,
        Err(Failure::Usage(error) | Failure::Failed(error)) => Some(format!("{error:#}")),
    }
}

#[test]
fn values_of_a_broker_that_can_not_work_are_refused_by_their_names() {
    let cases = [
        ("DELIVERY_LIMIT", "0"),
        ("HELD_BYTES", "0"),
        ("CONNECT_TIMEOUT", "0s"),
        ("HEARTBEAT", "10ms"),
        ("RECONNECT_WAIT_MOST", "1ms"),
        ("PREFIX", ""),
        ("PREFIX", "two words"),
    ];
    for (key, value) in cases {
        let said = refusal(with(&[(&format!("PATCHBAY__BROKER__{key}"), value)]).check()).unwrap_or_default();
        assert!(said.contains(&format!("broker.{}", key.to_lowercase())), "{key}={value}: {said}");
    }
    for url in ["amqp://ann:s3cret@mq/patchbay", "amqps://mq", "embedded://somewhere"] {
        assert_eq!(refusal(with(&[("PATCHBAY__BROKER__URL", url)]).check()), None, "{url}");
    }
    for url in ["kafka://ann:s3cret@host", "amqp:s3cret@host", "amqp://", "embedded://", "s3cret"] {
        let said = refusal(with(&[("PATCHBAY__BROKER__URL", url)]).check()).unwrap_or_default();
        assert!(said.contains("broker.url") && !said.contains("s3cret"), "{url}: {said}");
    }
}

#[test]
fn an_authority_is_a_readable_file_of_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let [missing, empty, key] = ["missing.pem", "empty.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&empty, "").unwrap();
    fs::write(&key, "-----BEGIN PRIVATE KEY-----\ns3cret==\n-----END PRIVATE KEY-----\n").unwrap();
    for file in [&missing, &empty, &key, &folder.path().to_owned()] {
        let name = file.to_str().unwrap();
        let config = with(&[("PATCHBAY__BROKER__URL", "amqps://mq"), ("PATCHBAY__BROKER__AUTHORITY", name)]);
        assert_eq!(refusal(config.check()), None, "{name}");
        let failure = config.check_files();
        assert!(matches!(failure, Err(Failure::Usage(_))), "{name}");
        let said = refusal(failure).unwrap_or_default();
        assert!(said.contains("broker.authority") && said.contains(name) && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn an_authority_is_for_a_broker_with_tls_alone() {
    let authority = ("PATCHBAY__BROKER__AUTHORITY", "/nowhere.pem");
    for url in ["amqp://ann:s3cret@mq/patchbay", "embedded://somewhere"] {
        let said = refusal(with(&[("PATCHBAY__BROKER__URL", url), authority]).check()).unwrap_or_default();
        for words in ["broker.authority", "hint: ", "amqps://"] {
            assert!(said.contains(words) && !said.contains("s3cret"), "{url}: {said}");
        }
    }
    let none = with(&[("PATCHBAY__BROKER__URL", "amqps://mq")]);
    assert_eq!((refusal(none.check()), refusal(none.check_files())), (None, None));
}

#[test]
fn a_bound_in_bytes_is_for_a_file_alone() {
    let bound = ("PATCHBAY__RETENTION__MAX_BYTES", "10737418240");
    assert_eq!(refusal(with(&[bound]).check()), None);
    for url in ["postgres://ann:s3cret@db/patchbay", "postgresql://db/patchbay"] {
        let server = ("PATCHBAY__STORE__URL", url);
        assert_eq!(refusal(with(&[server]).check()), None, "{url}");
        let failure = with(&[server, bound]).check().err();
        assert!(matches!(failure, Some(Failure::Usage(_))), "{url}");
        let said = refusal(with(&[server, bound]).check()).unwrap_or_default();
        for words in ["retention.max_bytes", "partitions", "dropped by days", "hint: ", "retention.runs_days"] {
            assert!(said.contains(words) && !said.contains("s3cret"), "{said}");
        }
    }
}

#[test]
fn values_of_retention_that_can_not_work_are_refused_by_their_names() {
    let cases = [
        ("RUNS_DAYS", "0"),
        ("DEDUPE_DAYS", "0"),
        ("MAX_BYTES", "10"),
        ("MAX_BYTES", "-1"),
        ("MAX_BYTES", "1.5"),
        ("MAX_BYTES", "10GB"),
        ("MAX_BYTES", ""),
        ("MAX_BYTES", "[]"),
        ("SWEEP_EVERY", "0s"),
        ("SWEEP_EVERY", "often"),
    ];
    for (key, value) in cases {
        let pairs = [(format!("PATCHBAY__RETENTION__{key}"), value.to_owned())].into();
        let loaded = load::<Config>(REFERENCE, None, &pairs).map_err(|error| Failure::Usage(error.into()));
        let said = refusal(loaded.and_then(|config| config.check())).unwrap_or_default();
        assert!(said.contains(&format!("retention.{}", key.to_lowercase())), "{key}={value}: {said}");
    }
}

#[test]
fn a_database_has_as_many_connections_as_suit_it_unless_told() {
    let connections = |pairs: &[(&str, &str)]| with(pairs).store.options(Schema::Check).connections;
    let server = ("PATCHBAY__STORE__URL", "postgres://db/patchbay");
    assert_eq!(connections(&[]), 2);
    assert_eq!(connections(&[server]), 8);
    assert_eq!(connections(&[server, ("PATCHBAY__STORE__CONNECTIONS", "3")]), 3);
}

#[test]
fn files_are_of_no_use_to_several_processes() {
    let (server, broker) =
        (("PATCHBAY__STORE__URL", "postgresql://db/patchbay"), ("PATCHBAY__BROKER__URL", "amqp://mq"));
    assert_eq!(refusal(with(&[server, broker]).check_mesh()), None);
    let store = refusal(with(&[broker]).check_mesh()).unwrap_or_default();
    assert!(store.contains("store.url") && store.contains("postgres://"), "{store}");
    let queue = refusal(with(&[server]).check_mesh()).unwrap_or_default();
    assert!(queue.contains("broker.url") && queue.contains("amqp://"), "{queue}");
}

#[test]
fn processes_need_a_token_and_all_of_tls_or_nothing_of_it() {
    let token = ("PATCHBAY__SERVICE_AUTH__TOKEN", "correct horse battery");
    assert_eq!(refusal(with(&[token]).service_auth.access()), None);
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "service_auth.token is not set"),
        (&[("PATCHBAY__SERVICE_AUTH__TOKEN", "s3cret")], "service_auth.token"),
        (&[token, ("PATCHBAY__SERVICE_AUTH__CERTIFICATE", "/nowhere.pem")], "service_auth.key"),
        (
            &[
                token,
                ("PATCHBAY__SERVICE_AUTH__CERTIFICATE", "/nowhere.pem"),
                ("PATCHBAY__SERVICE_AUTH__KEY", "/nowhere.key"),
                ("PATCHBAY__SERVICE_AUTH__AUTHORITY", "/nobody.pem"),
            ],
            "/no",
        ),
    ];
    for (pairs, words) in cases {
        let said = refusal(with(pairs).service_auth.access()).unwrap_or_default();
        assert!(said.contains(words) && !said.contains("s3cret"), "{words}: {said}");
    }
}

#[test]
fn a_peer_that_is_asked_has_an_address() {
    let key = "PATCHBAY__PEERS__WEBHOOK_INGRESS";
    let address = |value| with(&[(key, value)]).peers.address(Role::WebhookIngress, Role::Gateway);
    assert_eq!(refusal(address("http://127.0.0.1:1,http://127.0.0.1:2")), None);
    for value in ["", "nowhere"] {
        let said = refusal(address(value)).unwrap_or_default();
        assert!(said.contains("peers.webhook_ingress"), "{said}");
    }
    let said = refusal(address("")).unwrap_or_default();
    assert!(said.contains("gateway") && said.contains("hint: "), "{said}");
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
