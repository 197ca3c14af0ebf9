//! XML bodies and answers: the root is `<xml>`, members are elements, lists carry `array='true'`.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

use crate::altcraft::fields;

/// As deep as JSON bodies may be.
const DEPTH_LIMIT: usize = 128;

/// Bounds the memory that a body of the largest size can take when it is parsed.
const NODES_LIMIT: u32 = 1_000_000;

/// Why a body was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseError {
    #[error("it is not UTF-8")]
    Encoding,
    #[error("{0}")]
    Syntax(String),
    #[error("its root is not <xml>")]
    Root,
    #[error("it is nested deeper than {DEPTH_LIMIT} levels")]
    Depth,
}

/// Reads a body as the object that it would be in JSON.
pub(crate) fn parse(body: &[u8]) -> Result<Map<String, Value>, ParseError> {
    let text = std::str::from_utf8(body).map_err(|_| ParseError::Encoding)?;
    let options = ParsingOptions { nodes_limit: NODES_LIMIT, ..ParsingOptions::default() };
    let document =
        Document::parse_with_options(text, options).map_err(|error| ParseError::Syntax(error.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "xml" {
        return Err(ParseError::Root);
    }
    members(root, 0)
}

fn members(element: Node<'_, '_>, depth: usize) -> Result<Map<String, Value>, ParseError> {
    if depth >= DEPTH_LIMIT {
        return Err(ParseError::Depth);
    }
    let children = element.children().filter(Node::is_element);
    children
        .map(|child| {
            let name = child.tag_name().name();
            Ok((name.to_owned(), value(child, name, depth + 1)?))
        })
        .collect()
}

/// `name` tells how to read the text: the elements of a list are read as the list's name says.
fn value(element: Node<'_, '_>, name: &str, depth: usize) -> Result<Value, ParseError> {
    if element.attribute("array") == Some("true") {
        if depth >= DEPTH_LIMIT {
            return Err(ParseError::Depth);
        }
        let children = element.children().filter(Node::is_element);
        let values: Result<Vec<Value>, ParseError> = children.map(|child| value(child, name, depth + 1)).collect();
        return Ok(Value::Array(values?));
    }
    if element.children().any(|child| child.is_element()) {
        return Ok(Value::Object(members(element, depth)?));
    }
    let text: String = element.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
    Ok(leaf(name, text))
}

/// XML has no types: a text that is written as JSON would write a number or a switch is one, unless the name says text.
fn leaf(name: &str, text: String) -> Value {
    if fields::is_text(name) {
        return Value::String(text);
    }
    let typed = serde_json::from_str::<Value>(&text).ok();
    let is_written_so = |value: &Value| {
        let written = value.to_string();
        (value.is_number() || value.is_boolean()) && written == text
    };
    typed.filter(is_written_so).unwrap_or(Value::String(text))
}

/// An answer. Lists are repeated elements.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>");
    write_element(&mut text, "xml", value);
    text
}

fn write_element(text: &mut String, name: &str, value: &Value) {
    if let Value::Array(values) = value {
        for value in values {
            write_element(text, name, value);
        }
        return;
    }
    text.push_str(&format!("<{name}>"));
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                write_element(text, &element_name(name), value);
            }
        }
        Value::Array(_) | Value::Null => {}
        Value::String(string) => escape(text, string),
        other => text.push_str(&other.to_string()),
    }
    text.push_str(&format!("</{name}>"));
}

/// The name with `_` for what names of elements can't have.
fn element_name(name: &str) -> String {
    let allowed = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    let mut written: String = name.chars().map(|character| if allowed(character) { character } else { '_' }).collect();
    if !written.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        written.insert(0, '_');
    }
    written
}

fn escape(text: &mut String, string: &str) {
    for character in string.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '\t' | '\n' => text.push(character),
            other if other.is_control() => text.push(' '),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_json_would_say() {
        let body = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>
            <xml>
                <token>0123</token>
                <db_id>7</db_id>
                <skip_triggers>true</skip_triggers>
                <data>
                    <email>a@b</email>
                    <phones array='true'><phone>79001112233</phone></phones>
                    <orders><action>incr</action><value>-1.5</value></orders>
                    <CRM_ID>17</CRM_ID>
                    <zip>0017</zip>
                    <note><![CDATA[a < b]]> &amp; c</note>
                    <subscriptions array='true'>
                        <subscription><resource_id>2</resource_id><email>a@b</email></subscription>
                    </subscriptions>
                </data>
            </xml>";
        let expected = json!({
            "token": "0123",
            "db_id": 7,
            "skip_triggers": true,
            "data": {
                "email": "a@b",
                "phones": ["79001112233"],
                "orders": { "action": "incr", "value": -1.5 },
                "CRM_ID": "17",
                "zip": "0017",
                "note": "a < b & c",
                "subscriptions": [{ "resource_id": 2, "email": "a@b" }],
            },
        });
        assert_eq!(parse(body.as_bytes()).map(Value::Object), Ok(expected));
    }

    #[test]
    fn refuses_what_is_no_such_document() {
        assert!(matches!(parse(b"<xml><a></xml>"), Err(ParseError::Syntax(_))));
        assert!(matches!(parse(b"<!DOCTYPE xml [<!ENTITY a 'b'>]><xml>&a;</xml>"), Err(ParseError::Syntax(_))));
        assert_eq!(parse(b"<data/>"), Err(ParseError::Root));
        assert_eq!(parse(b"<xml>\xff</xml>"), Err(ParseError::Encoding));
        let deep = format!("<xml>{}{}</xml>", "<a>".repeat(10_000), "</a>".repeat(10_000));
        assert_eq!(parse(deep.as_bytes()), Err(ParseError::Depth));
        let deep = format!("<xml>{}{}</xml>", "<a array='true'>".repeat(10_000), "</a>".repeat(10_000));
        assert_eq!(parse(deep.as_bytes()), Err(ParseError::Depth));
    }

    #[test]
    fn writes_what_a_parser_reads_back() {
        let answer = json!({ "error text": "a < b & c", "data": [{ "id": 7 }, { "id": 8 }], "2": null });
        let written = write(&answer);
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><xml><_2></_2><data><id>7</id></data>\
            <data><id>8</id></data><error_text>a &lt; b &amp; c</error_text></xml>";
        assert_eq!(written, expected);
        assert!(parse(written.as_bytes()).is_ok());
    }
}
