//! What is told about mistakes in each part of the format: where, what was expected, and how to mend it.

mod common;
mod forms;
mod operations;
mod reading;

use crate::support::{SHOP, compile};

/// Replaces the first `from` of the shop's manifest by `to`, and looks for `expected` among the errors.
fn check(cases: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (from, to, expected) in cases {
        assert!(SHOP.contains(from), "{from}");
        let errors = compile(&SHOP.replacen(from, to, 1)).err().unwrap_or_default();
        if !errors.iter().any(|error| error.contains(expected)) {
            wrong.push(format!("{to}\nexpected {expected}\nfound {errors:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_whole_format_compiles() {
    assert_eq!(compile(SHOP).map(drop), Ok(()));
}

#[test]
fn too_much_of_anything_is_refused() {
    let field = |index: usize| format!("      - {{ name: f{index}, label: F, type: string }}\n");
    let fields: String = (0..500).map(field).collect();
    let many = SHOP.replacen("    fields:\n", &format!("    fields:\n{fields}"), 1);
    assert!(compile(&many).unwrap_err()[0].contains("operations[0].fields: expected at most 500 fields, found 513"));

    let action = |index: usize| {
        format!(
            "  - {{ key: a{index}, id: {}, kind: action, title: A, request: {{ method: GET, path: /a }} }}\n",
            index + 10
        )
    };
    let operations: String = (0..499).map(action).collect();
    let many = format!("{SHOP}{operations}");
    assert!(compile(&many).unwrap_err()[0].contains("operations: expected at most 500 operations, found 501"));
}
