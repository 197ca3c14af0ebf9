//! A database and its profiles.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use crate::altcraft::index::{self, Key};
use crate::altcraft::matching::Matching;
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
    /// The profile as it is read.
    pub(crate) fn row(&self, database: i64) -> Value {
        let mut row = self.data.clone();
        row.insert("id".to_owned(), json!(self.id));
        row.insert("db_id".to_owned(), json!(database));
        Value::Object(row)
    }

    pub(crate) fn email(&self) -> Option<&str> {
        self.data.get("email").and_then(Value::as_str).filter(|email| !email.is_empty())
    }
}

/// The newest profiles, found by any key without a walk over all.
#[derive(Debug)]
pub(crate) struct Profiles {
    rows: Ring<Profile>,
    index: HashMap<Key, Vec<u64>>,
    /// The custom fields that are indexed: those that were asked for.
    fields: BTreeSet<String>,
}

impl Profiles {
    fn new() -> Self {
        Self { rows: Ring::new(ROWS_KEPT), index: HashMap::new(), fields: BTreeSet::new() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.rows.iter().map(|(_, profile)| profile)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Profile> {
        self.rows.get(number)
    }

    /// The numbers of all profiles that match.
    pub(crate) fn find(&mut self, matching: &Matching) -> BTreeSet<u64> {
        if let Some(field) = matching.field() {
            self.index_field(field);
        }
        let mut found: BTreeSet<u64> = matching.keys().iter().flat_map(|key| self.numbers(key)).copied().collect();

        let tags = matching.tags();
        if let Some((first, others)) = tags.split_first() {
            let all = |number: &&u64| others.iter().all(|tag| self.numbers(tag).contains(number));
            found.extend(self.numbers(first).iter().filter(all));
        }
        found
    }

    pub(crate) fn insert(&mut self, profile: Profile) {
        let keys = index::keys(&profile, &self.fields);
        let (number, gone) = self.rows.push(profile);
        if let Some((gone, profile)) = gone {
            self.forget(gone, index::keys(&profile, &self.fields));
        }
        self.remember(number, keys);
    }

    pub(crate) fn replace(&mut self, number: u64, profile: Profile) {
        let Some(row) = self.rows.get_mut(number) else { return };
        let keys = index::keys(&profile, &self.fields);
        let former = index::keys(row, &self.fields);
        *row = profile;
        self.forget(number, former);
        self.remember(number, keys);
    }

    fn numbers(&self, key: &Key) -> &[u64] {
        self.index.get(key).map_or(&[], Vec::as_slice)
    }

    fn remember(&mut self, number: u64, keys: BTreeSet<Key>) {
        for key in keys {
            self.index.entry(key).or_default().push(number);
        }
    }

    fn forget(&mut self, number: u64, keys: BTreeSet<Key>) {
        for key in keys {
            let Some(numbers) = self.index.get_mut(&key) else { continue };
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
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
            for key in index::field_keys(profile, field) {
                self.index.entry(key).or_default().push(number);
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
        Matching::read(&Parameters::parse(body.to_string().as_bytes()).unwrap()).unwrap()
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
