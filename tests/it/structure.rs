//! Holds the source to the architecture: which module may use which, and what is pure.
//!
//! In: every `.rs` file of the workspace. Out: a failure that names file, line and rule. Code
//! under `#[cfg(test)]` is left out, its length apart. The rules are tried on text of their own
//! first, since a checker that finds nothing looks like a source without faults.

use std::fs;
use std::path::{Path, PathBuf};

mod source;

use source::{Used, code, used};

/// The modules in order: each may use only those before it.
const MODULES: &[&str] = &[
    "failpoint",
    "diagnostic",
    "config",
    "evaluate",
    "model",
    "lower",
    "state",
    "observe",
    "diff",
    "plan",
    "access",
    "rules",
    "organisation",
    "gate",
    "rotate",
    "contain",
    "apply",
    "operations",
    "view",
    "cli",
];

/// Modules that compute and do nothing else.
const PURE_MODULES: &[&str] = &["diff", "plan", "access", "rules", "organisation", "gate"];

/// Files of a provider that compute and do nothing else.
const PURE_PROVIDER_FILES: &[&str] = &["access", "lower", "normal", "schema"];

/// Paths that a pure file may not name, each by its beginning.
const IMPURE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "time"],
    &["std", "thread"],
    &["std", "env"],
    &["std", "process"],
    &["tokio"],
    &["reqwest"],
    &["futures_util"],
    &["getrandom"],
    &["rustix"],
    &["tempfile"],
];

/// Words that a pure file may not hold: what waits, and what has no order.
const IMPURE_WORDS: &[&str] = &["async", "await", "HashMap", "HashSet"];

/// What fits into a head at once.
const LINES_MAX: usize = 600;

/// Everything that is wrong with one file. `path` is relative to the workspace.
fn check(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        wrong.push(format!(
            "{path}: {lines} lines, and {LINES_MAX} are the most"
        ));
    }
    let stem = path.rsplit('/').next().unwrap_or(path);
    if stem.ends_with("_tests.rs") || ["tests.rs", "testing.rs"].contains(&stem) {
        return wrong;
    }
    let code = code(text);
    let names = used(&code);
    let mut say = |line: usize, what: String| wrong.push(format!("{path}:{line}: {what}"));
    if is_pure(path) {
        for Used { line, path } in &names {
            let named: Vec<&str> = path.iter().map(String::as_str).collect();
            let impure = IMPURE.iter().any(|beginning| named.starts_with(beginning));
            let word = IMPURE_WORDS.iter().any(|word| named.contains(word));
            let clock = named.len() > 1 && named.last() == Some(&"now");
            if impure || word || clock {
                say(*line, format!("`{}` in a pure file", named.join("::")));
            }
        }
    }
    if let Some(module) = module_of(path) {
        let place = MODULES.iter().position(|name| *name == module);
        if place.is_none() {
            say(
                1,
                format!("module `{module}` is not in the list of modules"),
            );
        }
        for Used { line, path: named } in &names {
            let Some(other) = reached(path, named) else {
                continue;
            };
            let other_place = MODULES.iter().position(|name| *name == other);
            if other != module && (other_place.is_none() || other_place > place) {
                say(*line, format!("`{module}` may not use `{other}`"));
            }
        }
    }
    for (name, allowed) in [
        (
            "hcl_edit",
            &["src/config", "providers/vault/src/policy"][..],
        ),
        ("miette", &["src/diagnostic"][..]),
    ] {
        if allowed.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        for Used { line, path } in &names {
            if path.first().is_some_and(|first| first == name) {
                say(
                    *line,
                    format!("`{name}` may be named only in {}", allowed.join(", ")),
                );
            }
        }
    }
    // A group of names is one mistake.
    wrong.dedup();
    wrong
}

/// The module of the root package that a file belongs to; `None` for `main.rs`, `lib.rs` and
/// other crates.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let name = inside.split('/').next()?;
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (!["main", "lib"].contains(&name)).then_some(name)
}

/// The module of the root package that a path leads to, seen from the file that names it.
fn reached<'a>(file: &str, named: &'a [String]) -> Option<&'a str> {
    let inside = file.strip_prefix("src/")?;
    let deep = inside.matches('/').count() - usize::from(inside.ends_with("/mod.rs"));
    let supers = named.iter().take_while(|part| *part == "super").count();
    let first = named.first()?;
    if first == "crate" || first == "remit" {
        named.get(1).map(String::as_str)
    } else if supers == deep + 1 {
        named.get(supers).map(String::as_str)
    } else {
        None
    }
}

fn is_pure(path: &str) -> bool {
    if path.starts_with("providers/sdk/") {
        return true;
    }
    if let Some(module) = module_of(path) {
        return PURE_MODULES.contains(&module);
    }
    let Some((_, inside)) = path.split_once("/src/") else {
        return false;
    };
    let name = inside.split('/').next().unwrap_or(inside);
    PURE_PROVIDER_FILES.contains(&name.strip_suffix(".rs").unwrap_or(name))
}

fn files_below(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_source_is_as_the_architecture_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for directory in ["src", "providers", "tests"] {
        files_below(&root.join(directory), &mut files);
    }
    assert!(files.len() > 20, "only {} files found", files.len());
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let path = file.strip_prefix(root).unwrap().to_str().unwrap();
            check(path, &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_module_uses_only_those_before_it() {
    assert_eq!(
        check("src/plan/mod.rs", "use crate::diff::Change;"),
        [""; 0]
    );
    assert_eq!(
        check("src/diff/mod.rs", "use std::fmt;\nuse crate::plan::Plan;"),
        ["src/diff/mod.rs:2: `diff` may not use `plan`"]
    );
    let broken = [
        (
            "src/diff/a.rs",
            "use crate::{state::Record, apply::{self, Step}};",
        ),
        ("src/diff/a.rs", "fn f() { crate::cli::run() }"),
        ("src/diff/a.rs", "use super::super::plan::Plan;"),
        ("src/diff/mod.rs", "use super::plan;"),
        ("src/diff/mod.rs", "pub(in crate::plan) fn f() {}"),
        ("src/diff.rs", "use crate ::\n plan::Plan;"),
        ("src/unheard/mod.rs", "fn f() {}"),
        ("src/plan/mod.rs", "use crate::unheard::X;"),
        (
            "src/plan/mod.rs",
            "/* a /* b */ c */ use crate::gate::X; // \"",
        ),
        (
            "src/plan/mod.rs",
            "const A: &str = r#\"\"# ; const B: char = '\"'; use crate::gate::X;",
        ),
        (
            "src/plan/mod.rs",
            "#[cfg(test)]\nmod tests {\n fn f() { \"}\"; }\n}\nuse crate::gate::X;",
        ),
    ];
    for (path, text) in broken {
        assert_eq!(check(path, text).len(), 1, "{path}: {text}");
    }
    let sound = [
        ("src/diff/a.rs", "use super::plan;"),
        ("src/diff/a.rs", "pub(crate) struct S; pub(super) fn f() {}"),
        (
            "src/diff/mod.rs",
            "// crate::plan\n/// crate::plan\nconst A: &str = \"crate::plan\";",
        ),
        (
            "src/diff/mod.rs",
            "const A: &str = r#\"crate::\"plan\"#; use crate::diff::X;",
        ),
        (
            "src/diff/mod.rs",
            "#[cfg(test)]\nmod tests { use crate::plan::Plan; }",
        ),
        ("src/diff/mod.rs", "fn f<'a>(x: &'a str) -> &'a str { x }"),
        ("src/main.rs", "use remit::cli;"),
    ];
    for (path, text) in sound {
        assert_eq!(check(path, text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn what_is_pure_stays_pure() {
    let impure = [
        "async fn f() {}",
        "fn f() { g().await }",
        "use std::fs;",
        "use std::{fmt, fs::File};",
        "fn f() { std::env::var(\"X\"); }",
        "use std::collections::HashMap;",
        "use std::collections::{BTreeMap, HashSet as Set};",
        "fn f() { tokio::spawn(g()); }",
        "fn f() { jiff::Timestamp::now(); }",
        "use ::std::time::Instant;",
    ];
    for text in impure {
        for path in [
            "src/diff/mod.rs",
            "src/gate/approvals.rs",
            "providers/vault/src/lower.rs",
            "providers/aws/src/normal/trust.rs",
            "providers/sdk/src/value.rs",
        ] {
            assert_eq!(check(path, text).len(), 1, "{path}: {text}");
        }
        for path in ["src/apply/mod.rs", "providers/vault/src/client.rs"] {
            assert_eq!(check(path, text), [""; 0], "{path}: {text}");
        }
    }
    assert_eq!(
        check(
            "src/diff/mod.rs",
            "use std::fmt; fn f(now: u64) -> u64 { now }"
        ),
        [""; 0]
    );
}

#[test]
fn some_crates_have_one_place() {
    let named = |path: &str, text: &str| check(path, text).len();
    assert_eq!(named("src/config/parse.rs", "use hcl_edit::Span;"), 0);
    assert_eq!(
        named("providers/vault/src/policy.rs", "use hcl_edit::Span;"),
        0
    );
    assert_eq!(named("src/evaluate/mod.rs", "use hcl_edit::Span;"), 1);
    assert_eq!(
        named("providers/vault/src/lower.rs", "use hcl_edit::Span;"),
        1
    );
    assert_eq!(named("src/diagnostic/render.rs", "use miette::Report;"), 0);
    assert_eq!(
        named("src/cli/mod.rs", "fn f() -> miette::Result<()> {}"),
        1
    );
}

#[test]
fn a_file_fits_into_a_head() {
    assert_eq!(
        check("tests/it/long.rs", &"\n".repeat(LINES_MAX + 1)).len(),
        1
    );
    assert_eq!(
        check("src/state/long_tests.rs", &"\n".repeat(LINES_MAX + 1)).len(),
        1
    );
    assert_eq!(check("src/state/long.rs", &"\n".repeat(LINES_MAX)).len(), 0);
}
