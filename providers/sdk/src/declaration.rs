//! The declarations, checked, as plain structs with spans: what the model holds and what a
//! provider lowers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::address::{DeclarationAddress, ObjectAddress};
use crate::schema::Kind;
use crate::span::{Span, Spanned};
use crate::value::Value;

/// The people who answer for agents.
#[derive(Clone, Debug)]
pub struct Owner {
    /// `owner.payments`.
    pub address: DeclarationAddress,
    /// How to reach them.
    pub contact: String,
    /// SSH public keys of those who may approve.
    pub approvers: Vec<String>,
    /// Whom to call when they don't answer.
    pub escalation: Option<String>,
    /// The block's header.
    pub span: Span,
}

/// How much an environment matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// For trying things.
    Development,
    /// Like production, without its data.
    Staging,
    /// Real data, real users.
    Production,
}

impl Tier {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// Where agents run.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `environment.prod`.
    pub address: DeclarationAddress,
    /// Its name: the label, and the key where there is one (`eu-prod`).
    pub name: String,
    /// How much it matters.
    pub tier: Tier,
    /// The longest session an identity in it may have.
    pub max_session_seconds: u64,
    /// The provider instance for each provider, where it isn't the default one:
    /// `vault` to `vault` or `vault.prod`.
    pub providers: BTreeMap<String, String>,
    /// The block's header.
    pub span: Span,
}

/// What kind of system vouches for workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssuerType {
    /// Any OpenID Connect issuer.
    Oidc,
    /// A Kubernetes cluster's service account issuer.
    Kubernetes,
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// A SPIFFE trust domain's OIDC discovery provider.
    Spiffe,
    /// Vault AppRole: for what has no workload identity.
    Approle,
}

/// Where an issuer's public keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKeys {
    /// OpenID Connect discovery below the issuer's URL.
    Discovery,
    /// A JWKS document.
    JwksUrl(String),
    /// PEM public keys.
    PublicKeys(Vec<String>),
    /// None: AppRole.
    None,
}

/// The system that vouches for workloads.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// `issuer.prod_eu`.
    pub address: DeclarationAddress,
    /// What kind of system it is.
    pub kind: IssuerType,
    /// The `iss` of its tokens; empty for AppRole.
    pub url: String,
    /// Accepted audiences by target; `""` holds those that count for every target.
    pub audience: BTreeMap<String, Vec<String>>,
    /// Where its keys come from.
    pub keys: IssuerKeys,
    /// The CA that the keys' server is verified with.
    pub ca_pem: Option<String>,
    /// An existing auth mount, used and never owned.
    pub mount: Option<String>,
    /// AWS knows this URL already, for somebody else: its OIDC provider is used and never owned.
    pub existing_in_aws: bool,
    /// What happens to its objects.
    pub lifecycle: Lifecycle,
    /// The block's header.
    pub span: Span,
}

impl Scope {
    /// Its grants for one holder.
    pub fn grants_for(&self, holder: &DeclarationAddress) -> &[Grant] {
        match &self.grants {
            ScopeGrants::Shared(grants) => grants,
            ScopeGrants::PerHolder(all) => all.get(holder).map_or(&[], Vec::as_slice),
        }
    }
}

impl Issuer {
    /// The audiences accepted at `target` (`vault`, `aws`).
    pub fn audiences(&self, target: &str) -> &[String] {
        self.audience
            .get(target)
            .or_else(|| self.audience.get(""))
            .map_or(&[], Vec::as_slice)
    }
}

/// Software that acts by itself.
#[derive(Clone, Debug)]
pub struct Agent {
    /// `agent.invoice_triage`.
    pub address: DeclarationAddress,
    /// Who answers for it.
    pub owner: DeclarationAddress,
    /// What it is for.
    pub purpose: String,
    /// Whether it acts without a person in the loop.
    pub autonomous: bool,
    /// When somebody must look whether it is still needed: `YYYY-MM-DD`.
    pub review_by: Option<String>,
    /// Scopes it may never exceed.
    pub ceiling: Vec<DeclarationAddress>,
    /// The block's header.
    pub span: Span,
}

/// How bad misuse of a scope would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nobody would notice.
    Low,
    /// Work for somebody.
    Medium,
    /// Harm.
    High,
    /// Harm that can't be undone.
    Critical,
}

impl Risk {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// The least permissions for one task.
#[derive(Clone, Debug)]
pub struct Scope {
    /// `scope.invoices_read`.
    pub address: DeclarationAddress,
    /// What it is for.
    pub description: String,
    /// The privilege domain.
    pub domain: String,
    /// How bad misuse would be.
    pub risk: Risk,
    /// Who must approve a widening, and how many.
    pub approval: Option<Approval>,
    /// When it ends: RFC 3339 or `YYYY-MM-DD`.
    pub expires_at: Option<String>,
    /// What it permits.
    pub grants: ScopeGrants,
    /// What happens to its objects.
    pub lifecycle: Lifecycle,
    /// The block's header.
    pub span: Span,
}

/// Who must approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// How many.
    pub required: u32,
    /// Of which owners.
    pub from: Vec<DeclarationAddress>,
}

/// A scope's grants, evaluated.
#[derive(Clone, Debug)]
pub enum ScopeGrants {
    /// The same for every holder: one policy, shared.
    Shared(Vec<Grant>),
    /// They name the holder: one policy for each.
    PerHolder(BTreeMap<DeclarationAddress, Vec<Grant>>),
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Capabilities on a path of Vault.
    Vault(VaultGrant),
    /// A database user minted for a session.
    Database(DatabaseGrant),
    /// Actions on resources of AWS.
    Aws(AwsGrant),
}

impl Grant {
    /// The provider whose targets it reaches into.
    pub const fn provider(&self) -> &'static str {
        match self {
            Self::Vault(_) | Self::Database(_) => "vault",
            Self::Aws(_) => "aws",
        }
    }
}

/// Capabilities on a path of Vault. The parameter maps are those of a policy's path block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultGrant {
    /// The path, with `*` at its end or `+` as a segment.
    pub path: Spanned<String>,
    /// `read`, `list`, ….
    pub capabilities: Spanned<BTreeSet<String>>,
    /// Parameters that may be given, with their allowed values.
    pub allowed_parameters: BTreeMap<String, Vec<Value>>,
    /// Parameters that may not be given.
    pub denied_parameters: BTreeMap<String, Vec<Value>>,
    /// Parameters that must be given.
    pub required_parameters: BTreeSet<String>,
    /// The grant block's header.
    pub span: Span,
}

/// A dynamic database user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseGrant {
    /// The database secrets mount.
    pub mount: Spanned<String>,
    /// The connection's name.
    pub connection: Spanned<String>,
    /// What creates the user and grants it what it may do.
    pub statements: Vec<String>,
    /// What removes it; empty means the plugin's own way.
    pub revocation_statements: Vec<String>,
    /// How long the user lives by default.
    pub ttl_seconds: u64,
    /// How long it may be renewed.
    pub max_ttl_seconds: u64,
    /// The grant block's header.
    pub span: Span,
}

/// Actions on resources of AWS: one statement that allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsGrant {
    /// `s3:GetObject`, with `*` and `?` as IAM takes them.
    pub actions: Spanned<BTreeSet<String>>,
    /// ARNs, or `*`.
    pub resources: Spanned<BTreeSet<String>>,
    /// All of which must hold.
    pub conditions: Vec<AwsCondition>,
    /// The grant block's header.
    pub span: Span,
}

/// What must hold for a grant of AWS to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsCondition {
    /// `StringEquals`, `ForAnyValue:StringLike`, ….
    pub operator: String,
    /// Values by condition key.
    pub values: BTreeMap<String, BTreeSet<String>>,
    /// The condition block's header.
    pub span: Span,
}

/// One agent in one environment in one privilege domain, bound to its workload.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `identity.invoice_triage["prod"]`.
    pub address: DeclarationAddress,
    /// Its live name: computed, or the `live_name` it declares.
    pub name: String,
    /// The agent.
    pub agent: DeclarationAddress,
    /// The environment.
    pub environment: DeclarationAddress,
    /// The environment's name.
    pub environment_name: String,
    /// The agent's name: its label, and its key where there is one.
    pub agent_name: String,
    /// The name of the agent's owner.
    pub owner_name: String,
    /// The privilege domain.
    pub domain: String,
    /// What it may do.
    pub scopes: Vec<Spanned<DeclarationAddress>>,
    /// Who it is: one for each issuer.
    pub workloads: Vec<Workload>,
    /// How long its credentials live.
    pub session: Session,
    /// When it ends.
    pub expires_at: Option<String>,
    /// What happens to its objects.
    pub lifecycle: Lifecycle,
    /// The block's header.
    pub span: Span,
}

/// How a workload is known.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Who vouches for it.
    pub issuer: DeclarationAddress,
    /// By what.
    pub binding: Binding,
    /// The block's header.
    pub span: Span,
}

/// What a workload is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A JWT with exactly this subject, and these further claims.
    Jwt {
        /// The `sub` claim.
        subject: String,
        /// Claims that must hold one of the values.
        claims: BTreeMap<String, BTreeSet<String>>,
    },
    /// An AppRole secret-id.
    Approle {
        /// Addresses a login may come from.
        bound_cidrs: BTreeSet<String>,
        /// How long a secret-id lives.
        secret_id_ttl_seconds: u64,
        /// How often one may be used; 0 is without limit.
        secret_id_num_uses: u64,
    },
}

/// How long credentials live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// By default.
    pub ttl_seconds: u64,
    /// At most, with renewals.
    pub max_ttl_seconds: u64,
    /// Addresses they may be used from; empty is anywhere.
    pub bound_cidrs: BTreeSet<String>,
}

/// What happens to a declaration's objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// A plan that deletes or replaces one is refused.
    pub prevent_destroy: bool,
    /// Attributes whose difference is left alone; `*` is all.
    pub ignore_changes: BTreeSet<String>,
    /// A change of one of these objects replaces this one.
    pub replace_on: Vec<DeclarationAddress>,
    /// What must be done first.
    pub depends_on: Vec<DeclarationAddress>,
}

/// Any kind, directly.
#[derive(Clone, Debug)]
pub struct Resource {
    /// `vault_policy.x`.
    pub address: DeclarationAddress,
    /// The provider instance: `vault`, or `vault.audit`.
    pub instance: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// The attributes that were written, as written.
    pub attributes: BTreeMap<String, Spanned<Value>>,
    /// Where the names of these stand.
    pub names: BTreeMap<String, Span>,
    /// What happens to it.
    pub lifecycle: Lifecycle,
    /// The block's header.
    pub span: Span,
}

/// An object that is wanted: what lowering gives.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its address.
    pub address: ObjectAddress,
    /// The provider instance it belongs to.
    pub instance: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its key.
    pub key: String,
    /// The attributes that are set, in normal form. A write-only attribute holds a
    /// [`Value::Secret`], and `NAME_version` its version.
    pub attributes: BTreeMap<String, Value>,
    /// Objects that must be done before it.
    pub depends_on: BTreeSet<ObjectAddress>,
    /// For a grant and for a subject that carries grants: the declarations of the identities
    /// whose access it is. Steps of a binding of the same identity come between taking away and
    /// giving.
    pub holders: BTreeSet<DeclarationAddress>,
    /// What happens to it.
    pub lifecycle: Lifecycle,
    /// Where its declaration stands.
    pub span: Span,
}

/// A `provider` block, evaluated; the provider itself says what its settings mean.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// `vault`, or `vault.audit`.
    pub instance: String,
    /// `vault`.
    pub provider: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, Spanned<Value>>,
    /// Its blocks, such as `login "jwt" { … }`.
    pub blocks: Vec<ProviderBlock>,
    /// The block's header; `None` for a provider that is used without a block.
    pub span: Option<Span>,
}

/// A block inside a `provider` block.
#[derive(Clone, Debug)]
pub struct ProviderBlock {
    /// `login`.
    pub kind: String,
    /// `["jwt"]`.
    pub labels: Vec<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, Spanned<Value>>,
    /// The block's header.
    pub span: Span,
}
