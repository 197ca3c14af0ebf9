//! Bringing what an expression gave into a bounded, concrete form.

use minijinja::{Value, value::ValueKind};

use super::{Error, to_json};

/// The most that one value may weigh: the bytes of its texts and keys, and eight for everything else in it.
pub const MAX_VALUE_BYTES: usize = 256 * 1024;

const MAX_DEPTH: usize = 160;
const NODE_BYTES: usize = 8;

/// Refuses a value of plain data that is too large.
pub(super) fn check_size(value: &Value, max_bytes: usize) -> Result<(), Error> {
    if matches!(value.kind(), ValueKind::Bool | ValueKind::Number | ValueKind::Undefined | ValueKind::None) {
        return Ok(());
    }
    let mut budget = Budget::new(max_bytes);
    weigh(value, &mut budget, 0)
}

fn weigh(value: &Value, budget: &mut Budget, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    match value.kind() {
        ValueKind::String => budget.spend(value.as_str().map_or(0, str::len)),
        ValueKind::Bytes => budget.spend(value.len().unwrap_or(0)),
        ValueKind::Seq | ValueKind::Iterable => {
            budget.spend(NODE_BYTES)?;
            items(value)?.try_for_each(|item| weigh(&item, budget, depth + 1))
        }
        ValueKind::Map => {
            budget.spend(NODE_BYTES)?;
            for (key, item) in entries(value) {
                weigh(&key, budget, depth + 1)?;
                weigh(&item, budget, depth + 1)?;
            }
            Ok(())
        }
        _ => budget.spend(NODE_BYTES),
    }
}

/// Makes what an expression gave into plain data: lazy lists are read, functions and errors are refused.
pub(super) fn settle(value: Value, max_bytes: usize) -> Result<Value, Error> {
    let mut budget = Budget::new(max_bytes);
    copy(value, &mut budget, 0)
}

fn copy(value: Value, budget: &mut Budget, depth: usize) -> Result<Value, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number => {
            budget.spend(NODE_BYTES)?;
            Ok(value)
        }
        ValueKind::String => {
            budget.spend(value.as_str().map_or(0, str::len))?;
            Ok(value)
        }
        ValueKind::Seq | ValueKind::Iterable => {
            budget.spend(NODE_BYTES)?;
            let copies: Result<Vec<Value>, Error> = items(&value)?.map(|item| copy(item, budget, depth + 1)).collect();
            copies.map(Value::from)
        }
        ValueKind::Map => {
            budget.spend(NODE_BYTES)?;
            let copies: Result<Vec<(Value, Value)>, Error> = entries(&value)
                .map(|(key, item)| {
                    let key = copy(key, budget, depth + 1)?;
                    Ok((key, copy(item, budget, depth + 1)?))
                })
                .collect();
            copies.map(Value::from_pairs)
        }
        ValueKind::Invalid => Err(Error::Evaluation(value.to_string())),
        _ => Err(Error::Evaluation("gives something that is no data, such as a function".to_owned())),
    }
}

fn items(value: &Value) -> Result<impl Iterator<Item = Value>, Error> {
    value.try_iter().map_err(|error| Error::Evaluation(error.to_string()))
}

fn entries(value: &Value) -> impl Iterator<Item = (Value, Value)> {
    value.as_object().and_then(|object| object.try_iter_pairs()).into_iter().flatten()
}

/// What a value may still weigh.
struct Budget {
    left: usize,
    max: usize,
}

impl Budget {
    fn new(max: usize) -> Self {
        Self { left: max, max }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.left = self.left.checked_sub(bytes).ok_or(Error::TooLarge(self.max))?;
        Ok(())
    }
}

/// A value as it reads inside a text: nothing for what is missing or null, `true` and `false`, numbers in decimal,
/// lists and maps as JSON.
///
/// # Errors
/// When a map has keys that are no text.
pub fn to_text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(String::new()),
        ValueKind::Bool => Ok(if value.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        _ => to_json(value).map(|json| String::from_utf8_lossy(&json).into_owned()),
    }
}
