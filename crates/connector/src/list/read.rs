//! From the partner's answer to a page.

use patchbay_egress::{Response, SendError};
use patchbay_flow::expression::{Error, Expression, Name, Scope, Value, ValueKind, to_text};

use super::{AccountList, ListItem, ListPage, Page, PagingKind, Position, next};
use crate::{
    Failure, FieldType,
    call::{misread, unanswered},
};

/// A page is taken apart at once, so it may be larger than what a run keeps.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// The most items that are taken from one page.
const MAX_ITEMS: usize = 10_000;
const MAX_LABEL_CHARS: usize = 200;
const MAX_KEY_BYTES: usize = 1_000;

impl AccountList {
    pub(super) fn read(
        &self,
        name: &str,
        connection: &Value,
        input: &Value,
        page: &Page,
        answer: Result<&Response, &SendError>,
    ) -> Result<ListPage, Failure> {
        let response = answer
            .map_err(|error| unanswered(error.kind, error.sent, &error.to_string(), &self.http.secrets(connection)))?;
        let scope = self.http.scope(input, response, self.sees_headers);
        let success = self.success.as_ref().unwrap_or(&self.http.success);
        self.http.judge(success, &scope, connection, response)?;
        let wrong = |place: &str, reason: &str| {
            misread(&format!("lists.{name}.{place}"), reason, response, &self.http.secrets(connection))
        };
        let found =
            self.items.evaluate_within(&scope, MAX_PAGE_BYTES).map_err(|error| wrong("items", &error.to_string()))?;
        let found = match found.kind() {
            ValueKind::Undefined | ValueKind::None => Vec::new(),
            ValueKind::Seq => found.try_iter().into_iter().flatten().take(MAX_ITEMS + 1).collect(),
            _ => return Err(wrong("items", "expected a list")),
        };
        let has_more_items = found.len() > MAX_ITEMS;
        let found = &found[..found.len().min(MAX_ITEMS)];
        let mut items = Vec::with_capacity(found.len());
        for item in found {
            let scope = scope.clone().with(Name::Item, item.clone());
            items.extend(self.item(&scope).map_err(|(place, error)| wrong(place, &error.to_string()))?);
        }
        if has_more_items {
            return Ok(ListPage { items, next: None, cut: true });
        }
        let next =
            self.next(page, found.len(), &scope, connection, response).map_err(|reason| wrong("page", &reason))?;
        let is_last = page.index + 1 >= self.max_pages;
        Ok(match next {
            Some(_) if is_last => ListPage { items, next: None, cut: true },
            next => ListPage { items, next, cut: false },
        })
    }

    /// `None` when the item has no key.
    fn item(&self, scope: &Scope) -> Result<Option<ListItem>, (&'static str, Error)> {
        let evaluate = |place, expression: &Expression| expression.evaluate(scope).map_err(|error| (place, error));
        let text = |place, expression| {
            let value = evaluate(place, expression)?;
            to_text(&value).map_err(|error| (place, error))
        };
        let key = text("key", &self.key)?;
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Ok(None);
        }
        let label = text("label", &self.label)?;
        let label: String = label.chars().filter(|character| !character.is_control()).take(MAX_LABEL_CHARS).collect();
        let kind = match &self.kind {
            Some(kind) => Some(FieldType::parse(&text("type", kind)?).unwrap_or(FieldType::Any)),
            None => None,
        };
        let required = match &self.required {
            Some(required) => evaluate("required", required)?.is_true(),
            None => false,
        };
        let label = if label.trim().is_empty() { key.clone() } else { label.trim().to_owned() };
        Ok(Some(ListItem { key, label, kind, required }))
    }

    /// The page after this one, whether it may be read or not.
    fn next(
        &self,
        page: &Page,
        items: usize,
        scope: &Scope,
        connection: &Value,
        response: &Response,
    ) -> Result<Option<Page>, String> {
        let Some(paging) = &self.paging else { return Ok(None) };
        let at = match &paging.kind {
            PagingKind::Number { start, size, .. } => {
                let number = if let Position::Number(number) = page.at { number } else { *start };
                (!size.ends_with(items)).then(|| Position::Number(number.saturating_add(1)))
            }
            PagingKind::Offset { size, .. } => {
                let offset = if let Position::Offset(offset) = page.at { offset } else { 0 };
                let read = u64::try_from(items).unwrap_or(u64::MAX);
                (!size.ends_with(items)).then(|| Position::Offset(offset.saturating_add(read)))
            }
            PagingKind::Cursor { next, until_empty, .. } => {
                let cursor = next.evaluate(scope).map_err(|error| error.to_string())?;
                let repeated = matches!(&page.at, Position::Cursor(current) if *current == cursor);
                let ended = leads_nowhere(&cursor) || repeated || (*until_empty && items == 0);
                (!ended).then_some(Position::Cursor(cursor))
            }
            PagingKind::LinkHeader => self.follow(next::link_of(&response.headers), page, scope, connection)?,
            PagingKind::NextUrl { next } => {
                let link = next.evaluate(scope).map_err(|error| error.to_string())?;
                self.follow(link.as_str().filter(|link| !link.is_empty()).map(str::to_owned), page, scope, connection)?
            }
        };
        Ok(at.map(|at| Page { index: page.index + 1, at }))
    }

    fn follow(
        &self,
        link: Option<String>,
        page: &Page,
        scope: &Scope,
        connection: &Value,
    ) -> Result<Option<Position>, String> {
        let Some(link) = link else { return Ok(None) };
        let scope = scope.clone().with(Name::Connection, connection.clone());
        let current = self.request(&scope, page).map_err(|fault| fault.to_string())?.url;
        let next = next::resolve(&current, &link)?;
        let repeated = next == current || matches!(&page.at, Position::Url(current) if *current == next);
        Ok((!repeated).then_some(Position::Url(next)))
    }
}

fn leads_nowhere(cursor: &Value) -> bool {
    match cursor.kind() {
        ValueKind::Undefined | ValueKind::None => true,
        ValueKind::Bool => !cursor.is_true(),
        ValueKind::String => cursor.as_str().is_none_or(str::is_empty),
        _ => false,
    }
}
