//! What holds of every configuration: documents that AWS would take, ways in that are exact, ARNs
//! that are known.

use proptest::prelude::*;
use remit_sdk::drafting::text_of;

use super::*;
use crate::arn::Arn;
use crate::document::{self, Use};

fn actions() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("(s3|sqs|kms):(Get|Put)[A-Z][a-z]{0,4}[*]?", 1..4)
}

fn buckets() -> impl Strategy<Value = Vec<String>> {
    let some = "arn:aws:s3:::[a-z]{1,12}/([*]|[a-z]{1,5}|[$][{]aws:username[}])";
    // Many of them now and then, so that some have to move.
    prop_oneof![
        4 => prop::collection::vec(some, 1..4),
        1 => (50_usize..90).prop_map(|count| {
            (0..count).map(|n| format!("arn:aws:s3:::{n:040}")).collect()
        }),
    ]
}

fn grants() -> impl Strategy<Value = Vec<AwsGrant>> {
    let one = (actions(), buckets()).prop_map(|(actions, resources)| {
        let texts = |all: Vec<String>| Spanned::new(all.into_iter().collect(), None);
        AwsGrant {
            actions: texts(actions),
            resources: texts(resources),
            conditions: Vec::new(),
            span: span(22),
        }
    });
    prop::collection::vec(one, 0..4)
}

fn subjects() -> impl Strategy<Value = String> {
    prop_oneof![
        "repo:[a-z]{1,5}/[a-z]{1,5}:(environment:prod|ref:refs/heads/[a-z?]{1,6})",
        "system:serviceaccount:[a-z]{1,5}:[a-z]{1,5}",
        "[!-)+-~]{1,20}",
    ]
}

fn configurations() -> impl Strategy<Value = Config> {
    let urls = prop::sample::select(vec![
        (IssuerType::Github, GITHUB),
        (IssuerType::Kubernetes, "https://k8s.example.com/id/A"),
        (IssuerType::Oidc, "https://tenant.example.com/"),
    ]);
    let drawn = (
        prop::collection::vec((0_usize..3, subjects()), 1..3),
        prop::collection::btree_set(0_usize..4, 0..4),
        prop::collection::btree_set("203[.]0[.]113[.][0-9]{1,2}/32", 0..3),
        600_u64..50_000,
    );
    (
        prop::collection::vec(urls, 3),
        prop::collection::vec(grants(), 4),
        prop::collection::vec(drawn, 1..4),
        prop::option::of(prop::collection::btree_set(0_usize..4, 0..3)),
        any::<bool>(),
        prop::sample::select(vec!["eu-west-1", "cn-north-1"]),
    )
        .prop_map(|(issuers, scopes, identities, ceiling, closed, region)| {
            let scope_name = |n: &usize| format!("scope.s{n}");
            let scopes: Vec<Scope> = (0_usize..)
                .zip(scopes)
                .map(|(n, grants)| scope(&scope_name(&n), shared(grants)))
                .collect();
            let ceiling: Option<Vec<String>> =
                ceiling.map(|all| all.iter().map(scope_name).collect());
            let ceiling: Vec<&str> = ceiling.iter().flatten().map(String::as_str).collect();
            Config {
                provider: Some(provider(&[
                    ("region", Value::string(region)),
                    ("exclusive_policies", Value::Bool(closed)),
                ])),
                agents: vec![agent(&ceiling)],
                ceilings: scopes.clone(),
                issuers: (0..)
                    .zip(issuers)
                    .map(|(n, (kind, url))| issuer(&format!("issuer.i{n}"), kind, url))
                    .collect(),
                identities: (0..)
                    .zip(identities)
                    .map(|(n, (workloads, held, networks, seconds))| {
                        let held: Vec<String> = held.iter().map(scope_name).collect();
                        let held: Vec<&str> = held.iter().map(String::as_str).collect();
                        let workloads = workloads
                            .iter()
                            .map(|(n, subject)| jwt(&format!("issuer.i{n}"), subject, &[]));
                        let name = format!("identity.x[\"k{n}\"]");
                        let mut one = identity(&name, &held, workloads.collect());
                        one.session.bound_cidrs = networks;
                        one.session.max_ttl_seconds = seconds;
                        one
                    })
                    .collect(),
                scopes,
                ..Config::new()
            }
        })
}

/// All texts of a document under a key that ends like this.
fn under<'a>(json: &'a Json, end: &str, found: &mut Vec<&'a str>) {
    match json {
        Json::Array(all) => all.iter().for_each(|one| under(one, end, found)),
        Json::Object(all) => {
            for (key, value) in all {
                if key.ends_with(end) {
                    match value {
                        Json::Array(all) => found.extend(all.iter().filter_map(Json::as_str)),
                        one => found.extend(one.as_str()),
                    }
                }
                under(value, end, found);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_document_is_one_that_aws_takes(config in configurations()) {
        let lowered = config.lower();
        let partition = if config.provider.as_ref().unwrap().attributes["region"].value
            == Value::string("cn-north-1") { "aws-cn" } else { "aws" };
        let mut inline: BTreeMap<&str, usize> = BTreeMap::new();
        for wanted in &lowered.objects {
            for attribute in ["policy", "assume_role_policy"] {
                let Some(Value::String(text)) = wanted.attributes.get(attribute) else {
                    continue;
                };
                let of = normal::use_of(wanted.kind, attribute).unwrap();
                let document = document::parse(text, of).unwrap();
                prop_assert_eq!(&document.to_string(), text);
                let size = document::size(&document.compact());
                match (wanted.kind.name, of) {
                    (_, Use::Trust) => prop_assert!(size <= 2048),
                    ("aws_iam_policy", _) => prop_assert!(size <= 6144),
                    _ => *inline.entry(text_of(wanted, "role").unwrap()).or_default() += size,
                }
                let json: Json = serde_json::from_str(text).unwrap();
                if of == Use::Trust {
                    let (mut subjects, mut federated) = (Vec::new(), Vec::new());
                    under(&json, ":sub", &mut subjects);
                    under(&json, "Federated", &mut federated);
                    let statements = json["Statement"].as_array().unwrap();
                    prop_assert_eq!(subjects.len(), statements.len());
                    let is_exact = |one: &&str| !one.contains('*') && !one.contains("${");
                    prop_assert!(subjects.iter().all(is_exact), "{:?}", subjects);
                    prop_assert_eq!(federated.len(), statements.len());
                    for statement in statements {
                        let equals = statement["Condition"]["StringEquals"].as_object().unwrap();
                        prop_assert_eq!(equals.len(), 2, "an audience and a subject");
                    }
                    for arn in federated {
                        let arn = Arn::parse(arn).unwrap();
                        prop_assert_eq!((arn.account.as_str(), arn.partition.as_str()), (ACCOUNT, partition));
                    }
                }
            }
            for name in ["policy_arn", "permissions_boundary"] {
                let Some(text) = text_of(wanted, name) else { continue };
                let arn = Arn::parse(text).unwrap();
                prop_assert_eq!((arn.account.as_str(), arn.partition.as_str()), (ACCOUNT, partition));
                // It is one of the policies that are wanted too, and comes first.
                let policy = lowered.objects.iter().find(|one| one.key == arn.resource);
                prop_assert!(wanted.depends_on.contains(&policy.unwrap().address));
            }
            for value in wanted.attributes.values() {
                prop_assert!(!value.has_pending());
            }
        }
        prop_assert!(inline.values().all(|size| *size <= 10_240), "{inline:?}");
        let again = config.lower();
        prop_assert_eq!(format!("{:?}", again.objects), format!("{:?}", lowered.objects));
        prop_assert_eq!(again.diagnostics, lowered.diagnostics);
    }
}
