//! Which orders are in work, and whether new ones are taken.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

#[derive(Default)]
pub struct Desk {
    state: watch::Sender<State>,
    /// The keys of orders in work.
    keys: Mutex<HashSet<String>>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    closed: bool,
    in_work: usize,
}

// ANCHOR: enter
impl Desk {
    pub fn is_open(&self) -> bool {
        !self.state.borrow().closed
    }

    /// `None` says that the desk is closed. Asked and counted in one step: an order is
    /// refused, or the stop waits for it.
    pub fn enter(self: &Arc<Self>) -> Option<InWork> {
        let entered = self.state.send_if_modified(|state| {
            state.in_work += usize::from(!state.closed);
            !state.closed
        });
        entered.then(|| InWork(Arc::clone(self)))
    }

    pub fn close(&self) {
        self.state.send_modify(|state| state.closed = true);
    }

    pub async fn all_left(&self) {
        let mut state = self.state.subscribe();
        // An error says that there is no sender any more; here it is `self`.
        let _ = state.wait_for(|state| state.in_work == 0).await;
    }

    pub fn in_work(&self) -> usize {
        self.state.borrow().in_work
    }

    /// Waits while another order with this key is in work.
    pub async fn turn(self: &Arc<Self>, key: &str) -> Turn {
        loop {
            // Before the look: a key that is freed in between wakes it, too.
            let freed = self.freed.notified();
            if self.keys().insert(key.to_owned()) {
                return Turn { desk: Arc::clone(self), key: key.to_owned() };
            }
            freed.await;
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<String>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
// ANCHOR_END: enter

/// An order from the end of its body to its answer.
pub struct InWork(Arc<Desk>);

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.in_work -= 1);
    }
}

/// The right to do the work of a key; given back also by a panic.
pub struct Turn {
    desk: Arc<Desk>,
    key: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.desk.keys().remove(&self.key);
        self.desk.freed.notify_waiters();
    }
}
