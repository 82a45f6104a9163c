//! 601: secrets that are written in the configuration. The text itself is never shown.

use remit_sdk::Address;
use remit_sdk::declaration::Tier;

use super::rule::{Need, Part, Report, Rule, Weight};
use crate::config::literals::Literal;

pub(super) const RULES: &[Rule] = &[Rule {
    code: "RMT601",
    name: "secret-literal",
    weight: Weight::Error,
    finds: "Something that looks like a secret, written in the configuration.",
    why: "A configuration is copied, reviewed and kept for ever: whoever can read it has the \
          secret.",
    blind: "A secret that looks like an ordinary word is not recognised, nor one in a variable's \
            value from a file or the environment.",
    wrong: include_str!("examples/rmt601.wrong.remit.hcl"),
    right: include_str!("examples/rmt601.right.remit.hcl"),
    controls: &["NHI2"],
    parts: &[Part {
        needs: Need::Literals,
        run: literals,
    }],
}];

fn literals(report: &mut Report<'_, '_>) {
    for literal in report.input.literals.unwrap_or_default() {
        let Some(what) = secret(literal) else {
            continue;
        };
        let address = literal.declaration.clone().map(Address::Declaration);
        let place = match &address {
            Some(address) => format!(" in `{address}`"),
            None => String::new(),
        };
        report.found_at(
            address,
            Some(literal.span),
            Tier::Production,
            format!("{}{place} is given {what}", name(literal)),
            "take it out and make the secret anew, since it is known now; refer to it by \
             `vault(\"PATH\", \"FIELD\")` or `env(\"NAME\")`, or make the variable sensitive",
        );
    }
}

/// The name a text is given to; a name that may be a secret itself isn't shown.
fn name(literal: &Literal) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if literal.name.len() <= 40 && literal.name.chars().all(plain) && token(&literal.name).is_none()
    {
        format!("`{}`", literal.name)
    } else {
        "an attribute".to_owned()
    }
}

/// What a text looks like, if that is a secret.
fn secret(literal: &Literal) -> Option<&'static str> {
    let text = literal.text.as_str();
    if text.contains("PRIVATE KEY-----") && text.contains("-----BEGIN ") {
        return Some("a private key");
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let known = text.split(|c| !is_word(c)).find_map(token);
    if known.is_some() {
        return known;
    }
    if has_password(text) {
        return Some("a URL with a password");
    }
    (!literal.is_reference && is_secret_name(&literal.name) && is_password(literal))
        .then_some("a text that looks like a secret")
}

/// Whether all of `text` is made of these, at least `least` of them.
fn made_of(text: &str, least: usize, fits: impl Fn(char) -> bool) -> bool {
    text.len() >= least && text.chars().all(fits)
}

/// What a word is by the form that its issuer gives its tokens.
fn token(word: &str) -> Option<&'static str> {
    let word = word.trim_matches(['.', '-']);
    let base64url = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let after = |prefixes: &[&str]| prefixes.iter().find_map(|one| word.strip_prefix(one));
    if after(&["hvs.", "hvb.", "hvr."]).is_some_and(|rest| made_of(rest, 20, base64url)) {
        return Some("a token of Vault");
    }
    // The form before Vault 1.10, and of OpenBao: 24 characters.
    if after(&["s.", "b.", "r."]).is_some_and(|rest| {
        made_of(rest, 24, alphanumeric) && rest.contains(|c: char| c.is_ascii_uppercase())
    }) {
        return Some("a token of Vault or OpenBao");
    }
    let is_key_id = |rest: &str| {
        rest.len() == 16 && made_of(rest, 16, |c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    // AWS's own documentation uses ids that end so.
    if after(&["AKIA", "ASIA"]).is_some_and(|rest| is_key_id(rest) && !rest.ends_with("EXAMPLE")) {
        return Some("an access key id of AWS");
    }
    if after(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"])
        .is_some_and(|rest| made_of(rest, 22, base64url))
    {
        return Some("a token of GitHub");
    }
    if after(&["glpat-"]).is_some_and(|rest| made_of(rest, 20, base64url)) {
        return Some("a token of GitLab");
    }
    if after(&["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"])
        .is_some_and(|rest| made_of(rest, 20, base64url))
    {
        return Some("a token of Slack");
    }
    if after(&["sk-"]).is_some_and(|rest| {
        made_of(rest, 20, base64url) && rest.contains(|c: char| c.is_ascii_digit())
    }) {
        return Some("an API key");
    }
    let parts: Vec<&str> = word.split('.').collect();
    match parts.as_slice() {
        [header, claims, signature]
            if header.starts_with("eyJ")
                && claims.starts_with("eyJ")
                && made_of(signature, 16, base64url) =>
        {
            Some("a signed token")
        }
        _ => None,
    }
}

/// `scheme://user:password@host`, where the password is no template of a server.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, host)| {
            let password = user.split_once(':').map_or("", |(_, password)| password);
            !host.is_empty() && !password.is_empty() && !password.contains("{{")
        })
    })
}

/// Words in names of attributes that take secrets.
const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "private_key",
    "access_key",
];

/// What a name ends with that only speaks about a secret.
const ABOUT: [&str; 17] = [
    "arn",
    "url",
    "uri",
    "ttl",
    "version",
    "name",
    "path",
    "env",
    "type",
    "policies",
    "policy",
    "file",
    "mount",
    "role",
    "cidrs",
    "description",
    "period",
];

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !ABOUT.iter().any(|end| name.rsplit('_').next() == Some(end))
        && !name.contains("public")
}

/// Bits a character, above which a text of letters and digits is hardly a word.
const ENTROPY_BITS_MIN: f64 = 3.2;
/// Nobody calls fewer a password.
const PASSWORD_CHARACTERS_MIN: usize = 4;
/// Shorter texts say too little about how they were made.
const RANDOM_CHARACTERS_MIN: usize = 16;

/// Whether a text given to a secret's name is one: anything for a password, else what looks drawn
/// at random.
fn is_password(literal: &Literal) -> bool {
    let text = literal.text.as_str();
    if text.contains("{{") || text.contains(char::is_whitespace) {
        return false;
    }
    let last = literal.name.rsplit(['_', '-']).next().unwrap_or_default();
    if ["password", "passwd", "passphrase"].contains(&last) {
        return text.chars().count() >= PASSWORD_CHARACTERS_MIN;
    }
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    let has_letter = text.contains(|c: char| c.is_ascii_alphabetic());
    text.len() >= RANDOM_CHARACTERS_MIN
        && has_digit
        && has_letter
        && !text.contains("://")
        && !text.starts_with("arn:")
        && !is_words(text)
        && entropy_bits(text) >= ENTROPY_BITS_MIN
}

/// Whether a text is a name or a path: small letters or digits, never both in one part.
fn is_words(text: &str) -> bool {
    text.split(['-', '_', '/', '.', ':']).all(|part| {
        part.chars().all(|c| c.is_ascii_lowercase()) || part.chars().all(|c| c.is_ascii_digit())
    })
}

/// Shannon's entropy of a text's characters, each counted by how often it stands there.
fn entropy_bits(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    let mut total = 0.0_f64;
    for c in text.chars() {
        *counts.entry(c).or_insert(0.0_f64) += 1.0;
        total += 1.0;
    }
    counts
        .values()
        .map(|count| {
            let share = count / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
#[path = "literal_tests.rs"]
mod tests;
