//! The buffer in Redis: payments wait in a stream until the relay strikes them out.
//! How safe they are there is the server's affair: see its `appendonly` and
//! `appendfsync`.

use std::result;
use std::str::FromStr;
use std::time::Duration;

use redis::streams::{
    StreamAutoClaimOptions, StreamClaimOptions, StreamReadOptions,
};
use redis::{
    Client, Commands, Connection, FromRedisValue, ParsingError, RedisError,
    RedisResult, Value, from_redis_value,
};

use crate::Result;
use crate::ledger::Payment;
use crate::relay::{Buffer, Waiting, pause};

const STREAM: &str = "payments";
/// By key: what it says, and why it was laid aside.
const DEAD: &str = "payments:dead-letters";
const FAILURES: &str = "payments:failures";
const GROUP: &str = "relay";
const PATIENCE: Duration = Duration::from_secs(2);

/// After so many milliseconds what was handed out and not struck out is handed out
/// again, to whoever asks. No shorter than a [`pause`], longer than a delivery takes.
const LEASE: i64 = 2000;

pub struct Stream {
    server: Connection,
    /// No other relay has this name, on no machine.
    name: String,
    /// Where to go on looking for what was handed out too long ago.
    cursor: String,
}

impl Stream {
    pub fn open(url: &str) -> Result<Self> {
        let client = Client::open(url)
            .map_err(|_| format!("cannot use {url}: it is no redis:// address"))?;
        let open = || {
            let mut server = client.get_connection_with_timeout(PATIENCE)?;
            server.set_read_timeout(Some(PATIENCE))?;
            let group: RedisResult<()> =
                server.xgroup_create_mkstream(STREAM, GROUP, "0");
            // An earlier run has made it.
            group.or_else(|error| match error.code() {
                Some("BUSYGROUP") => Ok(()),
                _ => Err(error),
            })?;
            let number: u64 = server.incr("payments:relays", 1)?;
            Ok(Self { server, name: format!("relay-{number}"), cursor: "0".into() })
        };
        open().map_err(|error: RedisError| {
            format!("cannot use {url}: {error}").into()
        })
    }

    // ANCHOR: claim
    /// What was handed out and not struck out: it has failed, or its relay is dead.
    fn claim(&mut self) -> RedisResult<Option<Entry>> {
        let one = StreamAutoClaimOptions::default().count(1);
        let Claimed { cursor, first } = self.server.xautoclaim_options(
            STREAM,
            GROUP,
            &self.name,
            LEASE,
            &self.cursor,
            one,
        )?;
        self.cursor = cursor;
        Ok(first)
    }
    // ANCHOR_END: claim

    /// Makes it a dead letter, in one step, with all that it says.
    fn lay_aside(
        &mut self,
        id: &str,
        key: &str,
        says: &str,
        reason: &str,
    ) -> RedisResult<()> {
        let mut step = redis::pipe();
        step.atomic().hset(DEAD, key, format!("{says}: {reason}"));
        step.xack(STREAM, GROUP, &[id]).xdel(STREAM, &[id]).hdel(FAILURES, id);
        step.exec(&mut self.server)
    }

    /// What nobody was given before.
    fn read(&mut self) -> RedisResult<Option<Entry>> {
        let one = StreamReadOptions::default().group(GROUP, &self.name).count(1);
        let read: Option<Vec<(String, Vec<Entry>)>> =
            self.server.xread_options(&[STREAM], &[">"], &one)?;
        let mut streams = read.into_iter().flatten();
        Ok(streams.find_map(|(_, entries)| entries.into_iter().next()))
    }
}

impl Buffer for Stream {
    // ANCHOR: buffer
    fn accept(&mut self, Payment { key, account, amount }: &Payment) -> Result<()> {
        let amount = amount.to_string();
        let fields = [("key", key), ("account", account), ("amount", &amount)];
        Ok(self.server.xadd(STREAM, "*", &fields)?)
    }

    fn next(&mut self) -> Result<Option<Waiting>> {
        loop {
            let entry = match self.claim()? {
                None => self.read()?,
                claimed => claimed,
            };
            let Some(entry) = entry else { return Ok(None) };
            match payment(&entry) {
                Ok(payment) => {
                    let failures: Option<u32> =
                        self.server.hget(FAILURES, &entry.id)?;
                    let failures = failures.unwrap_or(0);
                    return Ok(Some(Waiting { payment, id: entry.id, failures }));
                }
                // It would stop all that is behind it.
                Err(reason) => {
                    self.lay_aside(&entry.id, &entry.id, &entry.text(), &reason)?;
                }
            }
        }
    }

    fn strike_out(&mut self, Waiting { id, payment, .. }: &Waiting) -> Result<()> {
        let mut step = redis::pipe();
        step.atomic().xack(STREAM, GROUP, &[id]).xdel(STREAM, &[id]);
        // If it was laid aside, and asked for again: now it is in the ledger.
        step.hdel(FAILURES, id).hdel(DEAD, &payment.key);
        Ok(step.exec(&mut self.server)?)
    }
    // ANCHOR_END: buffer

    fn put_back(&mut self, Waiting { id, failures, .. }: &Waiting) -> Result<()> {
        // As if it had been handed out so long ago that its lease ends with the pause.
        let idle = usize::try_from(LEASE - pause(failures + 1)).unwrap_or(0);
        let idle = StreamClaimOptions::default().idle(idle).with_justid();
        let mut step = redis::pipe();
        // No increment: another relay may have tried it meanwhile, and counted that.
        step.atomic().hset(FAILURES, id, failures + 1);
        step.xclaim_options(STREAM, GROUP, &self.name, 0, &[id], idle);
        Ok(step.exec(&mut self.server)?)
    }

    fn is_empty(&mut self) -> Result<bool> {
        let waiting: u64 = self.server.xlen(STREAM)?;
        Ok(waiting == 0)
    }

    fn bury(
        &mut self,
        Waiting { id, payment, .. }: &Waiting,
        reason: &str,
    ) -> Result<()> {
        let Payment { key, account, amount } = payment;
        let says = format!("key={key} account={account} amount={amount}");
        Ok(self.lay_aside(id, key, &says, reason)?)
    }

    fn report(&mut self) -> Result<Vec<String>> {
        let all: Vec<Entry> = self.server.xrange_all(STREAM)?;
        let waiting = all.iter().map(|entry| {
            let key = field(entry, "key");
            format!("{} waits", key.unwrap_or_else(|_| entry.id.clone()))
        });
        let mut dead: Vec<String> = self.server.hkeys(DEAD)?;
        dead.sort_unstable();
        let dead = dead.iter().map(|key| format!("{key} is a dead letter"));
        Ok(waiting.chain(dead).collect())
    }
}

/// Bytes, until [`payment`] has read them: whoever wrote it may have written anything.
struct Entry {
    id: String,
    /// A name, its value, the next name, and so on.
    fields: Vec<Vec<u8>>,
}

impl Entry {
    /// For a human; every byte can be told from it.
    fn text(&self) -> String {
        let pair = |pair: &[Vec<u8>]| {
            pair.iter().map(|bytes| bytes.escape_ascii().to_string()).collect()
        };
        let pairs = self.fields.chunks(2).map(pair);
        pairs.map(|pair: Vec<_>| pair.join("=")).collect::<Vec<_>>().join(" ")
    }
}

impl FromRedisValue for Entry {
    fn from_redis_value(value: Value) -> result::Result<Self, ParsingError> {
        let (id, fields) = from_redis_value(value)?;
        Ok(Self { id, fields })
    }
}

struct Claimed {
    cursor: String,
    first: Option<Entry>,
}

impl FromRedisValue for Claimed {
    fn from_redis_value(value: Value) -> result::Result<Self, ParsingError> {
        // Redis 7 says a third thing: what it has found deleted. Redis 6.2 has a nil for it.
        let mut parts = Vec::from_redis_value(value)?.into_iter();
        let mut next = || parts.next().unwrap_or(Value::Nil);
        let cursor = from_redis_value(next())?;
        let entries: Vec<Option<Entry>> = from_redis_value(next())?;
        Ok(Self { cursor, first: entries.into_iter().flatten().next() })
    }
}

fn payment(entry: &Entry) -> result::Result<Payment, String> {
    Ok(Payment {
        key: field(entry, "key")?,
        account: field(entry, "account")?,
        amount: field(entry, "amount")?,
    })
}

fn field<T: FromStr>(entry: &Entry, name: &str) -> result::Result<T, String> {
    let mut pairs = entry.fields.chunks_exact(2);
    let pair = pairs.find(|pair| pair[0] == name.as_bytes());
    let text = pair.and_then(|pair| str::from_utf8(&pair[1]).ok());
    let value = text.and_then(|text| text.parse().ok());
    value.ok_or_else(|| format!("its `{name}` cannot be read"))
}
