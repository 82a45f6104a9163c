//! 501 to 504: what lives in the targets. What this version doesn't read is listed as skipped.

use remit_sdk::declaration::{Binding, Identity, IssuerType, Tier, Workload};
use remit_sdk::{Address, DeclarationAddress};

use super::identity::quoted;
use super::rule::{Need, Part, Report, Rule, Weight};
use crate::diff::{Action, Reason};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "RMT501",
        name: "unmanaged-identity",
        weight: Weight::ByTier,
        finds: "An object in a target, under a prefix or mount that remit manages, that nobody \
                declared.",
        why: "Nobody answers for it, and what it may do was never looked at.",
        blind: "What lives outside managed prefixes and mounts is not listed.",
        wrong: include_str!("examples/rmt501.wrong.remit.hcl"),
        right: include_str!("examples/rmt501.right.remit.hcl"),
        controls: &["NHI1", "GOVERN 1.6"],
        parts: &[Part {
            needs: Need::Live,
            run: unmanaged,
        }],
    },
    Rule {
        code: "RMT502",
        name: "incomplete-offboarding",
        weight: Weight::ByTier,
        finds: "Leases, keys, aliases, sessions or attachments left of something that was removed; \
                an object that is forgotten and lives on, since somebody else took it over.",
        why: "An agent that is gone for its owner can still act with what was left of it.",
        blind: "",
        wrong: "",
        right: "",
        controls: &["NHI1", "GOVERN 1.7"],
        parts: &[
            Part {
                needs: Need::Plan,
                run: left_behind,
            },
            Part {
                needs: Need::Unread(
                    "the leases, keys and sessions of what was removed, which this version doesn't \
                     read",
                ),
                run: |_| {},
            },
        ],
    },
    Rule {
        code: "RMT503",
        name: "no-audit",
        weight: Weight::ByTier,
        finds: "A target without an audit device, or with one that can't name the agent.",
        why: "What an agent did can then be told by nobody.",
        blind: "",
        wrong: "",
        right: "",
        controls: &["ASI10", "MEASURE 2.4"],
        parts: &[Part {
            needs: Need::Unread("the target's audit devices, which this version doesn't read"),
            run: |_| {},
        }],
    },
    Rule {
        code: "RMT504",
        name: "human-use",
        weight: Weight::ByTier,
        finds: "An identity of an agent that a person can log in as.",
        why: "What the person does is taken for the agent's doing, and the agent's access for the \
              person's.",
        blind: "A person is recognised by a subject that is a mail address.",
        wrong: include_str!("examples/rmt504.wrong.remit.hcl"),
        right: include_str!("examples/rmt504.right.remit.hcl"),
        controls: &["NHI10"],
        parts: &[
            Part {
                needs: Need::Model,
                run: people,
            },
            Part {
                needs: Need::Unread(
                    "the aliases of entities and the login profiles of users, which this version \
                     doesn't read",
                ),
                run: |_| {},
            },
        ],
    },
];

/// The address of a provider instance: `provider.vault`, `provider.vault["audit"]`.
fn provider(instance: &str) -> Address {
    let address = match instance.split_once('.') {
        Some((name, alias)) => DeclarationAddress::new("provider", name).with_key(alias),
        None => DeclarationAddress::new("provider", instance),
    };
    Address::Declaration(address)
}

fn unmanaged(report: &mut Report<'_, '_>) {
    let input = report.input;
    let observed = input.observed.map(|observed| &observed.others);
    let planned = input.plan.map(|plan| &plan.unmanaged);
    for (instance, kind, key) in observed.or(planned).into_iter().flatten() {
        let tier = report.facts.of_instance(instance);
        let config = report.model().providers.get(instance);
        let span = config.and_then(|config| config.span);
        report.found_at(
            Some(provider(instance)),
            span,
            tier,
            format!(
                "{kind} {} lives in {instance}, and nobody declared it",
                quoted(key)
            ),
            "declare it and take it over with `remit import`, or remove it from the target",
        );
    }
}

fn left_behind(report: &mut Report<'_, '_>) {
    let plan = report.input.plan;
    for change in plan.into_iter().flat_map(|plan| plan.changes.values()) {
        let is_left = change.action == Action::Forget && change.reason == Reason::NotOurs;
        if !is_left {
            continue;
        }
        let tier = report.facts.of_instance(&change.instance);
        report.found_at(
            Some(Address::Object(change.address.clone())),
            None,
            tier,
            format!(
                "{} {} is forgotten and lives on in {}: somebody else took it over",
                change.kind,
                quoted(&change.key),
                change.instance
            ),
            "find out who uses it, and remove it from the target if nobody should",
        );
    }
}

fn people(report: &mut Report<'_, '_>) {
    let model = report.model();
    for identity in model.identities.values() {
        for workload in &identity.workloads {
            let issuer = model.issuers.get(&workload.issuer);
            if issuer.is_some_and(|issuer| issuer.kind == IssuerType::Oidc) {
                let tier = report.facts.of_identity(identity);
                person(report, identity, workload, tier);
            }
        }
    }
}

fn person(report: &mut Report<'_, '_>, identity: &Identity, workload: &Workload, tier: Tier) {
    let Binding::Jwt { subject, claims } = &workload.binding else {
        return;
    };
    let claimed = claims
        .iter()
        .filter(|(claim, _)| ["email", "preferred_username", "upn"].contains(&claim.as_str()))
        .flat_map(|(_, values)| values);
    for text in claimed.chain([subject]) {
        if !is_mail_address(text) {
            continue;
        }
        report.found(
            &identity.address,
            workload.span,
            tier,
            format!(
                "`{}` is bound to a person: {} at `{}`",
                identity.address,
                quoted(text),
                workload.issuer
            ),
            "bind it to the workload's own subject, and let people log in as themselves",
        );
        return;
    }
}

/// Mail addresses that stand for workloads, by their ends.
const WORKLOAD_DOMAINS: [&str; 1] = [".gserviceaccount.com"];

fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| !part.is_empty() && !part.contains(['/', ':', '@', ' ']);
    plain(local)
        && plain(domain)
        && domain.contains('.')
        && !WORKLOAD_DOMAINS.iter().any(|end| domain.ends_with(end))
}
