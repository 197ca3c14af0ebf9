//! The expression and template language: `MiniJinja` expressions over the data of a run.
//!
//! - [`Expression`] is one expression, compiled once and evaluated often.
//! - [`Template`] is a JSON tree whose strings may hold `{{ expression }}`.
//! - [`Scope`] holds what they see; there is nothing else to see: no environment, no files, no clock but `now`.
//!
//! Everything is bounded: the length of a text, the work, the recursion and the size of each value. Data is data:
//! a value that happens to hold `{{ … }}` is never evaluated.

mod filters;
mod json;
mod language;
mod path;
mod scope;
mod split;
mod template;
mod value;

pub use json::{from_json_value, parse_json, to_json, to_json_value};
pub use language::{Error, Expression, MAX_EXPRESSION_BYTES};
pub use minijinja::{Value, value::ValueKind};
pub use scope::{Name, Scope};
pub use template::{CompileError, RenderError, Template};
pub use value::{MAX_VALUE_BYTES, to_text};

#[cfg(test)]
mod tests;
