//! Email addresses, as forms of browsers take them.

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;
const MAX_LABEL_BYTES: usize = 63;

/// Whether a text is an email address. Follows the "valid email address" of HTML, but wants a dot in the domain and
/// takes letters of every script, which mail servers do by now.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_is_right = !local.is_empty() && local.len() <= MAX_LOCAL_BYTES && local.chars().all(is_local);
    text.len() <= MAX_BYTES && local_is_right && domain.contains('.') && domain.split('.').all(is_label)
}

fn is_local(character: char) -> bool {
    character.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(character)
}

fn is_label(label: &str) -> bool {
    let plain = label.chars().all(|character| character.is_alphanumeric() || character == '-');
    plain && !label.is_empty() && label.len() <= MAX_LABEL_BYTES && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses() {
        for text in ["ann@shop.test", "a.b+c@x-y.co.uk", "1@2.3", "иван@почта.рф", "o'neil@shop.test"] {
            assert!(is_email(text), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        let long = format!("{}@shop.test", "a".repeat(65));
        for text in [
            "",
            "ann",
            "@shop.test",
            "ann@",
            "ann@shop",
            "a nn@shop.test",
            "ann@.test",
            "a@b@c.d",
            "a@-b.c",
            "a@b..c",
            &long,
        ] {
            assert!(!is_email(text), "{text}");
        }
    }
}
