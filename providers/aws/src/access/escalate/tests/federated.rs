//! Roles that trust an identity provider, and who may change that.

use super::*;

const SAML: &str = "arn:aws:iam::111122223333:saml-provider/corp";
const OIDC: &str = "arn:aws:iam::111122223333:oidc-provider/idp.example.com/A";
const WITH_SAML: &str = "sts:AssumeRoleWithSAML";
const WITH_TOKEN: &str = "sts:AssumeRoleWithWebIdentity";

const SERVER: &str = "whether AWS goes by the thumbprint, as it does where no authority that it knows signed the server's certificate, and reaches a server of its own";
const TOKEN: &str = "whether it has a token of that issuer for another audience";

fn lets_in(provider: &str, action: &str, conditions: &str) -> String {
    document(&format!(
        r#"{{"Effect":"Allow","Action":"{action}","Principal":{{"Federated":"{provider}"}},"Condition":{{{conditions}}}}}"#
    ))
}

/// What it depends on to become a known role that trusts so, if it may.
fn known_way(action: &str, on: &str, trust: &str) -> Option<Escalation> {
    let mut all = found(&r(&allow(action, on)).role("t", trust));
    all.retain(|one| one.gain == leads_to("t"));
    assert!(all.len() <= 1, "{all:#?}");
    all.pop()
}

#[test]
fn a_saml_providers_keys() {
    let change = |on: &str, trust: &str| known_way("iam:UpdateSAMLProvider", on, trust);
    let aud = r#""StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}"#;
    let trust = lets_in(SAML, WITH_SAML, aud);
    let way = change(SAML, &trust).unwrap();
    assert_eq!(way.method, "update-saml-provider");
    assert_eq!(
        way.how,
        "logs in as role t by a key of its own, which it gives a SAML provider"
    );
    // Who signs says for whom it is.
    assert_eq!(way.depends, [] as [&str; 0]);
    assert_eq!(way.by.first().unwrap().resources, set([SAML]));
    let from = r#""StringEquals":{"aws:k":"a","saml:sub":"x"}"#;
    let limited = change(SAML, &lets_in(SAML, WITH_SAML, from)).unwrap();
    assert_eq!(limited.depends, ["aws:k"]);
    // Another provider, another action, another kind, and nobody.
    assert_eq!(
        change("arn:aws:iam::111122223333:saml-provider/x", &trust),
        None
    );
    assert_eq!(change("*", &lets_in(SAML, WITH_TOKEN, "")), None);
    assert_eq!(change("*", &lets_in(OIDC, WITH_SAML, "")), None);
    assert_eq!(change("*", &lets_in("corp", WITH_SAML, "")), None);
    let root = "arn:aws:iam::111122223333:root";
    assert_eq!(change("*", &lets_in(root, WITH_SAML, "")), None);
    assert_eq!(change("*", "{"), None);
}

#[test]
fn roles_that_trust_a_provider_and_are_not_known() {
    for (action, all, how, more) in [
        (
            "iam:UpdateSAMLProvider",
            "arn:aws:iam::111122223333:saml-provider/*",
            "by a key of its own, which it gives a SAML provider",
            None,
        ),
        (
            "iam:UpdateOpenIDConnectProviderThumbprint",
            "arn:aws:iam::111122223333:oidc-provider/*",
            "by keys of its own, with a certificate that it has an OIDC provider take",
            Some(SERVER),
        ),
        (
            "iam:AddClientIDToOpenIDConnectProvider",
            "arn:aws:iam::111122223333:oidc-provider/*",
            "by a token for another audience, which it has an OIDC provider take",
            Some(TOKEN),
        ),
    ] {
        let ways = found(&r(&allow(action, all)));
        assert_eq!(ways.len(), 1, "{ways:#?}");
        assert_eq!(
            ways[0].how,
            format!("logs in as roles that trust `{all}` {how}")
        );
        assert_eq!(
            ways[0].gain,
            Gain::Foreign(format!("roles that trust {all}"))
        );
        let trust = format!("whether roles that aren't known here trust `{all}`");
        let mut depends = vec!["what they may do", &trust];
        depends.extend(more);
        depends.sort_unstable();
        assert_eq!(ways[0].depends, depends);
        assert_eq!(found(&r(&allow(action, &role_arn("*")))), []);
    }
    // Each provider that is named is one.
    let two = format!("{SAML} {SAML}-2");
    assert_eq!(found(&r(&allow("iam:UpdateSAMLProvider", &two))).len(), 2);
}

#[test]
fn an_oidc_providers_certificate() {
    let action = "iam:UpdateOpenIDConnectProviderThumbprint";
    let change = |on: &str, trust: &str| known_way(action, on, trust);
    let who = r#""StringEquals":{"idp.example.com/A:sub":"x","idp.example.com/A:aud":"y"}"#;
    let way = change(OIDC, &lets_in(OIDC, WITH_TOKEN, who)).unwrap();
    assert_eq!(way.method, "update-oidc-thumbprint");
    assert_eq!(way.depends, [SERVER]);
    let other = r#""StringEquals":{"idp.example.com:sub":"x"}"#;
    let way = change(OIDC, &lets_in(OIDC, WITH_TOKEN, other)).unwrap();
    assert_eq!(way.depends, ["idp.example.com:sub", SERVER]);
    assert_eq!(change("*", &lets_in(OIDC, "sts:AssumeRole", "")), None);
    assert_eq!(change("*", &lets_in(SAML, WITH_TOKEN, "")), None);
}

#[test]
fn an_oidc_providers_audiences() {
    let action = "iam:AddClientIDToOpenIDConnectProvider";
    let change = |conditions: &str| known_way(action, OIDC, &lets_in(OIDC, WITH_TOKEN, conditions));
    let way = change("").unwrap();
    assert_eq!(way.method, "add-oidc-audience");
    assert_eq!(way.depends, [TOKEN]);
    let who = change(r#""StringEquals":{"idp.example.com/A:sub":"x"}"#).unwrap();
    assert_eq!(who.depends, ["idp.example.com/A:sub", TOKEN]);
    // The role itself says for whom, as remit's do.
    assert_eq!(
        change(r#""StringEquals":{"idp.example.com/A:aud":"y"}"#),
        None
    );
}
