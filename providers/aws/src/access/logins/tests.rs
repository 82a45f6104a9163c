use std::collections::BTreeSet;

use remit_sdk::Value;
use remit_sdk::access::Evaluate;
use remit_sdk::value::Pending;

use super::super::testing::*;
use super::*;
use crate::lower::Aws;

const ISSUER: &str = "token.actions.githubusercontent.com";
const OWN: &str = r#""token.actions.githubusercontent.com:sub":"repo:org/x","token.actions.githubusercontent.com:aud":"sts.amazonaws.com""#;

/// A statement that lets tokens of the issuer in, under these conditions.
fn tokens(effect: &str, conditions: &str) -> String {
    let arn = format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}");
    format!(
        r#"{{"Effect":"{effect}","Action":"sts:AssumeRoleWithWebIdentity","Principal":{{"Federated":"{arn}"}},"Condition":{{{conditions}}}}}"#
    )
}

fn own() -> String {
    tokens("Allow", &format!(r#""StringEquals":{{{OWN}}}"#))
}

fn provider(objects: Objects, audiences: &[&str], thumbprints: &[&str]) -> Objects {
    let url = Value::string(format!("https://{ISSUER}"));
    let texts = |all: &[&str]| Value::strings(all.iter().copied());
    let mut attributes = vec![("url", url), ("client_id_list", texts(audiences))];
    if !thumbprints.is_empty() {
        attributes.push(("thumbprint_list", texts(thumbprints)));
    }
    objects.with(
        PROVIDER,
        "https://token.actions.githubusercontent.com",
        &attributes,
    )
}

/// A role `r` of these statements, with the provider.
fn r(statements: &str) -> Objects {
    let objects = Objects::new().role("r", &document(statements));
    provider(objects, &["sts.amazonaws.com"], &["aa"])
}

fn ways(objects: &Objects) -> BTreeSet<Login> {
    let asked = BTreeSet::from([role("r")]);
    Aws.logins(&objects.world(), &asked)
        .remove(&role("r"))
        .unwrap()
}

fn told(objects: &Objects) -> Vec<String> {
    let all = ways(objects);
    all.iter()
        .map(|way| format!("{} | {}", way.headline(), way.conditions().join("; ")))
        .collect()
}

fn lets_in_more(over: &Objects, under: &Objects) -> bool {
    let under = ways(under);
    let is_new = |way: &Login| !under.iter().any(|wide| way.is_within(wide));
    ways(over).iter().any(is_new)
}

#[test]
fn a_web_identity_says_all_that_decides() {
    assert_eq!(
        told(&r(&own())),
        [
            "a web identity of token.actions.githubusercontent.com with sub repo:org/x | aud sts.amazonaws.com; \
             by sts:AssumeRoleWithWebIdentity; the provider's CA aa; the provider's audience sts.amazonaws.com"
        ]
    );
    assert_eq!(ways(&r(&own())).first().unwrap().at, "role r");
    assert!(Aws.logins(&r(&own()).world(), &BTreeSet::new()).is_empty());
    assert_eq!(told(&Objects::new()), [""; 0]);
    // Somebody else's provider isn't known, which is neither more nor less.
    let alone = Objects::new().role("r", &document(&own()));
    assert!(told(&alone)[0].contains("an OIDC provider that isn't managed here"));
    assert!(lets_in_more(&alone, &r(&own())) && lets_in_more(&r(&own()), &alone));
    // One of another account counts for nothing that is known here.
    let other = own().replace("111122223333", "444455556666");
    let found = told(&r(&other));
    assert!(
        found[0].starts_with("whom arn:aws:iam::444455556666:oidc-provider"),
        "{found:?}"
    );
}

#[test]
fn what_is_changed_is_another_way() {
    let base = r(&own());
    let wider = [
        own().replace("org/x", "evil/y"),
        own().replace("StringEquals", "StringLike"),
        own().replace("StringEquals", "StringEqualsIfExists"),
        own().replace("\"sts.amazonaws.com\"", "[\"sts.amazonaws.com\",\"other\"]"),
        tokens(
            "Allow",
            r#""StringEquals":{"token.actions.githubusercontent.com:sub":"repo:org/x"}"#,
        ),
        format!(
            "{},{}",
            own(),
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"444455556666"}}"#
        ),
        own().replace(
            "\"sts:AssumeRoleWithWebIdentity\"",
            "[\"sts:AssumeRoleWithWebIdentity\",\"sts:TagSession\"]",
        ),
    ];
    for statements in &wider {
        assert!(lets_in_more(&r(statements), &base), "{statements}");
    }
    let narrower = [
        tokens(
            "Allow",
            &format!(r#""StringEquals":{{{OWN}}},"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}"#),
        ),
        tokens(
            "Allow",
            &format!(r#""StringEquals":{{{OWN}}},"StringNotEquals":{{"aws:RequestedRegion":"x"}}"#),
        ),
        format!(
            "{},{}",
            own(),
            tokens(
                "Deny",
                r#""StringLike":{"token.actions.githubusercontent.com:sub":"*"}"#
            )
        ),
    ];
    for statements in &narrower {
        assert!(!lets_in_more(&r(statements), &base), "{statements}");
        assert!(lets_in_more(&base, &r(statements)), "{statements}");
    }
    // The provider's own words.
    let with = |audiences: &[&str], thumbprints: &[&str]| {
        provider(
            Objects::new().role("r", &document(&own())),
            audiences,
            thumbprints,
        )
    };
    let aud = "sts.amazonaws.com";
    assert!(lets_in_more(&with(&[aud, "other"], &["aa"]), &base));
    assert!(lets_in_more(&with(&[aud], &["bb"]), &base));
    assert!(lets_in_more(&with(&[aud], &[]), &base));
    assert!(!lets_in_more(&base, &with(&[aud, "other"], &["aa", "bb"])));
    assert!(!lets_in_more(&base, &base));
}

/// What is changed in a denial or a condition isn't hidden by being told in the same words.
#[test]
fn limits_are_told_apart_by_what_they_mean() {
    let one = |effect: &str, principal: &str, conditions: &str| {
        format!(
            r#"{{"Effect":"{effect}","Action":"sts:AssumeRole","Principal":{{{principal}}},"Condition":{{{conditions}}}}}"#
        )
    };
    let all = one("Allow", r#""AWS":"111122223333""#, "");
    let deny_of = |principal: &str, conditions: &str| {
        let text = document(&format!("{all},{}", one("Deny", principal, conditions)));
        Objects::new().role("r", &text)
    };
    let deny = |conditions: &str| deny_of(r#""AWS":"*""#, conditions);
    let allow = |conditions: &str| {
        Objects::new().role("r", &document(&one("Allow", r#""AWS":"*""#, conditions)))
    };
    let key = "aws:PrincipalArn";
    for (over, under) in [
        (
            deny(&format!(r#""StringLike":{{"{key}":"*ci*, *dev*"}}"#)),
            deny(&format!(r#""StringLike":{{"{key}":["*ci*","*dev*"]}}"#)),
        ),
        (
            deny(&format!(r#""ArnLike":{{"{key}":"*ci*"}}"#)),
            deny(&format!(r#""StringLike":{{"{key}":"*ci*"}}"#)),
        ),
        (
            deny(r#""StringLike":{"aws:x":["a","or aws:x is absent"]}"#),
            deny(r#""StringLikeIfExists":{"aws:x":"a"}"#),
        ),
        (
            deny(r#""StringEquals":{"aws:x":"a and aws:y is b"}"#),
            deny(r#""StringEquals":{"aws:x":"a","aws:y":"b"}"#),
        ),
        (
            deny(r#""Null":{"aws:x":"never"}"#),
            deny(r#""Null":{"aws:x":"false"}"#),
        ),
        (
            deny_of(r#""Service":"111122223333""#, ""),
            deny_of(r#""AWS":"111122223333""#, ""),
        ),
        (
            allow(r#""StringLike":{"aws:PrincipalArn":"a*"}"#),
            allow(r#""ArnLike":{"aws:PrincipalArn":"b"},"StringLike":{"aws:PrincipalArn":"a*"}"#),
        ),
        (
            allow(r#""ArnLike":{"aws:PrincipalArn":"a*"}"#),
            allow(r#""ArnLike":{"aws:PrincipalArn":"a*"},"ArnEquals":{"aws:PrincipalArn":"b"}"#),
        ),
        (
            allow(&format!(r#""StringNotLike":{{"{key}":"*ci*, *dev*"}}"#)),
            allow(&format!(r#""StringNotLike":{{"{key}":["*ci*","*dev*"]}}"#)),
        ),
        (allow(""), allow(r#""StringEquals":{"by":"x"}"#)),
    ] {
        assert!(lets_in_more(&over, &under), "{:?}", told(&over));
        assert!(!lets_in_more(&over, &over));
    }
    let in_version = |version: &str, effect: &str| {
        let own = one(
            effect,
            r#""AWS":"*""#,
            r#""StringEquals":{"aws:PrincipalTag/a":"${aws:PrincipalTag/b}"}"#,
        );
        let text = format!(r#"{{"Version":"{version}","Statement":[{all},{own}]}}"#);
        Objects::new().role("r", &text)
    };
    for effect in ["Allow", "Deny"] {
        let (new, old) = ("2012-10-17", "2008-10-17");
        assert!(lets_in_more(
            &in_version(old, effect),
            &in_version(new, effect)
        ));
        assert!(lets_in_more(
            &in_version(new, effect),
            &in_version(old, effect)
        ));
    }
    // A claim that is called as another limit is.
    let claims = |more: &str| {
        let of = format!(r#""StringEquals":{{{OWN}{more}}}"#);
        r(&tokens("Allow", &of))
    };
    for name in ["by", "aws:SourceIp"] {
        let claim = format!(r#","{ISSUER}:{name}":"x""#);
        assert!(lets_in_more(&claims(""), &claims(&claim)), "{name}");
        let other = format!(r#","{name}":"x""#);
        assert!(lets_in_more(&claims(&other), &claims(&claim)), "{name}");
    }
}

#[test]
fn each_principal_is_a_way() {
    let of = |principal: &str| {
        let rest = r#""Action":"sts:AssumeRole""#;
        let text = format!(r#"{{"Effect":"Allow",{rest},{principal}}}"#);
        told(&Objects::new().role("r", &document(&text)))
    };
    let by = "by sts:AssumeRole";
    for (principal, expected) in [
        (r#""Principal":"*""#, vec![format!("anybody | {by}")]),
        (
            r#""Principal":{"AWS":["444455556666","arn:aws:iam::1:role/x"],"Service":"ec2.amazonaws.com"}"#,
            vec![
                format!("arn:aws:iam::1:role/x | {by}"),
                format!("the service ec2.amazonaws.com | {by}"),
                format!("whom the account 444455556666 lets | {by}"),
            ],
        ),
        (
            r#""Principal":{"Federated":"cognito-identity.amazonaws.com"}"#,
            vec![format!(
                "whom cognito-identity.amazonaws.com vouches for, which isn't evaluated | {by}"
            )],
        ),
        (
            r#""NotPrincipal":{"AWS":"arn:aws:iam::1:role/x"}"#,
            vec![format!("anybody but arn:aws:iam::1:role/x | {by}")],
        ),
    ] {
        assert_eq!(of(principal), expected, "{principal}");
    }
    let machines = Objects::new()
        .role("r", &trusts(r#""Service":"ec2.amazonaws.com""#))
        .with(PROFILE, "p", &[("role", Value::string("R"))])
        .with(PROFILE, "q", &[("role", Value::string("other"))]);
    assert_eq!(
        told(&machines),
        [
            "a machine of EC2 with instance profile p | ".to_owned(),
            format!("the service ec2.amazonaws.com | {by}"),
        ]
    );
}

#[test]
fn what_is_not_known_is_said() {
    let pending = Value::Pending(Pending::attribute("a.b/c".parse().unwrap(), "arn"));
    let later = Objects::new()
        .role("r", "")
        .having("assume_role_policy", pending.clone());
    assert_eq!(
        told(&later),
        ["whoever its trust policy names: (known after apply) | "]
    );
    let broken = |text: &str| Objects::new().role("r", text);
    assert!(told(&broken("{"))[0].contains("can't be read"));
    assert!(!lets_in_more(&broken("{"), &broken("{")));
    assert!(lets_in_more(&broken("{{"), &broken("{")));
    let audience = provider(Objects::new().role("r", &document(&own())), &[], &[])
        .having("client_id_list", Value::Set([pending].into()));
    assert!(told(&audience)[0].contains("the provider's audience (known after apply)"));
    let user_logins = Aws.logins(&Objects::new().user("u").world(), &[user("u")].into());
    let way = user_logins[&user("u")].first().unwrap();
    assert_eq!(
        way.headline(),
        "the user's own password or keys, which aren't evaluated"
    );
}

#[test]
fn a_denial_says_whom_and_what() {
    let denied = |rest: &str| {
        let all = format!(r#"{},{{"Effect":"Deny",{rest}}}"#, own());
        let told = told(&r(&all));
        let [one] = told.as_slice() else {
            panic!("{told:?}");
        };
        let said = one.split("; ").find(|part| part.starts_with("not "));
        said.unwrap().to_owned()
    };
    let anybody = r#""Principal":{"AWS":"*"}"#;
    let role = r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/x"}"#;
    let others = role.replace("Principal", "NotPrincipal");
    let account = r#""Principal":{"AWS":"111122223333"}"#;
    let login = r#""Action":"sts:AssumeRoleWithWebIdentity""#;
    let all_but = r#""NotAction":"sts:TagSession""#;
    let x = "arn:aws:iam::111122223333:role/x";
    let by = "by sts:AssumeRoleWithWebIdentity";
    let but = "by anything but sts:TagSession";
    for (whom, what, told) in [
        (anybody, login, format!("not anybody {by}")),
        (anybody, all_but, format!("not anybody {but}")),
        (role, login, format!("not {x} {by}")),
        (account, login, format!("not 111122223333 {by}")),
        (&others, login, format!("not anybody but {x} {by}")),
        (&others, all_but, format!("not anybody but {x} {but}")),
    ] {
        assert_eq!(denied(&format!("{whom},{what}")), told);
    }
}

#[test]
fn a_key_of_the_issuer_is_called_by_its_claim() {
    assert_eq!(claim("id.example.com:sub", Some("id.example.com")), "sub");
    assert_eq!(claim("ID.example.com:sub", Some("id.example.com")), "sub");
    for (key, called) in [
        ("aws:SourceIp", "aws:SourceIp"),
        ("id.example.com:a:b", "id.example.com:a:b"),
        ("sub", "\"sub\""),
    ] {
        assert_eq!(claim(key, Some("id.example.com")), called);
    }
    assert_eq!(claim("id.example.com:sub", None), "id.example.com:sub");
}
