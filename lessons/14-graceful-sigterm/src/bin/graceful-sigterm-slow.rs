//! A client that never finishes its request, and what it does to the end of a service.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lesson_log::LogLine;
use tracing::info;

// ANCHOR: requests
const HALF_A_HEAD: &str = "POST /ord";
const HALF_A_BODY: &str =
    "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\ntwo";
// ANCHOR_END: requests

fn main() -> ExitCode {
    lesson_log::init();
    let way = env::args_os().nth(1).unwrap_or_default();
    let half = match way.to_str() {
        Some("head") => HALF_A_HEAD,
        Some("body") => HALF_A_BODY,
        _ => return lesson_log::failure("say what is half, head or body"),
    };
    let mut service = match start() {
        Ok(service) => service,
        Err(why) => return lesson_log::failure(why),
    };
    let ended = stop(&mut service, half);
    // An error says that it has ended.
    let _ = service.kill();
    let _ = service.wait();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

/// The service of the lesson, with 4 s to stop.
fn start() -> Result<Child, String> {
    let program =
        env::current_exe().map(|path| path.with_file_name("graceful-sigterm"));
    let service = program.and_then(|program| {
        let mut service = Command::new(program);
        service
            .args(["0", "4"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    });
    service.map_err(|error| format!("cannot start the service: {error}"))
}

// ANCHOR: stop
/// Sends half a request, then SIGTERM, and sees how the service ends.
fn stop(service: &mut Child, half: &str) -> Result<(), String> {
    let cannot = |error| format!("cannot ask the service: {error}");
    let (Some(log), Some(mut errors)) =
        (service.stdout.take(), service.stderr.take())
    else {
        return Err("its outputs are pipes".to_owned());
    };
    let mut log = BufReader::new(log);
    let mut line = String::new();
    log.read_line(&mut line).map_err(cannot)?;
    let Some((_, address)) = line.trim_end().split_once("http://") else {
        let mut why = String::new();
        errors.read_to_string(&mut why).map_err(cannot)?;
        return Err(format!("the service refuses: {}", why.trim_end()));
    };
    let mut client = TcpStream::connect(address).map_err(cannot)?;
    client.write_all(half.as_bytes()).map_err(cannot)?;
    info!("half a request is sent");
    thread::sleep(Duration::from_millis(500));

    let told = Instant::now();
    let id = service.id().to_string();
    let kill = Command::new("sh").args(["-c", "kill -TERM $0", &id]).status();
    kill.map_err(cannot)?;
    for line in log.lines().map_while(Result::ok) {
        let text = line.parse().map_or(line, |line: LogLine| line.text);
        info!("the service: {text}");
    }
    let status = service.wait().map_err(cannot)?;
    let took = told.elapsed().as_secs_f64();
    info!("it ended {took:.1} s after SIGTERM, with {status}");
    Ok(())
}
// ANCHOR_END: stop
