//! What policies let a token do: the server's own rules, evaluated without the server. Pure.
//!
//! In come parsed policies with their names and what is known of the identity; out comes an
//! [`Acl`]: capabilities of a path, verdicts on requests with the rule they come from, the rules
//! in force, and what one Acl allows that another doesn't. What can't be known is said
//! ([`Verdict::Depends`], [`Finding::Undecided`]) and never guessed.
//!
//! The rules are those of OpenBao's `vault/acl.go` and of the page `concepts/policies`, tried on
//! OpenBao 2.7.2 by a differential test. Paths are relative to the token's namespace. Not
//! evaluated: endpoints that need no token, Sentinel, control groups, a server older than OpenBao
//! 2.6 or Vault 2.0.3, which look a LIST up by its shorter path first (GHSA-xp3c-3jw3-4vcr) and
//! let wildcards in through templates (GHSA-59w7-v8rr-pr4p).

mod administrative;
mod beyond;
mod decide;
mod escalate;
mod evaluate;
mod fold;
mod grant;
mod identity;
mod issued;
mod limits;
mod logins;
mod member;
mod namespace;
mod pattern;
mod uncertain;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::text::safe;

use crate::policy::Document;

pub use beyond::{Excess, Finding};
pub use decide::{Dependency, Operation, Parameters, Refusal, Request, Verdict, Wrapping};
pub use grant::{Grant, Limits};
pub use identity::{Alias, Identity, Templates};

use identity::{Expanded, expand};
use pattern::Pattern;

/// Which server evaluates: they differ in how they compare lists, and in what a template may
/// bring into a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// OpenBao 2.6 or later.
    OpenBao,
    /// Vault 2.0.3 or later, with `deny_slash_in_templated_paths` left off.
    Vault,
}

/// A policy as the server keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy<'a> {
    /// Its name.
    pub name: String,
    /// What its text says.
    pub document: &'a Document,
    /// What may fill the templates in its paths (OpenBao).
    pub templates: Templates,
    /// When the server removes it, if it does (OpenBao).
    pub expiration: Option<String>,
}

impl<'a, N: AsRef<str>> From<(N, &'a Document)> for Policy<'a> {
    fn from((name, document): (N, &'a Document)) -> Self {
        Self {
            name: name.as_ref().to_owned(),
            document,
            templates: Templates::default(),
            expiration: None,
        }
    }
}

/// A rule in force: everything that all policies say of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it gives and under which limits.
    pub grant: Grant,
    /// Directives of templates in its path of which the value isn't known; they stand in the
    /// path as they are written.
    pub unknown: BTreeSet<String>,
    /// What the values of those may hold, if each policy that has the rule lets them.
    templates: Templates,
    pattern: Pattern,
}

impl Entry {
    /// The path, templates filled in, with its wildcards.
    pub fn path(&self) -> &str {
        &self.pattern.text
    }
}

/// A policy that makes the server refuse every request of a token that has it, or that it
/// doesn't take in the first place. Until it is removed: that its rule has expired is no help
/// (tried on OpenBao 2.7.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The policy's name.
    pub policy: String,
    /// The path as it is written there.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
    /// When the server removes the policy, if it does.
    pub expiration: Option<String>,
}

impl Broken {
    /// What it depends on that anything is allowed.
    pub(super) fn condition(&self) -> String {
        format!(
            "the server taking the policy `{}`: {}",
            safe(&self.policy),
            self.why
        )
    }
}

/// What a set of policies allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    server: Server,
    root: bool,
    broken: BTreeSet<Broken>,
    rules: BTreeMap<String, Entry>,
}

/// How a path is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lookup {
    /// As it stands.
    Plain,
    /// As LIST and SCAN do, and `sys/capabilities`: a rule without the slash at the end counts
    /// too, where none with it does.
    Listing,
}

impl Acl {
    /// Merges policies as the server does; their order doesn't matter. `identity` is the entity
    /// behind the token, with its groups; `None` is a token without one, for which templated
    /// paths count for nothing.
    ///
    /// A policy named `root` allows everything, whatever stands beside it: the server drops the
    /// others when it makes such a token.
    pub fn new<'a, P: Into<Policy<'a>>>(
        server: Server,
        policies: impl IntoIterator<Item = P>,
        identity: Option<&Identity>,
    ) -> Self {
        let mut acl = Self {
            server,
            root: false,
            broken: BTreeSet::new(),
            rules: BTreeMap::new(),
        };
        for policy in policies {
            let policy = policy.into();
            // The server trims and folds names before it looks for `root` among them.
            acl.root |= policy.name.trim().eq_ignore_ascii_case("root");
            for (path, rule) in &policy.document.paths {
                let mut grant = Grant::new(&policy.name, rule);
                grant.limits.expirations.extend(policy.expiration.clone());
                acl.insert(&policy, path, grant, identity);
            }
        }
        acl
    }

    fn insert(
        &mut self,
        policy: &Policy<'_>,
        path: &str,
        grant: Grant,
        identity: Option<&Identity>,
    ) {
        let templates = match self.server {
            Server::OpenBao => policy.templates,
            Server::Vault => Templates::VAULT,
        };
        let place = |identity: Option<&Identity>| match expand(path, identity, templates)? {
            Expanded::Path { text, unknown } => {
                Ok::<_, String>(Some((Pattern::parse(&text)?, unknown)))
            }
            Expanded::Dropped => Ok(None),
        };
        let placed = place(identity).or_else(|why| {
            self.broken.insert(Broken {
                policy: policy.name.clone(),
                path: path.to_owned(),
                why,
                expiration: policy.expiration.clone(),
            });
            // What it comes to once the server takes it isn't known.
            place(Some(&Identity::default()))
        });
        let Ok(Some((pattern, unknown))) = placed else {
            return;
        };
        let templates = if unknown.is_empty() {
            Templates::default()
        } else {
            templates
        };
        let entry = self.rules.entry(pattern.text.clone()).or_insert(Entry {
            grant: Grant::default(),
            unknown,
            templates,
            pattern,
        });
        entry.templates = entry.templates.of_both(templates);
        entry.grant.merge(grant);
    }

    /// Whether the policy `root` is among the policies.
    pub fn is_root(&self) -> bool {
        self.root
    }

    /// Policies that break the token. Where there are any, nothing is allowed.
    pub fn broken(&self) -> impl Iterator<Item = &Broken> {
        self.broken.iter()
    }

    /// The policy for which every request is refused, one that stays before one that expires.
    pub(super) fn refusing(&self) -> Option<&Broken> {
        self.broken
            .iter()
            .filter(|_| !self.root)
            .min_by_key(|broken| broken.expiration.is_some())
    }

    /// What is allowed once the server takes every policy. What it refuses now isn't known then.
    pub(super) fn once_taken(&self) -> Self {
        Self {
            broken: BTreeSet::new(),
            ..self.clone()
        }
    }

    /// The rules by path, in force unless a policy is broken.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.rules.values()
    }

    /// What `sys/capabilities` answers: `root`, or the capabilities, or `deny` where there are
    /// none. Rules whose path isn't fully known are left out, and rules that expire count.
    ///
    /// The server answers for a LIST: at a path with a slash at the end it tells the rule
    /// without it where there is no other, which no request but LIST and SCAN is given.
    pub fn capabilities(&self, path: &str) -> BTreeSet<&'static str> {
        if self.root {
            return BTreeSet::from(["root"]);
        }
        let found: BTreeSet<_> = self
            .find(path, Lookup::Listing)
            .filter(|_| self.broken.is_empty())
            .map(|entry| entry.grant.capabilities.keys().copied().collect())
            .unwrap_or_default();
        if found.is_empty() {
            return BTreeSet::from(["deny"]);
        }
        found
    }

    /// The rule that decides.
    fn find(&self, path: &str, lookup: Lookup) -> Option<&Entry> {
        let path = path.trim_start_matches('/');
        let matching = |path: &str| -> Vec<&Entry> {
            let segments: Vec<&str> = path.split('/').collect();
            self.rules
                .values()
                .filter(|entry| entry.unknown.is_empty() && entry.pattern.matches(&segments))
                .collect()
        };
        let at = matching(path);
        match lookup {
            Lookup::Plain => foremost(&at),
            Lookup::Listing => {
                foremost_listing(&at, &matching(path.strip_suffix('/').unwrap_or(path)))
            }
        }
    }
}

/// The most specific of the rules that match a path.
fn foremost<'a>(at: &[&'a Entry]) -> Option<&'a Entry> {
    at.iter()
        .copied()
        .max_by(|a, b| a.pattern.rank().cmp(&b.pattern.rank()))
}

/// The rule that decides a LIST: `at` are those that match the path with its slash, `cut` those
/// that match it without. Exact ones come first, with the slash before without.
fn foremost_listing<'a>(at: &[&'a Entry], cut: &[&'a Entry]) -> Option<&'a Entry> {
    let exact = |all: &[&'a Entry]| all.iter().copied().find(|entry| entry.pattern.is_exact());
    exact(at)
        .or_else(|| exact(cut))
        .or_else(|| foremost(at))
        .or_else(|| foremost(cut))
}

#[cfg(test)]
mod administrative_tests;
#[cfg(test)]
mod beyond_tests;
#[cfg(test)]
mod can_tests;
#[cfg(test)]
mod decide_tests;
#[cfg(test)]
mod escalate_claim_tests;
#[cfg(test)]
mod escalate_database_tests;
#[cfg(test)]
mod escalate_identity_tests;
#[cfg(test)]
mod escalate_listed_tests;
#[cfg(test)]
mod escalate_login_tests;
#[cfg(test)]
mod escalate_method_tests;
#[cfg(test)]
mod escalate_mount_tests;
#[cfg(test)]
mod escalate_template_tests;
#[cfg(test)]
mod escalate_tests;
#[cfg(test)]
mod escalate_unknown_tests;
#[cfg(test)]
mod evaluate_tests;
#[cfg(test)]
mod expiration_tests;
#[cfg(test)]
mod grant_tests;
#[cfg(test)]
mod issued_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod logins_carried_tests;
#[cfg(test)]
mod logins_tests;
#[cfg(test)]
mod member_tests;
#[cfg(test)]
mod namespace_tests;
#[cfg(test)]
mod refused_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod uncertain_tests;
