//! The supplier that a service asks: it has the goods, has none, or never answers.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a service may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// How late a late answer is.
const LATE: Duration = Duration::from_millis(500);

/// What it says to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// This status, at once.
    Status(u16),
    /// 503, half a second later.
    LateNo,
    /// Nothing, for as long as it is there.
    Nothing,
}

/// A supplier at a port of its own.
#[derive(Debug)]
pub struct Supplier {
    shared: Arc<Shared>,
    port: u16,
}

#[derive(Debug)]
struct Shared {
    says: Mutex<Says>,
    asked: AtomicUsize,
    is_over: AtomicBool,
    /// Those that are never answered.
    unanswered: Mutex<Vec<TcpStream>>,
}

impl Supplier {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// If there is no room for a listener or a thread.
    pub fn open(says: Says) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            says: Mutex::new(says),
            asked: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            unanswered: Mutex::default(),
        });
        let door = Arc::clone(&shared);
        thread::Builder::new().name("supplier".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if door.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let desk = Arc::clone(&door);
                // Without a thread it does not answer, as one that hangs.
                let _ =
                    thread::Builder::new().name("supplier's desk".to_owned()).spawn(move || {
                        // Whoever asks may go at any time.
                        let _ = desk.serve(stream);
                    });
            }
        })?;
        Ok(Self { shared, port })
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it says from now on.
    pub fn say(&self, says: Says) {
        *self.shared.says.lock().unwrap_or_else(PoisonError::into_inner) = says;
    }

    /// How often it was asked for its stock.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Supplier {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.unanswered.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // Wakes the one that waits at the door.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let is_stock = first.starts_with("GET /stock ");
        if is_stock {
            self.asked.fetch_add(1, Ordering::SeqCst);
        }
        let says = *self.says.lock().unwrap_or_else(PoisonError::into_inner);
        let status = match says {
            _ if !is_stock => 404,
            Says::Status(status) => status,
            Says::LateNo => {
                thread::sleep(LATE);
                503
            }
            Says::Nothing => {
                self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
                return Ok(());
            }
        };
        // The reason may be empty, and the space before it may not: RFC 9112, 4.
        let answer =
            format!("HTTP/1.1 {status} \r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        (&stream).write_all(answer.as_bytes())
    }
}
