//! By what a request looks for its profile.

use serde_json::{Map, Value, json};

use crate::altcraft::envelope::Refusal;
use crate::altcraft::index::{self, Key};
use crate::altcraft::parameters::{Parameters, missing};
use crate::altcraft::resources;
use crate::altcraft::subscriptions;

/// `matching` with the parameters that it needs.
#[derive(Debug)]
pub(crate) struct Matching {
    mode: Mode,
    /// The resource that a subscription made from the match value belongs to.
    resource: Option<i64>,
}

#[derive(Debug)]
enum Mode {
    Email { email: String, places: Places },
    Phone { phone: String, places: Places },
    EmailPhone { email: Option<String>, phone: Option<String>, places: Places },
    ProfileId { id: String },
    PushSubscription { provider: String, id: String },
    Field { name: String, value: Value, text: String },
    CustomSubscription { name: String, value: Value, text: String },
}

/// Where contacts are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Places {
    Everywhere,
    Profile,
    Subscriptions,
}

/// The modes that imports and reads know.
const MODES: [&str; 11] = [
    "email",
    "email_profile",
    "email_sub",
    "phone",
    "phone_sub",
    "profile_id",
    "push_sub",
    "custom",
    "custom_sub",
    "email_phone",
    "email_phone_sub",
];

/// The modes that the methods on profiles that must be there already know.
const EXISTING_MODES: [&str; 5] = ["email", "email_profile", "phone", "profile_id", "custom"];

impl Matching {
    /// For goals, launches and deletion, which know fewer modes.
    pub(crate) fn of_existing(parameters: &Parameters) -> Result<Self, Refusal> {
        let name = mode_name(parameters)?;
        if !EXISTING_MODES.contains(&name.as_str()) {
            return Err(Refusal::bad(format!("Incorrect request: matching {name:?} can not be used here")));
        }
        Self::read(parameters)
    }

    pub(crate) const fn by_id(id: String) -> Self {
        Self { mode: Mode::ProfileId { id }, resource: None }
    }

    /// Whether a word names a mode rather than a field.
    pub(crate) fn is_mode(name: &str) -> bool {
        MODES.contains(&name)
    }

    /// What can be said against a mode before any item of a batch is looked at.
    pub(crate) fn check_mode(parameters: &Parameters) -> Result<(), Refusal> {
        let name = mode_name(parameters)?;
        if !Self::is_mode(&name) {
            return Err(unknown_mode(&name));
        }
        if name.starts_with("custom") {
            parameters.required_text("field_name")?;
        }
        Ok(())
    }

    pub(crate) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let name = mode_name(parameters)?;
        let mode = match name.as_str() {
            "email" => Mode::Email { email: required_email(parameters)?, places: Places::Everywhere },
            "email_profile" => Mode::Email { email: required_email(parameters)?, places: Places::Profile },
            "email_sub" => Mode::Email { email: required_email(parameters)?, places: Places::Subscriptions },
            "phone" => Mode::Phone { phone: required_phone(parameters)?, places: Places::Everywhere },
            "phone_sub" => Mode::Phone { phone: required_phone(parameters)?, places: Places::Subscriptions },
            "email_phone" => email_phone(parameters, Places::Everywhere)?,
            "email_phone_sub" => email_phone(parameters, Places::Subscriptions)?,
            "profile_id" => Mode::ProfileId { id: parameters.required_text("profile_id")? },
            "push_sub" => Mode::PushSubscription {
                provider: parameters.required_text("provider")?,
                id: parameters.required_text("subscription_id")?,
            },
            "custom" => {
                let (name, value, text) = field(parameters)?;
                Mode::Field { name, value, text }
            }
            "custom_sub" => {
                let (name, value, text) = field(parameters)?;
                Mode::CustomSubscription { name, value, text }
            }
            _ => return Err(unknown_mode(&name)),
        };
        let resource = parameters.integer("resource_id")?;
        if let Some(id) = resource {
            resources::find(id)?;
        }
        Ok(Self { mode, resource })
    }

    /// Whether a profile may be made when none matches.
    pub(crate) const fn can_create(&self) -> bool {
        !matches!(self.mode, Mode::ProfileId { .. })
    }

    /// The keys of which each finds profiles that match.
    pub(crate) fn keys(&self) -> Vec<Key> {
        match &self.mode {
            Mode::Email { email, places } => self.email_keys(email, *places),
            Mode::Phone { phone, places } => self.phone_keys(phone, *places),
            Mode::EmailPhone { email, phone, places } => {
                let emails = email.iter().flat_map(|email| self.email_keys(email, *places));
                let phones = phone.iter().flat_map(|phone| self.phone_keys(phone, *places));
                emails.chain(phones).collect()
            }
            Mode::ProfileId { id } => vec![Key::Id(id.clone())],
            Mode::PushSubscription { provider, id } => {
                vec![Key::PushSubscription { provider: provider.clone(), id: id.clone() }]
            }
            Mode::Field { name, text, .. } => vec![Key::Field { name: name.clone(), value: text.clone() }],
            Mode::CustomSubscription { name, text, .. } => {
                vec![Key::CustomSubscription { name: name.clone(), value: text.clone() }]
            }
        }
    }

    /// The keys that only together find profiles that match: the comma list of a tags field.
    pub(crate) fn tags(&self) -> Vec<Key> {
        let Mode::Field { name, text, .. } = &self.mode else { return Vec::new() };
        let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        tags.map(|tag| Key::Tag { name: name.clone(), value: tag.to_owned() }).collect()
    }

    /// The custom field that is looked into.
    pub(crate) fn field(&self) -> Option<&str> {
        match &self.mode {
            Mode::Field { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Gives a new profile the values that it was looked for by, where its data did not bring them,
    /// so that the next such request finds it. An email that is taken as another profile's own becomes only a subscription.
    pub(crate) fn imprint(&self, profile: &mut Map<String, Value>, is_taken: impl Fn(&str) -> bool) {
        match &self.mode {
            Mode::Email { email, places } => self.imprint_email(profile, email, *places, is_taken(email)),
            Mode::Phone { phone, places } => self.imprint_phone(profile, phone, *places),
            Mode::EmailPhone { email, phone, places } => {
                if let Some(email) = email {
                    self.imprint_email(profile, email, *places, is_taken(email));
                }
                if let Some(phone) = phone {
                    self.imprint_phone(profile, phone, *places);
                }
            }
            Mode::ProfileId { .. } => {}
            Mode::PushSubscription { provider, id } => {
                let push = json!({ "channel": "push", "provider": provider, "subscription_id": id });
                subscriptions::ensure(profile, push, self.resource);
            }
            Mode::Field { name, value, .. } => fill(profile, name, value.clone()),
            Mode::CustomSubscription { name, value, .. } => {
                let custom = json!({ "cc_data": { name: value } });
                subscriptions::ensure(profile, custom, self.resource);
            }
        }
    }

    /// A resource narrows the search in subscriptions.
    fn email_keys(&self, email: &str, places: Places) -> Vec<Key> {
        let email = index::email(email);
        let resource = self.resource.map(|id| id.to_string());
        match places {
            Places::Everywhere => vec![Key::Email(email.clone()), Key::EmailSubscription { resource, email }],
            Places::Profile => vec![Key::Email(email)],
            Places::Subscriptions => vec![Key::EmailSubscription { resource, email }],
        }
    }

    fn phone_keys(&self, phone: &str, places: Places) -> Vec<Key> {
        let phone = index::phone(phone);
        let resource = self.resource.map(|id| id.to_string());
        match places {
            Places::Everywhere => vec![Key::Phone(phone.clone()), Key::PhoneSubscription { resource, phone }],
            Places::Profile => vec![Key::Phone(phone)],
            Places::Subscriptions => vec![Key::PhoneSubscription { resource, phone }],
        }
    }

    fn imprint_email(&self, profile: &mut Map<String, Value>, email: &str, places: Places, is_taken: bool) {
        if !is_taken {
            fill(profile, "email", json!(email));
        }
        if places == Places::Subscriptions {
            subscriptions::ensure(profile, json!({ "channel": "email", "email": email }), self.resource);
        }
    }

    fn imprint_phone(&self, profile: &mut Map<String, Value>, phone: &str, places: Places) {
        fill(profile, "phones", json!([phone]));
        if places == Places::Subscriptions {
            subscriptions::ensure(profile, json!({ "channel": "sms", "phone": phone }), self.resource);
        }
    }
}

/// Any text with exactly one `@` is an email.
pub(crate) fn is_email(text: &str) -> bool {
    text.matches('@').count() == 1
}

/// Any text with a digit is a phone.
pub(crate) fn is_phone(text: &str) -> bool {
    text.contains(|character: char| character.is_ascii_digit())
}

fn fill(profile: &mut Map<String, Value>, name: &str, value: Value) {
    let is_empty = match profile.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(elements)) => elements.is_empty(),
        Some(_) => false,
    };
    if is_empty {
        profile.insert(name.to_owned(), value);
    }
}

fn mode_name(parameters: &Parameters) -> Result<String, Refusal> {
    Ok(parameters.text("matching")?.unwrap_or_else(|| MODES[0].to_owned()))
}

fn unknown_mode(name: &str) -> Refusal {
    Refusal::bad(format!("Incorrect request: matching {name:?} is unknown"))
}

fn required_email(parameters: &Parameters) -> Result<String, Refusal> {
    email(parameters)?.ok_or_else(|| missing("email"))
}

fn required_phone(parameters: &Parameters) -> Result<String, Refusal> {
    phone(parameters)?.ok_or_else(|| missing("phone"))
}

fn email_phone(parameters: &Parameters, places: Places) -> Result<Mode, Refusal> {
    let (email, phone) = (email(parameters)?, phone(parameters)?);
    if email.is_none() && phone.is_none() {
        return Err(missing("email or phone"));
    }
    Ok(Mode::EmailPhone { email, phone, places })
}

fn email(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    match parameters.text("email")?.filter(|text| !text.is_empty()) {
        Some(text) if !is_email(&text) => Err(Refusal::bad("Incorrect request: email is not valid")),
        other => Ok(other),
    }
}

fn phone(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    match parameters.text("phone")?.filter(|text| !text.is_empty()) {
        Some(text) if !is_phone(&text) => Err(Refusal::bad("Incorrect request: phone is not valid")),
        other => Ok(other),
    }
}

fn field(parameters: &Parameters) -> Result<(String, Value, String), Refusal> {
    let name = parameters.required_text("field_name")?;
    let text = parameters.required_text("field_value")?;
    let value = parameters.get("field_value").cloned().ok_or_else(|| missing("field_value"))?;
    Ok((name, value, text))
}
