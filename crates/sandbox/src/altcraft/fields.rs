//! The fields that databases and subscriptions declare. Others may be written all the same.

use serde_json::{Value, json};

/// A declared field.
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    title: &'static str,
    kind: Kind,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Email,
    Phones,
    Text,
    Integer,
    Float,
    Switch,
    Date,
    Tags,
    Object,
    Objects,
}

const fn field(name: &'static str, title: &'static str, kind: Kind) -> Field {
    Field { name, title, kind }
}

/// What every database has.
const SYSTEM: [Field; 12] = [
    field("email", "Email", Kind::Email),
    field("phones", "Phones", Kind::Phones),
    field("_fname", "First name", Kind::Text),
    field("_lname", "Last name", Kind::Text),
    field("_bdate", "Birth date", Kind::Date),
    field("_sex", "Sex", Kind::Text),
    field("_city", "City", Kind::Text),
    field("_country", "Country", Kind::Text),
    field("_tz", "Time zone", Kind::Text),
    field("_regip", "Registration IP", Kind::Text),
    field("_regurl", "Registration URL", Kind::Text),
    field("_vendor", "Vendor", Kind::Text),
];

const CUSTOMERS: [Field; 7] = [
    field("CRM_ID", "Number in the CRM", Kind::Text),
    field("orders", "Orders", Kind::Integer),
    field("amount", "Amount of all orders", Kind::Float),
    field("vip", "Important customer", Kind::Switch),
    field("tags", "Tags", Kind::Tags),
    field("address", "Address", Kind::Object),
    field("purchases", "Purchases", Kind::Objects),
];

const PARTNERS: [Field; 3] = [
    field("CRM_ID", "Number in the CRM", Kind::Text),
    field("company", "Company", Kind::Text),
    field("discount", "Discount", Kind::Integer),
];

/// What the `custom_fields` of subscriptions have.
const SUBSCRIPTION: [Field; 4] = [
    field("_device_type", "Device type", Kind::Text),
    field("_device_name", "Device name", Kind::Text),
    field("_os", "Operating system", Kind::Text),
    field("_os_tz", "Time zone of the device", Kind::Text),
];

/// Parameters outside of profiles that hold texts, whatever their characters.
const TEXT_PARAMETERS: [&str; 8] =
    ["token", "phone", "profile_id", "provider", "subscription_id", "field_name", "field_value", "goal"];

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phones => "phones",
            Self::Text => "string",
            Self::Integer => "int",
            Self::Float => "float",
            Self::Switch => "bool",
            Self::Date => "date",
            Self::Tags => "tags",
            Self::Object => "object",
            Self::Objects => "arr_object",
        }
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Email | Self::Phones | Self::Text | Self::Date | Self::Tags)
    }
}

/// The fields of a database, as they are listed.
pub(crate) fn of_database(database: i64) -> Vec<Value> {
    rows(SYSTEM.iter().chain(custom(database)))
}

/// The fields of subscriptions, as they are listed.
pub(crate) fn of_subscriptions() -> Vec<Value> {
    rows(SUBSCRIPTION.iter())
}

/// Whether a text under this name is one even when it looks like a number.
pub(crate) fn is_text(name: &str) -> bool {
    let declared = || SYSTEM.iter().chain(&CUSTOMERS).chain(&PARTNERS).chain(&SUBSCRIPTION);
    TEXT_PARAMETERS.contains(&name) || declared().any(|field| field.name == name && field.kind.is_text())
}

/// The text of a field, as it comes in a URL, in the field's type. One that does not fit stays a text.
pub(crate) fn typed(database: i64, name: &str, text: String) -> Value {
    let field = SYSTEM.iter().chain(custom(database)).find(|field| field.name == name);
    let typed = match field.map(|field| field.kind) {
        Some(Kind::Integer) => text.parse::<i64>().ok().map(|number| json!(number)),
        Some(Kind::Float) => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number)),
        Some(Kind::Switch) => text.parse::<bool>().ok().map(|switch| json!(switch)),
        Some(Kind::Phones | Kind::Tags) => {
            Some(text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect())
        }
        Some(Kind::Object | Kind::Objects) => serde_json::from_str(&text).ok(),
        Some(Kind::Email | Kind::Text | Kind::Date) | None => None,
    };
    typed.unwrap_or(Value::String(text))
}

fn custom(database: i64) -> &'static [Field] {
    match database {
        7 => &CUSTOMERS,
        8 => &PARTNERS,
        _ => &[],
    }
}

fn rows(fields: impl Iterator<Item = &'static Field>) -> Vec<Value> {
    (1..)
        .zip(fields)
        .map(|(id, field): (u32, _)| {
            json!({ "id": id, "name": field.name, "title": field.title, "type": field.kind.name() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_texts_in_the_type_of_the_field() {
        let cases = [
            ("orders", "5", json!(5)),
            ("orders", "many", json!("many")),
            ("amount", "1.5", json!(1.5)),
            ("amount", "NaN", json!("NaN")),
            ("vip", "true", json!(true)),
            ("tags", "a, b", json!(["a", "b"])),
            ("address", "{\"city\":\"Perm\"}", json!({ "city": "Perm" })),
            ("CRM_ID", "17", json!("17")),
            ("unknown", "17", json!("17")),
        ];
        for (name, text, expected) in cases {
            assert_eq!(typed(7, name, text.to_owned()), expected, "{name}={text}");
        }
    }
}
