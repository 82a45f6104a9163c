//! Whether one request would be allowed, by which rule and policies, or what it depends on.
//!
//! In comes an operation on a path, with its parameters as far as they are known; out goes a
//! [`Verdict`]. A request that isn't fully known, a rule whose path isn't, and a rule that
//! expires make it depend, and it says on what. Endpoints that need no token are allowed by the
//! server whatever this says; those of plugins that ask for `sudo` (`pki/root`) can't be told by
//! their path and aren't held to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use remit_sdk::Value;
use remit_sdk::text::safe;

use super::grant::{Grant, Limits};
use super::{Acl, Broken, Entry, Lookup, Server, fold, uncertain};

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A write where there is nothing yet, if the endpoint tells that apart.
    Create,
    /// GET.
    Read,
    /// Any other write; renewing and revoking too.
    Update,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// LIST.
    List,
    /// SCAN (OpenBao).
    Scan,
    /// RECOVER (Vault).
    Recover,
    /// Subscribing to events (Vault).
    Subscribe,
}

impl Operation {
    /// The capability it takes.
    pub fn capability(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Scan => "scan",
            Self::Recover => "recover",
            Self::Subscribe => "subscribe",
        }
    }

    /// The one that takes this capability; `sudo` and `deny` are none's alone.
    pub(super) fn that_takes(capability: &str) -> Option<Self> {
        [
            Self::Create,
            Self::Read,
            Self::Update,
            Self::Patch,
            Self::Delete,
            Self::List,
            Self::Scan,
            Self::Recover,
            Self::Subscribe,
        ]
        .into_iter()
        .find(|operation| operation.capability() == capability)
    }

    fn lists(self) -> bool {
        matches!(self, Self::List | Self::Scan)
    }
}

/// A request's parameters: the fields of its body, or of its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// These.
    Known(BTreeMap<String, Value>),
    /// Any.
    Unknown,
}

/// The response wrapping a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// None.
    None,
    /// A token of this TTL, in seconds.
    Seconds(i64),
    /// Any, or none.
    Unknown,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What it does.
    pub operation: Operation,
    /// Where, relative to the token's namespace, without `/v1/`.
    pub path: &'a str,
    /// Its parameters.
    pub parameters: Parameters,
    /// Its response wrapping.
    pub wrapping: Wrapping,
}

impl<'a> Request<'a> {
    /// A request of which no more is known.
    pub fn new(operation: Operation, path: &'a str) -> Self {
        Self {
            operation,
            path,
            parameters: Parameters::Unknown,
            wrapping: Wrapping::Unknown,
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is allowed.
    Allowed {
        /// The path of the rule.
        rule: String,
        /// The policies that give the capability there.
        by: BTreeSet<String>,
    },
    /// It is denied.
    Denied {
        /// The path of the rule; `None` where no rule matches.
        rule: Option<String>,
        /// The policies that have the rule.
        by: BTreeSet<String>,
        /// Why.
        why: Refusal,
    },
    /// It may be either.
    Depends {
        /// What it depends on.
        on: Vec<Dependency>,
        /// The paths of the rules that may decide.
        rules: BTreeSet<String>,
        /// The policies that have them.
        by: BTreeSet<String>,
    },
}

/// Why a request is denied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// No rule matches the path.
    NoRule,
    /// The rule says `deny`.
    Deny,
    /// The rule doesn't give this capability.
    NotGiven(&'static str),
    /// The path takes `sudo` as well, and the rule doesn't give it.
    Sudo,
    /// A required parameter isn't there.
    ParameterMissing(String),
    /// A parameter isn't allowed, or not with this value.
    Parameter(String),
    /// The response must be wrapped, with a TTL between these seconds; 0 is no limit.
    Wrapping {
        /// The shortest.
        min: i64,
        /// The longest.
        max: i64,
    },
    /// A page may hold this many keys.
    Page(i64),
    /// A policy that makes the server deny everything.
    Broken(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule => f.write_str("no rule matches the path"),
            Self::Deny => f.write_str("the rule says `deny`"),
            Self::NotGiven(capability) => write!(f, "the rule doesn't give `{capability}`"),
            Self::Sudo => f.write_str("the path takes `sudo`, and the rule doesn't give it"),
            Self::ParameterMissing(name) => {
                write!(f, "the rule requires the parameter `{}`", safe(name))
            }
            Self::Parameter(name) => write!(
                f,
                "the rule doesn't allow the parameter `{}`, or not with this value",
                safe(name)
            ),
            Self::Wrapping { min, max } => {
                write!(
                    f,
                    "the rule wants the response wrapped, {}",
                    ttl(*min, *max)
                )
            }
            Self::Page(limit) => write!(f, "the rule allows pages of at most {limit} keys"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

/// What a verdict depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// Which parameters are given, with which values.
    Parameters,
    /// The value of this parameter.
    Parameter(String),
    /// The response wrapping: a TTL between these seconds; 0 is no limit.
    Wrapping {
        /// The shortest.
        min: i64,
        /// The longest.
        max: i64,
    },
    /// Whether these multi-factor methods are passed.
    Mfa(BTreeSet<String>),
    /// The value of a template's directive.
    Template(String),
    /// Whether it is before this time.
    Expiration(String),
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameters => f.write_str("the parameters of the request"),
            Self::Parameter(name) => write!(f, "the value of the parameter `{}`", safe(name)),
            Self::Wrapping { min, max } => {
                write!(f, "whether the response is wrapped, {}", ttl(*min, *max))
            }
            Self::Mfa(methods) => {
                let methods: Vec<_> = methods.iter().map(|name| safe(name)).collect();
                write!(f, "multi-factor login by {}", methods.join(", "))
            }
            Self::Template(directive) => write!(f, "the value of `{}`", safe(directive)),
            Self::Expiration(time) => write!(f, "the time: the rule counts until {}", safe(time)),
        }
    }
}

/// A TTL between two limits, of which 0 is none.
pub(super) fn ttl(min: i64, max: i64) -> String {
    match (min, max) {
        (min, 0) => format!("for {min} seconds or more"),
        (0, max) => format!("for at most {max} seconds"),
        (min, max) if max < min => {
            format!("for {min} seconds or more and at most {max}, which nothing meets")
        }
        (min, max) => format!("for {min} to {max} seconds"),
    }
}

/// Endpoints that take `sudo` too, `*` at the end for everything below: the system backend's and
/// the token store's own lists (`PathsSpecial.Root` in `logical_system.go` and `token_store.go`),
/// Vault's included. `auth/token/create` takes it for some parameters only and isn't here.
const ROOT_PROTECTED: &[&str] = &[
    "auth/token/accessors*",
    "auth/token/revoke-orphan*",
    "sys/audit",
    "sys/audit/*",
    "sys/auth/*",
    "sys/config/auditing/*",
    "sys/config/cors",
    "sys/config/ui/headers/*",
    "sys/internal/inspect/*",
    "sys/leases",
    "sys/leases/lookup/*",
    "sys/leases/revoke-force/*",
    "sys/leases/revoke-prefix/*",
    "sys/plugins/catalog/*",
    "sys/raw",
    "sys/raw/*",
    "sys/remount",
    "sys/replication/*",
    "sys/revoke-force/*",
    "sys/revoke-prefix/*",
    "sys/rotate",
    "sys/rotate/keyring",
    "sys/rotate/root",
    "sys/seal",
    "sys/step-down",
    "sys/storage/raft/snapshot-auto/config/*",
];

pub(super) fn takes_sudo(path: &str) -> bool {
    ROOT_PROTECTED.iter().any(|protected| {
        protected
            .strip_suffix('*')
            .map_or(path == *protected, |begin| path.starts_with(begin))
    })
}

impl Acl {
    /// Whether a request would be allowed. The path of a LIST or SCAN gets the slash at its end
    /// that the server gives it, and the name of a policy the case.
    pub fn decide(&self, request: &Request<'_>) -> Verdict {
        if self.root {
            return Verdict::Allowed {
                rule: "*".to_owned(),
                by: BTreeSet::from(["root".to_owned()]),
            };
        }
        match self.refusing() {
            Some(broken) => self.refused(broken, request),
            None => self.by_rules(request),
        }
    }

    /// The verdict where a policy is broken: every request is denied until the server removes it.
    fn refused(&self, broken: &Broken, request: &Request<'_>) -> Verdict {
        let denied = Verdict::Denied {
            rule: Some(broken.path.clone()),
            by: BTreeSet::from([broken.policy.clone()]),
            why: Refusal::Broken(broken.why.clone()),
        };
        if broken.expiration.is_none() {
            return denied;
        }
        let (mut on, mut rules, mut by) = match self.by_rules(request) {
            Verdict::Denied { .. } => return denied,
            Verdict::Allowed { rule, by } => (Vec::new(), BTreeSet::from([rule]), by),
            Verdict::Depends { on, rules, by } => (on, rules, by),
        };
        for broken in &self.broken {
            on.extend(broken.expiration.clone().map(Dependency::Expiration));
            rules.insert(broken.path.clone());
            by.insert(broken.policy.clone());
        }
        on.sort();
        on.dedup();
        Verdict::Depends { on, rules, by }
    }

    /// The verdict of the rules, whatever else is broken.
    fn by_rules(&self, request: &Request<'_>) -> Verdict {
        let path = request.path.trim_start_matches('/');
        let mut path = match self.server {
            Server::OpenBao => fold::policies(path).into_owned(),
            Server::Vault => path.to_owned(),
        };
        let lookup = if request.operation.lists() {
            if !path.ends_with('/') {
                path.push('/');
            }
            Lookup::Listing
        } else {
            Lookup::Plain
        };
        let found = self.find(&path, lookup);
        let verdict = self.by_rule(found, request, &path);
        let perhaps: Vec<&Entry> = self
            .rules
            .values()
            .filter(|entry| uncertain::may_match(entry, &path))
            .collect();
        self.with_unknown(verdict, &perhaps, request, &path)
    }

    /// The verdict, with the rules taken into account that may match once their path is known.
    fn with_unknown(
        &self,
        verdict: Verdict,
        perhaps: &[&Entry],
        request: &Request<'_>,
        path: &str,
    ) -> Verdict {
        // A rule of the same path may be merged with it, so it must be free of limits as well.
        let free = |entry: &Entry| entry.grant.limits.is_none();
        let changes_nothing = match &verdict {
            Verdict::Allowed { rule, .. } => {
                self.rules.get(rule).is_some_and(free)
                    && perhaps.iter().all(|entry| {
                        free(entry)
                            && matches!(
                                self.by_rule(Some(entry), request, path),
                                Verdict::Allowed { .. }
                            )
                    })
            }
            Verdict::Denied { why, .. } => {
                // Merged with the rule that denies, `sudo` or other limits can make up for it.
                let by_limits = !matches!(
                    why,
                    Refusal::NoRule | Refusal::Deny | Refusal::NotGiven(_) | Refusal::Sudo
                );
                let makes_up = |entry: &Entry| {
                    let gives = |name| entry.grant.capabilities.contains_key(name);
                    gives(request.operation.capability())
                        || (*why == Refusal::Sudo && gives("sudo"))
                        || (by_limits && !free(entry))
                };
                !perhaps.iter().any(|entry| makes_up(entry))
            }
            Verdict::Depends { .. } => perhaps.is_empty(),
        };
        if perhaps.is_empty() || changes_nothing {
            return verdict;
        }
        let (mut on, mut rules, mut by) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        match verdict {
            Verdict::Allowed { rule, by: policies } => {
                rules.insert(rule);
                by.extend(policies);
            }
            Verdict::Denied {
                rule, by: policies, ..
            } => {
                rules.extend(rule);
                by.extend(policies);
            }
            Verdict::Depends {
                on: known,
                rules: paths,
                by: policies,
            } => {
                on = known;
                rules = paths;
                by = policies;
            }
        }
        for entry in perhaps {
            on.extend(entry.unknown.iter().cloned().map(Dependency::Template));
            rules.insert(entry.path().to_owned());
            by.extend(entry.grant.policies.iter().cloned());
        }
        on.sort();
        on.dedup();
        Verdict::Depends { on, rules, by }
    }

    /// The verdict if this rule is the one that decides.
    fn by_rule(&self, found: Option<&Entry>, request: &Request<'_>, path: &str) -> Verdict {
        let Some(entry) = found else {
            return Verdict::Denied {
                rule: None,
                by: BTreeSet::new(),
                why: Refusal::NoRule,
            };
        };
        let rule = entry.path().to_owned();
        let mut by = entry.grant.policies.clone();
        let mut on: Vec<Dependency> = entry
            .grant
            .limits
            .expirations
            .iter()
            .cloned()
            .map(Dependency::Expiration)
            .collect();
        match self.by_grant(&entry.grant, request, path) {
            Ok(more) => on.extend(more),
            Err(why) if on.is_empty() => {
                return Verdict::Denied {
                    rule: Some(rule),
                    by,
                    why,
                };
            }
            // Once the rule has expired another may allow it.
            Err(_) => {}
        }
        if on.is_empty() {
            if let Some(policies) = entry.grant.capabilities.get(request.operation.capability()) {
                by.clone_from(policies);
            }
            return Verdict::Allowed { rule, by };
        }
        Verdict::Depends {
            on,
            rules: BTreeSet::from([rule]),
            by,
        }
    }

    fn by_grant(
        &self,
        grant: &Grant,
        request: &Request<'_>,
        path: &str,
    ) -> Result<Vec<Dependency>, Refusal> {
        let capability = request.operation.capability();
        if grant.denies() {
            return Err(Refusal::Deny);
        }
        if !grant.capabilities.contains_key(capability) {
            return Err(Refusal::NotGiven(capability));
        }
        if takes_sudo(path) && !grant.capabilities.contains_key("sudo") {
            return Err(Refusal::Sudo);
        }
        self.by_limits(&grant.limits, request)
    }

    pub(super) fn by_limits(
        &self,
        limits: &Limits,
        request: &Request<'_>,
    ) -> Result<Vec<Dependency>, Refusal> {
        let mut on = limits.check_wrapping(request.wrapping)?;
        on.extend(match request.operation {
            Operation::Create
            | Operation::Read
            | Operation::Update
            | Operation::Patch
            | Operation::Recover => limits.check_parameters(&request.parameters, self.server)?,
            Operation::List | Operation::Scan => limits.check_page(&request.parameters)?,
            Operation::Delete | Operation::Subscribe => Vec::new(),
        });
        if self.server == Server::Vault && !limits.mfa_methods.is_empty() {
            on.push(Dependency::Mfa(limits.mfa_methods.clone()));
        }
        Ok(on)
    }
}
