//! The buffer in Redis: payments wait in a stream until the relay strikes them out.
//! How safe they are there is the server's affair: see its `appendonly` and
//! `appendfsync`.

use std::time::Duration;

use redis::streams::{
    StreamId, StreamRangeReply, StreamReadOptions, StreamReadReply,
};
use redis::{Client, Commands, Connection, FromRedisValue, RedisResult};

use crate::Result;
use crate::ledger::Payment;
use crate::relay::{Buffer, Waiting};

const STREAM: &str = "payments";
const DEAD: &str = "payments:dead";
const FAILURES: &str = "payments:failures";
const GROUP: &str = "relay";
const PATIENCE: Duration = Duration::from_secs(2);

pub struct Stream {
    server: Connection,
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
            match group {
                Err(error) if error.code() != Some("BUSYGROUP") => Err(error),
                _ => Ok(Self { server }),
            }
        };
        open().map_err(|error| format!("cannot use {url}: {error}").into())
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
        let one = StreamReadOptions::default().group(GROUP, GROUP).count(1);
        // What is new; then what was handed out before and never struck out.
        for from in [">", "0"] {
            let read: Option<StreamReadReply> =
                self.server.xread_options(&[STREAM], &[from], &one)?;
            let entries = read.into_iter().flat_map(|reply| reply.keys);
            let Some(entry) = entries.flat_map(|stream| stream.ids).next() else {
                continue;
            };
            let payment = Payment {
                key: field(&entry, "key")?,
                account: field(&entry, "account")?,
                amount: field(&entry, "amount")?,
            };
            let failures: Option<u32> = self.server.hget(FAILURES, &entry.id)?;
            let failures = failures.unwrap_or(0);
            return Ok(Some(Waiting { payment, id: entry.id, failures }));
        }
        Ok(None)
    }

    fn strike_out(&mut self, Waiting { id, .. }: &Waiting) -> Result<()> {
        let mut step = redis::pipe();
        step.atomic().xack(STREAM, GROUP, &[id]).xdel(STREAM, &[id]);
        Ok(step.hdel(FAILURES, id).exec(&mut self.server)?)
    }
    // ANCHOR_END: buffer

    fn put_back(&mut self, waiting: &Waiting) -> Result<()> {
        Ok(self.server.hincr(FAILURES, &waiting.id, 1)?)
    }

    fn bury(
        &mut self,
        Waiting { id, payment, .. }: &Waiting,
        reason: &str,
    ) -> Result<()> {
        let mut step = redis::pipe();
        step.atomic().xadd(
            DEAD,
            "*",
            &[("key", &*payment.key), ("reason", reason)],
        );
        step.xack(STREAM, GROUP, &[id]).xdel(STREAM, &[id]).hdel(FAILURES, id);
        Ok(step.exec(&mut self.server)?)
    }

    fn report(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for (stream, what) in [(STREAM, "waits"), (DEAD, "is a dead letter")] {
            let all: StreamRangeReply = self.server.xrange_all(stream)?;
            for entry in all.ids {
                lines.push(format!("{} {what}", field::<String>(&entry, "key")?));
            }
        }
        Ok(lines)
    }
}

fn field<T: FromRedisValue>(entry: &StreamId, name: &str) -> Result<T> {
    entry
        .get(name)
        .ok_or_else(|| format!("entry {} has no `{name}`", entry.id).into())
}
