//! How JSON from outside is taken: strictly parsed, but with what no double or string can hold made harmless first.

use std::borrow::Cow;

/// Integers of so many digits fit 64 bits, whatever they are.
const SAFE_DIGITS: usize = 18;

/// Rewrites what JSON's grammar allows but no common value type can hold:
/// a lone surrogate escape (`\ud800`) becomes U+FFFD, an integer beyond 64 bits or a number beyond a double
/// becomes a string with the same characters. Everything else stays byte for byte; a clean text is not copied.
/// It does not validate: a parser must still read the result.
#[must_use]
pub fn harmless(text: &[u8]) -> Cow<'_, [u8]> {
    let mut output: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut position = 0;
    while position < text.len() {
        match text[position] {
            b'"' => position = string_end(text, position + 1, &mut output, &mut copied),
            b'-' | b'0'..=b'9' => {
                let start = position;
                while position < text.len() && matches!(text[position], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
                {
                    position += 1;
                }
                if !fits(&text[start..position]) {
                    let output = output.get_or_insert_with(Vec::new);
                    output.extend_from_slice(&text[copied..start]);
                    output.push(b'"');
                    output.extend_from_slice(&text[start..position]);
                    output.push(b'"');
                    copied = position;
                }
            }
            _ => position += 1,
        }
    }
    match output {
        None => Cow::Borrowed(text),
        Some(mut output) => {
            output.extend_from_slice(&text[copied..]);
            Cow::Owned(output)
        }
    }
}

/// Walks a string from behind its opening quote to behind its closing one, mending lone surrogates on the way.
fn string_end(text: &[u8], mut position: usize, output: &mut Option<Vec<u8>>, copied: &mut usize) -> usize {
    while position < text.len() {
        match text[position] {
            b'"' => return position + 1,
            b'\\' => match surrogate(&text[position..]) {
                Some(0xD800..=0xDBFF) if matches!(surrogate(&text[position + 6..]), Some(0xDC00..=0xDFFF)) => {
                    position += 12
                }
                Some(_) => {
                    let output = output.get_or_insert_with(Vec::new);
                    output.extend_from_slice(&text[*copied..position]);
                    output.extend_from_slice(b"\\ufffd");
                    position += 6;
                    *copied = position;
                }
                None => position += 2,
            },
            _ => position += 1,
        }
    }
    text.len()
}

/// The surrogate code unit that is escaped at the start of `text`, if one is.
fn surrogate(text: &[u8]) -> Option<u16> {
    let digits = text.get(..6)?.strip_prefix(b"\\u")?;
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xD800..=0xDFFF).contains(&unit).then_some(unit)
}

/// Whether a number is held by 64 bits or a double. What is no number at all is left for the parser to refuse.
fn fits(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if digits.len() <= SAFE_DIGITS && !digits.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(number) else { return true };
    if digits.iter().all(u8::is_ascii_digit) {
        return text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    }
    text.parse::<f64>().ok().is_none_or(f64::is_finite)
}

/// One text for all spellings of the same value: keys sorted, no white space, one form of each number and string.
#[must_use]
pub fn canonical(value: &serde_json::Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> String {
        String::from_utf8(harmless(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn leaves_ordinary_json_alone() {
        let text = r#"{"a":[1,-2.5,1e3,123456789012345678],"b":"\ud83d\ude00 \"1e999\" \\","c":null}"#;
        assert!(matches!(harmless(text.as_bytes()), Cow::Borrowed(_)));
    }

    #[test]
    fn mends_lone_surrogates() {
        assert_eq!(mended(r#"["\ud800"]"#), r#"["\ufffd"]"#);
        assert_eq!(mended(r#"["\udc00x\ud83d\ud83d\ude00"]"#), r#"["\ufffdx\ufffd\ud83d\ude00"]"#);
        assert_eq!(mended(r#"["\\ud800"]"#), r#"["\\ud800"]"#);
    }

    #[test]
    fn keeps_the_digits_of_huge_numbers() {
        assert_eq!(
            mended("[12345678901234567890123,1e999,-1E+400]"),
            r#"["12345678901234567890123","1e999","-1E+400"]"#
        );
        assert_eq!(mended("[0.12345678901234567890,2e10]"), "[0.12345678901234567890,2e10]");
        let fit = "[9223372036854775807,-9223372036854775808,18446744073709551615]";
        assert_eq!(mended(fit), fit);
        assert_eq!(
            mended("[-9223372036854775809,18446744073709551616]"),
            r#"["-9223372036854775809","18446744073709551616"]"#
        );
    }

    #[test]
    fn never_panics_on_broken_text() {
        for text in ["\"", "\"\\", "\"\\u", "\"\\ud8", "-", "--", "1e", "[\"\\ud800\\u"] {
            let _ = harmless(text.as_bytes());
        }
    }

    #[test]
    fn canonical_form_forgets_order_and_space() {
        let one: serde_json::Value = serde_json::from_str(r#"{"b": 1, "a": "\u0041"}"#).unwrap();
        let other: serde_json::Value = serde_json::from_str(r#"{"a":"A","b":1}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
    }
}
