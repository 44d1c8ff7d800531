//! A run of the service: it is started, asked, signalled, and ended.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use workbook::promise::Exit;
use workbook::run::Kept;
use workbook::tracer::file::children;

use super::bench::Bench;
use super::client::{Answer, Customer, HeldBack, Order, PATIENCE};
use super::course::Course;
use super::prints::{Line, Prints};
use super::processes::{Processes, called};
use super::stop::{Held, Stop, demand, fail};
use super::supplier::Supplier;
use super::{listener, ports, words};
use crate::report::words::{count, plain};
use crate::trace::{self, Environment};

/// How soon after its start it takes orders.
const BEGINS: Duration = Duration::from_secs(10);
/// How long a question about its health may take, so that one that hangs does not use up that time.
const HEALTH: Duration = Duration::from_secs(2);
/// How often it is looked at.
const LOOKS: Duration = Duration::from_millis(2);
/// How often it is asked whether it takes orders yet.
const ASKS: Duration = Duration::from_millis(10);
/// How much later than its grace period it may end.
const LATE: Duration = Duration::from_secs(1);
/// So many lines tell why a program did not begin: an interpreter's trace of its stack is long.
const LAST_LINES: usize = 16;
/// When a signal comes after the order that it meets.
pub const INTO_THE_WORK: Duration = Duration::from_millis(300);
/// How long the system may take to close what a process that has ended had open.
const SETTLES: Duration = Duration::from_millis(500);

/// What its environment says, and what it is started with.
#[derive(Debug)]
pub struct Setup<'a> {
    /// Where it keeps its data.
    pub data: &'a Path,
    /// Its grace period in seconds.
    pub grace: u64,
    /// Whom it asks before it stores an order.
    pub supplier: Option<&'a Supplier>,
    /// A command that starts it in its place.
    pub under: Under,
}

/// A command that starts the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Under {
    /// None.
    Nothing,
    /// One that becomes the service, or has it as its child and only looks on.
    Command(Vec<OsString>),
    /// One whose child is process 1 of a namespace: it gets the signals.
    Namespace(Vec<OsString>),
}

impl<'a> Setup<'a> {
    /// A grace period of 3 s, and nothing else.
    pub fn new(data: &'a Path) -> Self {
        Self { data, grace: 3, supplier: None, under: Under::Nothing }
    }
}

/// A run. With the value it ends.
#[derive(Debug)]
pub struct Service {
    kept: Kept,
    prints: Prints,
    port: u16,
    grace: Duration,
    course: Arc<Course>,
    /// Who gets the signals.
    target: Pid,
    /// The last signal that is to end it.
    signalled: Mutex<Option<Instant>>,
    /// Which processes it was seen to have.
    processes: Mutex<Processes>,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub exit: Exit,
    /// How long after the last signal.
    pub after: Duration,
}

impl Service {
    /// Starts it and waits until it takes orders.
    ///
    /// # Errors
    ///
    /// If it cannot be started or takes none.
    pub fn start(bench: &Bench<'_>, setup: &Setup<'_>) -> Held<Self> {
        let service = Self::spawn(bench, setup)?;
        service.takes_orders(bench)?;
        bench.candidate.has_begun.store(true, Ordering::Relaxed);
        service.into_namespace(&setup.under)
    }

    /// The same, where it has ended before like this.
    ///
    /// # Errors
    ///
    /// The same, with that end.
    pub fn restart(bench: &Bench<'_>, setup: &Setup<'_>, end: &str) -> Held<Self> {
        Self::start(bench, setup)
            .map_err(|stop| stop.retold(|why| format!("Started again after {end}: {why}")))
    }

    fn spawn(bench: &Bench<'_>, setup: &Setup<'_>) -> Held<Self> {
        let words = match &setup.under {
            Under::Nothing => &[][..],
            Under::Command(words) | Under::Namespace(words) => words,
        };
        let mut words = words.iter().chain(bench.candidate.command);
        let Some(program) = words.next() else {
            return Err(Stop::CannotHold("there is no command".to_owned()));
        };
        let port = ports::free()?;
        let mut command = Command::new(program);
        if bench.candidate.environment == Environment::BeforeCargo {
            trace::without_cargo(&mut command);
        }
        command
            .args(words)
            .env("PORT", port.to_string())
            .env("DATA", setup.data)
            .env("GRACE", setup.grace.to_string())
            .env_remove("SUPPLIER")
            // A proxy of the reader's is not for what is at 127.0.0.1.
            .env("no_proxy", "127.0.0.1,localhost")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(supplier) = setup.supplier {
            command.env("SUPPLIER", supplier.address());
        }
        let course = bench.course();
        let mut kept = Kept::start(&mut command).map_err(|error| {
            let program = plain(&program.to_string_lossy());
            Stop::CannotHold(format!("{program} cannot be started: {error}"))
        })?;
        let (stdout, stderr) = kept.outputs();
        let prints = Prints::of(stdout, stderr, course.start)?;
        Ok(Self {
            target: kept.pid(),
            kept,
            prints,
            port,
            grace: Duration::from_secs(setup.grace),
            course,
            signalled: Mutex::new(None),
            processes: Mutex::default(),
        })
    }

    /// Waits until it is in health.
    fn takes_orders(&self, bench: &Bench<'_>) -> Held {
        let until = self.course.start + BEGINS;
        let mut last = Answer::Refused;
        while Instant::now() < until {
            if let Some(exit) = self.kept.ended()? {
                self.course.ended(exit);
                return Err(self.ended_at_once(bench, exit));
            }
            let customer = Customer::new(self.port, false);
            let from = Instant::now();
            let within = HEALTH.min(until.saturating_duration_since(from));
            let answer = customer.get("/health", within);
            match &answer {
                Answer::Given { status: 200, .. } => {
                    self.course.asked("health", "GET /health".to_owned(), from, answer.to_string());
                    return Ok(());
                }
                Answer::Wrong(_) => fail!("GET /health got {answer}; it was to get 200."),
                // That of the last moment says nothing.
                Answer::Silent(_) if within < HEALTH => {}
                _ => last = answer,
            }
            thread::sleep(ASKS);
        }
        let within = words::time(BEGINS);
        if last == Answer::Refused {
            let why = format!(
                "within {within} nothing listened on 127.0.0.1 at PORT, which was {}",
                self.port
            );
            return Err(self.not_begun(bench, why));
        }
        fail!("For {within} after the start GET /health got {last}; it was to get 200.")
    }

    /// Why no order can be taken by what has ended.
    fn ended_at_once(&self, bench: &Bench<'_>, exit: Exit) -> Stop {
        let left = Processes::of(&self.kept).alive();
        if let Some(pid) = left.first() {
            let why = format!(
                "the command ended {} and left {} to do the work; the exam needs a service that \
                 stays in the foreground",
                words::exit(exit),
                called(*pid)
            );
            return self.not_begun(bench, why);
        }
        self.not_begun(
            bench,
            format!("the command ended {} before it took an order", words::exit(exit)),
        )
    }

    /// That a run has not begun is the end of the exam where none has begun before.
    fn not_begun(&self, bench: &Bench<'_>, why: String) -> Stop {
        if bench.candidate.has_begun.load(Ordering::Relaxed) {
            let mut letters = why.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            // What it printed stands in the report.
            return Stop::Failed(first.chain(letters).collect::<String>() + ".");
        }
        let lines = self.prints.lines();
        let lines: Vec<_> =
            lines.iter().map(|line| line.text.trim_end()).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        if last.is_empty() {
            return Stop::CannotHold(why);
        }
        let last = last
            .iter()
            .map(|line| format!("\n    {}", crate::report::words::cut(&plain(line), 120)));
        Stop::CannotHold(format!("{why}; it printed last:{}", last.collect::<String>()))
    }

    /// Signals go to the process that the command has started, if it is process 1 of a namespace.
    fn into_namespace(mut self, under: &Under) -> Held<Self> {
        if let Under::Namespace(_) = under {
            let own = self.kept.pid().as_raw().cast_unsigned();
            match children(own, &[]).first() {
                Some(child) => self.target = Pid::from_raw(child.pid.cast_signed()),
                None => return Err(Stop::NotTried("the namespace has no process".to_owned())),
            }
        }
        Ok(self)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its grace period.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// Its own process, which gets the signals.
    pub fn pid(&self) -> u32 {
        self.target.as_raw().cast_unsigned()
    }

    /// Its directory for temporary files.
    pub fn temporary(&self) -> &Path {
        self.kept.temporary()
    }

    /// Posts an order on a connection of its own.
    pub fn order(&self, order: &Order<'_>) -> Answer {
        self.order_of(&Customer::new(self.port, false), order.key, order, None)
    }

    /// Posts an order of this customer, whose lane in the picture has this name.
    pub fn order_of(
        &self,
        customer: &Customer,
        lane: &str,
        order: &Order<'_>,
        held_back: Option<HeldBack>,
    ) -> Answer {
        let from = Instant::now();
        let answer = customer.post(order, held_back);
        let what = format!("POST {} {}", order.path(), order.key);
        self.course.asked(lane, what, from, answer.to_string());
        answer
    }

    /// Asks for its health.
    pub fn health(&self) -> Answer {
        let from = Instant::now();
        let answer = Customer::new(self.port, false).get("/health", HEALTH);
        self.course.asked("health", "GET /health".to_owned(), from, answer.to_string());
        answer
    }

    /// A customer that has asked for its health and keeps the connection, where the service allows that.
    pub fn kept_connection(&self) -> Customer {
        let customer = Customer::new(self.port, true);
        let from = Instant::now();
        let answer = customer.get("/health", HEALTH);
        self.course.asked("kept-connection", "GET /health".to_owned(), from, answer.to_string());
        customer
    }

    /// All orders that it has stored: numbers and keys.
    pub fn orders(&self) -> Held<Vec<(u64, String)>> {
        let from = Instant::now();
        let answer = Customer::new(self.port, false).get("/orders", PATIENCE);
        let shown = match &answer {
            Answer::Given { status: 200, text } => {
                format!("200, {}", count(text.lines().count(), "line"))
            }
            other => other.to_string(),
        };
        self.course.asked("orders", "GET /orders".to_owned(), from, shown);
        let Answer::Given { status: 200, text } = &answer else {
            fail!("GET /orders got {answer}; it was to get 200 and a line for each stored order.")
        };
        let parsed = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
            let (number, key) = line.trim().split_once(' ').ok_or(line)?;
            Ok((number.parse().map_err(|_| line)?, key.trim().to_owned()))
        });
        parsed.collect::<Result<_, &str>>().map_err(|line| {
            let line = crate::report::words::cut(&plain(line), 60);
            Stop::Failed(format!("GET /orders has the line `{line}`, which is not `number key`."))
        })
    }

    /// Posts an order and does something once it is on its way.
    pub fn while_in_work<T>(
        &self,
        order: &Order<'_>,
        meanwhile: impl FnOnce() -> Held<T>,
    ) -> Held<(Answer, T)> {
        let ((sent, is_sent), (leave, given)) = (mpsc::channel(), mpsc::channel());
        // The last byte follows the others at once.
        let _ = leave.send(());
        let held_back = HeldBack { sent, leave: given };
        let customer = Customer::new(self.port, false);
        thread::scope(|scope| {
            let asks =
                thread::Builder::new().name("customer".to_owned()).spawn_scoped(scope, || {
                    self.order_of(&customer, order.key, order, Some(held_back))
                })?;
            // On a busy machine a thread begins late. One that was refused never comes so far.
            let _ = is_sent.recv_timeout(PATIENCE);
            // Else the customer waits on.
            let done = meanwhile().inspect_err(|_| self.kill());
            let answer = asks.join().unwrap_or(Answer::Cut);
            Ok((answer, done?))
        })
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.note_processes();
        self.course.done("SIGTERM");
        *self.signalled.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        // It may have ended already, which is judged by its end.
        let _ = kill(self.target, Signal::SIGTERM);
    }

    /// SIGKILL to all its processes, and the end of them.
    pub fn kill(&self) {
        self.note_processes();
        self.course.done("SIGKILL");
        self.kept.kill();
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .end(self.kept.pid().as_raw().cast_unsigned());
        // It cannot fail to come.
        let _ = self.ended_within(PATIENCE);
    }

    /// Its end, if it comes within so long after the last signal, or from now on where there was none.
    pub fn ended_within(&self, limit: Duration) -> Held<Option<Ended>> {
        let since = *self.signalled.lock().unwrap_or_else(PoisonError::into_inner);
        let since = since.unwrap_or_else(Instant::now);
        loop {
            // Read before the look: a late look must not make a late end of a timely one.
            let after = since.elapsed();
            if let Some(exit) = self.kept.ended()? {
                self.course.ended(exit);
                return Ok(Some(Ended { exit, after }));
            }
            if after > limit {
                return Ok(None);
            }
            thread::sleep(LOOKS);
        }
    }

    /// `, and it ended …`, if it has or does so within this time; else nothing.
    pub fn and_ended(&self, limit: Duration) -> Held<String> {
        let ended = self.ended_within(limit)?;
        Ok(ended.map_or_else(String::new, |ended| {
            format!(", and it ended {}", words::exit(ended.exit))
        }))
    }

    /// SIGTERM a little into an order: the answer to it, and an end in time.
    pub fn ended_in(&self, order: &Order<'_>) -> Held<(Answer, Ended)> {
        self.while_in_work(order, || {
            thread::sleep(INTO_THE_WORK);
            self.terminate();
            self.ended_in_time()
        })
    }

    /// Its end in time after SIGTERM: within its grace period and a second.
    pub fn ended_in_time(&self) -> Held<Ended> {
        match self.ended_within(self.grace + LATE)? {
            Some(ended) => {
                demand!(
                    self.leaves_no_listener(),
                    "The command's process ended {}, but {}.",
                    words::exit(ended.exit),
                    self.still_listens()
                );
                Ok(ended)
            }
            None => fail!(
                "It was still there {} after SIGTERM; GRACE was {}.",
                words::time(self.grace + LATE),
                self.grace.as_secs()
            ),
        }
    }

    /// Whether nobody listens at its port any more, or ceases to at once.
    pub fn leaves_no_listener(&self) -> bool {
        let until = Instant::now() + SETTLES;
        while listener::is_there(self.port) {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(ASKS);
        }
        true
    }

    /// Who listens at its port though the command's process has ended, in words.
    pub fn still_listens(&self) -> String {
        let who = listener::owners(self.port, &self.known().alive());
        let who = who.first().map_or_else(|| "somebody".to_owned(), |pid| called(*pid));
        format!(
            "{who} still listens on its port: the signal was not passed on (a shell or a script \
             does that with `exec`)"
        )
    }

    /// Its processes that are alive, and those that it had before.
    pub fn known(&self) -> Processes {
        self.note_processes();
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note_processes(&self) {
        let now = Processes::of(&self.kept);
        self.processes.lock().unwrap_or_else(PoisonError::into_inner).extend(now);
    }

    /// All lines that it printed.
    pub fn printed(&self) -> Vec<Line> {
        self.prints.lines()
    }

    /// From now on nobody reads what it prints.
    pub fn close_its_outputs(&self) {
        self.course.done("its output is closed");
        self.prints.close();
    }

    /// Whether its last line on standard error tells of so many unfinished orders.
    pub fn tells_of_unfinished(&self, orders: usize) -> Held {
        let lines = self.printed();
        let mut on_stderr = lines.iter().rev().filter(|line| line.stderr);
        let expected = format!("unfinished: {orders}");
        match on_stderr.find(|line| !line.text.trim().is_empty()) {
            Some(line) if line.text.trim() == expected => Ok(()),
            Some(line) => fail!(
                "Its last line on stderr was `{}`; it was to be `{expected}`.",
                crate::report::words::cut(&plain(&line.text), 80)
            ),
            None => fail!("It printed nothing on stderr; the last line was to be `{expected}`."),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.note_processes();
        // Else the picture would say that it went on.
        if let Ok(Some(exit)) = self.kept.ended() {
            self.course.ended(exit);
        }
        self.course.over(self.prints.lines());
        self.kept.kill();
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .end(self.kept.pid().as_raw().cast_unsigned());
    }
}

/// What is wrong with an end that was to be with this code, if anything is.
pub fn ends_with(ended: Ended, code: i32) -> Held {
    let after = words::time(ended.after);
    if let Exit::Signal(_) = ended.exit {
        fail!(
            "{} killed it, {after} after SIGTERM, so that it had no exit code; it was to have {code}. A framework \
             may stop as it should and then send itself the signal once more.",
            ended.exit
        );
    }
    demand!(
        ended.exit == Exit::Code(code),
        "It ended {}, {after} after SIGTERM; it was to end with exit code {code}.",
        words::exit(ended.exit)
    );
    Ok(())
}
