//! 301 and 303: how long access lasts.

use remit_sdk::Value;
use remit_sdk::declaration::{Binding, Grant, Identity, Resource, ScopeGrants, Tier};

use super::rule::{Need, Part, Report, Rule, Weight};
use super::when::is_past;
use crate::model::units::{duration_seconds, duration_text};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "RMT301",
        name: "long-session",
        weight: Weight::ByTier,
        finds: "A session, a database user or a secret-id that may live longer than an hour in \
                production, 8 hours in staging or a day in development; a token without an end.",
        why: "What is stolen works until it ends.",
        blind: "Tokens and leases that are out already are not read.",
        wrong: include_str!("examples/rmt301.wrong.remit.hcl"),
        right: include_str!("examples/rmt301.right.remit.hcl"),
        controls: &["NHI7"],
        parts: &[
            Part {
                needs: Need::Model,
                run: sessions,
            },
            Part {
                needs: Need::Model,
                run: database_users,
            },
            Part {
                needs: Need::Model,
                run: roles,
            },
        ],
    },
    Rule {
        code: "RMT303",
        name: "expired-grant",
        weight: Weight::ByTier,
        finds: "A scope, an identity or an exception past its `expires_at`. An expired exception is \
                always an error, and waives nothing.",
        why: "An end that nothing happens at is no end.",
        blind: "",
        wrong: include_str!("examples/rmt303.wrong.remit.hcl"),
        right: include_str!("examples/rmt303.right.remit.hcl"),
        controls: &["NHI1"],
        parts: &[Part {
            needs: Need::Model,
            run: expired,
        }],
    },
];

/// The longest that a credential may live. An hour in production: AWS can't end a role's sessions
/// earlier, and the language's default is the same. In staging a working day, for development a
/// whole one.
const fn longest(tier: Tier) -> u64 {
    match tier {
        Tier::Production => 3_600,
        Tier::Staging => 8 * 3_600,
        Tier::Development => 24 * 3_600,
    }
}

const fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Production => "production",
        Tier::Staging => "staging",
        Tier::Development => "development",
    }
}

/// Why a time is too long; `None` where it isn't.
fn too_long(seconds: u64, tier: Tier) -> Option<String> {
    (seconds > longest(tier)).then(|| {
        format!(
            "{}, and {} is the longest in {}",
            duration_text(seconds),
            duration_text(longest(tier)),
            tier_name(tier)
        )
    })
}

fn sessions(report: &mut Report<'_, '_>) {
    for identity in report.model().identities.values() {
        let tier = report.facts.of_identity(identity);
        if let Some(why) = too_long(identity.session.max_ttl_seconds, tier) {
            report.found(
                &identity.address,
                identity.span,
                tier,
                format!("sessions of `{}` may last {why}", identity.address),
                "write a shorter `max_ttl` in its `session`, or a shorter `max_session` in the \
                 environment",
            );
        }
        secret_ids(report, identity, tier);
    }
}

fn secret_ids(report: &mut Report<'_, '_>, identity: &Identity, tier: Tier) {
    for workload in &identity.workloads {
        let Binding::Approle {
            secret_id_ttl_seconds,
            secret_id_num_uses,
            ..
        } = &workload.binding
        else {
            continue;
        };
        if *secret_id_num_uses == 0 {
            report.found(
                &identity.address,
                workload.span,
                tier,
                format!(
                    "a secret-id of `{}` is good for logins without limit",
                    identity.address
                ),
                "write `secret_id_num_uses = 1`",
            );
        }
        if let Some(why) = too_long(*secret_id_ttl_seconds, tier) {
            report.found(
                &identity.address,
                workload.span,
                tier,
                format!("a secret-id of `{}` lives {why}", identity.address),
                "write a shorter `secret_id_ttl`: long enough to be brought where it is used",
            );
        }
    }
}

fn database_users(report: &mut Report<'_, '_>) {
    for scope in report.model().scopes.values() {
        let grants: Vec<&Grant> = match &scope.grants {
            ScopeGrants::Shared(grants) => grants.iter().collect(),
            ScopeGrants::PerHolder(all) => all.values().flatten().collect(),
        };
        let tier = report.facts.of(&scope.address);
        for grant in grants {
            let Grant::Database(grant) = grant else {
                continue;
            };
            if let Some(why) = too_long(grant.max_ttl_seconds, tier) {
                report.found(
                    &scope.address,
                    grant.span,
                    tier,
                    format!("a database user of `{}` may live {why}", scope.address),
                    "write a shorter `max_ttl` in the grant",
                );
            }
        }
    }
}

/// Seconds as a kind's attribute has them, as a number or as text.
fn seconds(resource: &Resource, name: &str) -> Option<u64> {
    match &resource.attributes.get(name)?.value {
        Value::Number(number) => number.as_i64().and_then(|one| u64::try_from(one).ok()),
        Value::String(text) => text.parse().ok().or_else(|| duration_seconds(text)),
        _ => None,
    }
}

fn roles(report: &mut Report<'_, '_>) {
    for resource in report.model().resources.values() {
        let tier = report.facts.of(&resource.address);
        let mut say = |name: &str, what: String, help: &str| {
            let span = resource.attributes.get(name).and_then(|one| one.span);
            let what = format!("`{}` {what}", resource.address);
            report.found(
                &resource.address,
                span.unwrap_or(resource.span),
                tier,
                what,
                help,
            );
        };
        match resource.kind.name {
            "vault_jwt_role" | "vault_approle_role" => {
                if seconds(resource, "token_period").is_some_and(|period| period > 0) {
                    say(
                        "token_period",
                        "makes periodic tokens, which can be renewed for ever".into(),
                        "take `token_period` out and write `token_max_ttl`",
                    );
                }
                match seconds(resource, "token_max_ttl").filter(|one| *one > 0) {
                    None => say(
                        "token_max_ttl",
                        "sets no `token_max_ttl`: the server's own counts, 32 days unless somebody \
                         changed it"
                            .into(),
                        "write `token_max_ttl`",
                    ),
                    Some(max) => {
                        if let Some(why) = too_long(max, tier) {
                            let what = format!("makes tokens that may last {why}");
                            say("token_max_ttl", what, "write a shorter `token_max_ttl`");
                        }
                    }
                }
            }
            "vault_database_role" => match seconds(resource, "max_ttl").filter(|one| *one > 0) {
                None => say(
                    "max_ttl",
                    "sets no `max_ttl`: its users live as long as the server allows".into(),
                    "write `max_ttl`",
                ),
                Some(max) => {
                    if let Some(why) = too_long(max, tier) {
                        let what = format!("makes users that may live {why}");
                        say("max_ttl", what, "write a shorter `max_ttl`");
                    }
                }
            },
            "aws_iam_role" => {
                let session = seconds(resource, "max_session_duration");
                if let Some(why) = session.and_then(|one| too_long(one, tier)) {
                    let what = format!("gives sessions that may last {why}");
                    let help = "write a shorter `max_session_duration`";
                    say("max_session_duration", what, help);
                }
            }
            _ => {}
        }
    }
}

fn expired(report: &mut Report<'_, '_>) {
    let (model, now) = (report.model(), report.input.now);
    for scope in model.scopes.values() {
        let Some(end) = scope.expires_at.as_ref().filter(|end| is_past(end, now)) else {
            continue;
        };
        let tier = report.facts.of(&scope.address);
        let what = format!("`{}` expired on {end}", scope.address);
        let help = "remove it, or decide until when it is needed";
        report.found(&scope.address, scope.span, tier, what, help);
    }
    for identity in model.identities.values() {
        let Some(end) = identity.expires_at.as_ref().filter(|end| is_past(end, now)) else {
            continue;
        };
        let tier = report.facts.of_identity(identity);
        let what = format!("`{}` expired on {end}", identity.address);
        let help = "remove it, or decide until when it is needed";
        report.found(&identity.address, identity.span, tier, what, help);
    }
    for exception in model.exceptions.values() {
        if !is_past(&exception.expires_at, now) {
            continue;
        }
        // The tier that makes it an error everywhere.
        report.found(
            &exception.address,
            exception.span,
            Tier::Production,
            format!(
                "`{}` expired on {} and no longer waives {} for `{}`",
                exception.address,
                exception.expires_at,
                remit_sdk::text::safe(&exception.rule.value),
                exception.applies_to
            ),
            "put right what it was for and remove it, or have it approved anew",
        );
    }
}
