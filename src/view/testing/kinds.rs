//! The kinds of those plans, and a provider that has them.

use remit_sdk::provider::{Lowered, Part};
use remit_sdk::schema::{Container, Default, Need, Role, Shape};
use remit_sdk::{Attribute, Kind, Lower, Value};

use crate::lower::Catalog;

const KEY: Attribute = Attribute {
    need: Need::Required,
    immutable: true,
    ..Attribute::PLAIN
};

const MOUNT: Attribute = Attribute {
    name: "mount",
    summary: "The mount",
    ..KEY
};

const NAME: Attribute = Attribute {
    name: "name",
    summary: "Its name",
    ..KEY
};

const fn seconds(name: &'static str) -> Attribute {
    Attribute {
        name,
        shape: Shape::Duration,
        default: Default::Integer(0),
        summary: "How long a token lives, in seconds",
        ..Attribute::PLAIN
    }
}

const fn kind(
    name: &'static str,
    key: &'static str,
    role: Role,
    attributes: &'static [Attribute],
) -> Kind {
    Kind {
        name,
        version: 1,
        summary: "A kind for tests.",
        key,
        container: None,
        role,
        mark: Some("the field `description`"),
        attributes,
        computed_from: &[],
        requests: "read 1, write 2",
    }
}

static KINDS: [Kind; 5] = [
    kind(
        "vault_auth_mount",
        "auth/{path}",
        Role::Container,
        &[
            Attribute {
                name: "path",
                ..KEY
            },
            Attribute {
                name: "type",
                ..KEY
            },
            seconds("max_lease_ttl"),
        ],
    ),
    Kind {
        container: Some(Container {
            kind: "vault_auth_mount",
            attribute: "mount",
            takes_along: true,
        }),
        ..kind(
            "vault_jwt_role",
            "auth/{mount}/role/{name}",
            Role::Binding,
            &[
                MOUNT,
                NAME,
                Attribute {
                    name: "bound_subject",
                    default: Default::String(""),
                    admits: true,
                    summary: "The subject that may log in",
                    ..Attribute::PLAIN
                },
                Attribute {
                    name: "bound_audiences",
                    shape: Shape::Set,
                    default: Default::EmptySet,
                    summary: "Audiences, one of which the token must name",
                    ..Attribute::PLAIN
                },
                seconds("token_ttl"),
                seconds("token_max_ttl"),
                Attribute {
                    name: "token_type",
                    shape: Shape::OneOf(&["default", "service", "batch"]),
                    default: Default::String("default"),
                    summary: "The kind of token",
                    ..Attribute::PLAIN
                },
            ],
        )
    },
    kind(
        "vault_policy",
        "{name}",
        Role::Grant,
        &[
            NAME,
            Attribute {
                name: "policy",
                shape: Shape::Policy,
                need: Need::Required,
                summary: "The policy's text",
                ..Attribute::PLAIN
            },
        ],
    ),
    kind(
        "vault_entity",
        "{name}",
        Role::Subject,
        &[
            NAME,
            Attribute {
                name: "policies",
                shape: Shape::Set,
                default: Default::EmptySet,
                grants: true,
                summary: "Policies of the entity",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "id",
                need: Need::Computed,
                summary: "Its id",
                ..Attribute::PLAIN
            },
        ],
    ),
    kind(
        "vault_database_connection",
        "{mount}/config/{name}",
        Role::Config,
        &[
            MOUNT,
            NAME,
            Attribute {
                name: "password",
                write_only: true,
                unverifiable: Some("the server never tells it"),
                summary: "The password of the user that makes users",
                ..Attribute::PLAIN
            },
            Attribute {
                name: "verify_connection",
                shape: Shape::Bool,
                default: Default::Bool(true),
                unverifiable: Some("a parameter of the request"),
                untested: Some("needs a database that is down"),
                summary: "Whether to try it at once",
                ..Attribute::PLAIN
            },
        ],
    ),
];

struct Vault;

impl Lower for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }

    fn normalise(&self, _: &Kind, _: &str, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn lower(&self, _: &Part<'_>) -> Lowered {
        Lowered::default()
    }
}

static PROVIDERS: [&dyn Lower; 1] = [&Vault];

/// A catalog of these kinds.
pub(in crate::view) fn catalog() -> Catalog<'static> {
    Catalog::new(&PROVIDERS)
}
