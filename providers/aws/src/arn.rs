//! ARNs: read, checked, and made from names, so that no ARN is ever waited for.
//!
//! In comes text from a configuration or from AWS, or the parts of a name; out goes an [`Arn`],
//! the text of one, or what is wrong and what to write instead. The layout and the paths of IAM
//! are those of the IAM User Guide, "IAM identifiers"; what a pattern may hold is in "IAM JSON
//! policy elements: Resource". A policy variable such as `${aws:username}` is one opaque piece,
//! colons and all.
//!
//! Nothing here knows what exists: a well-formed ARN may name nothing.

use std::fmt;

use remit_sdk::text::safe;

/// How an ARN is laid out, for messages.
const LAYOUT: &str = "`arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`; \
    region and account may be empty, their colons stay, as in `arn:aws:s3:::BUCKET/*`";

/// How many digits an account id has.
const ACCOUNT_DIGITS: usize = 12;

/// The most characters of an ARN that is read: IAM takes policies' and roles' up to 2,048.
pub const ARN_CHARACTERS_MAX: usize = 2048;

/// An ARN in its parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// `iam`, `s3`, …
    pub service: String,
    /// `eu-west-1`; empty for IAM and for S3.
    pub region: String,
    /// Twelve digits, empty for S3, `aws` for what AWS manages itself.
    pub account: String,
    /// All that follows, colons included: `role/remit/x`, `secret:x-AbCdEf`.
    pub resource: String,
}

impl Arn {
    /// Reads one ARN, without wildcards or variables.
    pub fn parse(text: &str) -> Result<Self, String> {
        let arn = read(text)?;
        // What follows the account may be a key of S3, in which both are plain characters.
        let wild = [&arn.partition, &arn.service, &arn.region, &arn.account]
            .into_iter()
            .any(|part| is_wild(part));
        if wild || arn.resource.contains(['*', '?']) || arn.resource.contains("${") {
            return Err(format!(
                "`{}` is a pattern; here belongs the ARN of one thing, without `*`, `?` or `${{`",
                safe(text)
            ));
        }
        Ok(arn)
    }

    /// What kind of thing of IAM it is, and what follows: `("role", "remit/x")`.
    pub fn kind_and_rest(&self) -> Option<(&str, &str)> {
        self.resource.split_once('/')
    }

    /// The name without its path: `x` of `role/remit/x`.
    pub fn name(&self) -> &str {
        self.resource
            .rsplit_once('/')
            .map_or(self.resource.as_str(), |(_, name)| name)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "arn:{}:{}:{}:{}:{}",
            self.partition, self.service, self.region, self.account, self.resource
        )
    }
}

/// Checks what a grant or a policy names as a resource: `*`, or an ARN in which `*`, `?` and
/// policy variables may stand.
pub fn check_pattern(text: &str) -> Result<(), String> {
    if text == "*" {
        return Ok(());
    }
    read(text).map(|_| ())
}

/// The partition that a region belongs to. Regions made after this list was are `aws`.
pub fn partition(region: &str) -> &'static str {
    const PREFIXES: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("aws", |(_, partition)| partition)
}

/// Whether `text` is an account id: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == ACCOUNT_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

/// The ARN that stands for a whole account as a principal.
pub fn root(partition: &str, account: &str) -> String {
    format!("arn:{partition}:iam::{account}:root")
}

/// The account of a root ARN.
pub fn root_account(text: &str) -> Option<&str> {
    let (head, account) = text.strip_suffix(":root")?.rsplit_once("::")?;
    let partition = head.strip_prefix("arn:")?.strip_suffix(":iam")?;
    (!partition.contains(':') && is_account(account)).then_some(account)
}

/// A role's ARN; `path` is `/` or `/a/b/`.
pub fn role(partition: &str, account: &str, path: &str, name: &str) -> String {
    of_iam(partition, account, "role", path, name)
}

/// A managed policy's ARN.
pub fn policy(partition: &str, account: &str, path: &str, name: &str) -> String {
    of_iam(partition, account, "policy", path, name)
}

/// A user's ARN.
pub fn user(partition: &str, account: &str, path: &str, name: &str) -> String {
    of_iam(partition, account, "user", path, name)
}

/// A group's ARN.
pub fn group(partition: &str, account: &str, path: &str, name: &str) -> String {
    of_iam(partition, account, "group", path, name)
}

/// An instance profile's ARN.
pub fn instance_profile(partition: &str, account: &str, path: &str, name: &str) -> String {
    of_iam(partition, account, "instance-profile", path, name)
}

/// The ARN of the OIDC provider of an issuer, by the issuer's URL with or without `https://`.
pub fn oidc_provider(partition: &str, account: &str, url: &str) -> String {
    of_iam(partition, account, "oidc-provider", "/", issuer(url))
}

/// An issuer's URL as IAM keeps it and as condition keys begin with it: without `https://`.
pub fn issuer(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}

fn of_iam(partition: &str, account: &str, kind: &str, path: &str, name: &str) -> String {
    let path = path.trim_matches('/');
    let slash = if path.is_empty() { "" } else { "/" };
    format!("arn:{partition}:iam::{account}:{kind}/{path}{slash}{name}")
}

// ---- reading

fn read(text: &str) -> Result<Arn, String> {
    let shown = safe(text);
    if text.chars().count() > ARN_CHARACTERS_MAX {
        return Err(format!(
            "an ARN has at most {ARN_CHARACTERS_MAX} characters, and this one has more"
        ));
    }
    if text.trim() != text {
        return Err(format!(
            "the ARN `{shown}` has white space around it; leave it out"
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("the ARN `{shown}` holds a control character"));
    }
    let Some(rest) = text.strip_prefix("arn:") else {
        return Err(format!("`{shown}` is no ARN; write {LAYOUT}"));
    };
    let (parts, resource) = split(rest);
    let [partition, service, region, account] = parts.as_slice() else {
        return Err(format!(
            "the ARN `{shown}` has {} of 6 parts; write {LAYOUT}",
            parts.len() + 2
        ));
    };
    check_partition(partition).map_err(|why| format!("the ARN `{shown}`: {why}"))?;
    check_service(service).map_err(|why| format!("the ARN `{shown}`: {why}"))?;
    check_region(region).map_err(|why| format!("the ARN `{shown}`: {why}"))?;
    check_account(account).map_err(|why| format!("the ARN `{shown}`: {why}"))?;
    if resource.is_empty() {
        return Err(format!(
            "the ARN `{shown}` ends without a resource; `*` there is every one of the service"
        ));
    }
    Ok(Arn {
        partition: (*partition).to_owned(),
        service: (*service).to_owned(),
        region: (*region).to_owned(),
        account: (*account).to_owned(),
        resource: resource.to_owned(),
    })
}

/// The first four parts, as far as there are any, and what follows them. A colon within a policy
/// variable separates nothing.
fn split(text: &str) -> (Vec<&str>, &str) {
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len() < 4 {
        let Some((part, after)) = colon(rest) else {
            break;
        };
        parts.push(part);
        rest = after;
    }
    (parts, rest)
}

/// Splits at the first colon that no policy variable holds.
pub(crate) fn colon(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = rest.find(':')?;
        match rest.find("${") {
            Some(open) if open < at => {
                let end = rest.get(open..)?.find('}')?;
                from += open + end + 1;
            }
            _ => return Some((text.get(..from + at)?, text.get(from + at + 1..)?)),
        }
    }
}

fn is_wild(part: &str) -> bool {
    part.contains(['*', '?']) || part.contains("${")
}

fn is_lower_word(part: &str) -> bool {
    part.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_partition(part: &str) -> Result<(), String> {
    if is_wild(part) || (is_lower_word(part) && (part == "aws" || part.starts_with("aws-"))) {
        return Ok(());
    }
    Err(format!(
        "`{}` is no partition; most often it is `aws`, in China `aws-cn`, in GovCloud `aws-us-gov`",
        safe(part)
    ))
}

fn check_service(part: &str) -> Result<(), String> {
    if is_wild(part) {
        return Err(format!(
            "the service `{}` is a pattern, which AWS refuses; name one service, or write `*` alone for every resource of all",
            safe(part)
        ));
    }
    if part.is_empty() {
        return Err(
            "the service, its third part, is empty; write `s3`, `secretsmanager`, …".into(),
        );
    }
    if !is_lower_word(part) {
        return Err(format!(
            "the service `{}` may hold only lower-case letters, digits and `-`",
            safe(part)
        ));
    }
    Ok(())
}

fn check_region(part: &str) -> Result<(), String> {
    if is_wild(part) || is_lower_word(part) {
        return Ok(());
    }
    Err(format!(
        "the region `{}` may hold only lower-case letters, digits and `-`; write `eu-west-1`, or nothing for a service without regions",
        safe(part)
    ))
}

fn check_account(part: &str) -> Result<(), String> {
    let digits = part.bytes().any(|b| b.is_ascii_digit());
    if is_wild(part) || part.is_empty() || is_account(part) || (is_lower_word(part) && !digits) {
        return Ok(());
    }
    Err(format!(
        "the account `{}` is not {ACCOUNT_DIGITS} digits",
        safe(part)
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arns_are_read_and_written() {
        for text in [
            "arn:aws:iam::123456789012:role/remit/x",
            "arn:aws-cn:s3:::bucket/key",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/b-AbCdEf",
        ] {
            assert_eq!(Arn::parse(text).unwrap().to_string(), text);
        }
        let arn = Arn::parse("arn:aws:iam::123456789012:role/remit/x").unwrap();
        assert_eq!(arn.kind_and_rest(), Some(("role", "remit/x")));
        assert_eq!(arn.name(), "x");
    }

    #[test]
    fn patterns_are_checked() {
        for text in [
            "*",
            "arn:aws:s3:::*",
            "arn:*:s3:::bucket/*",
            "arn:aws:iam::${aws:PrincipalAccount}:role/x",
            "arn:aws:s3:::home-${aws:PrincipalTag/a:b, 'x:y'}/*",
            "arn:aws:sqs:*:123456789012:q?",
            "arn:aws:lambda:eu-west-1:123456789012:function:f:*",
        ] {
            assert_eq!(check_pattern(text), Ok(()), "{text}");
        }
        for (text, says) in [
            ("", "is no ARN"),
            ("bucket", "is no ARN"),
            ("arn:aws:s3:bucket/*", "has 4 of 6 parts"),
            ("arn:aws:iam::${aws:x:role/y", "has 5 of 6 parts"),
            ("arn:amazon:s3:::b", "no partition"),
            ("arn:awsx:s3:::b", "no partition"),
            ("arn:aws:*:::b", "AWS refuses"),
            ("arn:aws::::b", "is empty"),
            ("arn:aws:S3:::b", "lower-case"),
            ("arn:aws:sqs:EU:123456789012:q", "the region `EU`"),
            ("arn:aws:iam::12345678901:role/x", "12 digits"),
            ("arn:aws:iam::1234567890123:role/x", "12 digits"),
            ("arn:aws:iam::12345678901a:role/x", "12 digits"),
            ("arn:aws:s3:::", "without a resource"),
            (" arn:aws:s3:::b", "white space"),
            ("arn:aws:s3:::b\n", "white space"),
            ("arn:aws:s3:::b\u{1b}[0m", "control"),
        ] {
            let why = check_pattern(text).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
        let long = format!("arn:aws:s3:::{}", "b".repeat(ARN_CHARACTERS_MAX));
        assert!(check_pattern(&long).unwrap_err().contains("at most"));
        assert!(Arn::parse("arn:aws:s3:::b/*").is_err());
        assert!(Arn::parse("*").is_err());
    }

    #[test]
    fn arns_are_made() {
        let account = "123456789012";
        assert_eq!(
            role("aws", account, "/", "x"),
            "arn:aws:iam::123456789012:role/x"
        );
        assert_eq!(
            policy("aws-cn", account, "/a/b/", "x"),
            "arn:aws-cn:iam::123456789012:policy/a/b/x"
        );
        assert_eq!(
            user("aws", account, "", "x"),
            "arn:aws:iam::123456789012:user/x"
        );
        assert_eq!(
            group("aws", account, "/a/", "x"),
            "arn:aws:iam::123456789012:group/a/x"
        );
        assert_eq!(
            instance_profile("aws", account, "/", "x"),
            "arn:aws:iam::123456789012:instance-profile/x"
        );
        assert_eq!(
            oidc_provider("aws", account, "https://issuer.example.com/id/A"),
            "arn:aws:iam::123456789012:oidc-provider/issuer.example.com/id/A"
        );
        assert_eq!(root_account(&root("aws-cn", account)), Some(account));
        for other in [
            "arn:aws:iam::123456789012:role/root",
            "arn:aws:iam::1234:root",
            "arn:aws:iam::123456789012:role/a::123456789012:root",
            "123456789012",
        ] {
            assert_eq!(root_account(other), None, "{other}");
        }
    }

    #[test]
    fn regions_have_partitions() {
        for (region, of) in [
            ("eu-west-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition(region), of, "{region}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(arn:)?[a-z:*${}é\u{0}]{0,40}|.{0,40}") {
            let _ = check_pattern(&text);
            let _ = root_account(&text);
            if let Ok(arn) = Arn::parse(&text) {
                prop_assert_eq!(arn.to_string(), text);
            }
        }
    }
}
