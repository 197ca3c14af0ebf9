//! XML: its text is what expressions see. It is not read, only decoded.

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use patchbay_types::Fault;

/// The text of a body, which must be UTF-8 and must not say that it is anything else.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<String, Fault> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    for (name, value) in parameters {
        if name.trim().eq_ignore_ascii_case("charset") {
            check(value.trim().trim_matches('"'))?;
        }
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(Fault::invalid("the body is not UTF-8; XML is taken in UTF-8 only"));
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(encoding) = declared(text) {
        check(encoding)?;
    }
    Ok(text.to_owned())
}

/// The encoding in the XML declaration (<https://www.w3.org/TR/xml/#NT-EncodingDecl>).
fn declared(text: &str) -> Option<&str> {
    let (declaration, _) = text.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, after) = declaration.split_once("encoding")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    after[1..].split(quote).next()
}

/// US-ASCII is a part of UTF-8.
fn check(encoding: &str) -> Result<(), Fault> {
    if ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| encoding.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let encoding: String = encoding.chars().take(40).collect();
    Err(Fault::invalid(format!("the body says that it is {encoding:?}; XML is taken in UTF-8 only")))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn xml(content_type: &'static str, body: &[u8]) -> Result<String, Fault> {
        read(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]), body)
    }

    #[test]
    fn is_the_text_as_it_was_given() {
        let text = "<?xml version='1.0' encoding='UTF-8'?>\r\n<a b=\"1\">\u{e9} {{ x }}</a>\n";
        assert_eq!(xml("application/xml", text.as_bytes()), Ok(text.to_owned()));
        assert_eq!(xml("text/xml; charset=\"utf-8\"", b"\xef\xbb\xbf<a/>"), Ok("<a/>".to_owned()));
        assert_eq!(xml("text/xml", b"<a>encoding=\"latin1\"</a>"), Ok("<a>encoding=\"latin1\"</a>".to_owned()));
    }

    #[test]
    fn refuses_other_encodings() {
        let declared = b"<?xml version=\"1.0\" encoding = \"windows-1251\" ?><a/>";
        assert!(xml("text/xml", declared).unwrap_err().message.contains("windows-1251"));
        assert!(xml("text/xml; Charset=ISO-8859-1", b"<a/>").unwrap_err().message.contains("ISO-8859-1"));
        assert!(xml("text/xml", b"<a>\xe9</a>").unwrap_err().message.contains("not UTF-8"));
        assert!(xml("text/xml", b"<?xml encoding=\"\xff").is_err());
    }
}
