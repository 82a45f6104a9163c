//! Random policies and requests.
//!
//! In: a source of numbers. Out: policies that AWS would take, and a request about which they say
//! something more often than not.

use std::collections::BTreeMap;

use remit_aws::access::condition::Context;
use remit_aws::access::{Holdings, Policy};
use remit_aws::document::{Use, parse};
use remit_sdk::access::Source;
use serde_json::{Map, Value as Json, json};

use crate::capabilities::Random;

/// A request and the policies that it is held against.
pub(super) struct Case {
    own: Vec<Json>,
    boundary: Option<Vec<Json>>,
    session: Option<Vec<Json>>,
    pub(super) action: String,
    pub(super) resource: String,
    context: BTreeMap<&'static str, Vec<String>>,
}

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "secretsmanager:GetSecretValue",
];
const ACTION_PATTERNS: &[&str] = &[
    "*",
    "*",
    "s3:*",
    "s3:*",
    "*",
    "s3:*",
    "S3:get*",
    "s3:GetObject",
    "s3:?etObject",
    "s3:*Object",
    "sqs:*",
    "sqs:SendMessage",
    "sqs:Rec*ge",
    "secretsmanager:Get*",
    "s3:PutObject*",
    "sqs:?endMessage",
];
const RESOURCES: &[&str] = &[
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::bucket/key",
    "arn:aws:s3:::bucket/home/ann/key",
    "arn:aws:s3:::bucket/home/bob/key",
    "arn:aws:s3:::Bucket/key",
    "arn:aws:s3:::other/key",
    "arn:aws:sqs:eu-west-1:111122223333:queue",
    "arn:aws:sqs:eu-west-2:111122223333:queue-b",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:name-AbCdEf",
];
const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "*",
    "*",
    "arn:aws:s3:::*",
    "*",
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::b*/key",
    "arn:aws:s3:::?ucket/key",
    "arn:aws:s3:::bucket/home/${aws:username}/*",
    "arn:aws:s3:::bucket/home/${aws:username, 'bob'}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team}/*",
    "arn:aws:s3:::bucket/${*}",
    "arn:aws:sqs:*:111122223333:queue*",
    "arn:aws:sqs:eu-west-?:*:*",
    "arn:aws:sqs:eu-west-1:*:queue",
    "arn:aws:sqs:*:*:*",
    "arn:aws:secretsmanager:eu-west-1:*:secret:*",
    "arn:aws:secretsmanager:*:111122223333:secret:name-??????",
];

/// Keys with values that a request may have.
const TEXTS: (&[&str], &[&str]) = (
    &[
        "aws:PrincipalTag/team",
        "aws:username",
        "aws:RequestedRegion",
        "s3:prefix",
    ],
    &[
        "bucket",
        "ann",
        "bob",
        "eu-west-1",
        "eu-west-2",
        "Ann",
        "home/ann",
    ],
);
const TEXT_PATTERNS: &[&str] = &[
    "bucket",
    "ann",
    "bob",
    "eu-west-1",
    "eu-west-*",
    "a?n",
    "*",
    "ANN",
    "${aws:username}",
    "${aws:PrincipalTag/team}",
    "home/${aws:username}",
    "${aws:username, 'bob'}",
    "b*t",
    "",
];
const NUMBERS: (&[&str], &[&str]) = (
    &["s3:max-keys", "aws:MultiFactorAuthAge"],
    &["1", "5", "10", "100"],
);
const DATES: (&[&str], &[&str]) = (
    &["aws:CurrentTime", "aws:TokenIssueTime"],
    &[
        "2020-01-01T00:00:00Z",
        "2020-06-01T12:00:00Z",
        "2021-01-01T00:00:00Z",
    ],
);
const ADDRESSES: (&[&str], &[&str]) = (
    &["aws:SourceIp"],
    &["10.1.2.3", "10.200.0.1", "192.0.2.7", "2001:db8::1"],
);
const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.3",
    "192.0.2.0/24",
    "0.0.0.0/0",
    "2001:db8::/32",
];
const ARNS: (&[&str], &[&str]) = (
    &["aws:SourceArn", "aws:PrincipalArn"],
    &[
        "arn:aws:sns:eu-west-1:111122223333:topic",
        "arn:aws:sns:eu-west-2:111122223333:topic-b",
        "arn:aws:iam::111122223333:role/ann",
    ],
);
const ARN_PATTERNS: &[&str] = &[
    "arn:aws:sns:*:*:*",
    "arn:aws:sns:eu-west-1:111122223333:topic",
    "arn:aws:sns:eu-west-?:111122223333:topic*",
    "arn:aws:iam::*:role/${aws:username}",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:sqs:*:*:*",
];
const FLAGS: (&[&str], &[&str]) = (
    &["aws:SecureTransport", "aws:MultiFactorAuthPresent"],
    &["true", "false"],
);
const SETS: (&[&str], &[&str]) = (
    &["aws:TagKeys", "aws:CalledVia"],
    &["team", "cost", "Team", "owner"],
);
const SET_PATTERNS: &[&str] = &["team", "cost", "t*", "own?r", "*", "TEAM"];

const ORDERS: &[&str] = &[
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
];
const STRINGS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
];

/// One or two of them.
fn few(random: &mut Random, all: &[&str]) -> Vec<String> {
    let count = if random.one_in(3) { 2 } else { 1 };
    (0..count).map(|_| (*random.pick(all)).to_owned()).collect()
}

/// A list, or a text alone at times.
fn listed(random: &mut Random, mut all: Vec<String>) -> Json {
    if all.len() == 1 && random.one_in(2) {
        return Json::String(all.remove(0));
    }
    json!(all)
}

fn condition(random: &mut Random) -> (String, String, Json) {
    let if_exists = if random.one_in(4) { "IfExists" } else { "" };
    let (operator, key, values) = match random.below(9) {
        0..=2 => {
            let operator = *random.pick(STRINGS);
            (
                format!("{operator}{if_exists}"),
                *random.pick(TEXTS.0),
                few(random, TEXT_PATTERNS),
            )
        }
        3 => {
            let order = *random.pick(ORDERS);
            (
                format!("Numeric{order}{if_exists}"),
                *random.pick(NUMBERS.0),
                few(random, NUMBERS.1),
            )
        }
        4 => {
            let order = *random.pick(ORDERS);
            (
                format!("Date{order}{if_exists}"),
                *random.pick(DATES.0),
                few(random, DATES.1),
            )
        }
        5 => {
            let operator = *random.pick(&["IpAddress", "NotIpAddress"]);
            (
                format!("{operator}{if_exists}"),
                ADDRESSES.0[0],
                few(random, NETWORKS),
            )
        }
        6 => {
            let operator = *random.pick(&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]);
            (
                format!("{operator}{if_exists}"),
                *random.pick(ARNS.0),
                few(random, ARN_PATTERNS),
            )
        }
        7 => {
            let all = *random.pick(&[TEXTS.0, NUMBERS.0, FLAGS.0, SETS.0]);
            if random.one_in(2) {
                (
                    "Null".to_owned(),
                    *random.pick(all),
                    vec![(*random.pick(FLAGS.1)).to_owned()],
                )
            } else {
                (
                    format!("Bool{if_exists}"),
                    *random.pick(FLAGS.0),
                    vec![(*random.pick(FLAGS.1)).to_owned()],
                )
            }
        }
        _ => {
            let set = *random.pick(&["ForAllValues", "ForAnyValue"]);
            let operator = *random.pick(STRINGS);
            (
                format!("{set}:{operator}{if_exists}"),
                *random.pick(SETS.0),
                few(random, SET_PATTERNS),
            )
        }
    };
    let values = listed(random, values);
    // Keys count without their case.
    let key = if random.one_in(8) {
        key.to_ascii_lowercase()
    } else {
        key.to_owned()
    };
    (operator, key, values)
}

fn statement(random: &mut Random, allows_more_often: bool) -> Json {
    let mut statement = Map::new();
    let denies = random.one_in(if allows_more_often { 6 } else { 3 });
    statement.insert(
        "Effect".to_owned(),
        json!(if denies { "Deny" } else { "Allow" }),
    );
    let not = |random: &mut Random, name: &str| {
        if random.one_in(8) {
            format!("Not{name}")
        } else {
            name.to_owned()
        }
    };
    let actions = few(random, ACTION_PATTERNS);
    statement.insert(not(random, "Action"), listed(random, actions));
    let resources = few(random, RESOURCE_PATTERNS);
    statement.insert(not(random, "Resource"), listed(random, resources));
    let mut conditions: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    for _ in 0..random.below(3) {
        let (operator, key, values) = condition(random);
        let keys = conditions.entry(operator).or_default();
        if !keys.keys().any(|other| other.eq_ignore_ascii_case(&key)) {
            keys.insert(key, values);
        }
    }
    if !conditions.is_empty() {
        statement.insert("Condition".to_owned(), json!(conditions));
    }
    Json::Object(statement)
}

fn policies(random: &mut Random, allows_more_often: bool) -> Vec<Json> {
    let count = if random.one_in(3) { 2 } else { 1 };
    (0..count)
        .map(|_| {
            let statements: Vec<Json> = (0..=random.below(3))
                .map(|_| statement(random, allows_more_often))
                .collect();
            // Of the older language, in which a variable is plain text, one in ten.
            let version = if random.one_in(10) {
                "2008-10-17"
            } else {
                "2012-10-17"
            };
            json!({ "Version": version, "Statement": statements })
        })
        .collect()
}

impl Case {
    pub(super) fn any(random: &mut Random) -> Self {
        let own = policies(random, true);
        let limit = |random: &mut Random| {
            random.one_in(4).then(|| {
                let mut all = policies(random, true);
                all.truncate(1);
                all
            })
        };
        let boundary = limit(random);
        let session = limit(random);
        let mut context: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (keys, values) in [TEXTS, NUMBERS, DATES, ADDRESSES, ARNS, FLAGS] {
            for key in keys {
                if !random.one_in(3) {
                    context.insert(key, vec![(*random.pick(values)).to_owned()]);
                }
            }
        }
        for key in SETS.0 {
            if !random.one_in(3) {
                let values = random.some(SETS.1, 2);
                context.insert(key, values.into_iter().map(str::to_owned).collect());
            }
        }
        Self {
            own,
            boundary,
            session,
            action: (*random.pick(ACTIONS)).to_owned(),
            resource: (*random.pick(RESOURCES)).to_owned(),
            context,
        }
    }

    /// As the other one reads it.
    pub(super) fn json(&self) -> Json {
        let context: Map<String, Json> = self
            .context
            .iter()
            .map(|(key, values)| {
                let is_set = SETS.0.contains(key);
                let value = if is_set {
                    json!(values)
                } else {
                    json!(values[0])
                };
                ((*key).to_owned(), value)
            })
            .collect();
        json!({
            "own": self.own,
            "boundary": self.boundary,
            "session": self.session,
            "action": self.action,
            "resource": self.resource,
            "context": context,
        })
    }

    pub(super) fn context(&self) -> Context {
        let mut context = Context::default();
        for (key, values) in &self.context {
            context = context.with_no_values(key);
            for value in values {
                context = context.with(key, value.as_str());
            }
        }
        context.and_nothing_else()
    }

    pub(super) fn holdings(&self) -> Holdings {
        let read = |all: &[Json]| -> Vec<Policy> {
            all.iter()
                .enumerate()
                .map(|(number, json)| Policy {
                    source: Source::Foreign(format!("p{number}")),
                    name: format!("p{number}"),
                    document: Some(parse(&json.to_string(), Use::Identity).unwrap()),
                })
                .collect()
        };
        Holdings {
            identity: read(&self.own),
            boundary: self.boundary.as_deref().and_then(|all| read(all).pop()),
            session: self.session.as_deref().map(read),
            direct: Vec::new(),
        }
    }
}
