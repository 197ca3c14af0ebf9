//! All contacts, found by id and by time of change without a walk over all.

use std::sync::Arc;

use patchbay_types::Timestamp;

use crate::crm::contact::{Contact, ContactId};
use crate::ring::{ROWS_KEPT, Ring};

/// The newest contacts.
#[derive(Debug)]
pub(crate) struct Contacts {
    /// The first contact has the next id.
    ids_from: u64,
    rows: Ring<Arc<Contact>>,
    /// Sorted, so that any page and the count behind any time are found by halving. Most changes come at the end; one in
    /// the middle moves 16 bytes a contact.
    by_change: Vec<(Timestamp, ContactId)>,
}

/// A page of contacts, and how many all pages have.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) contacts: Vec<Arc<Contact>>,
    pub(crate) total: usize,
}

impl Contacts {
    /// No contacts yet. Who remembers contacts longer than this process lives must not meet their ids again, so
    /// `ids_from` rises from process to process.
    pub(crate) const fn new(ids_from: u64) -> Self {
        Self { ids_from, rows: Ring::new(ROWS_KEPT), by_change: Vec::new() }
    }

    /// The id that the next contact will get.
    pub(crate) fn next_id(&self) -> ContactId {
        ContactId(self.ids_from + self.rows.next())
    }

    pub(crate) fn get(&self, id: ContactId) -> Option<&Arc<Contact>> {
        self.rows.get(id.0.checked_sub(self.ids_from)?)
    }

    /// All, in the order in which they were created.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Contact>> {
        self.rows.iter().map(|(_, contact)| contact)
    }

    /// Adds a contact that was made with [`Self::next_id`].
    pub(crate) fn insert(&mut self, contact: Arc<Contact>) {
        self.index(&contact);
        if let (_, Some((_, gone))) = self.rows.push(contact) {
            self.forget(&gone);
        }
    }

    /// Puts a contact in the place of the one with the same id.
    pub(crate) fn replace(&mut self, contact: Arc<Contact>) {
        let number = contact.id.0.saturating_sub(self.ids_from);
        let Some(row) = self.rows.get_mut(number) else { return };
        let former = std::mem::replace(row, Arc::clone(&contact));
        self.forget(&former);
        self.index(&contact);
    }

    /// Contacts that changed at `since` or later, by time of change, then by id.
    pub(crate) fn changed_since(&self, since: Option<Timestamp>, skip: usize, take: usize) -> Found {
        let first = since.map_or(0, |since| self.by_change.partition_point(|(time, _)| *time < since));
        let found = &self.by_change[first..];
        let page = found.iter().skip(skip).take(take);
        Found { contacts: page.filter_map(|(_, id)| self.get(*id).cloned()).collect(), total: found.len() }
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.by_change = Vec::new();
    }

    fn index(&mut self, contact: &Contact) {
        let key = (contact.updated_at, contact.id);
        if let Err(position) = self.by_change.binary_search(&key) {
            self.by_change.insert(position, key);
        }
    }

    fn forget(&mut self, contact: &Contact) {
        if let Ok(position) = self.by_change.binary_search(&(contact.updated_at, contact.id)) {
            self.by_change.remove(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn contact(id: ContactId, micros: i64) -> Arc<Contact> {
        let members = Map::from_iter([("email".to_owned(), json!("a@b"))]);
        Arc::new(Contact::create(id, members, Timestamp::from_micros(micros)).unwrap())
    }

    fn ids(contacts: &Contacts, since: i64, skip: usize) -> (Vec<u64>, usize) {
        let found = contacts.changed_since(Some(Timestamp::from_micros(since)), skip, 3);
        (found.contacts.iter().map(|contact| contact.id.0).collect(), found.total)
    }

    #[test]
    fn keeps_the_order_of_changes_over_more_contacts_than_it_keeps() {
        let mut contacts = Contacts::new(1000);
        let count = ROWS_KEPT as u64 + 2;
        for _ in 0..count {
            let id = contacts.next_id();
            contacts.insert(contact(id, if id.0.is_multiple_of(2) { 5 } else { 9 }));
        }

        assert_eq!(contacts.get(ContactId(1002)), None);
        assert_eq!(ids(&contacts, 0, 0), (vec![1004, 1006, 1008], ROWS_KEPT));
        assert_eq!(ids(&contacts, 6, 1), (vec![1005, 1007, 1009], ROWS_KEPT / 2));
        assert_eq!(ids(&contacts, 6, ROWS_KEPT / 2 - 1), (vec![1001 + ROWS_KEPT as u64], ROWS_KEPT / 2));
    }

    #[test]
    fn moves_a_contact_that_changes() {
        let mut contacts = Contacts::new(1000);
        for micros in [1, 2, 3] {
            contacts.insert(contact(contacts.next_id(), micros));
        }
        contacts.replace(contact(ContactId(1001), 3));
        contacts.replace(contact(ContactId(9999), 3));

        assert_eq!(ids(&contacts, 0, 0), (vec![1002, 1001, 1003], 3));
        contacts.clear();
        assert_eq!((ids(&contacts, 0, 0), contacts.next_id()), ((Vec::new(), 0), ContactId(1004)));
    }
}
