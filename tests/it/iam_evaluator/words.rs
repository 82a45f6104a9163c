//! The same case in words that the other evaluator takes as AWS's documentation does.
//!
//! In: a case. Out: one that means the same by the documentation, without what the other one takes
//! in another way:
//!
//! - A network of every address, `0.0.0.0/0`, matches no address there. It is CIDR notation
//!   (RFC 4632): <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress>.
//!   It becomes its two halves.
//! - A network of one family of addresses fails a `NotIpAddress` there for an address of the other.
//!   By the same page it takes every address but those of the network. A network of the address's
//!   own family, which doesn't hold it, takes its place.
//! - A key with no values is there for `Null` there. The page on set operators has `Null` tell
//!   such a key from one that has a value:
//!   <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.
//!   It is left out.
//! - Variables are filled in there in policies of the older language, too. They are plain text in
//!   it: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>.
//!   The `$` becomes `${$}` in the newer one.
//! - A variable without a value makes a `NotResource`, and a condition that asks for no match, fail
//!   there. By the page, the one then matches no resource, and the other does match:
//!   <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value>.
//!   The text around it becomes one that nothing has.

use serde_json::{Value as Json, json};

/// Nothing in any case has this.
const NOTHING: &str = "no-such-thing";

/// Networks that no case has an address of.
const OTHER_V4: &str = "198.51.100.0/24";
const OTHER_V6: &str = "2001:db8:ffff::/48";

pub(super) fn for_the_other(mut case: Json) -> Json {
    let context = case["context"].as_object_mut().unwrap();
    context.retain(|_, values| *values != json!([]));
    let known: Vec<String> = case["context"]
        .as_object()
        .unwrap()
        .keys()
        .map(|key| key.to_ascii_lowercase())
        .collect();
    let source = case["context"]["aws:SourceIp"].as_str().unwrap_or_default();
    let asked = Asked {
        known,
        is_v6: source.contains(':'),
    };
    for layer in ["own", "boundary", "session"] {
        for policy in case[layer].as_array_mut().into_iter().flatten() {
            let is_old = policy["Version"] == "2008-10-17";
            policy["Version"] = json!("2012-10-17");
            for statement in policy["Statement"].as_array_mut().unwrap() {
                for element in ["Resource", "NotResource"] {
                    if let Some(texts) = statement.get_mut(element) {
                        change(texts, is_old, &asked);
                    }
                }
                let Some(Json::Object(conditions)) = statement.get_mut("Condition") else {
                    continue;
                };
                for texts in conditions
                    .values_mut()
                    .flat_map(|keys| keys.as_object_mut().unwrap().values_mut())
                {
                    change(texts, is_old, &asked);
                }
            }
        }
    }
    case
}

/// What counts of a request.
struct Asked {
    /// Its condition keys, in lower case.
    known: Vec<String>,
    /// Whether it comes from an IPv6 address.
    is_v6: bool,
}

/// Whether a text is a network or an address, and whether of IPv6.
fn family(text: &str) -> Option<bool> {
    let address = text.split('/').next()?.parse::<std::net::IpAddr>().ok()?;
    Some(address.is_ipv6())
}

/// Changes one text or a list of them.
fn change(texts: &mut Json, is_old: bool, asked: &Asked) {
    let all = match std::mem::take(texts) {
        Json::String(text) => vec![text],
        Json::Array(all) => all
            .iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect(),
        other => panic!("{other} is no list of texts"),
    };
    let changed = all.into_iter().flat_map(|text| match text.as_str() {
        "0.0.0.0/0" if !asked.is_v6 => vec!["0.0.0.0/1".to_owned(), "128.0.0.0/1".to_owned()],
        text if family(text).is_some_and(|is_v6| is_v6 != asked.is_v6) => {
            let other = if asked.is_v6 { OTHER_V6 } else { OTHER_V4 };
            vec![other.to_owned()]
        }
        text if is_old => vec![text.replace("${", "${$}{")],
        text if lacks_value(text, &asked.known) => {
            let arn = text.starts_with("arn:");
            vec![if arn {
                format!("arn:aws:s3:::{NOTHING}")
            } else {
                NOTHING.to_owned()
            }]
        }
        text => vec![text.to_owned()],
    });
    *texts = Json::Array(changed.map(Json::String).collect());
}

/// Whether a text has a variable without a value and without a default.
fn lacks_value(text: &str, known: &[String]) -> bool {
    text.split("${").skip(1).any(|rest| {
        let name = rest.split('}').next().unwrap_or_default();
        name.contains(':') && !name.contains(',') && !known.contains(&name.to_ascii_lowercase())
    })
}
