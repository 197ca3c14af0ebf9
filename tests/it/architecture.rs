//! The floors and rooms of docs/architecture.md, read from the manifests.

use std::{collections::BTreeSet, fs, path::Path};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use toml::{Table, Value};

/// Floors, lowest first: a crate uses lower floors only.
const FLOORS: [&[&str]; 11] = [
    &["crates/types"],
    &["crates/flow"],
    &["crates/runtime"],
    &["proto"],
    &["crates/store", "crates/broker", "crates/vault", "crates/egress"],
    &["crates/connector"],
    &["crates/service"],
    &["crates/sandbox", "crates/testing"],
    &[
        "services/connection",
        "services/catalog",
        "services/automation",
        "services/webhook-ingress",
        "services/trigger-poller",
        "services/action-executor",
        "services/gateway",
    ],
    &["crates/patchbay"],
    &["tests/it", "tests/load"],
];

/// What only some rooms may name: the crate, a feature that makes the difference, and the folders.
const OWNED: [(&str, Option<&str>, &[&str]); 11] = [
    ("hyper", Some("client"), &["crates/egress", "crates/service", "tests/"]),
    ("hyper-util", Some("client"), &["crates/egress", "crates/service", "tests/"]),
    ("reqwest", None, &[]),
    ("ureq", None, &[]),
    ("sqlx", None, &["crates/store", "services/", "tests/"]),
    ("rusqlite", None, &[]),
    ("tokio-postgres", None, &[]),
    ("lapin", None, &["crates/broker", "tests/load"]),
    ("rdkafka", None, &["crates/broker"]),
    ("aes-gcm", None, &["crates/vault"]),
    ("chacha20poly1305", None, &["crates/vault"]),
];

/// Names that say nothing about what belongs in a crate.
const EMPTY_NAMES: [&str; 8] = ["common", "commons", "util", "utils", "core", "shared", "helpers", "misc"];

/// One dependency of a member.
#[derive(Debug, Clone)]
struct Uses {
    name: String,
    features: Vec<String>,
    development: bool,
    /// Its folder, where it is one of ours.
    folder: Option<String>,
}

/// One crate of ours.
#[derive(Debug, Clone)]
struct Member {
    name: String,
    /// Below the root, with slashes.
    folder: String,
    uses: Vec<Uses>,
    manifest: Table,
}

/// All crates of ours, as their manifests say.
fn members() -> Vec<Member> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    let root = metadata.workspace_root.as_std_path();
    metadata.workspace_packages().into_iter().map(|package| member(package, root)).collect()
}

fn member(package: &Package, root: &Path) -> Member {
    let below = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let uses = package.dependencies.iter().map(|dependency| Uses {
        name: dependency.name.clone(),
        features: dependency.features.clone(),
        development: dependency.kind == DependencyKind::Development,
        folder: dependency.path.as_ref().map(|path| below(path.as_std_path())),
    });
    let path = package.manifest_path.as_std_path();
    Member {
        name: package.name.to_string(),
        folder: below(path.parent().unwrap()),
        uses: uses.collect(),
        manifest: fs::read_to_string(path).unwrap().parse().unwrap(),
    }
}

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&folder))
}

fn homeless(members: &[Member]) -> Vec<String> {
    let homeless = members.iter().filter(|member| floor(&member.folder).is_none());
    homeless.map(|member| format!("{} in {} has no floor", member.name, member.folder)).collect()
}

fn upward(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        for uses in &member.uses {
            let Some(used) = &uses.folder else { continue };
            // A crate's tests may use what tests share, and the crate itself with other features.
            if uses.development && (used == "crates/testing" || *used == member.folder) {
                continue;
            }
            if floor(used) >= floor(&member.folder) {
                found.push(format!("{} uses {used}, which is not below it", member.folder));
            }
        }
    }
    found
}

fn between_services(members: &[Member]) -> Vec<String> {
    let is_service = |folder: &str| folder.starts_with("services/");
    let mut found = Vec::new();
    for member in members.iter().filter(|member| is_service(&member.folder)) {
        let used = member.uses.iter().filter_map(|uses| uses.folder.as_deref());
        found.extend(used.filter(|used| is_service(used)).map(|used| format!("{} uses {used}", member.folder)));
    }
    found
}

fn trespassing(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        for uses in &member.uses {
            let Some((name, feature, owners)) = OWNED.iter().find(|(name, ..)| *name == uses.name) else { continue };
            let matters = feature.is_none_or(|feature| uses.features.iter().any(|name| name.starts_with(feature)));
            if matters && !owners.iter().any(|owner| owned_by(&member.folder, owner)) {
                let feature = feature.map(|feature| format!(" with feature {feature}")).unwrap_or_default();
                found.push(format!("{} names {name}{feature}, which belongs to {owners:?}", member.folder));
            }
        }
    }
    found
}

/// An owner that ends in a slash is all folders below it.
fn owned_by(folder: &str, owner: &str) -> bool {
    folder == owner || owner.ends_with('/') && folder.starts_with(owner)
}

fn emptily_named(members: &[Member]) -> Vec<String> {
    let says_nothing = |text: &str| text.split(['-', '_', '/']).any(|word| EMPTY_NAMES.contains(&word));
    let named = members.iter().filter(|member| says_nothing(&member.name) || says_nothing(&member.folder));
    named.map(|member| format!("{} in {}", member.name, member.folder)).collect()
}

fn versioned(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let targets = member.manifest.get("target").and_then(Value::as_table);
        let targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        for table in targets.chain([&member.manifest]) {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let dependencies = table.get(kind).and_then(Value::as_table).into_iter().flatten();
                let own = dependencies.filter(|(_, dependency)| !inherits(dependency));
                found.extend(own.map(|(name, _)| format!("{}: {kind}.{name} is not the workspace's", member.folder)));
            }
        }
        let package = member.manifest.get("package").and_then(Value::as_table).unwrap();
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !package.get(key).is_some_and(inherits) {
                found.push(format!("{}: package.{key} is not the workspace's", member.folder));
            }
        }
    }
    found
}

fn unlinted(members: &[Member]) -> Vec<String> {
    let unlinted = members.iter().filter(|member| !member.manifest.get("lints").is_some_and(inherits));
    unlinted.map(|member| format!("{} has lints of its own, or none", member.folder)).collect()
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn every_crate_has_a_floor() {
    assert_eq!(homeless(&members()), nothing());
}

#[test]
fn a_crate_uses_lower_floors_only() {
    assert_eq!(upward(&members()), nothing());
}

#[test]
fn services_never_use_each_other_not_even_in_tests() {
    assert_eq!(between_services(&members()), nothing());
}

#[test]
fn a_library_with_one_owner_is_named_nowhere_else() {
    assert_eq!(trespassing(&members()), nothing());
}

#[test]
fn no_crate_has_a_name_that_takes_anything_in() {
    assert_eq!(emptily_named(&members()), nothing());
}

#[test]
fn versions_stand_in_the_root_manifest_only() {
    assert_eq!(versioned(&members()), nothing());
}

#[test]
fn every_crate_keeps_the_lints_of_the_workspace() {
    assert_eq!(unlinted(&members()), nothing());
}

#[test]
fn every_folder_with_a_manifest_is_a_member() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let known: BTreeSet<String> = members().into_iter().map(|member| member.folder).collect();
    let mut strangers = Vec::new();
    for floor in ["crates", "services", "tests"] {
        for entry in fs::read_dir(root.join(floor)).unwrap() {
            let entry = entry.unwrap();
            let folder = format!("{floor}/{}", entry.file_name().to_str().unwrap());
            if entry.path().join("Cargo.toml").exists() && !known.contains(&folder) {
                strangers.push(folder);
            }
        }
    }
    assert_eq!(strangers, nothing());
}

#[test]
fn each_rule_finds_who_breaks_it() {
    let uses = |name: &str, folder: Option<&str>, features: &[&str]| Uses {
        name: name.to_owned(),
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        development: true,
        folder: folder.map(str::to_owned),
    };
    let manifest = "[package]\nversion = '1'\n[target.'cfg(unix)'.dependencies]\nserde = '1'\n";
    let bad = Member {
        name: "patchbay-common".to_owned(),
        folder: "services/gateway".to_owned(),
        uses: vec![
            uses("patchbay-automation", Some("services/automation"), &[]),
            uses("patchbay-testing", Some("crates/testing"), &[]),
            uses("hyper-util", None, &["client-legacy"]),
            uses("lapin", None, &[]),
            uses("sqlx", None, &[]),
        ],
        manifest: manifest.parse().unwrap(),
    };
    let lost = Member { folder: "crates/lost".to_owned(), uses: Vec::new(), ..bad.clone() };
    let bad = [bad];
    let counts = [upward(&bad), between_services(&bad), trespassing(&bad), emptily_named(&bad), unlinted(&bad)];
    assert_eq!(counts.map(|found| found.len()), [1, 1, 2, 1, 1]);
    assert_eq!(versioned(&bad).len(), 6);
    assert_eq!(homeless(&[lost]).len(), 1);
}
