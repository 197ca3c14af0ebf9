//! Lists that fields are chosen from, and how partners page.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RequestSection;
use crate::Choice;

/// A list that fields are chosen from: fixed by `options`, or read from the account by `request`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["options"] },
    { "required": ["request", "items", "key", "label"] },
]))]
pub(crate) struct ListSection {
    /// The items of a fixed list.
    pub(crate) options: Option<Vec<Choice>>,
    /// Fields that must be filled in before the list can be read; `input` has them.
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
    /// The call that reads the list; its templates see `connection` and `input`.
    pub(crate) request: Option<RequestSection>,
    /// An expression that gives the items of an answer; sees `status`, `headers`, `body` and `input`.
    pub(crate) items: Option<String>,
    /// The value of an item: a path such as `id` inside the item, or an expression that sees `item`, `body` and
    /// `input`.
    pub(crate) key: Option<String>,
    /// What people read of an item, written like `key`.
    pub(crate) label: Option<String>,
    /// Of a list of custom fields: the name of the item's type, written like `key`.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// Of a list of custom fields: whether the item must be given, written like `key`.
    pub(crate) required: Option<String>,
    /// How the partner gives a long list in pages.
    pub(crate) page: Option<PageSection>,
    /// An expression that holds when the answer is a page, in place of `http.success`.
    pub(crate) success: Option<String>,
}

/// How the partner gives a long list in pages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageSection {
    /// The kind, which says what other keys there are.
    pub(crate) kind: PageKind,
    /// Of `number`, `offset` and `cursor`: the parameter that says which page.
    pub(crate) param: Option<String>,
    /// Of `number`: the first page; 1 when it is not here.
    pub(crate) start: Option<u64>,
    /// Of `number` and `offset`: the parameter that says how many items a page has.
    pub(crate) size_param: Option<String>,
    /// Of `number` and `offset`: how many items a page has.
    pub(crate) size: Option<u32>,
    /// When the last page was read; `empty` when it is not here, for `cursor` `no_next`.
    pub(crate) stop: Option<PageStop>,
    /// Of `cursor` and `next_url`: an expression that gives what leads to the next page; sees `status`, `headers`,
    /// `body` and `input`.
    pub(crate) next: Option<String>,
    /// Where the parameters go: `json` for requests with a JSON body and `query` for others when it is not here.
    #[serde(rename = "in")]
    pub(crate) place: Option<PagePlace>,
    /// The most pages that are read, from 1 to 1000; 20 when it is not here.
    pub(crate) max: Option<u32>,
}

/// How a partner pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PageKind {
    /// By the number of the page.
    Number,
    /// By the number of items to pass over.
    Offset,
    /// By a value that each page gives for the next.
    Cursor,
    /// By the header `Link` (RFC 8288) with `rel="next"`.
    LinkHeader,
    /// By a URL in the answer.
    NextUrl,
}

/// When the last page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PageStop {
    /// It has no items.
    Empty,
    /// It has fewer items than `size`.
    Short,
    /// It leads to no other.
    NoNext,
}

/// Where the parameters of a page go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PagePlace {
    /// Behind the path.
    Query,
    /// Into the JSON body.
    Json,
}
