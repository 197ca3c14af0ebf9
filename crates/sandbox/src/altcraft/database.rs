//! A database and its profiles.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use crate::altcraft::index::{self, Key};
use crate::altcraft::matching::Matching;
use crate::altcraft::numbers::Numbers;
use crate::altcraft::reading;
use crate::ring::{ROWS_KEPT, Ring};

/// By how many fields profiles may be found at once. Beyond that the oldest indices are built anew when needed.
const INDEXED_FIELDS_LIMIT: usize = 64;

/// A database of the account.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: &'static str,
    pub(crate) profiles: Profiles,
}

/// The databases of the account by id.
pub(crate) fn all() -> BTreeMap<i64, Database> {
    BTreeMap::from([
        (7, Database { name: "Customers", profiles: Profiles::new() }),
        (8, Database { name: "Partners", profiles: Profiles::new() }),
    ])
}

/// A profile: its fields flat, with the system fields `email`, `phones` and `subscriptions` among them.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) id: String,
    pub(crate) data: Map<String, Value>,
}

impl Profile {
    /// The profile as it was written.
    pub(crate) fn row(&self, database: i64) -> Value {
        let mut row = self.data.clone();
        row.insert("id".to_owned(), json!(self.id));
        row.insert("db_id".to_owned(), json!(database));
        Value::Object(row)
    }

    /// The profile as it is read: its subscriptions have another form then.
    pub(crate) fn read_row(&self, database: i64) -> Value {
        let mut row = self.row(database);
        if let Some(Value::Array(subscriptions)) = row.get_mut("subscriptions") {
            for subscription in subscriptions {
                *subscription = reading::nested(subscription);
            }
        }
        row
    }

    pub(crate) fn subscriptions(&self) -> &[Value] {
        self.data.get("subscriptions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn email(&self) -> Option<&str> {
        self.data.get("email").and_then(Value::as_str).filter(|email| !email.is_empty())
    }
}

/// The newest profiles, found by any key without a walk over all.
#[derive(Debug)]
pub(crate) struct Profiles {
    /// A deleted profile leaves its place empty.
    rows: Ring<Option<Profile>>,
    index: HashMap<Key, Numbers>,
    /// The custom fields that are indexed: those that were asked for.
    fields: BTreeSet<String>,
}

impl Profiles {
    fn new() -> Self {
        Self { rows: Ring::new(ROWS_KEPT), index: HashMap::new(), fields: BTreeSet::new() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.rows.iter().filter_map(|(_, profile)| profile.as_ref())
    }

    /// The profiles from this number on, with their numbers. Does not walk over those before.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = (u64, &Profile)> {
        let numbers = number.max(self.rows.first())..self.rows.next();
        numbers.filter_map(|number| Some((number, self.get(number)?)))
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Profile> {
        self.rows.get(number)?.as_ref()
    }

    /// The profile whose own email this is.
    pub(crate) fn owner(&self, email: &str) -> Option<u64> {
        self.index.get(&Key::Email(index::email(email)))?.iter().next()
    }

    /// The numbers of profiles that match: none, one, or some when there are several.
    pub(crate) fn find(&mut self, matching: &Matching) -> BTreeSet<u64> {
        if let Some(field) = matching.field() {
            self.index_field(field);
        }
        let keys = matching.keys();
        let mut found: BTreeSet<u64> =
            keys.iter().filter_map(|key| self.index.get(key)).flat_map(|numbers| numbers.iter().take(2)).collect();

        let tags: Option<Vec<&Numbers>> = matching.tags().iter().map(|key| self.index.get(key)).collect();
        let tags = tags.unwrap_or_default();
        if let Some(rarest) = tags.iter().min_by_key(|numbers| numbers.len()) {
            let all = |number: &u64| tags.iter().all(|numbers| numbers.contains(*number));
            found.extend(rarest.iter().filter(all).take(2));
        }
        found
    }

    /// Adds a profile and gives its number.
    pub(crate) fn insert(&mut self, profile: Profile) -> u64 {
        let keys = index::keys(&profile, &self.fields);
        let (number, gone) = self.rows.push(Some(profile));
        if let Some((gone, Some(profile))) = gone {
            self.forget(gone, index::keys(&profile, &self.fields));
        }
        self.remember(number, keys);
        number
    }

    /// Only what has changed is indexed anew.
    pub(crate) fn replace(&mut self, number: u64, profile: Profile) {
        let Some(Some(row)) = self.rows.get_mut(number) else { return };
        let keys = index::keys(&profile, &self.fields);
        let former = index::keys(row, &self.fields);
        *row = profile;
        self.forget(number, former.difference(&keys).cloned().collect());
        self.remember(number, keys.difference(&former).cloned().collect());
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<Profile> {
        let profile = self.rows.get_mut(number)?.take()?;
        self.forget(number, index::keys(&profile, &self.fields));
        Some(profile)
    }

    fn remember(&mut self, number: u64, keys: BTreeSet<Key>) {
        for key in keys {
            self.index.entry(key).or_insert(Numbers::One(number)).insert(number);
        }
    }

    fn forget(&mut self, number: u64, keys: BTreeSet<Key>) {
        for key in keys {
            if self.index.get_mut(&key).is_some_and(|numbers| numbers.remove(number)) {
                self.index.remove(&key);
            }
        }
    }

    fn index_field(&mut self, field: &str) {
        if self.fields.contains(field) {
            return;
        }
        if self.fields.len() >= INDEXED_FIELDS_LIMIT {
            self.fields.clear();
            self.index.retain(|key, _| !key.is_of_field());
        }
        self.fields.insert(field.to_owned());
        for (number, profile) in self.rows.iter() {
            let Some(profile) = profile else { continue };
            for key in index::field_keys(profile, field) {
                self.index.entry(key).or_insert(Numbers::One(number)).insert(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::altcraft::parameters::Parameters;

    fn profile(id: &str, data: &Value) -> Profile {
        Profile { id: id.to_owned(), data: data.as_object().cloned().unwrap_or_default() }
    }

    fn by_field(name: &str, value: &str) -> Matching {
        let body = json!({ "matching": "custom", "field_name": name, "field_value": value });
        Matching::read(&Parameters::parse(body.to_string().as_bytes(), false).unwrap()).unwrap()
    }

    #[test]
    fn finds_by_a_field_whatever_came_first_profile_or_question() {
        let mut profiles = Profiles::new();
        profiles.insert(profile("a", &json!({ "CRM_ID": "A-1" })));
        assert_eq!(profiles.find(&by_field("CRM_ID", "A-1")), BTreeSet::from([1]));

        profiles.insert(profile("b", &json!({ "CRM_ID": "A-1" })));
        profiles.replace(1, profile("a", &json!({ "CRM_ID": "A-2" })));
        assert_eq!(profiles.find(&by_field("CRM_ID", "A-1")), BTreeSet::from([2]));
        assert_eq!(profiles.find(&by_field("CRM_ID", "A-2")), BTreeSet::from([1]));
    }

    #[test]
    fn finds_nothing_of_a_removed_profile() {
        let mut profiles = Profiles::new();
        profiles.insert(profile("a", &json!({ "CRM_ID": "A-1", "email": "a@b" })));
        profiles.find(&by_field("CRM_ID", "A-1"));

        assert_eq!(profiles.remove(1).map(|profile| profile.id), Some("a".to_owned()));
        assert!(profiles.remove(1).is_none());
        assert_eq!(profiles.find(&by_field("CRM_ID", "A-1")), BTreeSet::new());
        assert_eq!(profiles.owner("A@B"), None);
        assert_eq!((profiles.iter().count(), profiles.from(0).count(), profiles.index.len()), (0, 0, 0));
    }

    #[test]
    fn still_finds_by_a_field_when_others_drove_its_index_out() {
        let mut profiles = Profiles::new();
        profiles.insert(profile("a", &json!({ "CRM_ID": "A-1" })));
        profiles.find(&by_field("CRM_ID", "A-1"));
        for number in 0..INDEXED_FIELDS_LIMIT {
            profiles.find(&by_field(&format!("field_{number}"), "x"));
        }
        assert_eq!(profiles.find(&by_field("CRM_ID", "A-1")), BTreeSet::from([1]));
    }
}
