//! What may be a name, a path or an ARN here, and which names are one name to AWS.
//!
//! In comes text of one attribute; out goes nothing, or what is wrong and what to write instead.
//! What passes can stand in an ARN and in a key without being taken for anything else: no name
//! holds a slash or a colon, no path a space. Whether anything of that name exists is never asked.

use remit_sdk::Kind;
use remit_sdk::text::safe;
use url::Url;

use crate::arn::{self, Arn};

/// IAM's limits, in characters: of roles and users, and of everything else.
const SHORT_NAME_CHARACTERS_MAX: usize = 64;
/// Of policies, groups and instance profiles.
const NAME_CHARACTERS_MAX: usize = 128;
/// Of paths.
const PATH_CHARACTERS_MAX: usize = 512;
/// Of a secret's name.
const SECRET_NAME_CHARACTERS_MAX: usize = 512;
/// Of an OIDC provider's URL.
const URL_CHARACTERS_MAX: usize = 255;
/// Of a key's id, its ARN or its alias.
const KEY_ID_CHARACTERS_MAX: usize = 2048;

/// Whether `text` may be this attribute, which names something; the message says what may.
pub(super) fn check(kind: &Kind, attribute: &str, text: &str) -> Result<(), String> {
    match (kind.name, attribute) {
        (_, "path") => check_path(text),
        (_, "policy_arn") => check_policy_arn(attribute, text),
        (_, "url") => check_url(text),
        ("aws_secretsmanager_secret", _) => check_secret_name(text),
        ("aws_iam_role" | "aws_iam_user", "name") | (_, "role") => {
            check_name(attribute, text, SHORT_NAME_CHARACTERS_MAX)
        }
        _ => check_name(attribute, text, NAME_CHARACTERS_MAX),
    }
}

/// Whether `text` may be an inline policy's name.
pub(super) fn check_policy_name(attribute: &str, text: &str) -> Result<(), String> {
    check_name(attribute, text, NAME_CHARACTERS_MAX)
}

fn check_name(attribute: &str, name: &str, limit: usize) -> Result<(), String> {
    let shown = safe(name);
    if name.is_empty() {
        return Err(format!("`{attribute}` is empty"));
    }
    if let Ok(arn) = Arn::parse(name) {
        return Err(format!(
            "`{attribute}` takes a name, not an ARN; write `{}`",
            safe(arn.name())
        ));
    }
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
    {
        return Err(format!(
            "`{shown}` is no name in IAM: it takes letters, digits and `_+=,.@-`"
        ));
    }
    if name.len() > limit {
        return Err(format!(
            "`{shown}` has {} characters, and IAM takes {limit} there; write a shorter name",
            name.len()
        ));
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), String> {
    let shown = safe(path);
    let is_good = |c: char| ('!'..='~').contains(&c);
    if path.len() > PATH_CHARACTERS_MAX {
        return Err(format!(
            "`path` has {} characters, and IAM takes {PATH_CHARACTERS_MAX}",
            path.len()
        ));
    }
    if !path.starts_with('/') || !path.ends_with('/') {
        let inner = safe(path.trim_matches('/'));
        let meant = if inner.is_empty() {
            "/".to_owned()
        } else {
            format!("/{inner}/")
        };
        return Err(format!(
            "`{shown}` is no path: it begins and ends with a slash; write `{meant}`"
        ));
    }
    if !path.chars().all(is_good) || path.contains("//") {
        return Err(format!(
            "`{shown}` is no path: between its slashes it takes letters, digits and signs, no spaces"
        ));
    }
    if ["/aws-service-role/", "/aws-reserved/"]
        .iter()
        .any(|own| path.starts_with(own))
    {
        return Err(format!(
            "the path `{shown}` is AWS's own; write another one"
        ));
    }
    Ok(())
}

/// Whether `text` is the ARN of a managed policy, one's own or AWS's.
pub(super) fn check_policy_arn(attribute: &str, text: &str) -> Result<(), String> {
    let arn = Arn::parse(text).map_err(|why| format!("`{attribute}`: {why}"))?;
    let is_policy = arn.service == "iam"
        && arn.region.is_empty()
        && (arn::is_account(&arn.account) || arn.account == "aws")
        && arn
            .resource
            .strip_prefix("policy/")
            .is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/'));
    if is_policy {
        return Ok(());
    }
    Err(format!(
        "`{attribute}`: `{}` is no ARN of a managed policy; write `arn:aws:iam::123456789012:policy/NAME`",
        safe(text)
    ))
}

/// Whether `text` may be an issuer's URL in AWS.
pub(crate) fn check_url(text: &str) -> Result<(), String> {
    let shown = safe(text);
    if text.len() > URL_CHARACTERS_MAX {
        return Err(format!(
            "the URL has {} characters, and IAM takes {URL_CHARACTERS_MAX}",
            text.len()
        ));
    }
    let url = Url::parse(text).ok().filter(Url::has_host);
    let Some(url) = url.filter(|_| text.starts_with("https://")) else {
        return Err(format!(
            "`{shown}` is no https URL, and AWS fetches an issuer's keys by https alone; write `https://…`, as the tokens' `iss` has it"
        ));
    };
    let authority = arn::issuer(text).split('/').next().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user name or a password; write it without".into());
    }
    if authority.contains(':') {
        return Err(format!(
            "`{shown}` names a port, and an OIDC provider of IAM has none; serve the issuer at port 443"
        ));
    }
    if text.contains(['?', '#', '*']) || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(format!(
            "`{shown}` holds what IAM takes in no issuer's URL: it is a host and a path, without query or fragment"
        ));
    }
    Ok(())
}

fn check_secret_name(name: &str) -> Result<(), String> {
    let shown = safe(name);
    let is_good = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if name.is_empty() || name.len() > SECRET_NAME_CHARACTERS_MAX {
        return Err(format!(
            "a secret's name has 1 to {SECRET_NAME_CHARACTERS_MAX} characters, and this one has {}",
            name.len()
        ));
    }
    if name.chars().all(is_good) {
        return Ok(());
    }
    Err(format!(
        "`{shown}` is no name of a secret: it takes letters, digits and `/_+=.@-`"
    ))
}

/// Whether `text` may name a key of KMS.
pub(super) fn check_key_id(text: &str) -> Result<(), String> {
    if text.len() <= KEY_ID_CHARACTERS_MAX && text.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(());
    }
    Err(format!(
        "`kms_key_id`: `{}` is no key; write its id, its ARN or `alias/NAME`",
        safe(text)
    ))
}

/// Whether `text` is the ARN of a function.
pub(super) fn check_function(text: &str) -> Result<(), String> {
    let arn = Arn::parse(text).map_err(|why| format!("`rotation_lambda_arn`: {why}"))?;
    if arn.service == "lambda"
        && !arn.region.is_empty()
        && arn::is_account(&arn.account)
        && arn.resource.starts_with("function:")
    {
        return Ok(());
    }
    Err(format!(
        "`rotation_lambda_arn`: `{}` is no ARN of a function; write `arn:aws:lambda:REGION:ACCOUNT:function:NAME`",
        safe(text)
    ))
}

/// The key as AWS compares it. Names of IAM are one name in any case, and a policy's name is
/// unique whatever its path; issuers' URLs and names of secrets are taken to the letter.
pub fn folded_key(kind: &Kind, key: &str) -> String {
    match kind.name {
        "aws_iam_openid_connect_provider" | "aws_secretsmanager_secret" => key.to_owned(),
        "aws_iam_policy" => key
            .rsplit_once('/')
            .map_or(key, |(_, name)| name)
            .to_lowercase(),
        _ => key.to_lowercase(),
    }
}
