//! Whatever the bytes: an answer soon, and no panic.

use std::time::Duration;

use super::replay::{EXCHANGES, SHOP};
use patchbay_connector::{Connector, Manifest, ManifestError, Recording, builtin, read_text};
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    sample::{Index, select},
    test_runner::RngSeed,
};
use rustix::time::{ClockId, clock_gettime};

const ALTCRAFT: &str = include_str!("../../../../connectors/altcraft/connector.yaml");
/// How long a processor may work on reading any file, in a build without optimisation.
const SOON: Duration = Duration::from_secs(10);
/// Pieces that mean something to YAML, the format or the expression language.
const PIECES: [&str; 48] = [
    "schema: patchbay.connector/v1\n",
    "partner:",
    "connection:",
    "operations:",
    "lists:",
    "cases:",
    "operation: ",
    "  - ",
    "- ",
    ": ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "{{",
    "}}",
    "{%",
    "|",
    ">-\n",
    "&a ",
    "*a ",
    "<<: *a",
    "!!binary ",
    "!!str ",
    "---\n",
    "...\n",
    "? ",
    "#",
    "\t",
    "\r\n",
    "\u{0}",
    "\u{feff}",
    "é",
    "0x7fffffffffffffff",
    "1e999",
    "-9223372036854775809",
    ".nan",
    ".inf",
    "null",
    "~",
    "input.a",
    " | default(1)",
    "range(9999999)",
    "**9**9",
];

fn compile(text: &str) -> Result<Connector, Vec<ManifestError>> {
    Manifest::parse("any.yaml", text).and_then(Connector::compile)
}

/// Reads the bytes as everything that can be read, and says how it ended.
fn read_all(bytes: &[u8]) -> Vec<String> {
    let started = work();
    let mut told = Vec::new();
    match read_text("any.yaml", bytes) {
        Err(errors) => told.extend(errors.iter().map(ToString::to_string)),
        Ok(text) => {
            let connector = compile(text).map(drop);
            let recording = Recording::parse("any.yaml", text);
            if let Ok(recording) = &recording {
                let catalog = builtin().unwrap();
                for connector in catalog.connectors() {
                    let _ = recording.replay(connector);
                }
            }
            for errors in [connector.err(), recording.map(drop).err()].into_iter().flatten() {
                told.extend(errors.iter().map(ToString::to_string));
            }
        }
    }
    let taken = work() - started;
    assert!(taken < SOON, "{taken:?}");
    told
}

/// How long this thread has had a processor: a busy machine makes nothing slower here.
fn work() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// One change that a slip of the hand, or of a merge, may make.
#[derive(Debug, Clone)]
enum Slip {
    Drop,
    Repeat,
    Indent(usize),
    Replace(String),
    Insert(String),
    Cut,
}

fn slips() -> impl Strategy<Value = Vec<(Index, Slip)>> {
    let piece = || select(&PIECES[..]).prop_map(str::to_owned);
    let slip = prop_oneof![
        Just(Slip::Drop),
        Just(Slip::Repeat),
        (0..12usize).prop_map(Slip::Indent),
        piece().prop_map(Slip::Replace),
        piece().prop_map(Slip::Insert),
        Just(Slip::Cut),
    ];
    vec((any::<Index>(), slip), 1..6)
}

/// Makes the changes line by line; replacing and inserting happen inside the line.
fn mutate(text: &str, slips: &[(Index, Slip)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (index, slip) in slips {
        if lines.is_empty() {
            break;
        }
        let at = index.index(lines.len());
        let line = lines[at].clone();
        let inside = line.char_indices().map(|(position, _)| position).nth(index.index(line.chars().count().max(1)));
        let (start, end) = line.split_at(inside.unwrap_or(0));
        match slip {
            Slip::Drop => drop(lines.remove(at)),
            Slip::Repeat => lines.insert(at, line),
            Slip::Indent(width) => lines[at] = format!("{}{}", " ".repeat(*width), line.trim_start()),
            Slip::Replace(piece) => lines[at] = format!("{start}{piece}"),
            Slip::Insert(piece) => lines[at] = format!("{start}{piece}{end}"),
            Slip::Cut => lines.truncate(at),
        }
    }
    lines.join("\n")
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(0x5eed), failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..400)) {
        assert!(!read_all(&bytes).is_empty());
    }

    #[test]
    fn any_pieces_of_the_format_are_answered(pieces in vec(select(&PIECES[..]), 0..60)) {
        assert!(!read_all(pieces.concat().as_bytes()).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..config() })]

    #[test]
    fn any_slips_in_a_manifest_are_answered(slips in slips()) {
        read_all(mutate(ALTCRAFT, &slips).as_bytes());
    }

    #[test]
    fn any_slips_in_recorded_exchanges_are_answered(slips in slips()) {
        read_all(mutate(EXCHANGES, &slips).as_bytes());
    }
}

#[test]
fn what_would_grow_without_bound_is_refused_soon() {
    let laughs: String = (1..30)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")))
        .collect();
    let merges: String = (1..200)
        .map(|level| format!("m{level}: &m{level}\n  <<: [*m{0}, *m{0}]\n  k{level}: 1\n", level - 1))
        .collect();
    for (what, text) in [
        ("aliases of aliases", format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{laughs}")),
        ("merges of merges", format!("m0: &m0 {{ a: 1 }}\n{merges}")),
        ("an anchor inside itself", "partner: &a { partner: *a }\n".to_owned()),
        ("lists in lists", "[".repeat(100_000)),
        ("closed lists in lists", format!("{}{}", "[".repeat(20_000), "]".repeat(20_000))),
        ("maps in maps", "{a: ".repeat(100_000)),
        ("block lists in lists", "- ".repeat(100_000)),
        ("block maps in maps", (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect()),
        ("explicit keys", "? ".repeat(100_000)),
        ("many values", "- 1\n".repeat(250_000)),
        ("many anchors", (0..80_000).map(|index| format!("- &a{index} 1\n")).collect()),
        ("many documents", "---\n".repeat(200_000)),
        ("a long line", format!("schema: {}", "x".repeat(2_000_000))),
        ("a long key", format!("{}: 1", "k".repeat(1_000_000))),
        ("many tags", "!t ".repeat(100_000)),
        ("quotes", "\"".repeat(300_000)),
        ("a comment", "#".repeat(1_000_000)),
    ] {
        let told = read_all(text.as_bytes());
        assert!(!told.is_empty(), "{what} was taken");
        let longest = told.iter().map(String::len).max();
        assert!(longest < Some(2_000), "{what} is told in {longest:?} bytes");
    }
}

#[test]
fn many_items_of_a_right_shape_are_answered_soon() {
    let field = |index| format!("{{ name: f{index}, label: F, type: string }}");
    let option = |index| format!("{{ value: v{index} }}");
    let texts = [
        SHOP.replacen("lists:\n", &format!("lists:\n  many: {{ options: [{}] }}\n", many(option)), 1),
        SHOP.replacen("operations:\n", &format!("operations:\n  - {{ key: many, id: 1, kind: trigger, title: Many, fields: [{}], modes: {{ webhook: {{ verify: {{ kind: none }} }} }} }}\n", many(field)), 1),
        SHOP.replacen("  fields:\n", &format!("  fields:\n    - {{ name: many, label: Many, type: string, options: [{}] }}\n", many(option)), 1),
        SHOP.replacen("  errors:\n", &format!("  errors:\n{}", "    - { when: \"status == 1\", action: fail }\n".repeat(15_000)), 1),
        format!("operation: put\ncases: [{}]", many(|index| format!("{{ name: c{index}, request: {{}} }}"))),
    ];
    for text in texts {
        read_all(text.as_bytes());
    }
}

fn many(item: impl Fn(usize) -> String) -> String {
    (0..10_000).map(item).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_no_value_can_hold_is_refused() {
    for (from, to) in [
        ("id: 1,", "id: 99999999999999999999999999999999999999999999,"),
        ("id: 1,", "id: -1,"),
        ("id: 1,", "id: 1e400,"),
        ("id: 1,", "id: .inf,"),
        ("timeout: 5s", "timeout: 99999999999999999999s"),
        ("title: Shop", "title: \u{0}"),
        ("concurrency: 64", "concurrency: 4294967296"),
    ] {
        let text = SHOP.replacen(from, to, 1);
        assert_ne!(text, SHOP, "{from}");
        assert!(compile(&text).is_err(), "{to}");
    }
    let expressions =
        ["(".repeat(50_000), "1+".repeat(50_000), "not ".repeat(50_000), "[".repeat(2_000), "a.".repeat(9_000)];
    for expression in expressions {
        let text = SHOP.replacen("success: \"status == 200\"", &format!("success: \"{expression}\""), 1);
        assert!(compile(&text).is_err(), "{}", &expression[..10]);
    }
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let errors = read_text("any.yaml", b"schema: x\npartner: \xff\n").unwrap_err();
    assert_eq!(errors[0].to_string(), "any.yaml:2:10: the text is not UTF-8 (hint: save the file as UTF-8)");
}
