//! Resources: what no attribute of a Vault's object may hold, whatever its form.

use remit_sdk::{Kind, Value};

/// A password in a connection's URL: configurations hold no secrets.
pub(super) fn secret_in_url(
    _: &Kind,
    name: &str,
    value: &Value,
) -> Option<(&'static str, String, String)> {
    (name == "connection_url" && value.as_str().is_some_and(holds_password)).then(|| {
        (
            "secret written in configuration",
            "the URL holds a password, and a configuration holds no secrets".to_owned(),
            "write `{{username}}:{{password}}` there, and beside it `username`, \
             `password = env(\"NAME\")` and `password_version`"
                .to_owned(),
        )
    })
}

/// Whether a connection's URL names a password itself, instead of leaving its place to the
/// server: `scheme://user:password@host`.
fn holds_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else {
        return false;
    };
    user.split_once(':')
        .is_some_and(|(_, password)| !password.is_empty() && password != "{{password}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_seen() {
        for url in [
            "postgresql://u:secret@h/x",
            "postgresql://{{username}}:s@h",
            "u:s@tcp(h:1)/x",
        ] {
            assert!(holds_password(url), "{url}");
        }
        for url in [
            "postgresql://{{username}}:{{password}}@h:5432/x",
            "postgresql://u@h/x",
            "postgresql://h:5432/x?a=b:c@d",
            "{{username}}:{{password}}@tcp(h:1)/x",
        ] {
            assert!(!holds_password(url), "{url}");
        }
    }
}
