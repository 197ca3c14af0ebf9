//! Points in time and days, as people and programs write them.

use patchbay_types::Timestamp;

/// Numbers above this are milliseconds: as seconds it would be the year 5138.
const MAX_SECONDS: i64 = 100_000_000_000;
/// The end of the year 9999, in seconds.
const LAST_SECOND: i64 = 253_402_300_799;
const DATE_LENGTH: usize = "2026-01-31".len();
const TIME_LENGTH: usize = "08:00:00".len();

/// A number of seconds or milliseconds since 1970 as text of RFC 3339.
pub(super) fn from_number(number: i64) -> Option<String> {
    let micros = if number.abs() > MAX_SECONDS { number.checked_mul(1_000)? } else { number.checked_mul(1_000_000)? };
    let in_range = (0..=LAST_SECOND).contains(&micros.div_euclid(1_000_000));
    in_range.then(|| Timestamp::from_micros(micros).to_string().replace(".000000Z", "Z"))
}

/// A point in time as text of RFC 3339. A day alone is its beginning, and a time without an offset is UTC.
pub(super) fn to_datetime(text: &str) -> Option<String> {
    if let Ok(number) = text.parse::<i64>() {
        return from_number(number);
    }
    let (date, rest) = text.split_at_checked(DATE_LENGTH)?;
    if !is_date(date) {
        return None;
    }
    if rest.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = match rest.split_at_checked(TIME_LENGTH).filter(|(time, _)| is_time(time)) {
        Some((time, rest)) => (time.to_owned(), rest),
        // Without seconds, as forms of browsers send it.
        None => {
            let (time, rest) = rest.split_at_checked("08:00".len())?;
            (format!("{time}:00"), rest)
        }
    };
    let (fraction, offset) = split_fraction(rest)?;
    let offset = match offset.trim_start() {
        "" | "Z" | "z" => "Z".to_owned(),
        offset => offset_of(offset)?,
    };
    is_time(&time).then(|| format!("{date}T{time}{fraction}{offset}"))
}

/// A day as text like `2026-01-31`; of a point in time the day as it is written.
pub(super) fn to_date(text: &str) -> Option<String> {
    if text.len() == DATE_LENGTH && is_date(text) {
        return Some(text.to_owned());
    }
    to_datetime(text).map(|mut moment| {
        moment.truncate(DATE_LENGTH);
        moment
    })
}

fn is_date(text: &str) -> bool {
    let (Some(year), Some(month), Some(day)) = (number(text, 0, 4), number(text, 5, 7), number(text, 8, 10)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    text.len() == DATE_LENGTH && separated(text, &[4, 7], b'-') && (1..=days).contains(&day)
}

/// A time of day; 60 is a leap second.
fn is_time(text: &str) -> bool {
    let (Some(hour), Some(minute), Some(second)) = (number(text, 0, 2), number(text, 3, 5), number(text, 6, 8)) else {
        return false;
    };
    text.len() == TIME_LENGTH && separated(text, &[2, 5], b':') && hour < 24 && minute < 60 && second <= 60
}

/// `.25+03:00` becomes `.25` and `+03:00`.
fn split_fraction(text: &str) -> Option<(&str, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some(("", text)) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&length).then(|| text.split_at(length + 1))
}

/// `+03:00`, also when it is written `+0300` or `+03`.
fn offset_of(text: &str) -> Option<String> {
    let sign = text.get(..1).filter(|sign| ["+", "-"].contains(sign))?;
    let digits = text[1..].replacen(':', "", 1);
    let (hour, minute) = match digits.len() {
        2 => (number(&digits, 0, 2)?, 0),
        4 => (number(&digits, 0, 2)?, number(&digits, 2, 4)?),
        _ => return None,
    };
    (hour < 24 && minute < 60).then(|| format!("{sign}{hour:02}:{minute:02}"))
}

fn number(text: &str, from: usize, to: usize) -> Option<u32> {
    let digits = text.get(from..to)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn separated(text: &str, places: &[usize], separator: u8) -> bool {
    places.iter().all(|place| text.as_bytes().get(*place) == Some(&separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_forms() {
        for (text, expected) in [
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31t08:00:00.123456+03:00", "2026-01-31T08:00:00.123456+03:00"),
            ("2026-01-31 08:00:00", "2026-01-31T08:00:00Z"),
            ("2026-01-31 08:00:00 +0300", "2026-01-31T08:00:00+03:00"),
            ("2026-01-31T08:00-05", "2026-01-31T08:00:00-05:00"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("1709210096", "2024-02-29T12:34:56Z"),
            ("1709210096000", "2024-02-29T12:34:56Z"),
            ("1709210096007", "2024-02-29T12:34:56.007000Z"),
        ] {
            assert_eq!(to_datetime(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for text in [
            "",
            "soon",
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "31.01.2026",
            "2026-01-31T24:00:00Z",
            "2026-01-31T08",
            "2026-01-31T08:00:00.Z",
            "2026-01-31T08:00:00+25:00",
            "2026-01-31T08:00:00Zx",
            "2026-01-31T08:00:00+é",
            "2026-01-3é",
            "-5",
            "99999999999999999",
        ] {
            assert_eq!(to_datetime(text), None, "{text}");
        }
    }

    #[test]
    fn the_day_of_a_moment_is_the_written_one() {
        assert_eq!(to_date("2026-01-31").as_deref(), Some("2026-01-31"));
        assert_eq!(to_date("2026-01-31T23:30:00-11:00").as_deref(), Some("2026-01-31"));
        assert_eq!(to_date("2026-02-30"), None);
    }
}
