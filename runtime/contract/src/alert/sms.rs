//! The text message: one piece, whatever the names are.
//!
//! Where it is over its size, values are cut, the longest first and the place last, and no more than
//! is needed; then the words between; never the case's id, by which people find the rest. What it
//! loses, [`sms_loss`] says beforehand. Pure. The bound and its source are [`SMS_SEPTETS_MAX`].

use std::fmt;

use super::AlertFacts;
use super::ascii::one_line;
use super::gsm::{self, gsm, septets};
use super::words::{self, Piece};
use crate::wording::{Placeholder, Wording};

/// Most septets of a text message: 140 bytes of the GSM 7 bit alphabet, so that it arrives as one
/// piece at one price. A character is one septet; those of the extension, such as `€`, are two.
/// Source: 3GPP TS 23.040, section 9.2.3.24, and SNS developer guide, "Mobile text messaging",
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-phone-number-as-subscriber.html>.
pub const SMS_SEPTETS_MAX: usize = 160;

/// Most septets of a store's name in a text message. Our choice: its first words say which it is, and
/// leave room for the place.
const STORE_SEPTETS_MAX: usize = 24;

/// Septets of a place that are kept as long as any other value can be cut. Our choice: more than
/// staff call an aisle by; what a longer name has beyond is cut like any other value.
const PLACE_SEPTETS_KEPT: usize = 40;

/// Fewest septets of a value that is cut. Our choice: three letters and `...`.
const CUT_SEPTETS_MIN: usize = 6;

/// What the text message loses of its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsLoss {
    /// So many characters more than there is room for.
    TooLong(usize),
    /// The fixed words, with the case's id, take so many characters, which leaves no room for the place.
    NoPlace(usize),
    /// These characters, which have no likeness in its alphabet.
    Characters(String),
}

impl fmt::Display for SmsLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(over) => write!(f, "is {over} characters too long, and is cut"),
            Self::NoPlace(fixed) => write!(
                f,
                "has no room for the place: what is fixed in it takes {fixed} of {SMS_SEPTETS_MAX} characters"
            ),
            Self::Characters(lost) => write!(f, "cannot hold the characters `{lost}`"),
        }
    }
}

/// Returns what the text message of an alert loses; `None` when it says all but a store's long name.
pub fn sms_loss(facts: &AlertFacts, wording: &Wording) -> Option<SmsLoss> {
    let pieces = words::sms_pieces(facts, wording, &words::headline_pieces(facts, wording));
    let said = pieces.iter().filter(|it| it.of != Some(Placeholder::Store));
    let letters = said.flat_map(|it| it.text.chars());
    let lost: String = letters.filter(|it| gsm::folded(&it.to_string()).is_empty()).collect();
    if !lost.is_empty() {
        return Some(SmsLoss::Characters(lost));
    }
    let pieces = folded(facts, wording);
    let over = septets(&said_by(&pieces)).saturating_sub(SMS_SEPTETS_MAX);
    let lengths: Vec<_> = pieces.iter().map(|it| if is_place(it) { kept(it) } else { 0 }).collect();
    let loses_place = lengths.iter().any(|length| *length > 0) && !fits(&cut(&pieces, &lengths));
    let fixed = septets(&said_by(&cut(&pieces, &vec![0; pieces.len()])));
    let short = if loses_place { SmsLoss::NoPlace(fixed) } else { SmsLoss::TooLong(over) };
    (over > 0).then_some(short)
}

pub(super) fn sms(facts: &AlertFacts, wording: &Wording) -> String {
    words::filled(|wording| fitted(&folded(facts, wording)), wording)
}

/// The pieces in the alphabet of text messages.
fn folded(facts: &AlertFacts, wording: &Wording) -> Vec<Piece> {
    let headline = words::folded_headline(facts, wording, fold);
    let mut pieces = words::sms_pieces(facts, wording, &headline);
    for piece in &mut pieces {
        piece.text = fold(facts, piece);
    }
    pieces
}

fn fold(facts: &AlertFacts, piece: &Piece) -> String {
    match piece.of {
        None => gsm::folded(&piece.text),
        Some(Placeholder::Place) => words::place(facts, gsm),
        Some(Placeholder::Store) => {
            gsm::shortened(&words::folded_store(&facts.store, gsm), STORE_SEPTETS_MAX)
        }
        Some(_) => gsm(&piece.text),
    }
}

/// The text with its values cut by no more than is needed: those over a common length to that
/// length, then each back to what there is room for.
fn fitted(pieces: &[Piece]) -> String {
    let whole: Vec<_> = pieces.iter().map(|it| septets(&it.text)).collect();
    if fits(pieces) {
        return said_by(pieces);
    }
    let at = |others: usize, place: usize| -> Vec<usize> {
        let most = |it: &Piece| if is_place(it) { place.min(kept(it).max(others)) } else { others };
        pieces.iter().map(most).collect()
    };
    let others = (0..=SMS_SEPTETS_MAX).rev().map(|length| at(length, SMS_SEPTETS_MAX));
    let places = (0..=PLACE_SEPTETS_KEPT).rev().map(|length| at(0, length));
    let Some(mut lengths) = others.chain(places).find(|it| fits(&cut(pieces, it))) else {
        return around_the_case(&cut(pieces, &at(0, 0)));
    };
    let mut order: Vec<_> = pieces.iter().zip(&whole).enumerate().collect();
    order.sort_by_key(|(_, (piece, whole))| (!is_place(piece), **whole));
    for (index, (_, whole)) in order {
        let with = |length: usize| -> Vec<usize> {
            let each = lengths.iter().enumerate();
            each.map(|(at, it)| if at == index { length.max(*it) } else { *it }).collect()
        };
        let mut longer = (0..=(*whole).min(SMS_SEPTETS_MAX)).rev().map(with);
        if let Some(longer) = longer.find(|it| fits(&cut(pieces, it))) {
            lengths = longer;
        }
    }
    said_by(&cut(pieces, &lengths))
}

fn said_by(pieces: &[Piece]) -> String {
    one_line(&words::join(pieces))
}

fn fits(pieces: &[Piece]) -> bool {
    septets(&said_by(pieces)) <= SMS_SEPTETS_MAX
}

fn is_place(piece: &Piece) -> bool {
    matches!(piece.of, Some(Placeholder::Place | Placeholder::Aisle))
}

/// How much of a place is kept as long as another value can be cut.
fn kept(piece: &Piece) -> usize {
    septets(&piece.text).min(PLACE_SEPTETS_KEPT)
}

/// The pieces with each value cut to its length: never the case's id, nor the words between.
fn cut(pieces: &[Piece], lengths: &[usize]) -> Vec<Piece> {
    let cut = |(piece, length): (&Piece, &usize)| match piece.of {
        None | Some(Placeholder::Case) => piece.clone(),
        Some(_) if septets(&piece.text) > *length && says_nothing(piece, *length) => {
            Piece { text: String::new(), of: piece.of }
        }
        Some(_) => Piece { text: gsm::shortened(&piece.text, *length), of: piece.of },
    };
    pieces.iter().zip(lengths).map(cut).collect()
}

/// True where what a cut leaves of a value would say nothing, or mislead.
fn says_nothing(piece: &Piece, length: usize) -> bool {
    match piece.of {
        Some(Placeholder::Time | Placeholder::Date | Placeholder::Confidence) => true,
        _ => !is_place(piece) && length < CUT_SEPTETS_MIN,
    }
}

/// Words that are too long by themselves, of which `arm check` warned, with the case's id whole:
/// first those behind it are cut, then those before it.
fn around_the_case(pieces: &[Piece]) -> String {
    let is_case = |piece: &Piece| piece.of == Some(Placeholder::Case);
    let Some(at) = pieces.iter().position(is_case) else {
        return gsm::shortened(&said_by(pieces), SMS_SEPTETS_MAX);
    };
    let (before, from) = pieces.split_at(at);
    let Some((case, behind)) = from.split_first() else { return String::new() };
    let id = &case.text;
    // A space on each side.
    let room = SMS_SEPTETS_MAX.saturating_sub(septets(id) + 2);
    let before = gsm::shortened(&said_by(before), room);
    let behind = gsm::shortened(&said_by(behind), room.saturating_sub(septets(&before)));
    one_line(&format!("{before} {id} {behind}"))
}
