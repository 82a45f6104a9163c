//! 501 to 504: what lives in the targets. What isn't read, or can't be, is listed as skipped.

use remit_sdk::declaration::{Binding, Identity, IssuerType, Tier, Workload};
use remit_sdk::provider::{Seen, Surroundings};
use remit_sdk::{Address, DeclarationAddress};

use super::identity::quoted;
use super::input::Input;
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
        blind: "In Vault, the leases of a removed database role are counted, and no others; of AWS \
                nothing is.",
        wrong: include_str!("examples/rmt502.wrong.remit.hcl"),
        right: include_str!("examples/rmt502.right.remit.hcl"),
        controls: &["NHI1", "GOVERN 1.7"],
        parts: &[
            Part {
                needs: Need::Plan,
                run: left_behind,
            },
            Part {
                needs: Need::Surroundings,
                run: leases,
            },
        ],
    },
    Rule {
        code: "RMT503",
        name: "no-audit",
        weight: Weight::ByTier,
        finds: "A target without an audit device, or with one that can't name the agent.",
        why: "What an agent did can then be told by nobody.",
        blind: "In a namespace the server tells nothing of its devices, and of AWS CloudTrail nothing is read.",
        wrong: include_str!("examples/rmt503.wrong.remit.hcl"),
        right: include_str!("examples/rmt503.right.remit.hcl"),
        controls: &["ASI10", "MEASURE 2.4"],
        parts: &[Part {
            needs: Need::Surroundings,
            run: unaudited,
        }],
    },
    Rule {
        code: "RMT504",
        name: "human-use",
        weight: Weight::ByTier,
        finds: "An identity of an agent that a person can log in as.",
        why: "What the person does is taken for the agent's doing, and the agent's access for the \
              person's.",
        blind: "A person is recognised by a subject that is a mail address, and in Vault by the \
                method of a login that nobody declared; login profiles of AWS are not read.",
        wrong: include_str!("examples/rmt504.wrong.remit.hcl"),
        right: include_str!("examples/rmt504.right.remit.hcl"),
        controls: &["NHI10"],
        parts: &[
            Part {
                needs: Need::Model,
                run: people,
            },
            Part {
                needs: Need::Observed,
                run: logins_of_people,
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
        report.found_at(
            Some(provider(instance)),
            report.span_of_instance(instance),
            tier,
            format!(
                "{kind} {} lives in {instance}, and nobody declared it",
                quoted(key)
            ),
            "declare it and take it over with `remit import`, or remove it from the target; until then an \
             `exception` for the provider lets it be",
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

fn surroundings<'a>(
    input: &Input<'a>,
) -> impl Iterator<Item = (&'a String, &'a Surroundings)> + use<'a> {
    let all = input
        .observed
        .and_then(|observed| observed.surroundings.as_ref());
    all.into_iter().flatten()
}

fn leases(report: &mut Report<'_, '_>) {
    for (instance, around) in surroundings(report.input) {
        for ((kind, key), left) in &around.left {
            let of = format!("{kind} {} in {instance}", quoted(key));
            let left = match left {
                Seen::Known(left) => left,
                Seen::Unknown(why) => {
                    report.lacks(format!("the leases of {of}, {why}"));
                    continue;
                }
            };
            for what in left {
                let tier = report.facts.of_instance(instance);
                report.found_at(
                    Some(provider(instance)),
                    report.span_of_instance(instance),
                    tier,
                    format!("{what}: not revoked when {of} is removed"),
                    "revoke it with `bao lease revoke -prefix`, or wait until it expired",
                );
            }
        }
    }
}

fn unaudited(report: &mut Report<'_, '_>) {
    for (instance, around) in surroundings(report.input) {
        let devices = match &around.audit {
            None => continue,
            Some(Seen::Known(devices)) => devices,
            Some(Seen::Unknown(why)) => {
                report.lacks(format!("the audit devices of {instance}, {why}"));
                continue;
            }
        };
        let mut blind = devices.iter().map(|device| device.blind.as_ref());
        let what = match blind.clone().collect::<Option<Vec<_>>>() {
            None => continue,
            Some(_) if devices.is_empty() => format!("{instance} has no audit device"),
            Some(_) => {
                let why = blind.find_map(|why| why).map(String::as_str);
                let name = devices.first().map(|device| quoted(&device.name));
                format!(
                    "no audit device of {instance} tells of every request whose it was: of {}, {}",
                    name.unwrap_or_default(),
                    why.unwrap_or_default()
                )
            }
        };
        let tier = report.facts.of_instance(instance);
        report.found_at(
            Some(provider(instance)),
            report.span_of_instance(instance),
            tier,
            what,
            "give the server an audit device that leaves out nothing of `auth`: an `audit` block in OpenBao's configuration, `vault audit enable` in Vault; until then an `exception` for the provider lets it be",
        );
    }
}

fn logins_of_people(report: &mut Report<'_, '_>) {
    let all = report.input.observed.map(|observed| &observed.people);
    for ((instance, kind, key), method) in all.into_iter().flatten() {
        let tier = report.facts.of_instance(instance);
        report.found_at(
            Some(provider(instance)),
            report.span_of_instance(instance),
            tier,
            format!(
                "by {kind} {} ({method}) a person has what an agent's entity in {instance} may do",
                quoted(key)
            ),
            "remove it from the agent's entity, and let people log in as themselves",
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
