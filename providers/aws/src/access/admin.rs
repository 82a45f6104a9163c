//! Permissions that only administrators should have.
//!
//! In comes a permission; out goes why it is one, if it is. What only reads never is. Which
//! actions read: their names begin with a word for it, as the Service Authorization Reference has
//! them; `iam:Get*` and its like included.

use remit_sdk::access::Permission;

use super::pattern::Pattern;

/// Words that names of actions that only read begin with.
const READS: &[&str] = &[
    "BatchGet", "Check", "Count", "Describe", "Detect", "Discover", "Download", "Estimate",
    "Evaluate", "Filter", "Find", "Get", "Head", "List", "Lookup", "Preview", "Query", "Read",
    "Receive", "Scan", "Search", "Select", "Simulate", "Test", "Validate", "Verify", "View",
];

/// Actions that begin with such a word and do something.
const DEEDS: &[&str] = &["states:TestState"];

/// Actions that don't begin with such a word and give no more than a look.
const HARMLESS: &[&str] = &[
    "iam:GenerateCredentialReport",
    "iam:GenerateOrganizationsAccessReport",
    "iam:GenerateServiceLastAccessedDetails",
    "sts:DecodeAuthorizationMessage",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// Actions that are about no resource, so that `*` is all one can write, and that change nothing
/// but what the caller tells of itself.
const ABOUT_NOTHING: &[&str] = &[
    "cloudwatch:PutMetricData",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:SendReply",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ssm:UpdateInstanceInformation",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

/// Services that decide who may do what.
const SERVICES: &[&str] = &[
    "account",
    "iam",
    "identitystore",
    "organizations",
    "rolesanywhere",
    "sso",
    "sso-directory",
];

/// Actions that take another identity on: administrative where any may be taken.
const TAKES_ON: &[&str] = &["iam:PassRole", "sts:AssumeRole"];

/// Actions of other services that decide who may use a resource.
const OPENS: &[&str] = &[
    "ecr:SetRepositoryPolicy",
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "lambda:AddPermission",
    "s3:PutAccountPublicAccessBlock",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "secretsmanager:PutResourcePolicy",
    "sns:AddPermission",
    "sqs:AddPermission",
    "sts:AssumeRoot",
];

/// Why a permission is one that only administrators should have, if it is.
pub(super) fn why(permission: &Permission) -> Option<String> {
    permission
        .actions
        .iter()
        .find_map(|action| of_action(action, permission))
}

fn of_action(action: &str, permission: &Permission) -> Option<String> {
    if action.starts_with("whatever ") {
        return None;
    }
    if action == "*" || action == "*:*" {
        return Some(format!("`{action}` is every action of every service"));
    }
    if action.starts_with("all but ") {
        return Some(format!("`{action}` is every other action of every service"));
    }
    let (service, name) = action.split_once(':')?;
    if name.trim_matches('*').is_empty() && !name.is_empty() {
        return Some(format!("`{action}` is every action of {service}"));
    }
    let wide = every_resource(permission);
    let pattern = Pattern::action(action);
    let takes_on = TAKES_ON
        .iter()
        .any(|one| pattern.contains(&Pattern::action(one)));
    if let Some(resource) = wide.filter(|_| takes_on) {
        return Some(format!("`{action}` on `{resource}` takes on any role"));
    }
    if is_any(TAKES_ON, action) || is_any(HARMLESS, action) {
        return None;
    }
    if is_any(OPENS, action) && !is_for_services(permission) {
        return Some(format!("`{action}` decides who may use a resource"));
    }
    let is_deed = DEEDS
        .iter()
        .any(|one| pattern.contains(&Pattern::action(one)));
    if is_read(name) && !is_deed {
        return None;
    }
    if SERVICES.iter().any(|one| one.eq_ignore_ascii_case(service)) {
        return Some(format!("`{action}` decides who may do what"));
    }
    if service.eq_ignore_ascii_case("sts") {
        return None;
    }
    let resource = wide.filter(|_| !is_any(ABOUT_NOTHING, action) && !is_narrowed(permission))?;
    Some(format!("`{action}` writes on every resource: `{resource}`"))
}

fn is_any(all: &[&str], action: &str) -> bool {
    all.iter().any(|one| one.eq_ignore_ascii_case(action))
}

fn is_read(name: &str) -> bool {
    let starts = |word: &&str| {
        name.get(..word.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    READS.iter().any(starts)
}

/// What of the resources is every one, of a service at least.
fn every_resource(permission: &Permission) -> Option<&str> {
    // `*`, `**`, `*/*`.
    let is_any = |text: &str| text.contains('*') && text.chars().all(|c| "*?/".contains(c));
    permission
        .resources
        .iter()
        .map(String::as_str)
        .find(|resource| {
            let last = resource
                .rsplit_once(':')
                .map_or(*resource, |(_, last)| last);
            resource.starts_with("all but ")
                || is_any(last)
                || last.strip_prefix("role/").is_some_and(is_any)
        })
}

/// Whether it counts only where a service of AWS asks for it.
fn is_for_services(permission: &Permission) -> bool {
    let only = "kms:grantisforawsresource is true";
    let conditions = permission.conditions.iter();
    conditions
        .map(|one| one.to_ascii_lowercase())
        .any(|one| one == only)
}

/// Whether conditions pick the resources.
fn is_narrowed(permission: &Permission) -> bool {
    permission
        .conditions
        .iter()
        .any(|one| !one.starts_with("but not") && one.to_ascii_lowercase().contains("resourcetag/"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::set;
    use super::*;

    fn ask(action: &str, resource: &str) -> Option<String> {
        why(&Permission {
            actions: set([action]),
            resources: set([resource]),
            conditions: set([]),
            sources: std::collections::BTreeSet::new(),
        })
    }

    #[test]
    fn what_is_administrative() {
        const KEY: &str = "arn:aws:s3:::b/k";
        for (action, resource) in [
            ("*", KEY),
            ("*:*", KEY),
            ("all but iam:*", KEY),
            ("s3:*", KEY),
            ("s3:**", KEY),
            ("iam:CreateUser", KEY),
            ("IAM:createuser", KEY),
            ("iam:P*", KEY),
            ("organizations:LeaveOrganization", KEY),
            ("sts:AssumeRole", "*"),
            ("sts:AssumeRole", "arn:aws:iam::1:role/*"),
            ("sts:A*", "*"),
            ("sts:AssumeRoot", "arn:aws:iam::1:root"),
            ("iam:PassRole", "*"),
            ("kms:PutKeyPolicy", KEY),
            ("s3:PutObject", "*"),
            ("s3:PutObject", "arn:aws:s3:::*"),
            ("s3:Put*", "all but arn:aws:s3:::b"),
            ("s3:G*", "*"),
            ("s3:PutObject", "**"),
            ("s3:PutObject", "arn:aws:s3:::*/*"),
            ("sts:AssumeRole", "arn:aws:iam::1:role/**"),
            ("iam:PassRole", "arn:aws:iam::1:role/*/*"),
            ("kms:CreateGrant", "arn:aws:kms:eu-west-1:1:key/k"),
            ("states:TestState", "*"),
            ("states:Test*", "*"),
        ] {
            assert!(ask(action, resource).is_some(), "{action} {resource}");
        }
        assert_eq!(
            ask("iam:CreateUser", KEY).unwrap(),
            "`iam:CreateUser` decides who may do what"
        );
        assert_eq!(
            ask("s3:PutObject", "*").unwrap(),
            "`s3:PutObject` writes on every resource: `*`"
        );
        assert_eq!(
            ask("sts:AssumeRole", "*").unwrap(),
            "`sts:AssumeRole` on `*` takes on any role"
        );
        assert_eq!(ask("s3:*", KEY).unwrap(), "`s3:*` is every action of s3");
    }

    #[test]
    fn what_is_not() {
        const KEY: &str = "arn:aws:s3:::b/k";
        for (action, resource) in [
            ("s3:GetObject", "*"),
            ("s3:get*", "*"),
            ("s3:PutObject", KEY),
            ("s3:PutObject", "arn:aws:s3:::b/*"),
            (
                "states:TestState",
                "arn:aws:states:eu-west-1:1:stateMachine:x",
            ),
            ("iam:GetRole", "*"),
            ("iam:List*", "*"),
            ("iam:GenerateCredentialReport", "*"),
            ("iam:PassRole", "arn:aws:iam::1:role/x"),
            ("sts:AssumeRole", "arn:aws:iam::1:role/x"),
            ("sts:GetCallerIdentity", "*"),
            ("sts:GetSessionToken", "*"),
            ("sts:TagSession", "*"),
            ("organizations:DescribeOrganization", "*"),
            ("cloudwatch:PutMetricData", "*"),
            ("whatever arn:aws:iam::aws:policy/x gives", "*"),
            ("nothing", "*"),
        ] {
            assert_eq!(ask(action, resource), None, "{action} {resource}");
        }
        let for_services = Permission {
            actions: set(["kms:CreateGrant"]),
            resources: set(["arn:aws:kms:eu-west-1:1:key/k"]),
            conditions: set(["kms:GrantIsForAWSResource is true"]),
            sources: std::collections::BTreeSet::new(),
        };
        assert_eq!(why(&for_services), None);
        let tagged = Permission {
            actions: set(["s3:PutObject"]),
            resources: set(["*"]),
            conditions: set(["aws:ResourceTag/team is a"]),
            sources: std::collections::BTreeSet::new(),
        };
        assert_eq!(why(&tagged), None);
        let denied = Permission {
            conditions: set(["but not where aws:ResourceTag/team is a"]),
            ..tagged
        };
        assert!(why(&denied).is_some());
    }
}
