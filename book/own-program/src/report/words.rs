//! Figures and texts as a reader sees them, on a screen and in a page.

use nix::sys::signal::Signal;
use workbook::tracer::{Arrival, End, Met, Sender, Sight, Tail};

/// A text that does nothing to a terminal and reads as it is written: control characters, escape
/// codes and what turns the direction of writing around are spelled out.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_hidden = matches!(letter,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        match letter {
            '\u{1b}' => plain += "\\e",
            _ if letter.is_control() || is_hidden => plain.extend(letter.escape_default()),
            _ => plain.push(letter),
        }
    }
    plain
}

/// A text that is no wider than so many columns; what is left of it ends with a word if one is near.
pub fn cut(text: &str, columns: usize) -> String {
    match split(text, columns) {
        (text, None) => text.to_owned(),
        // One column is for the mark.
        _ => split(text, columns.saturating_sub(1)).0.to_owned() + "…",
    }
}

/// A text in lines that are no wider than so many columns.
pub fn wrapped(mut text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let (line, rest) = split(text, columns);
        lines.push(line.to_owned());
        match rest {
            Some(rest) => text = rest,
            None => return lines,
        }
    }
}

/// The part of a text that so many columns hold, and the rest.
fn split(text: &str, columns: usize) -> (&str, Option<&str>) {
    let mut used = 0;
    let too_far = text.char_indices().find(|(_, letter)| {
        used += columns_of(*letter);
        used > columns
    });
    // Two columns hold at least a letter.
    let Some(end) = too_far.map(|(end, _)| end).filter(|end| *end > 0) else {
        return (text, None);
    };
    // A word may end where the line does.
    let word = if text[end..].starts_with(' ') { Some(end) } else { text[..end].rfind(' ') };
    let end = word.filter(|word| end - word < 24 && *word > 0).unwrap_or(end);
    (text[..end].trim_end(), Some(text[end..].trim_start()))
}

/// The columns that a letter takes on a terminal, never too few: a combining mark counts as one.
fn columns_of(letter: char) -> usize {
    let is_wide = matches!(letter,
        '\u{1100}'..='\u{115f}' | '\u{231a}'..='\u{23ff}' | '\u{25fd}'..='\u{27bf}'
        | '\u{2b1b}'..='\u{2b55}' | '\u{2e80}'..='\u{a4cf}' | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe10}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{16fe0}'..='\u{1b2ff}'
        | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    1 + usize::from(is_wide)
}

/// A time or a length of time, to the millisecond where it is short.
pub fn seconds(time: f64) -> String {
    let to = if time < 0.1 { 1000.0 } else { 100.0 };
    // `+ 0.0` makes a plain zero of a negative one.
    format!("{} s", (time * to).round() / to + 0.0)
}

/// How many of something.
pub fn count(many: usize, one: &str) -> String {
    format!("{many} {one}{}", if many == 1 { "" } else { "s" })
}

/// A size, with its thousands apart.
pub fn bytes(size: u64) -> String {
    let digits = size.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} byte{}", if size == 1 { "" } else { "s" })
}

/// A signal's name.
pub fn signal(number: i32) -> String {
    Signal::try_from(number)
        .map_or_else(|_| format!("signal {number}"), |signal| signal.as_str().to_owned())
}

/// How and when the process ended. Takes the threads' names.
pub fn end(sight: &Sight, names: &[String]) -> String {
    let name = |index: usize| names.get(index).map_or("a thread", String::as_str);
    let at = seconds(sight.ended);
    match &sight.end {
        End::Exit { code, by: Some(by) } => {
            format!("after {at}: exit code {code}, by {}", name(*by))
        }
        End::Exit { code, by: None } => {
            format!("after {at}: exit code {code}; which thread ended it was not seen")
        }
        End::Signal { signal: number, from } => {
            format!("after {at}: {}{}", signal(*number), sender(*number, from, &name))
        }
    }
}

/// The signals that came, those that met with the same in one line. One that only ended the process is told there.
pub fn signals(sight: &Sight, names: &[String]) -> Vec<String> {
    let name = |index: usize| names.get(index).map_or("a thread", String::as_str);
    let ended_it = |one: &Arrival| {
        one.met == Met::Default
            && held_up(one).is_none()
            && matches!(sight.end, End::Signal { signal, .. } if signal == one.signal)
    };
    let told: Vec<_> = sight.signals.iter().filter(|one| !ended_it(one)).collect();
    let is_same = |one: &&Arrival, next: &&Arrival| {
        (one.signal, &one.from, met(one)) == (next.signal, &next.from, met(next))
    };
    let line = |same: &[&Arrival]| {
        let one = same[0];
        let when = match (same.len(), seconds(one.at), seconds(same[same.len() - 1].at)) {
            (1, at, _) => format!("at {at}"),
            (many, from, to) => format!("{many} times from {from} to {to}"),
        };
        let from = sender(one.signal, &one.from, &name);
        format!("{} {when}{from}: {}", signal(one.signal), met(one))
    };
    told.chunk_by(is_same).map(line).collect()
}

/// How the program met a signal.
fn met(arrival: &Arrival) -> String {
    let how = match arrival.met {
        Met::Default if is_stop(arrival.signal) => "it stopped the program",
        Met::Default => "left to its default",
        Met::Ignored => "ignored",
        Met::Caught => "caught",
        Met::Blocked => "blocked until the end",
        Met::Awaited => "blocked, and taken by a call that waits for signals",
        Met::Unknown => "what became of it was not seen",
    };
    match held_up(arrival) {
        Some(at) => format!("blocked until {}, then {how}", seconds(at)),
        None => how.to_owned(),
    }
}

/// Until when a signal was held up that was delivered in the end. That it came late need not be the program's doing.
fn held_up(arrival: &Arrival) -> Option<f64> {
    arrival.delivered.filter(|_| arrival.held_up)
}

fn is_stop(number: i32) -> bool {
    [Signal::SIGSTOP, Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU]
        .contains(&Signal::try_from(number).unwrap_or(Signal::SIGKILL))
}

fn sender<'a>(number: i32, from: &Sender, name: &impl Fn(usize) -> &'a str) -> String {
    let is_terminals = is_stop(number)
        || [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP]
            .map(|one| one as i32)
            .contains(&number);
    match from {
        Sender::Kernel if is_terminals => " from the terminal".to_owned(),
        Sender::Fault(thread) => format!(", for a fault in {}", name(*thread)),
        Sender::Kernel => " from the kernel".to_owned(),
        Sender::Itself => " from the program itself".to_owned(),
        Sender::Tracer => " from this tracer".to_owned(),
        Sender::Process { pid, name: Some(name) } => {
            format!(" from process {pid} ({})", plain(name))
        }
        Sender::Process { pid, name: None } => format!(" from process {pid}"),
        Sender::Again(from) => {
            format!("{}, and raised again by the program", sender(number, from, name))
        }
        Sender::Unknown => "; from whom was not seen".to_owned(),
    }
}

/// How a file ends.
pub fn tail(tail: Tail) -> &'static str {
    match tail {
        Tail::Empty => "empty",
        Tail::Whole => "the last line is whole",
        Tail::Torn => "no line feed at its end",
        Tail::Binary => "no text",
        Tail::Unknown => "its end could not be read",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::crawler;
    use super::*;

    #[test]
    fn signals_are_told_by_what_they_met() {
        let arrival = |at, signal, from, met, delivered: Option<f64>| {
            let held_up = signal == 2 || delivered.is_none();
            Arrival { at, signal, from, met, delivered, held_up }
        };
        let mut sight = crawler();
        sight.signals = vec![
            arrival(1.0, 15, Sender::Tracer, Met::Ignored, Some(1.0)),
            arrival(1.5, 15, Sender::Tracer, Met::Ignored, Some(1.9)),
            arrival(2.0, 2, Sender::Kernel, Met::Caught, Some(2.5)),
            arrival(3.0, 1, Sender::Unknown, Met::Blocked, None),
            arrival(3.5, 10, Sender::Itself, Met::Default, Some(3.5)),
        ];
        sight.end = End::Signal { signal: 10, from: Sender::Itself };
        let expected = [
            "SIGTERM 2 times from 1 s to 1.5 s from this tracer: ignored",
            "SIGINT at 2 s from the terminal: blocked until 2.5 s, then caught",
            "SIGHUP at 3 s; from whom was not seen: blocked until the end",
        ];
        assert_eq!(signals(&sight, &[]), expected);
    }

    #[test]
    fn nothing_reaches_a_terminal_as_a_command() {
        assert_eq!(plain("a\u{1b}[31mb\u{7}\u{9b}2J\r\0"), "a\\e[31mb\\u{7}\\u{9b}2J\\r\\u{0}");
        assert_eq!(plain("\u{202e}txt.exe <b> \"é\" \\ 心"), "\\u{202e}txt.exe <b> \"é\" \\ 心");
    }

    #[test]
    fn what_is_too_wide_is_cut_between_words() {
        assert_eq!(cut("four", 4), "four");
        assert_eq!(cut("five5", 4), "fiv…");
        assert_eq!(cut("one two three", 9), "one two…");
        assert_eq!(cut("one two three", 8), "one two…");
        assert_eq!(cut("心跳心跳", 6), "心跳…");
        assert_eq!(cut("心", 1), "心");
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("aaaabbbbcc", 4), ["aaaa", "bbbb", "cc"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn figures_read_well() {
        let said = [0.0, -0.0, 0.0042, 0.5, 3.517, 99.999].map(seconds);
        assert_eq!(said, ["0 s", "0 s", "0.004 s", "0.5 s", "3.52 s", "100 s"]);
        assert_eq!(
            [0, 1, 999, 1000, 1_234_567].map(bytes),
            ["0 bytes", "1 byte", "999 bytes", "1,000 bytes", "1,234,567 bytes"]
        );
        assert_eq!([15, 64].map(signal), ["SIGTERM", "signal 64"]);
    }
}
