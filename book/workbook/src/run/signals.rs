//! The signals that this process gets while programs run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;
use signal_hook::consts::{FORBIDDEN, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::emulate_default_handler;

use crate::proc::{self, Status};

use super::guardian::own_mark;
use super::leftover::{MARK, command_line, in_words, mark_of, under_way};

static SENDERS: Mutex<Senders> = Mutex::new(Senders { started: BTreeMap::new(), sent: Vec::new() });

/// Who may have sent a signal to this process, and who has.
struct Senders {
    /// The mark of each program that was started. It is kept when the program is gone: its signal may
    /// be looked at later.
    started: BTreeMap<Pid, String>,
    /// The mark of the run, and what it sent.
    sent: Vec<(String, Signal)>,
}

fn senders() -> MutexGuard<'static, Senders> {
    SENDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Handles them. What is handled is at its default in a program that is started; what was ignored
/// or blocked here from the beginning would be so in there, too.
///
/// One that would end this process ends it, unless it was ignored, or a run has sent it: that is told
/// by [`sent_by`].
pub(super) fn take() -> io::Result<()> {
    // Before there are other threads, which have the mask of this one.
    SigSet::empty().thread_set_mask()?;
    let ignored = ignored();
    let mut handled = vec![SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
    handled.extend(ignored.iter().filter(|signal| !FORBIDDEN.contains(signal)));
    let mut signals = SignalsInfo::<WithOrigin>::new(&handled)?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for received in &mut signals {
            let sender = received.process.map(|by| Pid::from_raw(by.pid));
            // That of a child's end tells of the child, which has not sent it.
            let Ok(signal) = Signal::try_from(received.signal) else { continue };
            if signal == Signal::SIGCHLD {
                continue;
            }
            if let Some(mark) = sender.and_then(run_of) {
                senders().sent.push((mark, signal));
            } else if !ignored.contains(&received.signal) {
                if let Some(sender) = sender {
                    tell_of(sender, signal);
                }
                // The guardian ends what has been started.
                let _ = emulate_default_handler(received.signal);
            }
        }
    })?;
    Ok(())
}

/// Notes who carries a mark.
pub(super) fn started(pid: Pid, mark: &str) {
    senders().started.insert(pid, mark.to_owned());
}

/// What the run of this mark has sent to this process, in no order that could be told.
pub(super) fn sent_by(mark: &str) -> BTreeSet<Signal> {
    senders().sent.extract_if(.., |(by, _)| by == mark).map(|(_, signal)| signal).collect()
}

/// The mark of the run to which a process belongs: a program that was started, what carries the mark,
/// or a child of these that has just ended.
fn run_of(pid: Pid) -> Option<String> {
    let started = |pid| senders().started.get(&pid).cloned();
    let carried = |pid| started(pid).or_else(|| mark_of(pid, &[MARK], own_mark()));
    carried(pid).or_else(|| parent(pid).and_then(carried))
}

fn parent(pid: Pid) -> Option<Pid> {
    let status = Status::of(pid.as_raw().cast_unsigned())?;
    Some(Pid::from_raw(status.number("PPid")?.cast_signed()))
}

/// Says who ends this process. Of a sender that is gone it may be a program that was under way.
fn tell_of(sender: Pid, signal: Signal) {
    let who = command_line(sender);
    let who = if who.is_empty() {
        let programs: Vec<_> = under_way().iter().map(|pid| command_line(*pid)).collect();
        match &programs[..] {
            [] => "a process that is gone".to_owned(),
            [one] => format!("a process that is gone, perhaps of {one}"),
            _ => format!("a process that is gone, perhaps of the {} under way", programs.len()),
        }
    } else {
        in_words((sender, who))
    };
    // There may be nobody any more to read it.
    let _ = writeln!(io::stderr(), "\nended by {signal}, sent by {who}");
}

/// The signals that this process ignores, as /proc tells. SIGPIPE is not among them: Rust ignores it,
/// and sees to what it starts.
fn ignored() -> Vec<i32> {
    let mask = proc::ignored();
    let signals = Signal::iterator().map(|signal| signal as i32);
    signals.filter(|signal| *signal != SIGPIPE && mask & 1 << (signal - 1) != 0).collect()
}
