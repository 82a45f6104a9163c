//! Small configurations and what they give, or what is wrong with them and where.

use remit_sdk::value::PendingPart;
use remit_sdk::{DeclarationAddress, SecretRef, Value};

use crate::model::fixture::{Case, mistakes, mistakes_in, model, one_mistake, run};

/// The value of one expression, beside some declarations it may refer to.
fn value(expression: &str) -> Value {
    let text = format!("{DECLARATIONS}\noutput \"x\" {{ value = {expression} }}");
    model(&text).outputs["x"].value.clone()
}

/// Checks the one mistake of an expression.
fn wrong(expression: &str, summary: &str, underlined: &str) {
    let text = format!("{DECLARATIONS}\noutput \"x\" {{ value = {expression} }}");
    one_mistake(&text, summary, underlined);
}

const DECLARATIONS: &str = r#"
locals {
  list   = [1, 2, 3]
  map    = { a = "x", b = "y" }
  name   = "n"
  people = [{ name = "ann", age = 3 }, { name = "bob", age = 5 }]
}
variable "secret" {
  sensitive = true
  default   = env("SECRET")
}
environment "prod" { tier = "production" }
environment "each" {
  for_each = { eu = "staging", us = "development" }
  tier     = each.value
}
resource "vault_policy" "p" {
  name     = "Upper"
  password = var.secret
}
resource "vault_policy" "q" {
  for_each = { a = 1 }
  provider = provider.vault.audit
  name     = "q-${each.key}"
  policy   = "n ${vault_policy.p.name}"
}
provider "vault" "audit" {}
"#;

fn json(value: &Value) -> String {
    value.to_json().to_string()
}

#[test]
fn expressions() {
    for (expression, wanted) in [
        ("null", "null"),
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("7 % 4", "3"),
        ("1 / 2", "0.5"),
        ("-local.list[0]", "-1"),
        ("!false", "true"),
        ("1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "true"),
        ("1 == \"1\"", "false"),
        ("\"2\" + 1", "3"),
        ("true || local.list[9]", "true"),
        ("false && local.list[9]", "false"),
        ("true ? 1 : local.list[9]", "1"),
        ("false ? local.list[9] : 2", "2"),
        ("[1, \"a\", null]", "[1,\"a\",null]"),
        (
            "{ a = 1, \"b c\" = 2, (local.name) = 3 }",
            r#"{"a":1,"b c":2,"n":3}"#,
        ),
        ("local.list[1]", "2"),
        ("local.list[\"1\"]", "2"),
        ("local.map.a", "\"x\""),
        ("local.map[\"b\"]", "\"y\""),
        ("local.people[*].name", r#"["ann","bob"]"#),
        ("local.people.*.age", "[3,5]"),
        ("null[*]", "[]"),
        ("local.name[*]", "[\"n\"]"),
        ("\"${local.list}\"", "[1,2,3]"),
        ("\"a-${local.name}-${1 + 1}-${true}\"", "\"a-n-2-true\""),
        (
            "\"%{ if local.name == \"n\" }yes%{ else }no%{ endif }\"",
            "\"yes\"",
        ),
        (
            "\"%{ for k, v in local.map }${k}${v} %{ endfor }\"",
            "\"ax by \"",
        ),
        ("[for n in local.list : n * 2 if n != 2]", "[2,6]"),
        ("[for i, n in local.list : i + n]", "[1,3,5]"),
        ("{ for k, v in local.map : v => k }", r#"{"x":"a","y":"b"}"#),
        (
            "{ for p in local.people : \"all\" => p.name... }",
            r#"{"all":["ann","bob"]}"#,
        ),
        (
            "[for a in local.list : [for b in local.list : a * b]][2]",
            "[3,6,9]",
        ),
        ("upper(local.name)", "\"N\""),
        ("try(local.map.c, local.map.d, 5)", "5"),
        ("can(local.map.c)", "false"),
        ("can(local.map.a)", "true"),
        ("path.root", "\".\""),
    ] {
        assert_eq!(json(&value(expression)), wanted, "{expression}");
    }
}

#[test]
fn mistakes_in_expressions() {
    for (expression, summary, underlined) in [
        ("5 % 0", "calculation without a result", "5 % 0"),
        (
            "1 + 9223372036854775807",
            "calculation without a result",
            "1 + 9223372036854775807",
        ),
        ("1 + null", "wrong type of operand", "null"),
        ("[] < 1", "wrong type of operand", "[]"),
        ("-\"a\"", "wrong type of operand", "\"a\""),
        ("1 ? 2 : 3", "invalid condition", "1"),
        ("\"a\" && true", "invalid condition", "\"a\""),
        ("local.nam", "reference to something undeclared", "nam"),
        (
            "var.nothing",
            "reference to something undeclared",
            "nothing",
        ),
        (
            "environment.prd",
            "reference to something undeclared",
            "prd",
        ),
        ("vault_policy.x", "reference to something undeclared", "x"),
        ("nothing", "unknown name", "nothing"),
        ("var", "incomplete reference", "var"),
        ("path.nothing", "unknown name", "nothing"),
        ("each.key", "`each` without `for_each`", "each.key"),
        ("local.list[3]", "no such index", "3"),
        ("local.list[-1]", "no such index", "-1"),
        ("local.list.a", "value without parts", "local.list"),
        ("local.map.c", "no such key", "c"),
        ("local.map[\"c\"]", "no such key", "\"c\""),
        ("local.name.x", "value without parts", "local.name"),
        ("toset([1])[0]", "a set has no order", "0"),
        (
            "environment.prod[\"a\"]",
            "no instances to choose from",
            "\"a\"",
        ),
        ("environment.each[\"ue\"]", "no such instance", "\"ue\""),
        ("environment.prod.nam", "unknown attribute", "nam"),
        ("vault_policy.p.nam", "unknown attribute", "nam"),
        ("nothing()", "unknown function", "nothing"),
        ("uper(\"a\")", "unknown function", "uper"),
        (
            "try(local.map.c)",
            "nothing left to try",
            "try(local.map.c)",
        ),
        ("env()", "wrong arguments", "env()"),
        ("vault(\"a\")", "wrong arguments", "vault(\"a\")"),
        (
            "upper(local.list...)",
            "function call failed",
            "upper(local.list...)",
        ),
        ("upper(\"a\"...)", "wrong arguments", "\"a\""),
        (
            "{ a = 1, (\"${\"a\"}\") = 2 }",
            "key given twice",
            "(\"${\"a\"}\")",
        ),
        (
            "{ for p in local.people : \"k\" => p }",
            "key given twice",
            "\"k\"",
        ),
        ("{ (local.list) = 1 }", "invalid key", "local.list"),
        ("[for x in 5 : x]", "nothing to go through", "5"),
        (
            "\"a${local.list}\"",
            "wrong type in a template",
            "local.list",
        ),
        ("\"a${null}\"", "wrong type in a template", "null"),
        (
            "\"a${environment.prod}\"",
            "wrong type in a template",
            "environment.prod",
        ),
        ("provider.valt", "unknown provider", "valt"),
        (
            "provider.vault.audi",
            "reference to something undeclared",
            "audi",
        ),
    ] {
        wrong(expression, summary, underlined);
    }
}

#[test]
fn every_mistake_is_found() {
    let found = mistakes(
        r#"
locals {
  a = [local.x, "${local.y} ${local.z}", { k = 1 + null }]
  b = local.a
  c = "${local.b}"
}
output "a" { value = local.c }
output "b" { value = nothing }
"#,
    );
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["x", "y", "z", "null", "nothing"]);
}

#[test]
fn references_to_declarations() {
    let declaration = |name: &str| DeclarationAddress::new("environment", name);
    assert_eq!(
        value("environment.prod"),
        Value::Declaration(declaration("prod"))
    );
    assert_eq!(
        value("environment.each[\"eu\"]"),
        Value::Declaration(declaration("each").with_key("eu"))
    );
    assert_eq!(
        json(&value("environment.each")),
        r#"{"eu":{"$declaration":"environment.each[\"eu\"]"},"us":{"$declaration":"environment.each[\"us\"]"}}"#
    );
    for (expression, wanted) in [
        ("environment.prod.tier", "\"production\""),
        ("environment.each[\"eu\"].name", "\"each-eu\""),
        (
            "[for e in environment.each : e.tier]",
            r#"["staging","development"]"#,
        ),
        ("vault_policy.p.name", "\"upper\""),
        ("vault_policy.p.size", "7"),
        ("vault_policy.q[\"a\"].policy", "\"n upper\""),
    ] {
        assert_eq!(json(&value(expression)), wanted, "{expression}");
    }
}

#[test]
fn pending_values() {
    const PENDING: &str = "value known only after apply";
    let part = |object: &str, attribute: &str| PendingPart::Attribute {
        address: object.parse().unwrap(),
        attribute: attribute.into(),
    };
    let parts = |expression: &str| match value(expression) {
        Value::Pending(pending) => pending.parts,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        parts("vault_policy.p.accessor"),
        [part("vault_policy.p/vault_policy", "accessor")]
    );
    assert_eq!(
        parts("vault_policy.q[\"a\"].id"),
        [part("vault_policy.q[\"a\"]@audit/vault_policy", "id")]
    );
    assert_eq!(
        parts("\"x-${vault_policy.p.id}-${\"${vault_policy.p.id}!\"}\""),
        [
            PendingPart::Text("x-".into()),
            part("vault_policy.p/vault_policy", "id"),
            PendingPart::Text("-".into()),
            part("vault_policy.p/vault_policy", "id"),
            PendingPart::Text("!".into()),
        ]
    );
    assert!(value("{ a = [vault_policy.p.id] }").has_pending());
    for (expression, summary) in [
        ("upper(vault_policy.p.id)", PENDING),
        ("upper([vault_policy.p.id])", PENDING),
        ("1 + vault_policy.p.id", PENDING),
        ("vault_policy.p.id == null", PENDING),
        ("vault_policy.p.id ? 1 : 2", "invalid condition"),
        ("{ (vault_policy.p.id) = 1 }", "invalid key"),
        ("local.map[vault_policy.p.id]", "invalid key"),
        ("local.list[vault_policy.p.id]", PENDING),
        ("[for x in vault_policy.p.id : x]", PENDING),
        ("vault_policy.p.id.x", PENDING),
    ] {
        let text = format!("{DECLARATIONS}\noutput \"x\" {{ value = {expression} }}");
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{expression}: {found:?}");
        assert_eq!(found[0].0, summary, "{expression}");
        assert!(found[0].1.contains("vault_policy.p.id"), "{expression}");
    }
}

#[test]
fn secrets_are_used_whole() {
    const SECRET: &str = "secret used in an expression";
    let text = r#"
variable "token" { sensitive = true }
resource "vault_policy" "p" {
  name     = "p"
  password = "${var.token}"
}
"#;
    let case = Case {
        text,
        environment: &[("REMIT_VAR_token", "CANARY")],
        ..Case::default()
    };
    let (model, _) = run(&case).0.unwrap();
    let resource = model.resources.values().next().unwrap();
    let secret = Value::Secret(SecretRef::Variable("token".into()));
    assert_eq!(resource.attributes["password"].value, secret);
    assert!(!format!("{model:?}").contains("CANARY"));
    for (expression, summary, underlined) in [
        ("upper(var.secret)", SECRET, "var.secret"),
        ("\"a${var.secret}\"", SECRET, "var.secret"),
        ("var.secret == \"a\"", SECRET, "var.secret"),
        ("env(\"A\") + 1", SECRET, "env(\"A\")"),
        ("[for c in var.secret : c]", SECRET, "var.secret"),
        ("vault(\"kv/data/x\", env(\"A\"))", SECRET, "env(\"A\")"),
        ("var.secret", "secret in an output", "var.secret"),
        ("[env(\"A\")]", "secret in an output", "[env(\"A\")]"),
        ("{ (var.secret) = 1 }", "invalid key", "var.secret"),
        ("var.secret ? 1 : 2", "invalid condition", "var.secret"),
    ] {
        wrong(expression, summary, underlined);
    }
}

#[test]
fn cycles_show_their_path() {
    let (result, _) = run(&Case {
        text: "locals {\n a = local.b\n b = [local.c]\n c = try(local.a, 1)\n}",
        ..Case::default()
    });
    let errors = result.unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].summary, "reference cycle");
    assert!(
        errors[0]
            .detail
            .contains("local.a -> local.b -> local.c -> local.a"),
        "{}",
        errors[0].detail
    );
    let found = mistakes(
        r#"
resource "vault_policy" "a" {
  for_each = { x = vault_policy.a }
  name     = "a"
}
resource "vault_policy" "b" {
  name   = "b"
  policy = vault_policy.c.policy
}
resource "vault_policy" "c" {
  name   = vault_policy.b.name
  policy = vault_policy.b.policy
}
"#,
    );
    assert_eq!(
        found,
        [
            ("reference cycle".into(), "vault_policy.a".to_owned()),
            ("reference cycle".into(), "policy".to_owned()),
        ]
    );
}

#[test]
fn a_long_chain_is_a_diagnostic_and_no_overflow() {
    let chain = |length: usize| {
        let links: Vec<String> = (1..length)
            .map(|index| format!("x{index} = \"${{local.x{}}}\"", index - 1))
            .collect();
        format!(
            "locals {{
 x0 = 1
 {}
}}",
            links.join(
                "
 "
            )
        )
    };
    // Names sort so that some links are asked for before those they need.
    let found = mistakes(&chain(100_000).replace("x0 = 1", "x0 = local.x99999"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "references nested too deeply");
    assert_eq!(mistakes(&chain(500)), []);
}

#[test]
fn expansion_is_limited() {
    let chain = |first: &str, copies: usize, length: usize| {
        let links: Vec<String> = (1..length)
            .map(|index| {
                let before = format!("local.a{}", index - 1);
                format!("a{index} = [{}]", vec![before; copies].join(", "))
            })
            .collect();
        mistakes(&format!(
            "locals {{\n a0 = {first}\n {}\n}}",
            links.join("\n ")
        ))
    };
    // Eight to the twelfth entries; two hundred lists in each other.
    assert_eq!(
        chain("[1, 1, 1, 1, 1, 1, 1, 1]", 8, 12)[0].0,
        "value too large"
    );
    assert_eq!(chain("[]", 1, 200)[0].0, "value too large");

    let ten = "[1,2,3,4,5,6,7,8,9,10]";
    let mut expression = "1".to_owned();
    for depth in 0..9 {
        expression = format!("[for x{depth} in {ten} : {expression} if true]");
    }
    let found = mistakes(&format!(
        "locals {{\n a = {expression}\n b = {expression}\n}}"
    ));
    assert!(!found.is_empty());
}

#[test]
fn for_each() {
    let wrong = |expression: &str, underlined: &str| {
        let text = format!(
            "{DECLARATIONS}\nenvironment \"x\" {{\n for_each = {expression}\n tier = \"staging\"\n}}"
        );
        one_mistake(&text, "invalid `for_each`", underlined);
    };
    wrong("[1]", "[1]");
    wrong("null", "null");
    wrong("vault_policy.p.id", "vault_policy.p.id");
    wrong("var.secret", "var.secret");
    wrong("toset([1])", "toset([1])");
    wrong("5", "5");
    let text = r#"
environment "x" {
  for_each = toset(["b", "a"])
  tier     = "staging"
}
locals {
  names = [for e in environment.x : e.name]
}
output "names" { value = local.names }
"#;
    assert_eq!(
        json(&model(text).outputs["names"].value),
        r#"["x-a","x-b"]"#
    );
    let many: Vec<String> = (0..10_001).map(|n| format!("k{n} = 1")).collect();
    let text = format!(
        "environment \"x\" {{\n for_each = {{ {} }}\n tier = \"staging\"\n}}",
        many.join(", ")
    );
    assert_eq!(mistakes(&text)[0].0, "invalid `for_each`");
}

#[test]
fn unknown_and_future_blocks() {
    for (text, summary, underlined) in [
        ("agnt \"x\" {}", "unknown block", "agnt"),
        ("module \"x\" {}", "not in this version", "module \"x\""),
        (
            "data \"vault_policy\" \"x\" {}",
            "not in this version",
            "data \"vault_policy\" \"x\"",
        ),
        ("import {}", "not in this version", "import"),
        (
            "credential \"x\" {}",
            "not in this version",
            "credential \"x\"",
        ),
        (
            "output \"x\" { value = module.m.y }\nmodule \"m\" {}",
            "not in this version",
            "module \"m\"",
        ),
        (
            "environment { tier = \"staging\" }",
            "wrong number of labels",
            "environment",
        ),
        (
            "environment \"A\" { tier = \"staging\" }",
            "invalid label",
            "\"A\"",
        ),
        (
            "environment \"a\" { tier = \"staging\" }\nenvironment \"a\" { tier = \"x\" }",
            "declared twice",
            "environment \"a\"",
        ),
        ("locals { a = 1 }\nlocals { a = 2 }", "declared twice", "a"),
        ("remit {}\nremit {}", "declared twice", "remit"),
        ("a = 1", "attribute outside a block", "a"),
        ("provider \"gcp\" {}", "unknown provider", "\"gcp\""),
        ("provider \"valt\" {}", "unknown provider", "\"valt\""),
        (
            "resource \"vault_polcy\" \"x\" {}",
            "unknown resource kind",
            "\"vault_polcy\"",
        ),
    ] {
        one_mistake(text, summary, underlined);
    }
}

#[test]
fn a_template_file_sees_only_its_variables() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("a.tpl"),
        "Hi ${name}\n%{ if big }BIG%{ endif }",
    )
    .unwrap();
    std::fs::write(directory.path().join("b.tpl"), "one\n${local.x}\n").unwrap();
    let case = |text| Case {
        text,
        root: directory.path().to_owned(),
        ..Case::default()
    };
    let (result, _) = run(&case(
        r#"output "x" { value = templatefile("a.tpl", { name = "ann", big = true }) }"#,
    ));
    let (model, _) = result.unwrap();
    assert_eq!(model.outputs["x"].value, Value::string("Hi ann\nBIG"));
    let wrong = case("locals { x = 1 }\noutput \"x\" { value = templatefile(\"b.tpl\", {}) }");
    let errors = run(&wrong).0.unwrap_err();
    assert!(
        errors[0].detail.contains("template `b.tpl`, line 2"),
        "{errors:?}"
    );
    assert_eq!(mistakes_in(&wrong)[0].1, "\"b.tpl\"");
}
