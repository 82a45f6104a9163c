//! What goes wrong, and for which requests.
//!
//! In: a call. Out: whether a rule fits it, and what happens to it then: AWS says no in one of the
//! ways it has, the request or its answer is lost, something stands in between and answers itself,
//! or somebody else is faster. Each rule counts the requests it concerns, so that "the third write"
//! and "every second request" can be said.
//!
//! It must never change what moto holds, except by sending on what it then loses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::wire::{Answer, Call, Service};

/// What happens to a request.
#[derive(Clone)]
pub(crate) enum Fault {
    /// It is answered so, and goes no further.
    Said(Said),
    /// It takes place, and its answer is lost.
    LostAnswer,
    /// It is lost itself.
    LostRequest,
    /// It waits first.
    Slow(Duration),
    /// Something happens first, then all goes its way.
    Meanwhile(Arc<dyn Fn() + Send + Sync>),
}

/// Answers that are not moto's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Too many requests.
    Throttled,
    /// Not allowed.
    Denied,
    /// The credentials have expired.
    Expired,
    /// The credentials are nobody's.
    UnknownKey,
    /// A failure on AWS's side.
    Failed,
    /// A failure on the way, in HTML.
    BadGateway,
    /// 200, and not what was asked for.
    Garbage,
    /// 200 with the page of a proxy that wants a login.
    Html,
}

impl Said {
    pub(crate) fn answer(self, call: &Call) -> Answer {
        let secrets = call.service == Service::Secrets;
        // Secrets Manager answers 400 to almost everything, and has names of its own.
        let refusal = |status: u16, code: &str, of_secrets: &str, message: &str| {
            if secrets {
                Answer::refusal(call.service, 400, of_secrets, message)
            } else {
                Answer::refusal(call.service, status, code, message)
            }
        };
        match self {
            Self::Throttled => refusal(400, "Throttling", "ThrottlingException", "Rate exceeded"),
            Self::Denied => {
                let service = match call.service {
                    Service::Iam => "iam",
                    Service::Sts => "sts",
                    Service::Secrets => "secretsmanager",
                };
                let message = format!(
                    "User: arn:aws:iam::000000000000:user/tester is not authorized to perform: {service}:{} because no identity-based policy allows the {service}:{} action",
                    call.action, call.action
                );
                refusal(403, "AccessDenied", "AccessDeniedException", &message)
            }
            Self::Expired => refusal(
                403,
                "ExpiredToken",
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
            Self::UnknownKey => refusal(
                403,
                "InvalidClientTokenId",
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
            Self::Failed => Answer::refusal(
                call.service,
                500,
                if secrets {
                    "InternalServiceError"
                } else {
                    "ServiceFailure"
                },
                "We encountered an internal error. Please try again.",
            ),
            Self::BadGateway => {
                Answer::page("<html><h1>502 Bad Gateway</h1></html>").with_status(502)
            }
            Self::Garbage => Answer::page("}{ <x").into_xml(),
            Self::Html => Answer::page("<!DOCTYPE html><html><body>Please log in</body></html>"),
        }
    }
}

/// How AWS throttles: a bucket of requests that fills up at a rate.
pub(crate) struct Bucket {
    per_second: f64,
    most: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// Full, and as large as `most`.
    pub(crate) fn new(per_second: f64, most: f64) -> Self {
        Self {
            per_second,
            most,
            level: most,
            at: Instant::now(),
        }
    }

    /// Whether there is one more.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let more = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.at = now;
        self.level = (self.level + more).min(self.most);
        let there = self.level >= 1.0;
        if there {
            self.level -= 1.0;
        }
        there
    }
}

/// Which requests, and what happens to them.
#[derive(Clone)]
pub(crate) struct Rule {
    /// The action, or empty for all.
    action: String,
    /// Only those that change something.
    mutating: bool,
    from: usize,
    times: usize,
    every: usize,
    pub(crate) fault: Fault,
    seen: Arc<AtomicUsize>,
}

impl Rule {
    /// Every request.
    pub(crate) fn all(fault: Fault) -> Self {
        Self {
            action: String::new(),
            mutating: false,
            from: 0,
            times: usize::MAX,
            every: 1,
            fault,
            seen: Arc::default(),
        }
    }

    /// Every request for this action.
    pub(crate) fn on(action: &str, fault: Fault) -> Self {
        Self {
            action: action.to_owned(),
            ..Self::all(fault)
        }
    }

    /// The n-th request that changes something, from 0.
    pub(crate) fn nth_write(number: usize, fault: Fault) -> Self {
        Self {
            mutating: true,
            from: number,
            times: 1,
            ..Self::all(fault)
        }
    }

    /// The first so many of them.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Not the first so many of them.
    pub(crate) fn from(self, from: usize) -> Self {
        Self { from, ..self }
    }

    /// One in so many of them.
    pub(crate) fn every(self, every: usize) -> Self {
        Self { every, ..self }
    }

    /// Whether it fits; a call it concerns is counted.
    pub(crate) fn fits(&self, call: &Call) -> bool {
        let concerns = (self.action.is_empty() || self.action == call.action)
            && (!self.mutating || call.mutates());
        if !concerns {
            return false;
        }
        let seen = self.seen.fetch_add(1, Ordering::SeqCst);
        seen >= self.from
            && (seen - self.from).is_multiple_of(self.every)
            && (seen - self.from) / self.every < self.times
    }
}
