//! The one text that all spellings of the same JSON value have, written while the body is read: keys sorted, no white
//! space, one form of each number and string. No tree is built, which would take many times the room of the text.

use std::{cmp::Ordering, fmt, iter};

use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor},
};

/// Reads JSON as strictly as a reader that keeps it, and gives what [`patchbay_types::json::canonical`] gives of its value.
pub(crate) fn canonical(json: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut writer = Writer { text: Vec::with_capacity(json.len()), entries: Vec::new(), sorted: Vec::new() };
    let mut reader = serde_json::Deserializer::from_slice(json);
    Put(&mut writer).deserialize(&mut reader)?;
    reader.end()?;
    Ok(writer.text)
}

/// What is written so far.
struct Writer {
    text: Vec<u8>,
    /// The entries of the objects that are open, those of the innermost last.
    entries: Vec<Entry>,
    /// Room for one object in its right order.
    sorted: Vec<u8>,
}

/// Where `"key":value` is in the text.
#[derive(Clone, Copy)]
struct Entry {
    start: usize,
    /// Behind the closing quote of the key.
    key_end: usize,
    end: usize,
}

impl Entry {
    /// The key as it is written, without its quotes.
    fn key(self, text: &[u8]) -> &[u8] {
        text.get(self.start + 1..self.key_end - 1).unwrap_or_default()
    }
}

impl Writer {
    fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.text, value)
    }

    /// Ends the object whose entries begin at `first`: each is followed by a comma, the last one too.
    fn close(&mut self, first: usize, begin: usize) {
        let Self { text, entries, sorted } = self;
        let own = entries.get_mut(first..).unwrap_or_default();
        let in_order = |pair: &[Entry]| compare(pair[0].key(text), pair[1].key(text)) == Ordering::Less;
        if !own.windows(2).all(in_order) {
            own.sort_unstable_by(|one, other| {
                compare(one.key(text), other.key(text)).then(one.start.cmp(&other.start))
            });
            sorted.clear();
            let next = own.iter().skip(1).map(Some).chain(iter::once(None));
            for (entry, next) in own.iter().zip(next) {
                // Of equal keys the last one counts.
                if next.is_none_or(|next| compare(entry.key(text), next.key(text)) != Ordering::Equal) {
                    sorted.extend_from_slice(&text[entry.start..entry.end]);
                    sorted.push(b',');
                }
            }
            text.truncate(begin);
            text.extend_from_slice(sorted);
        }
        if entries.len() > first {
            text.pop();
        }
        text.push(b'}');
        entries.truncate(first);
    }
}

/// Compares keys by what they say, not by how it is escaped.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    if !one.contains(&b'\\') && !other.contains(&b'\\') {
        return one.cmp(other);
    }
    Unescaped(one).cmp(Unescaped(other))
}

/// The bytes of a string that `serde_json` has written: it escapes quotes, backslashes and control characters only.
struct Unescaped<'a>(&'a [u8]);

impl Iterator for Unescaped<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, length) = match *self.0 {
            [b'\\', b'u', _, _, high, low, ..] => (hexadecimal(high) << 4 | hexadecimal(low), 6),
            [b'\\', b'b', ..] => (0x08, 2),
            [b'\\', b'f', ..] => (0x0C, 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', same, ..] => (same, 2),
            [byte, ..] => (byte, 1),
            [] => return None,
        };
        self.0 = &self.0[length..];
        Some(byte)
    }
}

fn hexadecimal(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}

/// Writes the next value.
struct Put<'a>(&'a mut Writer);

impl Put<'_> {
    fn scalar<T: Serialize + ?Sized, E: serde::de::Error>(self, value: &T) -> Result<(), E> {
        self.0.put(value).map_err(|error| E::custom(error))
    }
}

impl<'de> DeserializeSeed<'de> for Put<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Put<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.scalar(&value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.scalar(&value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.scalar(&value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.scalar(&value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.scalar(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar(&())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.text.push(b'[');
        let mut is_empty = true;
        while items.next_element_seed(Put(self.0))?.is_some() {
            self.0.text.push(b',');
            is_empty = false;
        }
        if !is_empty {
            self.0.text.pop();
        }
        self.0.text.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        self.0.text.push(b'{');
        let (first, begin) = (self.0.entries.len(), self.0.text.len());
        let mut start = begin;
        while object.next_key_seed(Put(self.0))?.is_some() {
            let key_end = self.0.text.len();
            self.0.text.push(b':');
            object.next_value_seed(Put(self.0))?;
            let end = self.0.text.len();
            self.0.text.push(b',');
            self.0.entries.push(Entry { start, key_end, end });
            start = end + 1;
        }
        self.0.close(first, begin);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use patchbay_types::json;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// By way of a tree.
    fn expected(text: &str) -> Result<String, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(json::canonical(&value)).unwrap())
    }

    fn given(text: &str) -> Result<String, String> {
        let canonical = canonical(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(canonical).unwrap())
    }

    fn text_of_json() -> impl Strategy<Value = String> {
        let string = prop_oneof![
            r#"[ab"\\\n\u{1}\u{1f}/é😀]{0,3}"#.prop_map(|text| serde_json::to_string(&text).unwrap()),
            Just(r#""\u0061""#.to_owned()),
            Just(r#""\/""#.to_owned()),
        ]
        .boxed();
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
            prop_oneof![Just("-0"), Just("1.0"), Just("1e5"), Just("1E+2"), Just("0.10")].prop_map(str::to_owned),
            string.clone(),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            let items = prop::collection::vec(inner.clone(), 0..6);
            let entries = prop::collection::vec((string.clone(), inner), 0..6);
            prop_oneof![
                items.prop_map(|items| format!("[ {} ]", items.join(" ,"))),
                entries.prop_map(|entries| {
                    let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key} :{value}")).collect();
                    format!("{{\t{}\n}}", entries.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn writes_what_a_tree_gives(text in text_of_json()) {
            prop_assert_eq!(given(&text), expected(&text));
        }
    }

    #[test]
    fn sorts_keys_by_what_they_say() {
        for text in [
            r#"{"b":{"d":1,"c":[{"z":0,"y":0}]},"a":"\u0041"}"#,
            r##"{"\"":1,"#":2,"!":3}"##,
            r#"{"\n":1,"\u0001":2,"\u001f":3," ":4,"\\":5,"]":6,"[":7}"#,
            r#"{"a":1,"b":2,"a":{"x":3}}"#,
            "{}",
            "[]",
            "[{},[],{\"a\":{}}]",
        ] {
            assert_eq!(given(text), expected(text), "{text}");
        }
    }

    #[test]
    fn refuses_as_strictly_as_a_parser() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in ["", "{", "[1,]", "{\"a\":1}x", "{1:2}", "nul", "\"\u{1}\"", "1e999", deep.as_str()] {
            assert_eq!(given(text), expected(text), "{text}");
        }
    }
}
