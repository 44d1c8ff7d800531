//! Reads what strace tells of a program's threads.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// The threads of a program, and its end. Times are seconds since the program began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// In the order of their birth; the first is `main`.
    pub threads: Vec<Thread>,
    /// When the process ended.
    pub ended: f64,
    /// The name of the thread that ended it; none if a signal did.
    pub ended_by: Option<String>,
}

/// A thread, as the kernel saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// The kernel's name of it: 15 bytes at most.
    pub name: String,
    /// When it was born.
    pub born: f64,
    /// When it called `exit` itself; a thread that never did was cut off.
    pub returned: Option<f64>,
    /// When it waited.
    pub waits: Vec<Wait>,
}

/// A wait of a thread, for another thread or for something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Since when.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// The name of the thread if it was a join.
    pub joins: Option<String>,
}

/// What is known of a thread while the trace is read; waits hold the id of the joined thread.
struct Life {
    id: u32,
    name: Option<String>,
    born: f64,
    returned: Option<f64>,
    waits: Vec<(f64, f64, Option<u32>)>,
    /// The call that has begun and not returned.
    open: Option<(f64, String)>,
}

impl Trace {
    /// Reads the output of `strace -f -ttt -T` with at least `execve`, `clone3`, `prctl`, `futex`,
    /// `exit` and `exit_group`.
    ///
    /// A thread ended if it called `exit` itself, and was cut off if it never did. A join is a
    /// futex wait for another thread's id, in the way of glibc's `pthread_join`; any other futex
    /// wait is for a lock, a channel, a condition or a scope.
    ///
    /// # Errors
    ///
    /// If the text does not begin with an `execve` or is no trace.
    pub fn read(text: &str) -> Result<Self> {
        let mut reading = Reading::default();
        for line in text.lines() {
            reading
                .line(line)
                .with_context(|| format!("cannot read this line of strace: {line}"))?;
        }
        reading.finish()
    }
}

#[derive(Default)]
struct Reading {
    start: Option<f64>,
    lives: Vec<Life>,
    by_id: HashMap<u32, usize>,
    /// Processes that the program started, and their threads.
    foreign: HashSet<u32>,
    /// Each call of `exit_group`, and by whom; a child process calls it, too.
    exits: Vec<(f64, u32)>,
    /// When the process was gone.
    gone: Option<f64>,
}

impl Reading {
    fn line(&mut self, line: &str) -> Result<()> {
        let (id, rest) = line.split_once(' ').context("no thread id")?;
        let (time, event) = rest.trim_start().split_once(' ').context("no time")?;
        let (id, time): (u32, f64) = (id.parse()?, time.parse()?);
        let Some(start) = self.start else {
            ensure!(event.starts_with("execve("), "it does not begin with execve");
            // The program's own time begins when the call returns.
            self.start = Some(time + spent(event));
            let main = self.be_born(id, 0.0);
            self.lives[main].name = Some("main".to_owned());
            return Ok(());
        };
        let now = (time - start).max(0.0);
        if self.foreign.contains(&id) {
            self.foreign.extend(child(event));
            return Ok(());
        }
        // A thread's own first call can be told before the call that made it.
        let index = self.be_born(id, now);
        // A call that the end of the process cuts off has `= ?` in place of a result.
        let unfinished = event.strip_suffix("<unfinished ...>").or(event.strip_suffix("= ?"));
        if event.starts_with("<... ") {
            let (from, call) = self.lives[index].open.take().context("nothing to resume")?;
            let result = event.split_once('>').map_or("", |(_, rest)| rest);
            self.returned(index, &(call + result), from, now);
        } else if let Some(call) = unfinished {
            self.lives[index].open = Some((now, call.to_owned()));
            self.begun(index, call, now);
        } else if event.starts_with("+++ ") {
            if index == 0 {
                self.gone = Some(now);
            }
        } else if !event.starts_with("--- ") {
            self.begun(index, event, now);
            self.returned(index, event, now, now + spent(event));
        }
        Ok(())
    }

    fn be_born(&mut self, id: u32, now: f64) -> usize {
        *self.by_id.entry(id).or_insert_with(|| {
            let life =
                Life { id, name: None, born: now, returned: None, waits: Vec::new(), open: None };
            self.lives.push(life);
            self.lives.len() - 1
        })
    }

    /// What counts from its beginning: calls that do not return.
    fn begun(&mut self, index: usize, call: &str, now: f64) {
        if call.starts_with("exit_group(") {
            self.exits.push((now, self.lives[index].id));
        } else if call.starts_with("exit(") {
            self.lives[index].returned = Some(now);
        }
    }

    fn returned(&mut self, index: usize, call: &str, from: f64, to: f64) {
        self.cloned(call, from);
        if let Some(rest) = call.strip_prefix("prctl(PR_SET_NAME, \"") {
            self.lives[index].name = rest.split_once('"').map(|(name, _)| name.to_owned());
        } else if call.starts_with("futex(") && call.contains("FUTEX_WAIT") {
            let joined = joined(call);
            self.lives[index].waits.push((from, to, joined));
        }
    }

    fn cloned(&mut self, call: &str, from: f64) {
        let Some(child) = child(call) else { return };
        if call.contains("CLONE_THREAD") {
            let index = self.be_born(child, from);
            self.lives[index].born = self.lives[index].born.min(from);
        } else {
            self.foreign.insert(child);
        }
    }

    fn finish(mut self) -> Result<Trace> {
        let exit = self.exits.iter().find(|(_, id)| !self.foreign.contains(id)).copied();
        let (ended, ended_by) = match (exit, self.gone) {
            (Some((at, id)), _) => (at, Some(id)),
            (None, Some(at)) => (at, None),
            (None, None) => bail!("the trace has no end"),
        };
        let names: HashMap<u32, String> =
            self.lives.iter().map(|life| (life.id, life.name())).collect();
        for life in &mut self.lives {
            // Who still waits at the end is cut off while waiting.
            if let Some((from, call)) = life.open.take()
                && call.starts_with("futex(")
                && call.contains("FUTEX_WAIT")
            {
                life.waits.push((from, ended, joined(&call)));
            }
        }
        // A child process may have been told of before the call that made it.
        self.lives.retain(|life| !self.foreign.contains(&life.id));
        Ok(Trace {
            ended,
            ended_by: ended_by.and_then(|id| names.get(&id).cloned()),
            threads: self
                .lives
                .into_iter()
                .map(|life| Thread {
                    name: life.name(),
                    born: life.born,
                    returned: life.returned,
                    waits: life
                        .waits
                        .into_iter()
                        .map(|(from, to, joins)| Wait {
                            from,
                            to: to.min(ended),
                            joins: joins.and_then(|id| names.get(&id).cloned()),
                        })
                        .collect(),
                })
                .collect(),
        })
    }
}

impl Life {
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| "unnamed".to_owned())
    }
}

/// The thread id that a join waits for: `futex(…, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 123, …`.
fn joined(call: &str) -> Option<u32> {
    let mut arguments = call.split(", ").skip(1);
    let is_join = arguments.next()? == "FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME";
    let value = arguments.next()?.parse().ok()?;
    is_join.then_some(value)
}

/// The id of the thread or process that a call made: `clone3(…) = 123 <0.000010>`.
fn child(call: &str) -> Option<u32> {
    let call = call.trim_start_matches("<... ");
    if !["clone", "fork", "vfork"].iter().any(|name| call.starts_with(name)) {
        return None;
    }
    let (_, result) = call.rsplit_once(" = ")?;
    result.split_whitespace().next()?.parse().ok()
}

/// The seconds in a call, which `-T` puts at the end of the line.
fn spent(event: &str) -> f64 {
    event
        .rsplit_once('<')
        .and_then(|(_, seconds)| seconds.strip_suffix('>')?.parse().ok())
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREAD: &str = "clone3({flags=CLONE_VM|CLONE_THREAD|CLONE_SETTLS}, 88)";

    /// A trace that begins at 100 s with an `execve` of 0.5 s.
    fn read(lines: &str) -> Trace {
        let text = format!(
            "7 100.0 execve(\"/bin/x\", [\"x\"], 0x1 /* 3 vars */) = 0 <0.500000>\n{lines}"
        );
        Trace::read(&text).unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn wait(from: f64, to: f64, joins: Option<&str>) -> Wait {
        Wait { from, to, joins: joins.map(str::to_owned) }
    }

    #[test]
    fn a_joined_thread_returns_and_its_join_is_a_wait_for_it() {
        let trace = read(&format!(
            "7 101.5 {THREAD} = 8 <0.000200>
8 101.6 prctl(PR_SET_NAME, \"critical\") = 0 <0.000010>
7 102.5 futex(0x7f, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 8, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
8 104.5 exit(0)         = ?
8 104.5 +++ exited with 0 +++
7 104.75 <... futex resumed>) = 0 <2.250000>
7 105.5 exit_group(0)   = ?
7 105.6 +++ exited with 0 +++
"
        ));
        assert_eq!(trace.ended, 5.0);
        assert_eq!(trace.ended_by.as_deref(), Some("main"));
        let [main, critical] = &trace.threads[..] else { panic!("{trace:?}") };
        assert_eq!((main.name.as_str(), main.born, main.returned), ("main", 0.0, None));
        assert_eq!(main.waits, [wait(2.0, 4.25, Some("critical"))]);
        assert_eq!((critical.name.as_str(), critical.born), ("critical", 1.0));
        assert_eq!((critical.returned, critical.waits.len()), (Some(4.0), 0));
    }

    #[test]
    fn a_thread_that_never_calls_exit_is_cut_off_also_while_it_waits() {
        let trace = read(&format!(
            "7 101.5 {THREAD} <unfinished ...>
8 101.6 prctl(PR_SET_NAME, \"writer\") = 0 <0.000010>
7 101.7 <... clone3 resumed>) = 8 <0.200000>
8 102.5 futex(0x7f, FUTEX_WAIT_BITSET_PRIVATE, 2, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>
7 103.5 exit_group(3)   = ?
8 103.5 <... futex resumed>) = ?
7 103.6 +++ exited with 3 +++
"
        ));
        let writer = &trace.threads[1];
        assert_eq!((writer.born, writer.returned), (1.0, None));
        assert_eq!(writer.waits, [wait(2.0, 3.0, None)]);
    }

    #[test]
    fn a_signal_ends_the_process_and_no_thread_does() {
        let trace = read(&format!(
            "7 101.5 {THREAD} = 8 <0.000200>
7 102.5 futex(0x7f, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 8, NULL, FUTEX_BITSET_MATCH_ANY) = ?
7 103.5 --- SIGTERM {{si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0}} ---
8 103.5 +++ killed by SIGTERM +++
7 103.5 +++ killed by SIGTERM +++
"
        ));
        assert_eq!((trace.ended, trace.ended_by), (3.0, None));
        assert_eq!(trace.threads[0].waits, [wait(2.0, 3.0, Some("unnamed"))]);
        assert_eq!(trace.threads[1].returned, None);
    }

    #[test]
    fn child_processes_are_not_threads() {
        let trace = read(&format!(
            "9 101.6 futex(0x7f, FUTEX_WAIT_PRIVATE, 2, NULL) = 0 <0.100000>
7 101.5 clone3({{flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}}, 88) = 9 <0.000200>
9 101.9 {THREAD} = 10 <0.000100>
10 102.0 prctl(PR_SET_NAME, \"of-the-child\") = 0 <0.000010>
9 102.1 exit_group(1)   = ?
7 103.5 exit_group(0)   = ?
"
        ));
        assert_eq!(trace.ended, 3.0);
        assert_eq!(trace.threads.len(), 1, "{trace:?}");
    }

    #[test]
    fn the_end_of_a_child_process_is_not_the_end_of_the_program() {
        let trace = read(
            "7 101.5 vfork( <unfinished ...>
9 101.6 exit_group(127) = ?
7 101.7 <... vfork resumed>) = 9 <0.200000>
7 105.5 exit_group(0) = ?
",
        );
        assert_eq!((trace.ended, trace.ended_by.as_deref()), (5.0, Some("main")));
        assert_eq!(trace.threads.len(), 1, "{trace:?}");
    }

    #[test]
    fn what_is_no_trace_is_refused_with_its_line() {
        let message = |text: &str| format!("{:#}", Trace::read(text).expect_err("no trace"));
        assert_eq!(message(""), "the trace has no end");
        assert!(message("strace: oh no").contains("strace: oh no"));
        assert!(message("7 100.0 exit(0) = ?").contains("does not begin with execve"));
    }
}
