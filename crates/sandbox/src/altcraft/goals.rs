//! Goals: events of profiles, registered at a pixel.

use patchbay_types::Timestamp;
use serde::Serialize;
use serde_json::{Number, Value, json};

use crate::altcraft::Altcraft;
use crate::altcraft::envelope::{Refusal, Success};
use crate::altcraft::import::{self, Person};
use crate::altcraft::matching::Matching;
use crate::altcraft::parameters::{ITEMS_LIMIT, Parameters, missing};
use crate::ring::{ROWS_KEPT, Ring};

/// The one pixel of the account.
const PIXEL: i64 = 2;

const NAME_CHARACTERS: usize = 128;

const PIXEL_DATA_BYTES: usize = 1024;

/// What names may have besides letters, digits, spaces and currency signs.
const NAME_MARKS: &str = "!#$%&*+-.,:;'=?@^_()[]/\\|";

const TEXTS: [&str; 5] = ["vendor", "referer", "user_agent", "accept_language", "client_ip"];

/// A registered goal.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Goal {
    profile_id: String,
    email: Option<String>,
    db_id: i64,
    pixel_id: i64,
    goal: String,
    value: Number,
    /// When it was reached, as the request says.
    date: Option<String>,
    pixel_data: Value,
    is_test: bool,
    registered_at: Timestamp,
}

pub(crate) const fn none() -> Ring<Goal> {
    Ring::new(ROWS_KEPT)
}

/// `goals/register`: one goal by `goal` and `value`, or several by `goals`; all or none.
pub(crate) fn register(altcraft: &mut Altcraft, parameters: Parameters, now: Timestamp) -> Result<Success, Refusal> {
    let db_id = parameters.required_integer("db_id")?;
    let pixel_id = pixel(&parameters)?;
    let reached = reached(&parameters)?;
    let pixel_data = pixel_data(&parameters)?;
    let date = date(&parameters)?;
    let is_test = parameters.flag("is_test")?;
    parameters.flag("skip_triggers")?;
    parameters.flag("enrich_profile")?;
    for name in TEXTS {
        parameters.text(name)?;
    }
    let matching = Matching::of_existing(&parameters)?;
    let person = import::find_existing(&mut altcraft.databases, db_id, &matching)?;

    let Person { id, email, .. } = person;
    for (goal, value) in reached {
        altcraft.goals.push(Goal {
            profile_id: id.clone(),
            email: email.clone(),
            db_id,
            pixel_id,
            goal,
            value,
            date: date.clone(),
            pixel_data: pixel_data.clone(),
            is_test,
            registered_at: now,
        });
    }
    Ok(Success::new([]))
}

fn pixel(parameters: &Parameters) -> Result<i64, Refusal> {
    match parameters.required_integer("pixel_id")? {
        PIXEL => Ok(PIXEL),
        other => Err(Refusal::not_found(format!("Pixel {other} not found"))),
    }
}

/// The names and values of what was reached.
fn reached(parameters: &Parameters) -> Result<Vec<(String, Number)>, Refusal> {
    let Some(goals) = parameters.get("goals") else {
        return Ok(vec![one(parameters.get("goal"), parameters.get("value"))?]);
    };
    match goals.as_array() {
        None => Err(Refusal::bad("Incorrect request: goals is not a list")),
        Some(goals) if goals.is_empty() => Err(missing("goal")),
        Some(goals) if goals.len() > ITEMS_LIMIT => {
            Err(Refusal::bad(format!("Incorrect request: goals has more than {ITEMS_LIMIT} items")))
        }
        Some(goals) => goals.iter().map(|goal| one(goal.get("goal"), goal.get("value"))).collect(),
    }
}

fn one(name: Option<&Value>, value: Option<&Value>) -> Result<(String, Number), Refusal> {
    let name = name.and_then(Value::as_str).filter(|name| !name.is_empty()).ok_or_else(|| missing("goal"))?;
    if name.chars().count() > NAME_CHARACTERS {
        return Err(Refusal::bad(format!("Incorrect request: goal has more than {NAME_CHARACTERS} characters")));
    }
    if let Some(wrong) = name.chars().find(|character| !is_allowed(*character)) {
        return Err(Refusal::bad(format!("Incorrect request: goal has the character {wrong:?}")));
    }
    match value {
        None | Some(Value::Null) => Ok((name.to_owned(), 0.into())),
        Some(Value::Number(value)) => Ok((name.to_owned(), value.clone())),
        Some(_) => Err(Refusal::bad("Incorrect request: value is not a number")),
    }
}

/// Latin and Cyrillic letters, digits, spaces, currency signs and some marks.
fn is_allowed(character: char) -> bool {
    let is_cyrillic = matches!(character, '\u{400}'..='\u{52f}');
    let is_currency = matches!(character, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}');
    character.is_ascii_alphanumeric()
        || character == ' '
        || is_cyrillic
        || is_currency
        || NAME_MARKS.contains(character)
}

/// The values of `pixel_data` are plain, or lists of plain ones.
fn pixel_data(parameters: &Parameters) -> Result<Value, Refusal> {
    let Some(members) = parameters.object("pixel_data")? else { return Ok(Value::Null) };
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    for (name, value) in members {
        let is_flat = match value {
            Value::Array(values) => values.iter().all(is_plain),
            value => is_plain(value),
        };
        if !is_flat {
            return Err(Refusal::bad(format!("Incorrect request: {name} in pixel_data is nested")));
        }
    }
    let data = json!(members);
    if data.to_string().len() > PIXEL_DATA_BYTES {
        return Err(Refusal::bad(format!("Incorrect request: pixel_data is larger than {PIXEL_DATA_BYTES} bytes")));
    }
    Ok(data)
}

fn date(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    match parameters.text("date")? {
        Some(text) if !is_date(&text) => Err(Refusal::bad("Incorrect request: date is not a time of RFC 3339")),
        other => Ok(other),
    }
}

/// Whether a text is a time of RFC 3339. Days are taken up to 31 in every month.
fn is_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| {
        text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<u32>().ok()
    };
    let is_within = |start: usize, low: u32, high: u32| {
        number(start..start + 2).is_some_and(|number| (low..=high).contains(&number))
    };
    let bytes = text.as_bytes();
    let has_marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .iter()
        .all(|(position, mark)| bytes.get(*position) == Some(mark));
    if !has_marks || number(0..4).is_none() || text.len() > 40 {
        return false;
    }
    if !(is_within(5, 1, 12) && is_within(8, 1, 31) && is_within(11, 0, 23) && is_within(14, 0, 59)) {
        return false;
    }
    let Some(rest) = text.get(19..).filter(|_| is_within(17, 0, 60)) else { return false };
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|character: char| character.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
    };
    let start = text.len() - zone.len();
    match zone.as_bytes() {
        b"Z" => true,
        [b'+' | b'-', _, _, b':', _, _] => is_within(start + 1, 0, 23) && is_within(start + 4, 0, 59),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_dates() {
        for date in ["2025-03-04T10:11:12Z", "2025-03-04T10:11:12.123456789+03:00", "2025-12-31T23:59:60-11:30"] {
            assert!(is_date(date), "{date}");
        }
        let wrong = [
            "",
            "2025-03-04",
            "2025-03-04T10:11:12",
            "2025-13-04T10:11:12Z",
            "2025-03-04T24:11:12Z",
            "2025-03-04T10:11:12.Z",
            "2025-03-04T10:11:12+3",
            "2025-03-04T10:11:12+03:99",
            "2025-03-04 10:11:12Z",
            "я025-03-04T10:11:12Z",
        ];
        for date in wrong {
            assert!(!is_date(date), "{date}");
        }
    }

    #[test]
    fn knows_names() {
        let is_name = |name: &str| name.chars().all(is_allowed);
        assert!(is_name("Покупка 2 (SKU: A/9) за 5 ₽ | 3 €"));
        for name in ["a\"b", "<a>", "a\nb", "naïve", "{a}", "日本"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
