//! The ten kinds as one table: what each is, its key, its attributes with the defaults the
//! server has. Validation, reading, diffing, writing and the reference pages follow from it;
//! where on the wire an attribute stands is in `wire`, its normal form in `normal`.
//!
//! Names, defaults and what is read back were tried on OpenBao 2.7.2 and compared with the API
//! pages `api-docs/auth/*`, `api-docs/secret/databases`, `api-docs/secret/identity/*` and
//! `api-docs/system/*` of OpenBao and Vault.

mod held;
mod shared;

use remit_sdk::schema::{Container, Default, Role, Shape};
use remit_sdk::{Attribute, Kind};

use remit_sdk::attribute::{
    admits, bool, computed, grants, immutable, integer, key, list, lives_with, map, one_of,
    optional, request_only, required, seconds, set, text, untested, volatile, write_only,
};

use crate::normal;
pub(crate) use held::ENTITY_BY_ID;
pub use held::held;
use shared::{with_mount_attributes, with_token_attributes};

/// The kinds of this provider, in the order of the reference pages.
pub fn kinds() -> &'static [Kind] {
    &KINDS
}

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

const AUTH_MOUNT: Option<Container> = Some(Container {
    kind: "vault_auth_mount",
    attribute: "mount",
    takes_along: true,
});

const SECRETS_MOUNT: Option<Container> = Some(Container {
    kind: "vault_secrets_mount",
    attribute: "mount",
    takes_along: true,
});

const NEEDS_PLUGIN: &str = "needs a plugin from the server's catalog besides the built-in ones";
const NEEDS_OIDC: &str = "refused without an OIDC client, whose secret remit does not manage";
const NEEDS_PKCS11: &str = "needs a hardware source of entropy";
const NEEDS_TLS: &str = "needs a database that asks for TLS client certificates";

static KINDS: [Kind; 10] = [
    Kind {
        name: "vault_policy",
        version: 1,
        summary: "An ACL policy: capabilities on paths",
        key: "{name}",
        container: None,
        role: Role::Grant,
        mark: Some("a comment in the policy's first line"),
        attributes: &[
            key("name", "Its name; the server writes names in lower case"),
            required(
                "policy",
                Shape::Policy,
                "The policy in HCL or JSON; compared in meaning, written in one canonical form",
            ),
            bool(
                "cas_required",
                false,
                "Whether every write must name the version it replaces (OpenBao)",
            ),
            bool(
                "allow_slashes_in_identity_templates",
                false,
                "Whether what fills a template in a path may hold `/` (OpenBao)",
            ),
            bool(
                "allow_wildcards_in_identity_templates",
                false,
                "Whether what fills a template in a path may hold `*` and `+` (OpenBao)",
            ),
            text(
                "expiration",
                "When the server removes the policy, RFC 3339 (OpenBao); empty is never",
            ),
            volatile(computed(
                "modified",
                Shape::String,
                "When it was last written (OpenBao)",
            )),
            volatile(computed(
                "version",
                Shape::Integer,
                "Its version for compare-and-swap (OpenBao)",
            )),
        ],
        computed_from: &[],
        requests: "OpenBao: one LIST reads all policies with their text; Vault: one LIST of names, \
                   and a GET for each policy asked for. Each write is one POST, with compare-and-swap on OpenBao.",
    },
    Kind {
        name: "vault_auth_mount",
        version: 1,
        summary: "An auth method, mounted at a path below `auth/`",
        key: "{path}",
        container: None,
        role: Role::Container,
        mark: Some("the last word of the description"),
        attributes: with_mount_attributes!(
            one_of(
                "token_type",
                &["default-service", "default-batch", "service", "batch"],
                "default-service",
                "The kind of token its roles give"
            ),
            computed(
                "force_no_cache",
                Shape::Bool,
                "Whether its storage is read past the cache"
            ),
            computed(
                "user_lockout_config",
                Shape::Map,
                "When failed logins lock a user out; only methods with passwords and AppRole have it"
            ),
        ),
        computed_from: &[],
        requests: "One GET of `sys/auth` reads all auth mounts. A create is one POST, an update one POST of `tune`.",
    },
    Kind {
        name: "vault_secrets_mount",
        version: 1,
        summary: "A secrets engine, mounted at a path",
        key: "{path}",
        container: None,
        role: Role::Container,
        mark: Some("the last word of the description"),
        attributes: with_mount_attributes!(immutable(bool(
            "force_no_cache",
            false,
            "Whether its storage is read past the cache"
        )),),
        computed_from: &[],
        requests: "One GET of `sys/mounts` reads all secrets mounts. A create is one POST, an update one POST of `tune`.",
    },
    Kind {
        name: "vault_jwt_config",
        version: 1,
        summary: "Whose tokens a `jwt` auth mount accepts",
        key: "auth/{mount}/config",
        container: AUTH_MOUNT,
        role: Role::Config,
        mark: None,
        attributes: &[
            key("mount", "The auth mount's path"),
            text(
                "oidc_discovery_url",
                "The issuer's URL, below which its keys are discovered",
            ),
            text(
                "oidc_discovery_ca_pem",
                "The CA that the discovery server is verified with, PEM",
            ),
            text("jwks_url", "Where its keys are, as a JWKS document"),
            text(
                "jwks_ca_pem",
                "The CA that the JWKS server is verified with, PEM",
            ),
            set("jwt_validation_pubkeys", "Its public keys, PEM"),
            text("bound_issuer", "The `iss` that a token must carry"),
            set(
                "jwt_supported_algs",
                "Signature algorithms accepted; empty is RS256",
            ),
            text("default_role", "The role of a login that names none"),
            untested(
                text(
                    "oidc_response_mode",
                    "How an OIDC login answers: `query` or `form_post`",
                ),
                NEEDS_OIDC,
            ),
            untested(
                list("oidc_response_types", "What an OIDC login asks for"),
                NEEDS_OIDC,
            ),
            untested(
                map("provider_config", "Settings for particular OIDC providers"),
                NEEDS_OIDC,
            ),
            bool(
                "namespace_in_state",
                true,
                "Whether OIDC carries the namespace in its state parameter",
            ),
            set(
                "override_allowed_server_names",
                "Names accepted in the TLS certificate of the key server (OpenBao)",
            ),
            request_only(
                "skip_jwks_validation",
                false,
                "Whether a key server that can't be reached is accepted (OpenBao)",
            ),
            computed(
                "oidc_client_id",
                Shape::String,
                "The OIDC client; remit refuses to change a config that has one, since its secret would be lost",
            ),
            volatile(computed(
                "status",
                Shape::String,
                "Whether the server could load the keys",
            )),
        ],
        computed_from: &[],
        requests: "One GET for each config; an update is one GET and one POST of the whole. The API \
                   has no delete: remit writes a key that nobody holds, and the mount's removal does the rest.",
    },
    Kind {
        name: "vault_jwt_role",
        version: 1,
        summary: "Who may log in to a `jwt` auth mount, and what token they get",
        key: "auth/{mount}/role/{name}",
        container: AUTH_MOUNT,
        role: Role::Binding,
        mark: None,
        attributes: with_token_attributes!(
            key("mount", "The auth mount's path"),
            key("name", "Its name; the server writes names in lower case"),
            admits(one_of(
                "role_type",
                &["jwt", "oidc"],
                "jwt",
                "Whether a token is presented (`jwt`) or a browser login made (`oidc`)"
            )),
            admits(required(
                "user_claim",
                Shape::String,
                "The claim that names the alias"
            )),
            admits(text(
                "bound_subject",
                "The `sub` that a token must carry; empty is any"
            )),
            admits(set(
                "bound_audiences",
                "Audiences of which a token must carry one"
            )),
            admits(optional(
                "bound_claims",
                Shape::MapOfSets,
                Default::EmptyMap,
                "Claims that must hold one of the values"
            )),
            admits(one_of(
                "bound_claims_type",
                &["string", "glob"],
                "string",
                "Whether `*` in bound claims stands for anything"
            )),
            map("claim_mappings", "Claims copied to the alias's metadata"),
            text("groups_claim", "The claim that names groups"),
            seconds(
                "clock_skew_leeway",
                "Tolerance for clocks that differ, in seconds; 0 is 60, negative is none"
            ),
            seconds(
                "expiration_leeway",
                "Tolerance for `exp`, in seconds; 0 is 150, negative is none"
            ),
            seconds(
                "not_before_leeway",
                "Tolerance for `nbf`, in seconds; 0 is 150, negative is none"
            ),
            admits(bool(
                "user_claim_json_pointer",
                false,
                "Whether `user_claim` is a JSON pointer"
            )),
            bool(
                "verbose_oidc_logging",
                false,
                "Whether the server's log holds received tokens; never in production"
            ),
            set("allowed_redirect_uris", "Redirect URIs of an OIDC login"),
            set("oidc_scopes", "Scopes an OIDC login asks for"),
            one_of(
                "callback_mode",
                &["client", "direct", "device"],
                "client",
                "How an OIDC login comes back (OpenBao)"
            ),
            set(
                "oauth2_metadata",
                "Tokens of an OIDC login that go into the token's metadata (OpenBao)"
            ),
            bool(
                "oidc_disable_confirmation",
                false,
                "Whether an OIDC login in direct mode asks for no confirmation (OpenBao)"
            ),
            seconds(
                "max_age",
                "How long ago an OIDC user may have authenticated, in seconds; 0 is any time"
            ),
            bool(
                "token_policies_template_claims",
                false,
                "Whether `token_policies` are templates over claims (OpenBao)"
            ),
        ),
        computed_from: &[],
        requests: "One GET for each role, many at once, and one LIST for each mount; a write is one POST.",
    },
    Kind {
        name: "vault_approle_role",
        version: 1,
        summary: "Who may log in to an `approle` auth mount, and what token they get",
        key: "auth/{mount}/approle/{name}",
        container: AUTH_MOUNT,
        role: Role::Binding,
        mark: None,
        attributes: with_token_attributes!(
            key("mount", "The auth mount's path"),
            key("name", "Its name; the server writes names in lower case"),
            admits(optional(
                "role_id",
                Shape::String,
                Default::None,
                "What a login presents as its name; a random one unless given"
            )),
            admits(bool(
                "bind_secret_id",
                true,
                "Whether a login must present a secret-id"
            )),
            immutable(bool(
                "local_secret_ids",
                false,
                "Whether secret-ids are kept out of replication"
            )),
            admits(set(
                "secret_id_bound_cidrs",
                "Addresses a login may come from; empty is anywhere"
            )),
            integer(
                "secret_id_num_uses",
                "How often a secret-id may be used; 0 is without limit"
            ),
            seconds(
                "secret_id_ttl",
                "How long a secret-id lives, in seconds; 0 is for ever"
            ),
        ),
        computed_from: &[],
        requests: "Two GETs for each role (the role and its role-id), many at once, and one LIST for each mount; a write is one POST.",
    },
    Kind {
        name: "vault_entity",
        version: 1,
        summary: "An identity, with policies that hold at each request of its tokens",
        key: "{name}",
        container: None,
        role: Role::Subject,
        mark: Some("two keys of its metadata"),
        attributes: &[
            key("name", "Its name; the server does not tell cases apart"),
            grants(set("policies", "Policies of every token of the entity")),
            map(
                "metadata",
                "What is known about it; templated policies may use it",
            ),
            bool("disabled", false, "Whether its tokens are refused"),
            computed("id", Shape::String, "Its id"),
            computed("creation_time", Shape::String, "When it was made"),
            computed("namespace_id", Shape::String, "The namespace it lives in"),
            computed(
                "direct_group_ids",
                Shape::Set,
                "Groups that name it as a member",
            ),
            computed(
                "inherited_group_ids",
                Shape::Set,
                "Groups it is in through other groups",
            ),
            computed("group_ids", Shape::Set, "All groups it is in"),
            computed(
                "merged_entity_ids",
                Shape::Set,
                "Entities that were merged into it",
            ),
            volatile(computed(
                "last_update_time",
                Shape::String,
                "When it or an alias of it last changed",
            )),
        ],
        computed_from: &[],
        requests: "One GET for each entity, many at once, and one LIST of names; a write is one POST.",
    },
    Kind {
        name: "vault_entity_alias",
        version: 1,
        summary: "Which entity a login belongs to: a name at an auth mount",
        key: "auth/{mount}/alias/{name}",
        container: AUTH_MOUNT,
        role: Role::Binding,
        mark: Some("two keys of its custom metadata"),
        attributes: &[
            key("mount", "The auth mount's path"),
            key(
                "name",
                "What the login calls the user: the subject, or the role-id; the server does not tell cases apart",
            ),
            lives_with(admits(required(
                "canonical_id",
                Shape::String,
                "The entity's id",
            ))),
            map("custom_metadata", "What is known about it"),
            computed("id", Shape::String, "Its id"),
            computed("mount_accessor", Shape::String, "The auth mount's accessor"),
            computed("mount_type", Shape::String, "The auth mount's type"),
            computed(
                "local",
                Shape::Bool,
                "Whether it is kept out of replication",
            ),
            volatile(computed("metadata", Shape::Map, "What the last login told")),
            volatile(computed(
                "creation_time",
                Shape::String,
                "When it was made; LIST does not tell it",
            )),
            volatile(computed(
                "last_update_time",
                Shape::String,
                "When it last changed; LIST does not tell it",
            )),
        ],
        computed_from: &[],
        requests: "One LIST reads all aliases where many are asked for, else one lookup for each; a \
                   create is one lookup and one POST.",
    },
    Kind {
        name: "vault_database_connection",
        version: 1,
        summary: "How a database secrets mount reaches a database",
        key: "{mount}/config/{name}",
        container: SECRETS_MOUNT,
        role: Role::Config,
        mark: None,
        attributes: &[
            key("mount", "The secrets mount's path"),
            key("name", "Its name"),
            immutable(required(
                "plugin_name",
                Shape::String,
                "The plugin: `postgresql-database-plugin`",
            )),
            untested(
                text(
                    "plugin_version",
                    "The plugin's version; empty is the built-in one",
                ),
                NEEDS_PLUGIN,
            ),
            required(
                "connection_url",
                Shape::String,
                "Where the database is, with `{{username}}` and `{{password}}` in place of both",
            ),
            text("username", "The user that makes users"),
            write_only("password", "That user's password"),
            set("allowed_roles", "Roles that may use it; `*` is all"),
            text(
                "password_policy",
                "The password policy for generated passwords",
            ),
            list(
                "root_rotation_statements",
                "What changes that user's own password",
            ),
            integer(
                "max_open_connections",
                "Open connections at most; 0 is the plugin's default",
            ),
            integer(
                "max_idle_connections",
                "Idle connections at most; 0 is the plugin's default",
            ),
            seconds(
                "max_connection_lifetime",
                "How long a connection is kept, in seconds; 0 is for ever",
            ),
            text(
                "username_template",
                "How names of users are made; empty is the plugin's way",
            ),
            one_of(
                "password_authentication",
                &["password", "scram-sha-256"],
                "password",
                "Whether the database is sent passwords or only their SCRAM verifiers",
            ),
            bool(
                "disable_escaping",
                false,
                "Whether user name and password go into the URL unescaped",
            ),
            untested(
                text("tls_ca", "The CA that the database is verified with, PEM"),
                NEEDS_TLS,
            ),
            untested(
                text("tls_certificate", "The client certificate, PEM"),
                NEEDS_TLS,
            ),
            untested(
                write_only("private_key", "The client certificate's key, PEM"),
                NEEDS_TLS,
            ),
            request_only(
                "verify_connection",
                true,
                "Whether a write connects to the database to see that it works",
            ),
        ],
        computed_from: &[],
        requests: "One GET for each connection and one LIST for each mount; a write is one POST.",
    },
    Kind {
        name: "vault_database_role",
        version: 1,
        summary: "A dynamic database user: how it is made, and for how long",
        key: "{mount}/roles/{name}",
        container: SECRETS_MOUNT,
        role: Role::Grant,
        mark: None,
        attributes: &[
            key("mount", "The secrets mount's path"),
            key("name", "Its name"),
            required("db_name", Shape::String, "The connection's name"),
            list(
                "creation_statements",
                "What makes the user and grants it what it may do",
            ),
            list(
                "revocation_statements",
                "What removes it; empty is the plugin's way",
            ),
            list("rollback_statements", "What undoes a creation that failed"),
            list(
                "renew_statements",
                "What renews it; empty is the plugin's way",
            ),
            seconds(
                "default_ttl",
                "How long the user lives, in seconds; 0 is the mount's default",
            ),
            seconds(
                "max_ttl",
                "How long it may be renewed, in seconds; 0 is the mount's maximum",
            ),
            // Once set, neither can be taken back by a write (tried on 2.7.2); with an RSA key the
            // server fills the settings in.
            immutable(one_of(
                "credential_type",
                &["password", "rsa_private_key", "client_certificate"],
                "password",
                "What the user logs in with",
            )),
            Attribute {
                same: Some(normal::same_credential),
                ..immutable(optional(
                    "credential_config",
                    Shape::Map,
                    Default::None,
                    "Settings of the credential type",
                ))
            },
        ],
        computed_from: &[],
        requests: "One GET for each role, many at once, and one LIST for each mount; a write is one \
                   POST; a delete is one revocation of its leases, one LIST that proves it, one DELETE.",
    },
];
