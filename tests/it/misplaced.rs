//! Secrets where none belong: refused, and never shown, whatever mistake they are part of.

use std::fs;

use crate::support::canary;
use crate::support::workspace::Workspace;

const SECRET: &str = "c4n4ry7misplaced";

const START: &str = r#"
provider "vault" {
  address = "http://127.0.0.1:1"
}
variable "pw" {
  type      = string
  sensitive = true
}
variable "size" {
  type    = number
  default = 1
}
resource "vault_database_connection" "c" {
  mount            = "db"
  name             = "c"
  plugin_name      = "postgresql-database-plugin"
  connection_url   = "postgresql://{{username}}:{{password}}@h/x"
  username         = "u"
  password         = var.pw
  password_version = var.size
}
"#;

/// Checks what `validate` says, to people and to machines, and that it says no.
fn refused(what: &str, space: &Workspace, arguments: &[&str], summary: &str) {
    for json in [false, true] {
        let mut all = vec!["validate"];
        all.extend_from_slice(arguments);
        all.extend(json.then_some("--json"));
        let output = space.remit(&all);
        let told = format!("{}{}", output.stdout, output.stderr);
        assert_eq!(output.code, Some(1), "{what}: {told}");
        assert!(told.contains(summary), "{what}: {told}");
        assert_eq!(canary::in_text(SECRET, &told), None, "{what}: {told}");
    }
}

#[test]
fn a_secret_in_a_file_of_values_is_not_shown() {
    let written = "secret written in configuration";
    for (values, summary) in [
        ("pw = \"SECRET\"\n", written),
        ("pw = SECRET\n", written),
        ("pw = [\"SECRET\"]\n", written),
        ("pw = \"a${upper(\"SECRET\")}\"\n", written),
        ("pw = <<-E\n  SECRET\nE\n", written),
        ("pw = upper(\"SECRET\")\n", written),
        (
            "size = \"x\"\npw   = \"SECRET\"\n",
            "value of the wrong type",
        ),
        ("pw = \"SECRET\nsize = 1\n", "not closed"),
        ("pw = SECRET SECRET\n", "v.hcl"),
        ("pw = \"SECRET\" \"SECRET\"\n", "v.hcl"),
        ("size = 1 1\npw = \"SECRET\"\n", "v.hcl"),
        ("pw = 'SECRET'\n", "v.hcl"),
        ("pw: \"SECRET\"\n", "v.hcl"),
        ("pw = <<E\nSECRET\n", "v.hcl"),
        ("pw {\n  x = \"SECRET\"\n}\n", "block among variable values"),
        (
            "pw = env(\"SECRET-1\")\n",
            "name of an environment variable",
        ),
    ] {
        let space = Workspace::new(START);
        space.write("v.hcl", &values.replace("SECRET", SECRET));
        refused(values, &space, &["--var-file", "v.hcl"], summary);
        // The same where the file is read by itself.
        let auto = space.path().join("v.hcl.auto.remitvars.hcl");
        fs::rename(space.path().join("v.hcl"), auto).unwrap();
        refused(values, &space, &[], summary);
    }
    // A name that nobody declared: a warning, and it may be a misspelt one.
    let space = Workspace::new(START);
    space.write("v.hcl", &format!("pww = \"{SECRET}\"\nsize = \"x\"\n"));
    refused(
        "misspelt",
        &space,
        &["--var-file", "v.hcl"],
        "undeclared variable",
    );
}

#[test]
fn a_secret_in_a_configuration_is_not_shown() {
    let quoted = format!("\"{SECRET}\"");
    for (what, from, to, summary) in [
        (
            "a literal",
            "= var.pw",
            &*format!("= {quoted}"),
            "takes a secret",
        ),
        (
            "beside another mistake",
            "= var.pw",
            &format!("= {quoted}\n  max_open_connections = \"x\""),
            "takes a secret",
        ),
        (
            "a misspelt attribute",
            "password         = var.pw",
            &format!("pasword = {quoted}"),
            "no attribute `pasword`",
        ),
        (
            "an attribute of no known name",
            "address =",
            &format!("zzzzzz = {quoted}\n  address ="),
            "has no attribute `zzzzzz`",
        ),
        (
            "in a URL",
            "{{username}}:{{password}}",
            &format!("u:{SECRET}"),
            "the URL holds a password",
        ),
        (
            "a default",
            "sensitive = true",
            &format!("sensitive = true\n  default = {quoted}"),
            "is sensitive",
        ),
        (
            "a bare default",
            "sensitive = true",
            &format!("sensitive = true\n  default = {SECRET}"),
            "is sensitive",
        ),
        (
            "a token",
            "address =",
            &format!("token = {quoted}\n  address ="),
            "a token is never written",
        ),
        (
            "a token's variable",
            "address =",
            &format!("login \"token\" {{\n    token_env = \"s.{SECRET}\"\n  }}\n  address ="),
            "name of an environment variable",
        ),
        (
            "env() of the secret",
            "= var.pw",
            &format!("= env(\"{SECRET}/x\")"),
            "name of an environment variable",
        ),
    ] {
        assert!(START.contains(from), "{from}");
        let mut space = Workspace::new(&START.replace(from, to));
        if !to.contains("default") {
            space.set("REMIT_VAR_pw", "x");
        }
        refused(what, &space, &[], summary);
    }
}
