//! Lists that fields are chosen from.

use std::{collections::BTreeSet, sync::Arc};

use patchbay_flow::expression::Name;

use super::{Compiler, MAX_LISTS, expression::Sees};
use crate::{
    List,
    call::{BodyTemplate, Http, RequestTemplate},
    list::{AccountList, Paging, PagingKind, Size, Source},
    manifest::document::{ListSection, PageKind, PagePlace, PageSection, PageStop},
};

const DEFAULT_PAGES: u32 = 20;
const MAX_PAGES: u32 = 1_000;
const MAX_PAGE_SIZE: u32 = 10_000;
const ITEM: &[Name] = &[Name::Item, Name::Body, Name::Input];
const DEPENDS_ON: &str = "a list sees the fields that it names in `depends_on`";
/// Words that begin an expression and not the name of a key.
const NO_KEYS: [&str; 9] = ["item", "body", "input", "true", "false", "none", "True", "False", "None"];

impl<'manifest> Compiler<'manifest> {
    pub(super) fn lists(&mut self, http: Option<&Arc<Http>>) -> Vec<Arc<List>> {
        let sections = &self.document().lists;
        if sections.len() > MAX_LISTS {
            self.fail("lists", format!("expected at most {MAX_LISTS} lists, found {}", sections.len()));
            return Vec::new();
        }
        let mut lists = Vec::new();
        for (name, section) in sections {
            let path = format!("lists.{name}");
            self.key(&path, name);
            let source = self.source(&path, section, http);
            let depends_on = section.depends_on.clone();
            lists.extend(source.map(|source| Arc::new(List { name: name.clone(), depends_on, source })));
        }
        lists
    }

    fn source(&mut self, path: &str, section: &'manifest ListSection, http: Option<&Arc<Http>>) -> Option<Source> {
        if !self.exclusive(path, &[("options", section.options.is_some()), ("request", section.request.is_some())]) {
            return None;
        }
        let given = [
            ("depends_on", !section.depends_on.is_empty()),
            ("items", section.items.is_some()),
            ("key", section.key.is_some()),
            ("label", section.label.is_some()),
            ("type", section.kind.is_some()),
            ("required", section.required.is_some()),
            ("page", section.page.is_some()),
            ("success", section.success.is_some()),
        ];
        if let Some(options) = &section.options {
            for (name, _) in given.iter().filter(|(_, given)| *given) {
                self.fail(&format!("{path}.{name}"), "has no meaning for a list with `options`");
            }
            self.options_of_list(&format!("{path}.options"), options);
            return Some(Source::Static(options.clone()));
        }
        if section.request.is_none() {
            self.fail(path, "expected one of the keys `options` and `request`");
            return None;
        }
        self.keys_of_kind(
            path,
            &given,
            &["items", "key", "label"],
            &["depends_on", "type", "required", "page", "success"],
        );
        self.account_list(path, section, http).map(|list| Source::Account(Box::new(list)))
    }

    fn options_of_list(&mut self, path: &str, options: &[crate::Choice]) {
        if options.is_empty() {
            self.fail(path, "expected options, found none");
        }
        for (index, choice) in options.iter().enumerate() {
            if options[..index].iter().any(|other| other.value == choice.value) {
                self.fail(&format!("{path}[{index}].value"), format!("the option `{}` is there twice", choice.value));
            }
        }
    }

    fn account_list(
        &mut self,
        path: &str,
        section: &'manifest ListSection,
        http: Option<&Arc<Http>>,
    ) -> Option<AccountList> {
        let input: Vec<&str> = section.depends_on.iter().map(String::as_str).collect();
        let are_known = self.check_dependencies(path, section);
        // What is wrong with their names is told once, and not again where they are used.
        let limited =
            |sees: Sees<'static>| if are_known { sees.with_input(&input).with_input_hint(DEPENDS_ON) } else { sees };
        let call = limited(Sees::CALL);
        let request = self.request(&format!("{path}.request"), section.request.as_ref()?, call);
        let answer = limited(Sees::ANSWER);
        let items = self.optional_expression(&format!("{path}.items"), section.items.as_ref(), answer);
        let success = self.optional_expression(&format!("{path}.success"), section.success.as_ref(), answer);
        let mut of_item = |name: &str, text: &Option<String>| {
            let text = item_expression(text.as_ref()?);
            self.expression(&format!("{path}.{name}"), &text, limited(Sees::new(ITEM)))
        };
        let key = of_item("key", &section.key);
        let label = of_item("label", &section.label);
        let kind = of_item("type", &section.kind);
        let required = of_item("required", &section.required);
        let page = section.page.as_ref();
        let paging =
            page.and_then(|page| self.paging(&format!("{path}.page"), page, section, request.as_ref()?, answer));
        let max_pages = page.map_or(1, |page| page.max.unwrap_or(DEFAULT_PAGES));
        let http = http?;
        let items = items?;
        let next = paging.as_ref().and_then(|paging| match &paging.kind {
            PagingKind::Cursor { next, .. } | PagingKind::NextUrl { next } => Some(next),
            _ => None,
        });
        let judged = success.as_ref().unwrap_or(&http.success);
        let sees_headers = [Some(judged), Some(&items), next].into_iter().flatten().any(|one| one.uses(Name::Headers));
        Some(AccountList {
            http: Arc::clone(http),
            request: request?,
            items,
            key: key?,
            label: label?,
            kind,
            required,
            success,
            sees_headers,
            paging,
            max_pages,
        })
    }

    /// What a list depends on must be a field of some operation; whether all of it is.
    fn check_dependencies(&mut self, path: &str, section: &ListSection) -> bool {
        let known = self.all_fields();
        let mut are_known = true;
        for (index, name) in section.depends_on.iter().enumerate() {
            let path = format!("{path}.depends_on[{index}]");
            if section.depends_on[..index].contains(name) {
                self.fail(&path, format!("`{name}` is there twice"));
            }
            if !known.contains(&name.as_str()) {
                are_known = false;
                self.unknown(&path, "field", name, &known);
            }
        }
        are_known
    }

    /// The names of the fields of all operations, each once.
    pub(super) fn all_fields(&self) -> Vec<&'manifest str> {
        let fields = self.document().operations.iter().flat_map(|operation| {
            let rows = operation.row_sections.iter().flat_map(|section| &section.fields);
            operation.fields.iter().chain(rows)
        });
        let names: BTreeSet<&str> = fields.filter_map(|field| field.name.as_deref()).collect();
        names.into_iter().collect()
    }

    fn paging(
        &mut self,
        path: &str,
        page: &'manifest PageSection,
        list: &'manifest ListSection,
        request: &RequestTemplate,
        sees: Sees<'_>,
    ) -> Option<Paging> {
        let (wanted, optional): (&[&str], &[&str]) = match page.kind {
            PageKind::Number => (&["param"], &["start", "size_param", "size", "stop", "in", "max"]),
            PageKind::Offset => (&["param"], &["size_param", "size", "stop", "in", "max"]),
            PageKind::Cursor => (&["param", "next"], &["stop", "in", "max"]),
            PageKind::LinkHeader => (&[], &["max"]),
            PageKind::NextUrl => (&["next"], &["max"]),
        };
        let given = [
            ("param", page.param.is_some()),
            ("start", page.start.is_some()),
            ("size_param", page.size_param.is_some()),
            ("size", page.size.is_some()),
            ("stop", page.stop.is_some()),
            ("next", page.next.is_some()),
            ("in", page.place.is_some()),
            ("max", page.max.is_some()),
        ];
        self.keys_of_kind(path, &given, wanted, optional);
        if page.max.is_some_and(|max| max == 0 || max > MAX_PAGES) {
            self.fail(&format!("{path}.max"), format!("expected a number from 1 to {MAX_PAGES}"));
        }
        let in_json = self.place(path, page, list, request);
        self.check_stop(path, page);
        let next = self.optional_expression(&format!("{path}.next"), page.next.as_ref(), sees);
        let param = page.param.clone();
        let kind = match page.kind {
            PageKind::Number => {
                PagingKind::Number { param: param?, start: page.start.unwrap_or(1), size: self.size(path, page) }
            }
            PageKind::Offset => PagingKind::Offset { param: param?, size: self.size(path, page) },
            PageKind::Cursor => {
                PagingKind::Cursor { param: param?, next: next?, until_empty: page.stop == Some(PageStop::Empty) }
            }
            PageKind::LinkHeader => PagingKind::LinkHeader,
            PageKind::NextUrl => PagingKind::NextUrl { next: next? },
        };
        Some(Paging { kind, in_json })
    }

    /// Whether the parameters go into the JSON body.
    fn place(&mut self, path: &str, page: &PageSection, list: &ListSection, request: &RequestTemplate) -> bool {
        let has_json = matches!(request.body, BodyTemplate::Json(_));
        let in_json = page.place.map_or(has_json, |place| place == PagePlace::Json);
        let json = list.request.as_ref().and_then(|request| request.json.as_ref());
        if in_json && !json.is_some_and(serde_json::Value::is_object) {
            let is_get = request.method == http::Method::GET;
            let hint = if is_get { "use `in: query`" } else { "give the request `json: {}`, or use `in: query`" };
            self.fail_with(&format!("{path}.in"), "the request has no object as `json` to put the page into", hint);
        }
        for (name, param) in [("param", &page.param), ("size_param", &page.size_param)] {
            let Some(param) = param else { continue };
            if !in_json && request.query.iter().any(|(other, _)| other == param) {
                self.fail(&format!("{path}.{name}"), format!("`{param}` is in the query of the request already"));
            }
        }
        if page.param.is_some() && page.param == page.size_param {
            self.fail(&format!("{path}.size_param"), "expected another parameter than `param`");
        }
        in_json
    }

    fn check_stop(&mut self, path: &str, page: &PageSection) {
        let path = format!("{path}.stop");
        match (page.kind, page.stop) {
            (PageKind::Number | PageKind::Offset, Some(PageStop::NoNext)) => {
                self.fail(&path, "expected `empty` or `short` for this kind, found `no_next`");
            }
            (PageKind::Number | PageKind::Offset, Some(PageStop::Short)) if page.size.is_none() => {
                self.fail(&path, "`short` has no meaning without `size`");
            }
            (PageKind::Cursor, Some(PageStop::Short)) => {
                self.fail(&path, "expected `empty` or `no_next` for this kind, found `short`");
            }
            _ => {}
        }
    }

    fn size(&mut self, path: &str, page: &PageSection) -> Size {
        if page.size.is_some_and(|size| size == 0 || size > MAX_PAGE_SIZE) {
            self.fail(&format!("{path}.size"), format!("expected a number from 1 to {MAX_PAGE_SIZE}"));
        }
        if page.size_param.is_some() && page.size.is_none() {
            self.fail(path, "the key `size` is missing");
        }
        let until_short = page.stop == Some(PageStop::Short);
        Size { param: page.size_param.clone(), size: page.size, until_short }
    }
}

/// A bare path such as `owner.name` is one inside the item.
fn item_expression(text: &str) -> String {
    let text = text.trim();
    let is_name = |name: &str| {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        plain && name.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_')
    };
    let first = text.split('.').next().unwrap_or_default();
    if text.split('.').all(is_name) && !NO_KEYS.contains(&first) { format!("item.{text}") } else { text.to_owned() }
}
