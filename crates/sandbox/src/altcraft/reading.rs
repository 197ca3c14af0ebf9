//! Subscriptions as they are read, which is not as they are written.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::altcraft::index;

/// As `profiles/get` shows it: contacts nested, with what is derived from them.
pub(crate) fn nested(subscription: &Value) -> Value {
    let mut read = flat(subscription);
    let Value::Object(members) = &mut read else { return read };
    members.insert("is_delete".to_owned(), json!(false));
    if let Some(Value::String(email)) = members.remove("email") {
        let domain = email.rsplit('@').next().unwrap_or_default();
        let data = json!({
            "email": email,
            "domain": domain,
            "domain_group": "Other",
            "md5": md5(&index::email(&email)),
        });
        members.insert("email_data".to_owned(), data);
    }
    if let Some(phone) = members.remove("phone") {
        members.insert("phone_data".to_owned(), json!({ "phone": phone }));
    }
    read
}

/// As the methods on subscriptions show it: as written, with its `hash_id`.
pub(crate) fn flat(subscription: &Value) -> Value {
    let mut read = subscription.clone();
    if let Value::Object(members) = &mut read {
        members.insert("hash_id".to_owned(), json!(hash_id(subscription)));
    }
    read
}

/// What names a subscription among those of its profile. It stays when status or priority change.
pub(crate) fn hash_id(subscription: &Value) -> String {
    let names = ["resource_id", "channel", "email", "phone", "provider", "subscription_id", "cc_data"];
    let identity: Vec<&Value> = names.iter().map(|name| &subscription[*name]).collect();
    let mut hash = md5(&json!(identity).to_string());
    hash.truncate(8);
    hash
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nests_contacts() {
        let email = json!({ "resource_id": 2, "channel": "email", "email": "Ann@shop.test", "status": "subscribed" });
        let expected = json!({
            "resource_id": 2, "channel": "email", "status": "subscribed", "is_delete": false, "hash_id": hash_id(&email),
            "email_data": {
                "email": "Ann@shop.test",
                "domain": "shop.test",
                "domain_group": "Other",
                "md5": md5("ann@shop.test"),
            },
        });
        assert_eq!(nested(&email), expected);
        assert_eq!(md5("abc"), "900150983cd24fb0d6963f7d28e17f72");

        let sms = json!({ "resource_id": 2, "channel": "sms", "phone": "1" });
        let expected = json!({
            "resource_id": 2, "channel": "sms", "is_delete": false, "hash_id": hash_id(&sms),
            "phone_data": { "phone": "1" },
        });
        assert_eq!(nested(&sms), expected);
    }
}
