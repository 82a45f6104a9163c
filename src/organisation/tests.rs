//! What policies find, and each way in which they fail.

use serde_json::json;

use super::*;
use crate::rules::Severity;

fn policies(all: &[(&str, &str)]) -> Vec<PolicyFile> {
    all.iter()
        .map(|(path, text)| PolicyFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect()
}

fn plan() -> Json {
    json!({ "timestamp": "2026-11-27T10:00:00Z", "remit": { "access_changes": [
        { "identity": "identity.x[\"prod\"]", "tier": "production", "widens": true },
    ]}})
}

fn judge(text: &str) -> Result<Vec<Finding>, Vec<Fault>> {
    let quick = Limits {
        milliseconds: 300,
        findings: 10,
    };
    check(
        &policies(&[("policy/a.rego", text)]),
        &json!({}),
        &plan(),
        quick,
    )
}

/// `severity name: what` of each finding.
fn said(text: &str) -> Vec<String> {
    judge(text)
        .unwrap()
        .iter()
        .map(|one| format!("{:?} {} {}: {}", one.severity, one.rule, one.name, one.what))
        .collect()
}

fn fault(text: &str) -> Fault {
    let mut faults = judge(text).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.remove(0)
}

#[test]
fn denials_are_errors_and_warnings_warn() {
    assert_eq!(
        said(
            "package remit\n\
             deny contains \"d\"\nviolation contains {\"msg\": \"v\"}\nwarn contains \"w\"\n\
             deny_more contains msg if { some i in input.remit.access_changes; msg := i.tier }\n\
             warn_never contains \"x\" if input.nothing\n"
        ),
        [
            "Error ORG a: d",
            "Error ORG a: production",
            "Error ORG a: v",
            "Warning ORG a: w",
        ]
    );
    assert_eq!(
        said("package main\ndeny contains \"d\""),
        ["Error ORG a: d"]
    );
    assert_eq!(
        said("package remit[\"a-b\"]\ndeny contains \"d\""),
        ["Error ORG a: d"]
    );
}

#[test]
fn an_object_says_more() {
    let found = judge(
        "package remit\ndeny contains {\"msg\": \"m\", \"address\": i.identity, \"help\": \"h\", \"why\": \"w\", \"details\": 1} if some i in input.remit.access_changes",
    )
    .unwrap();
    let address = found[0].address.as_ref().map(ToString::to_string);
    assert_eq!(address.as_deref(), Some("identity.x[\"prod\"]"));
    assert_eq!((&*found[0].help, &*found[0].why), ("h", "w"));
    assert!(found[0].stops() && found[0].severity == Severity::Error);
}

#[test]
fn findings_are_named_after_the_one_file_or_the_package() {
    let all = policies(&[
        ("p/one.rego", "package remit\ndeny contains data.lib.text\n"),
        (
            "p/two.rego",
            "package remit\ndeny contains \"b\"\nwarn contains \"c\"\n",
        ),
        ("p/lib.rego", "package lib\ntext := data.words.a\n"),
    ]);
    let data = json!({ "words": { "a": "a" } });
    let found = check(&all, &data, &plan(), Limits::default()).unwrap();
    let names: Vec<String> = found
        .iter()
        .map(|one| format!("{} {}", one.name, one.what))
        .collect();
    assert_eq!(names, ["remit a", "remit b", "two c"]);
}

#[test]
fn the_time_is_the_plans_own_and_nothing_is_drawn() {
    assert_eq!(
        said(
            "package remit\n\
             deny contains time.weekday(time.parse_rfc3339_ns(input.timestamp))\n\
             warn contains time.weekday(time.now_ns())\n"
        ),
        ["Error ORG a: Friday", "Warning ORG a: Friday"]
    );
    let drawn = fault("package remit\ndeny contains sprintf(\"%d\", [rand.intn(\"x\", 5)])");
    assert_eq!(drawn.summary, "policy fails");
    assert!(drawn.detail.contains("nothing is drawn"), "{drawn:?}");
    let all = policies(&[(
        "a.rego",
        "package remit\ndeny contains \"x\" if time.now_ns() > 0",
    )]);
    let faults = check(&all, &json!({}), &json!({}), Limits::default()).unwrap_err();
    assert!(faults[0].detail.contains("says no time"), "{faults:?}");
}

#[test]
fn what_reaches_outside_is_a_fault_wherever_it_stands() {
    for call in [
        "http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"})",
        "opa.runtime()",
        "net.lookup_ip_addr(\"localhost\")",
        "uuid.rfc4122(\"x\")",
    ] {
        for text in [
            format!("package remit\ndeny contains \"x\" if {{ not {call} }}"),
            format!("package remit\ndeny contains \"x\" if {{ x := {call}; x }}"),
            format!("package remit\ndeny contains \"x\" if {{ count([1 | {call}]) > 0 }}"),
            format!("package remit\ndeny contains \"x\" if {{ f(1) }}\nf(x) if {{ {call} }}"),
        ] {
            let fault = fault(&text);
            assert_eq!(fault.summary, "policy fails", "{text}: {fault:?}");
            assert!(
                fault.detail.contains("could not find function"),
                "{text}: {fault:?}"
            );
        }
    }
}

#[test]
fn a_policy_that_is_not_understood_never_agrees() {
    for (text, summary, detail) in [
        ("", "policy can't be read", ""),
        (
            "package remit\ndeny contains if {",
            "policy can't be read",
            "",
        ),
        (
            "package remit\ndeny[msg] { msg := \"x\" }",
            "policy can't be read",
            "",
        ),
        (
            "package remit\nallow := true",
            "policy without a rule",
            "`remit`",
        ),
        (
            "package terraform\ndeny contains \"x\"",
            "policy that nobody asks",
            "`deny`",
        ),
        ("package lib\nx := 1", "no policies", ""),
        (
            "package remit\n# deny\nallow := \"deny\"",
            "policy without a rule",
            "",
        ),
        (
            "package remit\ndeny := true",
            "answer of a policy can't be read",
            "no set",
        ),
        (
            "package remit\ndeny := \"x\"",
            "answer of a policy can't be read",
            "no set",
        ),
        ("package remit\ndeny[\"x\"] := 1", "policy fails", "no set"),
        (
            "package remit\ndeny contains 1",
            "answer of a policy can't be read",
            "neither",
        ),
        (
            "package remit\ndeny contains \" \"",
            "answer of a policy can't be read",
            "empty",
        ),
        (
            "package remit\ndeny contains {\"m\": 1}",
            "answer of a policy can't be read",
            "without `msg`",
        ),
        (
            "package remit\ndeny contains {\"msg\": \"x\", \"address\": \"no address\"}",
            "answer of a policy can't be read",
            "`address`",
        ),
        (
            "package remit\ndeny contains to_number(\"x\")",
            "policy fails",
            "",
        ),
        (
            "package remit\ndeny contains \"x\" if { undefined_name }",
            "policy fails",
            "",
        ),
        (
            "package remit\ndeny contains \"x\" if { unheard(1) }",
            "policy fails",
            "unheard",
        ),
        (
            "package remit\ndeny contains \"x\" if a\na if b\nb if a",
            "policy fails",
            "",
        ),
    ] {
        let fault = fault(text);
        assert_eq!(fault.summary, summary, "{text}: {fault:?}");
        assert!(fault.detail.contains(detail), "{text}: {fault:?}");
    }
}

#[test]
fn a_fault_names_its_place() {
    let text = "package remit\n\ndeny contains \"ä\" if { x := := 1 }\n";
    let fault = fault(text);
    let mut sources = SourceMap::default();
    sources.add("main.remit.hcl".into(), "".into());
    sources.add("policy/a.rego".into(), text.into());
    let diagnostic = fault.diagnostic(&sources);
    let span = diagnostic.span.unwrap();
    assert_eq!(sources.place(span), "policy/a.rego:3");
    assert_eq!((sources.text(span), span.start), (":", 44), "{fault:?}");
    let elsewhere = fault.diagnostic(&SourceMap::default());
    assert!(
        elsewhere.detail.starts_with("policy/a.rego:3: "),
        "{elsewhere:?}"
    );
}

#[test]
fn a_rule_that_never_ends_is_stopped() {
    let text = "package remit\n\
        n := numbers.range(1, 3000)\n\
        deny contains \"x\" if { some a in n; some b in n; some c in n; a * b * c == -1 }";
    assert_eq!(fault(text).summary, "policy takes too long");
}

#[test]
fn more_findings_than_anybody_reads_are_a_fault() {
    let text =
        "package remit\ndeny contains sprintf(\"%d\", [n]) if some n in numbers.range(1, 11)";
    assert_eq!(fault(text).summary, "too many findings");
}

/// What a policy says is bounded by what people read, not by the memory it may take.
#[test]
fn an_answer_is_short() {
    let say = |field: &str| {
        let long = format!(r#"concat("", [x | some i in numbers.range(1, 5000); x := "{field}"])"#);
        format!("package remit\ndeny contains {{\"msg\": \"m\", \"address\": {long}}} if true\n")
    };
    let fault = fault(&say("a"));
    assert!(fault.detail.contains("longer than 2000 bytes"), "{fault:?}");
    let why = say("a").replace("address", "why");
    assert_eq!(judge(&why).unwrap()[0].why.len(), 2000);
    assert_eq!(Fault::new("s", "x".repeat(5000)).detail.len(), 4000);
}

#[test]
fn nothing_steers_the_terminal() {
    let said = said("package remit\ndeny contains \"a\\u001b[31mb\"");
    assert!(!said[0].contains('\u{1b}'), "{said:?}");
}

#[test]
fn tests_hold_or_dont() {
    let all = policies(&[
        ("a.rego", "package remit\ndeny contains \"x\" if input.a"),
        (
            "a_test.rego",
            "package remit_test\nimport data.remit\n\
             test_yes if count(remit.deny) == 1 with input as {\"a\": true}\n\
             test_no if count(remit.deny) == 1 with input as {}\n",
        ),
    ]);
    assert_eq!(
        test(&all, Limits::default()).unwrap(),
        [
            ("data.remit_test.test_no".to_owned(), false),
            ("data.remit_test.test_yes".to_owned(), true),
        ]
    );
}
