//! What AWS demands of a policy document before it keeps it.
//!
//! In: the text of a document. Out: its JSON, or what AWS says against it: duplicate keys, foreign
//! characters, a trust policy without principals or with principals that do not exist, a size over
//! the limit. Sizes are counted without white space, as AWS counts them.
//!
//! Nothing of remit's own reading of documents is used here: a mistake there must be seen here.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

/// Characters of a managed policy.
pub(crate) const MANAGED: usize = 6144;
/// Characters of all inline policies of a role.
pub(crate) const ROLE_INLINE: usize = 10_240;
/// Of a user.
pub(crate) const USER_INLINE: usize = 2048;
/// Of a group.
pub(crate) const GROUP_INLINE: usize = 5120;
/// Characters of a trust policy, where the account has not asked for more.
pub(crate) const TRUST: usize = 2048;

/// JSON in which no object has a key twice.
struct Strict(Json);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JSON")
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
                Ok(value.into())
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
                Ok(value.into())
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
                Ok(value.into())
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
                Ok(value.into())
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
                Ok(value.into())
            }
            fn visit_unit<E: Error>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
                let mut all = Vec::new();
                while let Some(Strict(one)) = from.next_element()? {
                    all.push(one);
                }
                Ok(all.into())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
                let mut all = Map::new();
                while let Some((key, Strict(value))) = from.next_entry::<String, Strict>()? {
                    if all.insert(key, value).is_some() {
                        return Err(A::Error::custom("a key twice"));
                    }
                }
                Ok(all.into())
            }
        }
        from.deserialize_any(Any).map(Strict)
    }
}

/// Code and message of what AWS says.
pub(crate) type Said = (&'static str, String);

fn malformed<T>(message: &str) -> Result<T, Said> {
    Err(("MalformedPolicyDocument", message.to_owned()))
}

/// A document's JSON.
pub(crate) fn parse(text: &str) -> Result<Json, Said> {
    let fits = |one: char| matches!(one, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if !text.chars().all(fits) {
        return Err((
            "ValidationError",
            "The specified value for policyDocument is invalid. It must contain only printable ASCII characters."
                .to_owned(),
        ));
    }
    if serde_json::from_str::<Json>(text).is_err() {
        return malformed("This policy contains invalid Json");
    }
    match serde_json::from_str::<Strict>(text) {
        Ok(Strict(document)) if document.is_object() => Ok(document),
        _ => malformed("Syntax errors in policy."),
    }
}

/// The characters that count.
pub(crate) fn size(text: &str) -> usize {
    text.chars().filter(|one| !one.is_whitespace()).count()
}

/// The statements, one or many.
pub(crate) fn statements(document: &Json) -> Vec<&Json> {
    strings_or(&document["Statement"])
}

/// A value, or the values of a list.
pub(crate) fn strings_or(value: &Json) -> Vec<&Json> {
    match value {
        Json::Null => Vec::new(),
        Json::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

/// The principals of all statements: `AWS`, `Service` or `Federated`, and whom.
pub(crate) fn principals(document: &Json) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for statement in statements(document) {
        for field in ["Principal", "NotPrincipal"] {
            match &statement[field] {
                Json::String(one) => all.push(("AWS".to_owned(), one.clone())),
                Json::Object(kinds) => {
                    for (kind, whom) in kinds {
                        for one in strings_or(whom).into_iter().filter_map(Json::as_str) {
                            all.push((kind.clone(), one.to_owned()));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    all
}

/// Checks a trust policy; `exists` tells whether an ARN or a unique id is somebody's.
pub(crate) fn check_trust(document: &Json, exists: &dyn Fn(&str) -> bool) -> Result<(), Said> {
    for statement in statements(document) {
        if statement["Principal"].is_null() && statement["NotPrincipal"].is_null() {
            return malformed("Missing required field Principal");
        }
        if !statement["Resource"].is_null() || !statement["NotResource"].is_null() {
            return malformed("Has prohibited field Resource");
        }
        let actions = strings_or(&statement["Action"]);
        if actions.is_empty() {
            return malformed("Missing required field Action");
        }
        let foreign = |action: &&Json| {
            let action = action.as_str().unwrap_or_default().to_ascii_lowercase();
            !action.starts_with("sts:") && action != "*"
        };
        if actions.iter().any(foreign) {
            return malformed("AssumeRole policy may only specify STS AssumeRole actions.");
        }
    }
    if statements(document).is_empty() {
        return malformed("Syntax errors in policy.");
    }
    check_principals(document, exists)
}

/// Checks that everybody a document names is there.
pub(crate) fn check_principals(document: &Json, exists: &dyn Fn(&str) -> bool) -> Result<(), Said> {
    for (kind, whom) in principals(document) {
        let there = match kind.as_str() {
            "AWS" => {
                whom == "*"
                    || whom.len() == 12 && whom.bytes().all(|one| one.is_ascii_digit())
                    || whom.starts_with("arn:aws:iam::") && whom.ends_with(":root")
                    || exists(&whom)
            }
            "Service" => whom.ends_with(".amazonaws.com"),
            // Not looked up by AWS: a provider may be made afterwards.
            "Federated" => {
                whom.starts_with("arn:aws:iam::") || whom.starts_with("cognito-identity.")
            }
            _ => false,
        };
        if !there {
            let kind = kind.to_uppercase();
            return malformed(&format!(
                "Invalid principal in policy: \"{kind}\":\"{whom}\""
            ));
        }
    }
    Ok(())
}

/// Checks a policy of an identity: it names no principal.
pub(crate) fn check_identity(document: &Json) -> Result<(), Said> {
    let named = |statement: &&Json| {
        !statement["Principal"].is_null() || !statement["NotPrincipal"].is_null()
    };
    if statements(document).iter().any(named) {
        return malformed("Policy document should not specify a principal.");
    }
    Ok(())
}

/// As AWS keeps it: an account number as a principal becomes the ARN of its root.
pub(crate) fn as_kept(text: &str, document: &Json) -> String {
    let is_number = |one: &str| one.len() == 12 && one.bytes().all(|byte| byte.is_ascii_digit());
    let change = |value: &mut Json| {
        if let Some(number) = value.as_str().filter(|one| is_number(one)) {
            *value = format!("arn:aws:iam::{number}:root").into();
        }
    };
    if !principals(document).iter().any(|(_, whom)| is_number(whom)) {
        return text.to_owned();
    }
    let mut document = document.clone();
    let statements = match &mut document["Statement"] {
        Json::Array(all) => all.iter_mut().collect(),
        one => vec![one],
    };
    for statement in statements {
        match statement.pointer_mut("/Principal/AWS") {
            Some(Json::Array(all)) => all.iter_mut().for_each(change),
            Some(one) => change(one),
            None => {}
        }
    }
    document.to_string()
}

#[test]
fn a_key_twice_is_seen_at_every_depth() {
    assert!(parse(r#"{"a": 1, "a": 2}"#).is_err());
    assert!(parse(r#"{"s": [{"c": {"x": 1, "x": 1}}]}"#).is_err());
    let kept = parse(r#"{"s": [{"c": {"x": 1.5}}, true, null, -1]}"#).unwrap();
    assert_eq!(kept.to_string(), r#"{"s":[{"c":{"x":1.5}},true,null,-1]}"#);
}
