//! Identities: entities, aliases and login roles.

use std::collections::BTreeMap;

use remit_sdk::declaration::{Binding, Identity, Workload};
use remit_sdk::text::safe;
use remit_sdk::value::Pending;
use remit_sdk::{Address, Diagnostic, ObjectAddress, Span, Value};

use super::{Draft, Lowering, Mount};
use crate::normal;

impl Lowering<'_> {
    pub(super) fn identities(&mut self) {
        for identity in self.part.identities.clone() {
            self.identity(identity);
        }
    }

    fn identity(&mut self, identity: &Identity) {
        let entity = self.address(&identity.address, "vault_entity");
        self.check_mark(identity);
        self.entity(identity, entity.clone());
        let mut mounts: BTreeMap<String, Span> = BTreeMap::new();
        for workload in &identity.workloads {
            let Some(mount) = self.mounts.get(&workload.issuer).cloned() else {
                continue;
            };
            if let Some(before) = mounts.insert(mount.path.clone(), workload.span) {
                let detail = format!(
                    "two workloads of `{}` log in at the mount `{}`, where an entity can have one alias",
                    identity.address,
                    safe(&mount.path)
                );
                self.mistake(
                    Diagnostic::error("two workloads at one mount", detail)
                        .help("give each workload an issuer of its own, or make two identities")
                        .at(workload.span)
                        .label(before, "the other workload")
                        .about(Address::Declaration(identity.address.clone())),
                );
                continue;
            }
            let alias = self.alias(identity, workload, &mount, &entity);
            self.role(identity, workload, &mount, alias);
        }
    }

    /// The address stands in metadata, whose values are short; the alias's is the longest.
    fn check_mark(&mut self, identity: &Identity) {
        let longest = identity
            .workloads
            .iter()
            .map(|workload| self.of_workload(identity, workload, "vault_entity_alias"))
            .map(|address| address.to_string().len())
            .max();
        if longest.is_some_and(|length| length > normal::METADATA_VALUE_BYTES_MAX) {
            self.mistake(
                Diagnostic::error(
                    "address too long",
                    format!(
                        "objects of `{}` hold their address in metadata, of which the server keeps {} bytes",
                        identity.address,
                        normal::METADATA_VALUE_BYTES_MAX
                    ),
                )
                .help("use a shorter `for_each` key")
                .at(identity.span)
                .about(Address::Declaration(identity.address.clone())),
            );
        }
    }

    fn entity(&mut self, identity: &Identity, address: ObjectAddress) {
        let mut policies = vec![self.self_name()];
        for scope in &identity.scopes {
            let own = (scope.value.clone(), Some(identity.address.clone()));
            let shared = (scope.value.clone(), None);
            let found = self.policies.get(&own).or(self.policies.get(&shared));
            policies.extend(found.cloned());
        }
        let metadata = [
            ("agent", &identity.agent_name),
            ("owner", &identity.owner_name),
            ("environment", &identity.environment_name),
            ("domain", &identity.domain),
        ];
        let metadata = metadata
            .into_iter()
            .map(|(key, text)| (key.to_owned(), Value::string(text)))
            .collect();
        self.keep(
            Draft::new(address, &identity.lifecycle, identity.span)
                .text("name", &identity.name)
                .strings("policies", policies)
                .set("metadata", Value::Map(metadata))
                .held_by([identity.address.clone()]),
        );
    }

    /// The address of what one workload becomes: with several, the issuer tells them apart.
    fn of_workload(&self, identity: &Identity, workload: &Workload, kind: &str) -> ObjectAddress {
        let mut address = self.address(&identity.address, kind);
        address.part = (identity.workloads.len() > 1).then(|| workload.issuer.to_string());
        address
    }

    fn alias(
        &mut self,
        identity: &Identity,
        workload: &Workload,
        mount: &Mount,
        entity: &ObjectAddress,
    ) -> ObjectAddress {
        let address = self.of_workload(identity, workload, "vault_entity_alias");
        let name = match &workload.binding {
            Binding::Jwt { subject, .. } => subject,
            // The role-id, so that the alias is known before the first login.
            Binding::Approle { .. } => &identity.name,
        };
        let canonical = Value::Pending(Pending::attribute(entity.clone(), "id"));
        let mount_object = mount
            .objects
            .iter()
            .find(|one| one.kind == "vault_auth_mount")
            .cloned();
        self.keep(
            Draft::new(address.clone(), &identity.lifecycle, workload.span)
                .text("mount", &mount.path)
                .text("name", name)
                .set("canonical_id", canonical)
                .held_by([identity.address.clone()])
                .after([entity.clone()])
                .after(mount_object),
        );
        address
    }

    fn role(
        &mut self,
        identity: &Identity,
        workload: &Workload,
        mount: &Mount,
        alias: ObjectAddress,
    ) {
        let kind = match workload.binding {
            Binding::Jwt { .. } => "vault_jwt_role",
            Binding::Approle { .. } => "vault_approle_role",
        };
        let address = self.of_workload(identity, workload, kind);
        // The alias comes first: a login between the two would make an entity of its own.
        let draft = Draft::new(address, &identity.lifecycle, workload.span)
            .text("mount", &mount.path)
            .text("name", &identity.name)
            .held_by([identity.address.clone()])
            .after(mount.objects.iter().cloned())
            .after([alias]);
        let draft = session(draft, identity);
        let draft = match &workload.binding {
            Binding::Jwt { subject, claims } => {
                self.check_subject(identity, workload, subject);
                let issuers = &self.part.issuers;
                let issuer = issuers.iter().find(|one| one.address == workload.issuer);
                let audiences = issuer.map_or(&[][..], |issuer| issuer.audiences("vault"));
                let claims = claims
                    .iter()
                    .map(|(claim, values)| (claim.clone(), Value::strings(values.iter().cloned())))
                    .collect();
                draft
                    .text("role_type", "jwt")
                    .text("user_claim", "sub")
                    .text("bound_subject", subject)
                    .strings("bound_audiences", audiences.iter().cloned())
                    .text("bound_claims_type", "string")
                    .set("bound_claims", Value::Map(claims))
            }
            Binding::Approle {
                bound_cidrs,
                secret_id_ttl_seconds,
                secret_id_num_uses,
            } => draft
                .text("role_id", &identity.name)
                .set("bind_secret_id", Value::Bool(true))
                .strings("secret_id_bound_cidrs", bound_cidrs.iter().cloned())
                .seconds("secret_id_ttl", *secret_id_ttl_seconds)
                .seconds("secret_id_num_uses", *secret_id_num_uses),
        };
        self.keep(draft);
    }

    fn check_subject(&mut self, identity: &Identity, workload: &Workload, subject: &str) {
        if subject.is_empty() || subject.contains('*') {
            let detail = format!(
                "the subject `{}` binds no single workload: a subject is always exact",
                safe(subject)
            );
            self.mistake(
                Diagnostic::error("subject that is not exact", detail)
                    .help("write the whole subject, and one identity for each")
                    .at(workload.span)
                    .about(Address::Declaration(identity.address.clone())),
            );
        }
    }
}

/// What a token of the identity is like, whoever vouches for it. Policies are on the entity, so
/// the role gives none, not even `default`.
fn session(draft: Draft, identity: &Identity) -> Draft {
    draft
        .text("token_type", "service")
        .set("token_no_default_policy", Value::Bool(true))
        .strings::<String>("token_policies", [])
        .seconds("token_ttl", identity.session.ttl_seconds)
        .seconds("token_max_ttl", identity.session.max_ttl_seconds)
        .strings(
            "token_bound_cidrs",
            identity.session.bound_cidrs.iter().cloned(),
        )
}
