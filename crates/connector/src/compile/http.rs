//! What all calls have in common.

use patchbay_flow::expression::Name;

use super::{Compiler, MAX_DAY, expression::Sees};
use crate::{
    Budget, Field, FieldType, Rate,
    call::{ErrorRule, Http},
    manifest::document::{ActionKind, BudgetSection, ErrorSection},
};

impl Compiler<'_> {
    pub(super) fn http(&mut self, fields: &[Field]) -> Option<Http> {
        let section = &self.document().http;
        let base_url = self.text("http.base_url", &section.base_url, Sees::CONNECTION);
        if !section.base_url.starts_with("https://") && !section.base_url.starts_with("http://") {
            self.fail("http.base_url", "expected a URL that starts with `https://` or `http://`");
        }
        if section.base_url.contains(['?', '#']) {
            self.fail_with(
                "http.base_url",
                "expected a URL without `?` and `#`",
                "put parameters into `request.query`",
            );
        }
        let success = self.expression("http.success", &section.success, Sees::ANSWER);
        let rules = section.errors.iter().enumerate();
        let errors: Vec<_> =
            rules.filter_map(|(index, rule)| self.error_rule(&format!("http.errors[{index}]"), rule)).collect();
        let errors_see_headers = errors.iter().any(|rule| {
            rule.when.uses(Name::Headers) || rule.message.as_ref().is_some_and(|message| message.uses(Name::Headers))
        });
        let timeout = self.timeout("http.timeout", section.timeout);
        let idempotency = section.idempotency.as_ref();
        let idempotency = idempotency.and_then(|section| self.header("http.idempotency.header", &section.header));
        let auth = self.auth();
        let secrets = fields.iter().filter(|field| field.kind == FieldType::Secret);
        Some(Http {
            base_url: base_url?,
            timeout,
            success: success?,
            errors,
            errors_see_headers,
            idempotency,
            auth: auth?,
            secret_fields: secrets.map(|field| field.name.clone()).collect(),
        })
    }

    fn error_rule(&mut self, path: &str, rule: &ErrorSection) -> Option<ErrorRule> {
        if rule.action == ActionKind::RefreshThenRetry {
            let message = "`refresh_then_retry` needs a kind of auth with a token to renew, which this one has not";
            self.fail_with(&format!("{path}.action"), message, "use `reauthorize`");
        }
        let when = self.expression(&format!("{path}.when"), &rule.when, Sees::ANSWER);
        let message = rule.message.as_ref();
        let message = message.and_then(|text| self.text(&format!("{path}.message"), text, Sees::ANSWER));
        Some(ErrorRule { when: when?, action: rule.action, class: rule.class, message, known: rule.known })
    }

    pub(super) fn budget(&mut self) -> Budget {
        let Some(section) = &self.document().http.budget else { return Budget::default() };
        let BudgetSection { concurrency, requests, per, remaining_header, reset_header, retry_after } = section;
        let has_number = concurrency.is_some() || requests.is_some() || per.is_some();
        if !has_number && remaining_header.is_none() && reset_header.is_none() && retry_after.is_none() {
            let hint = "leave `budget` out where the partner does not say how many";
            self.fail_with("http.budget", "expected how many calls the partner takes, found nothing", hint);
        }
        for (name, number) in [("concurrency", *concurrency), ("requests", *requests)] {
            if number == Some(0) {
                self.fail(&format!("http.budget.{name}"), "expected a number above zero");
            }
        }
        let mut header = |name: &str, header: &Option<String>| {
            header.as_ref().and_then(|header| self.header(&format!("http.budget.{name}"), header))
        };
        let remaining_header = header("remaining_header", remaining_header);
        let reset_header = header("reset_header", reset_header);
        Budget { concurrency: *concurrency, rate: self.rate(section), remaining_header, reset_header }
    }

    fn rate(&mut self, section: &BudgetSection) -> Option<Rate> {
        let (requests, per) = match (section.requests, section.per) {
            (Some(requests), Some(per)) => (requests, per.0),
            (None, None) => return None,
            (Some(_), None) => {
                self.fail_with(
                    "http.budget",
                    "the key `per` is missing",
                    "`requests` counts in a time, such as `per: 1s`",
                );
                return None;
            }
            (None, Some(_)) => {
                self.fail_with(
                    "http.budget",
                    "the key `requests` is missing",
                    "`per` is the time that `requests` counts in",
                );
                return None;
            }
        };
        if per > MAX_DAY {
            self.fail("http.budget.per", "expected at most `24h`");
        }
        Some(Rate { requests, per })
    }
}
