//! What can't work is said before anything is written, each with its own diagnostic.

use super::contract::EVERYTHING;
use super::shim::fault::{Fault, Rule, Said};
use super::{REGION, Stage};

/// Plans and applies what must fail: what is said, with nothing written.
fn fails(stage: &Stage, words: &[&str]) {
    let said = stage.refused();
    for word in words {
        assert!(said.contains(word), "`{word}` is not said:\n{said}");
    }
    let applied = stage.space.remit(&["apply", "--auto-approve"]);
    assert_eq!(applied.code, Some(1), "{}", applied.stderr);
    assert!(stage.shim.writes().is_empty(), "{:?}", stage.shim.writes());
    assert!(stage.shim.dump().is_empty());
}

/// Replaces a piece of the provider's block.
fn provider(stage: &Stage, from: &str, to: &str) {
    let path = stage.space.path().join("main.remit.hcl");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    stage
        .space
        .write("main.remit.hcl", &text.replacen(from, to, 1));
}

#[test]
fn the_wrong_account() {
    let stage = Stage::new(EVERYTHING);
    let pinned = format!("account = \"{}\"", stage.shim.account());
    provider(&stage, &pinned, "account = \"210987654321\"");
    fails(&stage, &["210987654321", stage.shim.account()]);
    let log = stage.shim.log();
    let other = log.iter().find(|asked| asked.action != "GetCallerIdentity");
    assert!(other.is_none(), "nothing else is asked: {other:?}");
}

#[test]
fn credentials_that_do_not_work() {
    for (said, words) in [
        (Said::Expired, &["expired"][..]),
        (Said::UnknownKey, &["invalid", "AWS_ACCESS_KEY_ID"][..]),
    ] {
        let stage = Stage::new(EVERYTHING);
        stage.shim.rule(Rule::all(Fault::Said(said)));
        fails(&stage, words);
        assert!(stage.shim.log().len() < 10, "not asked again and again");
    }
    let stage = Stage::new(EVERYTHING);
    let mut space = stage.space;
    space.set("AWS_ACCESS_KEY_ID", "");
    space.set("AWS_SECRET_ACCESS_KEY", "");
    let output = space.expect(1, &["plan"]);
    assert!(output.stderr.contains("credentials"), "{}", output.stderr);
}

/// Each listing and each reading of one thing, refused by itself: unreadable is not absent.
#[test]
fn what_may_not_be_read() {
    for action in [
        "GetAccountAuthorizationDetails",
        "ListRoles",
        "ListOpenIDConnectProviders",
        "ListSecrets",
    ] {
        let stage = Stage::new(EVERYTHING);
        stage.shim.rule(Rule::on(action, Fault::Said(Said::Denied)));
        let output = stage.space.remit(&["apply", "--auto-approve"]);
        let said = output.stdout + &output.stderr;
        assert!(matches!(output.code, Some(1 | 5)), "{action}: {said}");
        assert!(said.contains(action), "{action}: {said}");
        // What can be known may be made; what can't be read is not taken for absent.
        let made: Vec<String> = stage
            .shim
            .writes()
            .into_iter()
            .map(|one| one.action)
            .collect();
        let of_it = match action {
            "ListOpenIDConnectProviders" => "CreateOpenIDConnectProvider",
            "ListSecrets" => "CreateSecret",
            _ => "CreateRole",
        };
        assert!(!made.iter().any(|one| one == of_it), "{action}: {made:?}");
    }
}

/// All at once: each of them is asked for again and again, for some seconds.
#[test]
fn answers_that_are_none() {
    let actions = [
        "GetCallerIdentity",
        "GetAccountAuthorizationDetails",
        "ListSecrets",
    ];
    let answers = [Said::Garbage, Said::Html, Said::BadGateway, Said::Failed];
    std::thread::scope(|scope| {
        for (action, said) in actions
            .into_iter()
            .flat_map(|action| answers.map(|said| (action, said)))
        {
            scope.spawn(move || {
                let stage = Stage::new(EVERYTHING);
                stage.shim.rule(Rule::on(action, Fault::Said(said)));
                let output = stage.space.remit(&["plan"]);
                let told = output.stdout + &output.stderr;
                assert_eq!(output.code, Some(1), "{action} {said:?}: {told}");
                assert!(!told.contains("Please log in"), "{told}");
            });
        }
    });
}

#[test]
fn an_unknown_region() {
    let stage = Stage::new("resource \"aws_iam_group\" \"g\" {\n  name = \"g\"\n}\n");
    provider(
        &stage,
        &format!("region = \"{REGION}\""),
        "region = \"eu-wst\"",
    );
    fails(&stage, &["eu-wst", "eu-west-1"]);
    assert!(stage.shim.log().is_empty());
}

#[test]
fn a_malformed_arn() {
    let mut stage = Stage::new(EVERYTHING);
    stage.edit(
        "policy_arn = aws_iam_policy.p.arn",
        "policy_arn = \"arn:aws:iam:policy/reader\"",
    );
    fails(&stage, &["arn:aws:iam:policy/reader", "arn:PARTITION"]);
    assert!(stage.shim.log().is_empty());
}

#[test]
fn a_policy_over_the_limit() {
    let mut stage = Stage::new(EVERYTHING);
    let many: Vec<String> = (0..160)
        .map(|number| format!("\"arn:aws:s3:::b/{number}-{}/*\"", "x".repeat(25)))
        .collect();
    stage.edit("\"arn:aws:s3:::b/*\"]", &format!("{}]", many.join(", ")));
    // The managed policies are over theirs, the inline one is not.
    fails(&stage, &["7859", "6144"]);
    assert!(stage.shim.log().is_empty());
}

#[test]
fn a_key_twice_in_a_document() {
    let mut stage = Stage::new(EVERYTHING);
    stage.edit(
        "name   = \"inline\"\n  policy = local.read",
        "name   = \"inline\"\n  policy = <<EOT\n{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\"}]}\nEOT\n",
    );
    fails(&stage, &["Effect"]);
    assert!(stage.shim.log().is_empty());
}
