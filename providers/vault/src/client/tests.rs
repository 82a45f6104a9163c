use std::collections::BTreeMap;

use remit_sdk::declaration::ProviderConfig;
use serde_json::Map;

use super::*;

fn settings(address: Option<&str>) -> Settings {
    let config = ProviderConfig {
        instance: "vault".into(),
        provider: "vault".into(),
        attributes: BTreeMap::new(),
        blocks: Vec::new(),
        span: None,
    };
    let mut settings = Settings::from_config(&config).unwrap();
    settings.address = address.map(str::to_owned);
    settings
}

fn client(address: Option<&str>, environment: &[(&str, &str)]) -> Result<Client, String> {
    let environment = |name: &str| {
        let found = environment.iter().find(|(one, _)| *one == name);
        found.map(|(_, text)| (*text).to_owned())
    };
    Client::new(settings(address), &environment).map_err(|all| all[0].detail.clone())
}

#[test]
fn the_address_is_checked_before_anything_is_sent() {
    for address in [
        "https://v:8200",
        "https://v/prefix",
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://localhost:1",
    ] {
        assert!(client(Some(address), &[]).is_ok(), "{address}");
    }
    for (address, why) in [
        ("http://v:8200", "in clear"),
        ("http://127.0.0.1.evil:1", "in clear"),
        ("ftp://v", "no https URL"),
        ("https://u:p@v", "user name"),
        ("https://v/?x", "query"),
        ("v:8200", "no https URL"),
        ("https://v/v1", "leave out `/v1`"),
        ("https://v//v1/team", "leave out `/v1`"),
        ("https://v/%76%31/team", "leave out `/v1`"),
    ] {
        let error = client(Some(address), &[]).err().unwrap();
        assert!(error.contains(why), "{address}: {error}");
    }
    let both = [("VAULT_ADDR", "https://b"), ("BAO_ADDR", "https://a")];
    assert_eq!(
        client(None, &both).ok().unwrap().base.as_str(),
        "https://a/"
    );
    assert!(client(None, &[]).err().unwrap().contains("no address"));
}

/// What the environment says of a namespace is held to the same as what a block says.
#[test]
fn the_namespace_of_the_environment_has_one_form() {
    let of = |text| client(Some("https://v"), &[("VAULT_NAMESPACE", text)]);
    let named = |text| of(text).ok().unwrap().namespace;
    assert_eq!(named("team/").as_deref(), Some("team"));
    assert_eq!(named("root"), None);
    assert!(of("./team").err().unwrap().contains("is no namespace"));
    let mut settings = settings(Some("https://v"));
    settings.namespace = Some(String::new());
    let environment = |name: &str| (name == "VAULT_NAMESPACE").then(|| "team".to_owned());
    let root = Client::new(settings, &environment).ok().unwrap();
    assert_eq!(root.namespace, None);
}

#[test]
fn a_proxy_is_for_tls_only() {
    let proxy = |address: &str, more: &[(&str, &str)]| {
        let mut all = vec![
            ("HTTPS_PROXY", "http://u:p@proxy:3128"),
            ("HTTP_PROXY", "http://other"),
        ];
        all.extend_from_slice(more);
        client(Some(address), &all)
            .ok()
            .unwrap()
            .proxy
            .as_ref()
            .map(host)
    };
    assert_eq!(proxy("https://v", &[]).as_deref(), Some("proxy:3128"));
    assert_eq!(proxy("http://127.0.0.1", &[]), None);
    assert_eq!(proxy("https://a.v.org", &[("NO_PROXY", "x, .v.org")]), None);
    assert!(proxy("https://av.org", &[("NO_PROXY", "v.org")]).is_some());
    assert_eq!(proxy("https://v", &[("NO_PROXY", "*")]), None);
}

#[test]
fn a_status_says_what_to_do() {
    let read = Request::get("x/y");
    let write = Request::post("x/y", Map::new());
    let kind = |request: &Request, status: u16, body: &str| {
        error::judge(request, &[], status, None, body.as_bytes())
            .unwrap_err()
            .kind
    };
    for (status, body, on_read, on_write) in [
        (
            404,
            r#"{"errors":[]}"#,
            ErrorKind::NotFound,
            ErrorKind::NotFound,
        ),
        (
            404,
            r#"{"errors":["no handler for route"]}"#,
            ErrorKind::Invalid,
            ErrorKind::Invalid,
        ),
        (404, "<html>", ErrorKind::Invalid, ErrorKind::Invalid),
        (403, "", ErrorKind::Denied, ErrorKind::Denied),
        (
            400,
            r#"{"errors":["check-and-set parameter did not match"]}"#,
            ErrorKind::Conflict,
            ErrorKind::Conflict,
        ),
        (
            400,
            r#"{"errors":["path is already in use at x/"]}"#,
            ErrorKind::Conflict,
            ErrorKind::Conflict,
        ),
        (
            400,
            r#"{"errors":["failed to revoke entry"]}"#,
            ErrorKind::Transient,
            ErrorKind::Transient,
        ),
        (400, "", ErrorKind::Invalid, ErrorKind::Invalid),
        (429, "", ErrorKind::Throttled, ErrorKind::Throttled),
        (503, "", ErrorKind::Unavailable, ErrorKind::Unavailable),
        (500, "", ErrorKind::Transient, ErrorKind::Ambiguous),
        (502, "", ErrorKind::Transient, ErrorKind::Ambiguous),
        (307, "", ErrorKind::Invalid, ErrorKind::Invalid),
        (200, "<html>", ErrorKind::Invalid, ErrorKind::Ambiguous),
        (200, "[]", ErrorKind::Invalid, ErrorKind::Ambiguous),
    ] {
        assert_eq!(kind(&read, status, body), on_read, "{status} {body}");
        assert_eq!(kind(&write, status, body), on_write, "{status} {body}");
    }
    let deep = "[".repeat(1_000_000);
    assert_eq!(kind(&read, 200, &deep), ErrorKind::Invalid);
}

#[test]
fn a_message_is_short_and_safe() {
    let request = Request::get("x");
    let body = serde_json::json!({"errors": ["\u{1b}[31m".to_owned() + &"x".repeat(9000)], "token": "s.secret"});
    let error = error::judge(&request, &[], 400, None, body.to_string().as_bytes()).unwrap_err();
    assert!(error.message.len() < 500 && !error.message.contains('\u{1b}'));
    assert!(!error.message.contains("s.secret"));
    let redirect = error::judge(&request, &[], 307, Some("https://evil/"), b"").unwrap_err();
    assert!(
        redirect.message.contains("https://evil/") && redirect.message.contains("not followed")
    );
}

#[test]
fn a_text_that_quotes_a_secret_is_not_shown() {
    let request = Request::post("db/config/c", Map::new()).with_stored_secret();
    let secret = Secret::new("CANARY/secret".into());
    let judged = |secrets: SecretFields<'_>, status: u16, said: &str, location: Option<&str>| {
        let body = serde_json::json!({"errors": [said]}).to_string();
        let error = error::judge(&request, secrets, status, location, body.as_bytes());
        error.unwrap_err()
    };
    let sent: SecretFields<'_> = &[("password", &secret)];
    for said in [
        "cannot parse connection url: invalid port \":CANARY\" after host",
        "pq: canary%2fsecret is wrong",
        "x: Q0FOQVJZL3NlY3JldA==",
    ] {
        let error = judged(sent, 400, said, None);
        let text = format!("{} {}", error.message, error.help.unwrap_or_default());
        assert!(
            text.contains("POST db/config/c: 400: the server's answer is not shown"),
            "{text}"
        );
        assert!(
            !text.to_lowercase().contains("canary") && !text.contains("Q0FO"),
            "{text}"
        );
    }
    let refused = "dial tcp 127.0.0.1:1: connect: connection refused";
    assert!(judged(sent, 400, refused, None).message.ends_with(refused));
    let long = format!("{}CANARY", "x ".repeat(148));
    assert!(!judged(sent, 400, &long, None).message.contains("CANA"));
    let redirect = judged(sent, 307, "", Some("https://x/?CANARY"));
    assert!(!redirect.message.contains("CANARY"), "{}", redirect.message);
    // One that was sent earlier isn't known: nothing quoted is shown.
    for (said, shown) in [
        (
            "invalid port \":CAN\\\"ARY\" after host",
            "400: invalid port (not shown) after host",
        ),
        ("a `CANARY` b 'CANARY'", "400: a (not shown) b (not shown)"),
        ("a `b\"CANARY", "400: a (not shown)"),
        (refused, refused),
    ] {
        let message = judged(&[], 400, said, None).message;
        assert!(message.ends_with(shown), "{message}");
    }
    let cut = format!("{}'b' 'CANARY'", "x".repeat(290));
    assert!(!judged(&[], 400, &cut, None).message.contains("CANA"));
    let answer = Answer(serde_json::json!({"warnings": ["near CANARY", "slow"]}));
    let warnings = answer.warnings(&request, sent);
    assert!(
        !warnings.concat().contains("CANARY") && warnings[1] == "slow",
        "{warnings:?}"
    );
}

#[test]
fn a_refused_pair_of_metadata_is_told_without_its_value() {
    let request = Request::post("identity/entity", Map::new());
    for (reason, shown) in [
        (
            "key contains invalid characters",
            "characters other than letters",
        ),
        (
            "key is too long (limit: 128 characters)",
            "empty or too long",
        ),
        (
            "value is too long (limit: 512 characters)",
            "a value of the metadata is too long",
        ),
    ] {
        let said = format!(
            "1 error occurred:\n\t* invalid entity metadata: failed to load metadata pair (\"k\", \"a): key v\"): {reason}\n\n"
        );
        let body = serde_json::json!({"errors": [said]}).to_string();
        let error = error::judge(&request, &[], 500, None, body.as_bytes()).unwrap_err();
        assert!(error.message.contains(shown), "{}", error.message);
        assert!(!error.message.contains("a): key v"));
    }
}

#[test]
fn secrets_stand_beside_the_body() {
    let secret = Secret::new("a\"b\\c\n".into());
    let one = Map::from_iter([("x".to_owned(), Json::from(1))]);
    for body in [one, Map::new()] {
        let bytes = render(&body, &[("password", &secret)]).unwrap();
        let json: Json = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["password"], "a\"b\\c\n");
        assert_eq!(json.get("x").is_some(), !body.is_empty());
    }
    assert_eq!(&*render(&Map::new(), &[]).unwrap(), b"{}");
}

#[test]
fn an_answer_is_wiped() {
    let mut json = serde_json::json!({"auth": {"client_token": "s.x"}, "all": ["y"]});
    request::wipe(&mut json);
    assert_eq!(
        json,
        serde_json::json!({"auth": {"client_token": ""}, "all": [""]})
    );
}
