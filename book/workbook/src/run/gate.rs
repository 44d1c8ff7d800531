//! The gate: how many programs start at the same time, and which one is next.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// Lets half as many programs start at the same time as there are cores, the longest first.
///
/// What makes a program late on a busy machine is its start, and the start of others while it ends:
/// the other half of the cores is for those that are on their way. A pass is held from before the
/// start until the first output.
#[derive(Debug)]
pub struct Gate(Mutex<GateState>);

#[derive(Debug)]
struct GateState {
    free: usize,
    /// How many have to come before it opens.
    expected: usize,
    next_id: u64,
    waiting: BTreeMap<Turn, Thread>,
}

/// A turn in the row: the longest first, then by arrival.
type Turn = (Reverse<Duration>, u64);

/// The right to start a program; dropping it lets the next one in.
#[derive(Debug)]
pub struct Pass<'a>(&'a Gate);

/// Somebody whom the gate expects, and who may turn out not to enter; dropping it says so.
#[derive(Debug)]
pub struct Expected<'a>(&'a Gate);

impl Gate {
    /// An open gate for this machine.
    pub fn new() -> Self {
        let free = thread::available_parallelism().map_or(1, usize::from).div_ceil(2);
        Self(Mutex::new(GateState { free, expected: 0, next_id: 0, waiting: BTreeMap::new() }))
    }

    /// Keeps the gate closed until so many have come. Where each is a thread, all threads are there
    /// before the first program is: while a process makes hundreds of them, those that it has wait
    /// for its memory, beside busy loops for more than half a second.
    pub fn expect(&self, count: usize) {
        self.state().expected = count;
    }

    /// Somebody whom it expects.
    pub fn expected(&self) -> Expected<'_> {
        Expected(self)
    }

    /// Waits for a pass; of those who wait, the one whose run is longest is next.
    pub fn enter(&self, length: Duration) -> Pass<'_> {
        let mut state = self.state();
        let me = (Reverse(length), state.next_id);
        state.next_id += 1;
        self.wait(state, me)
    }

    /// Waits for a pass until all others have theirs: for what keeps a core busy, and would make them
    /// late. Hold it as long as that.
    pub fn enter_last(&self) -> Pass<'_> {
        let mut state = self.state();
        let me = (Reverse(Duration::ZERO), u64::MAX - state.next_id);
        state.next_id += 1;
        self.wait(state, me)
    }

    fn wait<'a>(&'a self, mut state: MutexGuard<'a, GateState>, me: Turn) -> Pass<'a> {
        state.waiting.insert(me, thread::current());
        state.one_has_come();
        while state.next().is_none_or(|(next, _)| *next != me) {
            drop(state);
            thread::park();
            state = self.state();
        }
        state.waiting.remove(&me);
        state.free -= 1;
        // There may be a pass for the next one, too.
        state.call();
        Pass(self)
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GateState {
    /// Who may enter now.
    fn next(&self) -> Option<(&Turn, &Thread)> {
        let is_open = self.expected == 0 && self.free > 0;
        self.waiting.first_key_value().filter(|_| is_open)
    }

    /// Wakes that one alone: there may be hundreds.
    fn call(&self) {
        self.next().inspect(|(_, thread)| thread.unpark());
    }

    fn one_has_come(&mut self) {
        self.expected = self.expected.saturating_sub(1);
        self.call();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.free += 1;
        state.call();
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        // For one that has entered this comes when the gate has been opened.
        self.0.state().one_has_come();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Long enough for whoever may enter, on any machine.
    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn nobody_starts_before_all_have_come() {
        let gate = Gate::new();
        let (entered, told) = mpsc::channel();
        let places = gate.state().free;
        gate.expect(3);
        let absent = gate.expected();
        thread::scope(|scope| {
            for seconds in [1, 2] {
                let (gate, entered) = (&gate, entered.clone());
                let name = format!("{seconds} s");
                let enter = move || {
                    let _expected = gate.expected();
                    let _pass = gate.enter(Duration::from_secs(seconds));
                    entered.send(seconds)
                };
                thread::Builder::new().name(name).spawn_scoped(scope, enter).expect("a thread");
            }
            let early = told.recv_timeout(Duration::from_millis(200));
            // Before anything can fail: a scope waits for its threads.
            drop(absent);
            assert!(early.is_err(), "{early:?}");
            let order = [told.recv_timeout(SOON), told.recv_timeout(SOON)];
            assert!(order.iter().all(Result::is_ok), "{order:?}");
            // With more places both enter at once.
            if places == 1 {
                assert_eq!(order, [Ok(2), Ok(1)]);
            }
        });
    }

    #[test]
    fn what_keeps_a_core_busy_starts_last() {
        let gate = Gate::new();
        let (entered, told) = mpsc::channel();
        gate.expect(3);
        thread::scope(|scope| {
            let come = |last: bool| {
                let (gate, entered) = (&gate, entered.clone());
                let enter = move || {
                    let pass = if last { gate.enter_last() } else { gate.enter(Duration::ZERO) };
                    let sent = entered.send(last);
                    // Longer than another one takes that has a place of its own.
                    thread::sleep(Duration::from_millis(50));
                    drop(pass);
                    sent
                };
                let name = format!("last: {last}");
                thread::Builder::new().name(name).spawn_scoped(scope, enter).expect("a thread");
            };
            come(true);
            come(false);
            come(false);
        });
        let order: Vec<_> = told.try_iter().collect();
        assert_eq!(order.iter().position(|last| *last), Some(2), "{order:?}");
    }
}
