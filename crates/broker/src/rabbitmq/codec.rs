//! Messages as RabbitMQ carries them.
//!
//! The key is the message id, and the header `content-type` the property of that name, so that others can read what we
//! publish. The other headers are a table, which has no order and no repeated names; where these matter, a header of ours
//! has the whole list beside it.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, ByteArray, FieldArray, FieldTable, ShortString};

use crate::Message;

/// A key that is no short text.
const KEY: &str = "patchbay-key";
/// All names and values in turn, where the table can't hold them as they are.
const HEADERS: &str = "patchbay-headers";
const CONTENT_TYPE: &str = "content-type";
/// What names with a meaning for the broker begin with.
const OF_THE_BROKER: &str = "x-";
/// Names of addresses that the broker sends a message to as well.
const ADDRESSES: [&str; 2] = ["cc", "bcc"];
/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// The bytes of a message, without the payload.
pub(super) fn head_bytes(message: &Message) -> usize {
    let headers: usize = message.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    message.key.len() + headers
}

/// The most bytes that the properties of a message take in a frame of their own.
pub(super) fn framed_bytes(message: &Message) -> usize {
    // Names and values may be there twice, each with its type and length.
    256 + message.key.len() + 2 * (head_bytes(message) + 16 * message.headers.len())
}

/// Key and headers as properties.
pub(super) fn encode(message: &Message) -> BasicProperties {
    let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    let mut table = FieldTable::default();
    match std::str::from_utf8(&message.key).ok().and_then(short) {
        Some(key) => properties = properties.with_message_id(key),
        None if message.key.is_empty() => {}
        None => {
            table.insert(KEY.into(), AMQPValue::ByteArray(ByteArray::from(&message.key[..])));
        }
    }
    let mut whole = true;
    let mut previous: Option<&str> = None;
    for (name, value) in &message.headers {
        whole &= previous.is_none_or(|previous| previous < name.as_str());
        previous = Some(name);
        let Some(key) = short(name).filter(|_| is_free(name)) else {
            whole = false;
            continue;
        };
        if name == CONTENT_TYPE && properties.content_type().is_none() {
            match short(value) {
                Some(value) => properties = properties.with_content_type(value),
                None => whole = false,
            }
        } else if !table.contains_key(name) {
            table.insert(key, text(value));
        }
    }
    if !whole {
        let list = message.headers.iter().flat_map(|(name, value)| [text(name), text(value)]).collect::<Vec<_>>();
        table.insert(HEADERS.into(), AMQPValue::FieldArray(FieldArray::from(list)));
    }
    match table.inner().is_empty() {
        true => properties,
        false => properties.with_headers(table),
    }
}

/// Key and headers from properties.
pub(super) fn decode(properties: &BasicProperties, payload: Vec<u8>) -> Message {
    let table = properties.headers().as_ref();
    Message {
        key: key_of(properties, table),
        headers: headers_of(properties, table),
        payload: Bytes::from(payload),
        ..Message::default()
    }
}

fn key_of(properties: &BasicProperties, table: Option<&FieldTable>) -> Bytes {
    if let Some(AMQPValue::ByteArray(key)) = table.and_then(|table| table.inner().get(KEY)) {
        return Bytes::copy_from_slice(key.as_slice());
    }
    properties.message_id().as_ref().map(|key| Bytes::copy_from_slice(key.as_str().as_bytes())).unwrap_or_default()
}

fn headers_of(properties: &BasicProperties, table: Option<&FieldTable>) -> Vec<(String, String)> {
    if let Some(AMQPValue::FieldArray(list)) = table.and_then(|table| table.inner().get(HEADERS)) {
        let mut words = list.as_slice().iter().filter_map(words_of);
        return std::iter::from_fn(|| words.next().zip(words.next())).collect();
    }
    let mut headers: Vec<_> = table
        .into_iter()
        .flat_map(FieldTable::inner)
        .filter(|(name, _)| is_free(name.as_str()))
        .filter_map(|(name, value)| Some((name.to_string(), words_of(value)?)))
        .collect();
    if let Some(value) = properties.content_type() {
        let place = headers.partition_point(|(name, _)| name.as_str() < CONTENT_TYPE);
        headers.insert(place, (CONTENT_TYPE.to_owned(), value.to_string()));
    }
    headers
}

/// Whether a name in the table means nothing to the broker or to us.
fn is_free(name: &str) -> bool {
    let starts = |word: &str| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let is = |word: &&str| name.eq_ignore_ascii_case(word);
    !name.is_empty() && !starts(OF_THE_BROKER) && !ADDRESSES.iter().any(is) && ![KEY, HEADERS].iter().any(is)
}

fn short(text: &str) -> Option<ShortString> {
    (!text.is_empty()).then(|| ShortString::try_new(text).ok()).flatten()
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn words_of(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::Boolean(value) => Some(value.to_string()),
        AMQPValue::LongInt(value) => Some(value.to_string()),
        AMQPValue::LongLongInt(value) => Some(value.to_string()),
        AMQPValue::ShortInt(value) => Some(value.to_string()),
        AMQPValue::ShortShortInt(value) => Some(value.to_string()),
        AMQPValue::Double(value) => Some(value.to_string()),
        AMQPValue::Timestamp(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(key: &[u8], headers: &[(&str, &str)]) -> Message {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Message { key: Bytes::copy_from_slice(key), headers, ..Message::default() }
    }

    #[test]
    fn others_read_what_we_publish() {
        let sent = message(b"run-1.2", &[("content-type", "application/json"), ("traceparent", "00-1-2-01")]);
        let properties = encode(&sent);
        let mut table = FieldTable::default();
        table.insert("traceparent".into(), text("00-1-2-01"));
        let expected = BasicProperties::default()
            .with_delivery_mode(2)
            .with_message_id("run-1.2".into())
            .with_content_type("application/json".into())
            .with_headers(table);
        assert_eq!(properties, expected);
    }

    #[test]
    fn keeps_what_a_table_cannot() {
        let long = "n".repeat(300);
        let cases = [
            message(b"", &[]),
            message(b"k", &[("b", "1"), ("a", "2")]),
            message(b"\xff\0", &[("a", "1"), ("a", ""), ("", "x"), ("CC", "everybody"), ("X-Death", "mine")]),
            message(long.as_bytes(), &[(&long, &long), ("content-type", &long), ("content-type", "")]),
            message(b"k", &[("content-type", ""), ("patchbay-headers", "1"), ("patchbay-key", "2")]),
        ];
        for sent in cases {
            assert_eq!(decode(&encode(&sent), Vec::new()), sent);
        }
    }

    #[test]
    fn hides_what_the_broker_adds() {
        let mut table = FieldTable::default();
        table.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
        table.insert("attempt".into(), AMQPValue::LongInt(7));
        let got = decode(&BasicProperties::default().with_headers(table), b"body".to_vec());
        assert_eq!(got, Message { payload: "body".into(), ..message(b"", &[("attempt", "7")]) });
    }

    proptest! {
        #[test]
        fn every_message_survives(key: Vec<u8>, headers: Vec<(String, String)>) {
            let sent = Message { key: key.into(), headers, ..Message::default() };
            prop_assert_eq!(decode(&encode(&sent), Vec::new()), sent);
        }
    }
}
