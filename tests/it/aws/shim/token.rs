//! `sts:AssumeRoleWithWebIdentity`, judged as AWS judges it; moto asks nothing.
//!
//! In: the call, the keys of issuers by their URL, a way to read roles and providers. Out: nothing
//! where the token may have the role, else AWS's refusal. Signature, expiry, issuer and audience of
//! the token are checked against the OpenID Connect provider, then its claims against the role's
//! trust policy: an explicit deny counts, and a condition that is not understood is not met.
//!
//! It must never take a token for a role whose trust policy does not say so word by word.

use std::collections::BTreeMap;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value as Json;

use super::check::Ask;
use super::document::{statements, strings_or};
use super::wire::{Answer, Call, Service, decode};
use super::xml;

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

fn refuse<T>(status: u16, code: &str, message: &str) -> Result<T, Answer> {
    Err(Answer::refusal(Service::Sts, status, code, message))
}

/// Whether the token of this call may have the role it asks for.
pub(crate) fn check(
    call: &Call,
    account: &str,
    keys: &BTreeMap<String, String>,
    ask: Ask<'_>,
) -> Result<(), Answer> {
    let claims = claims(call.get("WebIdentityToken"), keys)?;
    let issuer = claims["iss"].as_str().unwrap_or_default();
    let host = issuer.trim_start_matches("https://");
    let provider = format!("arn:aws:iam::{account}:oidc-provider/{host}");
    let told = ask(&Call::iam(
        "GetOpenIDConnectProvider",
        &[("OpenIDConnectProviderArn", &provider)],
    ));
    if !told.is_ok() {
        let words = format!("No OpenIDConnect provider found in your account for {issuer}");
        return refuse(400, "InvalidIdentityToken", &words);
    }
    let accepted = xml::members(&told.body, "ClientIDList");
    let audiences: Vec<&str> = strings_or(&claims["aud"])
        .into_iter()
        .filter_map(Json::as_str)
        .collect();
    if !audiences.iter().any(|one| accepted.contains(one)) {
        return refuse(400, "InvalidIdentityToken", "Incorrect token audience");
    }

    let arn = call.get("RoleArn");
    let name = arn.rsplit('/').next().unwrap_or_default();
    let role = ask(&Call::iam("GetRole", &[("RoleName", name)]));
    let not_allowed = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    if !role.is_ok() || xml::text(&role.body, "Arn").as_deref() != Some(arn) {
        return refuse(403, "AccessDenied", not_allowed);
    }
    let trust = decode(&xml::text(&role.body, "AssumeRolePolicyDocument").unwrap_or_default());
    let trust: Json = serde_json::from_str(&trust).unwrap_or_default();
    let asked = Asked {
        provider: &provider,
        host,
        claims: &claims,
        audiences: &audiences,
    };
    let says = |effect: &str| {
        statements(&trust)
            .into_iter()
            .any(|statement| statement["Effect"] == effect && asked.is_meant_by(statement))
    };
    if says("Deny") || !says("Allow") {
        return refuse(403, "AccessDenied", not_allowed);
    }
    let number = |text: Option<String>| text.and_then(|text| text.parse::<u32>().ok());
    let longest = number(xml::text(&role.body, "MaxSessionDuration")).unwrap_or(3600);
    let wanted = number(call.parameters.get("DurationSeconds").cloned()).unwrap_or(3600);
    if wanted < 900 || wanted > longest {
        return refuse(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        );
    }
    Ok(())
}

/// The claims of a token whose issuer signed it and that has not expired.
fn claims(token: &str, keys: &BTreeMap<String, String>) -> Result<Json, Answer> {
    let mut rules = Validation::new(Algorithm::ES256);
    rules.validate_aud = false;
    rules.leeway = 0;
    let unsigned = jsonwebtoken::dangerous::insecure_decode::<Json>(token)
        .map(|token| token.claims)
        .unwrap_or_default();
    let issuer = unsigned["iss"].as_str().unwrap_or_default();
    let Some(key) = keys.get(issuer) else {
        return refuse(
            400,
            "InvalidIdentityToken",
            "Couldn't retrieve verification key from your identity provider",
        );
    };
    let key = DecodingKey::from_ec_pem(key.as_bytes()).unwrap();
    match jsonwebtoken::decode::<Json>(token, &key, &rules) {
        Ok(token) => Ok(token.claims),
        Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
            refuse(400, "ExpiredTokenException", "Token expired")
        }
        Err(_) => refuse(
            400,
            "InvalidIdentityToken",
            "Provided Token's signature could not be verified",
        ),
    }
}

/// What a statement is held against.
struct Asked<'a> {
    provider: &'a str,
    host: &'a str,
    claims: &'a Json,
    audiences: &'a [&'a str],
}

impl Asked<'_> {
    fn is_meant_by(&self, statement: &Json) -> bool {
        let action = strings_or(&statement["Action"])
            .into_iter()
            .filter_map(Json::as_str)
            .any(|action| like(&action.to_ascii_lowercase(), &ACTION.to_ascii_lowercase()));
        let principal = &statement["Principal"];
        let federated = strings_or(&principal["Federated"])
            .into_iter()
            .any(|one| one == self.provider);
        action && (federated || principal == "*") && self.meets(&statement["Condition"])
    }

    fn meets(&self, conditions: &Json) -> bool {
        conditions
            .as_object()
            .into_iter()
            .flatten()
            .all(|(operator, keys)| {
                keys.as_object().into_iter().flatten().all(|(key, values)| {
                    let values: Vec<&str> = strings_or(values)
                        .into_iter()
                        .filter_map(Json::as_str)
                        .collect();
                    self.meets_one(operator, key, &values)
                })
            })
    }

    fn meets_one(&self, operator: &str, key: &str, values: &[&str]) -> bool {
        if operator == "IpAddress" && key.eq_ignore_ascii_case("aws:SourceIp") {
            // Everybody who asks the shim comes from here.
            let here = ["127.0.0.1", "127.0.0.1/32", "127.0.0.0/8", "0.0.0.0/0"];
            return values.iter().any(|one| here.contains(one));
        }
        let claim = key
            .to_ascii_lowercase()
            .strip_prefix(&format!("{}:", self.host.to_ascii_lowercase()))
            .map(str::to_owned);
        let actual: Vec<&str> = match claim.as_deref() {
            Some("aud") => self.audiences.to_vec(),
            Some(name) => strings_or(&self.claims[name])
                .into_iter()
                .filter_map(Json::as_str)
                .collect(),
            None => return false,
        };
        let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
        let met = |one: &&str| match operator {
            "StringEquals" => values.contains(one),
            "StringLike" => values.iter().any(|pattern| like(pattern, one)),
            _ => false,
        };
        actual.iter().any(met)
    }
}

/// A pattern with `*` and `?`.
fn like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            like(&pattern[1..], text)
                || text
                    .chars()
                    .next()
                    .is_some_and(|one| like(pattern, &text[one.len_utf8()..]))
        }
        (Some(wanted), Some(one)) if wanted == '?' || wanted == one => {
            like(&pattern[wanted.len_utf8()..], &text[one.len_utf8()..])
        }
        _ => false,
    }
}

#[test]
fn patterns() {
    assert!(like("sts:*", "sts:x") && like("a*c?", "abbcd") && like("*", ""));
    assert!(!like("a", "ab") && !like("a?", "a"));
}
