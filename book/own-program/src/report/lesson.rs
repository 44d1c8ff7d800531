//! Which page of the book explains the worst thing that was seen.

use nix::libc::{SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGTERM};
use workbook::tracer::call::Doing;
use workbook::tracer::{End, Fate, File, Met, Sender, Sight, Stood, Tail, Thread, Wait};

use super::rows::{cut_in, is_jvm, label, names, of_jvm, waits};
use super::words::{bytes, count, plain, seconds, signal};

/// A page of the book, and what has to be seen for it.
pub struct Lesson {
    /// Its file below `book/chapters`, without `.md`.
    pub page: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What was seen of that kind, if anything was.
    seen: fn(&Sight) -> Option<String>,
}

/// The worst first: what destroys data, then what nobody notices, then what is slow to stop, then what is
/// only worth knowing. A cause that the program itself has printed comes before its traces.
const WORST: [Lesson; 31] = [
    lesson("05-ways-to-exit-overflow", "The worker that ran off its stack", |sight| {
        printed(sight, &["has overflowed its stack"])
    }),
    lesson("06-cut-short-daemon", "The Python daemon that was stopped while it printed", |sight| {
        printed(sight, &["Fatal Python error: _enter_buffered_busy", "could not acquire lock"])
    }),
    lesson("05-ways-to-exit", "What the way out leaves undone", |sight| match sight.end {
        End::Signal { signal: number, from: Sender::Fault(thread) } => Some(format!(
            "a fault in {} ended the process ({})",
            name(sight, thread),
            signal(number)
        )),
        _ => None,
    }),
    lesson("16-panicking-worker", "The worker that died unseen", |sight| {
        let said = printed(sight, &["panicked at", "Exception in thread"])?;
        // A panic of `main` is no secret.
        let is_secret = matches!(sight.end, End::Exit { code: 0, .. });
        is_secret.then(|| format!("{said}, and the exit code is 0"))
    }),
    // Whoever gave it a time asks why it was still there; what was cut off then, we have cut off.
    lesson("17-hung-join", "The join that never returns", |sight| {
        was_still_there(sight).and_then(|_| joins_at_the_end(sight))
    }),
    lesson("13-prompt-stop", "The thread that overslept", |sight| {
        killed_by_us(sight).filter(|()| deaf(sight).is_none())?;
        let main = cut_in(sight.threads.first()?)?;
        (main.kind() == "asleep").then(|| "SIGTERM did not end it: main was asleep".to_owned())
    }),
    lesson("18-still-alive", "The thread that nobody listed", |sight| {
        killed_by_us(sight).map(|()| match deaf(sight) {
            Some(how) => format!("SIGTERM was {how}, so SIGKILL had to end it"),
            None => "SIGTERM did not end it, SIGKILL had to".to_owned(),
        })
    }),
    lesson("18-still-alive", "The thread that nobody listed", |sight| {
        let stood = was_still_there(sight)?;
        let of_jvm = of_jvm(sight);
        let is_own = |index: &usize| !of_jvm.get(*index).is_some_and(|is_jvms| *is_jvms);
        let threads = match stood.threads.iter().filter(|(index, _)| is_own(index)).count() {
            0 | 1 => String::new(),
            many => format!(", with {}", count(many, "thread")),
        };
        Some(format!("it was still there at {}{threads}", seconds(stood.at)))
    }),
    // An open file without a last line feed need not be torn; a thread that was cut off in it says more.
    lesson("08-truncated-write", "The file that stops in the middle", |sight| {
        cut_in_a_file(sight)
            .map(|(thread, doing)| format!("{thread} was cut off {}", plain(&doing.words())))
    }),
    lesson("08-truncated-write", "The file that stops in the middle", |sight| {
        open_at_the_end(sight, Tail::Torn)
            .map(|file| format!("{} was open and has no line feed at its end", path(file)))
    }),
    lesson("08-truncated-write", "The file that stops in the middle", |sight| {
        let file = torn_and_closed(sight)?;
        let who = match cut(sight).next() {
            Some((thread, _)) => format!("{} was cut off", name(sight, thread)),
            None => format!("{} ended it", ending_signal(sight)?),
        };
        Some(format!("{} has no line feed at its end, and {who}", path(file)))
    }),
    lesson("06-cut-short", "The export that was cut short", |sight| {
        open_at_the_end(sight, Tail::Empty)
            .map(|file| format!("{} was open for writing, and nothing is in it", path(file)))
    }),
    lesson("07-last-words-dead-pipe", "The log that nobody reads any more", |sight| {
        ended_by(sight, &[SIGPIPE])
    }),
    lesson("12-durable-handoff", "The payment that must not be lost", |sight| {
        ended_by(sight, &[SIGKILL])
    }),
    lesson("23-orphan-process", "The sidecar that went on", |sight| {
        let child = sight.children.first()?;
        let others = match sight.children.len() {
            1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        Some(format!("process {} ({}){others} lived on", child.pid, plain(&child.name)))
    }),
    lesson("17-hung-join", "The join that never returns", |sight| match sight.end {
        End::Signal { .. } => joins_at_the_end(sight),
        End::Exit { .. } => None,
    }),
    lesson("06-cut-short-stale-lock", "The stale lock file on the next start", |sight| {
        let is_lock = |file: &&File| {
            let ending = file.path.extension().and_then(|ending| ending.to_str());
            // A lock of a package manager is long.
            file.changed && file.size <= 32 && matches!(ending, Some("lock" | "lck" | "pid"))
        };
        let was_torn_off = matches!(sight.end, End::Signal { .. }) || cut(sight).next().is_some();
        let file = sight.files.iter().find(is_lock).filter(|_| was_torn_off)?;
        Some(format!("{} was left behind", path(file)))
    }),
    lesson("14-graceful-sigterm", "The order that was already accepted", |sight| match sight.end {
        End::Exit { code: code @ (129 | 130 | 143), .. } => {
            Some(format!("exit code {code} is 128 and the number of {}", signal(code - 128)))
        }
        _ => ended_by(sight, &[SIGTERM, SIGINT, SIGHUP, SIGQUIT]),
    }),
    lesson("05-ways-to-exit", "What the way out leaves undone", |sight| match sight.end {
        End::Signal { signal: number, .. } => Some(format!("{} ended it", signal(number))),
        End::Exit { .. } => None,
    }),
    lesson("18-still-alive-leak", "The count that only rises", |sight| {
        let cut = cut(sight).count();
        (cut >= 100).then(|| format!("{cut} threads were alive at the end"))
    }),
    lesson("07-last-words-appender", "The log that writes on a thread of its own", |sight| {
        cut_by_name(sight, &["tracing-appende"])
    }),
    lesson("12-durable-handoff-acknowledged", "What \"acknowledged\" is worth", |sight| {
        cut_by_name(sight, &["rdk:"])
    }),
    lesson("07-last-words-libraries", "Other logs that lose their last lines", |sight| {
        cut_by_name(sight, &["OpenTelemetry", "sentry", "slog-async"])
    }),
    lesson("01-critical-worker", "The worker that must finish", |sight| {
        let is_at_work = |(_, doing): &(usize, &Doing)| !waits(doing) && **doing != Doing::Unknown;
        let (index, doing) = cut(sight).find(is_at_work)?;
        Some(format!("{} was cut off, {}", name(sight, index), plain(&doing.words())))
    }),
    lesson("15-join-deadline", "The upload that was given a second", |sight| long_join(sight, 5.0)),
    lesson("05-ways-to-exit", "What the way out leaves undone", |sight| match sight.end {
        End::Exit { code, by: Some(by @ 1..) } if code != 0 => {
            Some(format!("{} ended the process, with exit code {code}", name(sight, by)))
        }
        _ => None,
    }),
    lesson("22-async-daemons", "The upload that nobody awaited", |sight| {
        cut_by_name(sight, &["tokio-r"])
    }),
    lesson("02-heartbeat", "The heartbeat that need not finish", |sight| {
        let (index, doing) = cut(sight).next()?;
        Some(match cut(sight).count() {
            1 => format!("{} was cut off, {}", name(sight, index), plain(&doing.words())),
            many => format!("{} were cut off while they waited", count(many, "thread")),
        })
    }),
    lesson("05-ways-to-exit", "What the way out leaves undone", |sight| match sight.end {
        End::Exit { code, .. } if code != 0 => Some(format!("the exit code is {code}")),
        _ => None,
    }),
    lesson("15-join-deadline", "The upload that was given a second", |sight| long_join(sight, 1.0)),
    lesson("map", "What brings you here?", |_| {
        Some("nothing was seen cut off, torn or left running".to_owned())
    }),
];

const fn lesson(
    page: &'static str,
    title: &'static str,
    seen: fn(&Sight) -> Option<String>,
) -> Lesson {
    Lesson { page, title, seen }
}

/// The page for the worst thing that was seen, and what that is.
pub fn worst(sight: &Sight) -> (&'static Lesson, String) {
    let found = WORST.iter().find_map(|lesson| Some((lesson, (lesson.seen)(sight)?)));
    found.unwrap_or((&WORST[WORST.len() - 1], String::new()))
}

fn name(sight: &Sight, index: usize) -> String {
    let thread = sight.threads.get(index).filter(|_| !is_jvm(sight));
    let label = thread.map(|thread| label(index, &thread.name, thread.named));
    label.or_else(|| names(sight).get(index).cloned()).unwrap_or_else(|| "a thread".to_owned())
}

fn path(file: &File) -> String {
    plain(&file.path.to_string_lossy())
}

/// The threads of the program that were cut off, but `main`, and what they did.
fn cut(sight: &Sight) -> impl Iterator<Item = (usize, &Doing)> {
    let of_jvm = of_jvm(sight);
    let threads = sight.threads.iter().enumerate().skip(1);
    threads
        .filter(move |(index, _)| !of_jvm[*index])
        .filter_map(|(index, thread)| Some((index, cut_in(thread)?)))
}

/// A thread that was cut off in a call that changes one of the files.
fn cut_in_a_file(sight: &Sight) -> Option<(String, &Doing)> {
    let is_file = |about: &str| sight.files.iter().any(|file| file.path.to_str() == Some(about));
    let is_change = |call: &str| {
        ["write", "sync", "truncate", "rename", "copy_file", "sendfile"]
            .iter()
            .any(|part| call.contains(part))
    };
    let threads = sight.threads.iter().enumerate();
    let mut cut = threads.filter_map(|(index, thread)| Some((index, cut_in(thread)?)));
    let (index, doing) = cut.find(|(_, doing)| match doing {
        Doing::Call(call) => is_change(&call.name) && call.about.as_deref().is_some_and(is_file),
        _ => false,
    })?;
    Some((name(sight, index), doing))
}

fn open_at_the_end(sight: &Sight, tail: Tail) -> Option<&File> {
    let is_lock = |file: &File| {
        file.path.extension().is_some_and(|ending| ending == "lock" || ending == "lck")
    };
    sight.files.iter().find(|file| file.open && file.changed && file.tail == tail && !is_lock(file))
}

/// A file of lines, or one that ends where a buffer does, which was closed without its last line feed.
fn torn_and_closed(sight: &Sight) -> Option<&File> {
    const BUFFER: u64 = 4096;
    const OF_LINES: [&str; 6] = ["csv", "jsonl", "log", "ndjson", "tsv", "txt"];
    let has_lines = |file: &File| {
        let ending = file.path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| OF_LINES.contains(&ending))
            || file.size > 0 && file.size.is_multiple_of(BUFFER)
    };
    let is_torn = |file: &&File| file.changed && !file.open && file.tail == Tail::Torn;
    sight.files.iter().filter(is_torn).find(|file| has_lines(file))
}

fn ending_signal(sight: &Sight) -> Option<String> {
    match sight.end {
        End::Signal { signal: number, .. } => Some(signal(number)),
        End::Exit { .. } => None,
    }
}

/// The threads that were cut off whose names begin so.
fn cut_by_name(sight: &Sight, beginnings: &[&str]) -> Option<String> {
    let is_one = |thread: &Thread| beginnings.iter().any(|name| thread.name.starts_with(name));
    let mut cut = cut(sight).filter(|(index, _)| is_one(&sight.threads[*index]));
    let (first, doing) = cut.next()?;
    Some(match cut.count() {
        0 => format!("{} was cut off, {}", name(sight, first), plain(&doing.words())),
        more => format!("{} and {more} more were cut off", name(sight, first)),
    })
}

/// A line that the program printed.
fn printed(sight: &Sight, texts: &[&str]) -> Option<String> {
    let says = |line: &str| texts.iter().find(|text| line.contains(*text)).copied();
    let mut lines = sight.printed.iter().rev().chain(&sight.alarm);
    let text = lines.find_map(|printed| says(&printed.line))?;
    Some(format!("it printed \"{text}\""))
}

fn ended_by(sight: &Sight, signals: &[i32]) -> Option<String> {
    match sight.end {
        End::Signal { signal: number, .. } if signals.contains(&number) => {
            let others = cut(sight).count();
            let with = if others > 0 {
                format!(", and {} with it", count(others, "thread"))
            } else {
                String::new()
            };
            Some(format!("{} ended it{with}", signal(number)))
        }
        _ => None,
    }
}

/// How its threads stood when it was given no more time, if that has ended it.
fn was_still_there(sight: &Sight) -> Option<&Stood> {
    let has_ended_it = match sight.end {
        End::Signal { signal, .. } => [SIGTERM, SIGKILL].contains(&signal),
        End::Exit { code, .. } => [130, 143].contains(&code),
    };
    sight.stood.as_ref().filter(|_| has_ended_it)
}

/// Whether the time was up and SIGTERM was not enough.
fn killed_by_us(sight: &Sight) -> Option<()> {
    let end = End::Signal { signal: SIGKILL, from: Sender::Tracer };
    (sight.end == end && sight.stood.is_some()).then_some(())
}

/// Why the last SIGTERM could do nothing.
fn deaf(sight: &Sight) -> Option<&'static str> {
    match sight.signals.iter().rfind(|one| one.signal == SIGTERM)?.met {
        Met::Ignored => Some("ignored"),
        Met::Blocked => Some("blocked"),
        _ => None,
    }
}

/// The thread that `main` was joining when the process ended, unless that one only served.
fn joins_at_the_end(sight: &Sight) -> Option<String> {
    let last = sight
        .waits
        .last()
        .filter(|wait| sight.ended - wait.to < 0.1 && wait.to - wait.from > 0.5)?;
    let joined = sight.threads.get(last.joins?)?;
    let serves = |doing: &Doing| matches!(doing, Doing::Call(call) if call.name.starts_with("accept") || call.name.contains("poll"));
    let doing = match &joined.fate {
        Fate::Cut(doing) if !serves(doing) => doing,
        _ => return None,
    };
    let name = name(sight, last.joins?);
    // Java's launcher joins always.
    if is_jvm(sight) {
        return None;
    }
    Some(format!("main was waiting for {name}, which was {}", plain(&doing.words())))
}

fn long_join(sight: &Sight, least: f64) -> Option<String> {
    let length = |wait: &&Wait| wait.to - wait.from;
    let joins =
        sight.waits.iter().filter(|wait| wait.joins.is_some() && wait.to - wait.from >= least);
    let longest = joins.max_by(|one, other| length(one).total_cmp(&length(other)))?;
    let waited = seconds(length(&longest));
    // Java's launcher joins always.
    if is_jvm(sight) {
        return None;
    }
    Some(format!("main waited {waited} for {}", name(sight, longest.joins?)))
}

/// How big a file is, and how it ends.
pub fn left(file: &File) -> String {
    let state = match (file.open, file.changed) {
        (true, true) => ", open at the end",
        (true, false) => ", open, not changed",
        (false, _) => ", changed meanwhile",
    };
    let tail = match file.tail {
        Tail::Empty => String::new(),
        tail => format!(", {}", super::words::tail(tail)),
    };
    format!("{}{tail}{state}", bytes(file.size))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use workbook::tracer::Arrival;

    use super::super::samples::{asleep, call, child, crawler, file, line, thread, wait};
    use super::*;

    /// The page for the crawler after a change.
    #[track_caller]
    fn leads(change: impl FnOnce(&mut Sight), page: &str, seen: &str) {
        let mut sight = crawler();
        change(&mut sight);
        let (lesson, said) = worst(&sight);
        assert_eq!((lesson.page, said.as_str()), (page, seen));
    }

    fn signal_from(signal: i32, from: Sender) -> End {
        End::Signal { signal, from }
    }

    #[test]
    fn each_page_is_in_the_book_under_its_title() {
        let chapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chapters");
        for Lesson { page, title, .. } in &WORST {
            let text = fs::read_to_string(chapters.join(format!("{page}.md"))).expect(page);
            let first = text.lines().next().unwrap_or_default().replace('`', "");
            assert_eq!(first, format!("# {title}"), "{page}");
        }
    }

    #[test]
    fn the_worst_thing_comes_first() {
        leads(|_| (), "08-truncated-write", "writer was cut off in `write` to output.txt");
        // Nothing was cut off in a file, but one was open.
        let no_writer = |sight: &mut Sight| sight.threads[1].fate = Fate::Ended(1.0);
        let torn = "output.txt was open and has no line feed at its end";
        leads(no_writer, "08-truncated-write", torn);
        leads(
            |sight| {
                no_writer(sight);
                sight.files = vec![file("output.txt", 0, true, Tail::Empty)];
            },
            "06-cut-short",
            "output.txt was open for writing, and nothing is in it",
        );
        // What only ends without a line feed is nobody's loss.
        leads(
            |sight| {
                no_writer(sight);
                sight.files = vec![file("a.json", 9, false, Tail::Torn)];
            },
            "02-heartbeat",
            "heartbeat was cut off, asleep, 0.4 s to go",
        );
        // Lines that were written before a thread was cut off are.
        for (path, size) in [("b.csv", 9), ("part", 8192)] {
            leads(
                |sight| {
                    no_writer(sight);
                    sight.files = vec![file(path, size, false, Tail::Torn)];
                },
                "08-truncated-write",
                &format!("{path} has no line feed at its end, and heartbeat was cut off"),
            );
        }
        leads(
            |sight| sight.printed.push(line(1.0, "thread 'writer' panicked at src/main.rs:3:5:")),
            "16-panicking-worker",
            "it printed \"panicked at\", and the exit code is 0",
        );
        leads(
            |sight| {
                sight.printed.push(line(1.0, "thread 'a' panicked at src/main.rs:3:5:"));
                sight.end = signal_from(11, Sender::Fault(1));
            },
            "05-ways-to-exit",
            "a fault in writer ended the process (SIGSEGV)",
        );
    }

    /// A run without files, of which a thread was cut off in `doing`.
    fn cut_in(doing: Doing) -> Sight {
        let mut sight = crawler();
        sight.files.clear();
        sight.threads[1].fate = Fate::Cut(doing);
        sight
    }

    #[test]
    fn a_signal_leads_where_its_sender_and_its_end_do() {
        let futex = || call("futex", None);
        let ends = |end, page: &str, seen: &str| {
            leads(
                |sight| {
                    *sight = cut_in(futex());
                    sight.end = end;
                },
                page,
                seen,
            );
        };
        ends(
            signal_from(SIGTERM, Sender::Tracer),
            "14-graceful-sigterm",
            "SIGTERM ended it, and 2 threads with it",
        );
        ends(
            End::Exit { code: 143, by: Some(2) },
            "14-graceful-sigterm",
            "exit code 143 is 128 and the number of SIGTERM",
        );
        ends(
            signal_from(SIGKILL, Sender::Kernel),
            "12-durable-handoff",
            "SIGKILL ended it, and 2 threads with it",
        );
        ends(
            signal_from(SIGPIPE, Sender::Kernel),
            "07-last-words-dead-pipe",
            "SIGPIPE ended it, and 2 threads with it",
        );
        ends(signal_from(6, Sender::Itself), "05-ways-to-exit", "SIGABRT ended it");
    }

    #[test]
    fn who_was_joined_at_the_end_is_named_unless_it_only_served() {
        let held = |doing: Doing, page: &str, seen: &str| {
            leads(
                |sight| {
                    *sight = cut_in(doing);
                    sight.end = signal_from(SIGTERM, Sender::Tracer);
                    sight.waits.push(wait(1.0, sight.ended, Some(1)));
                },
                page,
                seen,
            );
        };
        held(
            call("futex", None),
            "17-hung-join",
            "main was waiting for writer, which was waiting for another thread (futex)",
        );
        held(
            call("accept4", Some("127.0.0.1:80")),
            "14-graceful-sigterm",
            "SIGTERM ended it, and 2 threads with it",
        );
    }

    #[test]
    fn what_did_not_end_in_time_is_asked_for_its_main() {
        let stood = |fate: Fate, page: &str, seen: &str| {
            leads(
                |sight| {
                    *sight = cut_in(call("futex", None));
                    sight.end = signal_from(SIGKILL, Sender::Tracer);
                    sight.stood = Some(Stood { at: 1.0, threads: Vec::new() });
                    sight.threads[0].fate = fate;
                },
                page,
                seen,
            );
        };
        let still = |end, page: &str, seen: &str| {
            leads(
                |sight| {
                    sight.end = end;
                    sight.stood = Some(Stood { at: 1.0, threads: vec![(0, Doing::Computing)] });
                },
                page,
                seen,
            );
        };
        let there = "it was still there at 1 s";
        still(signal_from(SIGTERM, Sender::Tracer), "18-still-alive", there);
        still(End::Exit { code: 143, by: Some(0) }, "18-still-alive", there);
        // It has done what it was told.
        let writer = "writer was cut off in `write` to output.txt";
        still(End::Exit { code: 0, by: Some(0) }, "08-truncated-write", writer);
        let asleep = Fate::Cut(asleep(3.0));
        stood(asleep.clone(), "13-prompt-stop", "SIGTERM did not end it: main was asleep");
        let slept = asleep;
        let met = |met, seen: &str| {
            leads(
                |sight| {
                    sight.threads[0].fate = slept.clone();
                    sight.end = signal_from(SIGKILL, Sender::Tracer);
                    sight.stood = Some(Stood { at: 1.0, threads: Vec::new() });
                    let from = Sender::Tracer;
                    sight.signals = vec![Arrival {
                        at: 1.0,
                        signal: SIGTERM,
                        from,
                        met,
                        delivered: None,
                        held_up: true,
                    }];
                },
                "18-still-alive",
                seen,
            );
        };
        met(Met::Blocked, "SIGTERM was blocked, so SIGKILL had to end it");
        met(Met::Ignored, "SIGTERM was ignored, so SIGKILL had to end it");
        let computing = Fate::Cut(Doing::Computing);
        stood(computing, "18-still-alive", "SIGTERM did not end it, SIGKILL had to");
    }

    #[test]
    fn what_only_waited_is_milder_than_what_worked() {
        let cut = |doing: Doing, page: &str, seen: &str| {
            leads(|sight| *sight = cut_in(doing), page, seen)
        };
        cut(Doing::Computing, "01-critical-worker", "writer was cut off, computing");
        cut(call("futex", None), "02-heartbeat", "2 threads were cut off while they waited");
        let named = |name: &str, page: &str, seen: &str| {
            leads(
                |sight| {
                    *sight = cut_in(call("futex", None));
                    sight.threads[1].name = name.to_owned();
                },
                page,
                seen,
            );
        };
        named(
            "tokio-rt-worker",
            "22-async-daemons",
            "tokio-rt-worker was cut off, waiting for another thread (futex)",
        );
        named(
            "rdk:broker1",
            "12-durable-handoff-acknowledged",
            "rdk:broker1 was cut off, waiting for another thread (futex)",
        );
        named(
            "tracing-appende",
            "07-last-words-appender",
            "tracing-appende was cut off, waiting for another thread (futex)",
        );
    }

    #[test]
    fn what_was_left_is_worse_than_what_was_cut() {
        leads(
            |sight| {
                *sight = cut_in(call("futex", None));
                sight.children.push(child(99, "sidecar"));
            },
            "23-orphan-process",
            "process 99 (sidecar) lived on",
        );
        leads(
            |sight| {
                *sight = cut_in(call("futex", None));
                sight.files.push(file("service.lock", 5, false, Tail::Torn));
            },
            "06-cut-short-stale-lock",
            "service.lock was left behind",
        );
        leads(
            |sight| {
                let doing = call("futex", None);
                *sight = cut_in(doing.clone());
                let many = (0..200).map(|id| thread(id, "worker", Fate::Cut(doing.clone())));
                sight.threads.extend(many);
            },
            "18-still-alive-leak",
            "202 threads were alive at the end",
        );
    }

    #[test]
    fn a_run_without_a_loss_may_still_have_been_slow() {
        let whole = |change: fn(&mut Sight), page: &str, seen: &str| {
            leads(
                |sight| {
                    sight.files.clear();
                    sight.threads.truncate(2);
                    sight.threads[1].fate = Fate::Ended(2.0);
                    sight.waits.clear();
                    change(sight);
                },
                page,
                seen,
            );
        };
        whole(|_| (), "map", "nothing was seen cut off, torn or left running");
        whole(
            |sight| sight.waits.push(wait(0.5, 2.0, Some(1))),
            "15-join-deadline",
            "main waited 1.5 s for writer",
        );
        whole(
            |sight| sight.end = End::Exit { code: 3, by: Some(0) },
            "05-ways-to-exit",
            "the exit code is 3",
        );
        whole(
            |sight| sight.end = End::Exit { code: 3, by: Some(1) },
            "05-ways-to-exit",
            "writer ended the process, with exit code 3",
        );
    }
}
