//! From the words of a store and the facts of an alert to the texts of its e-mail and its headline.
//!
//! An empty value takes the spaces and brackets with it that stood for it alone, and a line of the
//! e-mail whose values are all empty goes away. No text ends up empty: one that says nothing gives
//! way to the built-in one, as SNS would refuse it and the alert be lost. Pure. To add a placeholder,
//! add its value in [`value`].

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ascii::{self, ascii, one_line, shortened};
use super::{AlertFacts, EMAIL_CHARACTERS_MAX, HEADLINE_CHARACTERS_MAX, SUBJECT_CHARACTERS_MAX};
use crate::store::StoreRef;
use crate::wording::{Part, Placeholder, Wording, WordingKey, parse};

/// A stretch of a text with what it stands for, if it is a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) of: Option<Placeholder>,
}

impl Piece {
    fn said(text: &str) -> Self {
        Self { text: text.to_owned(), of: None }
    }
}

/// How times are written: `10:03` or `10:03:03 PST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Short,
    Long,
}

/// The one sentence, such as `High-Priority Alert: Shelf Sweep at Aisle 5`.
pub(super) fn headline(facts: &AlertFacts, wording: &Wording) -> String {
    let headline = one_line(&join(&headline_pieces(facts, wording)));
    shortened(&headline, HEADLINE_CHARACTERS_MAX)
}

/// The headline in pieces, of which a text message may shorten some.
pub(super) fn headline_pieces(facts: &AlertFacts, wording: &Wording) -> Vec<Piece> {
    let said = |text| pieces(text, |it| value(facts, it, Form::Short));
    let own = said(wording.text(WordingKey::Headline));
    if says_nothing(&one_line(&join(&own))) { said(WordingKey::Headline.built_in()) } else { own }
}

/// The same in the letters of a channel: the built-in one where no word is left of a store's own.
pub(super) fn folded_headline(
    facts: &AlertFacts,
    wording: &Wording,
    folded: impl Fn(&AlertFacts, &Piece) -> String,
) -> Vec<Piece> {
    let said = |wording: &Wording| {
        let mut pieces = headline_pieces(facts, wording);
        for piece in &mut pieces {
            piece.text = folded(facts, piece);
        }
        pieces
    };
    let own = said(wording);
    let has_words = |pieces: &[Piece]| join(pieces).chars().any(char::is_alphabetic);
    let lost_words = has_words(&headline_pieces(facts, wording)) && !has_words(&own);
    if lost_words || says_nothing(&join(&own)) { said(&Wording::default()) } else { own }
}

/// True where nothing but the marks between words is left.
fn says_nothing(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii() && !c.is_ascii_alphanumeric())
}

/// The text message in pieces, with those of its headline.
pub(super) fn sms_pieces(facts: &AlertFacts, wording: &Wording, headline: &[Piece]) -> Vec<Piece> {
    let all = pieces(wording.text(WordingKey::Sms), |it| value(facts, it, Form::Short));
    let flat = all.into_iter().flat_map(|piece| match piece.of {
        Some(Placeholder::Headline) => headline.to_vec(),
        _ => vec![piece],
    });
    flat.collect()
}

pub(super) fn subject(facts: &AlertFacts, wording: &Wording) -> String {
    let folded = |facts: &AlertFacts, piece: &Piece| match piece.of {
        None => ascii::spaced(&piece.text),
        Some(Placeholder::Place) => place(facts, ascii),
        Some(_) => ascii(&piece.text),
    };
    let headline = ascii(&join(&folded_headline(facts, wording, folded)));
    let value = |placeholder| match placeholder {
        Placeholder::Headline => headline.clone(),
        Placeholder::Place => place(facts, ascii),
        Placeholder::Store => folded_store(&facts.store, ascii),
        placeholder => ascii(&value(facts, placeholder, Form::Short)),
    };
    let said = |wording: &Wording| {
        let text = wording.text(WordingKey::EmailSubject);
        let mut pieces = pieces(text, value);
        let names_headline = pieces.iter().any(|it| it.of == Some(Placeholder::Headline));
        for piece in pieces.iter_mut().filter(|it| it.of == Some(Placeholder::Store)) {
            if names_headline && headline.ends_with(&piece.text) {
                piece.text.clear();
            }
        }
        ascii(&join(&pieces))
    };
    // The built-in headline names the priority in plain letters: something is left whatever the rest.
    let text = Some(filled(said, wording)).filter(|it| !it.is_empty()).unwrap_or(headline);
    shortened(&text, SUBJECT_CHARACTERS_MAX)
}

pub(super) fn email(headline: &str, facts: &AlertFacts, wording: &Wording) -> String {
    let value = |placeholder| match placeholder {
        Placeholder::Headline => headline.to_owned(),
        placeholder => value(facts, placeholder, Form::Long),
    };
    let said = |wording: &Wording| {
        let pieces = pieces(wording.text(WordingKey::Email), value);
        let lines = lines(&pieces).into_iter().filter(|line| {
            let mut values = line.iter().filter(|it| it.of.is_some()).peekable();
            values.peek().is_none() || values.any(|it| !it.text.is_empty())
        });
        lines.map(|line| join(&line)).collect::<Vec<_>>().join("\n")
    };
    shortened(&filled(said, wording), EMAIL_CHARACTERS_MAX)
}

/// A text by a store's words, or by the built-in ones where those say nothing.
pub(super) fn filled(said: impl Fn(&Wording) -> String, wording: &Wording) -> String {
    let own = said(wording);
    if says_nothing(&own) { said(&Wording::default()) } else { own }
}

fn pieces(text: &str, value: impl Fn(Placeholder) -> String) -> Vec<Piece> {
    let pieces = parse(text).parts.into_iter().map(|part| match part {
        Part::Text(text) => Piece::said(text),
        Part::Value(placeholder) => Piece { text: value(placeholder), of: Some(placeholder) },
    });
    pieces.collect()
}

/// The pieces of each line; values have one line.
fn lines(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut lines = vec![];
    let mut line = vec![];
    for piece in pieces {
        if piece.of.is_some() {
            line.push(piece.clone());
            continue;
        }
        for (number, text) in piece.text.split('\n').enumerate() {
            if number > 0 {
                lines.push(std::mem::take(&mut line));
            }
            line.push(Piece::said(text));
        }
    }
    lines.push(line);
    lines
}

/// Puts pieces together. What stood around an empty value for its sake goes with it: the second of
/// two spaces, the space before a mark or the end, and brackets around nothing.
pub(super) fn join(pieces: &[Piece]) -> String {
    let mut text = String::new();
    let mut after_nothing = false;
    for piece in pieces {
        if piece.text.is_empty() {
            after_nothing |= piece.of.is_some();
            continue;
        }
        let mut next = piece.text.as_str();
        if std::mem::take(&mut after_nothing) {
            if let (Some(before), Some(behind)) = (text.strip_suffix('('), next.strip_prefix(')')) {
                text.truncate(before.len());
                next = behind;
            }
            if text.is_empty() || text.ends_with(' ') {
                next = next.trim_start_matches(' ');
            }
            if next.starts_with(['.', ',', ';', ':', '!', '?', ')']) {
                text.truncate(text.trim_end_matches(' ').len());
            }
            after_nothing = next.is_empty();
        }
        text.push_str(next);
    }
    if after_nothing {
        text.truncate(text.trim_end_matches(' ').len());
    }
    text
}

/// A placeholder's value on one line; the headline's is given by whoever says it.
fn value(facts: &AlertFacts, placeholder: Placeholder, form: Form) -> String {
    let line = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
    match placeholder {
        Placeholder::Headline => String::new(),
        Placeholder::Priority => capitalised(facts.priority.as_str()),
        Placeholder::Behaviour => title(&facts.event_type),
        Placeholder::Place => place(facts, one_line),
        Placeholder::Aisle => line(&facts.aisle_name),
        Placeholder::Camera => line(&facts.camera),
        Placeholder::Store => store_name(&facts.store),
        Placeholder::StoreId => facts.store.id.clone(),
        Placeholder::Time if form == Form::Long => local_time(facts, "%H:%M:%S %Z"),
        Placeholder::Time => local_time(facts, "%H:%M"),
        Placeholder::Date if form == Form::Long => local_time(facts, "%a %-d %b %Y"),
        Placeholder::Date => local_time(facts, "%Y-%m-%d"),
        Placeholder::Confidence => {
            facts.confidence.map(|it| format!("{:.0} %", it * 100.0)).unwrap_or_default()
        }
        Placeholder::Rule => one_line(&facts.rule),
        Placeholder::Case => facts.case_id.clone(),
    }
}

/// The aisle as staff call it, else the camera, else the store: the first of which something is
/// left in the letters of the channel.
pub(super) fn place(facts: &AlertFacts, folded: impl Fn(&str) -> String) -> String {
    let aisle = facts.aisle_name.as_deref().map(&folded).filter(|it| !it.is_empty());
    let camera = || {
        let camera = facts.camera.as_deref().map(&folded).filter(|it| !it.is_empty());
        camera.map(|it| format!("camera {it}"))
    };
    aisle.or_else(camera).unwrap_or_else(|| folded_store(&facts.store, folded))
}

/// The store's name, or its id where it has none.
pub(super) fn store_name(store: &StoreRef) -> String {
    let name = one_line(&store.name);
    if name.is_empty() { store.id.clone() } else { name }
}

/// The store's name in the letters of a channel, or its id where nothing is left.
pub(super) fn folded_store(store: &StoreRef, folded: impl Fn(&str) -> String) -> String {
    let name = folded(&store_name(store));
    if name.is_empty() { folded(&store.id) } else { name }
}

/// The words of an event type, each with a capital: `shelf_sweep` gives `Shelf Sweep`.
fn title(event_type: &str) -> String {
    let words = event_type.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(capitalised).collect::<Vec<_>>().join(" ")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// When the behaviour began.
pub(super) fn instant(facts: &AlertFacts) -> Option<Timestamp> {
    Timestamp::from_millisecond(facts.start_ms).ok()
}

/// The store's local time; a zone that the bundled database lacks counts as UTC.
pub(super) fn local_time(facts: &AlertFacts, format: &str) -> String {
    let zone = TimeZone::get(&facts.store.timezone).unwrap_or(TimeZone::UTC);
    instant(facts).map_or_else(String::new, |at| at.to_zoned(zone).strftime(format).to_string())
}
