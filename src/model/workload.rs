//! `workload` blocks: what an issuer says about exactly one workload.
//!
//! In: the block and its issuer. Out: a [`Binding`]. A subject is always exact; further claims
//! only narrow. For an AppRole a secret-id lives for an hour and is good for one login unless
//! the block says otherwise, since it is a secret that somebody has to carry.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{Binding, Issuer, IssuerType, Workload};
use remit_sdk::{DeclarationAddress, Diagnostic};

use super::decode::{
    Decoded, boolean, cidrs, count, duration, exact, invalid, map_of_texts, one_of, reference,
};
use super::reader::{Reader, Written};
use crate::config::syntax::Block;
use crate::evaluate::{Evaluated, Failed};

/// How long a secret-id lives by default: long enough to be brought where it is used.
const SECRET_ID_TTL_SECONDS: u64 = 3600;
/// How many logins a secret-id is good for by default.
const SECRET_ID_NUM_USES: u64 = 1;

/// Reads all `workload` blocks.
pub(super) fn workloads(
    reader: &Reader<'_, '_>,
    issuers: &BTreeMap<DeclarationAddress, Issuer>,
) -> Evaluated<Vec<Workload>> {
    let mut found: Vec<Workload> = Vec::new();
    let mut result = Ok(());
    let mut any = false;
    for block in reader.blocks("workload") {
        any = true;
        reader.no_labels(block);
        match workload(&reader.inner(block), block, issuers) {
            Ok(workload) => {
                let earlier = found.iter().find(|other| other.issuer == workload.issuer);
                if let Some(earlier) = earlier {
                    result = Err(reader.report(
                        Diagnostic::error(
                            "two workloads of one issuer",
                            format!(
                                "`{}` vouches for one workload of an identity",
                                workload.issuer
                            ),
                        )
                        .at(block.span)
                        .label(earlier.span, "the first one")
                        .help("declare an identity for each workload"),
                    ));
                }
                found.push(workload);
            }
            Err(Failed) => result = Err(Failed),
        }
    }
    if !any {
        result = Err(reader.report(
            Diagnostic::error("missing block", "an identity needs a `workload`: who it is")
                .at(reader.header)
                .help("write `workload { issuer = issuer.NAME … }`"),
        ));
    }
    result.map(|()| found)
}

fn workload(
    reader: &Reader<'_, '_>,
    block: &Block,
    issuers: &BTreeMap<DeclarationAddress, Issuer>,
) -> Evaluated<Workload> {
    let address = reader.required("issuer", reference("issuer"))?;
    // An issuer that isn't there had a mistake of its own.
    let issuer = issuers.get(&address).ok_or(Failed)?;
    let binding = match issuer.kind {
        IssuerType::Kubernetes => kubernetes(reader),
        IssuerType::Github => github(reader),
        IssuerType::Gitlab => gitlab(reader),
        IssuerType::Spiffe => spiffe(reader),
        IssuerType::Oidc => oidc(reader),
        IssuerType::Approle => approle(reader),
    };
    reader.finish();
    Ok(Workload {
        issuer: address,
        binding: binding?,
        span: block.span,
    })
}

fn jwt(subject: String, claims: BTreeMap<String, BTreeSet<String>>) -> Binding {
    Binding::Jwt { subject, claims }
}

/// A part of a subject, in which `:` divides parts.
fn part(written: &Written<'_>) -> Decoded<String> {
    let text = exact(written)?;
    if text.contains(':') {
        return Err(invalid(
            written.span(),
            format!("`{text}` holds a `:`, which divides the parts of a subject"),
            "write this part alone",
        ));
    }
    Ok(text)
}

fn kubernetes(reader: &Reader<'_, '_>) -> Evaluated<Binding> {
    let namespace = reader.required("namespace", part);
    let account = reader.required("service_account", part);
    let subject = format!("system:serviceaccount:{}:{}", namespace?, account?);
    Ok(jwt(subject, BTreeMap::new()))
}

fn github(reader: &Reader<'_, '_>) -> Evaluated<Binding> {
    let repository = reader.required("repository", repository);
    let repository_id = reader.optional("repository_id", part);
    let environment = reader.optional("environment", exact);
    let git_ref = reader.optional("ref", exact);
    let pull_request = reader.optional("pull_request", boolean);
    let subject = reader.optional("subject", exact);
    let (repository, repository_id) = (repository?, repository_id?);
    let subjects = [
        environment?.map(|name| format!("repo:{repository}:environment:{name}")),
        git_ref?.map(|name| format!("repo:{repository}:ref:{name}")),
        pull_request?
            .unwrap_or(false)
            .then(|| format!("repo:{repository}:pull_request")),
        subject?,
    ];
    let mut subjects = subjects.into_iter().flatten();
    let (Some(subject), None) = (subjects.next(), subjects.next()) else {
        return Err(reader.report(
            Diagnostic::error(
                "workload not bound exactly",
                "a GitHub workload is bound by exactly one of `environment`, `ref`, `pull_request` and `subject`",
            )
            .at(reader.header)
            .help("write `environment = \"production\"`, or `ref = \"refs/heads/main\"`"),
        ));
    };
    let mut claims = BTreeMap::from([("repository".to_owned(), BTreeSet::from([repository]))]);
    if let Some(id) = repository_id {
        claims.insert("repository_id".to_owned(), BTreeSet::from([id]));
    }
    Ok(jwt(subject, claims))
}

fn repository(written: &Written<'_>) -> Decoded<String> {
    let text = part(written)?;
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [owner, name] if !owner.is_empty() && !name.is_empty() => Ok(text),
        _ => Err(invalid(
            written.span(),
            format!("`{text}` is no repository"),
            "write `\"OWNER/REPOSITORY\"`",
        )),
    }
}

fn gitlab(reader: &Reader<'_, '_>) -> Evaluated<Binding> {
    let project = reader.required("project_path", part);
    let git_ref = reader.required("ref", part);
    let ref_type = reader.required("ref_type", |written| {
        one_of(written, &[("branch", "branch"), ("tag", "tag")])
    });
    let subject = format!(
        "project_path:{}:ref_type:{}:ref:{}",
        project?, ref_type?, git_ref?
    );
    Ok(jwt(subject, BTreeMap::new()))
}

fn spiffe(reader: &Reader<'_, '_>) -> Evaluated<Binding> {
    let id = reader.required("id", |written| {
        let id = exact(written)?;
        let path = id
            .strip_prefix("spiffe://")
            .and_then(|rest| rest.split_once('/'));
        match path {
            Some((domain, path)) if !domain.is_empty() && !path.is_empty() => Ok(id),
            _ => Err(invalid(
                written.span(),
                format!("`{id}` is no SPIFFE ID of a workload"),
                "write `\"spiffe://TRUST_DOMAIN/PATH\"`",
            )),
        }
    })?;
    Ok(jwt(id, BTreeMap::new()))
}

fn oidc(reader: &Reader<'_, '_>) -> Evaluated<Binding> {
    let subject = reader.required("subject", exact);
    let claims = reader.optional("claims", claims);
    Ok(jwt(subject?, claims?.unwrap_or_default()))
}

fn claims(written: &Written<'_>) -> Decoded<BTreeMap<String, BTreeSet<String>>> {
    let claims = map_of_texts(written)?;
    for (claim, values) in &claims {
        let detail = if values.is_empty() {
            format!("the claim `{claim}` has no value, so nothing could log in")
        } else if ["sub", "aud", "iss"].contains(&claim.as_str()) {
            format!("`{claim}` is bound by the workload and its issuer")
        } else if values.iter().any(|value| value.contains('*')) {
            format!("the claim `{claim}` holds a wildcard, and a workload is bound exactly")
        } else {
            continue;
        };
        return Err(invalid(
            written.span(),
            remit_sdk::text::safe(&detail),
            "write `{ claim = \"value\" }`, each value in full",
        ));
    }
    Ok(claims)
}

fn approle(reader: &Reader<'_, '_>) -> Evaluated<Binding> {
    let bound_cidrs = reader.optional("bound_cidrs", cidrs);
    let ttl = reader.optional("secret_id_ttl", duration);
    let uses = reader.optional("secret_id_num_uses", count);
    Ok(Binding::Approle {
        bound_cidrs: bound_cidrs?.unwrap_or_default(),
        secret_id_ttl_seconds: ttl?.unwrap_or(SECRET_ID_TTL_SECONDS),
        secret_id_num_uses: uses?.unwrap_or(SECRET_ID_NUM_USES),
    })
}
