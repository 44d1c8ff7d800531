//! A model that takes three seconds to load: three layers, one a second.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

pub type Model = HashMap<&'static str, &'static str>;

/// Its fate is `warm`, `fail` or `panic`.
pub fn load(fate: &str) -> Result<Model, String> {
    let start = Instant::now();
    for layer in 1..=3 {
        let next = start + layer * Duration::from_secs(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        match (layer, fate) {
            (3, "fail") => return Err("layer 3 is missing".to_owned()),
            (3, "panic") => panic!("layer 3 has the wrong shape"),
            _ => info!("layer {layer} of 3 is loaded"),
        }
    }
    Ok(HashMap::from([("tea", "coffee"), ("rust", "iron"), ("thread", "yarn")]))
}
