//! What lowering is tested with: a small configuration that each test changes in one place.

mod grants;
mod property;
mod resources;
mod trust;

use remit_sdk::declaration::{
    Agent, AwsCondition, AwsGrant, Binding, Grant, Identity, Issuer, IssuerKeys, IssuerType,
    Lifecycle, Resource, Risk, Scope, ScopeGrants, Session, Wanted, Workload,
};
use remit_sdk::{FileId, Severity, Span, Spanned};
use serde_json::Value as Json;

use super::*;

const ACCOUNT: &str = "123456789012";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn span(at: u32) -> Span {
    Span::new(FileId(0), at, at + 1)
}

fn address(text: &str) -> DeclarationAddress {
    text.parse().unwrap()
}

fn provider(all: &[(&str, Value)]) -> ProviderConfig {
    let mut attributes: BTreeMap<String, Spanned<Value>> = BTreeMap::new();
    let base = [
        ("region", Value::string("eu-west-1")),
        ("account", Value::string(ACCOUNT)),
    ];
    for (name, value) in base.iter().chain(all) {
        attributes.insert((*name).to_owned(), Spanned::new(value.clone(), None));
    }
    ProviderConfig {
        instance: "aws".into(),
        provider: "aws".into(),
        attributes,
        blocks: Vec::new(),
        span: Some(span(9)),
    }
}

fn issuer(name: &str, kind: IssuerType, url: &str) -> Issuer {
    Issuer {
        address: address(name),
        kind,
        url: url.into(),
        audience: [
            ("vault".to_owned(), vec!["vault".to_owned()]),
            ("aws".to_owned(), vec!["sts.amazonaws.com".to_owned()]),
        ]
        .into(),
        keys: IssuerKeys::Discovery,
        ca_pem: None,
        mount: None,
        existing_in_aws: false,
        lifecycle: Lifecycle::default(),
        span: span(1),
    }
}

fn grant(actions: &[&str], resources: &[&str]) -> AwsGrant {
    let texts = |all: &[&str], at| {
        let all = all.iter().map(ToString::to_string).collect();
        Spanned::new(all, Some(span(at)))
    };
    AwsGrant {
        actions: texts(actions, 20),
        resources: texts(resources, 21),
        conditions: Vec::new(),
        span: span(22),
    }
}

fn condition(operator: &str, key: &str, values: &[&str]) -> AwsCondition {
    AwsCondition {
        operator: operator.into(),
        values: [(
            key.to_owned(),
            values.iter().map(ToString::to_string).collect(),
        )]
        .into(),
        span: span(23),
    }
}

fn shared(all: Vec<AwsGrant>) -> ScopeGrants {
    ScopeGrants::Shared(all.into_iter().map(Grant::Aws).collect())
}

fn scope(name: &str, grants: ScopeGrants) -> Scope {
    Scope {
        address: address(name),
        description: String::new(),
        domain: "billing".into(),
        risk: Risk::Low,
        approval: None,
        expires_at: None,
        grants,
        lifecycle: Lifecycle::default(),
        span: span(2),
    }
}

fn jwt(issuer: &str, subject: &str, claims: &[(&str, &str)]) -> Workload {
    let claims = claims
        .iter()
        .map(|(claim, value)| ((*claim).to_owned(), BTreeSet::from([(*value).to_owned()])));
    Workload {
        issuer: address(issuer),
        binding: Binding::Jwt {
            subject: subject.into(),
            claims: claims.collect(),
        },
        span: span(4),
    }
}

fn approle(issuer: &str) -> Workload {
    Workload {
        issuer: address(issuer),
        binding: Binding::Approle {
            bound_cidrs: BTreeSet::new(),
            secret_id_ttl_seconds: 600,
            secret_id_num_uses: 1,
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
            bound_cidrs: BTreeSet::new(),
        },
        expires_at: None,
        lifecycle: Lifecycle::default(),
        span: span(3),
    }
}

fn agent(ceiling: &[&str]) -> Agent {
    Agent {
        address: address("agent.a"),
        owner: address("owner.o"),
        purpose: String::new(),
        autonomous: false,
        review_by: None,
        ceiling: ceiling.iter().map(|text| address(text)).collect(),
        span: span(6),
    }
}

fn resource(name: &str, attributes: &[(&str, Value)]) -> Resource {
    let at = address(name);
    Resource {
        instance: "aws".into(),
        kind: schema::kind(&at.kind).unwrap(),
        address: at,
        attributes: (30..)
            .zip(attributes)
            .map(|(at, (name, value))| {
                let value = Spanned::new(value.clone(), Some(span(at)));
                ((*name).to_owned(), value)
            })
            .collect(),
        names: BTreeMap::new(),
        lifecycle: Lifecycle::default(),
        span: span(5),
    }
}

#[derive(Debug)]
struct Config {
    provider: Option<ProviderConfig>,
    agents: Vec<Agent>,
    ceilings: Vec<Scope>,
    issuers: Vec<Issuer>,
    scopes: Vec<Scope>,
    identities: Vec<Identity>,
    resources: Vec<Resource>,
}

impl Config {
    fn new() -> Self {
        Self {
            provider: Some(provider(&[])),
            agents: vec![agent(&[])],
            ceilings: Vec::new(),
            issuers: Vec::new(),
            scopes: Vec::new(),
            identities: Vec::new(),
            resources: Vec::new(),
        }
    }

    fn lower_at(&self, instance: &str) -> Lowered {
        Aws.lower(&Part {
            instance,
            prefix: "remit-",
            config: self.provider.as_ref(),
            agents: self.agents.iter().collect(),
            ceilings: self.ceilings.iter().collect(),
            issuers: self.issuers.iter().collect(),
            scopes: self.scopes.iter().collect(),
            identities: self.identities.iter().collect(),
            resources: self.resources.iter().collect(),
        })
    }

    fn lower(&self) -> Lowered {
        self.lower_at("aws")
    }

    /// Lowers what has no mistake and nothing worth a warning.
    fn good(&self) -> Lowered {
        let lowered = self.lower();
        assert_eq!(lowered.diagnostics, []);
        lowered
    }

    fn told(&self, severity: Severity) -> Vec<String> {
        let all = self.lower().diagnostics;
        all.iter()
            .filter(|one| one.severity == severity)
            .map(|one| {
                assert!(one.span.is_some(), "{}", one.detail);
                assert!(!one.detail.contains("  "), "{}", one.detail);
                format!("{}: {}", one.summary, one.detail)
            })
            .collect()
    }

    fn mistakes(&self) -> Vec<String> {
        self.told(Severity::Error)
    }

    fn warnings(&self) -> Vec<String> {
        self.told(Severity::Warning)
    }
}

/// One identity of GitHub Actions with one scope.
fn one() -> Config {
    Config {
        issuers: vec![issuer("issuer.gh", IssuerType::Github, GITHUB)],
        scopes: vec![scope(
            "scope.read",
            shared(vec![grant(&["s3:GetObject"], &["arn:aws:s3:::invoices/*"])]),
        )],
        identities: vec![identity(
            "identity.x[\"prod\"]",
            &["scope.read"],
            vec![jwt(
                "issuer.gh",
                "repo:o/r:environment:prod",
                &[("repository", "o/r")],
            )],
        )],
        ..Config::new()
    }
}

fn find<'a>(lowered: &'a Lowered, text: &str) -> &'a Wanted {
    let found = lowered
        .objects
        .iter()
        .find(|one| one.address.to_string() == text);
    found.unwrap_or_else(|| panic!("{text} is not among {:?}", addresses(lowered)))
}

fn addresses(lowered: &Lowered) -> Vec<String> {
    let all = lowered.objects.iter();
    all.map(|one| one.address.to_string()).collect()
}

fn waits(lowered: &Lowered, text: &str) -> Vec<String> {
    let wanted = find(lowered, text);
    wanted.depends_on.iter().map(ToString::to_string).collect()
}

/// A document of an object, as JSON.
fn json(wanted: &Wanted, attribute: &str) -> Json {
    serde_json::from_str(wanted.attributes[attribute].as_str().unwrap()).unwrap()
}

fn trust(lowered: &Lowered) -> Json {
    json(
        find(lowered, "identity.x[\"prod\"]/aws_iam_role"),
        "assume_role_policy",
    )
}

#[test]
fn an_identity_becomes_what_the_language_says() {
    let lowered = one().good();
    let all: Vec<_> = lowered
        .objects
        .iter()
        .map(|one| format!("{} = {}", one.address, one.key))
        .collect();
    assert_eq!(
        all,
        [
            "issuer.gh/aws_iam_openid_connect_provider = https://token.actions.githubusercontent.com",
            "identity.x[\"prod\"]/aws_iam_role = remit-x-prod",
            "identity.x[\"prod\"]/aws_iam_role_policy/scope.read = remit-x-prod/remit-read",
        ]
    );
    let role = find(&lowered, "identity.x[\"prod\"]/aws_iam_role");
    for (name, value) in [
        ("name", Value::string("remit-x-prod")),
        ("max_session_duration", Value::integer(3600)),
        (
            "description",
            Value::string("Agent a of o in prod, for billing"),
        ),
    ] {
        assert_eq!(role.attributes[name], value, "{name}");
    }
    let Value::Map(tags) = &role.attributes["tags"] else {
        panic!("no tags");
    };
    let tags: Vec<_> = tags
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap()))
        .collect();
    assert_eq!(
        tags,
        ["agent=a", "domain=billing", "environment=prod", "owner=o"]
    );
    assert!(!role.attributes.contains_key("permissions_boundary"));
    assert!(!role.attributes.contains_key("inline_policies"));
    let holders = BTreeSet::from([address("identity.x[\"prod\"]")]);
    assert_eq!(role.holders, holders);
    let policy = find(
        &lowered,
        "identity.x[\"prod\"]/aws_iam_role_policy/scope.read",
    );
    assert_eq!(policy.holders, holders);
    assert_eq!(
        json(policy, "policy"),
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::invoices/*",
            }]
        })
    );
    let provider = find(&lowered, "issuer.gh/aws_iam_openid_connect_provider");
    assert_eq!(
        provider.attributes["client_id_list"],
        Value::strings(["sts.amazonaws.com"])
    );
}

#[test]
fn order_follows_from_what_is_named() {
    let lowered = one().good();
    assert_eq!(
        waits(&lowered, "identity.x[\"prod\"]/aws_iam_role"),
        ["issuer.gh/aws_iam_openid_connect_provider"]
    );
    assert_eq!(
        waits(
            &lowered,
            "identity.x[\"prod\"]/aws_iam_role_policy/scope.read"
        ),
        ["identity.x[\"prod\"]/aws_iam_role"]
    );
    assert!(waits(&lowered, "issuer.gh/aws_iam_openid_connect_provider").is_empty());
}

#[test]
fn another_instance_stands_in_every_address() {
    let mut config = one();
    config.agents = vec![agent(&["scope.read"])];
    config.ceilings = config.scopes.clone();
    let lowered = config.lower_at("aws.audit");
    assert_eq!(lowered.diagnostics, []);
    for wanted in &lowered.objects {
        assert_eq!(wanted.address.alias.as_deref(), Some("audit"));
        assert_eq!(wanted.instance, "aws.audit");
        assert!(wanted.depends_on.iter().all(|one| one.alias.is_some()));
    }
}

#[test]
fn without_settings_nothing_is_wanted_and_all_mistakes_are_told() {
    let mut config = one();
    config.scopes[0].grants = shared(vec![grant(&["s3"], &["arn:aws-cn:s3:::b"])]);
    config.provider = None;
    assert!(config.lower().objects.is_empty());
    let found = config.mistakes();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("provider \"aws\" is not declared: "));
    assert!(found[1].contains("lacks its service"), "{}", found[1]);
    let mut config = one();
    config.provider = Some(provider(&[("account", Value::string("1"))]));
    assert!(config.lower().objects.is_empty());
    // A block's own mistakes are told with the block, before anything is lowered.
    let block = config.provider.clone().unwrap();
    let told = Aws.check_config(&block);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].span, Some(span(9)));
    assert_eq!(config.lower().diagnostics, []);
    let slip = provider(&[("region", Value::string("eu-wst-1"))]);
    let told = Aws.check_config(&slip);
    assert_eq!(told.len(), 1);
    assert!(!told[0].is_error());
    assert!(told[0].help.as_ref().unwrap().contains("`eu-west-1`"));
    // An empty part needs no settings of its own, and says what is wrong with them all the same.
    let empty = Config {
        provider: None,
        ..Config::new()
    };
    assert_eq!(empty.lower().diagnostics.len(), 1);
}

#[test]
fn arns_are_known_from_the_configuration() {
    let config = provider(&[]);
    let computed = |kind: &str, all: &[(&str, &str)]| {
        let attributes = all
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Value::string(*text)))
            .collect();
        Aws.computed(
            schema::kind(kind).unwrap(),
            "arn",
            &attributes,
            Some(&config),
        )
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
    };
    for (kind, all, arn) in [
        ("aws_iam_role", &[("name", "x")][..], "role/x"),
        (
            "aws_iam_role",
            &[("name", "x"), ("path", "/a/")],
            "role/a/x",
        ),
        (
            "aws_iam_policy",
            &[("name", "x"), ("path", "/a/b/")],
            "policy/a/b/x",
        ),
        ("aws_iam_user", &[("name", "x")], "user/x"),
        ("aws_iam_group", &[("name", "x")], "group/x"),
        (
            "aws_iam_instance_profile",
            &[("name", "x")],
            "instance-profile/x",
        ),
        (
            "aws_iam_openid_connect_provider",
            &[("url", "https://h/p")],
            "oidc-provider/h/p",
        ),
    ] {
        let arn = format!("arn:aws:iam::{ACCOUNT}:{arn}");
        assert_eq!(computed(kind, all), Some(arn), "{kind}");
    }
    assert_eq!(computed("aws_iam_role", &[]), None);
    let secret = computed("aws_secretsmanager_secret", &[("name", "x")]);
    assert_eq!(secret, None);
    let role = schema::kind("aws_iam_role").unwrap();
    let named = BTreeMap::from([("name".to_owned(), Value::string("x"))]);
    assert_eq!(Aws.computed(role, "unique_id", &named, Some(&config)), None);
    assert_eq!(Aws.computed(role, "arn", &named, None), None);
    let pending = remit_sdk::Pending::attribute(address("identity.y").object("aws_iam_role"), "id");
    let pending = BTreeMap::from([
        ("name".to_owned(), Value::string("x")),
        ("path".to_owned(), Value::Pending(pending)),
    ]);
    assert_eq!(Aws.computed(role, "arn", &pending, Some(&config)), None);
    let export = |export| Aws.identity_export(export, "remit-x", Some(&config));
    assert_eq!(
        export("aws_role_arn"),
        Some(Value::string(format!(
            "arn:aws:iam::{ACCOUNT}:role/remit-x"
        )))
    );
    assert_eq!(export("vault_role"), None);
    assert_eq!(Aws.identity_export("aws_role_arn", "x", None), None);
    let china = provider(&[("region", Value::string("cn-north-1"))]);
    assert_eq!(
        Aws.identity_export("aws_role_arn", "x", Some(&china)),
        Some(Value::string(format!("arn:aws-cn:iam::{ACCOUNT}:role/x")))
    );
}

#[test]
fn only_documents_narrow() {
    let allow = |actions: &str| {
        Value::string(format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Action\":[{actions}],\"Resource\":\"*\"}}}}"
        ))
    };
    let (one, two) = (
        allow("\"s3:GetObject\""),
        allow("\"s3:GetObject\",\"s3:PutObject\""),
    );
    let policy = schema::kind("aws_iam_policy").unwrap();
    assert!(Aws.narrows(policy, "policy", &two, &one));
    assert!(!Aws.narrows(policy, "policy", &one, &two));
    assert!(!Aws.narrows(policy, "description", &two, &one));
    assert!(!Aws.narrows(policy, "policy", &Value::Null, &one));
    assert_eq!(Aws.name(), "aws");
    assert_eq!(Aws.kinds().len(), 9);
}

#[test]
fn an_address_that_fits_no_tag_is_refused() {
    let mut config = one();
    let long = format!("identity.x[\"{}\"]", "ü".repeat(40));
    config.identities[0].address = address(&long);
    let lowered = config.lower();
    let found: Vec<_> = lowered
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].summary, "address too long");
    assert!(found[0].detail.contains("AWS keeps 256 characters"));
}
