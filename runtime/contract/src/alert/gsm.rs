//! The alphabet of text messages: GSM 7 bit, its basic table and its extension.
//!
//! A character outside of it would make the whole message UCS-2, of which one piece holds 70
//! characters instead of 160. So everything in the alphabet stays as it is, and only the rest is
//! folded to its likeness. Source: 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1,
//! <https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/>. Pure. To fold another character,
//! add it to [`likeness`].

use super::ascii::{fold, one_line};

/// Letters and signs of the basic table beside those of ASCII: one septet each.
const BASIC: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// Signs of ASCII that the basic table lacks; the backtick is in neither table.
const ASCII_LACKED: &str = "^{}\\[~]|`";

/// The extension table: an escape and the sign, two septets each.
const EXTENSION: &str = "^{}\\[~]|€";

/// Stands where something was left out.
const ELLIPSIS: &str = "...";

/// How many septets a character takes; `None` when it is outside of the alphabet.
pub(super) fn width(c: char) -> Option<usize> {
    if EXTENSION.contains(c) {
        return Some(2);
    }
    let is_basic = matches!(c, ' '..='~') && !ASCII_LACKED.contains(c) || BASIC.contains(c);
    is_basic.then_some(1)
}

/// How many septets a text of the alphabet takes.
pub fn septets(text: &str) -> usize {
    text.chars().filter_map(width).sum()
}

/// The text on one line, in characters of the alphabet.
pub(super) fn gsm(text: &str) -> String {
    one_line(&folded(text))
}

/// The text in characters of the alphabet, with as many spaces as it has.
pub(super) fn folded(text: &str) -> String {
    let is_space = |c: char| c.is_control() || c.is_whitespace();
    text.chars().map(|c| if is_space(c) { " ".to_owned() } else { likeness(c) }).collect()
}

/// Cuts a text of the alphabet to so many septets, with `...` where something was left out; nothing
/// is left where nothing but `...` has room.
pub(super) fn shortened(text: &str, septets_max: usize) -> String {
    if septets(text) <= septets_max {
        return text.to_owned();
    }
    let room = septets_max.saturating_sub(ELLIPSIS.len());
    if room == 0 {
        return String::new();
    }
    let mut taken = 0;
    let fits = |c: &char| {
        taken += width(*c).unwrap_or(0);
        taken <= room
    };
    let kept: String = text.chars().take_while(fits).collect();
    kept.trim_end().to_owned() + ELLIPSIS
}

/// The character, or its likeness in the alphabet; empty when there is none.
fn likeness(c: char) -> String {
    if width(c).is_some() {
        return c.to_string();
    }
    match c {
        '`' => "'".to_owned(),
        'ő' => "ö".to_owned(),
        'Ő' => "Ö".to_owned(),
        'ű' => "ü".to_owned(),
        'Ű' => "Ü".to_owned(),
        _ => greek(c).map_or_else(|| fold(c), |capital| capital.to_string()),
    }
}

/// A Greek letter as text messages have it: a capital without accent, the Latin one where both look
/// the same.
fn greek(c: char) -> Option<char> {
    let capital = match c {
        'α' | 'ά' | 'Α' | 'Ά' => 'A',
        'β' | 'Β' => 'B',
        'γ' => 'Γ',
        'δ' => 'Δ',
        'ε' | 'έ' | 'Ε' | 'Έ' => 'E',
        'ζ' | 'Ζ' => 'Z',
        'η' | 'ή' | 'Η' | 'Ή' => 'H',
        'θ' => 'Θ',
        'ι' | 'ί' | 'ϊ' | 'ΐ' | 'Ι' | 'Ί' | 'Ϊ' => 'I',
        'κ' | 'Κ' => 'K',
        'λ' => 'Λ',
        'μ' | 'Μ' => 'M',
        'ν' | 'Ν' => 'N',
        'ξ' => 'Ξ',
        'ο' | 'ό' | 'Ο' | 'Ό' => 'O',
        'π' => 'Π',
        'ρ' | 'Ρ' => 'P',
        'σ' | 'ς' => 'Σ',
        'τ' | 'Τ' => 'T',
        'υ' | 'ύ' | 'ϋ' | 'ΰ' | 'Υ' | 'Ύ' | 'Ϋ' => 'Y',
        'φ' => 'Φ',
        'χ' | 'Χ' => 'X',
        'ψ' => 'Ψ',
        'ω' | 'ώ' | 'Ώ' => 'Ω',
        _ => return None,
    };
    Some(capital)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The basic table as 3GPP TS 23.038, section 6.2.1 prints it, row by row from 0x00 to 0x7F; `\n`
    /// and `\r` are 0x0A and 0x0D, and the escape 0x1B stands as U+001B.
    const TABLE: [&str; 8] = [
        "@£$¥èéùìòÇ\nØø\rÅå",
        "Δ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ",
        " !\"#¤%&'()*+,-./",
        "0123456789:;<=>?",
        "¡ABCDEFGHIJKLMNO",
        "PQRSTUVWXYZÄÖÑÜ§",
        "¿abcdefghijklmno",
        "pqrstuvwxyzäöñüà",
    ];
    /// Section 6.2.1.1: what stands behind an escape, beside the page break.
    const EXTENDED: [(u8, char); 9] = [
        (0x14, '^'),
        (0x28, '{'),
        (0x29, '}'),
        (0x2f, '\\'),
        (0x3c, '['),
        (0x3d, '~'),
        (0x3e, ']'),
        (0x40, '|'),
        (0x65, '€'),
    ];

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        assert!(TABLE.iter().all(|row| row.chars().count() == 16));
        for c in (0..0x3_0000).filter_map(char::from_u32) {
            let basic = !c.is_control() && TABLE.iter().any(|row| row.contains(c));
            let extended = EXTENDED.iter().any(|(_, it)| *it == c);
            let expected = basic.then_some(1).or(extended.then_some(2));
            assert_eq!(width(c), expected, "{c:?}");
        }
    }

    #[test]
    fn what_is_in_the_alphabet_stays_and_the_rest_has_a_likeness() {
        for (text, expected) in [
            ("Käse & Öl, Größe §5 à la carte", "Käse & Öl, Größe §5 à la carte"),
            ("Ærø Ålborg Ñandú piñata ¿qué?", "Ærø Ålborg Ñandu piñata ¿qué?"),
            ("5 € [neu] {x} ~ a|b^\\", "5 € [neu] {x} ~ a|b^\\"),
            ("Čeština, Łódź, Őrült", "Cestina, Lodz, Örült"),
            ("“Façade” – l’été…", "\"Facade\" - l'été..."),
            ("Ξυράφια ΔΙΑΔΡΟΜΟΣ 5", "ΞYPAΦIA ΔIAΔPOMOΣ 5"),
            ("`x` 東京 7", "'x' 7"),
        ] {
            assert_eq!(gsm(text), expected);
        }
    }

    #[test]
    fn a_pair_with_an_escape_is_never_cut() {
        assert_eq!(septets("a€b"), 4);
        assert_eq!(shortened("€€€€", 8), "€€€€");
        assert_eq!(shortened("€€€€", 7), "€€...");
        assert_eq!(shortened("€€€€", 6), "€...");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_folded_is_in_the_alphabet(text in "\\PC{0,40}", septets_max in 3..60_usize) {
            let folded = gsm(&text);
            prop_assert!(folded.chars().all(|c| width(c).is_some()), "{}", folded);
            prop_assert!(septets(&shortened(&folded, septets_max)) <= septets_max);
            prop_assert_eq!(gsm(&folded), folded);
        }
    }
}
