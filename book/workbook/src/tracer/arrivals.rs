//! The signals that came to a program from outside, and how it met each.
//!
//! A signal that is delivered stops the program before the tracer, also one that it ignores. One that it blocks does
//! not: it is seen pending, or it is known that it was sent.

use signal_hook::consts::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,
    SIGWINCH, SIGXCPU, SIGXFSZ,
};

use crate::proc::Status;

use super::follow::Received;
use super::{Met, Sender};

/// So many are told of, the first ones.
const MOST: usize = 200;

/// What is sent so often, or means so little, that it would hide the others.
const UNTOLD: [i32; 4] = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH];

/// What the kernel sends for a terminal, a limit, or a pipe that nobody reads. The rest of what it sends are the
/// program's own faults and clocks.
const KERNELS: [i32; 9] =
    [SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGXCPU, SIGXFSZ];

/// The codes of a signal that a process sent: `kill`, `sigqueue` and `tgkill`.
const SENT: [i32; 3] = [0, -1, -6];

/// All that came so far.
#[derive(Default)]
pub(super) struct Arrivals(Vec<Arrived>);

/// A signal that was sent, that is seen pending, or that was delivered.
pub(super) struct Arrived {
    /// When that was first known.
    pub(super) at: f64,
    pub(super) signal: i32,
    /// On whose behalf the tracer has sent it.
    pub(super) sent: Option<Sender>,
    pub(super) received: Option<Received>,
    pub(super) met: Met,
    /// Whether it was seen pending behind a mask.
    pub(super) held_up: bool,
    pub(super) delivered: Option<f64>,
}

/// What a process does with signals: bit 0 is signal 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Masks {
    pending: u64,
    blocked: u64,
    ignored: u64,
    caught: u64,
}

impl Masks {
    fn of(tid: u32) -> Option<Self> {
        let status = Status::of(tid)?;
        Some(Self {
            pending: status.mask("ShdPnd")? | status.mask("SigPnd")?,
            blocked: status.mask("SigBlk")?,
            ignored: status.mask("SigIgn")?,
            caught: status.mask("SigCgt")?,
        })
    }
}

fn has(mask: u64, signal: i32) -> bool {
    mask & 1 << (signal - 1) != 0
}

impl Arrivals {
    /// The tracer has sent a signal on behalf of somebody.
    pub(super) fn sent(&mut self, at: f64, signal: i32, from: Sender) {
        self.push(at, signal, Some(from));
    }

    /// The kernel has sent a signal to a terminal's foreground, most likely to the program as well.
    pub(super) fn terminal_sent(&mut self, now: f64, signal: i32) {
        /// The program may have been the first to get it.
        const BEFORE: f64 = 0.2;
        let is_it = |one: &Arrived| one.signal == signal && one.at >= now - BEFORE;
        if !UNTOLD.contains(&signal) && !self.0.iter().any(is_it) {
            self.push(now, signal, Some(Sender::Kernel));
        }
    }

    /// The thread `tid` of the process `pid` has stopped before a signal.
    pub(super) fn delivered(&mut self, now: f64, tid: u32, pid: u32, signal: i32, by: &Received) {
        let is_sent = SENT.contains(&by.code);
        let is_told = match by.code {
            _ if UNTOLD.contains(&signal) => false,
            // A write to a dead pipe: the kernel sends it in the name of who writes.
            _ if signal == SIGPIPE => true,
            _ if is_sent => by.pid != pid,
            _ => by.code > 0 && KERNELS.contains(&signal),
        };
        if !is_told {
            return;
        }
        let is_due = |one: &Arrived| one.signal == signal && one.delivered.is_none();
        if !self.0.iter().any(is_due) {
            self.push(now, signal, None);
        }
        let due: Vec<_> = self.0.iter_mut().filter(|one| is_due(one)).collect();
        if due.is_empty() {
            return;
        }
        let met = Masks::of(tid).map_or(Met::Unknown, |masks| match signal {
            _ if has(masks.ignored, signal) => Met::Ignored,
            _ if has(masks.caught, signal) => Met::Caught,
            _ => Met::Default,
        });
        // What came while the same was pending has become one with it.
        for one in due {
            (one.met, one.delivered, one.received) = (met, Some(now), Some(by.clone()));
        }
    }

    /// Looks which signals wait behind a mask.
    pub(super) fn look(&mut self, now: f64, tid: u32) {
        let Some(masks) = Masks::of(tid) else { return };
        self.note_pending(now, masks.pending & masks.blocked);
    }

    /// The last thread stands at its end: what has not come by now does not come any more.
    pub(super) fn last(&mut self, now: f64, tid: u32) {
        let Some(masks) = Masks::of(tid) else { return };
        self.note_pending(now, masks.pending & masks.blocked);
        for one in self.0.iter_mut().filter(|one| one.delivered.is_none()) {
            one.met = match one.signal {
                signal if !has(masks.blocked, signal) => Met::Unknown,
                signal if has(masks.pending, signal) => Met::Blocked,
                _ => Met::Awaited,
            };
        }
    }

    fn note_pending(&mut self, now: f64, pending: u64) {
        let signals = (1..=64).filter(|signal| has(pending, *signal) && !UNTOLD.contains(signal));
        for signal in signals {
            let is_it = |one: &Arrived| one.signal == signal && one.delivered.is_none();
            if !self.0.iter().any(is_it) {
                self.push(now, signal, None);
            }
            let waiting = self.0.iter_mut().filter(|one| is_it(one));
            waiting.for_each(|one| (one.met, one.held_up) = (Met::Blocked, true));
        }
    }

    fn push(&mut self, at: f64, signal: i32, sent: Option<Sender>) {
        if self.0.len() < MOST {
            let (received, met, delivered) = (None, Met::Unknown, None);
            self.0.push(Arrived { at, signal, sent, received, met, held_up: false, delivered });
        }
    }

    /// Those of which it is known that they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arrived> {
        self.0.iter().filter(|one| one.met != Met::Unknown || one.sent != Some(Sender::Kernel))
    }
}
