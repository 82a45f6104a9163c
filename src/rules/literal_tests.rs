//! What looks like a secret. The texts are put together here, so that no scanner takes this file
//! for a leak.

use remit_sdk::{FileId, Span};

use super::*;

/// Letters and digits in no order.
const RANDOM: &str = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7z";

fn literal(name: &str, text: &str) -> Literal {
    Literal {
        name: name.into(),
        text: text.into(),
        declaration: None,
        is_reference: false,
        span: Span::new(FileId(0), 0, 0),
    }
}

fn found(name: &str, text: &str) -> Option<&'static str> {
    secret(&literal(name, text))
}

fn random(length: usize) -> &'static str {
    &RANDOM[..length]
}

#[test]
fn tokens_by_their_form() {
    let vault = Some("a token of Vault");
    let either = Some("a token of Vault or OpenBao");
    let upper = |length: usize| random(length).to_ascii_uppercase();
    for (word, expected) in [
        (format!("hvs.{}", random(20)), vault),
        (format!("hvs.{}_{}", random(10), random(9)), vault),
        (format!("hvs.{}-{}", random(10), random(9)), vault),
        (format!("hvs.{}", random(19)), None),
        (format!("hvs.{}!", random(20)), None),
        (format!("s.{}", random(24)), either),
        (format!("s.{}", random(23)), None),
        (format!("s.{}", random(24).to_ascii_lowercase()), None),
        (format!("s.{}_{}", random(12), random(12)), None),
        (
            format!("AKIA{}", upper(16)),
            Some("an access key id of AWS"),
        ),
        (format!("AKIA{}", upper(15)), None),
        (format!("AKIA{}", upper(17)), None),
        (format!("AKIA{}", random(16)), None),
        (format!("AKIA{}-", upper(15)), None),
        (format!("AKIA{}EXAMPLE", upper(9)), None),
        (format!("ghp_{}", random(22)), Some("a token of GitHub")),
        (format!("ghp_{}", random(21)), None),
        (format!("glpat-{}", random(20)), Some("a token of GitLab")),
        (format!("glpat-{}", random(19)), None),
        (format!("xoxb-{}", random(20)), Some("a token of Slack")),
        (format!("xoxb-{}", random(19)), None),
        (format!("sk-{}", random(20)), Some("an API key")),
        (format!("sk-{}", random(19)), None),
        ("sk-a-name-that-has-no-number".into(), None),
        (
            format!("eyJhbG.eyJzdW.{}", random(16)),
            Some("a signed token"),
        ),
        (format!("eyJhbG.eyJzdW.{}", random(15)), None),
        (format!("eyJhbG.abcdef.{}", random(16)), None),
        (format!("abcdef.eyJzdW.{}", random(16)), None),
        (format!("eyJhbG.eyJzdW.{}+", random(16)), None),
    ] {
        assert_eq!(token(&word), expected, "{word}");
    }
}

#[test]
fn a_key_has_a_beginning_and_says_private() {
    let private = format!("-----BEGIN RSA {} KEY-----", "PRIVATE");
    assert_eq!(found("a", &private), Some("a private key"));
    assert_eq!(found("a", "-----BEGIN CERTIFICATE-----"), None);
    assert_eq!(found("a", &private.replace("BEGIN", "END")), None);
}

#[test]
fn a_name_is_shown_where_it_can_be_no_secret() {
    let shown = |text: &str| name(&literal(text, ""));
    assert_eq!(shown("client_secret2"), "`client_secret2`");
    assert_eq!(shown("Authorization"), "an attribute");
    assert_eq!(shown(&"a".repeat(40)), format!("`{}`", "a".repeat(40)));
    assert_eq!(shown(&"a".repeat(41)), "an attribute");
    let token = format!("ghp_{}", random(22).to_ascii_lowercase());
    assert_eq!(shown(&token), "an attribute");
}

#[test]
fn secrets_by_their_form() {
    let body = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dE3fG6hJ9k";
    for (text, what) in [
        (format!("hvs.{body}"), "a token of Vault"),
        (format!("x hvb.{body}, y"), "a token of Vault"),
        ("s.".to_owned() + &body[..24], "a token of Vault or OpenBao"),
        (
            "AKIA".to_owned() + "Q7W2E9R4T6Y1U3I5",
            "an access key id of AWS",
        ),
        (format!("ghp_{body}"), "a token of GitHub"),
        (format!("glpat-{body}"), "a token of GitLab"),
        (format!("xoxb-{body}"), "a token of Slack"),
        (format!("sk-{body}"), "an API key"),
        (format!("eyJ{body}.eyJ{body}.{body}"), "a signed token"),
        ("-----BEGIN RSA PRIVATE KEY-----\nx".into(), "a private key"),
        (
            "postgres://app:hunter2@db/x".into(),
            "a URL with a password",
        ),
    ] {
        assert_eq!(found("x", &text), Some(what), "{text}");
    }
}

#[test]
fn secrets_by_their_name() {
    let random = "q7w2e9r4t6y1u3i5";
    for (name, text) in [
        ("password", "changeme"),
        ("admin_password", "changeme"),
        ("db_password", random),
        ("client_secret", random),
        ("api_key", random),
    ] {
        assert!(found(name, text).is_some(), "{name}");
    }
}

#[test]
fn what_is_no_secret() {
    let random = "q7w2e9r4t6y1u3i5";
    for (name, text) in [
        ("description", random),
        ("token_type", "service"),
        ("token_policies", random),
        ("secret_arn", random),
        ("public_token_keys", random),
        ("token", "aaaaaaaaaaaaaaaa1"),
        ("statements", "CREATE ROLE x PASSWORD '{{password}}'"),
        (
            "connection_url",
            "postgres://{{username}}:{{password}}@db/x",
        ),
        ("url", "https://a.example:8200/x@y"),
        ("x", "AKIAIOSFODNN7EXAMPLE"),
        ("x", "s.example"),
        ("x", "sk-learn"),
        ("password", "{{password}}"),
        ("path", "kv/data/invoices/*"),
        ("secret", "kv/data/payments/database-2"),
        ("access_key", "payments-reporting-2026"),
    ] {
        assert_eq!(found(name, text), None, "{name} = {text}");
    }
}
