//! A hundred messages for Kafka, and a producer that is dropped, with or without a
//! flush. Without `--brokers` the broker is librdkafka's own stand-in.

use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, result, thread};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tracing::info;

type Result<T> = result::Result<T, Box<dyn Error>>;

const USAGE: &str =
    "usage: durable-handoff-kafka [--brokers HOST:PORT] [return | flush]";
const TOPIC: &str = "payments";
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    lesson_log::init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => lesson_log::failure(why),
    }
}

fn run() -> Result<()> {
    let words = env::args_os().skip(1).map(|word| word.into_string());
    let words = words.collect::<result::Result<Vec<_>, _>>().map_err(|_| USAGE)?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--as-producer", brokers, end] => send(brokers, end == "flush"),
        ["--brokers", brokers, end @ ("return" | "flush")] => compare(brokers, end),
        [end @ ("return" | "flush")] => compare_with_stand_in(end),
        _ => Err(USAGE.into()),
    }
}

fn compare_with_stand_in(end: &str) -> Result<()> {
    let cluster = MockCluster::new(1)?;
    cluster.create_topic(TOPIC, 1, 1)?;
    compare(&cluster.bootstrap_servers(), end)
}

/// Lets a process of its own send and end, and counts later what has come.
fn compare(brokers: &str, end: &str) -> Result<()> {
    let start = Instant::now();
    info!("a producer sends and ends; I count after 2 s");
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let before = messages(&consumer)?;
    let producer = ["--as-producer", brokers, end];
    let status = Command::new(env::current_exe()?).args(producer).status()?;
    info!("the producer has ended with {status}");
    thread::sleep(Duration::from_secs(2).saturating_sub(start.elapsed()));
    info!("{} messages are in the topic", messages(&consumer)? - before);
    Ok(())
}

// ANCHOR: send
/// The producer.
fn send(brokers: &str, flush: bool) -> Result<()> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        // Up to a second for a batch to fill, so that the outcome is no race.
        .set("linger.ms", "1000")
        .create()?;
    for number in 1..=100 {
        let key = format!("payment-{number}");
        let record = BaseRecord::to(TOPIC).key(&key).payload("10 to bob");
        producer.send(record).map_err(|(error, _)| error)?;
    }
    info!("100 sends have returned Ok");
    if flush {
        producer.flush(PATIENCE)?;
        info!("flush has returned Ok");
    }
    // Here the producer is dropped: it purges its queue first, and waits then.
    Ok(())
}
// ANCHOR_END: send

/// How many messages the topic has ever had.
fn messages(consumer: &BaseConsumer) -> Result<i64> {
    let (_, next) = consumer
        .fetch_watermarks(TOPIC, 0, PATIENCE)
        .map_err(|error| format!("cannot ask the brokers: {error}"))?;
    Ok(next)
}
