//! The bytes of segments and frames. Pure: from numbers to bytes and back.

/// What a batch may have: the limit the protocol has for a request.
pub(super) const MAX_BODY: usize = 64 * 1024 * 1024;

/// Bytes before the first frame of a segment.
pub(super) const SEGMENT_HEADER: usize = 16;
/// Bytes before the body of a frame.
pub(super) const FRAME_HEADER: usize = 36;

const VERSION: u32 = 1;
/// As in a PNG file: not text, and broken by whoever takes it for that.
const SEGMENT_MAGIC: [u8; 8] = *b"\x89TGSPL\r\n";
/// `0xff` and `0xfe` are in no UTF-8 text, and nothing else in a batch is long enough for a header and the application's to
/// choose: no content of a span can be taken for a frame.
pub(super) const FRAME_MAGIC: [u8; 4] = [0xff, b'g', b'f', 0xfe];

/// What the start of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentKind {
    /// Of this version.
    Known,
    /// Of one that this code does not read.
    Newer(u32),
    /// It begins as one of ours does, as far as it goes, but is not whole.
    Torn,
    /// Anything.
    Unknown,
}

pub(super) fn segment_header() -> [u8; SEGMENT_HEADER] {
    let mut bytes = [0; SEGMENT_HEADER];
    let (magic, rest) = bytes.split_at_mut(8);
    magic.copy_from_slice(&SEGMENT_MAGIC);
    rest[..4].copy_from_slice(&VERSION.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..12]);
    bytes[12..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads the first bytes of a file, up to [`SEGMENT_HEADER`] of them.
pub(super) fn segment_kind(bytes: &[u8]) -> SegmentKind {
    let magic = &SEGMENT_MAGIC[..bytes.len().min(SEGMENT_MAGIC.len())];
    let ours = bytes.starts_with(magic);
    match bytes {
        [rest @ .., _, _, _, _] if bytes.len() == SEGMENT_HEADER && ours => {
            let crc = u32_at(bytes, 12);
            match u32_at(bytes, 8) {
                _ if crc != crc32fast::hash(rest) => SegmentKind::Torn,
                VERSION => SegmentKind::Known,
                version => SegmentKind::Newer(version),
            }
        }
        // The loss of power may leave a length whose bytes were never written.
        _ if ours || bytes.iter().all(|byte| *byte == 0) => SegmentKind::Torn,
        _ => SegmentKind::Unknown,
    }
}

/// What a frame says about its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) sequence: u64,
    /// Milliseconds since 1970.
    pub(super) written: u64,
    pub(super) records: u32,
    pub(super) length: u32,
    pub(super) body_crc: u32,
}

impl FrameHeader {
    pub(super) fn new(sequence: u64, written: u64, records: u32, body: &[u8]) -> FrameHeader {
        debug_assert!(body.len() <= MAX_BODY);
        FrameHeader {
            sequence,
            written,
            records,
            length: body.len() as u32,
            body_crc: crc32fast::hash(body),
        }
    }

    pub(super) fn bytes(&self) -> [u8; FRAME_HEADER] {
        let mut bytes = [0; FRAME_HEADER];
        bytes[..4].copy_from_slice(&FRAME_MAGIC);
        bytes[4..12].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.written.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.records.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.length.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.body_crc.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header these bytes begin with, if its sum is right and its length one we write.
    pub(super) fn parse(bytes: &[u8]) -> Option<FrameHeader> {
        let bytes = bytes.get(..FRAME_HEADER)?;
        let right = bytes.starts_with(&FRAME_MAGIC)
            && u32_at(bytes, 32) == crc32fast::hash(&bytes[..32])
            && u32_at(bytes, 24) as usize <= MAX_BODY;
        right.then(|| FrameHeader {
            sequence: u64_at(bytes, 4),
            written: u64_at(bytes, 12),
            records: u32_at(bytes, 20),
            length: u32_at(bytes, 24),
            body_crc: u32_at(bytes, 28),
        })
    }

    pub(super) fn is_right(&self, body: &[u8]) -> bool {
        body.len() == self.length as usize && crc32fast::hash(body) == self.body_crc
    }
}

/// Zero where there is nothing, which no caller asks for.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_le_bytes(found.unwrap_or_default())
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let found = bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok());
    u64::from_le_bytes(found.unwrap_or_default())
}
