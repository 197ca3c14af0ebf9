//! What profiles are found by.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::altcraft::database::Profile;
use crate::altcraft::parameters::scalar_text;

/// One way to find a profile. Emails are compared in lower case, phones by their digits, field values as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Id(String),
    Email(String),
    EmailSubscription {
        /// `None` finds it in any resource.
        resource: Option<String>,
        email: String,
    },
    Phone(String),
    PhoneSubscription {
        resource: Option<String>,
        phone: String,
    },
    PushSubscription {
        provider: String,
        id: String,
    },
    /// A value in the `cc_data` of a subscription to a custom channel.
    CustomSubscription {
        name: String,
        value: String,
    },
    Field {
        name: String,
        value: String,
    },
    /// One of the strings in a field that holds several.
    Tag {
        name: String,
        value: String,
    },
}

impl Key {
    pub(crate) const fn is_of_field(&self) -> bool {
        matches!(self, Self::Field { .. } | Self::Tag { .. })
    }
}

/// The form in which emails are compared.
pub(crate) fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The form in which phones are compared.
pub(crate) fn phone(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// All keys of a profile, of its custom fields only those in `fields`.
pub(crate) fn keys(profile: &Profile, fields: &BTreeSet<String>) -> BTreeSet<Key> {
    let mut keys = BTreeSet::from([Key::Id(profile.id.clone())]);
    keys.extend(profile.email().map(|text| Key::Email(email(text))));
    let phones = elements(profile.data.get("phones")).filter_map(scalar_text);
    keys.extend(phones.map(|text| Key::Phone(phone(&text))));
    for subscription in elements(profile.data.get("subscriptions")) {
        keys.extend(subscription_keys(subscription));
    }
    for field in fields {
        keys.extend(field_keys(profile, field));
    }
    keys
}

/// The keys of one custom field.
pub(crate) fn field_keys(profile: &Profile, name: &str) -> BTreeSet<Key> {
    match profile.data.get(name) {
        None => BTreeSet::new(),
        Some(Value::Array(tags)) => {
            tags.iter().filter_map(scalar_text).map(|value| Key::Tag { name: name.to_owned(), value }).collect()
        }
        Some(value) => {
            scalar_text(value).map(|value| Key::Field { name: name.to_owned(), value }).into_iter().collect()
        }
    }
}

fn subscription_keys(subscription: &Value) -> Vec<Key> {
    let text = |name: &str| subscription.get(name).and_then(scalar_text);
    let mut keys = Vec::new();
    match subscription.get("channel").and_then(Value::as_str) {
        Some("email") => {
            let address = text("email").map(|text| email(&text));
            keys.extend(address.clone().map(|email| Key::EmailSubscription { resource: None, email }));
            let of_resource = text("resource_id").zip(address);
            keys.extend(of_resource.map(|(id, email)| Key::EmailSubscription { resource: Some(id), email }));
        }
        Some("sms") => {
            let number = text("phone").map(|text| phone(&text));
            keys.extend(number.clone().map(|phone| Key::PhoneSubscription { resource: None, phone }));
            let of_resource = text("resource_id").zip(number);
            keys.extend(of_resource.map(|(id, phone)| Key::PhoneSubscription { resource: Some(id), phone }));
        }
        Some("push") => {
            let push = text("provider").zip(text("subscription_id"));
            keys.extend(push.map(|(provider, id)| Key::PushSubscription { provider, id }));
        }
        _ => {}
    }
    let custom = subscription.get("cc_data").and_then(Value::as_object).into_iter().flatten();
    keys.extend(
        custom.filter_map(|(name, value)| {
            Some(Key::CustomSubscription { name: name.clone(), value: scalar_text(value)? })
        }),
    );
    keys
}

fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
