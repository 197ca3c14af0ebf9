//! One expression, and the one environment that all of them run in.

use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::{
    filters,
    path::Path,
    scope::{Name, Scope},
    split::{Token, tokens},
    value::{MAX_VALUE_BYTES, check_size, settle},
};

/// The longest expression.
pub const MAX_EXPRESSION_BYTES: usize = 4 * 1024;

const FUEL: u64 = 20_000;
const RECURSION_LIMIT: usize = 100;
/// Each may repeat a text or list, so they are counted.
const MAX_MULTIPLICATIONS: usize = 8;
/// Names that are there besides those of [`Name`].
const FUNCTIONS: [&str; 2] = ["range", "dict"];

/// The language: built once, never changed, so that compiled expressions can refer to it from every thread.
static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_LIMIT);
    environment.remove_global("debug");
    environment.remove_global("namespace");
    filters::install(&mut environment);
    environment
});

/// Why an expression can't be compiled or gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no expression.
    #[error("not an expression: {0}")]
    Syntax(String),
    /// The text is longer than [`MAX_EXPRESSION_BYTES`] or repeats too much.
    #[error("an expression may have {MAX_EXPRESSION_BYTES} bytes and {MAX_MULTIPLICATIONS} multiplications")]
    TooLong,
    /// It names data that is never there.
    #[error("unknown name `{name}`; there are {known}")]
    UnknownName {
        /// What was written.
        name: String,
        /// What could have been.
        known: String,
    },
    /// It names a filter that is not there.
    #[error("unknown filter `{0}`")]
    UnknownFilter(String),
    /// It names a test (`x is …`) that is not there.
    #[error("unknown test `{0}`")]
    UnknownTest(String),
    /// The data can't be used like that.
    #[error("{0}")]
    Evaluation(String),
    /// It needed more steps than allowed.
    #[error("the expression needs too many steps")]
    TooMuchWork,
    /// It gave more than [`MAX_VALUE_BYTES`], or than the caller's own bound.
    #[error("the value is larger than {0} bytes")]
    TooLarge(usize),
    /// It gave lists or maps nested too deeply.
    #[error("the value is nested too deeply")]
    TooDeep,
    /// Not JSON, or not writable as JSON.
    #[error("{0}")]
    Json(String),
}

/// One expression, compiled. Share it; evaluating changes nothing.
pub struct Expression {
    text: String,
    code: Code,
}

enum Code {
    Path(Path),
    Program(minijinja::Expression<'static, 'static>),
}

impl Expression {
    /// Compiles a text such as `trigger.email | lower`, without the braces around it.
    ///
    /// # Errors
    /// When it is no expression, or names data, filters or tests that don't exist.
    pub fn compile(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() > MAX_EXPRESSION_BYTES {
            return Err(Error::TooLong);
        }
        if let Some(path) = Path::parse(text) {
            return Ok(Self { text: text.to_owned(), code: Code::Path(path) });
        }
        check_words(text)?;
        let compiled = catch_unwind(|| LANGUAGE.compile_expression_owned(text.to_owned()));
        let program = compiled
            .map_err(|_| Error::Syntax("it can't be read".to_owned()))?
            .map_err(|error| Error::Syntax(error.detail().unwrap_or("it can't be read").to_owned()))?;
        check_names(&program)?;
        Ok(Self { text: text.to_owned(), code: Code::Program(program) })
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it gives over this data: plain data, of at most [`MAX_VALUE_BYTES`]. Missing data gives undefined.
    ///
    /// # Errors
    /// When the data can't be used like that, or a bound is passed.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, Error> {
        self.evaluate_within(scope, MAX_VALUE_BYTES)
    }

    /// As [`Self::evaluate`] with a bound of its own, for data that is taken apart at once and never kept whole.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_within(&self, scope: &Scope, max_bytes: usize) -> Result<Value, Error> {
        match &self.code {
            Code::Path(path) => {
                let value = path.evaluate(scope);
                check_size(&value, max_bytes)?;
                Ok(value)
            }
            Code::Program(program) => run(program, scope, max_bytes),
        }
    }

    /// Whether what it gives counts as true: not missing, null, false, zero or empty.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn is_true(&self, scope: &Scope) -> Result<bool, Error> {
        match &self.code {
            Code::Path(path) => Ok(path.evaluate(scope).is_true()),
            Code::Program(program) => Ok(run(program, scope, MAX_VALUE_BYTES)?.is_true()),
        }
    }

    /// Whether it can see a name at all; where it can't, its value does not depend on it.
    #[must_use]
    pub fn uses(&self, name: Name) -> bool {
        match &self.code {
            Code::Path(path) => path.root() == name,
            Code::Program(program) => program.undeclared_variables(false).contains(name.as_str()),
        }
    }

    /// The data that it looks at, as paths of keys like `input.matching`.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<String> {
        match &self.code {
            Code::Path(path) => BTreeSet::from([path.keys()]),
            Code::Program(program) => program.undeclared_variables(true).into_iter().collect(),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Expression").field(&self.text).finish()
    }
}

/// Runs a program to plain data. The machine beneath panics over some data, such as a slice of nothing by a negative step;
/// whoever wrote the expression must not bring down the process by it.
fn run(program: &minijinja::Expression<'_, '_>, scope: &Scope, max_bytes: usize) -> Result<Value, Error> {
    let evaluation = || settle(program.eval(scope.to_value()).map_err(evaluation_error)?, max_bytes);
    // Nothing that it works on outlives it: what it shares is never changed.
    catch_unwind(AssertUnwindSafe(evaluation))
        .unwrap_or_else(|_| Err(Error::Evaluation("the expression can't be evaluated over this data".to_owned())))
}

/// Filters and tests are looked up by name, which the machine itself would do only at run time.
fn check_words(text: &str) -> Result<(), Error> {
    let tokens = tokens(text);
    let mut multiplications = 0;
    let mut before = None;
    for (index, token) in tokens.iter().enumerate() {
        match (token, tokens.get(index + 1)) {
            (Token::Sign(b'|'), Some(Token::Word(name))) if !exists(name, "filter") => {
                return Err(Error::UnknownFilter((*name).to_owned()));
            }
            (Token::Word("is"), Some(Token::Word(next))) if before != Some(Token::Sign(b'.')) => {
                let name = match (next, tokens.get(index + 2)) {
                    (&"not", Some(Token::Word(name))) => name,
                    _ => next,
                };
                if !exists(name, "test") {
                    return Err(Error::UnknownTest((*name).to_owned()));
                }
            }
            (Token::Sign(b'*'), next) => {
                multiplications += 1;
                if before == Some(Token::Text) || next == Some(&Token::Text) {
                    return Err(Error::Syntax("texts can't be multiplied".to_owned()));
                }
            }
            _ => {}
        }
        before = Some(*token);
    }
    if multiplications > MAX_MULTIPLICATIONS { Err(Error::TooLong) } else { Ok(()) }
}

/// Asks the environment itself, which tells by its tests `is filter` and `is test`.
fn exists(name: &str, kind: &'static str) -> bool {
    let question = if kind == "filter" { "input is filter" } else { "input is test" };
    let answer = LANGUAGE
        .compile_expression(question)
        .and_then(|program| program.eval(Value::from_pairs([("input", Value::from(name))])));
    answer.is_ok_and(|answer| answer.is_true())
}

fn check_names(program: &minijinja::Expression<'_, '_>) -> Result<(), Error> {
    let mut unknown: Vec<String> = program
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| Name::parse(name).is_none() && !FUNCTIONS.contains(&name.as_str()))
        .collect();
    unknown.sort();
    let Some(name) = unknown.into_iter().next() else { return Ok(()) };
    let known = Name::ALL.map(Name::as_str).join(", ");
    Err(Error::UnknownName { name, known })
}

fn evaluation_error(error: minijinja::Error) -> Error {
    if error.kind() == ErrorKind::OutOfFuel {
        return Error::TooMuchWork;
    }
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    // The data may be part of the message.
    Error::Evaluation(message.chars().filter(|character| !character.is_control()).take(500).collect())
}
