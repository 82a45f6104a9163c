//! 301: how long is too long, for each thing that has an end.

use super::Severity;
use super::testing::found;

#[test]
fn resources_have_an_end_too() {
    let text = "resource \"vault_database_role\" \"d\" {\n mount = \"db\"\n name = \"n\"\n db_name = \
                \"c\"\n creation_statements = [\"s\"]\n MAX\n}\n";
    for (max, number) in [
        ("", 1),
        ("max_ttl = 0", 1),
        ("max_ttl = \"30m\"", 0),
        ("max_ttl = 3600", 0),
        ("max_ttl = \"2h\"", 1),
    ] {
        // The instance is used in production, so an hour is the longest.
        assert_eq!(
            found("RMT301", &text.replace("MAX", max)).len(),
            number,
            "{max}"
        );
    }
}

#[test]
fn each_tier_has_its_longest() {
    let session =
        |tier: &str, max: &str| {
            found("RMT301", &format!(
            "environment \"e\" {{\n tier = \"{tier}\"\n max_session = \"48h\"\n}}\nidentity \
             \"reporting\" {{\n agent = agent.reporting\n environment = environment.e\n domain = \
             \"billing\"\n scopes = [scope.invoices_read]\n workload {{\n issuer = \
             issuer.cluster\n namespace = \"agents\"\n service_account = \"reporting\"\n }}\n \
             session {{\n ttl = \"5m\"\n max_ttl = \"{max}\"\n }}\n}}\n"
        ))
        .len()
        };
    for (tier, longest, longer) in [
        ("production", "60m", "61m"),
        ("staging", "8h", "481m"),
        ("development", "24h", "1441m"),
    ] {
        assert_eq!(session(tier, longest), 0, "{tier}");
        assert_eq!(session(tier, longer), 1, "{tier}");
    }
}

#[test]
fn a_database_user_lives_no_longer_than_its_scope_may() {
    let scope = |max: &str, environment: &str| {
        found(
            "RMT301",
            &format!(
                "scope \"orders\" {{\n description = \"Read orders\"\n domain = \"billing\"\n risk = \
             \"low\"\n grant \"database\" {{\n mount = \"database\"\n connection = \"orders\"\n \
             statements = [\"GRANT SELECT ON orders TO \\\"{{{{{{name}}}}}}\\\"\"]\n ttl = \"5m\"\n \
             max_ttl = \"{max}\"\n }}\n}}\nidentity \"reporting\" {{\n agent = agent.reporting\n \
             environment = environment.{environment}\n domain = \"billing\"\n scopes = \
             [scope.orders]\n workload {{\n issuer = issuer.cluster\n namespace = \"agents\"\n \
             service_account = \"reporting\"\n }}\n}}\n"
            ),
        )
    };
    assert_eq!(scope("1h", "prod"), []);
    let said = scope("2h", "prod");
    assert_eq!(said.len(), 1);
    // The scope reaches into production, so its own tier is that.
    assert_eq!(said[0].severity, Severity::Error);
    assert_eq!(
        said[0].address.as_ref().unwrap().to_string(),
        "scope.orders"
    );
    assert_eq!(scope("2h", "staging"), []);
    assert_eq!(scope("9h", "staging")[0].severity, Severity::Warning);
}

#[test]
fn roles_have_an_end() {
    let role = |attributes: &str| {
        let text = format!(
            "resource \"vault_jwt_role\" \"r\" {{\n mount = \"m\"\n name = \"n\"\n role_type = \
             \"jwt\"\n user_claim = \"sub\"\n {attributes}\n}}\n"
        );
        let all = found("RMT301", &text);
        all.into_iter().map(|one| one.what).collect::<Vec<_>>()
    };
    assert_eq!(role("token_max_ttl = 1800\n token_period = 0"), [""; 0]);
    for (attributes, expected) in [
        ("token_max_ttl = 7200", "makes tokens that may last 2h"),
        ("token_max_ttl = 0", "sets no `token_max_ttl`"),
        ("", "sets no `token_max_ttl`"),
        ("token_max_ttl = 1800\n token_period = 1", "makes periodic"),
    ] {
        let said = role(attributes);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(expected), "{said:?}");
    }
    let aws = |seconds: u64| {
        found(
            "RMT301",
            &format!(
                "resource \"aws_iam_role\" \"r\" {{\n name = \"n\"\n assume_role_policy = \
             jsonencode({{ Version = \"2012-10-17\", Statement = [] }})\n max_session_duration = \
             {seconds}\n}}\n"
            ),
        )
        .len()
    };
    assert_eq!((aws(3_600), aws(100_000)), (0, 1));
}
