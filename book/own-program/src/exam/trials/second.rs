//! A second SIGTERM, and the same for process 1.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use workbook::promise::Exit;

use super::super::bench::Bench;
use super::super::client::Order;
use super::super::service::{INTO_THE_WORK, Service, Setup, Under};
use super::super::stop::{Held, Stop, demand, fail};
use super::super::words;
use super::in_work::finishes;

/// How soon it ends after the second signal.
const SOON: Duration = Duration::from_secs(1);
/// How long it may take until it says that it takes no more orders. Then the signal comes anyway.
const NOTICES: Duration = Duration::from_secs(2);

/// Whether it ends at once.
pub fn second_signal(bench: &Bench<'_>) -> Held {
    ends_at_once(bench, Under::Nothing)
}

fn ends_at_once(bench: &Bench<'_>, under: Under) -> Held {
    let data = bench.data()?;
    let service = Service::start(bench, &Setup { grace: 20, under, ..Setup::new(data.path()) })?;
    let key = bench.key("second");
    let (_, ended) = service.while_in_work(&Order::taking(&key, 30_000), || {
        thread::sleep(INTO_THE_WORK);
        service.terminate();
        let first = Instant::now();
        while first.elapsed() < NOTICES && service.health().status() == Some(200) {
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(50));
        if let Some(ended) = service.ended_within(Duration::ZERO)? {
            fail!(
                "With GRACE=20 and an order in work it ended {} already after the first SIGTERM.",
                words::exit(ended.exit)
            );
        }
        service.terminate();
        let ended = service.ended_within(SOON)?;
        if ended.is_none() {
            service.kill();
        }
        Ok(ended)
    })?;
    let Some(ended) = ended else {
        fail!("It was still there {} after a second SIGTERM.", words::time(SOON))
    };
    demand!(
        ended.exit != Exit::Code(0),
        "After a second SIGTERM it ended with exit code 0 although an order was in work."
    );
    Ok(())
}

/// Both, as process 1 of a namespace.
pub fn process_1(bench: &Bench<'_>) -> Held {
    let namespace = namespace()?;
    let inside =
        |result: Held| result.map_err(|stop| stop.retold(|why| format!("As process 1: {why}")));
    inside(finishes(bench, Under::Namespace(namespace.clone())))?;
    inside(ends_at_once(bench, Under::Namespace(namespace)).map_err(|stop| {
        stop.retold(|why| {
            format!("{why} There, a signal whose action is the default one does nothing.")
        })
    }))
}

/// The command that makes a namespace of processes here.
fn namespace() -> Held<Vec<OsString>> {
    const WAYS: [&[&str]; 3] = [
        &["--mount-proc"],
        &["--user", "--map-current-user", "--mount-proc"],
        &["--user", "--map-root-user", "--mount-proc"],
    ];
    let first = usize::from(!geteuid().is_root());
    for way in &WAYS[first..] {
        let mut words: Vec<OsString> =
            ["unshare", "--pid", "--fork", "--kill-child"].map(Into::into).into();
        words.extend(way.iter().map(Into::into));
        let tried = Command::new(&words[0])
            .args(&words[1..])
            .arg("true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match tried {
            Ok(status) if status.success() => return Ok(words),
            Ok(_) => {}
            Err(_) => return Err(Stop::NotTried("the command `unshare` is not there".to_owned())),
        }
    }
    Err(Stop::NotTried("this machine gives no namespace of processes (`unshare --pid`)".to_owned()))
}
