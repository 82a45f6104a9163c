//! Identities: roles, their trust policies and permission boundaries.
//!
//! In comes an identity; out goes a role that each of its workloads may enter by its exact
//! subject and one of its issuer's audiences, and by nothing else: no wildcard, no issuer that
//! isn't its own, no claim left unchecked that the configuration binds. What AWS can't hold, a
//! session shorter than an hour or an AppRole, is said and never silently widened to something
//! that looks alike.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{Binding, Identity, Issuer, IssuerType, Workload};
use remit_sdk::text::safe;
use remit_sdk::{DeclarationAddress, Diagnostic, ObjectAddress, Value, naming};

use super::issuer::{self, Claim};
use super::{Draft, Lowering, about};
use crate::document::{Document, MANAGED_SIZE_MAX, Statement, TRUST_SIZE_MAX};
use crate::schema::{SESSION_SECONDS_MAX, SESSION_SECONDS_MIN};
use crate::{arn, normal};

use super::fit;

/// How many names a message lists before it counts the rest.
const NAMES_SHOWN: usize = 3;

/// What lets a workload in.
const ASSUME: &str = "sts:AssumeRoleWithWebIdentity";

impl Lowering<'_> {
    pub(super) fn identities(&mut self) {
        for identity in self.part.identities.clone() {
            let role = self.address(&identity.address, "aws_iam_role");
            let boundary = self.boundary(identity);
            if self.role(identity, role.clone(), boundary) {
                self.roles.insert(role);
            }
            self.policies(identity);
        }
        self.warn_of_sessions();
        self.warn_of_networks();
    }

    /// Drafts the role; false where nobody could enter it, which has been said by then.
    fn role(
        &mut self,
        identity: &Identity,
        address: ObjectAddress,
        boundary: Option<String>,
    ) -> bool {
        let session = self.session_seconds(identity);
        let Some(trust) = self.trust(identity) else {
            return false;
        };
        let tags = [
            ("agent", &identity.agent_name),
            ("owner", &identity.owner_name),
            ("environment", &identity.environment_name),
            ("domain", &identity.domain),
        ];
        let tags = tags
            .into_iter()
            .map(|(key, text)| (key.to_owned(), Value::string(text)))
            .collect();
        let mut draft = Draft::new(address, &identity.lifecycle, identity.span)
            .text("name", &identity.name)
            .text("assume_role_policy", trust.to_string())
            .text("description", description(identity))
            .seconds("max_session_duration", session)
            .set("tags", Value::Map(tags))
            .held_by([identity.address.clone()]);
        if let Some(arn) = boundary {
            draft = draft.text("permissions_boundary", arn);
        }
        self.keep(draft);
        true
    }

    fn session_seconds(&mut self, identity: &Identity) -> u64 {
        let (min, max) = (
            SESSION_SECONDS_MIN.unsigned_abs(),
            SESSION_SECONDS_MAX.unsigned_abs(),
        );
        let asked = identity.session.max_ttl_seconds;
        if asked > max {
            let detail = format!(
                "`max_ttl` of `{}` is {asked} seconds, and no session of a role lasts longer than {max} (12h)",
                identity.address
            );
            self.not_possible(identity, detail, "write `max_ttl = \"12h\"` or less");
        }
        asked.clamp(min, max)
    }

    fn not_possible(&mut self, identity: &Identity, detail: String, help: &str) {
        self.mistake(
            Diagnostic::error("identity not possible in aws", detail)
                .help(help)
                .at(identity.span)
                .about(about(&identity.address)),
        );
    }

    /// Who may enter the role; `None` where nobody could, which has been said by then.
    fn trust(&mut self, identity: &Identity) -> Option<Document> {
        let enters = |workload: &Workload| matches!(workload.binding, Binding::Jwt { .. });
        let is_enterable = identity.workloads.iter().any(enters);
        let mut statements = Vec::new();
        for workload in &identity.workloads {
            let issuer = self.issuers.get(&workload.issuer).copied();
            match (&workload.binding, issuer) {
                (Binding::Approle { .. }, _) => self.approle(identity, workload, is_enterable),
                (Binding::Jwt { subject, claims }, Some(issuer)) => {
                    let statement = self.statement(identity, workload, issuer, subject, claims);
                    statements.extend(statement);
                }
                (Binding::Jwt { .. }, None) => {}
            }
        }
        if statements.is_empty() {
            return None;
        }
        let trust = Document::of(statements);
        let size = fit::size(&trust);
        if size > TRUST_SIZE_MAX {
            let detail = format!(
                "the trust policy of `{}` would have {size} characters, and AWS takes {TRUST_SIZE_MAX}",
                identity.address
            );
            let help =
                "bind fewer workloads, audiences or `bound_cidrs`, or make two identities of it";
            self.not_possible(identity, detail, help);
            return None;
        }
        Some(trust)
    }

    /// An AppRole is Vault's own: where it is the only way in, there is none.
    fn approle(&mut self, identity: &Identity, workload: &Workload, is_enterable: bool) {
        let (diagnostic, help) = if is_enterable {
            let detail = format!(
                "`{}` enters AWS by its other workloads: `{}` is an AppRole, which is Vault's own",
                identity.address, workload.issuer
            );
            (
                Diagnostic::warning("workload that aws doesn't know", detail),
                "nothing is to be done, unless this workload needs AWS; then give it an issuer of tokens",
            )
        } else {
            let detail = format!(
                "`{}` is in AWS, and `{}` is an AppRole: AWS is entered with a token of an issuer, never with a secret-id",
                identity.address, workload.issuer
            );
            (
                Diagnostic::error("workload not possible in aws", detail),
                "give it a workload of an issuer of type kubernetes, github, gitlab, spiffe or oidc, or take it out of AWS: its scopes' AWS grants, and `aws` in its environment's `providers`",
            )
        };
        self.mistake(
            diagnostic
                .help(help)
                .at(workload.span)
                .about(about(&identity.address)),
        );
    }

    fn statement(
        &mut self,
        identity: &Identity,
        workload: &Workload,
        issuer: &Issuer,
        subject: &str,
        claims: &BTreeMap<String, BTreeSet<String>>,
    ) -> Option<Statement> {
        let mut mistakes = Vec::new();
        if subject.is_empty() || subject.contains('*') || issuer::is_variable(subject) {
            let detail = format!(
                "the subject `{}` binds no single workload: a subject is always exact",
                safe(subject)
            );
            let help = "write the whole subject, and one identity for each";
            mistakes.push(Diagnostic::error("subject that is not exact", detail).help(help));
        }
        let mut bound: Vec<(&'static str, &str, &BTreeSet<String>)> = Vec::new();
        for (name, values) in claims {
            match issuer::claim(issuer, name, values, subject) {
                Claim::InSubject => {}
                Claim::Checked(operator) if !values.iter().any(|one| issuer::is_variable(one)) => {
                    bound.push((operator, name, values));
                }
                Claim::Checked(_) => mistakes.push(variable(name)),
                Claim::Unchecked => mistakes.push(unchecked(issuer, name)),
            }
        }
        let is_good = mistakes.is_empty();
        for mistake in mistakes {
            self.mistake(mistake.at(workload.span).about(about(&identity.address)));
        }
        if !is_good || !self.accepted.contains(&issuer.address) {
            return None;
        }
        let built = self.conditions(identity, issuer, subject, &bound);
        built
            .map_err(|why| {
                let detail = format!("the trust policy of `{}`: {why}", identity.address);
                self.not_possible(identity, detail, "write it so that AWS takes it");
            })
            .ok()
    }

    fn conditions(
        &self,
        identity: &Identity,
        issuer: &Issuer,
        subject: &str,
        claims: &[(&'static str, &str, &BTreeSet<String>)],
    ) -> Result<Statement, String> {
        let (partition, account) = (self.settings.partition(), &self.settings.account);
        let prefix = arn::issuer(&issuer.url);
        let provider = arn::oidc_provider(partition, account, &issuer.url);
        let mut statement = Statement::trust(provider, ASSUME)
            .with_condition(
                "StringEquals",
                &format!("{prefix}:aud"),
                issuer.audiences("aws").iter().map(String::as_str),
            )?
            .with_condition("StringEquals", &format!("{prefix}:sub"), [subject])?;
        for (operator, name, values) in claims {
            let values = values.iter().map(String::as_str);
            statement = statement.with_condition(operator, &format!("{prefix}:{name}"), values)?;
        }
        super::scope::bind_networks(statement, &identity.session.bound_cidrs)
    }

    /// What the agent may never exceed, as the role's permission boundary: its ARN. An agent whose
    /// ceiling has nothing in AWS may do nothing there.
    fn boundary(&mut self, identity: &Identity) -> Option<String> {
        let agent = self.agents.get(&identity.agent).copied()?;
        if agent.ceiling.is_empty() {
            return None;
        }
        let mut statements = Vec::new();
        for scope in agent
            .ceiling
            .iter()
            .filter_map(|one| self.ceilings.get(one))
        {
            let grants = scope.grants_for(&identity.address);
            statements.extend(super::scope::statements(grants));
        }
        if statements.is_empty() {
            statements.push(Statement::deny(["*"], ["*"]));
        }
        let document = Document::of(statements);
        let size = fit::size(&document);
        if size > MANAGED_SIZE_MAX {
            let detail = format!(
                "the permission boundary of `{}`, from the ceiling of `{}`, would have {size} characters, and AWS takes {MANAGED_SIZE_MAX} in the one policy that a boundary is",
                identity.address, agent.address
            );
            let help = "write the ceiling with fewer grants: wildcards in actions and resources are in their place there";
            self.not_possible(identity, detail, help);
            return None;
        }
        // No scope has this kind, so no policy of a scope has this name.
        let ceiling = DeclarationAddress {
            module: vec!["ceiling".to_owned()],
            ..agent.address.clone()
        };
        let name = naming::live_name_for_holder(self.part.prefix, &ceiling, &identity.address);
        let arn = arn::policy(
            self.settings.partition(),
            &self.settings.account,
            "/",
            &name,
        );
        let address = self
            .address(&identity.address, "aws_iam_policy")
            .with_part("ceiling");
        self.keep(
            Draft::new(address, &identity.lifecycle, identity.span)
                .text("name", name)
                .text("policy", document.to_string())
                .text(
                    "description",
                    latin(&format!("What {} may never exceed", identity.agent_name)),
                )
                .held_by([identity.address.clone()]),
        );
        Some(arn)
    }

    /// One warning for the whole part: it is the same for every identity, and no mistake.
    fn warn_of_sessions(&mut self) {
        let min = SESSION_SECONDS_MIN.unsigned_abs();
        let longer: Vec<&Identity> = self
            .part
            .identities
            .iter()
            .copied()
            .filter(|identity| identity.session.max_ttl_seconds < min)
            .collect();
        let Some(first) = longer.first() else {
            return;
        };
        let detail = format!(
            "AWS: up to 1h for {}, though their `session` asks for less: AWS holds no role's sessions under an hour",
            listed(&longer)
        );
        self.mistake(
            Diagnostic::warning("sessions longer than asked", detail)
                .help("let the workload ask for less when it assumes the role (`DurationSeconds`, 15m at least), or write `max_ttl = \"1h\"`")
                .at(first.span),
        );
    }

    /// AWS sees the public address of a caller, so a private network lets nobody in.
    fn warn_of_networks(&mut self) {
        let private: Vec<&Identity> = self
            .part
            .identities
            .iter()
            .copied()
            .filter(|identity| {
                let networks = &identity.session.bound_cidrs;
                !networks.is_empty() && networks.iter().all(|network| is_private(network))
            })
            .collect();
        let Some(first) = private.first() else {
            return;
        };
        let detail = format!(
            "`bound_cidrs` of {} are private networks, and `aws:SourceIp` is the public address that a request comes from: no request would match",
            listed(&private)
        );
        self.mistake(
            Diagnostic::warning("private networks in aws", detail)
                .help("add the public addresses of the network's way out to `bound_cidrs`")
                .at(first.span),
        );
    }
}

/// The first few by name, and how many more.
fn listed(all: &[&Identity]) -> String {
    let shown: Vec<String> = all
        .iter()
        .take(NAMES_SHOWN)
        .map(|one| format!("`{}`", one.address))
        .collect();
    let more = all.len().saturating_sub(NAMES_SHOWN);
    match (shown.split_last(), more) {
        (Some((last, [])), 0) => last.clone(),
        (Some((last, before)), 0) => format!("{} and {last}", before.join(", ")),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

fn variable(name: &str) -> Diagnostic {
    let detail = format!(
        "the claim `{}` is bound to a value with `${{`, which AWS takes for a variable",
        safe(name)
    );
    Diagnostic::error("claim not possible in aws", detail).help("bind the workload by its subject")
}

fn unchecked(issuer: &Issuer, name: &str) -> Diagnostic {
    let detail = format!(
        "the claim `{}` is bound, and AWS can't check it for `{}`, so it would let in more than is written",
        safe(name),
        safe(&issuer.url)
    );
    let known: Vec<String> = issuer::checked_claims(issuer)
        .iter()
        .map(|one| format!("`{one}`"))
        .collect();
    let help = if issuer.kind == IssuerType::Github {
        "leave it out, or let GitHub put it into the subject and write `subject`".to_owned()
    } else {
        format!(
            "let the issuer put it into the subject, and bind that alone; beside it AWS checks {}",
            known.join(", ")
        )
    };
    Diagnostic::error("claim not possible in aws", detail).help(help)
}

fn description(identity: &Identity) -> String {
    latin(&format!(
        "Agent {} of {} in {}, for {}",
        identity.agent_name, identity.owner_name, identity.environment_name, identity.domain
    ))
}

/// What IAM takes in a description; a name with other signs stands in full in the tags.
fn latin(text: &str) -> String {
    let is_taken = |c: char| matches!(c, ' '..='~' | '\u{a1}'..='\u{ff}');
    let shown = text.chars().map(|c| if is_taken(c) { c } else { '?' });
    shown.take(normal::IAM_DESCRIPTION_CHARACTERS_MAX).collect()
}

/// Whether a network is one that no request to AWS comes from over the internet.
fn is_private(network: &str) -> bool {
    let address = network.split('/').next().unwrap_or_default();
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            // 100.64.0.0/10 is a carrier's own.
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || (first == 100 && (64..128).contains(&second))
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => false,
    }
}
