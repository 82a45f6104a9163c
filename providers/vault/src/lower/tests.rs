use remit_sdk::declaration::{
    Binding, DatabaseGrant, Grant, Identity, Issuer, IssuerKeys, IssuerType, Lifecycle, Resource,
    Scope, ScopeGrants, Session, VaultGrant, Wanted, Workload,
};
use remit_sdk::{FileId, SecretRef, Span, Spanned};

use super::*;

fn span(at: u32) -> Span {
    Span::new(FileId(0), at, at + 1)
}

fn address(text: &str) -> DeclarationAddress {
    text.parse().unwrap()
}

fn issuer(name: &str) -> Issuer {
    Issuer {
        address: address(name),
        kind: IssuerType::Oidc,
        url: "https://issuer.example".into(),
        audience: [(String::new(), vec!["vault".to_owned()])].into(),
        keys: IssuerKeys::Discovery,
        ca_pem: None,
        mount: None,
        existing_in_aws: false,
        lifecycle: Lifecycle::default(),
        span: span(1),
    }
}

fn vault_grant(path: &str, capabilities: &[&str]) -> Grant {
    Grant::Vault(VaultGrant {
        path: Spanned::new(path.into(), Some(span(20))),
        capabilities: Spanned::new(
            capabilities.iter().map(ToString::to_string).collect(),
            Some(span(21)),
        ),
        allowed_parameters: BTreeMap::new(),
        denied_parameters: BTreeMap::new(),
        required_parameters: BTreeSet::new(),
        span: span(22),
    })
}

fn database_grant() -> Grant {
    Grant::Database(DatabaseGrant {
        mount: Spanned::new("database".into(), None),
        connection: Spanned::new("orders".into(), None),
        statements: vec!["CREATE ROLE …".into()],
        revocation_statements: Vec::new(),
        ttl_seconds: 900,
        max_ttl_seconds: 3600,
        span: span(23),
    })
}

fn scope(name: &str, grants: ScopeGrants) -> Scope {
    Scope {
        address: address(name),
        description: String::new(),
        domain: "billing".into(),
        risk: remit_sdk::declaration::Risk::Low,
        approval: None,
        expires_at: None,
        grants,
        lifecycle: Lifecycle::default(),
        span: span(2),
    }
}

fn jwt(issuer: &str, subject: &str) -> Workload {
    Workload {
        issuer: address(issuer),
        binding: Binding::Jwt {
            subject: subject.into(),
            claims: BTreeMap::new(),
        },
        span: span(4),
    }
}

fn identity(name: &str, scopes: &[&str], workloads: Vec<Workload>) -> Identity {
    let at = address(name);
    Identity {
        name: remit_sdk::naming::live_name("remit-", &at),
        address: at,
        agent: address("agent.a"),
        environment: address("environment.prod"),
        environment_name: "prod".into(),
        agent_name: "a".into(),
        owner_name: "o".into(),
        domain: "billing".into(),
        scopes: scopes
            .iter()
            .map(|text| Spanned::new(address(text), None))
            .collect(),
        workloads,
        session: Session {
            ttl_seconds: 900,
            max_ttl_seconds: 3600,
            bound_cidrs: ["10.20.1.2/16".to_owned()].into(),
        },
        expires_at: None,
        lifecycle: Lifecycle::default(),
        span: span(3),
    }
}

fn resource(name: &str, attributes: &[(&str, Value)]) -> Resource {
    let at = address(name);
    Resource {
        instance: "vault".into(),
        kind: schema::kind(&at.kind).unwrap(),
        address: at,
        attributes: attributes
            .iter()
            .map(|(name, value)| {
                (
                    (*name).to_owned(),
                    Spanned::new(value.clone(), Some(span(30))),
                )
            })
            .collect(),
        names: BTreeMap::new(),
        lifecycle: Lifecycle::default(),
        span: span(5),
    }
}

#[derive(Default)]
struct Config {
    issuers: Vec<Issuer>,
    scopes: Vec<Scope>,
    identities: Vec<Identity>,
    resources: Vec<Resource>,
}

impl Config {
    fn lower(&self, instance: &str) -> Lowered {
        Vault.lower(&Part {
            instance,
            prefix: "remit-",
            issuers: self.issuers.iter().collect(),
            scopes: self.scopes.iter().collect(),
            identities: self.identities.iter().collect(),
            resources: self.resources.iter().collect(),
            ..Part::default()
        })
    }

    fn mistakes(&self) -> Vec<String> {
        let all = self.lower("vault").diagnostics;
        all.iter()
            .map(|one| {
                let help = one.help.as_deref().unwrap_or_default();
                format!("{}: {} {help}", one.summary, one.detail)
            })
            .collect()
    }
}

fn one() -> Config {
    Config {
        issuers: vec![issuer("issuer.eu")],
        scopes: vec![
            scope(
                "scope.read",
                ScopeGrants::Shared(vec![vault_grant("kv/data/x", &["read"]), database_grant()]),
            ),
            scope(
                "scope.own",
                ScopeGrants::PerHolder(
                    [(
                        address("identity.x[\"prod\"]"),
                        vec![vault_grant("kv/data/prod/*", &["list", "read"])],
                    )]
                    .into(),
                ),
            ),
        ],
        identities: vec![identity(
            "identity.x[\"prod\"]",
            &["scope.read", "scope.own"],
            vec![jwt("issuer.eu", "system:serviceaccount:agents:x")],
        )],
        resources: Vec::new(),
    }
}

fn find<'a>(lowered: &'a Lowered, text: &str) -> &'a Wanted {
    let found = lowered
        .objects
        .iter()
        .find(|one| one.address.to_string() == text);
    found.unwrap_or_else(|| {
        let all: Vec<_> = lowered
            .objects
            .iter()
            .map(|one| one.address.to_string())
            .collect();
        panic!("{text} is not among {all:?}")
    })
}

#[test]
fn an_identity_becomes_what_the_language_says() {
    let lowered = one().lower("vault");
    assert_eq!(lowered.diagnostics, []);
    let all: Vec<_> = lowered
        .objects
        .iter()
        .map(|one| format!("{} = {}", one.address, one.key))
        .collect();
    assert_eq!(
        all,
        [
            "issuer.eu/vault_auth_mount = remit-eu",
            "issuer.eu/vault_jwt_config = auth/remit-eu/config",
            "provider.vault/vault_policy/self = remit-self",
            "scope.read/vault_database_role = database/roles/remit-read",
            "scope.read/vault_policy = remit-read",
            "identity.x[\"prod\"]/vault_policy/scope.own = remit-own-x-prod",
            "identity.x[\"prod\"]/vault_entity = remit-x-prod",
            "identity.x[\"prod\"]/vault_entity_alias = auth/remit-eu/alias/system:serviceaccount:agents:x",
            "identity.x[\"prod\"]/vault_jwt_role = auth/remit-eu/role/remit-x-prod",
        ]
    );
    let entity = find(&lowered, "identity.x[\"prod\"]/vault_entity");
    assert_eq!(
        entity.attributes["policies"],
        Value::strings(["remit-self", "remit-read", "remit-own-x-prod"])
    );
    let policy = find(&lowered, "scope.read/vault_policy");
    assert_eq!(
        policy.attributes["policy"],
        Value::string(
            "path \"database/creds/remit-read\" {\n  capabilities = [\"read\"]\n}\n\n\
             path \"kv/data/x\" {\n  capabilities = [\"read\"]\n}\n"
        )
    );
    assert_eq!(
        policy.holders,
        BTreeSet::from([address("identity.x[\"prod\"]")])
    );
    let role = find(&lowered, "identity.x[\"prod\"]/vault_jwt_role");
    for (name, value) in [
        (
            "bound_subject",
            Value::string("system:serviceaccount:agents:x"),
        ),
        ("bound_audiences", Value::strings(["vault"])),
        ("user_claim", Value::string("sub")),
        ("token_policies", Value::strings::<_, &str>([])),
        ("token_no_default_policy", Value::Bool(true)),
        ("token_bound_cidrs", Value::strings(["10.20.0.0/16"])),
        ("token_ttl", Value::integer(900)),
    ] {
        assert_eq!(role.attributes[name], value, "{name}");
    }
}

#[test]
fn order_follows_from_what_is_needed() {
    let lowered = one().lower("vault");
    let waits = |text: &str| -> Vec<String> {
        let wanted = find(&lowered, text);
        wanted.depends_on.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        waits("identity.x[\"prod\"]/vault_jwt_role"),
        [
            "identity.x[\"prod\"]/vault_entity_alias",
            "issuer.eu/vault_auth_mount",
            "issuer.eu/vault_jwt_config",
        ]
    );
    assert_eq!(
        waits("identity.x[\"prod\"]/vault_entity_alias"),
        [
            "identity.x[\"prod\"]/vault_entity",
            "issuer.eu/vault_auth_mount"
        ]
    );
    assert_eq!(
        waits("issuer.eu/vault_jwt_config"),
        ["issuer.eu/vault_auth_mount"]
    );
    // A name that isn't ours yet must not be given to anybody.
    let carried = waits("identity.x[\"prod\"]/vault_entity");
    assert!(
        carried.contains(&"scope.read/vault_policy".to_owned()),
        "{carried:?}"
    );
    assert!(
        carried.iter().any(|one| one.ends_with("vault_policy/self")),
        "{carried:?}"
    );
    assert!(waits("scope.read/vault_policy").is_empty());
}

#[test]
fn another_instance_stands_in_every_address() {
    let lowered = one().lower("vault.audit");
    for wanted in &lowered.objects {
        assert_eq!(wanted.address.alias.as_deref(), Some("audit"));
        assert_eq!(wanted.instance, "vault.audit");
        assert!(wanted.depends_on.iter().all(|one| one.alias.is_some()));
    }
}

#[test]
fn an_existing_mount_is_used_and_not_owned() {
    let mut config = one();
    config.issuers[0].mount = Some("shared/jwt/".into());
    let lowered = config.lower("vault");
    assert_eq!(lowered.diagnostics, []);
    assert!(
        lowered
            .objects
            .iter()
            .all(|one| !one.kind.name.ends_with("_mount"))
    );
    let role = find(&lowered, "identity.x[\"prod\"]/vault_jwt_role");
    assert_eq!(role.key, "auth/shared/jwt/role/remit-x-prod");
}

#[test]
fn an_approle_has_a_role_id_that_is_known() {
    let mut config = one();
    config.issuers[0].kind = IssuerType::Approle;
    config.issuers[0].audience.clear();
    config.issuers[0].url.clear();
    config.issuers[0].keys = IssuerKeys::None;
    config.identities[0].workloads[0].binding = Binding::Approle {
        bound_cidrs: ["10.0.0.7".to_owned()].into(),
        secret_id_ttl_seconds: 600,
        secret_id_num_uses: 1,
    };
    let lowered = config.lower("vault");
    assert_eq!(lowered.diagnostics, []);
    let role = find(&lowered, "identity.x[\"prod\"]/vault_approle_role");
    assert_eq!(role.attributes["role_id"], Value::string("remit-x-prod"));
    assert_eq!(
        role.attributes["secret_id_bound_cidrs"],
        Value::strings(["10.0.0.7/32"])
    );
    let alias = find(&lowered, "identity.x[\"prod\"]/vault_entity_alias");
    assert_eq!(alias.key, "auth/remit-eu/alias/remit-x-prod");
    assert!(
        lowered
            .objects
            .iter()
            .all(|one| one.kind.name != "vault_jwt_config")
    );
}

#[test]
fn several_workloads_and_grants_are_told_apart() {
    let mut config = one();
    config.issuers.push(issuer("issuer.us"));
    config.identities[0].workloads.push(jwt("issuer.us", "s"));
    config.scopes[0].grants = ScopeGrants::Shared(vec![database_grant(), database_grant()]);
    let lowered = config.lower("vault");
    assert_eq!(lowered.diagnostics, []);
    find(&lowered, "identity.x[\"prod\"]/vault_jwt_role/issuer.eu");
    find(
        &lowered,
        "identity.x[\"prod\"]/vault_entity_alias/issuer.us",
    );
    find(&lowered, "scope.read/vault_database_role");
    let second = find(&lowered, "scope.read/vault_database_role/2");
    assert!(
        second.key.starts_with("database/roles/remit-2-read-"),
        "{}",
        second.key
    );
}

#[test]
fn a_managed_connection_allows_the_roles() {
    let mut config = one();
    config.resources = vec![
        resource(
            "vault_secrets_mount.db",
            &[
                ("path", Value::string("database")),
                ("type", Value::string("database")),
            ],
        ),
        resource(
            "vault_database_connection.c",
            &[
                ("mount", Value::string("database/")),
                ("name", Value::string("orders")),
                ("plugin_name", Value::string("postgresql-database-plugin")),
                ("connection_url", Value::string("postgresql://…")),
                ("password", Value::Secret(SecretRef::Env("PW".into()))),
                ("password_version", Value::integer(1)),
                ("allowed_roles", Value::List(vec![Value::string("mine")])),
            ],
        ),
    ];
    let lowered = config.lower("vault");
    assert_eq!(lowered.diagnostics, []);
    let connection = find(
        &lowered,
        "vault_database_connection.c/vault_database_connection",
    );
    assert_eq!(
        connection.attributes["allowed_roles"],
        Value::strings(["mine", "remit-read"])
    );
    assert_eq!(connection.attributes["password_version"], Value::integer(1));
    let role = find(&lowered, "scope.read/vault_database_role");
    assert!(role.depends_on.contains(&connection.address));
    let mount = find(&lowered, "vault_secrets_mount.db/vault_secrets_mount");
    assert!(connection.depends_on.contains(&mount.address));
    assert!(role.depends_on.contains(&mount.address));
}

#[test]
fn all_mistakes_are_named_at_once() {
    let mut config = one();
    config.issuers[0].audience.clear();
    config.issuers[0].url = "http://issuer".into();
    config.scopes[0].grants = ScopeGrants::Shared(vec![
        vault_grant("/kv", &["read"]),
        vault_grant("kv/a", &["raed"]),
        vault_grant("kv/b", &["read"]),
        vault_grant("kv/b", &["list"]),
    ]);
    config.identities.push(identity(
        "identity.y",
        &[],
        vec![jwt("issuer.eu", "System:ServiceAccount:agents:x")],
    ));
    config.identities[0].session.bound_cidrs = ["nowhere".to_owned()].into();
    config.identities[0].workloads.push(jwt("issuer.eu", "*"));
    config.resources = vec![
        resource(
            "vault_policy.p",
            &[
                ("name", Value::string("Remit-Self")),
                ("polic", Value::Null),
            ],
        ),
        resource(
            "vault_policy.q",
            &[
                ("name", Value::string("remit-self")),
                ("policy", Value::string("path \"a\" {}")),
                ("version", Value::integer(1)),
            ],
        ),
        resource("vault_entity.e", &[("nmae", Value::string("x"))]),
    ];
    let found = config.mistakes();
    for wanted in [
        "accepts no audience",
        "is no https URL",
        "write `kv`",
        "did you mean `read`?",
        "path granted twice",
        "two identities with one subject",
        "is no network address",
        "two workloads at one mount",
        "write `remit-self`",
        "`vault_policy` needs `policy`",
        "two declarations of one live object",
        "`version` of `vault_policy` is told by the server",
        "did you mean `name`?",
    ] {
        assert!(
            found.iter().any(|one| one.contains(wanted)),
            "{wanted}: {found:#?}"
        );
    }
}

#[test]
fn the_exact_text_is_underlined() {
    let mut config = one();
    config.scopes[0].grants = ScopeGrants::Shared(vec![vault_grant("kv/a", &["raed"])]);
    let lowered = config.lower("vault");
    assert_eq!(lowered.diagnostics[0].span, Some(span(21)));
    config.scopes[0].grants = ScopeGrants::Shared(vec![vault_grant("/kv", &["read"])]);
    assert_eq!(config.lower("vault").diagnostics[0].span, Some(span(20)));
}

#[test]
fn declared_dependencies_name_all_objects_of_a_declaration() {
    let mut config = one();
    config.resources = vec![resource(
        "vault_policy.p",
        &[
            ("name", Value::string("p")),
            ("policy", Value::string("path \"a\" {}")),
        ],
    )];
    config.resources[0].lifecycle.depends_on = vec![address("issuer.eu")];
    let lowered = config.lower("vault");
    let waits = &find(&lowered, "vault_policy.p/vault_policy").depends_on;
    assert_eq!(waits.len(), 2, "{waits:?}");
}
