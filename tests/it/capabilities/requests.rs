//! Requests with parameters and response wrapping, sent to the server and decided here.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_vault::access::{Operation, Parameters, Request, Verdict, Wrapping};
use remit_vault::policy::Rule;
use serde_json::{Value as Json, json};

use super::{Random, SEGMENTS, Tokens, acl, any_rule, any_set, rounds, shown};
use crate::live::shared;

/// Policy sets that requests are sent under: in the short form, and in the long one.
const SETS: (u64, u64) = (12, 400);

/// Requests under each of them.
const REQUESTS: u64 = 12;

fn any_values(random: &mut Random) -> BTreeSet<Value> {
    let all = [
        Value::string("x"),
        Value::string("y"),
        Value::string("x*"),
        Value::string("*y"),
        Value::string("*x*"),
        Value::string("*"),
        Value::Bool(true),
        Value::integer(5),
    ];
    random.some(&all, 5).into_iter().collect()
}

/// Limits on parameters and pages, on some rules.
fn any_limits(random: &mut Random, rule: &mut Rule) {
    let names = ["m", "n", "o", "*"];
    if random.one_in(5) {
        for name in random.some(&names, 2) {
            let values = any_values(random);
            rule.allowed_parameters.insert(name.to_owned(), values);
        }
    }
    if random.one_in(6) {
        for name in random.some(&names, 4) {
            let values = any_values(random);
            rule.denied_parameters.insert(name.to_owned(), values);
        }
    }
    if random.one_in(8) {
        rule.required_parameters = BTreeSet::from([random.pick(&["m", "n", "limit"]).to_string()]);
    }
    if random.one_in(4) {
        rule.pagination_limit = Some(i64::try_from(random.below(3)).unwrap());
    }
    if random.one_in(12) {
        rule.min_wrapping_ttl = 10;
    }
    if random.one_in(12) {
        rule.max_wrapping_ttl = 60;
    }
}

/// A rule that gives much, under limits.
fn limited_rule(random: &mut Random) -> Rule {
    let many = 1 + random.below(2);
    let mut rule = any_rule(random, many);
    any_limits(random, &mut rule);
    rule
}

/// A request, and how it is sent.
struct Sent {
    operation: Operation,
    path: String,
    given: BTreeMap<String, Value>,
    ttl: Option<i64>,
}

fn any_request(random: &mut Random, there: &BTreeSet<String>) -> Sent {
    let mut segments = Vec::new();
    for _ in 0..=random.below(3) {
        segments.push(*random.pick(&SEGMENTS));
    }
    let path = format!("kv/{}", segments.join("/"));
    let writes = if there.contains(&path) {
        Operation::Update
    } else {
        Operation::Create
    };
    let operation = *random.pick(&[
        writes,
        writes,
        Operation::Read,
        Operation::Delete,
        Operation::List,
        Operation::List,
        Operation::Scan,
    ]);
    let mut given = BTreeMap::new();
    let mut values = vec![
        Value::string("x"),
        Value::string("y"),
        Value::string("xy"),
        Value::string("*"),
    ];
    match operation {
        Operation::Create | Operation::Update => {
            values.extend([
                Value::Bool(true),
                Value::integer(5),
                Value::Null,
                Value::List(vec![Value::string("x")]),
            ]);
            for name in ["m", "N", "o"] {
                if random.one_in(2) {
                    given.insert(name.to_owned(), random.pick(&values).clone());
                }
            }
            // An empty body is refused by the backend.
            if given.is_empty() {
                given.insert("n".to_owned(), random.pick(&values).clone());
            }
        }
        Operation::Read => {
            for name in random.some(&["m", "n"], 3) {
                given.insert(name.to_owned(), random.pick(&values).clone());
            }
        }
        Operation::List if random.one_in(2) => {
            let limit = *random.pick(&["1", "2", "3", "0", "-1", "max", "abc"]);
            given.insert("limit".to_owned(), Value::string(limit));
        }
        _ => {}
    }
    let ttl = random.one_in(3).then(|| *random.pick(&[5, 10, 60, 61]));
    Sent {
        operation,
        path,
        given,
        ttl,
    }
}

fn as_json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap()
}

/// Sends it; `true` unless the server denies it.
fn passes(namespace: &str, token: &str, sent: &Sent) -> bool {
    let query: Vec<String> = sent
        .given
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
        .collect();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    };
    let path = &sent.path;
    let (method, path, body) = match sent.operation {
        Operation::Create | Operation::Update => {
            let body: serde_json::Map<_, _> = sent
                .given
                .iter()
                .map(|(name, value)| (name.clone(), as_json(value)))
                .collect();
            ("POST", path.clone(), Some(Json::Object(body)))
        }
        Operation::Delete => ("DELETE", path.clone(), None),
        Operation::List => ("LIST", format!("{path}{query}"), None),
        Operation::Scan => ("SCAN", path.clone(), None),
        _ => ("GET", format!("{path}{query}"), None),
    };
    let headers = match sent.ttl {
        // The namespace is sent as a header, and a line after it is the next one.
        Some(ttl) => format!("{namespace}\r\nX-Vault-Wrap-TTL: {ttl}s"),
        None => namespace.to_owned(),
    };
    let (status, answer) = shared().request(method, &path, &headers, token, body.as_ref());
    assert!(
        [200, 204, 403, 404].contains(&status),
        "{method} {path}: {status} {answer}"
    );
    status != 403
}

#[test]
fn requests_pass_where_the_verdict_allows_them() {
    let mut random = Random::new();
    let tokens = Tokens::new();
    let namespace = tokens.namespace();
    let mount = json!({"type": "kv", "options": {"version": "1"}});
    shared().write(namespace, "sys/mounts/kv", &mount);
    let mut there = BTreeSet::new();
    let (mut passed, mut denied) = (0, 0);
    for _ in 0..rounds(SETS) {
        // The widest rule of all lets more requests come as far as the limits.
        let mut policies = any_set(&mut random, "kv/", limited_rule);
        if random.one_in(2) {
            *policies[0].1.rule("kv/*") = limited_rule(&mut random);
        }
        let token = tokens.with(&policies);
        let acl = acl(&policies, None);
        for _ in 0..REQUESTS {
            let sent = any_request(&mut random, &there);
            let request = Request {
                operation: sent.operation,
                path: &sent.path,
                parameters: Parameters::Known(sent.given.clone()),
                wrapping: sent.ttl.map_or(Wrapping::None, Wrapping::Seconds),
            };
            let verdict = acl.decide(&request);
            let expected = match verdict {
                Verdict::Allowed { .. } => true,
                Verdict::Denied { .. } => false,
                Verdict::Depends { .. } => panic!("{request:?}: {verdict:?}"),
            };
            let passes = passes(namespace, token, &sent);
            assert_eq!(
                passes,
                expected,
                "{request:?}\n{verdict:?}\n{}",
                shown(&policies)
            );
            match (sent.operation, passes) {
                (Operation::Create | Operation::Update, true) => {
                    there.insert(sent.path);
                }
                (Operation::Delete, true) => {
                    there.remove(&sent.path);
                }
                _ => {}
            }
            passed += u64::from(passes);
            denied += u64::from(!passes);
        }
    }
    println!("{passed} passed, {denied} denied");
    assert!(passed * 10 > denied && denied > 0, "{passed} {denied}");
}
