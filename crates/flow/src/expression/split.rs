//! Finding the expressions inside a text, and the words inside an expression.

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment<'text> {
    Literal(&'text str),
    Expression(&'text str),
}

/// Splits `Hello {{ trigger.name }}!` into its pieces.
pub(super) fn split(text: &str) -> Result<Vec<Segment<'_>>, String> {
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(brace) = rest.find('{') {
        let start = find_open(rest, brace)?;
        let Some(start) = start else { break };
        if start > 0 {
            segments.push(Segment::Literal(&rest[..start]));
        }
        let inside = &rest[start + 2..];
        if inside.starts_with('-') || inside.starts_with('+') {
            return Err("`{{-` is not part of the language; write `{{ ` and then the expression".to_owned());
        }
        let Some(end) = find_close(inside) else {
            return Err("`{{` has no closing `}}`".to_owned());
        };
        segments.push(Segment::Expression(inside[..end].trim()));
        rest = &inside[end + 2..];
    }
    if !rest.is_empty() || segments.is_empty() {
        segments.push(Segment::Literal(rest));
    }
    Ok(segments)
}

/// Where the next `{{` is; blocks and comments on the way are refused.
fn find_open(text: &str, mut brace: usize) -> Result<Option<usize>, String> {
    loop {
        match text.as_bytes().get(brace + 1) {
            Some(b'{') => return Ok(Some(brace)),
            Some(b'%') => {
                return Err(
                    "blocks `{% … %}` are not part of the language; for the characters write `{{ '{%' }}`".to_owned()
                );
            }
            Some(b'#') => {
                return Err(
                    "comments `{# … #}` are not part of the language; for the characters write `{{ '{#' }}`".to_owned()
                );
            }
            _ => {}
        }
        let Some(next) = text[brace + 1..].find('{') else { return Ok(None) };
        brace += 1 + next;
    }
}

/// Where the `}}` is that ends the expression: outside quoted texts and outside map literals.
fn find_close(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut position = 0;
    while position < bytes.len() {
        match bytes[position] {
            quote @ (b'\'' | b'"') => position = skip_quoted(bytes, position + 1, quote),
            b'{' => {
                depth += 1;
                position += 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                position += 1;
            }
            b'}' if bytes.get(position + 1) == Some(&b'}') => return Some(position),
            _ => position += 1,
        }
    }
    None
}

/// The position behind the closing quote; a backslash keeps the next character from closing it.
fn skip_quoted(bytes: &[u8], mut position: usize, quote: u8) -> usize {
    while position < bytes.len() {
        match bytes[position] {
            b'\\' => position += 2,
            byte if byte == quote => return position + 1,
            _ => position += 1,
        }
    }
    position
}

/// A word or sign of an expression; quoted texts are one `Text` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'text> {
    Word(&'text str),
    Sign(u8),
    Text,
}

/// The words and signs of an expression, as far as checks of names need them.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        let start = position;
        match bytes[position] {
            quote @ (b'\'' | b'"') => {
                position = skip_quoted(bytes, position + 1, quote);
                tokens.push(Token::Text);
            }
            byte if is_word(byte) => {
                while position < bytes.len() && is_word(bytes[position]) {
                    position += 1;
                }
                tokens.push(Token::Word(&text[start..position]));
            }
            byte => {
                if !byte.is_ascii_whitespace() {
                    tokens.push(Token::Sign(byte));
                }
                position += 1;
            }
        }
    }
    tokens
}

/// Bytes of other scripts count as words, so that slices stay on the borders of characters.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::{Segment::*, *};

    #[test]
    fn finds_expressions_between_text() {
        assert_eq!(split("a {{ b }} c{{d}}"), Ok(vec![Literal("a "), Expression("b"), Literal(" c"), Expression("d")]));
        assert_eq!(split(""), Ok(vec![Literal("")]));
        assert_eq!(split("{ } }} {"), Ok(vec![Literal("{ } }} {")]));
        assert_eq!(split("{{{'a': {'b': 1}}}}"), Ok(vec![Expression("{'a': {'b': 1}}")]));
    }

    #[test]
    fn skips_quoted_texts_when_it_looks_for_the_end() {
        assert_eq!(split(r#"{{ "}}" ~ '}}\'}}' }}!"#), Ok(vec![Expression(r#""}}" ~ '}}\'}}'"#), Literal("!")]));
        assert_eq!(split("👋{{ '🙂}}' }}👋"), Ok(vec![Literal("👋"), Expression("'🙂}}'"), Literal("👋")]));
    }

    #[test]
    fn refuses_what_is_no_expression() {
        for text in ["{{ a", "{% if a %}", "x {# note #}", "{{- a }}", "{{ 'a }}", "{ {{ a }} {% b %}"] {
            assert!(split(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_words_and_signs() {
        let expected = vec![Token::Word("ключ"), Token::Sign(b'|'), Token::Word("upper"), Token::Text];
        assert_eq!(tokens("ключ |upper 'a|b'"), expected);
    }
}
