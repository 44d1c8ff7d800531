//! Exercise: an order desk by a colleague who had an afternoon for it.
//!
//! In the workbook's root:
//!
//! Run it:      cargo run -p order-desk --bin order-desk-exercise
//! Check it:    cargo test order-desk
//!              (this file alone: cargo test exercise::order-desk)
//! Start over:  git restore lessons/25-order-desk/src/bin/order-desk-exercise.rs

#![allow(
    clippy::unwrap_used,
    clippy::exit,
    reason = "the colleague had an afternoon"
)]

use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

// YOUR TURN: delete this line when you begin; `cargo test order-desk` then judges this file.

struct Shop {
    /// Each with its number and its key.
    orders: Vec<(u64, String)>,
    file: BufWriter<File>,
}

type Shared = Arc<Mutex<Shop>>;

#[tokio::main]
async fn main() {
    let data = env::var("DATA").unwrap_or_else(|_| ".".to_owned());
    let port = env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let shop =
        Arc::new(Mutex::new(Shop::open(&Path::new(&data).join("orders.log"))));
    let routes = Router::new()
        .route("/health", get("healthy\n"))
        .route("/orders", post(take).get(list))
        .with_state(shop);
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    println!("listening on http://127.0.0.1:{port}");

    let mut stop = signal(SignalKind::terminate()).unwrap();
    tokio::spawn(async move {
        stop.recv().await;
        println!("bye");
        process::exit(0);
    });
    axum::serve(listener, routes).await.unwrap();
}

async fn take(
    State(shop): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    text: String,
) -> (StatusCode, String) {
    let Some(key) = headers.get("idempotency-key") else {
        return (
            StatusCode::BAD_REQUEST,
            "an Idempotency-Key, please\n".to_owned(),
        );
    };
    let key = key.to_str().unwrap().to_owned();
    let query = query.unwrap_or_default();
    let takes = query.strip_prefix("takes=").and_then(|ms| ms.parse().ok());
    let takes = Duration::from_millis(takes.unwrap_or(0));
    // In a task of its own, so that an order goes on when its client has left.
    let order = tokio::spawn(async move {
        if let Some(number) = shop.lock().unwrap().number(&key) {
            return (StatusCode::OK, format!("{number}\n"));
        }
        if !supplier_has_stock() {
            return (StatusCode::BAD_GATEWAY, "no stock\n".to_owned());
        }
        tokio::time::sleep(takes).await;
        let mut shop = shop.lock().unwrap();
        if query == "fails=panic" {
            panic!("order {key} fails");
        }
        let number = shop.add(&key, &text);
        println!("order {number} from {key}");
        (StatusCode::CREATED, format!("{number}\n"))
    });
    order.await.unwrap()
}

async fn list(State(shop): State<Shared>) -> String {
    let shop = shop.lock().unwrap();
    shop.orders.iter().map(|(number, key)| format!("{number} {key}\n")).collect()
}

fn supplier_has_stock() -> bool {
    match env::var("SUPPLIER") {
        Ok(supplier) => ureq::get(format!("{supplier}/stock")).call().is_ok(),
        Err(_) => true,
    }
}

impl Shop {
    /// Reads the orders of the last time.
    fn open(path: &Path) -> Self {
        let mut orders = Vec::new();
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            let mut words = line.splitn(3, ' ');
            let number = words.next().unwrap().parse().unwrap();
            orders.push((number, words.next().unwrap().to_owned()));
        }
        let file = File::options().append(true).create(true).open(path).unwrap();
        Self { orders, file: BufWriter::new(file) }
    }

    fn number(&self, key: &str) -> Option<u64> {
        let known = self.orders.iter().find(|(_, known)| known == key);
        known.map(|(number, _)| *number)
    }

    fn add(&mut self, key: &str, text: &str) -> u64 {
        let number = self.orders.last().map_or(1, |(last, _)| last + 1);
        writeln!(self.file, "{number} {key} {text:?}").unwrap();
        self.orders.push((number, key.to_owned()));
        number
    }
}
