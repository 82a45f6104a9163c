mod properties;

use remit_sdk::Value;

use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/x";
const OIDC: &str = "arn:aws:iam::123456789012:oidc-provider/issuer.example.com";

/// An identity policy of one statement with these elements.
fn identity(elements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{elements}}}]}}"#)
}

/// A trust policy that lets `principal` in.
fn trust(principal: &str) -> String {
    identity(&format!(
        r#""Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole""#
    ))
}

fn same_texts(one: &str, other: &str) -> bool {
    same(&Value::string(one), &Value::string(other))
}

#[test]
fn the_canonical_text_is_one_people_can_read() {
    let text = r#"{
        "Statement": [
            {"Action": ["s3:PutObject", "s3:getObject", "S3:GetObject"], "Effect": "Allow",
             "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::a/*"],
             "Condition": {"Bool": {"aws:SecureTransport": true},
                           "NumericLessThan": {"aws:MultiFactorAuthAge": [3600, "60", 1.5]},
                           "StringEquals": {}}},
            {"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "*", "Sid": "Rest"},
            {"NotAction": "iam:*", "NotResource": ["*"], "Effect": "Deny", "Sid": "Rest"}
        ],
        "Version": "2012-10-17"
    }"#;
    let document = parse(text, Use::Identity).unwrap();
    assert_eq!(
        document.to_string(),
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "S3:GetObject",
        "s3:PutObject"
      ],
      "Resource": [
        "arn:aws:s3:::a/*",
        "arn:aws:s3:::b/*"
      ],
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "true"
        },
        "NumericLessThan": {
          "aws:MultiFactorAuthAge": [
            "1.5",
            "3600",
            "60"
          ]
        }
      }
    },
    {
      "Sid": "Rest",
      "Effect": "Deny",
      "NotAction": "iam:*",
      "NotResource": "*"
    }
  ]
}"#
    );
    assert!(same_texts(&document.compact(), text));
    assert!(!document.compact().contains([' ', '\n']));
    assert_eq!(size(&document.to_string()), document.compact().len());
}

#[test]
fn what_is_no_policy_is_refused_with_a_reason() {
    let allow = r#""Effect":"Allow","Action":"s3:Get*","Resource":"*""#;
    for (text, says) in [
        (String::new(), "no JSON"),
        ("{".into(), "no JSON"),
        ("[]".into(), "is an object"),
        ("{}".into(), "no `Statement`"),
        (r#"{"Statement":[]}"#.into(), "at least one"),
        (r#"{"Statement":null}"#.into(), "null"),
        (
            r#"{"Statement":["x"]}"#.into(),
            "statement 1: a statement is an object, not text",
        ),
        (r#"{"statement":[]}"#.into(), "did you mean `Statement`"),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#.into(),
            "write `2012-10-17`",
        ),
        (
            identity(&allow.replace("Action", "Actions")),
            "did you mean `Action`",
        ),
        (
            identity(&allow.replace("Effect", "effect")),
            "did you mean `Effect`",
        ),
        (identity(&allow.replace("Allow", "allow")), "case counts"),
        (
            identity(&format!(r#"{allow},"Action":"s3:*""#)),
            "stands twice",
        ),
        (
            identity(&format!(r#"{allow},"NotAction":"s3:*""#)),
            "both `Action` and `NotAction`",
        ),
        (
            identity(&format!(r#"{allow},"NotResource":"*""#)),
            "both `Resource`",
        ),
        (
            identity(&format!(r#"{allow},"Principal":"*""#)),
            "has no `Principal`",
        ),
        (
            identity(r#""Effect":"Allow","Action":"s3:Get*""#),
            "neither `Resource`",
        ),
        (
            identity(r#""Effect":"Allow","Resource":"*""#),
            "neither `Action`",
        ),
        (
            identity(r#""Action":"s3:Get*","Resource":"*""#),
            "no `Effect`",
        ),
        (
            identity(&allow.replace("\"s3:Get*\"", "[]")),
            "`Action` is empty",
        ),
        (
            identity(&allow.replace("\"s3:Get*\"", "{}")),
            "must be text, not an object",
        ),
        (
            identity(&allow.replace("\"s3:Get*\"", "1")),
            "must be text, not a number",
        ),
        (
            identity(&allow.replace("s3:Get*", "GetObject")),
            "lacks its service",
        ),
        (identity(&allow.replace("s3:Get*", "s3:")), "`s3:*`"),
        (identity(&allow.replace("s3:Get*", "s*:Get")), "no wildcard"),
        (
            identity(&allow.replace("s3:Get*", "s3:Get Object")),
            "holds more than",
        ),
        (identity(&allow.replace("\"*\"", "\"bucket\"")), "is no ARN"),
        (
            identity(&allow.replace("\"*\"", "\"arn:aws:s3:bucket\"")),
            "4 of 6 parts",
        ),
        (
            identity(&allow.replace("s3:Get*", "s3:\\u0007")),
            "control character",
        ),
        (identity(&format!(r#"{allow},"Sid":"a b""#)), "write `ab`"),
        (
            identity(&format!(r#"{allow},"Condition":[]"#)),
            "object of operators",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{{"StringEquals":{{"aws:a":[]}}}}"#
            )),
            "has no values",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{{"StringEquals":{{"aws:a":1,"AWS:A":2}}}}"#
            )),
            "stands twice under one operator",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{{"stringEquals":{{"aws:a":1}}}}"#
            )),
            "did you mean `StringEquals`",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{{"forAnyValues:STRINGLIKEIFEXISTS":{{"aws:a":1}}}}"#
            )),
            "did you mean `ForAnyValue:StringLikeIfExists`",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{{"NullIfExists":{{"aws:a":1}}}}"#
            )),
            "`Null` itself",
        ),
        (
            identity(&format!(r#"{allow},"Condition":{{"Equals":{{"a":1}}}}"#)),
            "no condition operator",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{{"StringEquals":{{"SourceIp":1}}}}"#
            )),
            "no condition key",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{{"NumericEquals":{{"aws:a":123456789012345678901234567890}}}}"#
            )),
            "write it in quotes",
        ),
        (
            format!(
                r#"{{"Statement":[{{{allow},"Sid":"A"}},{{"Sid":"A",{}}}]}}"#,
                allow.replace("Get", "Put")
            ),
            "each once",
        ),
        (
            identity(&format!(
                r#"{allow},"Condition":{}1{}"#,
                "[".repeat(7),
                "]".repeat(7)
            )),
            "nest deeper",
        ),
        (" ".repeat(DOCUMENT_BYTES_MAX + 1), "bytes"),
    ] {
        let why = parse(&text, Use::Identity).unwrap_err();
        assert!(why.contains(says), "{text}: {why}");
    }
}

#[test]
fn brackets_in_text_are_no_depth() {
    let value = r#""a\"[[[[[[[[[[""#;
    let text = identity(&format!(
        r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"aws:a":{value}}}}}"#
    ));
    let canonical = canonical(&text, Use::Identity).unwrap();
    assert!(canonical.contains(value), "{canonical}");
}

#[test]
fn a_duplicate_key_is_an_error_at_any_depth() {
    for text in [
        r#"{"Version":"2012-10-17","Version":"2012-10-17"}"#,
        r#"{"Statement":[{"Effect":"Deny","Effect":"Allow"}]}"#,
        r#"{"Statement":{"Principal":{"AWS":"*","AWS":"1"}}}"#,
        r#"{"Statement":{"Condition":{"Bool":{},"Bool":{}}}}"#,
        r#"{"Statement":{"Condition":{"Bool":{"aws:a":"1","aws:\u0061":"1"}}}}"#,
    ] {
        let why = parse(text, Use::Identity).unwrap_err();
        assert!(why.contains("stands twice"), "{text}: {why}");
        assert!(why.contains("line 1 column"), "{text}: {why}");
    }
}

#[test]
fn each_use_has_its_elements() {
    let resource = identity(
        r#""Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*""#,
    );
    assert!(parse(&resource, Use::Resource).is_ok());
    let why = parse(&resource, Use::Trust).unwrap_err();
    assert!(why.contains("has no `Resource`"), "{why}");
    let why = parse(&trust("\"*\""), Use::Resource).unwrap_err();
    assert!(why.contains("neither `Resource`"), "{why}");
    let allow = identity(r#""Effect":"Allow","Action":"sts:AssumeRole""#);
    let why = parse(&allow, Use::Trust).unwrap_err();
    assert!(why.contains("no `Principal`"), "{why}");
    let why = parse(
        &trust("\"*\"").replace("sts:AssumeRole", "s3:Get"),
        Use::Trust,
    )
    .unwrap_err();
    assert!(why.contains("none of STS"), "{why}");
    let sid = resource.replace("\"Effect\"", "\"Sid\":\"a b\",\"Effect\"");
    assert!(parse(&sid, Use::Resource).is_ok());
}

#[test]
fn principals_are_checked() {
    for principal in [
        "\"*\"",
        r#"{"AWS":"*"}"#,
        r#"{"AWS":["123456789012","arn:aws:iam::123456789012:user/a/b"]}"#,
        r#"{"AWS":"arn:aws:sts::123456789012:assumed-role/x/y"}"#,
        r#"{"AWS":"AROAEXAMPLEEXAMPLE12"}"#,
        r#"{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}"#,
        r#"{"Federated":"accounts.google.com"}"#,
        &format!(r#"{{"Federated":"{OIDC}","CanonicalUser":"ab12"}}"#),
    ] {
        let parsed = parse(&trust(principal), Use::Trust);
        assert!(parsed.is_ok(), "{principal}: {parsed:?}");
    }
    for (principal, says) in [
        ("\"x\"", "is `\"*\"` or an object"),
        ("[]", "is `\"*\"` or an object"),
        ("{}", "names nobody"),
        (r#"{"AWS":[]}"#, "is empty"),
        (r#"{"Aws":"*"}"#, "did you mean `AWS`"),
        (r#"{"AWS":"12345678901"}"#, "no account id"),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:role/*"}"#,
            "aws:PrincipalArn",
        ),
        (
            r#"{"AWS":"arn:aws:iam:123456789012:role/x"}"#,
            "5 of 6 parts",
        ),
        (
            r#"{"Federated":"arn:aws:iam::1:oidc-provider/x"}"#,
            "12 digits",
        ),
        (r#"{"Service":""}"#, "is empty"),
    ] {
        let why = parse(&trust(principal), Use::Trust).unwrap_err();
        assert!(why.contains(says), "{principal}: {why}");
    }
}

#[test]
fn an_account_id_is_its_root_in_the_partition_at_hand() {
    let bare = trust(r#"{"AWS":"123456789012"}"#);
    let root = trust(r#"{"AWS":"arn:aws:iam::123456789012:root"}"#);
    let china = trust(r#"{"AWS":"arn:aws-cn:iam::123456789012:root"}"#);
    assert_eq!(canonical(&bare, Use::Trust), canonical(&root, Use::Trust));
    assert_eq!(
        parse_in(&bare, Use::Trust, "aws-cn"),
        parse(&china, Use::Trust)
    );
    assert!(same_texts(&bare, &root) && same_texts(&root, &bare));
    assert!(same_texts(&bare, &china) && same_texts(&china, &bare));
    assert!(!same_texts(&root, &china));
    assert!(!same_texts(&bare, &trust(r#"{"AWS":"123456789013"}"#)));
    let beside = trust(r#"{"AWS":["123456789012","arn:aws-cn:iam::123456789012:user/x"]}"#);
    let text = canonical(&beside, Use::Trust).unwrap();
    assert!(text.contains("arn:aws-cn:iam::123456789012:root"), "{text}");
    // Of two partitions neither is to be guessed.
    let both = beside.replace(
        "\"123456789012\",",
        "\"123456789012\",\"arn:aws-us-gov:iam::123456789012:user/x\",",
    );
    let text = canonical(&both, Use::Trust).unwrap();
    assert!(text.contains("arn:aws:iam::123456789012:root"), "{text}");
}

#[test]
fn a_deleted_principal_is_another_one_and_is_found() {
    let wanted = trust(&format!(r#"{{"AWS":"{ROLE}"}}"#));
    let broken = trust(r#"{"AWS":["AROAEXAMPLEEXAMPLE12","AIDAEXAMPLEEXAMPLE12"]}"#);
    assert!(!same_texts(&wanted, &broken));
    assert_eq!(
        broken_principals(&parse(&broken, Use::Trust).unwrap()),
        ["AIDAEXAMPLEEXAMPLE12", "AROAEXAMPLEEXAMPLE12"]
    );
    assert!(broken_principals(&parse(&wanted, Use::Trust).unwrap()).is_empty());
}

#[test]
fn what_differs_is_never_the_same() {
    let one = identity(
        r#""Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/b","Condition":{"StringEquals":{"aws:PrincipalTag/x":"Ab"}}"#,
    );
    for (from, to) in [
        ("\"A\"", "\"B\""),
        ("\"Sid\":\"A\",", ""),
        ("Allow", "Deny"),
        ("\"Action", "\"NotAction"),
        ("\"Resource", "\"NotResource"),
        ("GetObject", "PutObject"),
        ("a/b", "a/B"),
        ("StringEquals", "StringLike"),
        ("StringEquals", "ForAnyValue:StringEquals"),
        ("Tag/x", "Tag/y"),
        ("\"Ab\"", "\"ab\""),
        ("\"Ab\"", "[\"Ab\",\"c\"]"),
        ("2012", "2008"),
        ("\"Version\":\"2012-10-17\",", ""),
        ("\"Version\"", "\"Id\":\"x\",\"Version\""),
    ] {
        let other = one.replacen(from, to, 1);
        assert_ne!(one, other);
        assert!(!same_texts(&one, &other), "{from} {to}");
    }
    assert!(!same_texts(&one, ""));
    assert!(!same_texts("x", "y"));
    assert!(same_texts("x", "x"));
    assert!(!same(&Value::string(one), &Value::Null));
}

#[test]
fn what_iam_returns_is_decoded() {
    assert_eq!(
        decode("%7B%22a%22%3A+%22%2B%C3%A9%22%7D").as_deref(),
        Some("{\"a\": \"+é\"}")
    );
    assert_eq!(
        decode(" {\"a\": \"%7B+\"}").as_deref(),
        Some(" {\"a\": \"%7B+\"}")
    );
    for malformed in ["%", "%7", "%7G", "%+7B", "%FF"] {
        assert_eq!(decode(malformed), None, "{malformed}");
    }
    assert_eq!(live("%7B%7D", Use::Identity), "{}");
    assert_eq!(live("%", Use::Identity), "%");
    let text = trust("\"*\"");
    assert_eq!(
        live(&text, Use::Trust),
        canonical(&text, Use::Trust).unwrap()
    );
}

#[test]
fn sizes_and_characters_are_iams() {
    assert_eq!(size("{ \"é\":\t\r\n1 }"), 7);
    assert_eq!(check_characters("{\t\r\n ÿ~}"), Ok(()));
    assert!(check_characters("{Ā}").unwrap_err().contains("U+0100"));
    assert!(check_characters("\u{1}").unwrap_err().contains("U+0001"));
}

#[test]
fn documents_are_built() {
    let order = |actions: [&str; 2]| Document::of([Statement::allow(actions, ["*"])]).compact();
    let text = order(["s3:getobject", "s3:GetObject"]);
    assert!(text.contains("s3:GetObject"), "{text}");
    assert_eq!(text, order(["s3:GetObject", "s3:getobject"]));

    let grant = Statement::allow(["s3:GetObject", "s3:getobject"], ["arn:aws:s3:::a/*"])
        .with_condition("StringEquals", "aws:PrincipalTag/domain", ["billing"])
        .unwrap()
        .with_condition("BoolIfExists", "aws:SecureTransport", ["True"])
        .unwrap();
    let deny = Statement::deny(["iam:*"], ["*"]).with_sid("NoIam");
    let document = Document::of([deny.clone(), grant.clone(), deny]);
    assert_eq!(document.statements().len(), 2);
    assert_eq!(document.version(), Version::V2012);
    assert_eq!(document.check(Use::Identity), Ok(()));
    assert_eq!(
        parse(&document.compact(), Use::Identity).as_ref(),
        Ok(&document)
    );
    assert!(
        document
            .to_string()
            .contains(r#""aws:SecureTransport": "true""#)
    );

    for (operator, key, says) in [
        ("StringEquals", "AWS:principaltag/DOMAIN", "stands twice"),
        ("stringequals", "aws:a", "did you mean"),
        ("StringEquals", "a", "no condition key"),
    ] {
        let why = grant
            .clone()
            .with_condition(operator, key, ["x"])
            .unwrap_err();
        assert!(why.contains(says), "{why}");
    }
    let none: [&str; 0] = [];
    assert!(grant.with_condition("StringEquals", "aws:a", none).is_err());

    let trust = Statement::trust(OIDC, "sts:AssumeRoleWithWebIdentity")
        .with_condition("StringEquals", "issuer.example.com:sub", ["x"])
        .unwrap();
    let trust = Document::of([trust]);
    assert_eq!(trust.check(Use::Trust), Ok(()));
    assert_eq!(
        trust.compact(),
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"{OIDC}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringEquals":{{"issuer.example.com:sub":"x"}}}}}}]}}"#
        )
    );

    let none: [&str; 0] = [];
    for (statement, says) in [
        (Statement::allow(none, ["*"]), "no action"),
        (Statement::allow(["s3:*"], none), "no resource"),
        (
            Statement::allow(["s3:*"], ["*"])
                .with_condition("StringEquals", "aws:a", ["\u{1b}"])
                .unwrap(),
            "control",
        ),
    ] {
        let why = Document::of([statement]).check(Use::Identity).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
    assert!(Document::of([]).check(Use::Identity).is_err());
}
