//! A service in a directory of its own. What it logs goes into a file; whoever reads its stderr is slow, as a
//! collector of logs under load is, and so holds open what happens while the service tells its last words.

use std::fs::{self, File};
use std::io::{self, PipeReader, Read};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use named::self_check::guarded;
use named::tools::ended_within;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Resource, Rlimit, prlimit};
use tempfile::TempDir;
use workbook::promise::judge::texts;
use workbook::run::client;

use crate::PROGRAMS;

/// How long a service may take to say where it listens.
const READY: Duration = Duration::from_secs(10);

/// How soon a service that was out of descriptors has to answer again when it has some.
pub const WELL_AGAIN: Duration = Duration::from_secs(5);

/// How much of its stderr waits to be read, and how much is read at once: 300 lines take half a second.
const WAITING: usize = 4096;
const SIP: usize = 1024;
const PAUSE: Duration = Duration::from_millis(40);

pub struct Service {
    process: Child,
    /// Where it works, and what it logged.
    place: TempDir,
    said: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    pub start: Instant,
    pub port: u16,
}

impl Service {
    /// Starts a program of a lesson; with a `port` it has said where it listens.
    pub fn start(program: &str, arguments: &[&str]) -> Result<Self, Failed> {
        let mut service = Self::start_in(TempDir::new()?, program, arguments)?;
        let limit = Instant::now() + READY;
        while Instant::now() < limit {
            if let Some(port) = client::port(&service.stdout()) {
                service.port = port;
                return Ok(service);
            }
            if let Some(status) = service.process.try_wait()? {
                return Err(format!("{program} ended with {status}: {}", service.stderr()).into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(format!("{program} does not say where it listens: {}", service.stdout()).into())
    }

    /// Starts a program of a lesson in this directory.
    pub fn start_in(place: TempDir, program: &str, arguments: &[&str]) -> Result<Self, Failed> {
        fs::create_dir_all(place.path().join("work"))?;
        let stdout = File::create(place.path().join("stdout"))?;
        let (slow, stderr) = io::pipe()?;
        fcntl_setpipe_size(&stderr, WAITING)?;
        let said = Arc::default();
        let heard = Arc::clone(&said);
        let reader = thread::Builder::new()
            .name("stderr".to_owned())
            .spawn(move || read_slowly(slow, &heard))?;
        let start = Instant::now();
        let process = guarded(&PROGRAMS[program])
            .args(arguments)
            .current_dir(place.path().join("work"))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()?;
        Ok(Self { process, place, said, reader: Some(reader), start, port: 0 })
    }

    /// A file in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join("work").join(name)
    }

    /// The text of a file in its directory; nothing if there is none.
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// All that it logged so far.
    pub fn stdout(&self) -> String {
        let bytes = fs::read(self.place.path().join("stdout")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What was read of its stderr; all of it once it has ended.
    pub fn stderr(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).into_owned()
    }

    /// The lines that it logged, without their time and thread.
    pub fn logged(&self) -> Vec<String> {
        texts(&self.stdout(), None)
    }

    pub fn signal(&self, signal: Signal) -> Result<(), Failed> {
        Ok(kill(Pid::from_raw(self.process.id().try_into()?), signal)?)
    }

    /// Leaves it `more` descriptors than it has open, for a while.
    pub fn short_of_descriptors(&self, more: u64, time: Duration) -> Result<(), Failed> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.process.id()))?.count();
        let pid = rustix::process::Pid::from_raw(self.process.id().try_into()?);
        let before = prlimit(
            pid,
            Resource::Nofile,
            Rlimit {
                current: Some(open as u64 + more),
                maximum: rustix::process::getrlimit(Resource::Nofile).maximum,
            },
        )?;
        thread::sleep(time);
        prlimit(pid, Resource::Nofile, before)?;
        Ok(())
    }

    /// How it ended, if it does within a time.
    pub fn ended_within(&mut self, time: Duration) -> Result<ExitStatus, Failed> {
        let ended = ended_within(&mut self.process, time)?;
        let ended =
            ended.ok_or_else(|| format!("it has not ended after {time:?}:\n{}", self.stdout()))?;
        if let Some(reader) = self.reader.take() {
            reader.join().map_err(|_| "its stderr is not read to the end")?;
        }
        Ok(ended)
    }
}

impl Service {
    /// Its directory, for whoever comes next; it has to have ended.
    pub fn into_place(mut self) -> TempDir {
        std::mem::replace(&mut self.place, TempDir::new().expect("a temporary directory"))
    }
}

/// Also where a trial has failed.
impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The numbers after a word in the lines of a text, such as 7 in `order 7 is written`.
pub fn numbers_after<'a>(word: &'a str, text: &'a str) -> impl Iterator<Item = u64> + use<'a> {
    text.lines().filter_map(move |line| {
        let (_, rest) = line.split_once(word)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    })
}

fn read_slowly(mut pipe: PipeReader, said: &Mutex<Vec<u8>>) {
    let mut sip = [0; SIP];
    while let Ok(count @ 1..) = pipe.read(&mut sip) {
        said.lock().unwrap_or_else(PoisonError::into_inner).extend(&sip[..count]);
        thread::sleep(PAUSE);
    }
}
