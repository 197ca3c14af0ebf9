//! The published JSON Schema against what is read.

use std::{fs, path::Path};

use jsonschema::Validator;
use patchbay_connector::{Manifest, json_schema};
use serde_json::Value as Json;

use crate::broken;

fn validator() -> Validator {
    jsonschema::draft202012::new(&json_schema()).unwrap()
}

fn builtin_manifests() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("connector.yaml"));
    entries.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn says_what_it_is_about() {
    let schema = json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$id"], "https://patchbay.dev/schemas/connector/v1.json");
    assert_eq!(schema["title"], "Patchbay connector manifest");
    assert_eq!(schema["additionalProperties"], false);
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
}

#[test]
fn describes_every_key() {
    let schema = json_schema();
    let shapes = schema["$defs"].as_object().unwrap().iter().map(|(name, shape)| (name.as_str(), shape));
    let mut bare = Vec::new();
    for (name, shape) in shapes.chain([("the manifest", &schema)]) {
        for (key, value) in shape["properties"].as_object().into_iter().flatten() {
            if value["description"].as_str().is_none_or(str::is_empty) {
                bare.push(format!("{name}.{key}"));
            }
        }
    }
    assert_eq!(bare, [""; 0]);
}

#[test]
fn takes_every_manifest_that_comes_with_patchbay() {
    let validator = validator();
    for (file, text) in builtin_manifests() {
        let json: Json = serde_saphyr::from_str(&text).unwrap();
        let errors: Vec<_> =
            validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, [""; 0], "{file}");
    }
}

#[test]
fn refuses_every_shape_that_is_not_read() {
    let validator = validator();
    let mut refused = 0;
    let mut taken = Vec::new();
    for (file, text) in broken::manifests() {
        // What is no YAML, or has a key twice, is no JSON either.
        let Ok(json) = serde_saphyr::from_str::<Json>(&text) else { continue };
        if Manifest::parse(&file, &text).is_ok() {
            continue;
        }
        match validator.is_valid(&json) {
            true => taken.push(file),
            false => refused += 1,
        }
    }
    assert_eq!(taken, [""; 0]);
    assert!(refused >= 15, "{refused}");
}
