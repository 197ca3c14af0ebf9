//! Times as callers write them.

use std::time::Duration;

use patchbay_types::Timestamp;

/// The length of a time that is written in full, up to microseconds.
const FULL_LENGTH: usize = "2026-01-31T08:00:00.000000Z".len();

/// Reads RFC 3339 of any precision and offset, to the microsecond.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let (local, rest) = text.split_at_checked(19)?;
    let offset_at = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, offset) = rest.split_at(offset_at);
    let full = format!("{}.{}Z", local.to_ascii_uppercase(), micros(fraction)?);
    let local: Timestamp = serde_json::from_value(full.as_str().into()).ok()?;
    // A day or an hour that does not exist was read as another one.
    if local.to_string() != full {
        return None;
    }
    let time = shifted(local, offset)?;
    // Beyond the years of four digits a time could not be read again.
    (time.to_string().len() == FULL_LENGTH && !time.to_string().starts_with('-')).then_some(time)
}

/// Six digits of `.5`, of `.1234567` or of nothing.
fn micros(fraction: &str) -> Option<String> {
    let digits = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => "",
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
        _ => return None,
    };
    Some(digits.chars().chain("000000".chars()).take(6).collect())
}

/// What `local` is in UTC under an offset such as `Z` or `+03:00`.
fn shifted(local: Timestamp, offset: &str) -> Option<Timestamp> {
    if offset.eq_ignore_ascii_case("z") {
        return Some(local);
    }
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let part = |text: &str, most: u64| -> Option<u64> {
        let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|number| fits && *number <= most)
    };
    let ahead = Duration::from_secs((part(hours, 23)? * 60 + part(minutes, 59)?) * 60);
    Some(if offset.starts_with('+') { local.before(ahead) } else { local.after(ahead) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_precision_and_offset() {
        for (text, expected) in [
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000000Z"),
            ("2026-01-31t08:00:00.5z", "2026-01-31T08:00:00.500000Z"),
            ("2026-01-31T08:00:00.123456789Z", "2026-01-31T08:00:00.123456Z"),
            ("2026-01-31T01:30:00+03:00", "2026-01-30T22:30:00.000000Z"),
            ("2026-01-31T23:30:00.25-01:30", "2026-02-01T01:00:00.250000Z"),
        ] {
            assert_eq!(parse(text).map(|time| time.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "noon",
            "2026-01-31",
            "2026-01-31T08:00:00",
            "2026-01-31 08:00:00Z",
            "2026-02-30T08:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T08:00:00.Z",
            "2026-01-31T08:00:00.5xZ",
            "2026-01-31T08:00:00Z0",
            "2026-01-31T08:00:00+3:00",
            "2026-01-31T08:00:00+24:00",
            "2026-01-31T08:00:00+",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2026-01-31T08:00:0äZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
