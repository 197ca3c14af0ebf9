//! From the text of a URL to what the client calls.

use bytes::Bytes;
use http::Uri;
use url::Url;

use crate::error::{Kind, SendError};

/// Reads a URL in the way of browsers, so that `http://0x7f.1/` is the loopback address here as everywhere, and
/// gives back its normal form.
pub(crate) fn parse(text: &str) -> Result<Uri, SendError> {
    // The URL standard drops tabs and line breaks silently; in a template they are an injected value.
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(invalid("the url has a control character"));
    }
    let mut url = Url::parse(text).map_err(|error| invalid("the url can't be read").caused_by(error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("the url is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("the url has user info; send credentials in a header"));
    }
    url.set_fragment(None);
    Uri::from_maybe_shared(Bytes::from(String::from(url)))
        .map_err(|error| invalid("the url can't be called").caused_by(error))
}

fn invalid(message: &'static str) -> SendError {
    SendError::unsent(Kind::InvalidUrl, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_normal_form() {
        let forms = [
            ("https://API.example.com", "https://api.example.com/"),
            ("https://api.example.com:443/a b?q=ä#part", "https://api.example.com/a%20b?q=%C3%A4"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://2130706433:8080/x", "http://127.0.0.1:8080/x"),
            ("http://017700000001/", "http://127.0.0.1/"),
            ("http://127.1/", "http://127.0.0.1/"),
            ("http://[::FFFF:127.0.0.1]:81/", "http://[::ffff:7f00:1]:81/"),
            ("http://１２７.0.0.1/", "http://127.0.0.1/"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("http:/\\host/x", "http://host/x"),
        ];
        for (text, normal) in forms {
            assert_eq!(parse(text).unwrap().to_string(), normal, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_plain_http_url() {
        let wrong = [
            ("", "the url can't be read"),
            ("/relative", "the url can't be read"),
            ("https://", "the url can't be read"),
            ("http://1.2.3.4.5/", "the url can't be read"),
            ("http://[fe80::1%25eth0]/", "the url can't be read"),
            ("file:///etc/passwd", "the url is neither http nor https"),
            ("gopher://host/", "the url is neither http nor https"),
            ("http://user@host/", "the url has user info; send credentials in a header"),
            ("http://:secret@host/", "the url has user info; send credentials in a header"),
            ("http://host/a\r\nX-Injected: 1", "the url has a control character"),
            ("http://ho\tst/", "the url has a control character"),
        ];
        for (text, message) in wrong {
            let error = parse(text).unwrap_err();
            assert_eq!((error.kind, error.to_string().as_str()), (Kind::InvalidUrl, message), "{text}");
        }
    }
}
