//! The evaluator of policies against a real OpenBao: what one says, the other does.
//!
//! Random policies over few segments, so that their paths meet; every path of those segments is
//! asked of `sys/capabilities` for a token that has them. Then requests with parameters, templates
//! of a real entity, and the endpoints that take `sudo`. `REMIT_SWEEP=long` asks for much more;
//! a failure prints the seed, which `REMIT_SEED` takes.

mod requests;
mod templates;

use std::collections::BTreeSet;

use remit_vault::access::{Acl, Identity, Operation, Request, Server as Product, Verdict};
use remit_vault::policy::{Document, Rule};
use serde_json::{Value as Json, json};

use crate::live::{Stage, shared};

/// Policy sets whose capabilities are compared: in the short form, and in the long one.
const SETS: (u64, u64) = (25, 1500);

const SEGMENTS: [&str; 3] = ["a", "b", "ab"];

/// Names of the policies, which the tokens have; each set writes them anew.
const POLICIES: [&str; 4] = ["p0", "p1", "p2", "p3"];

pub(crate) fn rounds(of: (u64, u64)) -> u64 {
    match std::env::var("REMIT_SWEEP").as_deref() {
        Ok("long") => of.1,
        _ => of.0,
    }
}

/// `SplitMix64`: one number starts it, and tells everything that follows.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        let seed = if let Ok(seed) = std::env::var("REMIT_SEED") {
            seed.parse().unwrap()
        } else {
            // Seeds next to each other would begin almost the same sequence.
            let now = std::time::UNIX_EPOCH.elapsed().unwrap();
            Self(
                u64::from(std::process::id())
                    ^ now.as_secs().rotate_left(32)
                    ^ u64::from(now.subsec_nanos()),
            )
            .next()
        };
        println!("REMIT_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len() as u64);
        &all[usize::try_from(place).unwrap()]
    }

    /// Some of them, each with this chance of one in.
    pub(crate) fn some<T: Clone>(&mut self, all: &[T], many: u64) -> Vec<T> {
        all.iter().filter(|_| self.one_in(many)).cloned().collect()
    }
}

/// A path of a rule: segments, `+`, and an ending.
fn any_path(random: &mut Random, below: &str) -> String {
    let mut segments = Vec::new();
    for _ in 0..=random.below(3) {
        segments.push(match random.below(4) {
            0 => "+",
            _ => *random.pick(&SEGMENTS),
        });
    }
    let ending = *random.pick(&["", "", "", "/*", "/*", "*", "/"]);
    let path = format!("{below}{}{ending}", segments.join("/"));
    // The server takes no `+*`.
    path.replace("+*", "+")
}

/// One in `many` of the capabilities.
fn any_rule(random: &mut Random, many: u64) -> Rule {
    let names = [
        "create", "read", "update", "patch", "delete", "list", "scan", "sudo",
    ];
    let mut rule = Rule {
        capabilities: random
            .some(&names, many)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        ..Rule::default()
    };
    if random.one_in(10) {
        rule.capabilities.insert("deny".to_owned());
    }
    rule
}

/// One to four policies of one to six paths.
fn any_set(
    random: &mut Random,
    below: &str,
    rule: impl Fn(&mut Random) -> Rule,
) -> Vec<(&'static str, Document)> {
    let count = usize::try_from(1 + random.below(4)).unwrap();
    POLICIES
        .into_iter()
        .take(count)
        .map(|name| {
            let mut document = Document::default();
            for _ in 0..=random.below(6) {
                let path = any_path(random, below);
                *document.rule(&path) = rule(random);
            }
            (name, document)
        })
        .collect()
}

/// Every path of up to three segments, with a slash at its end and without, and some longer ones.
fn all_paths() -> Vec<String> {
    let mut all: Vec<String> = SEGMENTS.iter().map(ToString::to_string).collect();
    let mut last = all.clone();
    for _ in 0..2 {
        last = last
            .iter()
            .flat_map(|path| SEGMENTS.iter().map(move |name| format!("{path}/{name}")))
            .collect();
        all.extend(last.clone());
    }
    all.extend(
        [
            "a/b/ab/a",
            "b/a/a/b",
            "ab/ab/b/a/b",
            "abc",
            "a/abc",
            "c",
            "a/c/b",
            "c/c",
        ]
        .map(str::to_owned),
    );
    let with_slash: Vec<String> = all.iter().map(|path| format!("{path}/")).collect();
    all.extend(with_slash);
    all
}

/// A namespace with a token for each number of policies.
struct Tokens {
    stage: Stage,
    tokens: Vec<String>,
}

impl Tokens {
    fn new() -> Self {
        let stage = Stage::new("");
        let tokens = (1..=POLICIES.len())
            .map(|count| token(&stage.namespace, &POLICIES[..count]))
            .collect();
        Self { stage, tokens }
    }

    fn namespace(&self) -> &str {
        &self.stage.namespace
    }

    /// Writes the policies, and gives the token that has them.
    fn with(&self, policies: &[(&'static str, Document)]) -> &str {
        for (name, document) in policies {
            let body = json!({"policy": document.to_string()});
            shared().write(self.namespace(), &format!("sys/policies/acl/{name}"), &body);
        }
        &self.tokens[policies.len() - 1]
    }
}

fn token(namespace: &str, policies: &[&str]) -> String {
    let body = json!({"policies": policies, "no_default_policy": true});
    let answer = shared().write(namespace, "auth/token/create", &body);
    answer["auth"]["client_token"].as_str().unwrap().to_owned()
}

fn acl(policies: &[(&'static str, Document)], identity: Option<&Identity>) -> Acl {
    let policies = policies.iter().map(|(name, document)| (*name, document));
    Acl::new(Product::OpenBao, policies, identity)
}

fn capabilities(namespace: &str, token: &str, paths: &[String]) -> (u16, Json) {
    let body = json!({"token": token, "paths": paths});
    shared().post(namespace, "sys/capabilities", &body)
}

fn shown(policies: &[(&'static str, Document)]) -> String {
    policies
        .iter()
        .map(|(name, document)| format!("# {name}\n{document}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn capabilities_are_those_the_server_tells() {
    let mut random = Random::new();
    let tokens = Tokens::new();
    let paths = all_paths();
    let mut compared = 0;
    let mut allowed = 0;
    for _ in 0..rounds(SETS) {
        let policies = any_set(&mut random, "", |random| any_rule(random, 3));
        let token = tokens.with(&policies);
        let (status, answer) = capabilities(tokens.namespace(), token, &paths);
        assert_eq!(status, 200, "{answer}\n{}", shown(&policies));
        let acl = acl(&policies, None);
        for path in &paths {
            let told: BTreeSet<&str> = answer["data"][path]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            let found = acl.capabilities(path);
            assert_eq!(found, told, "{path}\n{}", shown(&policies));
            compared += 1;
            allowed += u64::from(!found.contains("deny"));
        }
    }
    println!("{compared} compared, {allowed} allowed");
    // Policies that never match would prove nothing.
    assert!(allowed * 4 > compared, "{allowed} of {compared}");
}

#[test]
fn what_the_server_protects_takes_sudo() {
    let server = shared();
    let (_, specification) = server.get("", "sys/internal/specs/openapi");
    let mut document = Document::default();
    *document.rule("*") = Rule::capabilities(&["create", "read", "update", "delete", "list"]);
    let acl = acl(&[("p0", document)], None);
    let mut protected = 0;
    for (path, endpoint) in specification["paths"].as_object().unwrap() {
        let concrete: Vec<&str> = path
            .trim_start_matches('/')
            .split('/')
            .map(|segment| {
                if segment.starts_with('{') {
                    "x"
                } else {
                    segment
                }
            })
            .collect();
        let concrete = concrete.join("/");
        // A login takes no token, and a mount's own list can't be told by its path.
        if !concrete.starts_with("sys/") && !concrete.starts_with("auth/token/") {
            continue;
        }
        let takes = endpoint["x-vault-sudo"] == json!(true);
        let operation = if path.ends_with("accessors") || path.ends_with("lookup/") {
            Operation::List
        } else {
            Operation::Read
        };
        let verdict = acl.decide(&Request::new(operation, &concrete));
        let denied = matches!(verdict, Verdict::Denied { .. });
        protected += usize::from(takes);
        if takes {
            assert!(denied, "{path}");
        } else {
            // Those that ask for it on their own, or that Vault alone protects.
            let own = ["revoke-orphan", "sys/seal", "sys/step-down", "sys/raw"];
            assert!(
                !denied || own.iter().any(|name| concrete.contains(name)),
                "{path}"
            );
        }
    }
    assert!(protected > 15, "{protected}");
}
