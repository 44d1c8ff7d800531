//! What is told of a process that was looked at while it runs: a screenful, and JSON.

use serde::Serialize;
use workbook::tracer::look::{Held, Look, Moved, Seen, moved};

use super::jvm;
use super::rows::{Kind, MOST_ALONE, groups, label_of, waits, without_digits};
use super::words::{count, cut, plain, wrapped};
use super::{COLUMNS, LINES, Section, VERSION, spelled_out, typed};

/// A look that is to be told.
#[derive(Clone, Debug)]
pub struct Report {
    look: Look,
    left_out: Option<usize>,
}

/// What the JSON file holds.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    /// Whether the arguments are missing.
    left_out: bool,
    #[serde(flatten)]
    look: &'a Look,
}

/// A thread, or several that are told together.
struct Row<'a> {
    name: String,
    members: Vec<&'a Seen>,
    /// Whether it is the first thread of the process.
    is_first: bool,
    /// Whether these are no threads of the program's.
    is_jvms: bool,
}

impl Report {
    /// Takes a look, and whether its arguments are to be left out.
    pub fn new(mut look: Look, private: bool) -> Self {
        let left_out = private.then(|| look.command.len().saturating_sub(1));
        if private {
            look.command.truncate(1);
        }
        Self { look, left_out }
    }

    /// The report for a terminal: as many lines as a screen has, and as wide.
    pub fn screen(&self) -> String {
        let look = &self.look;
        let command = typed(&look.command, self.left_out);
        let process = format!("{} ({}): {command}", look.pid, plain(&look.name));
        let java = self.is_jvm().then(|| {
            format!("what its Java code waits for is told by the JDK: jstack {}", look.pid)
        });
        let unseen = look.limits.iter().map(|limit| plain(&limit.0)).chain(java).collect();
        let mut sections = [
            Section::of("process", vec![process], 1),
            Section::of("looked", vec![self.summary()], 1),
            Section::of("threads", Vec::new(), 0),
            Section::of("unseen", unseen, 3),
            Section::of("read", vec![self.lesson().to_owned()], 1),
        ];
        let room = LINES.saturating_sub(sections.iter().map(Section::height).sum());
        let mut rows = self.rows(false);
        if rows.len() > MOST_ALONE.min(room) {
            rows = self.rows(true);
        }
        rows.sort_by_key(Row::rank);
        let mut lines = lines(&rows, room);
        if lines.len() > room {
            let more = lines.split_off(room - 1).len();
            lines.push(format!("and {} more, in --json", count(more, "kind")));
        }
        sections[2] = Section::of("threads", lines, room);
        sections.iter().flat_map(Section::lines).map(|line| cut(&line, COLUMNS) + "\n").collect()
    }

    /// The report for programs: one object, in one line.
    pub fn json(&self) -> String {
        let json = Json { version: VERSION, left_out: self.left_out.is_some(), look: &self.look };
        let json = serde_json::to_string(&json).expect("text, numbers and lists of them");
        spelled_out(&json) + "\n"
    }

    fn summary(&self) -> String {
        let alive = self.look.threads.iter().filter(|seen| seen.held != Some(Held::Ended));
        let still = alive.clone().filter(|seen| matches!(seen.moved, Moved::Still(_))).count();
        let has = if still == 1 { "has" } else { "have" };
        let mut words = format!(
            "twice, {:.1} s apart: {still} of {} {has} not moved",
            self.look.apart,
            count(alive.count(), "thread")
        );
        if self.look.ended > 0 {
            words += &format!("; {} ended meanwhile", self.look.ended);
        }
        words
    }

    /// Whether it is a Java program, started as most are.
    fn is_jvm(&self) -> bool {
        let names = self.look.threads.iter().map(|seen| &*seen.name);
        self.look.name.starts_with("java") && jvm::is_one(names)
    }

    /// One row a thread, or one a kind of threads.
    fn rows(&self, grouped: bool) -> Vec<Row<'_>> {
        let threads = &self.look.threads;
        let is_jvm = self.is_jvm();
        let is_jvms = |seen: &Seen| is_jvm && jvm::is_own(&seen.name);
        let of_jvm = || Kind { name: "\0".into(), ending: String::new(), call: String::new() };
        let kinds = threads.iter().enumerate().map(|(index, seen)| {
            if is_jvms(seen) {
                of_jvm()
            } else {
                Kind {
                    // `main` is never one of many.
                    name: match index {
                        0 => "main\0".to_owned(),
                        _ if grouped => format!("{} {}", seen.named, without_digits(&seen.name)),
                        _ => seen.id.to_string(),
                    },
                    ending: seen.moved.kind().to_owned(),
                    call: seen.kind(),
                }
            }
        });
        let row = |members: Vec<usize>| {
            let first = &threads[members[0]];
            let is_first = first.id == self.look.pid;
            let name = match members.len() {
                many if is_jvms(first) => jvm::row(many),
                1 if is_first && is_jvm => jvm::LAUNCHER.to_owned(),
                1 if is_jvm && members[0] == 1 && !first.named => {
                    format!("{} ({})", jvm::MAIN, first.id)
                }
                1 if is_first => "main".to_owned(),
                1 if first.named => format!("{} ({})", plain(&first.name), first.id),
                1 => format!("thread {} ({})", first.id, plain(&first.name)),
                many => label_of(many, &first.name, first.named),
            };
            let is_jvms = is_jvms(first);
            let members = members.into_iter().map(|index| &threads[index]).collect();
            Row { name, members, is_first, is_jvms }
        };
        groups(kinds).into_iter().map(row).collect()
    }

    /// The lesson that explains what was seen.
    fn lesson(&self) -> &'static str {
        let joins = |seen: &Seen| seen.joins.is_some() && matches!(seen.moved, Moved::Still(_));
        // Java's launcher joins always.
        let threads = self.look.threads.iter().skip(usize::from(self.is_jvm()));
        if threads.into_iter().any(joins) {
            "\"The join that never returns\", page 17-hung-join: a thread waits for another one's end"
        } else {
            "\"The thread that nobody listed\", page 18-still-alive: how to see who is still alive"
        }
    }
}

impl Row<'_> {
    /// The most telling come first: those that are held, that stand in a call which does not wait, that compute.
    fn rank(&self) -> u8 {
        let first = self.members[0];
        let is_still = matches!(first.moved, Moved::Still(_));
        match first.held {
            _ if self.is_first => 0,
            _ if self.is_jvms => u8::MAX,
            Some(Held::Ended) => 7,
            Some(_) => 1,
            None if is_still && first.joins.is_some() => 2,
            None if is_still && !waits(&first.doing) => 3,
            None if first.doing.kind() == "computing" => 4,
            None if is_still => 5,
            None => 6,
        }
    }

    /// What the threads did, and whether they moved.
    fn said(&self) -> (String, String) {
        let first = self.members[0];
        if self.is_jvms {
            return (jvm::OWN.to_owned(), String::new());
        }
        let did = match first.did() {
            did if self.members.iter().all(|seen| seen.did() == did) => did,
            _ => first.kind(),
        };
        let moved = match first.held {
            Some(Held::Ended) => String::new(),
            _ => moved(self.members.iter().map(|seen| seen.moved)),
        };
        (plain(&did), moved)
    }
}

/// The rows in two columns. What is too wide goes on in a second line; where that makes too many, or one is not enough,
/// it is cut so that whether they moved fits as well.
fn lines(rows: &[Row<'_>], most: usize) -> Vec<String> {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).min(28);
    let room = COLUMNS - 12 - width;
    let short = |(did, moved): (String, String)| {
        let did = cut(&did, room.saturating_sub(moved.len()));
        did + &moved
    };
    let line = |name: &str, said: &str| format!("{:<width$}  {said}", cut(name, 28));
    let long = rows.iter().flat_map(|row| {
        let (did, moved) = row.said();
        let said = match wrapped(&format!("{did}{moved}"), room) {
            said if said.len() <= 2 => said,
            _ => vec![short((did, moved))],
        };
        let names = [row.name.as_str(), ""];
        names.into_iter().zip(said).map(|(name, said)| line(name, &said)).collect::<Vec<_>>()
    });
    let long: Vec<_> = long.collect();
    match long.len() {
        all if all <= most => long,
        _ => rows.iter().map(|row| line(&row.name, &short(row.said()))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use workbook::tracer::Limit;
    use workbook::tracer::call::{Call, Doing, Left};
    use workbook::tracer::look::{Look, Moved, Seen};

    use super::Report;

    fn seen(id: u32, name: &str, call: &str, about: Option<&str>, moved: Moved) -> Seen {
        let left = if call == "futex" { Left::Forever } else { Left::Untold };
        let doing = Doing::Call(Call { name: call.into(), about: about.map(str::to_owned), left });
        let named = name != "app";
        Seen { id, name: name.into(), named, doing, joins: None, kernel: None, held: None, moved }
    }

    fn look(threads: Vec<Seen>) -> Look {
        Look {
            pid: 100,
            name: "app".to_owned(),
            command: ["app", "--token", "a b"].map(str::to_owned).to_vec(),
            apart: 1.0,
            threads,
            ended: 0,
            limits: Vec::new(),
        }
    }

    #[test]
    fn a_look_is_told_thread_by_thread() {
        let mut main = seen(100, "app", "futex", None, Moved::Still(Some(93.0)));
        main.joins = Some((102, "writer".to_owned()));
        let mut look = look(vec![
            main,
            seen(101, "app", "epoll_wait", None, Moved::Ran { times: 10, busy: 0.0 }),
            seen(102, "writer", "write", Some("a pipe"), Moved::Still(Some(93.0))),
        ]);
        look.limits.push(Limit("Process 7 (gdb) traces it.".to_owned()));
        let screen = Report::new(look, false).screen();
        assert_eq!(
            screen,
            "\
process   100 (app): app --token 'a b'
looked    twice, 1.0 s apart: 2 of 3 threads have not moved
threads   main              joining writer (102), no time limit; has not moved for 93 s
          writer (102)      in `write` to a pipe; has not moved for 93 s
          thread 101 (app)  in `epoll_wait`; ran 10 times
unseen    Process 7 (gdb) traces it.
read      \"The join that never returns\", page 17-hung-join: a thread waits for another one's end
"
        );
    }

    #[test]
    fn many_threads_are_grouped_and_fit_a_screen() {
        let mut threads =
            vec![seen(100, "app", "accept", Some("127.0.0.1:80"), Moved::Still(None))];
        for id in 101..5000 {
            let name = format!("worker-{id}");
            threads.push(seen(id, &name, "futex", None, Moved::Still(Some(f64::from(id)))));
        }
        let screen = Report::new(look(threads.clone()), false).screen();
        let row = "4899 threads worker-*  waiting for another thread (futex), no time limit; none has moved";
        assert!(screen.contains(row), "{screen}");
        assert!(screen.contains(&format!("\n{:33}for 101 s\n", "")), "{screen}");
        assert_eq!(screen.lines().count(), 6);
        for (index, seen) in threads.iter_mut().enumerate() {
            seen.name = format!("{}-thread", "abcdefghij".repeat(1 + index % 70));
        }
        let screen = Report::new(look(threads), false).screen();
        assert_eq!(screen.lines().count(), super::LINES, "{screen}");
        assert!(screen.contains("more, in --json"), "{screen}");
    }

    #[test]
    fn a_long_line_still_says_since_when() {
        let about = "x".repeat(200);
        let screen = Report::new(
            look(vec![seen(100, "app", "write", Some(&about), Moved::Still(Some(5.0)))]),
            false,
        )
        .screen();
        assert!(screen.contains("xxx…; has not moved for 5 s\n"), "{screen}");
        assert!(screen.lines().all(|line| line.chars().count() <= super::COLUMNS), "{screen}");
    }

    #[test]
    fn arguments_can_be_left_out() {
        let report = Report::new(look(vec![seen(100, "app", "futex", None, Moved::Unknown)]), true);
        assert!(!(report.screen() + &report.json()).contains("token"), "{report:?}");
        assert!(report.json().contains("\"left_out\":true"));
    }
}
