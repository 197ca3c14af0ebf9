//! How partners give a long list in pages.

use patchbay_egress::Request;
use patchbay_flow::expression::{Expression, Scope, Value};

use super::{AccountList, Page, Position};
use crate::{FieldFault, call::Extra};

/// How a partner pages.
#[derive(Debug)]
pub(crate) struct Paging {
    pub(crate) kind: PagingKind,
    /// Whether parameters go into the JSON body and not into the query.
    pub(crate) in_json: bool,
}

#[derive(Debug)]
pub(crate) enum PagingKind {
    Number { param: String, start: u64, size: Size },
    Offset { param: String, size: Size },
    Cursor { param: String, next: Expression, until_empty: bool },
    LinkHeader,
    NextUrl { next: Expression },
}

/// How many items a page has.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) param: Option<String>,
    pub(crate) size: Option<u32>,
    /// Whether a page of fewer is the last.
    pub(crate) until_short: bool,
}

impl Size {
    fn parameter(&self) -> Option<(&str, Value)> {
        Some((self.param.as_deref()?, Value::from(self.size?)))
    }

    /// Whether a page of this many items is the last.
    pub(super) fn ends_with(&self, items: usize) -> bool {
        let short =
            self.until_short && self.size.is_some_and(|size| items < usize::try_from(size).unwrap_or(usize::MAX));
        items == 0 || short
    }
}

impl AccountList {
    pub(super) fn request(&self, scope: &Scope, page: &Page) -> Result<Request, FieldFault> {
        let parameters = self.paging.as_ref().map(|paging| paging.parameters(page)).unwrap_or_default();
        let in_json = self.paging.as_ref().is_some_and(|paging| paging.in_json);
        let mut extra = Extra::default();
        if in_json {
            extra.json = &parameters;
        } else {
            extra.query = &parameters;
        }
        if let Position::Url(url) = &page.at {
            extra.url = Some(url);
        }
        self.request.build(&self.http, scope, self.http.timeout, &extra)
    }
}

impl Paging {
    fn parameters(&self, page: &Page) -> Vec<(&str, Value)> {
        let (param, value, size) = match (&self.kind, &page.at) {
            (PagingKind::Number { param, size, .. }, Position::Number(number)) => (param, Value::from(*number), size),
            (PagingKind::Number { param, start, size }, _) => (param, Value::from(*start), size),
            (PagingKind::Offset { param, size }, Position::Offset(offset)) => (param, Value::from(*offset), size),
            (PagingKind::Offset { param, size }, _) => (param, Value::from(0), size),
            (PagingKind::Cursor { param, .. }, Position::Cursor(cursor)) => return vec![(param, cursor.clone())],
            _ => return Vec::new(),
        };
        let mut parameters = vec![(param.as_str(), value)];
        parameters.extend(size.parameter());
        parameters
    }
}
