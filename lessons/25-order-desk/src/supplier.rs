//! The other service, which may be slow, wrong or gone.

use std::time::Duration;

use ureq::Agent;

/// For the whole question, not for each read.
const LIMIT: Duration = Duration::from_secs(2);

pub struct Supplier {
    agent: Agent,
    stock: String,
}

impl Supplier {
    pub fn new(address: &str) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(LIMIT))
            // The environment's is for the world outside.
            .proxy(None)
            .build();
        let stock = format!("{}/stock", address.trim_end_matches('/'));
        Self { agent: agent.into(), stock }
    }

    /// Anything but 200 is an error, and so is no answer in time.
    pub fn has_stock(&self) -> bool {
        let answer = self.agent.get(&self.stock).call();
        answer.is_ok_and(|answer| answer.status() == 200)
    }
}
