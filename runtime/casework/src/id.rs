//! Ids. Each derives from what it names, so that doing a thing twice gives the same id twice.
//!
//! Letters and digits are Crockford's base 32: upper case, without I, L, O and U, so that people
//! can read a case's id aloud. Pure.

use sha2::{Digest, Sha256};

/// Crockford's alphabet, <https://www.crockford.com/base32.html>.
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// Characters of a case's id: 80 bits. Our choice: short enough for a text message, and a chance
/// below one in a billion that two of a million cases share an id.
pub const CASE_CHARACTERS: usize = 16;

/// Characters of the other ids: 120 bits, and with its prefix well below the 64 characters that
/// an `InferenceId` may have.
const CHARACTERS: usize = 24;

/// What tells one detection from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetectionKey<'a> {
    pub store: &'a str,
    /// Empty when no camera is known.
    pub camera: &'a str,
    pub event_type: &'a str,
    pub start_ms: i64,
}

impl DetectionKey<'_> {
    /// The detection's id.
    pub fn detection_id(&self) -> String {
        format!("d-{}", base32(&self.digest(), CHARACTERS))
    }

    /// The id of the case that this detection opens.
    pub fn case_id(&self) -> String {
        base32(&self.digest(), CASE_CHARACTERS)
    }

    fn digest(&self) -> [u8; 32] {
        let Self { store, camera, event_type, start_ms } = self;
        sha256(format!("{store}|{camera}|{event_type}|{start_ms}").as_bytes())
    }
}

/// The id of one camera's window.
pub fn window_id(store: &str, camera: &str, start_ms: i64) -> String {
    format!("w-{}", base32(&sha256(format!("{store}|{camera}|{start_ms}").as_bytes()), CHARACTERS))
}

/// Returns the SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Returns bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

/// The first `characters` characters of bytes in base 32, most significant bit first.
fn base32(bytes: &[u8], characters: usize) -> String {
    let bit = |at: usize| {
        let byte = bytes.get(at / 8).copied().unwrap_or_default();
        usize::from(byte >> (7 - at % 8) & 1)
    };
    let value = |character: usize| (0..5).fold(0, |sum, at| sum * 2 + bit(character * 5 + at));
    (0..characters).filter_map(|character| ALPHABET.get(value(character))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_derive_from_what_they_name() {
        let key = DetectionKey {
            store: "seattle-001",
            camera: "aisle-5-a",
            event_type: "shelf_sweep",
            start_ms: 1_795_370_583_200,
        };
        assert_eq!(key.case_id().len(), CASE_CHARACTERS);
        assert_eq!(key.detection_id(), format!("d-{}", base32(&key.digest(), 24)));
        assert!(key.detection_id().contains(&key.case_id()));
        assert_ne!(key.case_id(), DetectionKey { start_ms: 0, ..key }.case_id());
        assert!(window_id("s", "c", 1).len() <= 64);
    }

    #[test]
    fn base_32_is_crockford_s() {
        // The ten bits 00001 11111 and their like: 1, Z, and the letters around the four left out.
        assert_eq!(base32(&[0b0000_1111, 0b1110_0000], 3), "1ZG");
    }

    #[test]
    fn hashes_are_lower_case_hex() {
        assert_eq!(
            hex(&sha256(b"")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
