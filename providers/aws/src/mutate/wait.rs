//! Waiting for AWS to see what this run itself has just done, by trying again and never blindly.
//!
//! In comes what a call relies on and how it was refused, out goes whether trying again can help.
//! It can only where everything that AWS says is missing was made by this very writer: a name
//! written wrong must fail at once. Nothing is waited for longer than a minute.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use remit_sdk::{ErrorKind, ProviderError};

use crate::arn::Arn;
use crate::client::Failure;
use crate::document::{self, PrincipalKind, Use};

/// How long a call is tried again. IAM has been measured at three to four seconds until everybody
/// sees a write; its own word is minutes.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// The first pause; each next one is twice as long, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(250);

/// The longest pause: so much later at most is it seen that the wait is over.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// What one writer has done so far.
#[derive(Debug, Default)]
pub(super) struct Run {
    made: Mutex<BTreeSet<String>>,
    removed: Mutex<BTreeSet<String>>,
    touched: Mutex<BTreeSet<String>>,
    freed: Mutex<BTreeSet<String>>,
}

/// What a call relies on. Things are called `role/NAME`, `user/NAME` and so on, or by their ARN.
#[derive(Clone, Debug, Default)]
pub(super) struct Lag {
    /// What must be there.
    pub(super) relies_on: Vec<String>,
    /// ARNs of this account that a document of the call names as principals.
    pub(super) principals: Vec<String>,
    /// What it makes, changes or removes, or takes something from.
    pub(super) target: String,
    /// What it makes, by all its names.
    pub(super) makes: Vec<String>,
    /// What it removes.
    pub(super) removes: Option<String>,
}

impl Lag {
    /// A change of one thing.
    pub(super) fn of(target: &str) -> Self {
        Self {
            relies_on: vec![target.to_owned()],
            target: target.to_owned(),
            ..Self::default()
        }
    }

    /// The making of one thing.
    pub(super) fn making(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            makes: vec![target.to_owned()],
            ..Self::default()
        }
    }

    /// The removing of one thing, or of what a thing holds. It relies on nothing: what isn't
    /// there need not be removed.
    pub(super) fn removing(removed: &str, target: &str) -> Self {
        Self {
            target: target.to_owned(),
            removes: Some(removed.to_owned()),
            ..Self::default()
        }
    }

    /// A change of one thing that is known to be there.
    pub(super) fn at(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            ..Self::default()
        }
    }

    /// It makes this as well, or what it makes is called this as well.
    pub(super) fn makes(mut self, other: &str) -> Self {
        self.makes.push(other.to_owned());
        self
    }

    /// It relies on this as well; empty is nothing.
    pub(super) fn and(mut self, other: &str) -> Self {
        if !other.is_empty() {
            self.relies_on.push(other.to_owned());
        }
        self
    }

    /// With the principals of a document.
    pub(super) fn naming(mut self, text: &str, usage: Use, account: &str) -> Self {
        self.principals = principals(text, usage, account);
        self
    }
}

/// Roles, users and providers of the account that a document names as principals.
fn principals(text: &str, usage: Use, account: &str) -> Vec<String> {
    let Ok(document) = document::parse(text, usage) else {
        return Vec::new();
    };
    let named = document.statements().iter().filter_map(|statement| {
        let principals = statement.principals.as_ref()?.named();
        let of = |kind| principals.get(&kind).into_iter().flatten();
        Some(of(PrincipalKind::Aws).chain(of(PrincipalKind::Federated)))
    });
    let all: BTreeSet<String> = named
        .flatten()
        .filter(|text| {
            Arn::parse(text).is_ok_and(|arn| arn.account == account && arn.resource != "root")
        })
        .cloned()
        .collect();
    all.into_iter().collect()
}

impl Run {
    /// Done, or maybe done: what was made may not be seen for a while, and what was removed may.
    pub(super) fn done(&self, lag: &Lag) {
        self.touched(&lag.target);
        for thing in &lag.makes {
            insert(&self.made, thing);
            forget(&self.removed, thing);
            self.touched(thing);
        }
        if let Some(thing) = &lag.removes {
            insert(&self.removed, thing);
            forget(&self.made, thing);
            self.touched(thing);
        }
    }

    /// Changed.
    pub(super) fn touched(&self, thing: &str) {
        insert(&self.touched, thing);
    }

    /// Something of it was removed to make room: it may still count as full for a while.
    pub(super) fn freed(&self, thing: &str) {
        insert(&self.freed, thing);
    }

    pub(super) fn has_removed(&self, thing: &str) -> bool {
        has(&self.removed, thing)
    }

    pub(super) fn has_touched(&self, thing: &str) -> bool {
        has(&self.touched, thing)
    }

    /// Whether a refusal may come from AWS not having seen yet what this writer did.
    pub(super) fn is_lag(&self, lag: &Lag, failure: &Failure) -> bool {
        let said = failure.said.as_str();
        if failure.is_not_found() {
            return self.all_made(&lag.relies_on, said);
        }
        if failure.code.starts_with("MalformedPolicyDocument") && said.contains("rincipal") {
            return self.all_made(&lag.principals, said);
        }
        if failure.is(&[
            "ConcurrentModification",
            "ConcurrentModificationException",
            "EntityTemporarilyUnmodifiable",
        ]) {
            return lag
                .relies_on
                .iter()
                .chain([&lag.target])
                .any(|thing| self.has_touched(thing));
        }
        if failure.is(&["LimitExceeded", "LimitExceededException"]) {
            return has(&self.freed, &lag.target);
        }
        failure.kind() == ErrorKind::Conflict
            && !failure.is(&["DeleteConflict"])
            && self.has_removed(&lag.target)
    }

    /// Whether everything that AWS names as missing was made here; where it names none of it,
    /// whether all of it was.
    fn all_made(&self, all: &[String], said: &str) -> bool {
        let named: Vec<&String> = all
            .iter()
            .filter(|thing| names(said, name(thing)))
            .collect();
        // It names something, and that is not ours.
        if named.is_empty() && said.contains("arn:") {
            return false;
        }
        let suspects = if named.is_empty() {
            all.iter().collect()
        } else {
            named
        };
        !suspects.is_empty() && suspects.into_iter().all(|thing| has(&self.made, thing))
    }
}

/// What AWS calls a thing in its messages.
fn name(thing: &str) -> &str {
    if thing.starts_with("arn:") {
        return thing;
    }
    thing.split_once('/').map_or(thing, |(_, name)| name)
}

/// Whether a text names a thing, and not only something that has its name within.
fn names(said: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_+=,@-:/".contains(c);
    said.match_indices(name).any(|(at, _)| {
        let before = said.get(..at).and_then(|text| text.chars().next_back());
        let after = said.get(at + name.len()..);
        let after = after.and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn insert(set: &Mutex<BTreeSet<String>>, thing: &str) {
    if let Ok(mut set) = set.lock() {
        set.insert(thing.to_owned());
    }
}

fn forget(set: &Mutex<BTreeSet<String>>, thing: &str) {
    if let Ok(mut set) = set.lock() {
        set.remove(thing);
    }
}

fn has(set: &Mutex<BTreeSet<String>>, thing: &str) -> bool {
    set.lock().is_ok_and(|set| set.contains(thing))
}

/// Pauses between tries: growing, bounded.
#[derive(Debug)]
pub(super) struct Waiting {
    pause: Duration,
    left: Duration,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self {
            pause: PAUSE,
            left: WAIT_MAX,
        }
    }

    /// How long to wait for the next try; `None` where there is to be none.
    pub(super) fn next(&mut self) -> Option<Duration> {
        if self.left.is_zero() {
            return None;
        }
        let pause = self.pause.min(self.left);
        self.left -= pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Some(pause)
    }

    /// A refusal that outlasted the wait.
    pub(super) fn over(mut failure: Failure) -> Failure {
        let seconds = WAIT_MAX.as_secs();
        failure.error = ProviderError::new(
            failure.error.kind,
            format!("{}, for {seconds} s", failure.error.message),
        )
        .help("AWS has not seen yet what was made just before: plan again in some minutes");
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";
    const MADE: &str = "arn:aws:iam::123456789012:role/made";
    const TYPO: &str = "arn:aws:iam::123456789012:role/tpyo";

    fn refused(code: &str, kind: ErrorKind, said: &str) -> Failure {
        Failure {
            code: code.to_owned(),
            said: said.to_owned(),
            error: ProviderError::new(kind, said),
        }
    }

    fn run() -> Run {
        let run = Run::default();
        run.done(&Lag::making("role/made").makes(MADE));
        run
    }

    fn trusting(arns: &[&str]) -> Lag {
        let arns: Vec<_> = arns.iter().map(|arn| format!("\"{arn}\"")).collect();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":[{}]}},"Action":"sts:AssumeRole"}}]}}"#,
            arns.join(",")
        );
        Lag::making("other").naming(&text, Use::Trust, ACCOUNT)
    }

    #[test]
    fn a_principal_is_waited_for_if_it_was_made_here() {
        let invalid = |said: &str| refused("MalformedPolicyDocument", ErrorKind::Invalid, said);
        let plain = invalid("Invalid principal in policy");
        assert!(run().is_lag(&trusting(&[MADE]), &plain));
        assert!(!run().is_lag(&trusting(&[TYPO]), &plain));
        assert!(!run().is_lag(&trusting(&[MADE, TYPO]), &plain));
        // Of another account, or the whole of this one: nothing that this run could have made.
        let foreign = "arn:aws:iam::210987654321:role/made";
        assert!(!run().is_lag(&trusting(&[foreign]), &plain));
        assert!(!run().is_lag(&trusting(&["arn:aws:iam::123456789012:root"]), &plain));
        let named = |arn: &str| invalid(&format!("Invalid principal in policy: \"AWS\":\"{arn}\""));
        assert!(run().is_lag(&trusting(&[MADE, TYPO]), &named(MADE)));
        assert!(!run().is_lag(&trusting(&[MADE, TYPO]), &named(TYPO)));
        let other = invalid("Syntax errors in policy.");
        assert!(!run().is_lag(&trusting(&[MADE]), &other));
    }

    #[test]
    fn a_role_is_waited_for_if_it_was_made_here() {
        let missing = |said: &str| refused("NoSuchEntity", ErrorKind::NotFound, said);
        let lag = Lag::of("role/made").and("arn:aws:iam::aws:policy/ReadOlny");
        assert!(run().is_lag(&lag, &missing("The role with name made cannot be found.")));
        let policy = "Policy arn:aws:iam::aws:policy/ReadOlny does not exist or is not attachable.";
        assert!(!run().is_lag(&lag, &missing(policy)));
        assert!(!run().is_lag(&lag, &missing("unmade made-up")));
        assert!(!run().is_lag(&Lag::of("role/there"), &missing("gone")));
        assert!(run().is_lag(&Lag::of("role/made"), &missing("")));
        // One name for two things, of which one is not there.
        let both = Lag::of("instance-profile/made").and("role/made");
        assert!(!run().is_lag(&both, &missing("Instance Profile made cannot be found.")));
    }

    #[test]
    fn a_name_that_was_freed_here_is_waited_for() {
        let run = run();
        let exists = refused("EntityAlreadyExists", ErrorKind::Conflict, "");
        assert!(!run.is_lag(&Lag::making("old"), &exists));
        run.done(&Lag::removing("old", "old"));
        assert!(run.is_lag(&Lag::making("old"), &exists));
        let held = refused("DeleteConflict", ErrorKind::Conflict, "");
        assert!(!run.is_lag(&Lag::of("old"), &held));
        let busy = refused("ConcurrentModification", ErrorKind::Conflict, "");
        assert!(run.is_lag(&Lag::of("old"), &busy));
        assert!(!run.is_lag(&Lag::of("new"), &busy));
        run.done(&Lag::making("old"));
        assert!(
            !run.is_lag(&Lag::making("old"), &exists),
            "it was made again"
        );
    }

    #[test]
    fn room_that_was_made_here_is_waited_for() {
        let run = run();
        let full = refused("LimitExceeded", ErrorKind::Invalid, "");
        assert!(!run.is_lag(&Lag::of("arn:p"), &full));
        run.freed("arn:p");
        assert!(run.is_lag(&Lag::of("arn:p"), &full));
        assert!(!run.is_lag(&Lag::of("arn:q"), &full));
    }

    #[test]
    fn a_wait_ends() {
        let mut waiting = Waiting::new();
        let pauses: Vec<_> = std::iter::from_fn(|| waiting.next()).collect();
        assert_eq!(pauses.iter().sum::<Duration>(), WAIT_MAX);
        assert!(pauses.iter().all(|pause| *pause <= PAUSE_MAX));
        assert!((10..30).contains(&pauses.len()), "{pauses:?}");
    }
}
