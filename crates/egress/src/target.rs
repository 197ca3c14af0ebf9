//! From the text of a URL to what the client calls.

use bytes::Bytes;
use http::Uri;
use http::uri::Scheme;
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

/// Where a call of this URL goes, as `host:port`; nothing when it can't be called.
#[must_use]
pub fn destination(url: &str) -> Option<String> {
    let uri = parse(url).ok()?;
    Some(format!("{}:{}", uri.host()?, port(&uri)))
}

/// The port that is connected to.
pub(crate) fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or_else(|| if is_secure(uri) { 443 } else { 80 })
}

pub(crate) fn is_secure(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
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
            ("http://127.0.0.1./", "http://127.0.0.1/"),
            ("http://0x7F.0x0.0x0.0x1/", "http://127.0.0.1/"),
            ("http://0177.0.0.01/", "http://127.0.0.1/"),
            ("http://%31%32%37.0.0.1/", "http://127.0.0.1/"),
            ("http://127%2e0%2E0.1/", "http://127.0.0.1/"),
            ("http://１２７.0.0.1/", "http://127.0.0.1/"),
            ("http://127。0｡0．1/", "http://127.0.0.1/"),
            ("http://①②⑦.0.0.1/", "http://127.0.0.1/"),
            ("http://ⓛocalhost/", "http://localhost/"),
            ("http://loc\u{ad}alhost/", "http://localhost/"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("http:/\\host/x", "http://host/x"),
        ];
        for (text, normal) in forms {
            assert_eq!(parse(text).unwrap().to_string(), normal, "{text}");
        }
    }

    #[test]
    fn a_destination_has_the_port_of_its_scheme_unless_it_names_one() {
        let destinations = [
            ("https://API.example.com/x?token=hush", Some("api.example.com:443")),
            ("http://api.example.com", Some("api.example.com:80")),
            ("http://0x7f.1:8090/", Some("127.0.0.1:8090")),
            ("http://[::1]/", Some("[::1]:80")),
            ("http://user:hush@host/", None),
            ("ftp://host/", None),
            ("no url", None),
        ];
        for (url, expected) in destinations {
            assert_eq!(destination(url).as_deref(), expected, "{url}");
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
            ("http://host%2f@127.0.0.1/", "the url has user info; send credentials in a header"),
            ("http://127.0.0.1%00.example.com/", "the url can't be read"),
            ("http://host%0d%0a.example.com/", "the url can't be read"),
            ("http://4294967296/", "the url can't be read"),
            ("http://256.0.0.1/", "the url can't be read"),
            ("http://0x100000000/", "the url can't be read"),
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
