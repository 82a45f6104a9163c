//! 201 and 203 to 206: what identities can do in effect, against what they should.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::DeclarationAddress;
use remit_sdk::access::{Certainty, Permission};
use remit_sdk::declaration::{Approval, Identity};

use super::escalation;
use super::identity::quoted;
use super::input::Effective;
use super::overlap::{list, overlap};
use super::purpose::approvals;
use super::rule::{Need, Part, Report, Rule, Weight};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "RMT201",
        name: "admin-scope",
        weight: Weight::ByTier,
        finds: "A permission that only administrators should have: `sudo`, everything, every \
                action, or writing where the target keeps its own policies, logins and identities.",
        why: "Whoever talks the agent into something then owns the target, and can hide that.",
        blind: "",
        wrong: include_str!("examples/rmt201.wrong.remit.hcl"),
        right: include_str!("examples/rmt201.right.remit.hcl"),
        controls: &["NHI5", "ASI03"],
        parts: &[Part {
            needs: Need::Access,
            run: administrative,
        }],
    },
    Rule {
        code: "RMT202",
        name: "escalation-path",
        weight: Weight::ByTier,
        finds: "Permissions that add up to more: writing one's own policy or role, making tokens, \
                assuming a role that may do either, along as many identities as it takes.",
        why: "What an identity can give itself it has. Each permission by itself looks harmless.",
        blind: "Only known ways are looked for, and none from one target into another.",
        wrong: include_str!("examples/rmt202.wrong.remit.hcl"),
        right: include_str!("examples/rmt202.right.remit.hcl"),
        controls: &["NHI5", "ASI03"],
        parts: &[Part {
            needs: Need::Access,
            run: escalation::paths,
        }],
    },
    Rule {
        code: "RMT203",
        name: "widened-access",
        weight: Weight::Warning,
        finds: "An identity that exists gains access by a scope that asks for approval. The apply \
                is refused until the plan carries it; an exception can't stand for it.",
        why: "Access that grows a little with each change is how an agent comes to do what nobody \
              ever decided.",
        blind: "",
        wrong: include_str!("examples/rmt203.wrong.remit.hcl"),
        right: include_str!("examples/rmt203.right.remit.hcl"),
        controls: &["ASI03", "GOVERN 3.2"],
        parts: &[Part {
            needs: Need::Changes,
            run: widened,
        }],
    },
    Rule {
        code: "RMT204",
        name: "unused-scope",
        weight: Weight::Warning,
        finds: "A scope that no identity holds and no ceiling names.",
        why: "What lies ready is given away without a thought.",
        blind: "Which grants are used in the target is not known.",
        wrong: include_str!("examples/rmt204.wrong.remit.hcl"),
        right: include_str!("examples/rmt204.right.remit.hcl"),
        controls: &["NHI5", "MEASURE 3.1"],
        parts: &[Part {
            needs: Need::Model,
            run: unused,
        }],
    },
    Rule {
        code: "RMT205",
        name: "beyond-ceiling",
        weight: Weight::ByTier,
        finds: "A permission that the agent's ceiling doesn't hold, and an autonomous agent without \
                a ceiling.",
        why: "A ceiling is what was decided about an agent once and in calm; a scope is written in \
              a hurry. An agent that nobody watches needs one.",
        blind: "",
        wrong: include_str!("examples/rmt205.wrong.remit.hcl"),
        right: include_str!("examples/rmt205.right.remit.hcl"),
        controls: &["NHI5"],
        parts: &[
            Part {
                needs: Need::Model,
                run: no_ceiling,
            },
            Part {
                needs: Need::Access,
                run: beyond,
            },
        ],
    },
    Rule {
        code: "RMT206",
        name: "shared-secret",
        weight: Weight::ByTier,
        finds: "One credential that two agents can use: the password of a static database user, \
                secret-ids of one AppRole, access keys of one user, one secret of Secrets Manager.",
        why: "Nobody can tell which of them used it, and it can't be taken from one alone.",
        blind: "Values of key-value secrets are not known to be credentials.",
        wrong: include_str!("examples/rmt206.wrong.remit.hcl"),
        right: include_str!("examples/rmt206.right.remit.hcl"),
        controls: &["NHI2", "NHI9"],
        parts: &[Part {
            needs: Need::Access,
            run: shared_secret,
        }],
    },
];

/// `read, list on kv/*`.
fn permission_text(permission: &Permission) -> String {
    let resources: Vec<String> = permission.resources.iter().map(|one| quoted(one)).collect();
    let conditions: Vec<&str> = permission.conditions.iter().map(String::as_str).collect();
    let when = if conditions.is_empty() {
        String::new()
    } else {
        format!(" if {}", remit_sdk::text::safe(&conditions.join(" and ")))
    };
    format!(
        "{} on {}{when}",
        list(&permission.actions),
        resources.join(", ")
    )
}

/// ` by scope.x`; nothing where it comes from elsewhere.
fn by(scopes: &BTreeSet<DeclarationAddress>) -> String {
    let names: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" by {}", names.join(", "))
}

fn administrative(report: &mut Report<'_, '_>) {
    let access = report.input.access;
    for held in access.into_iter().flat_map(|access| &access.permissions) {
        let Some(reason) = &held.administrative else {
            continue;
        };
        let (span, tier) = (
            report.span_of(&held.identity),
            report.facts.of(&held.identity),
        );
        report.found(
            &held.identity,
            span,
            tier,
            format!(
                "`{}` may {}{}: {}",
                held.identity,
                permission_text(&held.permission),
                by(&held.scopes),
                remit_sdk::text::safe(reason)
            ),
            "grant what the task needs: single actions on single resources",
        );
    }
}

fn widened(report: &mut Report<'_, '_>) {
    let model = report.model();
    for change in report.input.changes.unwrap_or_default() {
        if change.is_new {
            continue;
        }
        let mut asked: BTreeMap<&DeclarationAddress, (&Approval, Vec<String>)> = BTreeMap::new();
        for gained in &change.gained {
            for address in &gained.scopes {
                let approval = model
                    .scopes
                    .get(address)
                    .and_then(|one| one.approval.as_ref());
                if let Some(approval) = approval {
                    let what = permission_text(&gained.excess.permission);
                    asked
                        .entry(address)
                        .or_insert((approval, Vec::new()))
                        .1
                        .push(what);
                }
            }
        }
        for (scope, (approval, gains)) in asked {
            let owners: Vec<String> = approval.from.iter().map(|one| format!("`{one}`")).collect();
            let span = report.span_of(&change.identity);
            let tier = report.facts.of(&change.identity);
            report.found(
                &change.identity,
                span,
                tier,
                format!(
                    "`{}` gains {}; `{scope}` asks for {} by {}",
                    change.identity,
                    gains.join("; "),
                    approvals(approval.required),
                    owners.join(", ")
                ),
                "let them look at the plan and approve it",
            );
        }
    }
}

fn unused(report: &mut Report<'_, '_>) {
    let model = report.model();
    let held = model
        .identities
        .values()
        .flat_map(|identity| &identity.scopes);
    let mut used: BTreeSet<&DeclarationAddress> = held.map(|scope| &scope.value).collect();
    used.extend(model.agents.values().flat_map(|agent| &agent.ceiling));
    for scope in model.scopes.values() {
        if used.contains(&scope.address) {
            continue;
        }
        let tier = report.facts.of(&scope.address);
        let what = format!("nobody holds `{}`", scope.address);
        report.found(
            &scope.address,
            scope.span,
            tier,
            what,
            "give it to an identity, or remove it",
        );
    }
}

fn no_ceiling(report: &mut Report<'_, '_>) {
    for agent in report.model().agents.values() {
        if !agent.autonomous || !agent.ceiling.is_empty() {
            continue;
        }
        let tier = report.facts.of(&agent.address);
        report.found(
            &agent.address,
            agent.span,
            tier,
            format!("`{}` is autonomous and has no ceiling", agent.address),
            "write `ceiling = [scope.NAME]`: the scopes it may never exceed",
        );
    }
}

fn beyond(report: &mut Report<'_, '_>) {
    let model = report.model();
    let access = report.input.access;
    for over in access.into_iter().flat_map(|access| &access.excess) {
        let identity = model.identities.get(&over.identity);
        let agent = identity.map_or_else(String::new, |one| format!(" of `{}`", one.agent));
        let how = match &over.excess.certainty {
            Certainty::Surely => "which is beyond the ceiling".to_owned(),
            Certainty::Looser(how) => format!("which the ceiling{agent} holds under limits: {how}"),
            Certainty::Undecided(why) => {
                format!("and whether the ceiling{agent} holds it can't be decided: {why}")
            }
        };
        let how = match over.excess.certainty {
            Certainty::Surely => format!("{how}{agent}"),
            _ => how,
        };
        let example = over.excess.example.as_ref();
        let example = example.map_or_else(String::new, |one| format!(", such as {}", quoted(one)));
        let (span, tier) = (
            report.span_of(&over.identity),
            report.facts.of(&over.identity),
        );
        report.found(
            &over.identity,
            span,
            tier,
            format!(
                "`{}` may {}{example}{}, {}",
                over.identity,
                permission_text(&over.excess.permission),
                by(&over.scopes),
                remit_sdk::text::safe(&how)
            ),
            "narrow the scope, or decide that the agent may do this and raise its ceiling",
        );
    }
}

/// A credential that somebody can get hold of.
struct Credential<'a> {
    instance: &'a str,
    resource: &'a str,
    what: &'static str,
}

/// Which credential a permission on `resource` hands out, if it does.
fn credential(actions: &BTreeSet<String>, resource: &str) -> Option<&'static str> {
    let may = |wanted: &[&str]| {
        let all = |action: &String| {
            action == "*" || wanted.iter().any(|one| action.eq_ignore_ascii_case(one))
        };
        actions.iter().any(all)
    };
    let segments: Vec<&str> = resource.split('/').collect();
    let has = |name: &str| segments.contains(&name);
    if (has("static-creds") || has("static-cred")) && may(&["read"]) {
        return Some("the password of a static user");
    }
    if segments.first() == Some(&"auth")
        && has("role")
        && segments.last().is_some_and(|last| *last == "secret-id")
        && may(&["create", "update"])
    {
        return Some("secret-ids of one AppRole");
    }
    if resource.contains(":user/") && may(&["iam:CreateAccessKey", "iam:*"]) {
        return Some("access keys of one user");
    }
    if resource.contains(":secret:")
        && may(&[
            "secretsmanager:GetSecretValue",
            "secretsmanager:*",
            "secretsmanager:Get*",
        ])
    {
        return Some("one secret");
    }
    None
}

fn shared_secret(report: &mut Report<'_, '_>) {
    let model = report.model();
    let access = report.input.access;
    // Whoever has the same text, and whoever has a wildcard that may cover it.
    let mut exact: BTreeMap<(&str, &str), Vec<(&Identity, &'static str)>> = BTreeMap::new();
    let mut wild: Vec<(&Effective, &Identity, &str)> = Vec::new();
    for held in access.into_iter().flat_map(|access| &access.permissions) {
        let Some(identity) = model.identities.get(&held.identity) else {
            continue;
        };
        for resource in &held.permission.resources {
            if let Some(what) = credential(&held.permission.actions, resource) {
                let key = (held.instance.as_str(), resource.as_str());
                exact.entry(key).or_default().push((identity, what));
            }
            // Everything of a target is what RMT201 is about.
            if resource.contains(['*', '+']) && resource != "*" {
                wild.push((held, identity, resource));
            }
        }
    }
    for ((instance, resource), users) in &exact {
        let mut users = users.clone();
        users.sort_by_key(|(user, _)| (user.span.file, user.span.start));
        let Some((first, what)) = users.first() else {
            continue;
        };
        let credential = Credential {
            instance,
            resource,
            what,
        };
        for (other, _) in users.iter().skip(1) {
            say_shared(report, &credential, first, other);
        }
        for (held, other, pattern) in &wild {
            let is_same = pattern == resource || held.instance != *instance;
            if is_same || !overlap(pattern, resource) {
                continue;
            }
            if self::credential(&held.permission.actions, resource).is_some() {
                say_shared(report, &credential, first, other);
            }
        }
    }
}

fn say_shared(
    report: &mut Report<'_, '_>,
    credential: &Credential<'_>,
    one: &Identity,
    other: &Identity,
) {
    if one.agent == other.agent {
        return;
    }
    let tier = report
        .facts
        .of_identity(one)
        .max(report.facts.of_identity(other));
    report.found(
        &other.address,
        other.span,
        tier,
        format!(
            "`{}` and `{}` can both use {} ({} in {})",
            one.agent,
            other.agent,
            credential.what,
            quoted(credential.resource),
            credential.instance
        ),
        "give each agent a credential of its own: a dynamic user, a role, a secret for each",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hands_out_a_credential() {
        let user = Some("the password of a static user");
        let secret_id = Some("secret-ids of one AppRole");
        let keys = Some("access keys of one user");
        let secret = Some("one secret");
        for (actions, resource, expected) in [
            ("read", "database/static-creds/x", user),
            ("*", "database/static-creds/x", user),
            ("list", "database/static-creds/x", None),
            ("read", "ldap/static-cred/x", user),
            ("read", "ldap/static-role/x", None),
            ("read", "kv/data/x", None),
            ("create", "auth/approle/role/x/secret-id", secret_id),
            ("update", "auth/approle/role/x/secret-id", secret_id),
            ("read", "auth/approle/role/x/secret-id", None),
            ("update", "kv/data/role/x/secret-id", None),
            ("update", "auth/approle/x/secret-id", None),
            ("update", "auth/approle/role/secret-id/x", None),
            ("iam:CreateAccessKey", "arn:aws:iam::1:user/x", keys),
            ("IAM:createaccesskey", "arn:aws:iam::1:user/x", keys),
            ("iam:GetUser", "arn:aws:iam::1:user/x", None),
            ("iam:CreateAccessKey", "arn:aws:iam::1:role/x", None),
            (
                "secretsmanager:Get*",
                "arn:aws:secretsmanager:r:1:secret:x",
                secret,
            ),
            (
                "secretsmanager:DescribeSecret",
                "arn:aws:secretsmanager:r:1:secret:x",
                None,
            ),
            (
                "secretsmanager:GetSecretValue",
                "arn:aws:ssm:r:1:parameter/x",
                None,
            ),
        ] {
            let actions = [actions.to_owned()].into();
            let found = credential(&actions, resource);
            assert_eq!(found, expected, "{actions:?} {resource}");
        }
    }
}
