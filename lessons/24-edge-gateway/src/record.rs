//! A reading as it stands in the log: with its length and its checksum.

// ANCHOR: record
/// In front of each record: its length, the same with every bit turned over, and
/// the checksum of what follows.
pub const HEAD: usize = 8;

/// Sensor and number together are its key: the sensor has given them, and gives
/// them again when it repeats the reading.
#[derive(Clone)]
pub struct Record {
    pub sensor: String,
    pub number: u64,
    pub value: String,
    length: u16,
}

/// Why no record begins at some place of a file.
pub enum Wrong {
    /// The file ends too early.
    Unfinished,
    Damaged,
}

impl Record {
    /// None if it is no line of three words, or longer than two bytes can say.
    pub fn new(sensor: &str, number: u64, value: &str) -> Option<Self> {
        let (sensor, value) = (sensor.to_owned(), value.to_owned());
        let is_word =
            |word: &String| !word.is_empty() && !word.contains([' ', '\n']);
        let mut record = Self { sensor, number, value, length: 0 };
        record.length = u16::try_from(record.text().len()).ok()?;
        (is_word(&record.sensor) && is_word(&record.value)).then_some(record)
    }

    /// Such as `shed 7 18.9`.
    pub fn text(&self) -> String {
        format!("{} {} {}", self.sensor, self.number, self.value)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let text = self.text();
        let mut bytes = Vec::from(self.length.to_le_bytes());
        bytes.extend((!self.length).to_le_bytes());
        bytes.extend(crc32fast::hash(text.as_bytes()).to_le_bytes());
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
        str::from_utf8(text).ok().and_then(Self::parse).ok_or(Wrong::Damaged)
    }

    fn parse(text: &str) -> Option<Self> {
        let (sensor, rest) = text.split_once(' ')?;
        let (number, value) = rest.split_once(' ')?;
        let record = Self::new(sensor, number.parse().ok()?, value)?;
        (record.text() == text).then_some(record)
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
    pub records: Vec<Record>,
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
                    scan.is_damaged = true;
                    scan.end = next.unwrap_or(bytes.len());
                }
            }
        }
        scan
    }
}
// ANCHOR_END: scan
