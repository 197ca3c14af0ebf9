//! A JSON tree whose texts may hold expressions.

use std::collections::BTreeSet;

use minijinja::Value;

use super::{
    Error, Expression, MAX_VALUE_BYTES, Name, Scope, from_json_value,
    split::{Segment, split},
    to_text,
};

/// A compiled JSON tree. A text that is exactly one `{{ expression }}` keeps the expression's type; other texts are
/// put together from their pieces; everything else stays as it is. Values are never themselves evaluated.
#[derive(Debug)]
pub struct Template(Node);

#[derive(Debug)]
enum Node {
    Literal(Value),
    Expression(Expression),
    Text(Vec<Piece>),
    List(Vec<Node>),
    Map(Vec<(Value, Node)>),
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Expression(Expression),
}

/// A text of a template that can't be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// Where in the tree, like `data.subscriptions[0].email`; empty for the tree itself.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

/// A text of a template that gives nothing usable over this data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// Where in the tree, like `data.subscriptions[0].email`; empty for the tree itself.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

impl Template {
    /// Compiles every text of the tree.
    ///
    /// # Errors
    /// The first text that is no template, with its place.
    pub fn compile(json: &serde_json::Value) -> Result<Self, CompileError> {
        compile(json).map(Self).map_err(|Located { path, message }| CompileError { path, message })
    }

    /// The tree over this data. A key of a map whose text is one expression that gives nothing is left out; in a
    /// list that place is null, and a template that is nothing but such an expression is undefined.
    ///
    /// # Errors
    /// The first expression that fails, with its place.
    pub fn render(&self, scope: &Scope) -> Result<Value, RenderError> {
        self.0.render(scope).map_err(|Located { path, message }| RenderError { path, message })
    }

    /// The text over this data, with `encode` applied to what expressions give, as for the path of a URL.
    ///
    /// # Errors
    /// When an expression fails, or the template is no text.
    pub fn render_text(&self, scope: &Scope, encode: fn(&str) -> String) -> Result<String, RenderError> {
        let rendered = match &self.0 {
            Node::Text(pieces) => render_text(pieces, scope, Some(encode)),
            Node::Expression(expression) => {
                expression.evaluate(scope).and_then(|value| to_text(&value)).map(|text| encode(&text))
            }
            Node::Literal(value) => to_text(value),
            Node::List(_) | Node::Map(_) => Err(Error::Evaluation("expected a text".to_owned())),
        };
        rendered.map_err(|error| RenderError { path: String::new(), message: error.to_string() })
    }

    /// The value when no expression is in it.
    #[must_use]
    pub fn literal(&self) -> Option<&Value> {
        match &self.0 {
            Node::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Whether no expression is in it.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.literal().is_some()
    }

    /// The data that the expressions in it look at, as paths of keys like `input.matching`.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        self.0.each_expression(&mut |expression| paths.extend(expression.paths()));
        paths
    }

    /// Whether an expression in it can see a name.
    #[must_use]
    pub fn uses(&self, name: Name) -> bool {
        self.0.uses(name)
    }
}

impl Node {
    fn render(&self, scope: &Scope) -> Result<Value, Located> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression(expression) => Ok(expression.evaluate(scope)?),
            Self::Text(pieces) => Ok(Value::from(render_text(pieces, scope, None)?)),
            Self::List(nodes) => render_list(nodes, scope),
            Self::Map(nodes) => render_map(nodes, scope),
        }
    }

    fn uses(&self, name: Name) -> bool {
        let mut uses = false;
        self.each_expression(&mut |expression| uses = uses || expression.uses(name));
        uses
    }

    fn each_expression<'node>(&'node self, visit: &mut dyn FnMut(&'node Expression)) {
        match self {
            Self::Literal(_) => {}
            Self::Expression(expression) => visit(expression),
            Self::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Expression(expression) = piece {
                        visit(expression);
                    }
                }
            }
            Self::List(nodes) => nodes.iter().for_each(|node| node.each_expression(visit)),
            Self::Map(nodes) => nodes.iter().for_each(|(_, node)| node.each_expression(visit)),
        }
    }
}

fn render_text(pieces: &[Piece], scope: &Scope, encode: Option<fn(&str) -> String>) -> Result<String, Error> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Expression(expression) => {
                let value = expression.evaluate(scope)?;
                match (value.as_str(), encode) {
                    (Some(value), None) => text.push_str(value),
                    (None, None) => text.push_str(&to_text(&value)?),
                    (_, Some(encode)) => text.push_str(&encode(&to_text(&value)?)),
                }
            }
        }
        if text.len() > MAX_VALUE_BYTES {
            return Err(Error::TooLarge(MAX_VALUE_BYTES));
        }
    }
    Ok(text)
}

fn render_list(nodes: &[Node], scope: &Scope) -> Result<Value, Located> {
    let mut items = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let item = node.render(scope).map_err(|error| error.inside_index(index))?;
        items.push(if item.is_undefined() { Value::from(()) } else { item });
    }
    Ok(Value::from(items))
}

fn render_map(nodes: &[(Value, Node)], scope: &Scope) -> Result<Value, Located> {
    let mut entries = Vec::with_capacity(nodes.len());
    for (key, node) in nodes {
        let value = node.render(scope).map_err(|error| error.inside_key(key))?;
        if !value.is_undefined() {
            entries.push((key.clone(), value));
        }
    }
    Ok(Value::from_pairs(entries))
}

fn compile(json: &serde_json::Value) -> Result<Node, Located> {
    match json {
        serde_json::Value::String(text) => compile_text(text),
        serde_json::Value::Array(items) => {
            let mut nodes = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                nodes.push(compile(item).map_err(|error| error.inside_index(index))?);
            }
            let constant = nodes.iter().all(|node| matches!(node, Node::Literal(_)));
            Ok(if constant { Node::Literal(from_json_value(json)) } else { Node::List(nodes) })
        }
        serde_json::Value::Object(entries) => {
            let mut nodes = Vec::with_capacity(entries.len());
            for (key, item) in entries {
                let key = Value::from(key.as_str());
                let node = compile(item).map_err(|error| error.inside_key(&key))?;
                nodes.push((key, node));
            }
            let constant = nodes.iter().all(|(_, node)| matches!(node, Node::Literal(_)));
            Ok(if constant { Node::Literal(from_json_value(json)) } else { Node::Map(nodes) })
        }
        _ => Ok(Node::Literal(from_json_value(json))),
    }
}

fn compile_text(text: &str) -> Result<Node, Located> {
    let segments = split(text).map_err(Located::here)?;
    match segments.as_slice() {
        [Segment::Literal(literal)] => return Ok(Node::Literal(Value::from(*literal))),
        [Segment::Expression(expression)] => return Ok(Node::Expression(Expression::compile(expression)?)),
        _ => {}
    }
    let mut pieces = Vec::with_capacity(segments.len());
    for segment in segments {
        pieces.push(match segment {
            Segment::Literal(literal) => Piece::Literal(literal.to_owned()),
            Segment::Expression(expression) => Piece::Expression(Expression::compile(expression)?),
        });
    }
    Ok(Node::Text(pieces))
}

/// An error on its way up the tree, gathering its path.
#[derive(Debug)]
struct Located {
    path: String,
    message: String,
}

impl Located {
    fn here(message: String) -> Self {
        Self { path: String::new(), message }
    }

    fn inside_key(self, key: &Value) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        Self { path: format!("{key}{dot}{}", self.path), message: self.message }
    }

    fn inside_index(self, index: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        Self { path: format!("[{index}]{dot}{}", self.path), message: self.message }
    }
}

impl From<Error> for Located {
    fn from(error: Error) -> Self {
        Self::here(error.to_string())
    }
}
