//! `--stats`: how long each stage took, and what was sent.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use remit_sdk::provider::Statistics;

/// Stages as they ended.
pub(super) struct Stats {
    stages: Vec<(&'static str, Duration)>,
    since: Instant,
}

impl Stats {
    /// Begins the first stage.
    pub(super) fn new() -> Self {
        Self {
            stages: Vec::new(),
            since: Instant::now(),
        }
    }

    /// A stage ends, the next one begins.
    pub(super) fn stage(&mut self, name: &'static str) {
        self.stages.push((name, self.since.elapsed()));
        self.since = Instant::now();
    }

    /// Time that belongs to no stage passed: a person was asked.
    pub(super) fn skip(&mut self) {
        self.since = Instant::now();
    }

    /// The lines for people.
    pub(super) fn text(&self, sent: Statistics) -> String {
        let mut out = String::new();
        for (name, time) in &self.stages {
            let _ = writeln!(out, "stats: {name:13} {:>8.3} s", time.as_secs_f64());
        }
        let _ = writeln!(
            out,
            "stats: {} requests that read, {} that write, {} sent again; {} bytes received, {} sent",
            sent.reads, sent.writes, sent.retries, sent.bytes_received, sent.bytes_sent
        );
        out
    }
}
