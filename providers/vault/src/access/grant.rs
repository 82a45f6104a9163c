//! What one path gives, merged over policies, and whether it permits one request.
//!
//! In comes what each policy says of the path; out goes a [`Grant`]: capabilities with the
//! policies they come from, and limits. Merging is the server's: `deny` wins and leaves nothing
//! else; capabilities add up; a limit that one policy sets binds what the others give, too.
//! Values are compared as the server compares them, surprises included: a number in a policy
//! matches no request, since the server reads the two into different types; a `*` stands for
//! anything only beside other text.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::text::safe;

use super::Server;
use super::decide::{Dependency, Parameters, Refusal, Wrapping, ttl};
use crate::policy::{CAPABILITIES, Rule};

/// What a path gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Each capability with the policies that give it; `deny` stands alone.
    pub capabilities: BTreeMap<&'static str, BTreeSet<String>>,
    /// All policies that have the path.
    pub policies: BTreeSet<String>,
    /// The limits.
    pub limits: Limits,
}

/// The limits of a path's capabilities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Parameters that may be given; no values is any value. Empty is any parameter.
    pub allowed_parameters: BTreeMap<String, BTreeSet<Value>>,
    /// Parameters that may not be given; no values is any value.
    pub denied_parameters: BTreeMap<String, BTreeSet<Value>>,
    /// Parameters that must be given.
    pub required_parameters: BTreeSet<String>,
    /// The shortest TTL of a response-wrapping token, in seconds; 0 is any.
    pub min_wrapping_ttl: i64,
    /// The longest one; 0 is any.
    pub max_wrapping_ttl: i64,
    /// Multi-factor methods that must be passed; OpenBao asks for none.
    pub mfa_methods: BTreeSet<String>,
    /// The largest page of a LIST; 0 is any.
    pub pagination_limit: i64,
    /// Templates that filter the keys of a LIST. The first policy's counts, so with more than
    /// one the order of the token's policies decides.
    pub filters: BTreeSet<String>,
    /// Events that may be subscribed to, as each policy has them. With an empty set among them
    /// the order of the token's policies decides whether any may be.
    pub event_types: BTreeSet<BTreeSet<String>>,
    /// When policies' rules for this path stop counting.
    pub expirations: BTreeSet<String>,
}

impl Limits {
    /// The limits as a reader understands them, one sentence each.
    pub(super) fn told(&self, server: Server) -> BTreeSet<String> {
        let mut told = self.told_parameters();
        if self.has_wrapping() {
            let (min, max) = (self.min_wrapping_ttl, self.max_wrapping_ttl);
            told.insert(format!("the response wrapped {}", ttl(min, max)));
        }
        if server == Server::Vault && !self.mfa_methods.is_empty() {
            let all: Vec<String> = self.mfa_methods.iter().map(|name| safe(name)).collect();
            told.insert(format!("after multi-factor login by {}", all.join(", ")));
        }
        if self.pagination_limit > 0 {
            told.insert(format!("lists of at most {} keys", self.pagination_limit));
        }
        for filter in &self.filters {
            told.insert(format!("lists filtered by `{}`", safe(filter)));
        }
        for types in self.event_types.iter().filter(|types| !types.is_empty()) {
            let all: Vec<String> = types.iter().map(|name| safe(name)).collect();
            told.insert(format!("events {}", all.join(", ")));
        }
        for time in &self.expirations {
            told.insert(format!("until {}", safe(time)));
        }
        told
    }

    fn told_parameters(&self) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        let listed = |values: &BTreeSet<Value>| {
            let all: Vec<String> = values
                .iter()
                .map(|value| safe(&value.to_plain_json().to_string()))
                .collect();
            all.join(", ")
        };
        let with_values = |name: &str, values: &BTreeSet<Value>| {
            if values.is_empty() {
                format!("`{}`", safe(name))
            } else {
                format!("`{}` of {}", safe(name), listed(values))
            }
        };
        if self.allowed_parameters.contains_key("*") {
            // Any parameter may be given then; of those that are named, these values.
            for (name, values) in &self.allowed_parameters {
                if name != "*" && !values.is_empty() {
                    told.insert(format!("the parameter {}", with_values(name, values)));
                }
            }
        } else if !self.allowed_parameters.is_empty() {
            let all: Vec<String> = self
                .allowed_parameters
                .iter()
                .map(|(name, values)| with_values(name, values))
                .collect();
            told.insert(format!("only the parameters {}", all.join(" and ")));
        }
        if self.denied_parameters.contains_key("*") {
            told.insert("without parameters".to_owned());
        } else {
            for (name, values) in &self.denied_parameters {
                told.insert(format!(
                    "not with the parameter {}",
                    with_values(name, values)
                ));
            }
        }
        for name in &self.required_parameters {
            told.insert(format!("only with the parameter `{}`", safe(name)));
        }
        told
    }
}

impl Grant {
    pub(super) fn new(policy: &str, rule: &Rule) -> Self {
        let policies = BTreeSet::from([policy.to_owned()]);
        let denied = rule.capabilities.contains("deny");
        let capabilities = CAPABILITIES
            .iter()
            .filter(|name| rule.capabilities.contains(**name) && (!denied || **name == "deny"))
            .map(|name| (*name, policies.clone()))
            .collect();
        let mut limits = Limits {
            expirations: rule.expiration.iter().cloned().collect(),
            ..Limits::default()
        };
        if !denied {
            limits
                .allowed_parameters
                .clone_from(&rule.allowed_parameters);
            limits.denied_parameters.clone_from(&rule.denied_parameters);
            limits
                .required_parameters
                .clone_from(&rule.required_parameters);
            limits.min_wrapping_ttl = rule.min_wrapping_ttl;
            limits.max_wrapping_ttl = rule.max_wrapping_ttl;
            limits.mfa_methods.clone_from(&rule.mfa_methods);
            limits.pagination_limit = rule.pagination_limit.unwrap_or(0).max(0);
            limits.filters = rule
                .list_scan_response_keys_filter_path
                .iter()
                .filter(|filter| !filter.is_empty())
                .cloned()
                .collect();
            if rule.capabilities.contains("subscribe") {
                limits.event_types = BTreeSet::from([rule.subscribe_event_types.clone()]);
            }
        }
        Self {
            capabilities,
            policies,
            limits,
        }
    }

    /// Whether nothing is allowed, whatever else is said.
    pub fn denies(&self) -> bool {
        self.capabilities.contains_key("deny")
    }

    /// Whether the other gives the same under the same limits, from whichever policies.
    pub(super) fn same_effect(&self, other: &Self) -> bool {
        self.capabilities.keys().eq(other.capabilities.keys()) && self.limits == other.limits
    }

    pub(super) fn merge(&mut self, other: Self) {
        let denied = self.denies() || other.denies();
        self.policies.extend(other.policies);
        for (capability, policies) in other.capabilities {
            self.capabilities
                .entry(capability)
                .or_default()
                .extend(policies);
        }
        if denied {
            self.capabilities.retain(|name, _| *name == "deny");
            let mut expirations = std::mem::take(&mut self.limits.expirations);
            expirations.extend(other.limits.expirations);
            self.limits = Limits {
                expirations,
                ..Limits::default()
            };
        } else {
            self.limits.merge(other.limits);
        }
    }
}

impl Limits {
    fn merge(&mut self, other: Self) {
        merge_parameters(&mut self.allowed_parameters, other.allowed_parameters);
        merge_parameters(&mut self.denied_parameters, other.denied_parameters);
        self.required_parameters.extend(other.required_parameters);
        self.min_wrapping_ttl = lower(self.min_wrapping_ttl, other.min_wrapping_ttl);
        self.max_wrapping_ttl = lower(self.max_wrapping_ttl, other.max_wrapping_ttl);
        self.mfa_methods.extend(other.mfa_methods);
        self.pagination_limit = lower(self.pagination_limit, other.pagination_limit);
        self.filters.extend(other.filters);
        self.event_types.extend(other.event_types);
        self.expirations.extend(other.expirations);
    }

    /// Whether nothing is limited by them.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether parameters can make a difference.
    pub(super) fn has_parameters(&self) -> bool {
        self.restricts_allowed()
            || !self.denied_parameters.is_empty()
            || !self.required_parameters.is_empty()
    }

    /// Whether `allowed_parameters` leaves anything out: `*` alone allows all, with whatever
    /// values it is written.
    pub(super) fn restricts_allowed(&self) -> bool {
        self.allowed_parameters.keys().any(|name| name != "*")
    }

    /// Whether response wrapping makes a difference.
    pub(super) fn has_wrapping(&self) -> bool {
        self.min_wrapping_ttl > 0 || self.max_wrapping_ttl > 0
    }

    pub(super) fn check_wrapping(&self, wrapping: Wrapping) -> Result<Vec<Dependency>, Refusal> {
        if !self.has_wrapping() {
            return Ok(Vec::new());
        }
        let (min, max) = (self.min_wrapping_ttl, self.max_wrapping_ttl);
        // Two policies can set limits that nothing meets.
        let refused = Refusal::Wrapping { min, max };
        if max > 0 && max < min {
            return Err(refused);
        }
        match wrapping {
            Wrapping::Unknown => Ok(vec![Dependency::Wrapping { min, max }]),
            Wrapping::Seconds(ttl) if ttl >= min && (max == 0 || ttl <= max) => Ok(Vec::new()),
            Wrapping::Seconds(_) | Wrapping::None => Err(refused),
        }
    }

    pub(super) fn check_parameters(
        &self,
        given: &Parameters,
        server: Server,
    ) -> Result<Vec<Dependency>, Refusal> {
        if !self.has_parameters() {
            return Ok(Vec::new());
        }
        let Parameters::Known(given) = given else {
            return Ok(vec![Dependency::Parameters]);
        };
        // The server looks for the name in lower case, and takes no other spelling.
        if let Some(missing) = self
            .required_parameters
            .iter()
            .find(|name| !given.contains_key(*name))
        {
            return Err(Refusal::ParameterMissing(missing.clone()));
        }
        let mut depends = BTreeSet::new();
        for (name, value) in given {
            let key = name.to_lowercase();
            let refused = || Refusal::Parameter(name.clone());
            if self.denied_parameters.contains_key("*") {
                return Err(refused());
            }
            let denied = self.denied_parameters.get(&key);
            match denied.map_or(Some(false), |list| is_denied(value, list, server)) {
                Some(true) => return Err(refused()),
                Some(false) => {}
                None => {
                    depends.insert(name.clone());
                }
            }
            if !self.restricts_allowed() {
                continue;
            }
            let allowed = match self.allowed_parameters.get(&key) {
                Some(list) => is_allowed(value, list, server),
                None => Some(self.allowed_parameters.contains_key("*")),
            };
            match allowed {
                Some(true) => {}
                Some(false) => return Err(refused()),
                None => {
                    depends.insert(name.clone());
                }
            }
        }
        Ok(depends.into_iter().map(Dependency::Parameter).collect())
    }

    /// The limit of a page, for LIST and SCAN, which no other parameter concerns.
    pub(super) fn check_page(&self, given: &Parameters) -> Result<Vec<Dependency>, Refusal> {
        if self.pagination_limit == 0 {
            return Ok(Vec::new());
        }
        let refused = || Refusal::Page(self.pagination_limit);
        let Parameters::Known(given) = given else {
            return Ok(vec![Dependency::Parameters]);
        };
        let allowed = match given.get("limit") {
            None => !self.required_parameters.contains("limit"),
            Some(Value::String(text)) if text == "max" => true,
            Some(Value::String(text)) => text.parse().is_ok_and(|n| self.is_page(n)),
            Some(Value::Number(n)) => n.as_i64().is_some_and(|n| self.is_page(n)),
            Some(Value::Pending(_) | Value::Secret(_)) => {
                return Ok(vec![Dependency::Parameter("limit".to_owned())]);
            }
            Some(_) => false,
        };
        if allowed {
            Ok(Vec::new())
        } else {
            Err(refused())
        }
    }

    fn is_page(&self, limit: i64) -> bool {
        (0..=self.pagination_limit).contains(&limit)
    }
}

/// The lower of two limits, of which 0 is none.
fn lower(a: i64, b: i64) -> i64 {
    match (a, b) {
        (0, limit) | (limit, 0) => limit,
        (a, b) => a.min(b),
    }
}

/// Adds up lists of values; one without values stays without, since it means all of them.
fn merge_parameters(
    into: &mut BTreeMap<String, BTreeSet<Value>>,
    more: BTreeMap<String, BTreeSet<Value>>,
) {
    for (name, values) in more {
        match into.get_mut(&name) {
            Some(known) if known.is_empty() || values.is_empty() => known.clear(),
            Some(known) => known.extend(values),
            None => {
                into.insert(name, values);
            }
        }
    }
}

/// Whether a value is in a list of allowed values; `None` where the value isn't known.
fn is_allowed(value: &Value, list: &BTreeSet<Value>, server: Server) -> Option<bool> {
    if list.is_empty() || is_listed(value, list)? {
        return Some(true);
    }
    match elements(value, server) {
        Some(elements) => every(elements.iter().map(|element| is_listed(element, list))),
        None => Some(false),
    }
}

/// Whether a value is in a list of denied values; `None` where the value isn't known.
fn is_denied(value: &Value, list: &BTreeSet<Value>, server: Server) -> Option<bool> {
    if list.is_empty() || is_listed(value, list)? {
        return Some(true);
    }
    let elements = elements(value, server).unwrap_or_default();
    let free = every(
        elements
            .iter()
            .map(|element| is_listed(element, list).map(|listed| !listed)),
    )?;
    Some(!free)
}

/// Whether all are; `None` where one isn't known before one is false.
fn every(mut all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all.try_fold(true, |so_far, one| match one {
        Some(true) => Ok(so_far),
        other => Err(other),
    })
    .map_or_else(|stopped| stopped, Some)
}

/// The single values that Vault compares one by one where the whole isn't listed: those of a
/// list, and those of a text at its commas. OpenBao compares the whole alone.
fn elements(value: &Value, server: Server) -> Option<Vec<Value>> {
    match (server, value) {
        (Server::Vault, Value::List(all)) => Some(all.clone()),
        (Server::Vault, Value::Set(all)) => Some(all.iter().cloned().collect()),
        (Server::Vault, Value::String(text)) => Some(
            text.split(',')
                .map(|part| Value::string(part.trim()))
                .collect(),
        ),
        _ => None,
    }
}

fn is_listed(value: &Value, list: &BTreeSet<Value>) -> Option<bool> {
    if matches!(value, Value::Pending(_) | Value::Secret(_)) {
        return None;
    }
    Some(list.iter().any(|item| same(item, value)))
}

/// Whether a request's value is what a policy's value stands for.
pub(super) fn same(item: &Value, value: &Value) -> bool {
    match (item, value) {
        (Value::String(item), Value::String(value)) => globbed(item, value),
        (Value::Bool(item), Value::Bool(value)) => item == value,
        _ => false,
    }
}

/// A `*` at the beginning or the end stands for any text, if there is anything beside it.
fn globbed(item: &str, value: &str) -> bool {
    Glob::new(item).matches(value)
}

/// What a text in a list of values stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glob<'a> {
    Exactly(&'a str),
    Begins(&'a str),
    Ends(&'a str),
    Holds(&'a str),
}

impl<'a> Glob<'a> {
    pub(super) fn new(item: &'a str) -> Self {
        if item.len() < 2 {
            return Self::Exactly(item);
        }
        match (item.strip_prefix('*'), item.strip_suffix('*')) {
            (Some(rest), Some(_)) => Self::Holds(rest.strip_suffix('*').unwrap_or(rest)),
            (Some(rest), None) => Self::Ends(rest),
            (None, Some(rest)) => Self::Begins(rest),
            (None, None) => Self::Exactly(item),
        }
    }

    pub(super) fn matches(self, value: &str) -> bool {
        match self {
            Self::Exactly(text) => value == text,
            Self::Begins(text) => value.starts_with(text),
            Self::Ends(text) => value.ends_with(text),
            Self::Holds(text) => value.contains(text),
        }
    }

    /// Whether every value that the other stands for is one of these.
    pub(super) fn covers(self, other: Self) -> bool {
        match (self, other) {
            (_, Self::Exactly(text)) => self.matches(text),
            (Self::Begins(a), Self::Begins(b)) => b.starts_with(a),
            (Self::Ends(a), Self::Ends(b)) => b.ends_with(a),
            (Self::Holds(a), Self::Begins(b) | Self::Ends(b) | Self::Holds(b)) => b.contains(a),
            // All text, written as the beginning of nothing.
            _ => false,
        }
    }
}
