//! Forms: fields by name, in the nested names that PHP made common.
//!
//! `a[b][c]=1` is an object in an object. A level whose keys are exactly `0` to `n - 1` is a list; `[]` takes the next
//! number. Any other name that holds a bracket, such as `a[` or `a[b]c`, is a key like any other. Nothing is lost: a name
//! that repeats has the list of its values, and what has both a value and members (`a=1&a[b]=2`) is an object that keeps
//! the value under the empty key, which no name can spell.

use std::collections::HashMap;

use patchbay_types::{Fault, fault::Code};
use serde_json::{Map, Value};

/// The most fields of a form.
const MAX_FIELDS: usize = 10_000;
/// The most levels of a name: `a[b]` has two.
const MAX_DEPTH: usize = 32;
/// Longer numbers are ordinary keys.
const MAX_DIGITS: usize = 18;
/// How much of a name a message shows.
const SHOWN_CHARS: usize = 100;

/// The fields of a form as they come.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    top: HashMap<String, Node>,
    count: usize,
}

/// What one key stands for.
#[derive(Debug, Default)]
struct Node {
    values: Vec<Value>,
    members: Option<Box<Level>>,
}

#[derive(Debug, Default)]
struct Level {
    nodes: HashMap<String, Node>,
    /// The number that `[]` stands for.
    next: u64,
}

/// The fields of an urlencoded form. Bytes that are no UTF-8 become U+FFFD, as in any reader of such forms.
pub(crate) fn read(text: &[u8]) -> Result<Value, Fault> {
    let mut fields = Fields::default();
    for (name, value) in form_urlencoded::parse(text) {
        fields.add(&name, Value::String(value.into_owned()))?;
    }
    Ok(fields.into_value())
}

/// The parameters of a query as a flat object; a name that repeats has the list of its values.
pub(crate) fn flat(text: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(text) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(name.as_ref()) {
            None => {
                fields.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    fields
}

impl Fields {
    /// Adds a field by its nested name.
    pub(crate) fn add(&mut self, name: &str, value: Value) -> Result<(), Fault> {
        self.count += 1;
        if self.count > MAX_FIELDS {
            let message = format!("the form has more than the {MAX_FIELDS} fields that are taken");
            return Err(Fault::new(Code::TooLarge, message));
        }
        let (first, keys) = split(name).unwrap_or((name, Vec::new()));
        if keys.len() >= MAX_DEPTH {
            let message = format!("the name {:?} has more than the {MAX_DEPTH} levels that are taken", shown(name));
            return Err(Fault::invalid(message));
        }
        let mut node = self.top.entry(first.to_owned()).or_default();
        for key in keys {
            node = node.members.get_or_insert_default().node(key);
        }
        node.values.push(value);
        Ok(())
    }

    /// The whole form, which is always an object.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.top.into_iter().map(|(key, node)| (key, node.into_value())).collect())
    }
}

impl Node {
    fn into_value(mut self) -> Value {
        let own = match self.values.len() {
            0 => None,
            1 => self.values.pop(),
            _ => Some(Value::Array(self.values)),
        };
        match (own, self.members) {
            (own, None) => own.unwrap_or_default(),
            (None, Some(members)) => members.into_value(),
            (Some(own), Some(members)) => {
                let mut object = members.into_object();
                object.insert(String::new(), own);
                Value::Object(object)
            }
        }
    }
}

impl Level {
    fn node(&mut self, key: &str) -> &mut Node {
        let key = if key.is_empty() { self.next.to_string() } else { key.to_owned() };
        if let Some(number) = number(&key) {
            self.next = self.next.max(number + 1);
        }
        self.nodes.entry(key).or_default()
    }

    fn into_value(self) -> Value {
        let length = self.nodes.len();
        let place = |key: &str| usize::try_from(number(key)?).ok().filter(|place| *place < length);
        // Distinct keys that are all below their count are exactly 0 to n - 1.
        if !self.nodes.keys().all(|key| place(key).is_some()) {
            return Value::Object(self.into_object());
        }
        let mut items = vec![Value::Null; length];
        for (key, node) in self.nodes {
            if let Some(item) = place(&key).and_then(|place| items.get_mut(place)) {
                *item = node.into_value();
            }
        }
        Value::Array(items)
    }

    fn into_object(self) -> Map<String, Value> {
        self.nodes.into_iter().map(|(key, node)| (key, node.into_value())).collect()
    }
}

/// The parts of a nested name; nothing when it is not well-formed.
fn split(name: &str) -> Option<(&str, Vec<&str>)> {
    let Some((first, rest)) = name.split_once('[') else { return Some((name, Vec::new())) };
    if first.is_empty() || first.contains(']') {
        return None;
    }
    let keys: Vec<_> = rest.strip_suffix(']')?.split("][").collect();
    keys.iter().all(|key| !key.contains(['[', ']'])).then_some((first, keys))
}

/// The number that a key is, spelled as numbers are.
fn number(key: &str) -> Option<u64> {
    let plain = key.len() <= MAX_DIGITS && key.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = key == "0" || !key.starts_with('0');
    if plain && canonical { key.parse().ok() } else { None }
}

fn shown(name: &str) -> String {
    name.chars().take(SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;

    fn form(text: &str) -> Value {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn flat_names_make_a_flat_object() {
        assert_eq!(form("a=1&b=x+y&a=%32&a=&c=%E2%82%AC"), json!({"a": ["1", "2", ""], "b": "x y", "c": "€"}));
        assert_eq!(form("0=a&1=b&=c"), json!({"0": "a", "1": "b", "": "c"}));
        assert_eq!(form(""), json!({}));
    }

    #[test]
    fn brackets_make_objects_and_lists() {
        let text = "a[b][c]=1&a[b][d]=2&list[1]=y&list[0]=x&tags[]=p&tags[]=q&rows[0][id]=1&rows[1][id]=2";
        let expected = json!({
            "a": {"b": {"c": "1", "d": "2"}},
            "list": ["x", "y"],
            "tags": ["p", "q"],
            "rows": [{"id": "1"}, {"id": "2"}],
        });
        assert_eq!(form(text), expected);
        assert_eq!(form("rows[][id]=1&rows[][id]=2"), json!({"rows": [{"id": "1"}, {"id": "2"}]}));
    }

    #[test]
    fn numbers_that_are_no_places_stay_keys() {
        assert_eq!(form("a[1]=x&a[2]=y"), json!({"a": {"1": "x", "2": "y"}}));
        assert_eq!(form("a[00]=x"), json!({"a": {"00": "x"}}));
        assert_eq!(form("a[-1]=x&a[0]=y"), json!({"a": {"-1": "x", "0": "y"}}));
        assert_eq!(form("a[5]=x&a[]=y"), json!({"a": {"5": "x", "6": "y"}}));
        assert_eq!(form("a[k]=x&a[]=y"), json!({"a": {"k": "x", "0": "y"}}));
        let huge = "999999999999999999999999999999";
        assert_eq!(form(&format!("a[{huge}]=x&a[]=y")), json!({"a": {huge: "x", "0": "y"}}));
        assert_eq!(form("a[999999999999999999]=x"), json!({"a": {"999999999999999999": "x"}}));
    }

    #[test]
    fn lists_keep_the_order_of_their_numbers() {
        let text: Vec<_> = (0..12).rev().map(|number| format!("a[{number}]={number}")).collect();
        let expected: Vec<_> = (0..12).map(|number| number.to_string()).collect();
        assert_eq!(form(&text.join("&")), json!({"a": expected}));
    }

    #[test]
    fn malformed_names_are_keys_like_any_other() {
        for name in ["a[", "]b[", "a[b", "[a]", "a]", "a[b]c", "a[b]c[d]", "a[[b]]", "a[b]]", "a[b]["] {
            assert_eq!(form(&format!("{name}=1&{name}=2")), json!({name: ["1", "2"]}));
        }
    }

    #[test]
    fn a_clash_keeps_both_in_any_order() {
        for text in ["a=1&a[b]=2", "a[b]=2&a=1"] {
            assert_eq!(form(text), json!({"a": {"": "1", "b": "2"}}));
        }
        assert_eq!(form("a[]=x&a=1&a=2"), json!({"a": {"": ["1", "2"], "0": "x"}}));
        assert_eq!(form("a[b]=1&a[b][c]=2&a[b]=3"), json!({"a": {"b": {"": ["1", "3"], "c": "2"}}}));
        assert_eq!(form("a[0]=1&a[0]=2"), json!({"a": [["1", "2"]]}));
    }

    #[test]
    fn values_are_text_as_it_was_given() {
        let value = "\"q\" 'q' \u{1f600} {{ trigger.x }}\r\n\t\\ [a]=1";
        let text: String = form_urlencoded::Serializer::new(String::new()).append_pair("m[text]", value).finish();
        assert_eq!(form(&text), json!({"m": {"text": value}}));
    }

    #[test]
    fn names_have_so_many_levels_and_no_more() {
        let name = |levels: usize| format!("a{}=1", "[b]".repeat(levels - 1));
        assert!(read(name(MAX_DEPTH).as_bytes()).is_ok());
        for levels in [MAX_DEPTH + 1, 300_000] {
            assert_eq!(read(name(levels).as_bytes()).unwrap_err().code, Code::InvalidArgument);
        }
        // Not well-formed, and so of one level.
        assert!(read(format!("a{}=1", "[".repeat(100_000)).as_bytes()).is_ok());
    }

    #[test]
    fn a_form_has_so_many_fields_and_no_more() {
        let text = |fields: usize| vec!["a[]=1"; fields].join("&");
        assert!(read(text(MAX_FIELDS).as_bytes()).is_ok());
        assert_eq!(read(text(MAX_FIELDS + 1).as_bytes()).unwrap_err().code, Code::TooLarge);
    }

    fn leaves(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
            Value::Object(members) => members.values().for_each(|member| leaves(member, found)),
            Value::String(text) => found.push(text.clone()),
            other => found.push(format!("{other} is no text")),
        }
    }

    proptest! {
        #[test]
        fn every_value_is_there_once(names in vec("[ab\\[\\]01]{0,9}", 0..30)) {
            let mut fields = Fields::default();
            for (number, name) in names.iter().enumerate() {
                fields.add(name, number.to_string().into()).unwrap();
            }
            let mut found = Vec::new();
            leaves(&fields.into_value(), &mut found);
            found.sort();
            let mut given: Vec<_> = (0..names.len()).map(|number| number.to_string()).collect();
            given.sort();
            prop_assert_eq!(found, given);
        }
    }
}
