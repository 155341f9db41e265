//! The text message: one piece, whatever the names are.
//!
//! Where it is over its size, the longest values are cut until it fits: never the case's id, by
//! which people find the rest, nor the words between. What it loses, [`sms_loss`] says beforehand.
//! Pure. The bound and its source are [`SMS_SEPTETS_MAX`].

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

/// What the text message loses of its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsLoss {
    /// So many characters more than there is room for.
    TooLong(usize),
    /// These characters, which have no likeness in its alphabet.
    Characters(String),
}

impl fmt::Display for SmsLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(over) => write!(f, "is {over} characters too long, and is cut"),
            Self::Characters(lost) => write!(f, "cannot hold the characters `{lost}`"),
        }
    }
}

/// Returns what the text message of an alert loses; `None` when it says all but a store's long name.
pub fn sms_loss(facts: &AlertFacts, wording: &Wording) -> Option<SmsLoss> {
    let pieces = words::sms_pieces(facts, wording);
    let said = pieces.iter().filter(|it| it.of != Some(Placeholder::Store));
    let letters = said.flat_map(|it| it.text.chars());
    let lost: String = letters.filter(|it| gsm::folded(&it.to_string()).is_empty()).collect();
    if !lost.is_empty() {
        return Some(SmsLoss::Characters(lost));
    }
    let whole = one_line(&words::join(&folded(facts, wording)));
    let over = septets(&whole).saturating_sub(SMS_SEPTETS_MAX);
    (over > 0).then_some(SmsLoss::TooLong(over))
}

pub(super) fn sms(facts: &AlertFacts, wording: &Wording) -> String {
    words::filled(|wording| fitted(&folded(facts, wording)), wording)
}

/// The pieces in the alphabet of text messages.
fn folded(facts: &AlertFacts, wording: &Wording) -> Vec<Piece> {
    let mut pieces = words::sms_pieces(facts, wording);
    for piece in &mut pieces {
        piece.text = match piece.of {
            None => gsm::folded(&piece.text),
            Some(Placeholder::Place) => words::place(facts, gsm),
            Some(Placeholder::Store) => store(facts),
            Some(_) => gsm(&piece.text),
        };
    }
    pieces
}

fn store(facts: &AlertFacts) -> String {
    let name = match gsm(&words::store_name(&facts.store)) {
        name if name.is_empty() => gsm(&facts.store.id),
        name => name,
    };
    gsm::shortened(&name, STORE_SEPTETS_MAX)
}

/// The text with each value cut to the greatest length at which the whole fits.
fn fitted(pieces: &[Piece]) -> String {
    let at = |length: usize| {
        let cut = |piece: &Piece| match piece.of {
            None | Some(Placeholder::Case) => piece.clone(),
            Some(_) => Piece { text: gsm::shortened(&piece.text, length), of: piece.of },
        };
        one_line(&words::join(&pieces.iter().map(cut).collect::<Vec<_>>()))
    };
    let whole = one_line(&words::join(pieces));
    let fits = |text: &String| septets(text) <= SMS_SEPTETS_MAX;
    let texts = [whole].into_iter().chain((0..=SMS_SEPTETS_MAX).rev().map(at));
    // Words that are too long by themselves, which `arm check` warned of, are cut at their end.
    texts.into_iter().find(fits).unwrap_or_else(|| gsm::shortened(&at(0), SMS_SEPTETS_MAX))
}
