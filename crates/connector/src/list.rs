//! Lists that fields are chosen from.

mod next;
mod page;
mod read;

use std::{fmt, sync::Arc};

use patchbay_egress::{Request, Response, SendError};
use patchbay_flow::expression::{Expression, Name, Scope, Value};

use crate::{
    Choice, ErrorClass, Failure, FieldFault, FieldType,
    call::{Http, RequestTemplate},
    outcome::{Action, Secrets},
};

pub(crate) use page::{Paging, PagingKind, Size};

/// A list that fields are chosen from: fixed by the manifest, or read from the account in pages.
#[derive(Debug)]
pub struct List {
    pub(crate) name: String,
    pub(crate) depends_on: Vec<String>,
    pub(crate) source: Source,
}

#[derive(Debug)]
pub(crate) enum Source {
    Static(Vec<Choice>),
    Account(Box<AccountList>),
}

#[derive(Debug)]
pub(crate) struct AccountList {
    pub(crate) http: Arc<Http>,
    pub(crate) request: RequestTemplate,
    pub(crate) items: Expression,
    pub(crate) key: Expression,
    pub(crate) label: Expression,
    /// Of custom fields.
    pub(crate) kind: Option<Expression>,
    /// Of custom fields.
    pub(crate) required: Option<Expression>,
    /// Stands in for the success of the whole partner.
    pub(crate) success: Option<Expression>,
    /// Whether an expression of it looks at headers.
    pub(crate) sees_headers: bool,
    pub(crate) paging: Option<Paging>,
    pub(crate) max_pages: u32,
}

/// Where in a list one is. Only the list that gave it can read on from it.
#[derive(Clone, Default)]
pub struct Page {
    index: u32,
    at: Position,
}

#[derive(Clone, Default)]
enum Position {
    #[default]
    Start,
    Number(u64),
    Offset(u64),
    Cursor(Value),
    Url(String),
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// The items, in the partner's order.
    pub items: Vec<ListItem>,
    /// The page after it, when there is one that is read.
    pub next: Option<Page>,
    /// Whether the list goes on, but is not read any further: the page has too many items, or it is the last of
    /// those that may be read and leads to another. Of partners that count pages or items only an empty or a short
    /// page says that the list has ended.
    pub cut: bool,
}

/// What one may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// The value, as text.
    pub key: String,
    /// What people read; the key when the partner gives nothing.
    pub label: String,
    /// What the field holds, of lists of custom fields; `any` when the partner's type is not one of ours.
    pub kind: Option<FieldType>,
    /// Whether the field must be given, of lists of custom fields.
    pub required: bool,
}

impl List {
    /// The name, as fields refer to it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields that must be filled in before it can be read.
    #[must_use]
    pub fn depends_on(&self) -> &[String] {
        &self.depends_on
    }

    /// Whether the manifest fixes it; then there is nothing to read.
    #[must_use]
    pub fn is_static(&self) -> bool {
        matches!(self.source, Source::Static(_))
    }

    /// The items of a fixed list; empty for others.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        match &self.source {
            Source::Static(choices) => choices,
            Source::Account(_) => &[],
        }
    }

    /// The most pages that are read.
    #[must_use]
    pub fn max_pages(&self) -> u32 {
        match &self.source {
            Source::Static(_) => 0,
            Source::Account(list) => list.max_pages,
        }
    }

    /// Where reading begins.
    #[must_use]
    pub fn first(&self) -> Page {
        Page::default()
    }

    /// The call that reads a page. The input has the fields that the list depends on.
    ///
    /// # Errors
    /// When the list is fixed, or a template of the manifest gives nothing usable; the fault names the part of the
    /// request.
    pub fn request(&self, connection: &Value, input: &Value, page: &Page) -> Result<Request, FieldFault> {
        let Source::Account(list) = &self.source else {
            return Err(FieldFault::new(format!("lists.{}", self.name), "a fixed list is not read from the account"));
        };
        let scope = Scope::new().with(Name::Connection, connection.clone()).with(Name::Input, input.clone());
        list.request(&scope, page)
    }

    /// Reads how the call of a page ended.
    ///
    /// # Errors
    /// When the partner gave no page, with what to do about it.
    pub fn read(
        &self,
        connection: &Value,
        input: &Value,
        page: &Page,
        answer: Result<&Response, &SendError>,
    ) -> Result<ListPage, Failure> {
        let Source::Account(list) = &self.source else {
            let message = "a fixed list is not read from the account";
            return Err(Failure::new(Action::Fail, ErrorClass::Configuration, true, message, &Secrets::default()));
        };
        list.read(&self.name, connection, input, page, answer)
    }
}

/// Shows how many pages came before; a cursor or URL may hold what is nobody's business.
impl fmt::Debug for Page {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Page").field("index", &self.index).finish_non_exhaustive()
    }
}
