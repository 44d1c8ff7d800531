//! What the environment says.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

pub struct Settings {
    /// On 127.0.0.1.
    pub port: u16,
    /// A directory that is this service's alone.
    pub data: PathBuf,
    /// What a stop may take.
    pub grace: Duration,
    /// `http://127.0.0.1:PORT`, to be asked before an order is stored.
    pub supplier: Option<String>,
}

impl Settings {
    pub fn read() -> Result<Self, String> {
        let port = text("PORT", "8080")?;
        let port = port.parse().map_err(|_| format!("PORT is no port: {port}"))?;
        let grace = text("GRACE", "8")?;
        let seconds = grace.parse::<u32>();
        let seconds =
            seconds.map_err(|_| format!("GRACE is not in seconds: {grace}"))?;
        let grace = Duration::from_secs(seconds.into());
        let data = PathBuf::from(env::var_os("DATA").unwrap_or_else(|| ".".into()));
        let supplier = Some(text("SUPPLIER", "")?).filter(|url| !url.is_empty());
        Ok(Self { port, data, grace, supplier })
    }
}

fn text(name: &str, default: &str) -> Result<String, String> {
    let value = env::var_os(name).unwrap_or_else(|| default.into());
    value.into_string().map_err(|_| format!("{name} is no text"))
}
