//! What leads from one page to the next.

use http::{HeaderMap, header};
use url::Url;

/// The longest URL that is followed.
const MAX_URL_BYTES: usize = 8 * 1024;

/// The absolute form of a link in an answer to `from`.
///
/// # Errors
/// When it is no URL, or leads to another origin than `from`, where the credentials have no business.
pub(super) fn resolve(from: &str, link: &str) -> Result<String, String> {
    if link.len() > MAX_URL_BYTES {
        return Err(format!("the URL of the next page is longer than {MAX_URL_BYTES} bytes"));
    }
    let from = Url::parse(from).map_err(|_| "the URL of this page is none".to_owned())?;
    let next = from.join(link).map_err(|_| "the URL of the next page is none".to_owned())?;
    if next.origin() != from.origin() {
        return Err("the URL of the next page leads to another host".to_owned());
    }
    if !next.username().is_empty() || next.password().is_some() {
        return Err("the URL of the next page has credentials in it".to_owned());
    }
    Ok(next.into())
}

/// The target of the first link with `rel="next"` (RFC 8288, section 3).
pub(super) fn link_of(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(links).find(|(_, relations)| relations.contains(&"next".to_owned())).map(|(target, _)| target)
}

/// The targets of a header, each with its relations in lower case.
fn links(text: &str) -> Vec<(String, Vec<String>)> {
    let mut links = Vec::new();
    let mut rest = text;
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, inside)| inside.split_once('>')) {
        let end = end_of_parameters(after);
        let parameters = after[..end].split(';').filter_map(|parameter| parameter.split_once('='));
        let relation = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("rel"));
        let relation = relation.map_or("", |(_, relation)| relation.trim().trim_matches('"'));
        let relations = relation.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        links.push((target.trim().to_owned(), relations));
        rest = &after[end..];
    }
    links
}

/// Where the comma before the next link is, outside quotes.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return position,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_next_link() {
        for (text, expected) in [
            ("<https://a.test/x?page=2>; rel=\"next\"", Some("https://a.test/x?page=2")),
            ("</x?a=1,2>; rel=prev, </y>; title=\"a, <b>\"; rel=\"last next\"", Some("/y")),
            ("</x>; REL=Next", Some("/x")),
            ("</x>; rel=\"nextish\"", None),
            ("</x>", None),
            ("<<<", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, text.parse().unwrap());
            assert_eq!(link_of(&headers).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn stays_at_the_partner() {
        let from = "https://a.test:8443/v1/x?page=1";
        for (link, expected) in [
            ("https://a.test:8443/v1/x?page=2", Some("https://a.test:8443/v1/x?page=2")),
            ("/v1/x?page=2", Some("https://a.test:8443/v1/x?page=2")),
            ("?page=2", Some("https://a.test:8443/v1/x?page=2")),
            ("https://a.test/v1/x", None),
            ("http://a.test:8443/v1/x", None),
            ("//b.test:8443/x", None),
            ("https://user@a.test:8443/x", None),
            ("https://a.test:8443@b.test/x", None),
            ("file:///etc/passwd", None),
            ("https://[", None),
        ] {
            assert_eq!(resolve(from, link).ok().as_deref(), expected, "{link}");
        }
    }
}
