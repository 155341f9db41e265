//! Texts on one line, and in printable ASCII: what the subject of an e-mail can hold.
//!
//! Letters lose their accents, and what has no likeness is left out. Pure. To give a character a
//! likeness, add it to [`fold`]; text messages take it over where they lack the character.

/// A text on one line, without control characters and doubled spaces.
pub(super) fn one_line(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control(), " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts an ASCII text to a length, with `...` where something was left out.
pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters_max.saturating_sub(3)).collect();
    kept.trim_end().to_owned() + "..."
}

/// The text in printable ASCII: letters lose their accents, what has no likeness is left out.
pub(super) fn ascii(text: &str) -> String {
    one_line(&spaced(text))
}

/// The text in printable ASCII, with as many spaces as it has.
pub(super) fn spaced(text: &str) -> String {
    let is_space = |c: char| c.is_control() || c.is_whitespace();
    text.chars().map(|c| if is_space(c) { " ".to_owned() } else { fold(c) }).collect()
}

/// The likeness of a character in ASCII; empty when there is none.
pub(super) fn fold(c: char) -> String {
    let likeness = match c {
        ' '..='~' => return c.to_string(),
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'È'..='Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ì'..='ï' | 'ī' | 'į' | 'ı' => "i",
        'Ì'..='Ï' | 'Ī' | 'Į' | 'İ' => "I",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'Ò'..='Ö' | 'Ø' | 'Ō' | 'Ő' => "O",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'Ù'..='Ü' | 'Ū' | 'Ů' | 'Ű' | 'Ų' => "U",
        'ç' | 'ć' | 'č' => "c",
        'Ç' | 'Ć' | 'Č' => "C",
        'ñ' | 'ń' | 'ň' => "n",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ý' | 'ÿ' => "y",
        'Ý' => "Y",
        'ł' => "l",
        'Ł' => "L",
        'ř' => "r",
        'Ř' => "R",
        'ť' | 'ț' => "t",
        'Ť' | 'Ț' => "T",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ğ' => "g",
        'Ğ' => "G",
        'ß' => "ss",
        'æ' => "ae",
        'Æ' => "AE",
        'œ' => "oe",
        'Œ' => "OE",
        '\u{2018}' | '\u{2019}' | '\u{2032}' => "'",
        '\u{201c}' | '\u{201d}' | '«' | '»' => "\"",
        '\u{2010}'..='\u{2015}' => "-",
        '…' => "...",
        _ => "",
    };
    likeness.to_owned()
}
