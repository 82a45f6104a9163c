//! What auth methods take: where each keeps what gives policies, what a login of one's own must
//! say there, and what says whom a mount believes. Data alone.
//!
//! From the API pages `api-docs/auth/*` of OpenBao and Vault and the methods' sources; AppRole,
//! JWT, certificates, Kubernetes and userpass were tried on OpenBao 2.7.2.

use super::search::{ANY, NEW};

/// Where an auth method keeps what gives policies, and what one must bring to use it.
pub(super) struct Method {
    /// The mount's type.
    pub(super) kinds: &'static [&'static str],
    /// Below the mount; `{}` is its name.
    pub(super) place: &'static str,
    /// Whether the server takes a write for a create where there is nothing yet.
    pub(super) creates: bool,
    /// What makes one that lets its writer in, beside the policies; each is enough.
    pub(super) bodies: &'static [&'static [&'static str]],
    /// The parameters that hold the policies; each is enough.
    pub(super) policies: &'static [&'static str],
    /// Whether it takes a credential that somebody else gives.
    pub(super) vouched: bool,
}

pub(super) const TOKEN: &[&str] = &["token_policies", "policies"];
const OWN: &[&str] = &["policies"];

pub(super) const METHODS: [Method; 11] = [
    Method {
        kinds: &["approle"],
        place: "role/{}",
        creates: true,
        bodies: &[
            &["bind_secret_id", "role_id", "secret_id_bound_cidrs"],
            &["bind_secret_id", "role_id", "token_bound_cidrs"],
        ],
        policies: TOKEN,
        vouched: false,
    },
    Method {
        kinds: &["jwt", "oidc"],
        place: "role/{}",
        creates: true,
        bodies: &[
            &["bound_subject", "role_type", "user_claim"],
            &["bound_audiences", "role_type", "user_claim"],
            &["bound_claims", "role_type", "user_claim"],
        ],
        policies: TOKEN,
        vouched: true,
    },
    Method {
        kinds: &[
            "alicloud",
            "aws",
            "azure",
            "gcp",
            "kubernetes",
            "oci",
            "saml",
            "spiffe",
        ],
        place: "role/{}",
        creates: true,
        bodies: &[&[]],
        policies: TOKEN,
        vouched: true,
    },
    Method {
        kinds: &["cert"],
        place: "certs/{}",
        creates: false,
        bodies: &[&["certificate"]],
        policies: TOKEN,
        vouched: false,
    },
    Method {
        kinds: &["userpass"],
        place: "users/{}",
        creates: true,
        bodies: &[&["password"], &["password_hash"]],
        policies: TOKEN,
        vouched: false,
    },
    Method {
        kinds: &["ldap", "okta"],
        place: "users/{}",
        creates: false,
        bodies: &[&[]],
        policies: OWN,
        vouched: true,
    },
    Method {
        kinds: &["ldap", "okta", "kerberos"],
        place: "groups/{}",
        creates: false,
        bodies: &[&[]],
        policies: OWN,
        vouched: true,
    },
    Method {
        kinds: &["radius"],
        place: "users/{}",
        creates: true,
        bodies: &[&[]],
        policies: OWN,
        vouched: true,
    },
    Method {
        kinds: &["github"],
        place: "map/teams/{}",
        creates: true,
        bodies: &[&[]],
        policies: &["value"],
        vouched: true,
    },
    Method {
        kinds: &["github"],
        place: "map/users/{}",
        creates: true,
        bodies: &[&[]],
        policies: &["value"],
        vouched: true,
    },
    Method {
        kinds: &["cf"],
        place: "roles/{}",
        creates: true,
        bodies: &[&[]],
        policies: TOKEN,
        vouched: true,
    },
];

/// What says whom a mount believes, by its type: a path below the mount, where `{}` is any name,
/// and the parameters there, each of which is enough. Those of methods that OpenBao 2.7.2 doesn't
/// come with are from their API pages alone.
pub(super) const BELIEFS: [(&str, &str, &[&str]); 16] = [
    ("aws", "config/certificate/{}", &["aws_public_cert"]),
    ("aws", "config/client", &["sts_endpoint"]),
    ("azure", "config", &["environment", "tenant_id"]),
    ("cf", "config", &["cf_api_addr", "identity_ca_certificates"]),
    ("github", "config", &["base_url", "organization"]),
    (
        "jwt",
        "config",
        &["jwks_url", "jwt_validation_pubkeys", "oidc_discovery_url"],
    ),
    ("kerberos", "config", &["keytab"]),
    ("kerberos", "config/ldap", &["url"]),
    ("kubernetes", "config", &["kubernetes_host"]),
    ("ldap", "config", &["url"]),
    ("oci", "config", &["home_tenancy_id"]),
    (
        "oidc",
        "config",
        &["jwks_url", "jwt_validation_pubkeys", "oidc_discovery_url"],
    ),
    ("okta", "config", &["base_url", "org_name"]),
    ("radius", "config", &["host"]),
    ("saml", "config", &["idp_cert", "idp_metadata_url"]),
    (
        "spiffe",
        "config",
        &["bundle", "endpoint_url", "trust_domain"],
    ),
];

/// What is sent as a parameter.
pub(super) fn value(parameter: &str) -> &'static str {
    match parameter {
        "bind_secret_id" => "false",
        "role_type" => "jwt",
        "certificate" | "password" | "password_hash" | "role_id" | "user_claim" => NEW,
        _ => ANY,
    }
}
