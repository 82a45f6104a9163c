//! 101, 102, 105 and 106: one identity, one workload, one domain, one environment.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Binding, Environment, Identity, Tier, Workload};

use super::input::Effective;
use super::overlap;
use super::rule::{Need, Part, Report, Rule, Weight};

/// 101 and 102.
pub(super) const SHARED: &[Rule] = &[
    Rule {
        code: "RMT101",
        name: "shared-identity",
        weight: Weight::ByTier,
        finds: "Two identities bound to one workload, or one agent, environment and domain declared \
                twice.",
        why: "What one of them does can't be told from what the other does, and taking access from \
              one leaves it to the other.",
        blind: "Logins that others made for the same workload in the target are not read.",
        wrong: include_str!("examples/rmt101.wrong.remit.hcl"),
        right: include_str!("examples/rmt101.right.remit.hcl"),
        controls: &["NHI9", "ASI03", "GOVERN 1.6"],
        parts: &[
            Part {
                needs: Need::Model,
                run: one_workload_twice,
            },
            Part {
                needs: Need::Model,
                run: declared_twice,
            },
        ],
    },
    Rule {
        code: "RMT102",
        name: "alias-collapse",
        weight: Weight::ByTier,
        finds: "Two agents whose logins yield the same Vault entity, or a login role that tells \
                workloads apart by a claim that several share.",
        why: "Vault knows a login by its mount and the value of one claim. Where two agents share \
              that, both get the entity of one, with its policies, and the audit log names the \
              wrong agent.",
        blind: "Entity aliases that others made in the target are not read.",
        wrong: include_str!("examples/rmt102.wrong.remit.hcl"),
        right: include_str!("examples/rmt102.right.remit.hcl"),
        controls: &["NHI9", "ASI03"],
        parts: &[
            Part {
                needs: Need::Model,
                run: one_alias_twice,
            },
            Part {
                needs: Need::Model,
                run: user_claims,
            },
        ],
    },
];

/// 105 and 106.
pub(super) const MIXED: &[Rule] = &[
    Rule {
        code: "RMT105",
        name: "mixed-domains",
        weight: Weight::ByTier,
        finds: "An identity that holds a scope of another privilege domain.",
        why: "A domain is what one task may touch. An agent that is talked into something in one \
              domain can then act in the other.",
        blind: "",
        wrong: include_str!("examples/rmt105.wrong.remit.hcl"),
        right: include_str!("examples/rmt105.right.remit.hcl"),
        controls: &["NHI5"],
        parts: &[Part {
            needs: Need::Model,
            run: mixed_domains,
        }],
    },
    Rule {
        code: "RMT106",
        name: "mixed-environments",
        weight: Weight::ByTier,
        finds: "An identity that reaches, in effect, what is named after another environment, or \
                that outside production reaches what an identity in production does.",
        why: "What goes wrong where things are tried would go wrong where the real data is.",
        blind: "An environment is recognised by its name among the words of a path or ARN that \
                doesn't name the identity's own. A `*` inside an ARN is compared as it is \
                written.",
        wrong: include_str!("examples/rmt106.wrong.remit.hcl"),
        right: include_str!("examples/rmt106.right.remit.hcl"),
        controls: &["NHI8", "ASI08"],
        parts: &[
            Part {
                needs: Need::Access,
                run: named_after_another,
            },
            Part {
                needs: Need::Access,
                run: shared_with_production,
            },
        ],
    },
];

fn one_workload_twice(report: &mut Report<'_, '_>) {
    let model = report.model();
    let mut known: BTreeMap<(String, &str), Vec<(&Identity, &Workload)>> = BTreeMap::new();
    for identity in report.facts.identities.iter().copied() {
        for workload in &identity.workloads {
            let Some(issuer) = model.issuers.get(&workload.issuer) else {
                continue;
            };
            let (voucher, subject) = match &workload.binding {
                Binding::Jwt { subject, .. } => (issuer.url.clone(), subject),
                // The role-id, which is the identity's live name.
                Binding::Approle { .. } => {
                    (mount(report, &workload.issuer).to_string(), &identity.name)
                }
            };
            let others = known.entry((voucher, subject.as_str())).or_default();
            let other = others
                .iter()
                .find(|(_, other)| can_be_one(&other.binding, &workload.binding));
            if let Some((other, _)) = other {
                let tier = report
                    .facts
                    .of_identity(identity)
                    .max(report.facts.of_identity(other));
                report.found(
                    &identity.address,
                    workload.span,
                    tier,
                    format!(
                        "`{}` and `{}` are bound to one workload: {} at `{}`",
                        other.address,
                        identity.address,
                        quoted(subject),
                        workload.issuer
                    ),
                    "give each identity a workload of its own, such as a service account of its own",
                );
            }
            others.push((identity, workload));
        }
    }
}

/// Whether one workload can meet both bindings: no claim that both name keeps them apart.
fn can_be_one(one: &Binding, other: &Binding) -> bool {
    let (Binding::Jwt { claims: one, .. }, Binding::Jwt { claims: other, .. }) = (one, other)
    else {
        return true;
    };
    one.iter().all(|(claim, values)| {
        other
            .get(claim)
            .is_none_or(|theirs| !values.is_disjoint(theirs))
    })
}

fn declared_twice(report: &mut Report<'_, '_>) {
    let mut known = BTreeMap::new();
    for identity in report.facts.identities.iter().copied() {
        let key = (&identity.agent, &identity.environment, &identity.domain);
        let Some(other) = known.get(&key) else {
            known.insert(key, &identity.address);
            continue;
        };
        let tier = report.facts.of_identity(identity);
        report.found(
            &identity.address,
            identity.span,
            tier,
            format!(
                "`{other}` and `{}` are both `{}` in `{}` in the domain {}",
                identity.address,
                identity.agent,
                identity.environment,
                quoted(&identity.domain)
            ),
            "declare it once with all its scopes and workloads, or give each a domain of its own",
        );
    }
}

fn one_alias_twice(report: &mut Report<'_, '_>) {
    let model = report.model();
    let mut known: BTreeMap<(String, &DeclarationAddress, &str), &Identity> = BTreeMap::new();
    for identity in report.facts.identities.iter().copied() {
        if !model.is_in(identity, "vault") {
            continue;
        }
        for workload in &identity.workloads {
            let Binding::Jwt { subject, .. } = &workload.binding else {
                continue;
            };
            let instance = model.instance_of(identity, "vault");
            let key = (instance, mount(report, &workload.issuer), subject.as_str());
            let Some(other) = known.get(&key) else {
                known.insert(key, identity);
                continue;
            };
            if other.agent == identity.agent {
                continue;
            }
            let tier = report
                .facts
                .of_identity(identity)
                .max(report.facts.of_identity(other));
            let what = format!(
                "logins of `{}` and `{}` get one entity: both are {} at the mount of `{}`, and \
                 claims beside the subject don't tell entities apart",
                other.agent,
                identity.agent,
                quoted(subject),
                workload.issuer
            );
            report.found(
                &identity.address,
                workload.span,
                tier,
                what,
                "bind each agent to a subject of its own, or to issuers with mounts of their own",
            );
        }
    }
}

/// The first issuer that uses the same auth mount: itself, unless several name one that exists.
fn mount<'a>(report: &Report<'_, 'a>, issuer: &'a DeclarationAddress) -> &'a DeclarationAddress {
    let issuers = &report.model().issuers;
    let Some(path) = issuers.get(issuer).and_then(|one| one.mount.as_ref()) else {
        return issuer;
    };
    let same = issuers
        .values()
        .find(|one| one.mount.as_ref() == Some(path));
    same.map_or(issuer, |one| &one.address)
}

/// Claims of which an issuer gives each workload its own value: the subject, and the ids that
/// Entra and Kubernetes call by other names.
const UNIQUE_CLAIMS: [&str; 3] = ["sub", "oid", "/kubernetes.io/serviceaccount/uid"];

fn user_claims(report: &mut Report<'_, '_>) {
    for resource in report.model().resources.values() {
        if resource.kind.name != "vault_jwt_role" {
            continue;
        }
        let claim = resource.attributes.get("user_claim");
        let Some((claim, span)) = claim.and_then(|one| Some((one.value.as_str()?, one.span)))
        else {
            continue;
        };
        if UNIQUE_CLAIMS.contains(&claim) {
            continue;
        }
        let tier = report.facts.of(&resource.address);
        report.found(
            &resource.address,
            span.unwrap_or(resource.span),
            tier,
            format!(
                "`{}` tells logins apart by the claim {}, which several workloads may share",
                resource.address,
                quoted(claim)
            ),
            "write `user_claim = \"sub\"`",
        );
    }
}

fn mixed_domains(report: &mut Report<'_, '_>) {
    let model = report.model();
    for identity in model.identities.values() {
        for held in &identity.scopes {
            let Some(scope) = model.scopes.get(&held.value) else {
                continue;
            };
            if scope.domain == identity.domain {
                continue;
            }
            let tier = report.facts.of_identity(identity);
            report.found(
                &identity.address,
                held.span.unwrap_or(identity.span),
                tier,
                format!(
                    "`{}` is in the domain {} and holds `{}` of the domain {}",
                    identity.address,
                    quoted(&identity.domain),
                    scope.address,
                    quoted(&scope.domain)
                ),
                format!(
                    "declare a second identity in the domain {}, with a workload of its own, and \
                     move the scope there",
                    quoted(&scope.domain)
                ),
            );
        }
    }
}

fn named_after_another(report: &mut Report<'_, '_>) {
    let (model, access) = (report.model(), report.input.access);
    let words: Vec<(Vec<&str>, &Environment)> = model
        .environments
        .values()
        .map(|environment| (overlap::words(&environment.name), environment))
        .collect();
    for held in access.into_iter().flat_map(|access| &access.permissions) {
        let Some(identity) = model.identities.get(&held.identity) else {
            continue;
        };
        for resource in &held.permission.resources {
            let named = overlap::named(&overlap::words(resource), &words);
            // With its own environment in the name, others there are parts of other words.
            if named.iter().any(|one| one.address == identity.environment) {
                continue;
            }
            for other in named {
                let tier = report.facts.of_identity(identity).max(other.tier);
                report.found(
                    &identity.address,
                    span_of_scope(identity, held),
                    tier,
                    format!(
                        "`{}` is in `{}` and may {} {}, which is named after `{}`",
                        identity.address,
                        identity.environment,
                        overlap::list(&held.permission.actions),
                        quoted(resource),
                        other.address
                    ),
                    "write `${identity.environment}` in the scope's paths and ARNs, so that each \
                     holder reaches its own environment",
                );
            }
        }
    }
}

/// The same secret or resource, reached from production and from outside it.
fn shared_with_production(report: &mut Report<'_, '_>) {
    let (model, access) = (report.model(), report.input.access);
    let all = || {
        let held = access.into_iter().flat_map(|access| &access.permissions);
        held.filter_map(|held| {
            let identity = model.identities.get(&held.identity)?;
            let environment = model.environments.get(&identity.environment)?;
            Some((held, identity, environment.tier == Tier::Production))
        })
    };
    let mut production: Reached<'_> = BTreeMap::new();
    for (held, identity, is_production) in all() {
        let resources = held.permission.resources.iter();
        for resource in resources.filter(|one| is_production && !is_own(one)) {
            let key = (held.instance.as_str(), resource.as_str());
            production.entry(key).or_insert(identity);
        }
    }
    let mut said = BTreeSet::new();
    for (held, identity, is_production) in all() {
        let resources = held.permission.resources.iter();
        for resource in resources.filter(|one| !is_production && !is_own(one)) {
            let Some((same, other)) = reached(&production, &held.instance, resource) else {
                continue;
            };
            if !said.insert((&identity.address, resource)) {
                continue;
            }
            let by = if same == resource {
                String::new()
            } else {
                format!(", by {}", quoted(resource))
            };
            let tier = report.facts.of_identity(identity);
            report.found(
                &identity.address,
                span_of_scope(identity, held),
                tier,
                format!(
                    "`{}` in `{}` reaches {}{by}, as `{}` in `{}` does",
                    identity.address,
                    identity.environment,
                    quoted(same),
                    other.address,
                    other.environment,
                ),
                "keep what production uses under a path of its own: write \
                 `${identity.environment}` in the scope's paths and ARNs",
            );
        }
    }
}

/// What is reached in each instance, and by whom.
type Reached<'a> = BTreeMap<(&'a str, &'a str), &'a Identity>;

/// The first of `all` that `pattern` reaches too, with who has it.
fn reached<'a>(
    all: &Reached<'a>,
    instance: &'a str,
    pattern: &'a str,
) -> Option<(&'a str, &'a Identity)> {
    let end = pattern.find(['*', '+']).unwrap_or(pattern.len());
    let fixed = pattern.get(..end)?;
    all.range((instance, fixed)..)
        .take_while(|((other, resource), _)| *other == instance && resource.starts_with(fixed))
        .find(|((_, resource), _)| overlap::overlap(pattern, resource))
        .map(|((_, resource), identity)| (*resource, *identity))
}

/// What every token may do with itself, and everything at once, which RMT201 is about.
fn is_own(resource: &str) -> bool {
    resource == "*" || resource.ends_with("-self") || resource.starts_with("cubbyhole/")
}

fn span_of_scope(identity: &Identity, held: &Effective) -> remit_sdk::Span {
    let named = identity
        .scopes
        .iter()
        .find(|scope| held.scopes.contains(&scope.value));
    named.and_then(|scope| scope.span).unwrap_or(identity.span)
}

/// A text of the configuration or of a target, between quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", remit_sdk::text::safe(text))
}
