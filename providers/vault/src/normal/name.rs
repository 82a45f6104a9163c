//! What may be a name here, and which names are one name to the server.

use remit_sdk::Kind;
use remit_sdk::text::safe;

/// How long a name may be: more than any computed one (64), and short enough for every page.
const NAME_CHARACTERS_MAX: usize = 256;

/// How long an alias's name may be: a GitHub subject with a long ref has some 400.
const SUBJECT_CHARACTERS_MAX: usize = 1024;

/// Whether `name` may be this part of a key; the message says what may.
pub(crate) fn check_name(kind: &Kind, attribute: &str, name: &str) -> Result<(), String> {
    let shown = safe(name);
    let is_subject = (kind.name, attribute) == ("vault_entity_alias", "name");
    let is_mount = attribute == "mount" || attribute == "path";
    let limit = if is_subject {
        SUBJECT_CHARACTERS_MAX
    } else {
        NAME_CHARACTERS_MAX
    };
    if name.is_empty() {
        return Err(format!("`{attribute}` is empty"));
    }
    if name.chars().count() > limit {
        return Err(format!("`{attribute}` is longer than {limit} characters"));
    }
    if name.chars().any(remit_sdk::text::is_unsafe) {
        return Err(format!(
            "`{attribute}` holds a character that is no text: `{shown}`"
        ));
    }
    if is_subject {
        return Ok(());
    }
    if is_mount {
        return check_mount(kind, name);
    }
    if kind.name == "vault_policy"
        && matches!(
            name,
            "root" | "default" | "response-wrapping" | "control-group"
        )
    {
        return Err(format!("the policy `{shown}` is the server's own"));
    }
    // What the server's routes take for a name (`framework.GenericNameRegex`), so that nothing
    // else ever gets into a path.
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.chars().all(inner)
        || !edge(name.chars().next())
        || !edge(name.chars().next_back())
        || name.contains("..")
    {
        return Err(format!(
            "`{shown}` is no name: it takes letters, digits, `_`, and between them `-` and `.`"
        ));
    }
    let lower_case = matches!(
        kind.name,
        "vault_policy" | "vault_jwt_role" | "vault_approle_role"
    );
    if lower_case && name.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!(
            "the server would write this name in lower case; write `{}`",
            name.to_lowercase()
        ));
    }
    Ok(())
}

fn check_mount(kind: &Kind, path: &str) -> Result<(), String> {
    let shown = safe(path);
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for segment in path.split('/') {
        if segment.is_empty() || segment == "." || segment == ".." || !segment.chars().all(good) {
            return Err(format!(
                "`{shown}` is no mount path: it takes letters, digits, `_`, `-`, `.`, and `/` between segments"
            ));
        }
    }
    let first = path.split('/').next().unwrap_or_default();
    let of_auth = kind.name.starts_with("vault_auth") || kind.key.starts_with("auth/");
    match (of_auth, first) {
        (true, "auth") => Err(format!(
            "a path of an auth mount is written without `auth/`; write `{}`",
            safe(path.trim_start_matches("auth/"))
        )),
        (true, "token") => Err("the mount `token` is the server's own".into()),
        (false, "sys" | "identity" | "cubbyhole" | "auth") => {
            Err(format!("the mount `{first}` is the server's own"))
        }
        _ => Ok(()),
    }
}

/// The key as the server compares it: names of these kinds are one name in any case.
pub fn folded_key(kind: &Kind, key: &str) -> String {
    match kind.name {
        "vault_database_connection"
        | "vault_database_role"
        | "vault_auth_mount"
        | "vault_secrets_mount"
        | "vault_jwt_config" => key.to_owned(),
        _ => key.to_lowercase(),
    }
}
