//! Counting requests, for `--stats`: every attempt that goes out, by what it does.
//!
//! In comes what the SDK is about to do with a request and has done, out go numbers: requests by
//! whether they write, those that were sent again, bytes of bodies. Nothing of a request or an
//! answer is kept or changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use remit_sdk::provider::Statistics;

/// Requests so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    reads: AtomicU64,
    writes: AtomicU64,
    retries: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Counts {
    pub(super) fn statistics(&self) -> Statistics {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Statistics {
            reads: count(&self.reads),
            writes: count(&self.writes),
            retries: count(&self.retries),
            bytes_received: count(&self.received),
            bytes_sent: count(&self.sent),
        }
    }

    /// A request is sent again, by us and not by the SDK.
    pub(super) fn again(&self) {
        add(&self.retries, 1);
    }
}

fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

/// Whether an operation only reads, by its name.
fn only_reads(operation: &str) -> bool {
    ["Get", "List", "Describe"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// What the SDK calls around each attempt.
#[derive(Debug)]
pub(super) struct Counter(pub(super) Arc<Counts>);

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "Counter"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        configuration: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reads = configuration
            .load::<Metadata>()
            .is_some_and(|operation| only_reads(operation.name()));
        add(if reads { &self.0.reads } else { &self.0.writes }, 1);
        let attempts = configuration.load::<RequestAttempts>();
        if attempts.is_some_and(|attempts| attempts.attempts() > 1) {
            self.0.again();
        }
        let body = context.request().body().content_length();
        add(&self.0.sent, body.unwrap_or_default());
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _configuration: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context
            .response()
            .map(aws_smithy_runtime_api::http::Response::body);
        let length = body.and_then(|body| {
            let whole = body
                .bytes()
                .and_then(|bytes| u64::try_from(bytes.len()).ok());
            whole.or_else(|| body.content_length())
        });
        add(&self.0.received, length.unwrap_or_default());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_reads() {
        for name in ["GetRole", "ListRoles", "DescribeSecret"] {
            assert!(only_reads(name), "{name}");
        }
        for name in ["CreateRole", "TagRole", "PutRolePolicy", "DeleteSecret"] {
            assert!(!only_reads(name), "{name}");
        }
    }
}
