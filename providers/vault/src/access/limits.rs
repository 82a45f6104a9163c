//! Whether one rule's limits leave a capability at most as wide as another's do.
//!
//! In come the limits of two rules and an operation that both allow; out goes that it is within,
//! or an example of a request that one permits and the other doesn't, or that neither could be
//! shown. An example is tried on both before it is told, and "within" is claimed only where every
//! value is covered; texts with a `*` on both ends of a comparison may leave it open.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::text::safe;

use super::Server;
use super::beyond::Finding;
use super::decide::{Operation, Parameters};
use super::grant::{Glob, Limits, same};

/// Text that stands for any other: it is in no policy a person writes.
const ANY: &str = "…";

/// Compares what `over` permits with what `under` does.
pub(super) fn compare(
    over: &Limits,
    under: &Limits,
    operation: Operation,
    server: Server,
) -> Option<Finding> {
    if over == under {
        return ordered(over, operation);
    }
    let never = over.max_wrapping_ttl > 0 && over.max_wrapping_ttl < over.min_wrapping_ttl;
    if never {
        return None;
    }
    if !wrapping_within(over, under) {
        return Some(Finding::Looser("with another response wrapping".to_owned()));
    }
    if server == Server::Vault && !under.mfa_methods.is_subset(&over.mfa_methods) {
        return Some(Finding::Looser(
            "with fewer multi-factor methods".to_owned(),
        ));
    }
    match operation {
        Operation::Create
        | Operation::Read
        | Operation::Update
        | Operation::Patch
        | Operation::Recover => parameters(over, under, server),
        Operation::List | Operation::Scan => pages(over, under),
        Operation::Subscribe => events(over, under),
        Operation::Delete => None,
    }
}

/// Where the order of policies decides, the same limits needn't be the same: the two tokens may
/// have them in different orders.
fn ordered(limits: &Limits, operation: Operation) -> Option<Finding> {
    match operation {
        Operation::List | Operation::Scan if limits.filters.len() > 1 => Some(unordered_filters()),
        Operation::Subscribe => events(limits, limits),
        _ => None,
    }
}

fn wrapping_within(over: &Limits, under: &Limits) -> bool {
    if !under.has_wrapping() {
        return true;
    }
    over.has_wrapping()
        && over.min_wrapping_ttl >= under.min_wrapping_ttl
        && (under.max_wrapping_ttl == 0
            || (over.max_wrapping_ttl > 0 && over.max_wrapping_ttl <= under.max_wrapping_ttl))
}

fn pages(over: &Limits, under: &Limits) -> Option<Finding> {
    if under.pagination_limit > 0 {
        if over.pagination_limit == 0 || over.pagination_limit > under.pagination_limit {
            return Some(Finding::Looser(format!(
                "with more than {} keys on a page",
                under.pagination_limit
            )));
        }
        let asks = |limits: &Limits| limits.required_parameters.contains("limit");
        if asks(under) && !asks(over) {
            return Some(Finding::Looser("without the parameter `limit`".to_owned()));
        }
    }
    if over.filters.len() > 1 || under.filters.len() > 1 {
        return Some(unordered_filters());
    }
    match (over.filters.first(), under.filters.first()) {
        (_, None) => None,
        (None, Some(_)) => Some(Finding::Looser(
            "with keys that are not filtered".to_owned(),
        )),
        (Some(a), Some(b)) if a == b => None,
        (Some(_), Some(_)) => Some(Finding::Undecided(
            "the keys of the list are filtered in another way".to_owned(),
        )),
    }
}

fn unordered_filters() -> Finding {
    Finding::Undecided(
        "policies filter the keys of the list differently, and which of them counts depends on their order"
            .to_owned(),
    )
}

fn events(over: &Limits, under: &Limits) -> Option<Finding> {
    let all = |limits: &Limits| -> BTreeSet<String> {
        limits.event_types.iter().flatten().cloned().collect()
    };
    let wanted = all(over);
    if wanted.is_empty() {
        return None;
    }
    if under.event_types.iter().any(BTreeSet::is_empty) && under.event_types.len() > 1 {
        return Some(Finding::Undecided(
            "a policy gives `subscribe` without event types, and which of them count depends on the order of the policies"
                .to_owned(),
        ));
    }
    let given = all(under);
    let missing = wanted.iter().find(|event| {
        !given
            .iter()
            .any(|known| Glob::new(known).covers(Glob::new(event)) || known == "*")
    });
    missing.map(|event| Finding::Looser(format!("for the events `{}`", safe(event))))
}

fn parameters(over: &Limits, under: &Limits, server: Server) -> Option<Finding> {
    if parameters_within(over, under, server) {
        return None;
    }
    if let Some(example) = example(over, under, server) {
        return Some(Finding::Looser(example));
    }
    Some(Finding::Undecided(
        "which values of parameters are allowed couldn't be compared".to_owned(),
    ))
}

/// The names of parameters that make a difference, and one that stands for all others.
fn names<'a>(over: &'a Limits, under: &'a Limits) -> BTreeSet<&'a str> {
    [over, under]
        .into_iter()
        .flat_map(|limits| {
            limits
                .allowed_parameters
                .keys()
                .chain(limits.denied_parameters.keys())
                .chain(&limits.required_parameters)
        })
        .map(String::as_str)
        .filter(|name| *name != "*")
        .chain([ANY])
        .collect()
}

// ---- the proof

fn parameters_within(over: &Limits, under: &Limits, server: Server) -> bool {
    under
        .required_parameters
        .is_subset(&over.required_parameters)
        && names(over, under)
            .into_iter()
            .all(|name| values_within(name, over, under, server))
}

/// The values a parameter may have.
enum Values<'a> {
    Any,
    These(&'a BTreeSet<Value>),
    None,
}

fn allowed<'a>(limits: &'a Limits, name: &str) -> Values<'a> {
    if !limits.restricts_allowed() {
        return Values::Any;
    }
    match limits.allowed_parameters.get(name) {
        Some(list) if list.is_empty() => Values::Any,
        Some(list) => Values::These(list),
        None if limits.allowed_parameters.contains_key("*") => Values::Any,
        None => Values::None,
    }
}

fn denied<'a>(limits: &'a Limits, name: &str) -> Values<'a> {
    if limits.denied_parameters.contains_key("*") {
        return Values::Any;
    }
    match limits.denied_parameters.get(name) {
        Some(list) if list.is_empty() => Values::Any,
        Some(list) => Values::These(list),
        None => Values::None,
    }
}

fn values_within(name: &str, over: &Limits, under: &Limits, server: Server) -> bool {
    let (mine, not_mine) = (allowed(over, name), denied(over, name));
    let (theirs, not_theirs) = (allowed(under, name), denied(under, name));
    if matches!(mine, Values::None) || matches!(not_mine, Values::Any) {
        return true;
    }
    // Everything that `under` denies, `over` denies too.
    let denies_as_much = match (&not_mine, &not_theirs) {
        (_, Values::None) => true,
        (Values::These(mine), Values::These(theirs)) => theirs
            .iter()
            .all(|value| mine.iter().any(|by| covers(by, value))),
        _ => false,
    };
    match (&mine, &theirs) {
        (_, Values::Any) if denies_as_much => true,
        (Values::These(mine), _) => mine.iter().all(|value| {
            let spared = denies_as_much || is_spared(value, &not_theirs, server);
            let given = match &theirs {
                Values::Any => true,
                Values::These(theirs) => theirs.iter().any(|by| covers(by, value)),
                Values::None => false,
            };
            // What no request can hold gives nothing.
            (spared && given) || matches!(value, Value::Number(_))
        }),
        _ => false,
    }
}

/// Whether one plain value is denied by nothing. Vault takes a text for its parts as well: it denies
/// one for a part, and allows one of several that are allowed, which may be denied as a whole.
fn is_spared(value: &Value, denied: &Values<'_>, server: Server) -> bool {
    let plain = match value {
        Value::Bool(_) => true,
        Value::String(text) => {
            matches!(Glob::new(text), Glob::Exactly(_))
                && (server == Server::OpenBao || !text.contains(','))
        }
        _ => false,
    };
    match denied {
        Values::None => true,
        Values::These(list) => {
            let is_of_parts = |item: &Value| {
                let text = item.as_str().filter(|_| server == Server::Vault);
                text.is_some_and(|text| text.contains(|c: char| c == ',' || c.is_whitespace()))
            };
            plain
                && !list
                    .iter()
                    .any(|item| is_of_parts(item) || same(item, value))
        }
        Values::Any => false,
    }
}

/// Whether every value that `value` stands for is one that `by` stands for.
fn covers(by: &Value, value: &Value) -> bool {
    match (by, value) {
        (Value::String(by), Value::String(value)) => Glob::new(by).covers(Glob::new(value)),
        (by, value) => by == value,
    }
}

// ---- the example

/// A request that `over` permits and `under` doesn't.
fn example(over: &Limits, under: &Limits, server: Server) -> Option<String> {
    let permits = |limits: &Limits, given: &BTreeMap<String, Value>| {
        let given = Parameters::Known(given.clone());
        limits.check_parameters(&given, server) == Ok(Vec::new())
    };
    // As little as `over` asks for.
    let mut least = BTreeMap::new();
    for name in &over.required_parameters {
        let value = candidates(name, over, under).into_iter().find(|value| {
            let given = BTreeMap::from([(name.clone(), value.clone())]);
            let alone = Limits {
                required_parameters: BTreeSet::new(),
                ..over.clone()
            };
            permits(&alone, &given)
        })?;
        least.insert(name.clone(), value);
    }
    if permits(over, &least) && !permits(under, &least) {
        let missing = under
            .required_parameters
            .difference(&over.required_parameters)
            .next();
        return Some(match missing {
            Some(missing) => format!("without the parameter `{}`", safe(missing)),
            None => "with the parameters that are required".to_owned(),
        });
    }
    for name in names(over, under) {
        for value in candidates(name, over, under) {
            let mut given = least.clone();
            given.insert(name.to_owned(), value.clone());
            if permits(over, &given) && !permits(under, &given) {
                let text = value.to_text().unwrap_or_default();
                return Some(match (name, text.as_str()) {
                    (ANY, _) => "with any other parameter".to_owned(),
                    (_, ANY) => format!("with any value of `{}`", safe(name)),
                    _ => format!("with `{}` as `{}`", safe(text.as_str()), safe(name)),
                });
            }
        }
    }
    None
}

/// Values worth trying: one for each that a list holds or stands for, and any other.
fn candidates(name: &str, over: &Limits, under: &Limits) -> Vec<Value> {
    let listed: Vec<&Value> = [
        &over.allowed_parameters,
        &over.denied_parameters,
        &under.allowed_parameters,
        &under.denied_parameters,
    ]
    .into_iter()
    .filter_map(|all| all.get(name))
    .flatten()
    .collect();
    let texts: Vec<&str> = listed.iter().filter_map(|value| value.as_str()).collect();
    let mut found = vec![Value::string(ANY)];
    found.extend(
        listed
            .iter()
            .filter(|value| value.as_str().is_none())
            .map(|value| (*value).clone()),
    );
    for text in &texts {
        found.push(Value::string(filled(text, "")));
    }
    for text in &texts {
        // One text within another is where lists overlap.
        found.extend(
            std::iter::once(ANY)
                .chain(texts.iter().copied())
                .map(|inner| Value::string(filled(text, &filled(inner, "")))),
        );
    }
    found
}

/// The text with its `*` filled in.
fn filled(text: &str, inner: &str) -> String {
    match Glob::new(text) {
        Glob::Exactly(text) => text.to_owned(),
        Glob::Begins(text) => format!("{text}{inner}"),
        Glob::Ends(text) => format!("{inner}{text}"),
        Glob::Holds(text) => format!("{inner}{text}{inner}"),
    }
}
