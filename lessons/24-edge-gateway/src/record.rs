//! A reading as it stands in the log: with its length and its checksum.

// ANCHOR: record
/// In front of each record: its length, the same with every bit turned over, and
/// the checksum of what follows.
pub const HEAD: usize = 8;

/// No record is shorter.
const SHORTEST: usize = HEAD + "1 x".len();

#[derive(Clone)]
pub struct Record {
    /// One more than the record before has.
    pub number: u64,
    pub value: String,
}

/// Why no record begins at some place of a file.
pub enum Wrong {
    /// The file ends too early.
    Unfinished,
    Damaged,
}

impl Record {
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = format!("{} {}", self.number, self.value);
        let (length, sum) = (text.len() as u16, crc32fast::hash(text.as_bytes()));
        let mut bytes = Vec::from(length.to_le_bytes());
        bytes.extend((!length).to_le_bytes());
        bytes.extend(sum.to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    /// Reads the record that `bytes` begin with.
    pub fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let (head, rest) = bytes.split_first_chunk().ok_or(Wrong::Unfinished)?;
        let length = length(head).ok_or(Wrong::Damaged)?;
        let text = rest.get(..length).ok_or(Wrong::Unfinished)?;
        if head[4..] != crc32fast::hash(text).to_le_bytes() {
            return Err(Wrong::Damaged);
        }
        let text = str::from_utf8(text).map_err(|_| Wrong::Damaged)?;
        let (number, value) = text.split_once(' ').ok_or(Wrong::Damaged)?;
        let number = number.parse().map_err(|_| Wrong::Damaged)?;
        Ok(Self { number, value: value.to_owned() })
    }
}

/// How many bytes follow; none if a bit of the length has turned over.
pub fn length(head: &[u8; HEAD]) -> Option<usize> {
    let length = u16::from_le_bytes([head[0], head[1]]);
    (length == !u16::from_le_bytes([head[2], head[3]])).then_some(length.into())
}
// ANCHOR_END: record

// ANCHOR: scan
/// What the bytes of a log hold.
#[derive(Default)]
pub struct Scan {
    /// Without a gap: what is lost has a record that says so.
    pub records: Vec<Record>,
    pub saved: usize,
    pub is_damaged: bool,
    /// Where the last good record ends; what follows is torn.
    pub end: usize,
}

impl Scan {
    pub fn of(bytes: &[u8], begin: usize) -> Self {
        let mut scan = Self { end: begin, ..Self::default() };
        while scan.end < bytes.len() {
            match Record::read(&bytes[scan.end..]) {
                Ok(record) => {
                    scan.end += record.to_bytes().len();
                    scan.saved += 1;
                    scan.records.push(record);
                }
                Err(wrong) => {
                    let good = |at: &usize| Record::read(&bytes[*at..]).is_ok();
                    let next = (scan.end + 1..bytes.len()).find(good);
                    // A process that dies leaves the beginning of a record, and
                    // nothing after it. Everything else is damage.
                    if next.is_none() && matches!(wrong, Wrong::Unfinished) {
                        break;
                    }
                    scan.skip(bytes, next.unwrap_or(bytes.len()));
                }
            }
        }
        scan
    }

    /// Goes on at `next`, and notes which readings are lost.
    fn skip(&mut self, bytes: &[u8], next: usize) {
        let last = self.records.last().map_or(0, |record| record.number);
        let at_most = ((next - self.end) / SHORTEST).max(1) as u64;
        let lost = match Record::read(&bytes[next..]) {
            Ok(after) => {
                let first = after.number.saturating_sub(at_most);
                first.max(last + 1)..after.number
            }
            Err(_) => last + 1..last + 1 + at_most,
        };
        let lost = lost.map(|number| Record { number, value: "lost".to_owned() });
        self.records.extend(lost);
        self.is_damaged = true;
        self.end = next;
    }
}
// ANCHOR_END: scan
