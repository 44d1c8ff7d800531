//! An order, and the work that it is: ask the supplier, and store it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use ureq::Agent;

use crate::server::{Answer, Shop};

const PATIENCE: Duration = Duration::from_secs(2);

pub struct Order {
    key: String,
    text: String,
    takes: Duration,
    panics: bool,
}

impl Order {
    pub fn read(query: &str, headers: &HeaderMap, text: String) -> Option<Self> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = |name| pairs.clone().find(|pair| pair.0 == name);
        let takes = value("takes").map_or(Some(0), |(_, ms)| ms.parse().ok())?;
        let panics = value("fails").is_some_and(|(_, how)| how == "panic");
        let key = headers.get("idempotency-key")?.to_str().ok()?.to_owned();
        let is_known = |c| matches!(c, 'a'..='z' | '0'..='9' | '-');
        let is_key = (1..=64).contains(&key.len()) && key.chars().all(is_known);
        let takes = Duration::from_millis(takes);
        is_key.then_some(Self { key, text, takes, panics })
    }

    // ANCHOR: work
    pub async fn work(self, shop: &Arc<Shop>) -> Answer {
        // One at a time of each key. Dropped at the end, also by a panic.
        let _turn = shop.desk.turn(&self.key).await;
        let (Ok(answer) | Err(answer)) = self.find_or_store(shop).await;
        answer
    }

    async fn find_or_store(self, shop: &Arc<Shop>) -> Result<Answer, Answer> {
        let Self { key, text, takes, panics } = self;
        let known = key.clone();
        let known = blocking(shop, move |shop| shop.store.number(&known)).await?;
        if let Some(number) = known {
            return Ok((StatusCode::OK, format!("{number}\n")));
        }
        if !blocking(shop, ask_supplier).await? {
            return Ok((StatusCode::BAD_GATEWAY, "no stock\n".to_owned()));
        }
        sleep(takes).await;
        assert!(!panics, "this order fails");
        let number =
            blocking(shop, move |shop| shop.store.add(&key, &text)).await?;
        Ok((StatusCode::CREATED, format!("{number}\n")))
    }
    // ANCHOR_END: work
}

/// Anything but 200 is a no, and so is no answer in time.
fn ask_supplier(shop: &Shop) -> Result<bool, String> {
    let Some(supplier) = &shop.supplier else { return Ok(true) };
    // The environment's proxy is for the world outside.
    let asks = Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None);
    let answer = Agent::from(asks.build()).get(format!("{supplier}/stock")).call();
    Ok(answer.is_ok_and(|answer| answer.status() == 200))
}

/// On a thread that may wait for the disk or for the supplier.
pub async fn blocking<T: Send + 'static, E: ToString + Send + 'static>(
    shop: &Arc<Shop>,
    ask: impl FnOnce(&Shop) -> Result<T, E> + Send + 'static,
) -> Result<T, Answer> {
    let shop = Arc::clone(shop);
    let asked = spawn_blocking(move || ask(&shop)).await;
    asked.map_err(failed)?.map_err(failed)
}

pub fn failed(why: impl ToString) -> Answer {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{}\n", why.to_string()))
}
