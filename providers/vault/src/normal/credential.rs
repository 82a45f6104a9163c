//! The settings of a database role's credential: what may stand in them, and when two mean the
//! same. Pure.
//!
//! The server drops settings that it doesn't know, fills in those of an RSA key, and gives
//! numbers back as numbers (tried on 2.7.2). Settings can't be changed in place, so one that
//! never reads back as it was written would be a replacement with each apply.

use std::collections::BTreeMap;

use remit_sdk::Value;
use remit_sdk::text::safe;

/// Every setting of every credential type.
const KNOWN: [&str; 7] = [
    "ca_cert",
    "ca_private_key",
    "common_name_template",
    "format",
    "key_bits",
    "key_type",
    "signature_bits",
];

/// What the server fills in where a setting of an RSA key is left out or empty.
const FILLED_IN: [(&str, &str); 2] = [("format", "pkcs8"), ("key_bits", "2048")];

/// What is wrong with written settings.
pub(super) fn check(settings: &BTreeMap<String, Value>) -> Result<(), String> {
    for (name, value) in settings {
        if name != "password_policy" && !KNOWN.contains(&name.as_str()) {
            return Err(format!(
                "`credential_config` has no setting `{}`, and the server would drop it; there are \
                 `password_policy`, `{}`",
                safe(name),
                KNOWN.join("`, `")
            ));
        }
        let text = value.as_str().unwrap_or_default();
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        if name.ends_with("_bits") && !is_number {
            return Err(format!(
                "`credential_config`: `{name}` is a number such as 3072, not `{}`",
                safe(text)
            ));
        }
    }
    Ok(())
}

/// Whether two settings mean the same: one that is left out is what the server fills in.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    let (Value::Map(one), Value::Map(other)) = (one, other) else {
        return one == other;
    };
    let setting = |all: &BTreeMap<String, Value>, name: &String| {
        let written = all.get(name).and_then(Value::to_text).unwrap_or_default();
        let filled_in = FILLED_IN.iter().find(|(known, _)| known == name);
        match filled_in {
            Some((_, text)) if written.is_empty() => (*text).to_owned(),
            _ => written,
        }
    };
    one.keys()
        .chain(other.keys())
        .all(|name| setting(one, name) == setting(other, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(all: &[(&str, &str)]) -> Value {
        let all = all
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Value::string(*text)));
        Value::Map(all.collect())
    }

    #[test]
    fn what_the_server_fills_in_is_no_difference() {
        let live = map(&[("format", "pkcs8"), ("key_bits", "3072")]);
        assert!(same(&map(&[("key_bits", "3072")]), &live));
        assert!(same(&map(&[("key_bits", "3072"), ("format", "")]), &live));
        assert!(same(&live, &map(&[("key_bits", "3072")])));
        assert!(!same(&map(&[]), &live));
        assert!(!same(&map(&[("key_bits", "4096")]), &live));
        assert!(same(
            &map(&[]),
            &map(&[("format", "pkcs8"), ("key_bits", "2048")])
        ));
        assert!(same(&map(&[]), &map(&[])));
        let policy = map(&[("password_policy", "x")]);
        assert!(same(&policy, &policy) && !same(&policy, &map(&[])));
    }

    #[test]
    fn what_the_server_would_drop_or_misread_is_refused() {
        let checked = |name: &str, text: &str| match map(&[(name, text)]) {
            Value::Map(all) => check(&all),
            _ => Ok(()),
        };
        for (name, text) in [
            ("key_bits", "3072"),
            ("format", "PKCS8"),
            ("password_policy", "p"),
        ] {
            assert_eq!(checked(name, text), Ok(()));
        }
        for (name, text, why) in [
            ("bits", "3072", "no setting `bits`"),
            ("key_bits", "03072", "a number"),
            ("key_bits", "0x800", "a number"),
            ("signature_bits", " 256", "a number"),
        ] {
            let error = checked(name, text).expect_err(name);
            assert!(error.contains(why), "{error}");
        }
    }
}
