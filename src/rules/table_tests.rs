//! The table of rules: whole, in order, each rule with examples that are what they say.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::testing::{World, right, rule, wrong};
use super::*;
use crate::view::{self, Paint};

#[test]
fn the_table_is_complete_and_in_order() {
    let codes: Vec<&str> = rules().map(|rule| rule.code).collect();
    assert!(codes.is_sorted() && codes.len() >= 20, "{codes:?}");
    for rule in rules() {
        for text in [rule.finds, rule.why] {
            assert!(text.len() > 20 && text.ends_with('.'), "{}", rule.code);
            assert!(!text.contains("  "), "{}: {text}", rule.code);
        }
        assert!(
            rule.blind.is_empty() || rule.blind.ends_with('.'),
            "{}",
            rule.code
        );
        assert!(
            !rule.parts.is_empty() && !rule.controls.is_empty(),
            "{}",
            rule.code
        );
        assert_eq!(find(&rule.code.to_lowercase()).unwrap().code, rule.code);
        assert_eq!(find(rule.name).unwrap().code, rule.code);
        assert!(!rule.wrong.is_empty(), "{}", rule.code);
        assert!(!rule.right.is_empty(), "{}", rule.code);
    }
    assert!(find("RMT999").is_none());
}

#[test]
fn wrong_is_found_and_right_is_silent() {
    assert_eq!(World::beside_base("").check().findings, []);
    for rule in rules() {
        let found = wrong(rule).check().findings;
        assert!(
            found.iter().any(|finding| finding.rule == rule.code),
            "{} finds nothing in its wrong example: {found:#?}",
            rule.code
        );
        for finding in &found {
            assert!(finding.place.is_some(), "{finding:#?}");
            assert!(!finding.what.is_empty() && !finding.help.is_empty());
        }
        let after = right(rule).after(&wrong(rule));
        assert_eq!(after.check().findings, [], "{}", rule.code);
    }
}

#[test]
fn examples_are_in_the_canonical_layout() {
    for rule in rules() {
        for text in [BASE, rule.wrong, rule.right] {
            let mut sources = crate::diagnostic::SourceMap::default();
            let file = sources.add("x.remit.hcl".into(), text.into());
            let canonical = crate::config::fmt::format(text, file).unwrap();
            assert_eq!(canonical, text, "{}", rule.code);
        }
    }
}

/// Each rule's findings in its wrong example, as people see them and as SARIF has them.
#[test]
fn findings_read_as_they_were_reviewed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/rules/examples");
    for rule in rules() {
        let mut checked = wrong(rule).check();
        checked.findings.retain(|finding| finding.rule == rule.code);
        let mut text = String::new();
        for finding in &checked.findings {
            text.push_str(&view::findings::grouped([finding], Paint::PLAIN).concat());
            text.push('\n');
        }
        let log = view::sarif::log(&checked);
        let results = &log["runs"][0]["results"];
        let _ = writeln!(text, "{results:#}");
        let path = folder.join(format!("{}.found.txt", rule.code.to_lowercase()));
        if std::env::var_os("REMIT_UPDATE").is_some_and(|value| value == "1") {
            std::fs::write(&path, &text).unwrap();
        }
        let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(reviewed, text, "REMIT_UPDATE=1 rewrites {}", path.display());
    }
}

#[test]
fn what_lacks_an_input_is_skipped_and_never_passed() {
    let world = World::beside_base("");
    let checked = world.check_with(|input| {
        input.literals = None;
        input.plan = None;
        input.access = None;
        input.changes = None;
        input.observed = None;
    });
    let lines: Vec<String> = checked
        .skipped
        .iter()
        .map(|(code, what)| format!("{code} {what}"))
        .collect();
    assert_eq!(
        lines,
        [
            "RMT106 needs a plan with the access in effect",
            "RMT201 needs a plan with the access in effect",
            "RMT202 needs a plan with the access in effect",
            "RMT203 needs a plan with what it changes of access",
            "RMT205 in part: needs a plan with the access in effect",
            "RMT206 needs a plan with the access in effect",
            "RMT501 needs what lives in the targets",
            "RMT502 needs a plan, and what stands around the objects of the targets",
            "RMT503 needs what stands around the objects of the targets",
            "RMT504 in part: needs what was observed in the targets",
            "RMT601 needs the configuration's texts",
        ]
    );
}

/// What gives something and can't be evaluated isn't passed by the rules that judge what is given.
#[test]
fn what_can_not_be_evaluated_is_not_passed() {
    let world = World::beside_base("");
    let skipped = |unknown: &[&str]| -> Vec<(String, String)> {
        let effect = InEffect {
            unknown: unknown.iter().map(|one| (*one).to_owned()).collect(),
            ..InEffect::default()
        };
        let checked = world.check_with(|input| input.access = Some(&effect));
        let of_access = checked.skipped.into_iter();
        let of_access = of_access.filter(|(_, what)| what.contains("evaluated"));
        of_access.collect()
    };
    assert_eq!(skipped(&[]), []);
    let one = skipped(&["all that the policy `p` allows"]);
    let codes: Vec<&str> = one.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["RMT106", "RMT201", "RMT202", "RMT205", "RMT206"]);
    let what = "in part: needs all that the policy `p` allows, which can't be evaluated";
    assert!(one.iter().all(|(_, said)| said == what), "{one:?}");
    let many = skipped(&["a", "b", "c", "d", "e"]);
    assert_eq!(
        many[0].1,
        "in part: needs a, b, c and 2 more, which can't be evaluated"
    );
}

#[test]
fn findings_come_in_one_order() {
    let texts = ["RMT106", "RMT103", "RMT104"].map(|code| rule(code).wrong);
    let text = texts.concat();
    let world = World::beside_base(&text);
    let findings = world.check().findings;
    assert_eq!(findings, world.check().findings);
    assert!(findings.is_sorted_by(|a, b| key(a) <= key(b)));
    assert!(findings.len() > 2);
}

/// All rules on this many identities.
const MANY: usize = 10_000;
/// What they may take in a build without optimisation on a busy machine; with it, a second.
const MANY_TIME_MAX: Duration = Duration::from_secs(5);

#[test]
fn many_identities_take_little_time() {
    let keys: Vec<String> = (0..MANY).map(|number| format!("k{number}")).collect();
    let text = format!(
        "locals {{\n keys = [{}]\n}}\nidentity \"many\" {{\n for_each = {{ for key in local.keys : key \
         => key }}\n agent = agent.reporting\n environment = environment.staging\n domain = \
         each.key\n scopes = [scope.invoices_read]\n workload {{\n issuer = issuer.cluster\n \
         namespace = \"agents\"\n service_account = each.key\n }}\n}}\n",
        keys.iter()
            .map(|key| format!("\"{key}\""))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let world = World::beside_base(&text);
    assert!(world.model.identities.len() > MANY);
    let start = Instant::now();
    let checked = world.check();
    let took = start.elapsed();
    println!("{} findings in {took:?}", checked.findings.len());
    assert_eq!(
        checked.findings.len(),
        MANY,
        "each holds a scope of another domain"
    );
    assert!(took < MANY_TIME_MAX, "{took:?}");
}

/// What else a wrong example is wrong by: nothing that its reader wouldn't expect.
#[test]
fn a_wrong_example_is_wrong_by_its_own_rule() {
    for rule in rules() {
        let more: &[&str] = match rule.code {
            // Two agents in one workload have one entity in Vault.
            "RMT101" => &["RMT102"],
            // Writing policies is a way to everything.
            "RMT201" => &["RMT202"],
            _ => &[],
        };
        let mut expected = vec![rule.code];
        expected.extend(more);
        assert_eq!(wrong(rule).codes(), expected);
    }
}

#[test]
fn what_a_rule_needs_is_said_in_words() {
    let words = |code: &str| rule(code).needs();
    assert_eq!(words("RMT101"), ["model"]);
    assert_eq!(words("RMT601"), ["model"]);
    assert_eq!(words("RMT203"), ["access"]);
    assert_eq!(words("RMT501"), ["live"]);
    let all: Vec<Vec<&str>> = rules().map(Rule::needs).collect();
    for words in &all {
        let once: std::collections::BTreeSet<&&str> = words.iter().collect();
        assert_eq!((once.len(), words.is_empty()), (words.len(), false));
        assert!(
            words
                .iter()
                .all(|word| ["model", "plan", "access", "live"].contains(word))
        );
    }
    assert!(all.iter().any(|words| words.contains(&"plan")));
    assert_eq!(format!("{:?}", rule("RMT101").parts[0]), "Model");
    let weights = [Weight::ByTier, Weight::Error, Weight::Warning].map(Weight::text);
    let expected = ["error in production, warning elsewhere", "error", "warning"];
    assert_eq!(weights, expected);
}

#[test]
fn what_lives_is_known_by_a_plan_or_by_reading() {
    let world = wrong(rule("RMT501"));
    let skipped = |plan: bool, observed: bool| {
        let checked = world.check_with(|input| {
            input.plan = input.plan.filter(|_| plan);
            input.observed = input.observed.filter(|_| observed);
        });
        checked.skipped.iter().any(|(code, _)| code == "RMT501")
    };
    let all = [(true, true), (true, false), (false, true), (false, false)];
    let said = all.map(|(plan, observed)| skipped(plan, observed));
    assert_eq!(said, [false, false, false, true]);
}
