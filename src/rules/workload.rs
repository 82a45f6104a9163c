//! 107: a workload is bound so that no other can pass for it.

use remit_sdk::declaration::{Binding, Identity, Issuer, IssuerType, Resource, Workload};
use remit_sdk::{Span, Value};

use super::identity::quoted;
use super::rule::{Need, Part, Report, Rule, Weight};

pub(super) const RULES: &[Rule] = &[Rule {
    code: "RMT107",
    name: "loose-workload",
    weight: Weight::ByTier,
    finds: "A binding with a wildcard, without audience or without subject, to a `default` service \
            account, or to a CI job that isn't pinned to its repository and its ref or environment.",
    why: "Whoever can run another workload that fits gets the agent's access.",
    blind: "Trust policies of `aws_iam_role` resources and logins that others made in the target \
            are not read.",
    wrong: include_str!("examples/rmt107.wrong.remit.hcl"),
    right: include_str!("examples/rmt107.right.remit.hcl"),
    controls: &["NHI4", "NHI6"],
    parts: &[
        Part {
            needs: Need::Model,
            run: identities,
        },
        Part {
            needs: Need::Model,
            run: roles,
        },
    ],
}];

/// What the issuers of CI jobs are called where somebody declares them as plain OIDC.
const CI_HOSTS: [&str; 2] = ["token.actions.githubusercontent.com", "gitlab.com"];

fn identities(report: &mut Report<'_, '_>) {
    let model = report.model();
    for identity in model.identities.values() {
        for workload in &identity.workloads {
            let Some(issuer) = model.issuers.get(&workload.issuer) else {
                continue;
            };
            for (what, help) in loose(report, identity, workload, issuer) {
                let tier = report.facts.of_identity(identity);
                let what = format!("`{}` {what}", identity.address);
                report.found(&identity.address, workload.span, tier, what, help);
            }
        }
    }
}

/// Everything that is loose about one workload, each with what to write.
fn loose(
    report: &Report<'_, '_>,
    identity: &Identity,
    workload: &Workload,
    issuer: &Issuer,
) -> Vec<(String, &'static str)> {
    // The language takes no wildcard in a subject or a claim.
    let Binding::Jwt { subject, .. } = &workload.binding else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for target in ["vault", "aws"] {
        if report.model().is_in(identity, target) && issuer.audiences(target).is_empty() {
            found.push((
                format!(
                    "logs in to {target} by `{}`, which names no audience for it: a token made for \
                     somebody else would be taken",
                    issuer.address
                ),
                "write `audience = { vault = [\"…\"], aws = [\"…\"] }` in the issuer",
            ));
        }
    }
    if subject.starts_with("system:serviceaccount:") && subject.ends_with(":default") {
        found.push((
            "is bound to a `default` service account, which every pod has that names none".into(),
            "make a service account for this agent alone, and name it",
        ));
    }
    let is_ci = matches!(issuer.kind, IssuerType::Github | IssuerType::Gitlab)
        || CI_HOSTS.iter().any(|host| issuer.url.contains(host));
    if is_ci && !is_pinned(subject) {
        found.push((
            format!(
                "is bound to CI jobs of any ref or environment: {}",
                quoted(subject)
            ),
            "bind it by `environment`, with reviewers in the CI system, or by the `ref` of a \
             protected branch",
        ));
    }
    found
}

/// Whether a CI job's subject names what only some people can change: an environment or a ref.
fn is_pinned(subject: &str) -> bool {
    let parts: Vec<&str> = subject.split(':').collect();
    parts.windows(2).any(|pair| {
        matches!(pair, ["environment" | "ref" | "job_workflow_ref", value] if !value.is_empty())
    })
}

fn roles(report: &mut Report<'_, '_>) {
    for resource in report.model().resources.values() {
        if resource.kind.name != "vault_jwt_role" {
            continue;
        }
        let mut say = |name: &str, what: &str, help: &str| {
            let tier = report.facts.of(&resource.address);
            let span = span(resource, name);
            let what = format!("`{}` {what}", resource.address);
            report.found(&resource.address, span, tier, what, help);
        };
        if is_empty(resource, "bound_audiences") {
            say(
                "bound_audiences",
                "names no audience: a token made for somebody else would be taken",
                "write `bound_audiences`",
            );
        }
        if is_empty(resource, "bound_subject") {
            say(
                "bound_subject",
                "names no subject: every workload of the issuer that fits its claims may log in",
                "write `bound_subject`, in full",
            );
        }
        let kind = resource.attributes.get("bound_claims_type");
        if kind.is_some_and(|kind| kind.value.as_str() == Some("glob")) {
            say(
                "bound_claims_type",
                "takes wildcards in claims",
                "write `bound_claims_type = \"string\"`, and each value in full",
            );
        }
    }
}

fn is_empty(resource: &Resource, name: &str) -> bool {
    match resource.attributes.get(name).map(|one| &one.value) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::List(all)) => all.is_empty(),
        Some(Value::Set(all)) => all.is_empty(),
        Some(_) => false,
    }
}

fn span(resource: &Resource, name: &str) -> Span {
    let attribute = resource.attributes.get(name);
    let written = attribute.and_then(|attribute| attribute.span);
    written.unwrap_or(resource.span)
}
