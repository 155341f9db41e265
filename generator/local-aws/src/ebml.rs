//! EBML, the container language of Matroska: elements with an id, a size and bytes. Pure.
//!
//! Reads what cameras and libavformat write, also while it is still coming in: [`Header::read`]
//! answers `None` until the header is there. Writes with the shortest sizes. Which ids mean what
//! is in `matroska`. Source: RFC 8794.

/// Largest element that is held in memory, in bytes: what Kinesis Video takes as one fragment.
///
/// Source: Kinesis Video quotas, "Maximum fragment size",
/// <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/limits.html>.
pub const ELEMENT_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Why bytes are not EBML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EbmlError {
    /// No element can begin with these bytes.
    #[error("no EBML element begins here")]
    Id,
    /// Longer than [`ELEMENT_BYTES_MAX`], or of unknown size where the size is needed.
    #[error("an EBML element is too large")]
    Size,
    /// The parent ends in the middle of a child.
    #[error("an EBML element is cut off")]
    Truncated,
}

/// The head of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub id: u32,
    /// Bytes of content; `None` when the writer did not know.
    pub size: Option<u64>,
    /// Bytes that the header itself takes.
    pub length: usize,
}

impl Header {
    /// Reads the head at the start of `bytes`; `None` when more bytes are needed.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, EbmlError> {
        let Some((id, id_length)) = vint(bytes, 4)? else { return Ok(None) };
        let rest = bytes.get(id_length..).unwrap_or_default();
        let Some((raw, size_length)) = vint(rest, 8)? else { return Ok(None) };
        let ones = (1_u64 << (7 * size_length)) - 1;
        let value = raw & ones;
        let size = (value != ones).then_some(value);
        let id = u32::try_from(id).map_err(|_| EbmlError::Id)?;
        Ok(Some(Self { id, size, length: id_length + size_length }))
    }

    /// Header and content together, in bytes.
    pub fn whole(self) -> Result<usize, EbmlError> {
        let size = self.size.and_then(|it| usize::try_from(it).ok()).ok_or(EbmlError::Size)?;
        if size > ELEMENT_BYTES_MAX { Err(EbmlError::Size) } else { Ok(self.length + size) }
    }
}

/// A number of variable length with its marker bit, and how many bytes it takes.
fn vint(bytes: &[u8], longest: usize) -> Result<Option<(u64, usize)>, EbmlError> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let length = usize::try_from(first.leading_zeros()).unwrap_or(usize::MAX).saturating_add(1);
    if length > longest {
        return Err(EbmlError::Id);
    }
    Ok(bytes.get(..length).map(|it| (big_endian(it), length)))
}

/// An unsigned number as EBML stores it; 0 for no bytes.
pub fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

/// The elements inside a complete parent.
pub fn children(mut bytes: &[u8]) -> Result<Vec<(u32, &[u8])>, EbmlError> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let header = Header::read(bytes)?.ok_or(EbmlError::Truncated)?;
        let whole = header.whole()?;
        let content = bytes.get(header.length..whole).ok_or(EbmlError::Truncated)?;
        found.push((header.id, content));
        bytes = bytes.get(whole..).unwrap_or_default();
    }
    Ok(found)
}

/// Appends an element.
pub fn write(out: &mut Vec<u8>, id: u32, content: &[u8]) {
    write_header(out, id, content.len());
    out.extend_from_slice(content);
}

/// Appends an element that holds an unsigned number.
pub fn write_uint(out: &mut Vec<u8>, id: u32, value: u64) {
    write(out, id, &trimmed(&value.to_be_bytes()));
}

/// Appends the head of an element that ends where its parent or the next one says.
pub fn write_unknown_size(out: &mut Vec<u8>, id: u32) {
    out.extend_from_slice(&trimmed(&id.to_be_bytes()));
    out.extend_from_slice(&[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
}

/// Appends an element's head, for content that follows.
pub fn write_header(out: &mut Vec<u8>, id: u32, size: usize) {
    out.extend_from_slice(&trimmed(&id.to_be_bytes()));
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    // All ones means "unknown", so the largest value of each length is not used.
    let length = (1_u32..8).find(|it| size < (1_u64 << (7 * it)) - 1).unwrap_or(8);
    let marked = size | (1_u64 << (7 * length));
    let skipped = 8 - usize::try_from(length).unwrap_or(8);
    out.extend_from_slice(marked.to_be_bytes().get(skipped..).unwrap_or_default());
}

/// The bytes without leading zeros, but at least one.
fn trimmed(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|it| **it == 0).count();
    bytes.get(zeros.min(bytes.len() - 1)..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_at_every_size() {
        for size in [0, 1, 126, 127, 128, 16_382, 16_383, 70_000] {
            let mut out = Vec::new();
            write(&mut out, 0x1F43_B675, &vec![7; size]);
            assert_eq!(children(&out).unwrap(), [(0x1F43_B675, vec![7; size].as_slice())]);
        }
    }

    #[test]
    fn a_header_that_is_not_there_yet_asks_for_more() {
        assert_eq!(Header::read(&[0x1A, 0x45]), Ok(None));
        assert_eq!(Header::read(&[0xA3]), Ok(None));
    }

    #[test]
    fn an_unknown_size_is_no_size() {
        let mut bytes = Vec::new();
        write_unknown_size(&mut bytes, 0x1853_8067);
        let header = Header::read(&bytes).unwrap().unwrap();
        assert_eq!(header, Header { id: 0x1853_8067, size: None, length: 12 });
        assert_eq!(header.whole(), Err(EbmlError::Size));
    }

    #[test]
    fn garbage_and_cut_off_elements_are_refused() {
        assert_eq!(Header::read(&[0x00, 0x01]), Err(EbmlError::Id));
        assert_eq!(children(&[0xE7, 0x82, 0x01]), Err(EbmlError::Truncated));
    }

    #[test]
    fn numbers_take_as_few_bytes_as_they_need() {
        let mut out = Vec::new();
        write_uint(&mut out, 0xE7, 0);
        write_uint(&mut out, 0xE7, 2_000);
        assert_eq!(out, [0xE7, 0x81, 0, 0xE7, 0x82, 0x07, 0xD0]);
    }
}
