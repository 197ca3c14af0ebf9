//! What differs between two values, place by place.

use serde_json::Value as Json;

/// The most of one value that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 400;

/// One place where the found value is not the expected one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) found: String,
}

/// Compares whole values: what is only on one side is a difference too.
pub(super) fn compare(path: &str, expected: &Json, found: &Json) -> Vec<Difference> {
    let mut differences = Vec::new();
    walk(path, Some(expected), Some(found), &mut differences);
    differences
}

fn walk(path: &str, expected: Option<&Json>, found: Option<&Json>, differences: &mut Vec<Difference>) {
    match (expected, found) {
        (Some(expected), Some(found)) if expected == found => {}
        (Some(Json::Object(expected)), Some(Json::Object(found))) => {
            for (key, value) in expected {
                walk(&format!("{path}.{key}"), Some(value), found.get(key), differences);
            }
            for (key, value) in found.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                walk(&format!("{path}.{key}"), None, Some(value), differences);
            }
        }
        (Some(Json::Array(expected)), Some(Json::Array(found))) => {
            for index in 0..expected.len().max(found.len()) {
                walk(&format!("{path}[{index}]"), expected.get(index), found.get(index), differences);
            }
        }
        _ => differences.push(Difference { path: path.to_owned(), expected: shown(expected), found: shown(found) }),
    }
}

/// A value as JSON, bounded; `nothing` when there is none.
pub(super) fn shown(value: Option<&Json>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| bounded(&value.to_string()))
}

/// A text between quotes, bounded.
pub(super) fn quoted(text: &str) -> String {
    shown(Some(&Json::from(text)))
}

pub(super) fn bounded(text: &str) -> String {
    let mut start: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tells_each_place_that_differs_and_nothing_else() {
        let expected = json!({"same": [1, {"a": null}], "other": "x", "list": [1, 2], "gone": true});
        let found = json!({"same": [1, {"a": null}], "other": "y", "list": [1], "more": {}});

        let differences = compare("body", &expected, &found);

        let told: Vec<_> =
            differences.iter().map(|it| (it.path.as_str(), it.expected.as_str(), it.found.as_str())).collect();
        assert_eq!(
            told,
            [
                ("body.gone", "true", "nothing"),
                ("body.list[1]", "2", "nothing"),
                ("body.other", "\"x\"", "\"y\""),
                ("body.more", "nothing", "{}"),
            ]
        );
    }

    #[test]
    fn shows_the_beginning_of_long_values() {
        let shown = shown(Some(&Json::from("ж".repeat(1000))));
        assert_eq!(shown.chars().count(), MAX_SHOWN_CHARS + 1);
        assert!(shown.ends_with('…'));
    }
}
