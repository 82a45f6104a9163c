//! Trying requests against a subject's policies, as somebody would who wants them to add up.
//!
//! In: paths and bodies that a way takes. Out: the permission that lets each through, and what
//! that depends on. What somebody can choose is chosen: parameters that a rule requires are sent,
//! a response is wrapped if a rule wants that, and names are those that rules have or leave open.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::access::{Escalation, Gain, Permission};
use remit_sdk::text::safe;

use super::super::decide::{
    Operation, Parameters, Refusal, Request, Verdict, Wrapping, takes_sudo,
};
use super::super::evaluate::Holding;
use super::super::grant::{Glob, Limits};
use super::super::pattern::{Pattern, Segment};
use super::super::{Entry, Lookup, Server};

/// A name that nothing has, for paths that name something new, and for values of which any will
/// do.
pub(super) const NEW: &str = "remit-probe-0";

/// What stands for any object of others, where an id is needed and none is known.
pub(super) const SOME: &str = "00000000-0000-0000-0000-000000000000";

/// A value that matters and isn't known: whom a mount is to believe, one's own id. A rule that
/// lists the values of such a parameter is taken to stand in the way.
pub(super) const ANY: &str = "…";

/// Policies that one doesn't hold. Where a rule lists the values, those among them that aren't held
/// are what is gained.
pub(super) const MORE: &str = "… and more";

/// Another entity, in the same way.
pub(super) const OTHER: &str = "… of others";

/// What the requests of ways take; reading comes only after one of them.
const WRITES: [&str; 3] = ["create", "update", "patch"];

/// How many required parameters a request is filled up with; more than a rule has.
const REQUIRED_MAX: usize = 64;

/// What a request must be able to say for a way to work, parameter by parameter; every other
/// parameter may be left out.
pub(super) type Body<'b> = &'b [(&'b str, &'b str)];

/// What a request is let through by, and what that depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    by: BTreeSet<Permission>,
    depends: BTreeSet<String>,
    /// All that it gives, as rules list it; with nothing it gives any policy, or any entity.
    listed: BTreeSet<String>,
}

impl Step {
    /// This, and the other after it.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.by.extend(other.by);
        self.depends.extend(other.depends);
        self.listed.extend(other.listed);
        self
    }

    /// Whether no rule lists what it gives.
    pub(super) fn gives_any(&self) -> bool {
        self.listed.is_empty()
    }

    /// This, where something else holds as well.
    pub(super) fn given(mut self, what: impl Into<String>) -> Self {
        self.depends.insert(what.into());
        self
    }
}

/// The surest of several ways, but first one that gives anything; the first of those that are as
/// sure.
pub(super) fn surest(ways: impl IntoIterator<Item = Option<Step>>) -> Option<Step> {
    ways.into_iter()
        .flatten()
        .min_by_key(|step| (!step.gives_any(), step.depends.len()))
}

pub(super) struct Search<'a> {
    pub(super) holding: &'a Holding<'a>,
    /// The subject's own id, if it is known.
    own_id: &'a str,
    /// The namespace in which all paths are, as rules have it; `None` is the token's own.
    namespace: Option<&'a str>,
    /// The surest way for each method and gain.
    found: BTreeMap<(&'static str, Gain), Escalation>,
}

impl<'a> Search<'a> {
    pub(super) fn new(holding: &'a Holding<'a>, own_id: &'a str) -> Self {
        Self {
            holding,
            own_id,
            namespace: None,
            found: BTreeMap::new(),
        }
    }

    /// All that follows is tried in a namespace.
    pub(super) fn go_to(&mut self, namespace: &'a str) {
        self.namespace = Some(namespace);
    }

    pub(super) fn in_namespace(&self) -> bool {
        self.namespace.is_some()
    }

    /// The path as the token's own namespace has it. Where a rule leaves the namespace open, it is
    /// one that no rule names.
    fn full(&self, path: &str) -> String {
        self.namespace.map_or_else(
            || path.to_owned(),
            |namespace| format!("{}/{path}", any_named(namespace)),
        )
    }

    /// The segments of a rule's path in the namespace in which all paths are.
    pub(super) fn segments<'e>(&self, entry: &'e Entry) -> Option<&'e [Segment]> {
        let mut segments = entry.pattern.segments.as_slice();
        let names = self.namespace.map(any_named);
        for name in names.iter().flat_map(|names| names.split('/')) {
            let (first, rest) = segments.split_first()?;
            if !first.matches(name) {
                return None;
            }
            segments = rest;
        }
        Some(segments)
    }

    /// What is gained, where that is in a namespace.
    fn placed(&self, gain: Gain) -> Gain {
        let Some(namespace) = self.namespace else {
            return gain;
        };
        let place = format!("the namespace {}", safe(namespace));
        Gain::Foreign(match gain {
            Gain::Everything => format!("administrators of {place}"),
            Gain::Subject(_, name) | Gain::Foreign(name) => format!("{name} in {place}"),
        })
    }

    pub(super) fn into_found(self) -> Vec<Escalation> {
        self.found.into_values().collect()
    }

    pub(super) fn has(&self, method: &'static str, gain: &Gain) -> bool {
        self.found
            .contains_key(&(method, self.placed(gain.clone())))
    }

    /// Keeps a way that works, unless one as sure is known.
    pub(super) fn keep(&mut self, method: &'static str, gain: Gain, how: &str, way: Option<Step>) {
        let Some(mut step) = way else { return };
        let mut how = how.to_owned();
        let gain = if step.gives_any() {
            gain
        } else {
            how.push_str(", of those that the rule lists");
            let all: Vec<String> = step.listed.iter().map(|what| safe(what)).collect();
            Gain::Foreign(all.join(" and "))
        };
        let gain = self.placed(gain);
        if let Some(namespace) = self.namespace {
            let namespace = safe(namespace);
            how = format!("{how}, in the namespace `{namespace}`");
            step = step.given(format!("`{namespace}` being a namespace"));
        }
        let key = (method, gain.clone());
        let better = self
            .found
            .get(&key)
            .is_none_or(|found| step.depends.len() < found.depends.len());
        if better {
            let escalation = Escalation {
                method: method.to_owned(),
                how,
                gain,
                by: step.by,
                depends: step.depends.into_iter().collect(),
            };
            self.found.insert(key, escalation);
        }
    }

    /// One request, with the surest of several bodies.
    pub(super) fn request(
        &self,
        operation: Operation,
        path: &str,
        bodies: &[Body<'_>],
    ) -> Option<Step> {
        surest(bodies.iter().map(|body| self.sent(operation, path, body)))
    }

    /// A write that the server takes for an update, whether there is something or not.
    pub(super) fn update(&self, path: &str, bodies: &[Body<'_>]) -> Option<Step> {
        self.request(Operation::Update, path, bodies)
    }

    /// A write of something that may be there or not: the server takes it for a create if it
    /// isn't, and for an update if it is.
    pub(super) fn write(&self, path: &str, bodies: &[Body<'_>]) -> Option<Step> {
        let create = self.request(Operation::Create, path, bodies);
        // A name that the rule leaves open can be one that nothing has.
        if create.is_some() && path.contains(NEW) {
            return create;
        }
        let path_there = self
            .namespace
            .map_or_else(String::new, |one| format!("{one}/"));
        let path_there = format!("{path_there}{path}");
        let shown = safe(&path_there);
        match (create, self.request(Operation::Update, path, bodies)) {
            (Some(create), Some(update)) => Some(create.then(update)),
            (Some(create), None) => Some(create.given(format!("`{shown}` not being there yet"))),
            (None, Some(update)) if path.contains(NEW) => Some(update.given(format!(
                "`{}` being there already under some name",
                safe(&path_there.replace(NEW, "…"))
            ))),
            (None, Some(update)) => Some(update.given(format!("`{shown}` being there already"))),
            (None, None) => None,
        }
    }

    fn sent(&self, operation: Operation, path: &str, body: Body<'_>) -> Option<Step> {
        // In another namespace the server asks for `sudo` as it does in its own.
        if self.in_namespace() && takes_sudo(path) && !self.has_sudo(path) {
            return None;
        }
        let path = &self.full(path);
        let limits = self.holding.acl.find(path, Lookup::Plain);
        let limits = limits.map(|entry| &entry.grant.limits);
        let is_gain = |value: &str| [MORE, OTHER].contains(&value);
        let gain = body.iter().find(|(_, value)| is_gain(value));
        let listed = gain.and_then(|(name, _)| limits?.allowed_parameters.get(*name));
        let (Some(&(_, gain)), Some(listed)) = (gain, listed.filter(|listed| !listed.is_empty()))
        else {
            return self.sent_with(operation, path, body, limits);
        };
        // Each of them by itself, since the server compares the whole.
        let ways = listed.iter().filter_map(Value::as_str).filter_map(|value| {
            let gained = self.gained(gain, value);
            if gained.is_empty() {
                return None;
            }
            let body: Vec<(&str, &str)> = body
                .iter()
                .map(|(name, old)| (*name, if is_gain(old) { value } else { *old }))
                .collect();
            let mut way = self.sent_with(operation, path, &body, limits)?;
            // A `*` takes any text, and what follows a comma in that is another policy.
            let is_any = gain == MORE && !matches!(Glob::new(value), Glob::Exactly(_));
            way.listed = if is_any { BTreeSet::new() } else { gained };
            Some(way)
        });
        let ways: Vec<Step> = ways.collect();
        // One that gives any policy needs no other.
        let any = ways.iter().find(|way| way.gives_any()).cloned();
        any.or_else(|| ways.into_iter().reduce(Step::then))
    }

    /// What of a value isn't had yet. What is in another namespace is another.
    fn gained(&self, gain: &str, value: &str) -> BTreeSet<String> {
        if gain == OTHER {
            let other = Some(value).filter(|id| *id != self.own_id);
            return other
                .map(|id| format!("the entity {id}"))
                .into_iter()
                .collect();
        }
        let names = value.split(',').map(str::trim);
        names
            .filter(|name| {
                let held = self.holding.policies.contains(&name.to_lowercase());
                // By itself `*` stands for itself, which no policy is called.
                !name.is_empty() && *name != "*" && (self.in_namespace() || !held)
            })
            .map(|name| format!("the policy {name}"))
            .collect()
    }

    fn sent_with(
        &self,
        operation: Operation,
        path: &str,
        body: Body<'_>,
        limits: Option<&Limits>,
    ) -> Option<Step> {
        let acl = &self.holding.acl;
        let mut parameters: BTreeMap<String, Value> = body
            .iter()
            .map(|(name, value)| {
                let listed = limits
                    .filter(|_| *value == NEW)
                    .and_then(|limits| a_value(limits, name));
                let sent = listed.unwrap_or_else(|| literal(limits, name, value));
                ((*name).to_owned(), sent)
            })
            .collect();
        // Whoever wraps a response can unwrap it: as short as the rule takes it, where it asks.
        let shortest = limits.map_or(0, |limits| limits.min_wrapping_ttl);
        let wrapping = Wrapping::Seconds(shortest.max(1));
        for _ in 0..REQUIRED_MAX {
            let verdict = acl.decide(&Request {
                operation,
                path,
                parameters: Parameters::Known(parameters.clone()),
                wrapping,
            });
            let (rules, by, depends) = match verdict {
                Verdict::Allowed { rule, by } => (BTreeSet::from([rule]), by, BTreeSet::new()),
                Verdict::Depends { on, rules, by } => {
                    (rules, by, on.iter().map(ToString::to_string).collect())
                }
                Verdict::Denied {
                    why: Refusal::ParameterMissing(name),
                    ..
                } => {
                    let value = limits
                        .and_then(|limits| a_value(limits, &name))
                        .unwrap_or_else(|| Value::string(NEW));
                    parameters.insert(name, value);
                    continue;
                }
                Verdict::Denied { .. } => return None,
            };
            let permission = Permission {
                actions: [operation.capability().to_owned()].into(),
                resources: rules,
                conditions: BTreeSet::new(),
                sources: self.holding.sources(by.iter()),
            };
            return Some(Step {
                by: [permission].into(),
                depends,
                listed: BTreeSet::new(),
            });
        }
        None
    }

    /// Whether `sudo` is given at a path that does more with it.
    pub(super) fn has_sudo(&self, path: &str) -> bool {
        let path = self.full(path);
        self.holding.acl.capabilities(&path).contains("sudo")
    }

    pub(super) fn is_openbao(&self) -> bool {
        self.holding.acl.server == Server::OpenBao
    }

    /// Whether a rule may let anything be written below these segments, but for what is all
    /// below `apart`.
    pub(super) fn writes_below(&self, place: &[&str], apart: Option<&str>) -> bool {
        let place = self.full(&place.join("/"));
        let place: Vec<&str> = place.split('/').collect();
        self.holding
            .acl
            .entries()
            .filter(|entry| {
                WRITES
                    .iter()
                    .any(|name| entry.grant.capabilities.contains_key(name))
            })
            .any(|entry| reaches(entry, &place, apart))
    }

    /// Paths below a tree, however deep, that rules have or leave open.
    pub(super) fn paths_below(&self, tree: &str) -> BTreeSet<String> {
        let within = format!("{tree}/");
        let names = self.names(&format!("{within}{{}}"), NEW);
        let deeper = self
            .holding
            .acl
            .entries()
            .filter(|entry| !entry.grant.denies() && entry.path().starts_with(&within))
            .map(|entry| entry.path().replace(['*', '+'], NEW));
        names
            .iter()
            .map(|name| format!("{within}{name}"))
            .chain(deeper)
            .collect()
    }

    /// The names that rules have in the place of `{}` in `template`, and `open` where they leave
    /// it open.
    pub(super) fn names(&self, template: &str, open: &str) -> BTreeSet<String> {
        let template = self.full(template);
        self.holding
            .acl
            .entries()
            .filter(|entry| !entry.grant.denies())
            .filter_map(|entry| name_in(entry, &template, open))
            .collect()
    }
}

/// A namespace with a name in the place of each `+`.
fn any_named(namespace: &str) -> String {
    let names = namespace.split('/');
    let names = names.map(|name| if name == "+" { NEW } else { name });
    names.collect::<Vec<_>>().join("/")
}

/// Whether a rule's path may be below these segments, and not only below `apart` there.
fn reaches(entry: &Entry, place: &[&str], apart: Option<&str>) -> bool {
    // A template's value may bring segments of its own.
    if !entry.unknown.is_empty() {
        return true;
    }
    let mut segments = entry.pattern.segments.iter();
    for wanted in place {
        match segments.next() {
            Some(segment) if segment.matches(wanted) => {}
            Some(_) => return false,
            None => {
                let tail = entry.pattern.tail.as_ref();
                return tail.is_some_and(|tail| wanted.starts_with(tail.as_str()));
            }
        }
    }
    !matches!((segments.next(), apart), (Some(Segment::Literal(text)), Some(apart)) if text == apart)
}

/// A value as it is sent: `false` as what it is, unless a rule lists it as text, which the server
/// takes as well.
fn literal(limits: Option<&Limits>, parameter: &str, value: &str) -> Value {
    let text = Value::string(value);
    let listed = limits
        .and_then(|limits| limits.allowed_parameters.get(parameter))
        .is_some_and(|list| list.contains(&text));
    if value == "false" && !listed {
        return Value::Bool(false);
    }
    text
}

/// A value that a rule allows of a parameter, where it lists them: a text with `*` is one of those
/// that it stands for.
fn a_value(limits: &Limits, parameter: &str) -> Option<Value> {
    limits.allowed_parameters.get(parameter)?.first().cloned()
}

/// What stands in the place of `{}`, where a rule's path may match the template.
fn name_in(entry: &Entry, template: &str, open: &str) -> Option<String> {
    let pattern: &Pattern = &entry.pattern;
    let mut found = None;
    let mut wanted = template.split('/');
    for segment in &pattern.segments {
        match (wanted.next()?, segment) {
            ("{}", Segment::Any) => found = Some(open.to_owned()),
            ("{}", Segment::Literal(text)) => found = Some(text.clone()),
            (_, Segment::Any) => {}
            (text, Segment::Literal(literal)) if text == literal => {}
            _ => return None,
        }
    }
    match (&pattern.tail, wanted.next()) {
        (None, None) => {}
        (Some(tail), Some("{}")) => found = Some(format!("{tail}{open}")),
        (Some(tail), Some(text)) if text.starts_with(tail.as_str()) => {
            found = found.or_else(|| Some(open.to_owned()));
        }
        _ => return None,
    }
    // What a template that isn't filled in stands for is open, too.
    let found = found.filter(|name| !name.is_empty())?;
    Some(if found.contains("{{") {
        open.to_owned()
    } else {
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::{entity, holder};

    fn writes(lines: &str, place: &[&str], apart: Option<&str>) -> bool {
        let things = holder(lines);
        let world = things.world();
        let subject = entity("a");
        let holding = Holding::new(&world, &subject).unwrap();
        Search::new(&holding, SOME).writes_below(place, apart)
    }

    #[test]
    fn rules_that_write_below_a_place_are_told_from_others() {
        for lines in [
            "auth/m/role/x: create",
            "auth/m/role/x: update",
            "auth/m/role/x: patch",
            "auth/m/*: update",
            "auth/m*: update",
            "auth/*: update",
            "au*: update",
            "*: update",
            "+/m/role: update",
            "auth/+/role: update",
            "auth/{{identity.groups.names.g.id}}/x: update",
            "auth/x: update\nauth/m/y: update",
        ] {
            let groups = lines.contains("groups");
            let known = writes(lines, &["auth", "m"], None);
            // The entity is in no group, so such a rule counts for nothing.
            assert_eq!(known, !groups, "{lines}");
        }
        assert!(writes(
            "{{identity.entity.aliases.acc.name}}: update",
            &["auth", "m"],
            None
        ));
        for lines in [
            "auth/m/role/x: read list delete sudo",
            "auth/m/role/x: deny",
            "auth/n/role/x: update",
            "auth/n*: update",
            "auth: update",
            "kv/*: update",
            "kv/m/x: update",
        ] {
            assert!(!writes(lines, &["auth", "m"], None), "{lines}");
        }
    }

    #[test]
    fn names_are_those_of_rules_that_fit() {
        let names = |lines: &str| -> Vec<String> {
            let things = holder(lines);
            let world = things.world();
            let subject = entity("a");
            let holding = Holding::new(&world, &subject).unwrap();
            let search = Search::new(&holding, SOME);
            search.names("auth/m/role/{}/id", "?").into_iter().collect()
        };
        for (rule, name) in [
            ("auth/m/role/x/id", "x"),
            ("auth/m/role/+/id", "?"),
            ("auth/m/role/x*", "x?"),
            ("auth/m/role/*", "?"),
            ("auth/m/role/x/*", "x"),
            ("auth/m/ro*", "?"),
            ("+/+/+/x/+", "x"),
            ("a*", "?"),
            ("auth/m/role/{{identity.entity.aliases.acc.name}}/id", "?"),
        ] {
            assert_eq!(names(&format!("{rule}: update")), [name], "{rule}");
        }
        for rule in [
            "kv/m/role/x/id",
            "auth/n/role/x/id",
            "auth/m/role/x/other",
            "auth/m/role/x",
            "auth/m/role/x/id/more",
            "auth/m/role//id",
            "auth/m/users*",
            "auth/m/role/x/ids*",
            "b*",
        ] {
            assert_eq!(names(&format!("{rule}: update")), [""; 0], "{rule}");
        }
        assert_eq!(names("auth/m/role/x/id: deny"), [""; 0]);
    }

    #[test]
    fn what_is_only_below_a_place_apart_does_not_count() {
        let apart = |lines: &str| writes(lines, &["auth"], Some("token"));
        assert!(!apart("auth/token/create: update"));
        assert!(!apart("auth/token/*: update"));
        for lines in [
            "auth/tokens/x: update",
            "auth/token*: update",
            "auth/*: update",
            "auth/+/x: update",
            "auth/token/x: update\nauth/m: update",
        ] {
            assert!(apart(lines), "{lines}");
        }
    }
}
