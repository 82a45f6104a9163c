//! `issuer` blocks: the systems that vouch for workloads.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{Issuer, IssuerKeys, IssuerType};
use remit_sdk::{DeclarationAddress, Diagnostic, Span, Value};

use super::decode::{
    Decoded, boolean, invalid, map_of_texts, name, names, one_of, text, texts, wrong_type,
};
use super::lifecycle::lifecycle;
use super::reader::{Reader, Written};
use crate::evaluate::{Evaluated, Failed};

/// The `iss` of GitHub's own service.
const GITHUB_URL: &str = "https://token.actions.githubusercontent.com";
/// The `iss` of GitLab's own service.
const GITLAB_URL: &str = "https://gitlab.com";

/// `None` stands for the types that this version doesn't have.
const TYPES: [(&str, Option<IssuerType>); 8] = [
    ("oidc", Some(IssuerType::Oidc)),
    ("kubernetes", Some(IssuerType::Kubernetes)),
    ("github", Some(IssuerType::Github)),
    ("gitlab", Some(IssuerType::Gitlab)),
    ("spiffe", Some(IssuerType::Spiffe)),
    ("approle", Some(IssuerType::Approle)),
    ("cert", None),
    ("aws", None),
];

/// Reads an `issuer` block.
pub(super) fn issuer(reader: &Reader<'_, '_>, address: DeclarationAddress) -> Evaluated<Issuer> {
    let kind = reader.required("type", issuer_type);
    let url = reader.optional("url", url);
    let audience = reader.optional("audience", audience);
    let keys = keys(reader);
    let ca_pem = reader.optional("ca_pem", text);
    let mount = reader.optional("mount", mount);
    let existing_in_aws = reader.optional("existing_in_aws", boolean);
    let lifecycle = lifecycle(reader);
    reader.finish();
    let (kind, keys) = (kind?, keys?);
    let (url, audience, ca_pem) = (url?, audience?, ca_pem?);
    let (url, keys) = if kind == IssuerType::Approle {
        no_keys(reader)?;
        (String::new(), IssuerKeys::None)
    } else {
        let url = match (url, kind) {
            (Some(url), _) => url,
            (None, IssuerType::Github) => (GITHUB_URL.to_owned(), None),
            (None, IssuerType::Gitlab) => (GITLAB_URL.to_owned(), None),
            (None, _) => return Err(no_url(reader)),
        };
        (checked(reader, url, &keys)?, keys)
    };
    Ok(Issuer {
        address,
        kind,
        url,
        audience: audience.unwrap_or_default(),
        keys,
        ca_pem,
        mount: mount?,
        existing_in_aws: existing_in_aws?.unwrap_or(false),
        lifecycle: lifecycle?,
        span: reader.header,
    })
}

fn issuer_type(written: &Written<'_>) -> Decoded<IssuerType> {
    one_of(written, &TYPES)?.ok_or_else(|| {
        let name = written.value.as_str().unwrap_or_default();
        Diagnostic::error(
            "not in this version",
            format!("this version of remit doesn't know issuers of type `{name}` yet"),
        )
        .at(written.span())
        .help("write oidc, kubernetes, github, gitlab, spiffe or approle")
    })
}

fn url(written: &Written<'_>) -> Decoded<(String, Option<Span>)> {
    Ok((name(written)?, Some(written.span())))
}

/// Keys fetched over plain HTTP could be anybody's; on the loopback there is nobody between.
fn is_safe_url(url: &str) -> bool {
    if let Some(rest) = url.strip_prefix("https://") {
        return !rest.is_empty();
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    ["localhost", "127.0.0.1", "::1"].contains(&host)
}

const UNSAFE_URL: &str = "keys fetched over plain HTTP could be anybody's";

/// The URL is fetched only for discovery; otherwise it is what `iss` says and nothing more.
fn checked(
    reader: &Reader<'_, '_>,
    (url, at): (String, Option<Span>),
    keys: &IssuerKeys,
) -> Evaluated<String> {
    if *keys != IssuerKeys::Discovery || is_safe_url(&url) {
        return Ok(url);
    }
    Err(reader.report(invalid(
        at,
        format!(
            "`{}` can't be used for discovery: {UNSAFE_URL}",
            remit_sdk::text::safe(&url)
        ),
        "write a URL with `https://`",
    )))
}

fn no_url(reader: &Reader<'_, '_>) -> Failed {
    reader.report(
        Diagnostic::error(
            "missing attribute",
            "an issuer of this type needs `url`: what its tokens say as `iss`",
        )
        .at(reader.header)
        .help("write `url = \"https://…\"`"),
    )
}

fn no_keys(reader: &Reader<'_, '_>) -> Evaluated<()> {
    let mut result = Ok(());
    for name in ["url", "audience", "jwks_url", "public_keys", "ca_pem"] {
        if let Some(attribute) = reader.raw(name) {
            result = Err(reader.report(
                Diagnostic::error(
                    "attribute of another type",
                    format!("an AppRole has no tokens to check, so `{name}` means nothing here"),
                )
                .at(attribute.name.span)
                .help("take it out, or choose another `type`"),
            ));
        }
    }
    result
}

fn keys(reader: &Reader<'_, '_>) -> Evaluated<IssuerKeys> {
    let jwks_url = reader.optional("jwks_url", |written| {
        let url = name(written)?;
        if is_safe_url(&url) {
            return Ok(url);
        }
        let detail = format!(
            "`{}` can't be used for keys: {UNSAFE_URL}",
            remit_sdk::text::safe(&url)
        );
        Err(invalid(
            written.span(),
            detail,
            "write a URL with `https://`",
        ))
    });
    let public_keys = reader.optional("public_keys", |written| {
        let keys = texts(written)?;
        if keys.is_empty() {
            return Err(invalid(
                written.span(),
                "this is empty",
                "write PEM public keys, or leave it out for discovery",
            ));
        }
        Ok(keys)
    });
    match (jwks_url?, public_keys?) {
        (None, None) => Ok(IssuerKeys::Discovery),
        (Some(url), None) => Ok(IssuerKeys::JwksUrl(url)),
        (None, Some(keys)) => Ok(IssuerKeys::PublicKeys(keys)),
        (Some(_), Some(_)) => Err(reader.report(
            Diagnostic::error(
                "two sources of keys",
                "an issuer's keys come from `jwks_url`, from `public_keys`, or from discovery by `url`: exactly one",
            )
            .at(reader.raw("public_keys").and_then(|keys| keys.name.span))
            .label(
                reader.raw("jwks_url").and_then(|url| url.name.span),
                "the other one",
            )
            .help("take one of the two out"),
        )),
    }
}

fn audience(written: &Written<'_>) -> Decoded<BTreeMap<String, Vec<String>>> {
    const HELP: &str = "write `[\"AUDIENCE\"]`, or `{ vault = [\"…\"], aws = [\"…\"] }`";
    let all: BTreeMap<String, BTreeSet<String>> = match &written.value {
        Value::Map(_) => map_of_texts(written)?,
        Value::List(_) | Value::Set(_) => BTreeMap::from([(String::new(), names(written)?)]),
        other => {
            return Err(wrong_type(
                other,
                written.span(),
                "a list of audiences, or a map of lists",
                HELP,
            ));
        }
    };
    for (target, audiences) in &all {
        if !["", "vault", "aws"].contains(&target.as_str()) {
            return Err(invalid(
                written.span(),
                format!("`{}` is no target", remit_sdk::text::safe(target)),
                HELP,
            ));
        }
        if audiences.is_empty() || audiences.iter().any(String::is_empty) {
            return Err(invalid(written.span(), "an audience is missing", HELP));
        }
    }
    Ok(all
        .into_iter()
        .map(|(target, audiences)| (target, audiences.into_iter().collect()))
        .collect())
}

/// The path of a mount, without slashes around it.
fn mount(written: &Written<'_>) -> Decoded<String> {
    let path = name(written)?;
    let strange = path.starts_with('/') || path.ends_with('/') || path.starts_with("auth/");
    let parts = path.split('/').any(|part| part.is_empty() || part == "..");
    if strange || parts || path.contains(['*', '+', '?', '#', '%']) {
        return Err(invalid(
            written.span(),
            format!("`{path}` is no path of an auth mount"),
            "write the path below `auth/`, such as `\"kubernetes/eu\"`",
        ));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::is_safe_url;

    #[test]
    fn plain_http_is_for_the_loopback() {
        for good in [
            "https://a.example",
            "http://127.0.0.1:8080/keys",
            "http://localhost",
            "http://[::1]:80/",
        ] {
            assert!(is_safe_url(good), "{good}");
        }
        for bad in [
            "http://a.example",
            "https://",
            "ftp://a",
            "http://127.0.0.1.example/",
            "http://localhost@evil.example/",
        ] {
            assert!(!is_safe_url(bad), "{bad}");
        }
    }
}
