//! The exercise's `Mutex` and `Condvar`: those of std, on a machine that is too busy.
//!
//! Between any two steps of a thread the system may run others. It does so to `probe-1`, for a second each
//! time: just before it takes a lock, and between its last look at a condition and its wait. Nobody is
//! made to wait for that: it runs again as soon as another thread wants the lock, or all have been told.
//! It does so to `main` when it has first notified: whoever wakes up runs first. And once, before anybody
//! is told, all who wait wake up for nothing, as the documentation of `Condvar` allows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{
    Arc, Condvar as StdCondvar, LockResult, Mutex as StdMutex, MutexGuard,
    PoisonError, WaitTimeoutResult, mpsc,
};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

static MACHINE: StdMutex<Machine> =
    StdMutex::new(Machine { told: false, wanted: 0, heeds: false, woken: 0 });
static CHANGE: StdCondvar = StdCondvar::new();

struct Machine {
    told: bool,
    /// How many threads are about to take a lock.
    wanted: u32,
    /// Whether one is waiting that heeds this.
    heeds: bool,
    /// How many waits have ended.
    woken: u32,
}

#[derive(Default)]
pub struct Mutex<T>(StdMutex<T>);

impl<T> Mutex<T> {
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        not_run(false);
        change(|machine| machine.wanted += 1);
        let guard = self.0.lock();
        change(|machine| machine.wanted -= 1);
        guard
    }
}

#[derive(Default)]
pub struct Condvar(Arc<StdCondvar>);

/// All on which somebody has waited.
static WAITED_ON: StdMutex<Vec<Arc<StdCondvar>>> = StdMutex::new(Vec::new());

type Waited<'a, T> = LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>;

#[allow(dead_code, reason = "exercise, solution and reader each use a part")]
impl Condvar {
    pub fn notify_one(&self) {
        not_run_before_the_woken(|| self.0.notify_one());
    }

    pub fn notify_all(&self) {
        not_run_before_the_woken(|| self.0.notify_all());
    }

    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        left: Duration,
    ) -> Waited<'a, T> {
        let called = Instant::now();
        waited_on().push(Arc::clone(&self.0));
        not_run(true);
        let waited =
            self.0.wait_timeout(guard, left.saturating_sub(called.elapsed()));
        // It has the lock: `main` takes it after this thread's look.
        machine().woken += 1;
        CHANGE.notify_all();
        waited
    }

    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        left: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Waited<'a, T> {
        let called = Instant::now();
        while condition(&mut guard) {
            let left = left.saturating_sub(called.elapsed());
            if left.is_zero() {
                return self.0.wait_timeout_while(guard, left, |_| true);
            }
            guard = self.wait_timeout(guard, left)?.0;
        }
        self.0.wait_timeout_while(guard, left, |_| false)
    }
}

/// From now on every thread runs.
pub fn all_are_told() {
    change(|machine| machine.told = true);
}

/// A look at a disk: takes a second, in which std parks the thread that waits for the disk's answer. That
/// uses up the token of an `unpark`; and one that it did not need stays behind, until all are told.
pub fn look() {
    let (_disk, answer) = mpsc::channel::<()>();
    // The disk has nothing to say.
    let _ = answer.recv_timeout(Duration::from_secs(1));
    let machine = machine();
    // Under the lock: after `all_are_told` nobody is woken by it.
    if !machine.told {
        thread::current().unpark();
    }
}

/// When those wake up for nothing who wait after their first look.
const FOR_NOTHING: Duration = Duration::from_millis(1150);

/// From when to when every thread waits and does nothing else, also one that a wake-up for nothing has sent to
/// its next look.
const ALL_WAIT: [Duration; 2] =
    [Duration::from_millis(2300), Duration::from_millis(3900)];

/// Whether what they cost is being counted: then nobody is kept from running, and all who wait in slices do.
static COUNTED: AtomicBool = AtomicBool::new(false);

/// What the threads cost while they waited.
static COST: StdMutex<Option<[i64; 3]>> = StdMutex::new(None);

/// Sleeps, and counts meanwhile what threads cost that wait, if it is long enough for that.
pub fn sleep(time: Duration) {
    let start = Instant::now();
    let until = |moment: Duration| {
        thread::sleep(moment.min(time).saturating_sub(start.elapsed()));
        moment < time
    };
    if until(FOR_NOTHING) {
        waited_on().iter().for_each(|condvar| condvar.notify_all());
    }
    if until(ALL_WAIT[0]) {
        COUNTED.store(true, Ordering::Relaxed);
        let before = used();
        until(ALL_WAIT[1]);
        let cost = used().zip(before).map(|(now, before)| {
            [now[0] - before[0], now[1] - before[1], now[2] - before[2]]
        });
        *COST.lock().unwrap_or_else(PoisonError::into_inner) = cost;
        COUNTED.store(false, Ordering::Relaxed);
    }
    until(time);
}

/// While they waited: how often threads gave up the processor to wait once more, how often it was taken from
/// them or given away by a yield, and for how many milliseconds they had it.
pub fn cost() -> Option<[i64; 3]> {
    *COST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As the kernel counts it for all threads of this process.
fn used() -> Option<[i64; 3]> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let time = usage.user_time() + usage.system_time();
    Some([
        usage.voluntary_context_switches(),
        usage.involuntary_context_switches(),
        time.tv_sec() * 1000 + time.tv_usec() / 1000,
    ])
}

fn waited_on() -> MutexGuard<'static, Vec<Arc<StdCondvar>>> {
    WAITED_ON.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For a second, or until all are told, or, if it `heeds` that, until another thread wants a lock.
fn not_run(heeds: bool) {
    if thread::current().name() == Some("probe-1")
        && !COUNTED.load(Ordering::Relaxed)
    {
        let mut machine = machine();
        machine.heeds = heeds;
        let second = Duration::from_secs(1);
        let ran = CHANGE.wait_timeout_while(machine, second, |machine| {
            !machine.told && (!machine.heeds || machine.wanted == 0)
        });
        ran.unwrap_or_else(PoisonError::into_inner).0.heeds = false;
    }
}

/// `main`, the first time, until a wait has ended. If it has the lock, or nobody waits, none ends: it goes on
/// all the same.
fn not_run_before_the_woken(notify: impl FnOnce()) {
    static FIRST: AtomicBool = AtomicBool::new(true);
    let before = machine().woken;
    notify();
    let is_main = thread::current().name() == Some("main");
    if is_main && FIRST.swap(false, Ordering::Relaxed) {
        let moment = Duration::from_millis(50);
        let none_has = |machine: &mut Machine| machine.woken == before;
        drop(CHANGE.wait_timeout_while(machine(), moment, none_has));
    }
}

fn machine() -> MutexGuard<'static, Machine> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn change(with: impl FnOnce(&mut Machine)) {
    let mut machine = machine();
    with(&mut machine);
    // Who is woken in vain has waited once more.
    if machine.heeds || machine.told {
        CHANGE.notify_all();
    }
}
