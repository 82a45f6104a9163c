//! Issuers and scopes: mounts, configs, policies and database roles.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{
    DatabaseGrant, Grant, Issuer, IssuerKeys, IssuerType, Lifecycle, Scope, ScopeGrants, VaultGrant,
};
use remit_sdk::text::safe;
use remit_sdk::{Address, DeclarationAddress, Diagnostic, ObjectAddress, Span, Value, naming};

use super::{Draft, Lowering, Mount};
use crate::policy::{self, Document, Rule};

/// What every token of an identity may do with itself. Leases may be renewed, as the server's
/// own `default` policy has it; revoking the token revokes them, so revoking single leases,
/// which would take nothing but their id, is left out.
const SELF_RULES: &[(&str, &[&str])] = &[
    ("auth/token/lookup-self", &["read"]),
    ("auth/token/renew-self", &["update"]),
    ("auth/token/revoke-self", &["update"]),
    ("sys/leases/renew", &["update"]),
];

impl Lowering<'_> {
    pub(super) fn issuers(&mut self) {
        for issuer in self.part.issuers.clone() {
            self.issuer(issuer);
        }
    }

    fn issuer(&mut self, issuer: &Issuer) {
        let is_jwt = issuer.kind != IssuerType::Approle;
        if is_jwt {
            self.check_issuer(issuer);
        }
        if let Some(path) = &issuer.mount {
            let mount = Mount {
                path: path.trim_end_matches('/').to_owned(),
                objects: BTreeSet::new(),
            };
            self.mounts.insert(issuer.address.clone(), mount);
            return;
        }
        let path = naming::live_name(self.part.prefix, &issuer.address);
        let mount = self.address(&issuer.address, "vault_auth_mount");
        let mut objects = BTreeSet::from([mount.clone()]);
        self.keep(
            Draft::new(mount.clone(), &issuer.lifecycle, issuer.span)
                .text("path", &path)
                .text("type", if is_jwt { "jwt" } else { "approle" }),
        );
        if is_jwt {
            let config = self.address(&issuer.address, "vault_jwt_config");
            objects.insert(config.clone());
            let draft = Draft::new(config, &issuer.lifecycle, issuer.span)
                .text("mount", &path)
                .text("bound_issuer", &issuer.url)
                .after([mount]);
            self.keep(keys(draft, issuer));
        }
        self.mounts
            .insert(issuer.address.clone(), Mount { path, objects });
    }

    fn check_issuer(&mut self, issuer: &Issuer) {
        let mut mistake = |detail: String, help: &str| {
            self.out.diagnostics.push(
                Diagnostic::error("issuer not possible in vault", detail)
                    .help(help)
                    .at(issuer.span)
                    .about(Address::Declaration(issuer.address.clone())),
            );
        };
        if issuer.audiences("vault").is_empty() {
            mistake(
                format!(
                    "`{}` accepts no audience in Vault, so a token meant for anybody else could be replayed",
                    issuer.address
                ),
                "write `audience = { vault = [\"https://vault.example.com\"] }`",
            );
        }
        // An existing mount has a config of its own; only its roles are ours.
        if issuer.mount.is_some() {
            return;
        }
        if issuer.url.is_empty() {
            mistake(
                format!(
                    "`{}` has no `url`, and the `iss` of its tokens must be known",
                    issuer.address
                ),
                "write `url = \"https://…\"`, exactly as the tokens' `iss` claim",
            );
        } else if issuer.keys == IssuerKeys::Discovery && !is_https(&issuer.url) {
            mistake(
                format!(
                    "`{}` is no https URL, and keys are discovered below it",
                    safe(&issuer.url)
                ),
                "write an https URL, or `jwks_url`, or `public_keys`",
            );
        }
        if let IssuerKeys::JwksUrl(url) = &issuer.keys
            && !is_https(url)
        {
            mistake(
                format!("`jwks_url` is `{}`, which is no https URL", safe(url)),
                "keys fetched in clear could be anybody's; write an https URL",
            );
        }
    }

    /// The policies and database roles of all scopes, and the policy of every token for itself.
    pub(super) fn scopes(&mut self) {
        self.self_policy();
        for scope in self.part.scopes.clone() {
            match &scope.grants {
                ScopeGrants::Shared(grants) => {
                    let holders = self.holders(scope);
                    self.scope(scope, None, grants, &holders);
                }
                ScopeGrants::PerHolder(by_holder) => {
                    let all = self.holders(scope);
                    for (holder, grants) in by_holder {
                        if all.contains(holder) {
                            let holders = BTreeSet::from([holder.clone()]);
                            self.scope(scope, Some(holder), grants, &holders);
                        }
                    }
                }
            }
        }
    }

    fn holders(&self, scope: &Scope) -> BTreeSet<DeclarationAddress> {
        self.part
            .identities
            .iter()
            .filter(|identity| {
                identity
                    .scopes
                    .iter()
                    .any(|held| held.value == scope.address)
            })
            .map(|identity| identity.address.clone())
            .collect()
    }

    /// The name of the policy that every entity carries.
    pub(super) fn self_name(&self) -> String {
        format!("{}self", self.part.prefix)
    }

    fn self_policy(&mut self) {
        let Some(first) = self.part.identities.first() else {
            return;
        };
        let mut document = Document::default();
        for (path, capabilities) in SELF_RULES {
            *document.rule(path) = Rule::capabilities(capabilities);
        }
        let declaration = DeclarationAddress::new("provider", "vault");
        let address = self.address(&declaration, "vault_policy").with_part("self");
        let holders: Vec<_> = self
            .part
            .identities
            .iter()
            .map(|one| one.address.clone())
            .collect();
        self.keep(
            Draft::new(address, &Lifecycle::default(), first.span)
                .text("name", self.self_name())
                .text("policy", document.to_string())
                .held_by(holders),
        );
    }

    fn scope(
        &mut self,
        scope: &Scope,
        holder: Option<&DeclarationAddress>,
        grants: &[Grant],
        holders: &BTreeSet<DeclarationAddress>,
    ) {
        let mut document = Document::default();
        let mut spans = BTreeMap::new();
        let mut databases = 0;
        for grant in grants {
            match grant {
                Grant::Vault(grant) => self.vault_grant(scope, grant, &mut document, &mut spans),
                Grant::Database(grant) => {
                    databases += 1;
                    let name = self.database_role(scope, holder, grant, databases, holders);
                    let mount = grant.mount.value.trim_end_matches('/');
                    let rule = document.rule(&format!("{mount}/creds/{name}"));
                    rule.capabilities.insert("read".into());
                }
                Grant::Aws(_) => {}
            }
        }
        if document.paths.is_empty() {
            return;
        }
        let (address, name) = self.of_scope(scope, holder, "vault_policy", 1);
        self.policies
            .insert((scope.address.clone(), holder.cloned()), name.clone());
        self.keep(
            Draft::new(address, &scope.lifecycle, scope.span)
                .text("name", name)
                .text("policy", document.to_string())
                .held_by(holders.iter().cloned()),
        );
    }

    fn vault_grant(
        &mut self,
        scope: &Scope,
        grant: &VaultGrant,
        document: &mut Document,
        spans: &mut BTreeMap<String, Span>,
    ) {
        let path = &grant.path.value;
        let path_span = grant.path.span.unwrap_or(grant.span);
        let capabilities_span = grant.capabilities.span.unwrap_or(grant.span);
        if let Err(why) = policy::check_path(path) {
            self.bad_grant(scope, why, path_span);
            return;
        }
        if let Some(before) = spans.insert(path.clone(), path_span) {
            let detail = format!(
                "`{}` grants `{}` twice; one grant with the capabilities of both says it plainly",
                scope.address,
                safe(path)
            );
            self.mistake(
                Diagnostic::error("path granted twice", detail)
                    .at(path_span)
                    .label(before, "granted here")
                    .about(Address::Declaration(scope.address.clone())),
            );
            return;
        }
        match Rule::from_grant(grant) {
            Ok(rule) if rule.capabilities.is_empty() => {
                let why = "the grant has no capability, so it grants nothing".into();
                self.bad_grant(scope, why, capabilities_span);
            }
            Ok(rule) => *document.rule(path) = rule,
            Err(why) => self.bad_grant(scope, why, capabilities_span),
        }
    }

    fn bad_grant(&mut self, scope: &Scope, why: String, span: Span) {
        self.mistake(
            Diagnostic::error("grant not possible in vault", why)
                .at(span)
                .about(Address::Declaration(scope.address.clone())),
        );
    }

    fn database_role(
        &mut self,
        scope: &Scope,
        holder: Option<&DeclarationAddress>,
        grant: &DatabaseGrant,
        number: usize,
        holders: &BTreeSet<DeclarationAddress>,
    ) -> String {
        let (address, name) = self.of_scope(scope, holder, "vault_database_role", number);
        let list = |all: &[String]| Value::List(all.iter().map(Value::string).collect());
        if grant.statements.is_empty() {
            let why = "a database grant needs `statements`, which make the user".into();
            self.bad_grant(scope, why, grant.span);
        }
        self.keep(
            Draft::new(address, &scope.lifecycle, grant.span)
                .text("mount", &grant.mount.value)
                .text("name", &name)
                .text("db_name", &grant.connection.value)
                .set("creation_statements", list(&grant.statements))
                .set("revocation_statements", list(&grant.revocation_statements))
                .seconds("default_ttl", grant.ttl_seconds)
                .seconds("max_ttl", grant.max_ttl_seconds)
                .held_by(holders.iter().cloned()),
        );
        name
    }

    /// Address and live name of the `number`th object of a kind that a scope becomes. The first
    /// is named as if it were the only one, so that a second grant renames nothing.
    fn of_scope(
        &self,
        scope: &Scope,
        holder: Option<&DeclarationAddress>,
        kind: &str,
        number: usize,
    ) -> (ObjectAddress, String) {
        let mut named = scope.address.clone();
        if number > 1 {
            // No label begins with a digit, so no other declaration has this address.
            named.module.push(number.to_string());
        }
        let mut address = self.address(holder.unwrap_or(&scope.address), kind);
        let name = match holder {
            None => naming::live_name(self.part.prefix, &named),
            Some(holder) => naming::live_name_for_holder(self.part.prefix, &named, holder),
        };
        address.part = match (holder, number) {
            (None, 1) => None,
            (None, _) => Some(number.to_string()),
            (Some(_), 1) => Some(scope.address.to_string()),
            (Some(_), _) => Some(format!("{}/{number}", scope.address)),
        };
        (address, name)
    }
}

fn is_https(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host())
}

fn keys(draft: Draft, issuer: &Issuer) -> Draft {
    let ca = issuer.ca_pem.clone().unwrap_or_default();
    match &issuer.keys {
        IssuerKeys::Discovery => draft
            .text("oidc_discovery_url", &issuer.url)
            .text("oidc_discovery_ca_pem", ca),
        IssuerKeys::JwksUrl(url) => draft.text("jwks_url", url).text("jwks_ca_pem", ca),
        IssuerKeys::PublicKeys(keys) => {
            draft.strings("jwt_validation_pubkeys", keys.iter().cloned())
        }
        IssuerKeys::None => draft,
    }
}
