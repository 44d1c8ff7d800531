//! A reader's exercise that does what the environment variable `MISDEED` names.

use std::env;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

fn main() -> io::Result<()> {
    let misdeed = env::var("MISDEED").unwrap_or_default();
    let mut stdout = io::stdout().lock();
    match misdeed.as_str() {
        "lines" => loop {
            stdout.write_all(&b" 0.001s main       again\n".repeat(100))?;
        },
        "no line end" => loop {
            stdout.write_all(&[b'x'; 8192])?;
        },
        "errors" => loop {
            io::stderr().write_all(&[b'!'; 8192])?;
        },
        "long line" => {
            stdout.write_all(&vec![b'x'; 1 << 20])?;
            writeln!(stdout, "<end>")?;
        }
        "bytes" => {
            for mut stream in [Box::new(stdout) as Box<dyn Write>, Box::new(io::stderr())] {
                stream.write_all(b" 0.001s main       NUL \0, escape \x1b[31m, no text \xff\xfe\n")?;
                stream.write_all(b" 0.002s <script>   <img src=x onerror=alert(1)>\n")?;
                stream.write_all(b"</pre></figure><script>alert(2)</script>\r\x1b]0;title\x07\n")?;
            }
            fs::write("<img src=x onerror=alert(3)>.txt", "<script>alert(4)</script>\n")?;
        }
        "many lines" => {
            for _ in 0..20_000 {
                stdout.write_all(b" 0.001s <b>        <i>\n")?;
            }
        }
        "many threads" => {
            for number in 0..20_000 {
                writeln!(stdout, " 0.001s thread-{number} line")?;
            }
        }
        "fills" => fill("a file".into())?,
        "fills the other" => fill(env::temp_dir().join("a file"))?,
        "fills what has no name" => {
            let file = File::create("a file")?;
            fs::remove_file("a file")?;
            write_on_and_on(file)?;
        }
        "fills with many" => loop {
            for number in 0.. {
                fs::write(number.to_string(), vec![0; 1 << 16])?;
            }
        },
        "a hole" => {
            File::create("a file")?.set_len(1 << 40)?;
            println!("made");
            wait();
        }
        "a hole, and ends" => File::create("a file")?.set_len(1 << 40)?,
        "forks" => {
            for _ in 0..20 {
                again("wait").spawn()?;
            }
            println!("forked");
            wait();
        }
        // Each is gone before it is found.
        "forks on and on" => {
            again("20000").spawn()?;
            println!("forked");
            wait();
        }
        "ignores SIGTERM" => {
            let script = "trap '' TERM INT HUP QUIT; echo ready; while :; do sleep 0.1; done";
            return Err(Command::new("sh").args(["-c", script]).exec());
        }
        "leaves a child" => {
            again("wait").spawn()?;
            println!("left");
        }
        // It holds the pipe of its parent.
        "leaves a child in the group" => {
            Command::new("sleep").arg("1000").spawn()?;
            println!("left");
        }
        "leaves a link" => {
            if fs::symlink_metadata("notes").is_err() {
                symlink("/dev/null", "notes")?;
            }
        }
        // The second run finds it.
        "leaves a file for once" => {
            if fs::remove_file("notes").is_err() {
                fs::write("notes", "")?;
            }
        }
        "removes its directory" => fs::remove_dir_all(env::current_dir()?)?,
        "closes a file to its owner" => {
            let file = File::create("notes")?;
            file.set_permissions(Permissions::from_mode(0))?;
        }
        "leaves many files" => {
            for number in 0..20_000 {
                File::create(number.to_string())?;
            }
        }
        "a late line" => println!("{}.999s main       never", u64::MAX),
        "never ends" => {
            println!("started");
            wait();
        }
        "wait" => wait(),
        number => {
            if let Some(left) = number.parse::<u32>().ok().and_then(|number| number.checked_sub(1)) {
                again(&left.to_string()).spawn()?;
            }
        }
    }
    Ok(())
}

fn wait() {
    thread::sleep(Duration::from_secs(1000));
}

/// This program in a session of its own.
fn again(misdeed: &str) -> Command {
    let mut command = Command::new("setsid");
    let program = env::current_exe().unwrap_or_default();
    command.arg(program).env("MISDEED", misdeed);
    command
}

fn fill(path: PathBuf) -> io::Result<()> {
    write_on_and_on(File::create(path)?)
}

fn write_on_and_on(mut file: File) -> io::Result<()> {
    loop {
        file.write_all(&[0; 1 << 16])?;
    }
}
