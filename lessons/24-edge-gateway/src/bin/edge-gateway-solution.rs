//! Solution: cuts off what a dying till has left, and nothing else.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::{self, Command, ExitCode, ExitStatus};

use tracing::info;

const SALES: usize = 5;

/// Who sells, and after how many bytes the power fails. The last till lives.
const SHIFTS: [(&str, usize); 8] = [
    ("ada", 20),
    ("ada", 30),
    ("ada", 31),
    ("bartholomew", 45),
    ("ada", 40),
    ("bartholomew", 32),
    ("bartholomew", 79),
    ("ada", usize::MAX),
];

fn main() -> ExitCode {
    lesson_log::init();
    let words = env::args_os().skip(1).filter_map(|word| word.into_string().ok());
    let words: Vec<_> = words.collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] => day(),
        ["damage"] => damage(),
        [cashier, power] => match power.parse() {
            Ok(power) => sell(cashier, power),
            Err(_) => Err(format!("`{power}` is no number")),
        },
        _ => Err(
            "the arguments are: none, damage, or who sells and for how many bytes"
                .to_owned(),
        ),
    };
    result.map_or_else(lesson_log::failure, |()| ExitCode::SUCCESS)
}

/// A day of dying tills, with a new file.
fn day() -> Result<(), String> {
    let file = alone()?;
    file.set_len(0).map_err(told)?;
    let shifts = SHIFTS.map(|(cashier, power)| start(cashier, power));
    match shifts {
        [.., Ok(last)] if last.success() => Ok(()),
        [.., Err(error)] => Err(format!("cannot start a till: {error}")),
        _ => Err("the last till has not ended its day".to_owned()),
    }
}

/// Turns over one bit, as a worn-out memory card does, and starts a till on that.
fn damage() -> Result<(), String> {
    let _file = alone()?;
    let good = fs::read_to_string("till.log").map_err(told)?;
    let (third, last) = (good.find("105 cents"), good.find("175 cents"));
    let (third, last) = third.zip(last).ok_or("till.log has no full day")?;
    let places = [
        ("the amount in line 3", third + 2, 1),
        ("the amount in the last line", last + 2, 1),
        // It becomes a J, which is neither white space nor a control character.
        ("the last line feed", good.len() - 1, 0x40),
    ];
    for (what, place, bit) in places {
        let mut damaged = good.clone().into_bytes();
        damaged[place] ^= bit;
        fs::write("till.log", &damaged).map_err(told)?;
        let till = start("ada", usize::MAX).map_err(told)?;
        let is_same = fs::read("till.log").map_err(told)? == damaged;
        fs::write("till.log", &good).map_err(told)?;
        match (till.success(), is_same) {
            (false, true) => {
                info!("{what}: the till refuses, the file is as it was")
            }
            (true, _) => info!("{what}: the till sells"),
            (false, false) => info!("{what}: the file is changed"),
        }
    }
    Ok(())
}

/// Keeps a second day out as long as the file is open. The tills themselves do not ask.
fn alone() -> Result<File, String> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    let file = options.open("till.log").map_err(told)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err("another day is under way".to_owned()),
        Err(TryLockError::Error(error)) => Err(told(error)),
    }
}

fn start(cashier: &str, power: usize) -> io::Result<ExitStatus> {
    let mut till = Command::new(env::current_exe()?);
    till.args([cashier, &power.to_string()]).status()
}

fn sell(cashier: &str, power: usize) -> Result<(), String> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open("till.log").map_err(told)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(told)?;
    // ANCHOR: solution
    // With its line feed: without it, the next sale would stand on the same line.
    let is_whole = |line: &&str| line.strip_suffix('\n').is_some_and(is_right);
    let lengths: Vec<_> =
        text.split_inclusive('\n').take_while(is_whole).map(str::len).collect();
    let (kept, end) = (lengths.len(), lengths.iter().sum());
    // A till that dies leaves the beginning of a line. Behind a right text it leaves
    // nothing: what stands there was a line feed.
    let rest: &str = &text[end..];
    let mut before_the_last = rest.chars();
    before_the_last.next_back();
    if rest.contains('\n') || is_right(before_the_last.as_str()) {
        return Err(format!("till.log is damaged in line {}", kept + 1));
    }
    file.set_len(end as u64).map_err(told)?;
    // Also a whole line, whose till has died before its sync: it counts from here on.
    file.sync_data().map_err(told)?;
    // Reading has moved the cursor, and cutting the file does not move it back.
    file.seek(SeekFrom::Start(end as u64)).map_err(told)?;
    // ANCHOR_END: solution

    let mut paper = Paper { file, power };
    for sale in kept + 1..=SALES {
        paper.write_all(line(sale, cashier).as_bytes()).map_err(told)?;
        paper.flush().map_err(told)?;
        info!("sale {sale} is acknowledged");
    }
    info!("{SALES} sales are in till.log");
    Ok(())
}

fn told(error: io::Error) -> String {
    format!("till.log: {error}")
}

/// A line begins with the checksum of its text.
fn line(sale: usize, cashier: &str) -> String {
    let text = format!("sale {sale}: {} cents, {cashier}", sale * 35);
    format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes()))
}

fn is_right(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(sum, text)| {
        sum == format!("{:08x}", crc32fast::hash(text.as_bytes()))
    })
}

/// The log as long as there is power; nothing is written after that.
struct Paper {
    file: File,
    power: usize,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.power == 0 {
            process::abort();
        }
        let count = self.file.write(&bytes[..bytes.len().min(self.power)])?;
        self.power -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}
