//! What a manifest may leave out, but had better not.

use crate::{Manifest, ManifestError, Recording, manifest::document::AuthKind};

/// What is missing for people who use the connector: descriptions, samples, outputs, rules and recorded exchanges.
/// None of it keeps a connector from working.
#[must_use]
pub fn warnings(manifest: &Manifest, recordings: &[Recording]) -> Vec<ManifestError> {
    let mut warnings = Vec::new();
    let mut warn = |path: String, message: &str, hint: &str| {
        warnings.push(manifest.error(&path, message).with_hint(Some(hint.to_owned())));
    };
    let document = &manifest.document;
    let has_rule = document.http.errors.iter().any(|rule| rule.when.contains("401"));
    if !has_rule && document.connection.auth.kind != AuthKind::None {
        let hint =
            "add `{ when: \"status == 401\", action: reauthorize }` to `http.errors`, or what the partner answers";
        warn("http.errors".to_owned(), "no rule says how the partner refuses credentials", hint);
    }
    for (index, operation) in document.operations.iter().enumerate() {
        let path = format!("operations[{index}]");
        if operation.description.trim().is_empty() {
            warn(path.clone(), "the operation has no `description`", "say in one sentence what it does");
        }
        if operation.sample.is_null() {
            warn(path.clone(), "the operation has no `sample`", "give an example of what it hands to later steps");
        }
        if !operation.is_action() {
            continue;
        }
        if operation.output.is_empty() {
            let hint = "name what later steps may use, such as `output: { id: body.id }`";
            warn(path.clone(), "the action has no `output`", hint);
        }
        if !recordings.iter().any(|recording| recording.covers(&operation.key)) {
            let hint = format!("record some in `tests/{}.yaml` beside the manifest", operation.key);
            warn(path, "the action has no recorded exchanges", &hint);
        }
    }
    warnings
}
