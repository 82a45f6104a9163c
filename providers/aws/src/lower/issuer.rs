//! Issuers: OIDC providers, and what of an issuer AWS can check.
//!
//! In come the issuers that the part's identities use; out goes an OIDC provider for each that
//! AWS doesn't know yet, and the set of those that a trust policy may name. AWS fetches keys
//! itself, by discovery below the issuer's URL: keys that the configuration holds are of no use
//! to it, which is said and not hidden. An issuer without an audience is refused, since a token
//! meant for anybody else could be replayed.

use std::collections::BTreeSet;

use remit_sdk::Diagnostic;
use remit_sdk::declaration::{Issuer, IssuerKeys, IssuerType};
use remit_sdk::text::safe;

use super::{Draft, Lowering, about};
use crate::{arn, normal};

/// GitHub Actions' issuer, as condition keys begin with it. Another URL, of an enterprise or of a
/// server of one's own, is another issuer to AWS, and no claims of it but the common ones count.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// Claims of GitHub Actions' tokens that AWS can check beside subject and audience (IAM User
/// Guide, "AWS global and IAM condition context keys", web identity federation, since 2026).
const GITHUB_CLAIMS: &[&str] = &[
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
];

/// How a claim is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The subject says it already.
    InSubject,
    /// By this operator.
    Checked(&'static str),
    /// Not at all.
    Unchecked,
}

/// What AWS can do about a claim of an issuer's tokens.
pub(super) fn claim(
    issuer: &Issuer,
    name: &str,
    values: &BTreeSet<String>,
    subject: &str,
) -> Claim {
    let says = |value: &String| subject.starts_with(&format!("repo:{value}:"));
    if issuer.kind == IssuerType::Github && name == "repository" && values.iter().any(says) {
        return Claim::InSubject;
    }
    let is_github = arn::issuer(&issuer.url) == GITHUB;
    match name {
        // Of every issuer; how somebody logged in is a list.
        "email" => Claim::Checked("StringEquals"),
        "amr" => Claim::Checked("ForAnyValue:StringEquals"),
        name if is_github && GITHUB_CLAIMS.contains(&name) => Claim::Checked("StringEquals"),
        _ => Claim::Unchecked,
    }
}

/// The claims that [`claim`] knows for an issuer, for messages.
pub(super) fn checked_claims(issuer: &Issuer) -> Vec<&'static str> {
    let mut all = vec!["amr", "email"];
    if arn::issuer(&issuer.url) == GITHUB {
        all.extend(GITHUB_CLAIMS);
    }
    all
}

/// Text that AWS would take for a variable of its policy language, where it must be exact.
pub(super) fn is_variable(text: &str) -> bool {
    text.contains("${")
}

impl Lowering<'_> {
    pub(super) fn issuers(&mut self) {
        for issuer in self.part.issuers.clone() {
            // Which identities an AppRole leaves outside is said where they are lowered.
            if issuer.kind != IssuerType::Approle {
                self.issuer(issuer);
            }
        }
    }

    fn issuer(&mut self, issuer: &Issuer) {
        let before = self.errors();
        self.check_issuer(issuer);
        let has_url = normal::check_url(&issuer.url).is_ok();
        if has_url {
            self.warn_of_keys(issuer);
        }
        if has_url && !issuer.existing_in_aws {
            let address = self.address(&issuer.address, "aws_iam_openid_connect_provider");
            self.keep(
                Draft::new(address, &issuer.lifecycle, issuer.span)
                    .text("url", &issuer.url)
                    .strings("client_id_list", issuer.audiences("aws").iter().cloned()),
            );
        }
        if self.errors() == before {
            self.accepted.insert(issuer.address.clone());
        }
    }

    fn errors(&self) -> usize {
        let all = self.out.diagnostics.iter();
        all.filter(|one| one.is_error()).count()
    }

    fn check_issuer(&mut self, issuer: &Issuer) {
        let mut mistake = |detail: String, help: &str| {
            self.out.diagnostics.push(
                Diagnostic::error("issuer not possible in aws", detail)
                    .help(help)
                    .at(issuer.span)
                    .about(about(&issuer.address)),
            );
        };
        let audiences = issuer.audiences("aws");
        if audiences.is_empty() {
            mistake(
                format!(
                    "`{}` accepts no audience in AWS, so a token meant for anybody else could be replayed",
                    issuer.address
                ),
                "write `audience = { aws = [\"sts.amazonaws.com\"] }`",
            );
        }
        if let Some(audience) = audiences.iter().find(|one| is_variable(one)) {
            mistake(
                format!(
                    "the audience `{}` holds `${{`, which AWS takes for a variable, and an audience must be exact",
                    safe(audience)
                ),
                "let the issuer put another audience in its tokens",
            );
        }
        if issuer.url.is_empty() {
            mistake(
                format!(
                    "`{}` has no `url`, and AWS knows an issuer by nothing else",
                    issuer.address
                ),
                "write `url = \"https://…\"`, exactly as the tokens' `iss` claim",
            );
        } else if let Err(why) = normal::check_url(&issuer.url) {
            mistake(
                why,
                "write `https://HOST/PATH`, exactly as the tokens' `iss` claim",
            );
        }
    }

    fn warn_of_keys(&mut self, issuer: &Issuer) {
        let what = match (&issuer.keys, &issuer.ca_pem) {
            (IssuerKeys::PublicKeys(_), _) => "public_keys",
            (IssuerKeys::JwksUrl(_), _) => "jwks_url",
            (_, Some(_)) => "ca_pem",
            _ => return,
        };
        let url = safe(issuer.url.trim_end_matches('/'));
        let (detail, help) = if what == "ca_pem" {
            (
                format!(
                    "`{}` has a `ca_pem`, and AWS verifies `{url}` with its own CAs, or by the thumbprint of another one",
                    issuer.address
                ),
                "with a CA of your own, write the OIDC provider as a resource with its `thumbprint_list`, and `existing_in_aws = true` here".to_owned(),
            )
        } else {
            (
                format!(
                    "`{}` has `{what}`, and AWS always fetches keys by discovery below `{url}`; `{what}` counts elsewhere only",
                    issuer.address
                ),
                format!("make sure that AWS can reach `{url}/.well-known/openid-configuration`"),
            )
        };
        self.mistake(
            Diagnostic::warning("keys that aws doesn't take", detail)
                .help(help)
                .at(issuer.span)
                .about(about(&issuer.address)),
        );
    }
}
