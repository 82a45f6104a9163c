//! Who may enter: issuers, subjects, claims, sessions.

use super::*;

fn providers(lowered: &Lowered) -> usize {
    let all = lowered.objects.iter();
    all.filter(|one| one.kind.name == "aws_iam_openid_connect_provider")
        .count()
}

#[test]
fn a_trust_policy_is_bound_to_issuer_audience_and_subject() {
    let eks = "https://oidc.eks.eu-west-1.amazonaws.com/id/A1";
    for (kind, url, subject) in [
        (IssuerType::Github, GITHUB, "repo:o/r:ref:refs/heads/main"),
        (
            IssuerType::Kubernetes,
            eks,
            "system:serviceaccount:agents:x",
        ),
        (
            IssuerType::Gitlab,
            "https://gitlab.com",
            "project_path:g/p:ref_type:branch:ref:main",
        ),
        (
            IssuerType::Spiffe,
            "https://spire.example.com",
            "spiffe://example.com/agents/x",
        ),
        (IssuerType::Oidc, "https://tenant.example.com/", "agent|x"),
    ] {
        let mut config = one();
        config.issuers[0] = issuer("issuer.gh", kind, url);
        config.identities[0].workloads = vec![jwt("issuer.gh", subject, &[])];
        let lowered = config.good();
        let host = url.strip_prefix("https://").unwrap();
        assert_eq!(
            trust(&lowered),
            serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {
                        "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{host}")
                    },
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": { "StringEquals": {
                        format!("{host}:aud"): "sts.amazonaws.com",
                        format!("{host}:sub"): subject,
                    }},
                }]
            }),
            "{url}"
        );
        assert_eq!(
            waits(&lowered, "identity.x[\"prod\"]/aws_iam_role"),
            ["issuer.gh/aws_iam_openid_connect_provider"]
        );
    }
}

#[test]
fn every_audience_counts_and_every_workload_has_its_statement() {
    let mut config = one();
    config.issuers[0]
        .audience
        .insert("aws".into(), vec!["a".into(), "b".into()]);
    config.issuers.push(issuer(
        "issuer.k8s",
        IssuerType::Kubernetes,
        "https://k8s.example.com",
    ));
    let workloads = &mut config.identities[0].workloads;
    workloads.push(jwt("issuer.k8s", "system:serviceaccount:n:x", &[]));
    let lowered = config.good();
    let document = trust(&lowered);
    let statements = document["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 2);
    let audiences: Vec<_> = statements
        .iter()
        .filter_map(|one| {
            one["Condition"]["StringEquals"].get("token.actions.githubusercontent.com:aud")
        })
        .collect();
    assert_eq!(audiences, [&serde_json::json!(["a", "b"])]);
    assert_eq!(providers(&lowered), 2);
    assert_eq!(
        waits(&lowered, "identity.x[\"prod\"]/aws_iam_role").len(),
        2
    );
}

#[test]
fn an_existing_provider_is_used_and_not_owned() {
    let mut config = one();
    config.issuers[0].existing_in_aws = true;
    let lowered = config.good();
    assert_eq!(providers(&lowered), 0);
    assert!(
        trust(&lowered)
            .to_string()
            .contains("oidc-provider/token.actions")
    );
    assert!(waits(&lowered, "identity.x[\"prod\"]/aws_iam_role").is_empty());
}

#[test]
fn claims_are_checked_where_aws_can() {
    let conditions = |url: &str, claims: &[(&str, &str)]| {
        let mut config = one();
        config.issuers[0].url = url.into();
        let subject = "repo:o@1/r@2:environment:prod";
        config.identities[0].workloads = vec![jwt("issuer.gh", subject, claims)];
        (config.mistakes(), config)
    };
    let all = [
        ("repository", "o/r"),
        ("repository_id", "2"),
        ("repository_owner_id", "1"),
        (
            "job_workflow_ref",
            "o/r/.github/workflows/w.yml@refs/heads/main",
        ),
        ("email", "x@example.com"),
        ("amr", "mfa"),
    ];
    let (mistakes, config) = conditions(GITHUB, &all);
    assert_eq!(mistakes, [""; 0]);
    let document = trust(&config.good());
    let condition = &document["Statement"][0]["Condition"];
    for (claim, value) in &all[..5] {
        let key = format!("token.actions.githubusercontent.com:{claim}");
        assert_eq!(condition["StringEquals"][&key], *value, "{claim}");
    }
    assert_eq!(
        condition["ForAnyValue:StringEquals"]["token.actions.githubusercontent.com:amr"],
        "mfa"
    );
    // A server of one's own has no claims that AWS knows.
    let own = "https://github.example.com/_services/token";
    let (mistakes, _) = conditions(own, &[("repository_id", "2")]);
    assert_eq!(
        mistakes,
        [format!(
            "claim not possible in aws: the claim `repository_id` is bound, and AWS can't check it for `{own}`, so it would let in more than is written"
        )]
    );
    let (mistakes, _) = conditions(GITHUB, &[("run_id", "2")]);
    assert!(mistakes[0].contains("`run_id` is bound"), "{mistakes:?}");
    let (mistakes, _) = conditions(GITHUB, &[("ref", "${aws:x}")]);
    assert!(mistakes[0].contains("takes for a variable"), "{mistakes:?}");
}

#[test]
fn a_claim_that_the_subject_holds_is_left_out() {
    let document = trust(&one().good());
    let equals = &document["Statement"][0]["Condition"]["StringEquals"];
    assert_eq!(equals.as_object().unwrap().len(), 2, "{equals}");
    // Of an issuer that isn't GitHub's the subject means nothing to us.
    let mut config = one();
    config.issuers[0] = issuer("issuer.gh", IssuerType::Oidc, "https://i.example.com");
    let found = config.mistakes();
    assert!(
        found[0].contains("the claim `repository` is bound"),
        "{found:?}"
    );
    let help = config.lower().diagnostics[0].help.clone().unwrap();
    assert!(
        help.ends_with("beside it AWS checks `amr`, `email`"),
        "{help}"
    );
}

#[test]
fn a_subject_is_exact() {
    for subject in ["", "*", "repo:o/r:*", "x${aws:username}"] {
        let mut config = one();
        config.identities[0].workloads = vec![jwt("issuer.gh", subject, &[])];
        let found = config.mistakes();
        assert_eq!(found.len(), 1, "{subject}: {found:?}");
        assert!(found[0].starts_with("subject that is not exact: "));
        let lowered = config.lower();
        assert_eq!(lowered.diagnostics[0].span, Some(span(4)));
        assert!(!addresses(&lowered).contains(&"identity.x[\"prod\"]/aws_iam_role".to_owned()));
    }
}

#[test]
fn an_issuer_needs_what_aws_needs() {
    let with = |change: fn(&mut Issuer)| {
        let mut config = one();
        change(&mut config.issuers[0]);
        config.mistakes()
    };
    for (found, why) in [
        (
            with(|one| one.audience.clear()),
            "accepts no audience in AWS",
        ),
        (with(|one| one.url.clear()), "has no `url`"),
        (
            with(|one| one.url = "http://localhost:8080".into()),
            "is no https URL",
        ),
        (
            with(|one| one.url = "https://h.example:8443".into()),
            "names a port",
        ),
        (
            with(|one| {
                one.url = "http://h.example".into();
                one.existing_in_aws = true;
            }),
            "is no https URL",
        ),
        (
            with(|one| drop(one.audience.insert("aws".into(), vec!["${x}".into()]))),
            "takes for a variable",
        ),
        (
            with(|one| drop(one.audience.insert("aws".into(), vec!["a".repeat(256)]))),
            "an audience has 1 to 255 characters",
        ),
    ] {
        assert_eq!(found.len(), 1, "{why}: {found:?}");
        assert!(found[0].contains(why), "{why}: {found:?}");
    }
}

#[test]
fn keys_that_aws_does_not_take_are_said() {
    for (keys, ca, what) in [
        (
            IssuerKeys::JwksUrl("https://h/jwks".into()),
            None,
            "`jwks_url`",
        ),
        (
            IssuerKeys::PublicKeys(vec!["pem".into()]),
            None,
            "`public_keys`",
        ),
        (IssuerKeys::Discovery, Some("pem".to_owned()), "`ca_pem`"),
    ] {
        let mut config = one();
        config.issuers[0].keys = keys;
        config.issuers[0].ca_pem = ca;
        assert_eq!(config.mistakes(), [""; 0]);
        let found = config.warnings();
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("keys that aws doesn't take: "));
        assert!(found[0].contains(what), "{found:?}");
    }
}

#[test]
fn two_issuers_of_one_url_are_one_provider() {
    let mut config = one();
    config
        .issuers
        .push(issuer("issuer.other", IssuerType::Github, GITHUB));
    let found = config.mistakes();
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("AWS knows one OIDC provider for each URL"),
        "{found:?}"
    );
    config.issuers[1].existing_in_aws = true;
    assert_eq!(providers(&config.good()), 1);
}

#[test]
fn an_approle_is_no_way_in() {
    let mut config = one();
    config
        .issuers
        .push(issuer("issuer.ar", IssuerType::Approle, ""));
    config.identities[0].workloads.push(approle("issuer.ar"));
    assert_eq!(config.mistakes(), [""; 0]);
    let found = config.warnings();
    assert!(
        found[0].starts_with("workload that aws doesn't know: "),
        "{found:?}"
    );
    config.identities[0].workloads.remove(0);
    let found = config.mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("workload not possible in aws: "));
    assert_eq!(config.lower().diagnostics[0].span, Some(span(4)));
    let help = config.lower().diagnostics[0].help.clone().unwrap();
    assert!(help.contains("kubernetes, github, gitlab, spiffe or oidc"));
}

#[test]
fn sessions_are_an_hour_at_least_and_twelve_at_most() {
    let mut config = one();
    for name in ["a", "b", "c", "d"] {
        let mut another = config.identities[0].clone();
        another.address = address(&format!("identity.{name}"));
        another.name = format!("remit-{name}");
        another.session.max_ttl_seconds = 900;
        config.identities.push(another);
    }
    config.identities[0].session.max_ttl_seconds = 7200;
    assert_eq!(config.mistakes(), [""; 0]);
    assert_eq!(
        config.warnings(),
        [
            "sessions longer than asked: AWS: up to 1h for `identity.a`, `identity.b`, `identity.c` and 1 more, though their `session` asks for less: AWS holds no role's sessions under an hour"
        ]
    );
    config.identities.pop();
    assert!(
        config.warnings()[0].contains("for `identity.a`, `identity.b` and `identity.c`, though")
    );
    config.identities.truncate(2);
    assert!(config.warnings()[0].contains("for `identity.a`, though"));
    let lowered = config.lower();
    let seconds = |text: &str| find(&lowered, text).attributes["max_session_duration"].clone();
    assert_eq!(
        seconds("identity.x[\"prod\"]/aws_iam_role"),
        Value::integer(7200)
    );
    assert_eq!(seconds("identity.a/aws_iam_role"), Value::integer(3600));
    let mut config = one();
    config.identities[0].session.max_ttl_seconds = 43_201;
    let found = config.mistakes();
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("43201 seconds, and no session of a role lasts longer than 43200 (12h)")
    );
}

#[test]
fn networks_bind_the_way_in_and_every_grant() {
    let mut config = one();
    let networks = ["203.0.113.0/24".to_owned(), "2001:db8::/32".to_owned()];
    config.identities[0].session.bound_cidrs = networks.into();
    let lowered = config.good();
    let wanted = serde_json::json!({ "aws:SourceIp": ["2001:db8::/32", "203.0.113.0/24"] });
    assert_eq!(
        trust(&lowered)["Statement"][0]["Condition"]["IpAddress"],
        wanted
    );
    let policy = find(
        &lowered,
        "identity.x[\"prod\"]/aws_iam_role_policy/scope.read",
    );
    let policy = json(policy, "policy");
    assert_eq!(policy["Statement"][0]["Condition"]["IpAddress"], wanted);
}

#[test]
fn private_networks_are_said_to_match_nothing() {
    for (network, is_private) in [
        ("10.20.0.0/16", true),
        ("192.168.1.1/32", true),
        ("100.64.0.0/10", true),
        ("fd00::/8", true),
        ("100.128.0.0/10", false),
        ("203.0.113.0/24", false),
        ("2001:db8::/32", false),
    ] {
        let mut config = one();
        config.identities[0].session.bound_cidrs = [network.to_owned()].into();
        let found = config.warnings();
        assert_eq!(found.len(), usize::from(is_private), "{network}: {found:?}");
    }
    let mut config = one();
    let both = ["10.0.0.0/8".to_owned(), "203.0.113.0/24".to_owned()];
    config.identities[0].session.bound_cidrs = both.into();
    assert_eq!(config.warnings(), [""; 0]);
}

#[test]
fn a_trust_policy_too_large_says_how_large() {
    let mut config = one();
    let many = (0..120).map(|n| format!("203.0.{n}.0/24"));
    config.identities[0].session.bound_cidrs = many.collect();
    let found = config.mistakes();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with(
            "identity not possible in aws: the trust policy of `identity.x[\"prod\"]` would have 2"
        ),
        "{found:?}"
    );
    assert!(found[0].ends_with("and AWS takes 2048"));
}
