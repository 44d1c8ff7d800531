//! How far the model was when last looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use prometheus::{IntCounter, Registry};
use tracing::info;

/// Looks at the model's count, and keeps for whoever asks what it saw.
pub struct Sampler {
    model: Arc<AtomicU64>,
    tokens: IntCounter,
    samples: IntCounter,
    pub registry: Registry,
}

impl Sampler {
    pub fn new(model: Arc<AtomicU64>) -> prometheus::Result<Self> {
        let tokens =
            IntCounter::new("inference_tokens_total", "Tokens when last sampled.")?;
        let samples = IntCounter::new("telemetry_samples_total", "Samples taken.")?;
        let registry = Registry::new();
        registry.register(Box::new(tokens.clone()))?;
        registry.register(Box::new(samples.clone()))?;
        Ok(Self { model, tokens, samples, registry })
    }

    // ANCHOR: sample
    /// Looks once.
    pub fn sample(&self) {
        let counted = self.model.load(Relaxed);
        // A counter takes what has come since, and not the sum.
        self.tokens.inc_by(counted - self.tokens.get());
        self.samples.inc();
        info!("sample {}: {counted} tokens", self.samples.get());
    }
    // ANCHOR_END: sample
}
