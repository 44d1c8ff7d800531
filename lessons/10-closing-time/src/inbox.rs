//! A channel with the window held open, for the exercise. There is nothing to mend here.
//!
//! It has the methods of `mpsc::Receiver`. One thing differs: when the inbox has found nothing, it is
//! slow to say so. A busy machine might keep the archive's thread from running just as long. What is
//! right must be right then, too.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{
    self, IntoIter, Iter, RecvError, RecvTimeoutError, SendError, TryRecvError,
};
use std::thread;
use std::time::Duration;

pub fn channel() -> (Pages, Inbox) {
    let (sender, receiver) = mpsc::channel();
    let scanners = Arc::new(AtomicUsize::new(0));
    let sent = Arc::new(AtomicUsize::new(0));
    let (at_work, arrived) = (Arc::clone(&scanners), Arc::clone(&sent));
    (
        Pages { sender, scanners, sent, is_copy: false },
        Inbox { receiver, scanners: at_work, arrived },
    )
}

thread_local! {
    /// In a thread that has sent a page. It is at work until it ends, also without a copy of its own.
    static SENDS: OnceCell<AtWork> = const { OnceCell::new() };
}

/// The sending end. Each copy belongs to a scanner that is at work.
pub struct Pages {
    sender: mpsc::Sender<String>,
    scanners: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    is_copy: bool,
}

struct AtWork(Arc<AtomicUsize>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pages {
    pub fn send(&self, page: String) -> Result<(), SendError<String>> {
        SENDS.with(|sends| {
            sends.get_or_init(|| {
                self.scanners.fetch_add(1, Ordering::SeqCst);
                AtWork(Arc::clone(&self.scanners))
            });
        });
        self.sender.send(page)?;
        self.sent.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Clone for Pages {
    fn clone(&self) -> Self {
        self.scanners.fetch_add(1, Ordering::SeqCst);
        Self {
            sender: self.sender.clone(),
            scanners: Arc::clone(&self.scanners),
            sent: Arc::clone(&self.sent),
            is_copy: true,
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if self.is_copy {
            self.scanners.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// The receiving end.
pub struct Inbox {
    receiver: mpsc::Receiver<String>,
    scanners: Arc<AtomicUsize>,
    arrived: Arc<AtomicUsize>,
}

#[expect(dead_code, reason = "the reader chooses")]
impl Inbox {
    pub fn recv(&self) -> Result<String, RecvError> {
        self.receiver.recv()
    }

    pub fn recv_timeout(
        &self,
        timeout: Duration,
    ) -> Result<String, RecvTimeoutError> {
        let page = self.receiver.recv_timeout(timeout);
        if page == Err(RecvTimeoutError::Timeout) {
            self.hold();
        }
        page
    }

    pub fn try_recv(&self) -> Result<String, TryRecvError> {
        let page = self.receiver.try_recv();
        if page == Err(TryRecvError::Empty) {
            self.hold();
        }
        page
    }

    pub fn iter(&self) -> Iter<'_, String> {
        self.receiver.iter()
    }

    /// Until a page has come, or no scanner is left, and `main` has had the time to notice.
    fn hold(&self) {
        let before = self.arrived.load(Ordering::SeqCst);
        for _ in 0..240 {
            if self.arrived.load(Ordering::SeqCst) > before
                || self.scanners.load(Ordering::SeqCst) == 0
            {
                thread::sleep(Duration::from_millis(100));
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl IntoIterator for Inbox {
    type Item = String;
    type IntoIter = IntoIter<String>;

    fn into_iter(self) -> IntoIter<String> {
        self.receiver.into_iter()
    }
}
