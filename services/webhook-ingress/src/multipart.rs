//! `multipart/form-data` (RFC 7578): fields by the same names as in other forms, and files.
//!
//! A file is `{"filename", "content_type", "size", "text"}` when it is UTF-8, else it has `base64` in place of `text`. A
//! field without a file name is its text; one that is no UTF-8 is given like a file, with the file name null.

use std::convert::Infallible;

use axum::http::{
    HeaderMap,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use multer::Multipart;
use patchbay_types::Fault;
use serde_json::{Value, json};

use crate::form::Fields;

/// The fields and files of a whole body. Its parts count as the fields of a form.
pub(crate) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Value, Fault> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|error| refusal(&error))?;
    if boundary.is_empty() {
        return Err(refusal(&multer::Error::NoBoundary));
    }
    let whole = stream::iter([Ok::<_, Infallible>(body.clone())]);
    // The body is all there, so the reader never waits.
    let read = gather(Multipart::new(whole, boundary)).now_or_never();
    read.unwrap_or_else(|| Err(refusal(&multer::Error::IncompleteStream)))
}

async fn gather(mut parts: Multipart<'_>) -> Result<Value, Fault> {
    let mut fields = Fields::default();
    while let Some(part) = parts.next_field().await.map_err(|error| refusal(&error))? {
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(Fault::invalid("the body is not valid multipart/form-data: a part has no name"));
        };
        let headers = part.headers().clone();
        let filename = part.file_name().map(str::to_owned).or_else(|| extended_filename(&headers));
        let content = part.bytes().await.map_err(|error| refusal(&error))?;
        fields.add(&name, value(filename, &headers, &content))?;
    }
    Ok(fields.into_value())
}

fn value(filename: Option<String>, headers: &HeaderMap, content: &[u8]) -> Value {
    let text = std::str::from_utf8(content).ok();
    if let (None, Some(text)) = (&filename, text) {
        return text.into();
    }
    let content_type = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut file = json!({ "filename": filename, "content_type": content_type, "size": content.len() });
    match text {
        Some(text) => file["text"] = text.into(),
        None => file["base64"] = STANDARD.encode(content).into(),
    }
    file
}

/// The file name in the form of RFC 8187, which some senders write alone: `filename*=UTF-8''na%C3%AFve.txt`.
fn extended_filename(headers: &HeaderMap) -> Option<String> {
    let disposition = headers.get(CONTENT_DISPOSITION)?.to_str().ok()?;
    let parameter = disposition.split(';').find_map(|parameter| parameter.trim().strip_prefix("filename*="))?;
    let encoded = parameter.splitn(3, '\'').last()?;
    // Percent-encoding alone: a plus is a plus here.
    let encoded = encoded.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(encoded.as_bytes()).next().map(|(name, _)| name.into_owned()).or(Some(String::new()))
}

fn refusal(error: &multer::Error) -> Fault {
    Fault::invalid(format!("the body is not valid multipart/form-data: {error}"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use patchbay_types::fault::Code;

    use super::*;

    fn form(content_type: &str, body: &[u8]) -> Result<Value, Fault> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap())]);
        read(&headers, &Bytes::copy_from_slice(body))
    }

    fn part(head: &str, content: &[u8]) -> Vec<u8> {
        let head = format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    }

    fn parts(parts: &[Vec<u8>]) -> Result<Value, Fault> {
        form("multipart/form-data; boundary=x", &[parts.concat(), b"--x--\r\n".to_vec()].concat())
    }

    #[test]
    fn fields_have_nested_names_and_files_their_content() {
        let read = parts(&[
            part("name=\"lead[name]\"", "Ann \u{1f600}\r\n{{ x }}".as_bytes()),
            part("name=\"lead[tags][]\"", b"a"),
            part("name=\"lead[tags][]\"", b"b"),
            part("name=\"doc\"; filename=\"cv.txt\"\r\nContent-Type: text/plain", "h\u{e9}llo".as_bytes()),
            part("name=\"photo\"; filename=\"\u{444}.png\"\r\nContent-Type: image/png", b"\x89PNG\xff"),
            part("name=\"none\"; filename=\"\"", b""),
        ]);
        let expected = json!({
            "lead": {"name": "Ann \u{1f600}\r\n{{ x }}", "tags": ["a", "b"]},
            "doc": {"filename": "cv.txt", "content_type": "text/plain", "size": 6, "text": "h\u{e9}llo"},
            "photo": {"filename": "\u{444}.png", "content_type": "image/png", "size": 5, "base64": "iVBOR/8="},
            "none": {"filename": "", "content_type": null, "size": 0, "text": ""},
        });
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn reads_file_names_that_are_percent_encoded() {
        let read = parts(&[part("name=\"f\"; filename*=UTF-8''na%C3%AFve+1.txt", b"x")]).unwrap();
        assert_eq!(read["f"]["filename"], "na\u{ef}ve+1.txt");
    }

    #[test]
    fn a_field_that_is_no_text_is_not_lost() {
        let read = parts(&[part("name=\"f\"", b"\xff\xfe")]);
        let expected = json!({"f": {"filename": null, "content_type": null, "size": 2, "base64": "//4="}});
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn refuses_what_is_not_whole() {
        let bodies: [&[u8]; 7] = [
            b"",
            b"nothing",
            b"--x",
            b"--x\r\n",
            b"--x\r\nContent-Disposition: form-data; name=\"a\"",
            b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue",
            b"--x\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n--x--",
        ];
        for body in bodies {
            let refused = form("multipart/form-data; boundary=x", body).unwrap_err();
            assert_eq!(refused.code, Code::InvalidArgument, "{}", String::from_utf8_lossy(body));
        }
        for content_type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary"] {
            assert_eq!(form(content_type, b"--x--").unwrap_err().code, Code::InvalidArgument, "{content_type}");
        }
    }

    #[test]
    fn parts_are_counted_like_fields() {
        let many = vec![part("name=\"a\"", b"1"); 10_001];
        assert_eq!(parts(&many).unwrap_err().code, Code::TooLarge);
    }
}
