//! What the layout does to an ugly file, to every example that there is, and to random files.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::diagnostic::Sources;
use crate::explanation;
use crate::schema::{FLEET, STORE};

fn lay_out_as(noun: &'static Noun, text: &str) -> Result<String, LayoutError> {
    let file = Sources::default().add("stores/a.yaml".to_owned(), text.to_owned());
    layout(file, text, noun)
}

/// Lays a store out, and holds that doing so again changes nothing.
fn lay_out(text: &str) -> String {
    let once = lay_out_as(&STORE, text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let twice = lay_out_as(&STORE, &once).unwrap_or_else(|error| panic!("{error:?}\n{once}"));
    assert_eq!(once, twice, "of\n{text}");
    once
}

const UGLY: &str = include_str!("ugly.yaml");

#[test]
fn an_ugly_file_becomes_one_that_people_like_to_read() {
    assert_snapshot!(lay_out(UGLY));
}

#[test]
fn comments_go_where_their_keys_go() {
    let names: Vec<_> = STORE.names().collect();
    let entry = |name: &&str| format!("# about {name}\n{name}: x # beside {name}\n");
    let backwards: Vec<_> = names.iter().rev().map(entry).collect();
    let forwards: Vec<_> = names.iter().map(entry).collect();
    assert_eq!(
        lay_out(&format!("# head\n\n{}", backwards.concat())),
        format!("# head\n\n{}", forwards.concat())
    );
    let camera =
        "cameras:\n  - aisle: x # its aisle\n    # its id\n    id: a\n    # the end\n  # all\n";
    let sorted =
        "cameras:\n  # its id\n  - id: a\n    aisle: x # its aisle\n    # the end\n  # all\n";
    assert_eq!(lay_out(camera), sorted);
}

#[test]
fn a_comment_stays_with_what_it_is_about() {
    // Taken out of a list, in three ways; the last says what comes next.
    let subscribers = |below: &str| {
        format!("subscribers:\n  - {{ audience: floor, email: a@example.com }}\n{below}rules: []\n")
    };
    let files = [
        subscribers("#  - { audience: floor, email: b@example.com }\n\n# RULES\n"),
        subscribers("  # - b\n# - { audience: floor }\n"),
        subscribers("# none but these\n\n# RULES\n# all\n\n"),
        subscribers("# RULES\n"),
        "camera:\n  watch:\n    when: closed\n#    window: 20s\nstore: x\n".to_owned(),
        "cameras:\n  - { id: a }\n# - { id: b }\n".to_owned(),
        "name: |+\n  x\n# y\nhours:\n  mon: |+\n    z\n# sun\nstore: x\n".to_owned(),
        // Of brackets that become lines.
        "labels: [ a, # A\n  b ] # B\n".to_owned(),
        "labels: [ a, # A\n  b # B\n  ] # all\n".to_owned(),
        "labels: [ a,\n  b ] # both\n".to_owned(),
        // Paragraphs above the first key.
        "# Kent.\n# Ours.\n\n# Ask before changes.\n\ncameras: []\nstore: x\n".to_owned(),
        "# Kent.\n\n# All of them.\ncameras: []\nstore: x\n".to_owned(),
    ];
    let shown = files.map(|text| format!("{text}-->\n{}========\n", lay_out(&text)));
    assert_snapshot!(shown.concat());
}

#[test]
fn what_follows_a_block_stands_apart_from_it() {
    let text = "defaults:\n  cell: us-west\nformats: { small: { cell: us-west } }\n";
    let right = "defaults:\n  cell: us-west\n\nformats: { small: { cell: us-west } }\n";
    assert_eq!(lay_out_as(&FLEET, text).unwrap(), right);
    assert_eq!(lay_out_as(&FLEET, right).unwrap(), right);
}

#[test]
fn line_ends_and_marks_of_other_systems_go() {
    let windows = format!("\u{feff}{}", UGLY.replace('\n', "\r\n"));
    let file = Sources::default().add(String::new(), String::new());
    assert_eq!(layout(file, &windows, &STORE).unwrap(), lay_out(UGLY));
}

#[test]
fn texts_over_several_lines_keep_what_they_say() {
    assert_snapshot!(lay_out("store: |2-  # two in
     lead
    rest
name: \"a  \\
      b\\
      \\  c\\ \t
      d\"
format: >+
  folded
  twice


# kept apart by the lines above
cell: a plain one
   over

   lines # and beside it
? \"time
  zone\"
: x
labels: [ 'it''s
   so', b]
".replace("\"time\n  zone\"", "timezone").as_str()), @r#"
    store: |2- # two in
         lead
        rest
    name: "a  \
      b\
      \  c\ 
      d"

    # kept apart by the lines above
    cell: a plain one
      over

      lines # and beside it
    format: >+
      folded
      twice


    timezone: x
    labels:
      - 'it''s
        so'
      - b
    "#);
}

#[test]
fn odd_and_empty_things_are_laid_out() {
    let odd = [
        "{}\n",
        "# a\n{ # b\n  # c\n  } # d\n# e\n",
        "%YAML 1.2 # v\n---  # a\n# b\nstore: x\n...\n# z\n",
        "store:\nname: # none\n\n\n# end\n",
        "{store: x, name: y}",
        "store: |\n  x",
        "store: |+\n  x\n\n\n",
        "store: |\n\n\nname: >+\n\n\ncell: |\n# c\n",
        "hours: { mon: , tue, wed: [], ? thu : [a: b, ? c, {d}] }\n",
        "? store # s\n# t\n: # u\n  # v\n  x # w\n",
        "labels:\n- # null\n- - a\n  # in\n  - - b # c\n- ? x\n  : y\n# out\n",
        "labels: [ # a\n # b\n x # c\n , # d\n y, # e\n # f\n ] # g\n",
        "hours:\n  # nothing in it\n\n  []\nstore: x\n",
        "cameras:\n- {id: a,\n  # c\n\n\n  aisle: b}\n\n\n\n# last of the list?\naisles: []\n",
        "hours: {\"mon\":1,'tue':2, \"\\x77ed\" : 3, \"a\\nb\": 4, 'c\n  d': 5}\n",
        "name: \"#no\" #yes\nstore: a#b # c # d\n#\tz",
        "name: ü\t# tab\nhours: {é: \"ß # no\"}\t\n",
    ];
    let shown = odd.map(|text| format!("{text}\n-->\n{}\n========\n", lay_out(text)));
    assert_snapshot!(shown.concat());
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let codes = |text| match lay_out_as(&STORE, text) {
        Err(LayoutError::Problems(problems)) => {
            problems.iter().map(|it| (it.code, it.place.span.start)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(codes("store: [\n"), [("syntax", 7)]);
    assert_eq!(codes("store: a\nstore: b\n"), [("duplicate-key", 9)]);
    assert_eq!(codes("- a\n"), [("wrong-type", 0)]);
    assert_eq!(
        codes("stroe: a\ncameras: [{ ide: a, watch: { wen: x } }]\n"),
        [("unknown-key", 0), ("unknown-key", 21), ("unknown-key", 38)]
    );
    assert_eq!(codes("\n"), [("empty-file", 0)]);
}

#[test]
fn every_example_of_an_explanation_is_laid_out_or_cannot_be_read() {
    let mut laid_out = 0;
    for it in explanation::all() {
        for block in it.text.split("```yaml stores/").skip(1) {
            let (name, text) = block.split_once('\n').unwrap();
            let text = text.split("```").next().unwrap();
            let noun = if name.starts_with("fleet") { &FLEET } else { &STORE };
            match lay_out_as(noun, text) {
                Ok(once) => {
                    assert_eq!(lay_out_as(noun, &once).unwrap(), once, "{}", it.code);
                    laid_out += 1;
                }
                Err(LayoutError::Problems(problems)) => assert!(!problems.is_empty()),
                Err(LayoutError::Unfaithful) => panic!("{}: {text}", it.code),
            }
        }
    }
    assert!(laid_out > 50, "{laid_out}");
}

/// Writes random files: trees as the tables have them, in every style that YAML has for them.
struct Scribe {
    seed: u64,
    out: String,
    comments: usize,
    /// A block scalar was just written: what is indented more belongs to it.
    after_block: bool,
}

impl Scribe {
    /// A number below `limit`.
    fn any(&mut self, limit: usize) -> usize {
        // Knuth's MMIX generator; the high bits are the random ones.
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap() % limit
    }

    fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.any(words.len())]
    }

    fn comment(&mut self) {
        self.comments += 1;
        let text = format!("# {} {}", self.comments, self.seed % 7);
        self.out.push_str(&text);
    }

    /// Ends a line, perhaps with a comment, and writes lines that say nothing.
    fn end(&mut self, indent: usize) {
        if self.any(6) == 0 {
            let gap = self.one(&[" ", "\t", "   "]);
            self.out.push_str(gap);
            self.comment();
        } else if self.any(8) == 0 {
            self.out.push_str("  ");
        }
        self.out.push('\n');
        self.between(indent);
    }

    fn between(&mut self, indent: usize) {
        while self.any(5) == 0 {
            if self.any(2) == 0 && !self.after_block {
                self.out.push('\n');
            } else {
                let limit = if self.after_block { indent + 1 } else { indent + 5 };
                let column = self.any(limit);
                self.out.push_str(&" ".repeat(column));
                self.comment();
                self.out.push('\n');
            }
        }
        self.after_block = false;
    }

    fn children(&mut self, kind: &Kind) -> Vec<(String, Option<&'static Kind>)> {
        if let Kind::Mapping(noun) = kind {
            let mut keys: Vec<_> = noun.keys.iter().collect();
            let mut chosen = vec![];
            for _ in 0..self.any(keys.len() + 1) {
                let key = keys.remove(self.any(keys.len()));
                chosen.push((key.name.to_owned(), Some(&key.kind)));
            }
            return chosen;
        }
        let number = self.any(4);
        let kind = match kind {
            Kind::Map { value, .. } => Some(*value),
            other => of_item(other),
        };
        (0..number).map(|n| (format!("k{n}"), kind)).collect()
    }

    /// What to write: 0 a scalar, 1 a list, 2 a mapping.
    fn shape(&mut self, kind: Option<&Kind>, depth: usize) -> usize {
        match kind {
            _ if depth > 5 => 0,
            Some(Kind::Mapping(_) | Kind::Map { .. }) => 2,
            Some(Kind::List(_) | Kind::Exactly(..)) => 1,
            _ if self.any(8) == 0 => 1 + self.any(2),
            Some(Kind::OneOrMany { .. } | Kind::DayHours) => self.any(2),
            _ => 0,
        }
    }

    fn line_scalar(&mut self) -> &'static str {
        self.one(&[
            "a",
            "b c",
            "07:00-23:00",
            "'it''s'",
            "\"q\\\"#\"",
            "x#y",
            "~",
            "0.5",
            "'#'",
            "ü",
            "\"\\u00e9 \\\\\"",
            "''",
        ])
    }

    fn flow(&mut self, kind: Option<&'static Kind>, depth: usize, indent: usize) {
        let shape = self.shape(kind, depth);
        if shape == 0 {
            match self.any(12) {
                0 => {
                    let text = format!("\"one\n{}two\"", " ".repeat(indent + 1));
                    self.out.push_str(&text);
                }
                1 => {
                    let text = format!("one\n\n{}two", " ".repeat(indent + 1));
                    self.out.push_str(&text);
                }
                _ => {
                    let text = self.line_scalar();
                    self.out.push_str(text);
                }
            }
            return;
        }
        self.out.push(if shape == 1 { '[' } else { '{' });
        let none = Kind::Flag;
        let children = self.children(kind.unwrap_or(&none));
        let last = children.len();
        for (number, (key, kind)) in children.into_iter().enumerate() {
            self.gap(indent);
            if shape == 2 {
                self.out.push_str(&key);
                let colon = self.one(&[": ", " : ", ":  "]);
                self.out.push_str(colon);
            }
            self.flow(kind, depth + 1, indent);
            self.gap(indent);
            if number + 1 < last || self.any(3) == 0 {
                self.out.push(',');
            }
        }
        self.gap(indent);
        self.out.push(if shape == 1 { ']' } else { '}' });
    }

    /// Between the parts of brackets: perhaps a new line, perhaps comments.
    fn gap(&mut self, indent: usize) {
        match self.any(12) {
            0 => {
                self.out.push(' ');
                self.comment();
                self.out.push('\n');
                self.between(indent);
                self.out.push_str(&" ".repeat(indent + 1));
            }
            1 => {
                self.out.push('\n');
                self.between(indent);
                self.out.push_str(&" ".repeat(indent + 1));
            }
            2..6 => self.out.push(' '),
            _ => {}
        }
    }

    /// Writes what follows a key or a dash, to the end of its line.
    fn value(&mut self, kind: Option<&'static Kind>, depth: usize, indent: usize) {
        let shape = self.shape(kind, depth);
        if shape > 0 && self.any(2) == 0 {
            let step = 1 + self.any(4);
            self.end(indent + step);
            return self.block(kind, shape, (depth, indent + step));
        }
        self.out.push(' ');
        match self.any(14) {
            _ if shape > 0 => self.flow(kind, depth, indent),
            0 => {}
            1 | 2 => {
                let header = self.one(&["|", ">", "|-", ">+", "|+"]);
                self.out.push_str(header);
                if self.any(3) == 0 {
                    self.out.push(' ');
                    self.comment();
                }
                let inner = " ".repeat(indent + 1 + self.any(3));
                let text = format!("\n{inner}text # no\n\n{inner}  more\n{inner}end\n");
                self.out.push_str(&text);
                if self.any(3) == 0 {
                    self.out.push_str("\n\n");
                }
                self.after_block = true;
                return self.between(indent);
            }
            _ => self.flow(Some(&Kind::Flag), 9, indent),
        }
        self.end(indent);
    }

    fn block(
        &mut self,
        kind: Option<&'static Kind>,
        shape: usize,
        (depth, indent): (usize, usize),
    ) {
        let none = Kind::Flag;
        let mut children = self.children(kind.unwrap_or(&none));
        if children.is_empty() && depth > 0 {
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(if shape == 1 { "[]" } else { "{}" });
            return self.end(indent);
        }
        if children.is_empty() {
            children.push(("store".to_owned(), None));
        }
        for (key, kind) in children {
            self.out.push_str(&" ".repeat(indent));
            let mark = if shape == 1 { "-".to_owned() } else { format!("{key}:") };
            self.out.push_str(&mark);
            // A compact mapping in a list.
            if shape == 1 && self.any(2) == 0 && self.shape(kind, depth) == 2 {
                let flow = self.out.len();
                self.out.push(' ');
                self.block(kind, 2, (depth + 1, indent + 2));
                // Its first key stands behind the dash.
                let blanks = " ".repeat(indent + 2);
                let rest = self.out.split_off(flow + 1);
                self.out.push_str(rest.strip_prefix(&blanks).unwrap_or(&rest));
                continue;
            }
            self.value(kind, depth + 1, indent);
        }
    }
}

/// A file, and how many comments it has.
fn random_file(seed: u64) -> (String, usize) {
    static ROOT: Kind = Kind::Mapping(&STORE);
    let mut scribe = Scribe { seed, out: String::new(), comments: 0, after_block: false };
    scribe.between(0);
    scribe.block(Some(&ROOT), 2, (0, 0));
    (scribe.out, scribe.comments)
}

#[test]
fn most_random_files_are_yaml() {
    let good = (0..300u64).filter(|seed| {
        let (text, _) = random_file(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let file = Sources::default().add(String::new(), String::new());
        let (_, problems) = yaml::parse(file, &text);
        problems.is_empty()
    });
    let good = good.count();
    assert!(good > 200, "{good}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_random_file_keeps_its_meaning_and_its_comments_and_is_laid_out_once(seed: u64) {
        let (text, comments) = random_file(seed);
        match lay_out_as(&STORE, &text) {
            Err(LayoutError::Problems(_)) => {}
            Err(LayoutError::Unfaithful) => prop_assert!(false, "unfaithful:\n{text}"),
            Ok(once) => {
                let twice = lay_out_as(&STORE, &once);
                prop_assert!(twice.is_ok(), "{twice:?}\n{text}\n---- once\n{once}");
                prop_assert_eq!(&twice.unwrap(), &once, "of\n{}", text);
                for number in 1..=comments {
                    let there = once.matches(&format!("# {number} ")).count();
                    prop_assert_eq!(there, 1, "comment {} of\n{}", number, text);
                }
                prop_assert!(once.lines().all(|line| line == line.trim_end()), "{once}");
            }
        }
    }
}
