//! The `provider "aws"` block, typed. Pure: nothing is read from the environment or from a file
//! here, and credentials have no place in the block; the client finds them by AWS's own chain.
//!
//! | attribute | meaning | where it comes from otherwise |
//! |---|---|---|
//! | `region` | the region; it decides the partition too | nowhere: it must be written |
//! | `account` | the account that everything is in, pinned | nowhere: it must be written |
//! | `profile` | a profile of AWS's shared configuration | AWS's own chain |
//! | `endpoint` | where requests go instead of AWS | the region's endpoints |
//! | `exclusive_policies` | roles of identities hold nothing but what remit gives them | `false` |
//! | `assume_role` block | the role that remit works as, see [`AssumeRole`] | the credentials as they are |
//!
//! Names, keys and ARNs follow from this block alone, so nothing in it may depend on a server.

use remit_sdk::declaration::{ProviderBlock, ProviderConfig};
use remit_sdk::settings::{Attributes, Reader, span_of};
use remit_sdk::text::safe;
use remit_sdk::{Diagnostic, Number, Span, Value, shape};
use url::Url;

use crate::arn::{self, Arn};

/// The prefix of live names, unless the configuration says otherwise.
const PREFIX_DEFAULT: &str = "remit-";

/// Regions as of 2026, for naming the nearest one; others that look like a region are taken too.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// What is never written in a block, and what to write instead.
const REFUSED: &[(&str, &str)] = &[
    ("access_key", NO_CREDENTIALS),
    ("access_key_id", NO_CREDENTIALS),
    ("secret_key", NO_CREDENTIALS),
    ("secret_access_key", NO_CREDENTIALS),
    ("session_token", NO_CREDENTIALS),
    ("token", NO_CREDENTIALS),
];

const NO_CREDENTIALS: &str = "credentials are never written in configuration; they come by AWS's own chain: \
     the environment, `profile`, SSO, a web identity, or the machine's role";

/// Limits of `AssumeRole` (STS API, 2011-06-15), in characters.
const EXTERNAL_ID_CHARACTERS: (usize, usize) = (2, 1224);
/// Also those of `RoleSessionName`.
const SESSION_NAME_CHARACTERS: (usize, usize) = (2, 64);

/// What a `provider "aws"` block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `aws`, or `aws.audit`.
    pub instance: String,
    /// The prefix of computed live names: what stands under it unasked for is reported.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The account, 12 digits: a plan never runs against another one.
    pub account: String,
    /// A profile of AWS's shared configuration.
    pub profile: Option<String>,
    /// Where requests go instead of AWS, without a slash at its end.
    pub endpoint: Option<String>,
    /// The role that remit works as.
    pub assume_role: Option<AssumeRole>,
    /// Roles of identities may hold only what remit gives them.
    pub exclusive_policies: bool,
    /// The block's header.
    pub span: Option<Span>,
}

/// The role that remit works as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// Its ARN, in the pinned account.
    pub role_arn: String,
    /// What its trust policy may ask for; no secret by AWS's own word.
    pub external_id: Option<String>,
    /// What its sessions are called in AWS's logs.
    pub session_name: Option<String>,
}

impl Settings {
    /// Reads a block; all mistakes at once.
    pub fn from_config(config: &ProviderConfig) -> Result<Self, Vec<Diagnostic>> {
        if config.span.is_none() && config.attributes.is_empty() {
            return Err(vec![undeclared(&config.instance)]);
        }
        let mut reader = Reader::new("aws", config.span);
        let block = &config.attributes;
        let known = [
            "region",
            "account",
            "profile",
            "endpoint",
            "exclusive_policies",
        ];
        reader.known(block, &known, REFUSED);
        let region = region(&mut reader, block);
        let account = account(&mut reader, block);
        let settings = Self {
            instance: config.instance.clone(),
            prefix: PREFIX_DEFAULT.to_owned(),
            profile: profile(&mut reader, block),
            endpoint: endpoint(&mut reader, block),
            assume_role: assume_role(&mut reader, &config.blocks),
            exclusive_policies: reader.bool(block, "exclusive_policies"),
            region: region.unwrap_or_default(),
            account: account.unwrap_or_default(),
            span: config.span,
        };
        settings.check_role(&mut reader, &config.blocks);
        reader.finish(settings)
    }

    /// Reads the block of an instance, if it has one.
    pub(crate) fn of_instance(
        instance: &str,
        config: Option<&ProviderConfig>,
    ) -> Result<Self, Vec<Diagnostic>> {
        config.map_or_else(|| Err(vec![undeclared(instance)]), Self::from_config)
    }

    /// Stands in for settings that have mistakes, so that others can be found too. Nothing that
    /// follows from it is ever kept.
    pub(crate) fn placeholder(instance: &str) -> Self {
        Self {
            instance: instance.to_owned(),
            prefix: PREFIX_DEFAULT.to_owned(),
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            profile: None,
            endpoint: None,
            assume_role: None,
            exclusive_policies: false,
            span: None,
        }
    }

    /// The same with another prefix of live names.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The partition that the region is in: `aws`, `aws-cn`, `aws-us-gov`, ….
    pub fn partition(&self) -> &'static str {
        arn::partition(&self.region)
    }

    /// Whoever assumes a role is in the role's account and partition.
    fn check_role(&self, reader: &mut Reader, blocks: &[ProviderBlock]) {
        let Some(role) = self.assume_role.as_ref() else {
            return;
        };
        let Ok(arn) = Arn::parse(&role.role_arn) else {
            return;
        };
        let span = blocks
            .iter()
            .find(|block| block.kind == "assume_role")
            .and_then(|block| span_of(&block.attributes, "role_arn"));
        if !self.account.is_empty() && arn.account != self.account {
            let detail = format!(
                "the role to assume is in the account {}, and `account` pins {}; remit would work in the wrong one",
                arn.account, self.account
            );
            reader.mistake(detail, span);
        }
        if !self.region.is_empty() && arn.partition != self.partition() {
            let detail = format!(
                "the role to assume is in the partition `{}`, and `{}` is in `{}`",
                safe(&arn.partition),
                self.region,
                self.partition()
            );
            reader.mistake(detail, span);
        }
    }
}

fn undeclared(instance: &str) -> Diagnostic {
    let labels = match instance.split_once('.') {
        Some((_, alias)) => format!("\"aws\" \"{}\"", safe(alias)),
        None => "\"aws\"".to_owned(),
    };
    Diagnostic::error(
        "provider \"aws\" is not declared",
        "ARNs and trust policies follow from the account and the region, so both must be known before anything is sent",
    )
    .help(format!(
        "write `provider {labels} {{ region = \"eu-west-1\", account = \"123456789012\" }}`, one attribute a line"
    ))
}

fn needed(reader: &mut Reader, block: &Attributes, name: &str, why: &str) -> Option<String> {
    let text = reader.text(block, name);
    let is_written = block.get(name).is_some_and(|one| one.value != Value::Null);
    if text.is_none() && !is_written {
        reader.mistake(format!("`{name}` is missing: {why}"), None);
    }
    text
}

fn region(reader: &mut Reader, block: &Attributes) -> Option<String> {
    let why =
        "write the region, such as `region = \"eu-west-1\"`; it decides the partition of every ARN";
    let region = needed(reader, block, "region", why)?;
    if looks_like_region(&region) {
        return Some(region);
    }
    let shown = safe(&region);
    let nearest = shape::nearest(&region.to_lowercase(), REGIONS.iter().copied());
    let detail = match nearest {
        Some(nearest) => format!("`{shown}` is no region; did you mean `{nearest}`?"),
        None => format!("`{shown}` is no region; write one such as `eu-west-1`"),
    };
    reader.mistake(detail, span_of(block, "region"));
    None
}

/// Letters in groups, then a number: `eu-west-1`, `us-gov-west-1`. An unknown region may be a new
/// one, but a name that is one letter off a known one still looks like this, and fails when it is
/// first spoken to.
fn looks_like_region(text: &str) -> bool {
    let mut groups = text.split('-').rev();
    let number = groups.next().unwrap_or_default();
    let words: Vec<&str> = groups.collect();
    (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && (2..=3).contains(&words.len())
        && words
            .iter()
            .all(|word| word.len() >= 2 && word.bytes().all(|b| b.is_ascii_lowercase()))
}

fn account(reader: &mut Reader, block: &Attributes) -> Option<String> {
    if let Some(written) = block.get("account")
        && let Value::Number(number) = &written.value
    {
        let detail = match number {
            Number::Integer(n) => format!(
                "`account` is text, since zeros in front count; write `account = \"{n:012}\"`"
            ),
            Number::Float(_) => "`account` is text of 12 digits".to_owned(),
        };
        reader.mistake(detail, written.span);
        return None;
    }
    let why = "write the account's 12 digits; a plan never runs against another one";
    let account = needed(reader, block, "account", why)?;
    if arn::is_account(&account) {
        return Some(account);
    }
    let digits: String = account.chars().filter(char::is_ascii_digit).collect();
    let detail = if arn::is_account(&digits) {
        format!("`account` is 12 digits and nothing else; write `account = \"{digits}\"`")
    } else {
        format!(
            "`{}` is no account; an account is 12 digits, zeros in front included",
            safe(&account)
        )
    };
    reader.mistake(detail, span_of(block, "account"));
    None
}

fn profile(reader: &mut Reader, block: &Attributes) -> Option<String> {
    let profile = reader.text(block, "profile")?;
    if profile.is_empty() || profile.chars().any(|c| c.is_control() || c == ']') {
        let detail = format!("`{}` is no name of a profile", safe(&profile));
        reader.mistake(detail, span_of(block, "profile"));
        return None;
    }
    Some(profile)
}

fn endpoint(reader: &mut Reader, block: &Attributes) -> Option<String> {
    let text = reader.text(block, "endpoint")?;
    match check_endpoint(&text) {
        Ok(()) => Some(text.trim_end_matches('/').to_owned()),
        Err(why) => {
            reader.mistake(why, span_of(block, "endpoint"));
            None
        }
    }
}

/// Whether requests may go there; the message says what is wrong. The text isn't shown where it
/// may hold a password.
pub fn check_endpoint(text: &str) -> Result<(), String> {
    let shown = safe(text);
    let Ok(url) = Url::parse(text) else {
        return Err(
            "the endpoint is no URL; write one such as `https://iam.amazonaws.com`".to_owned(),
        );
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "the endpoint holds a user name or a password; credentials come by AWS's own chain"
                .into(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            "the endpoint has a query or a fragment; write the URL up to its path".to_owned(),
        );
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(format!(
            "`{shown}` would send signed requests in clear; plain HTTP is for this machine itself only, so write `https://`"
        )),
        _ => Err(format!("`{shown}` is no https URL")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn assume_role(reader: &mut Reader, blocks: &[ProviderBlock]) -> Option<AssumeRole> {
    let mut role = None;
    let mut seen = false;
    for block in blocks {
        if block.kind != "assume_role" {
            let detail = format!(
                "unknown block `{}`; there is `assume_role`",
                safe(&block.kind)
            );
            reader.mistake(detail, Some(block.span));
        } else if std::mem::replace(&mut seen, true) {
            reader.mistake("there can be one `assume_role` block", Some(block.span));
        } else {
            role = one_role(reader, block);
        }
    }
    role
}

fn one_role(reader: &mut Reader, block: &ProviderBlock) -> Option<AssumeRole> {
    if !block.labels.is_empty() {
        reader.mistake("`assume_role` takes no label", Some(block.span));
    }
    let all = &block.attributes;
    reader.known(all, &["role_arn", "external_id", "session_name"], REFUSED);
    let external_id = limited(reader, all, "external_id", EXTERNAL_ID_CHARACTERS, ":/");
    let session_name = limited(reader, all, "session_name", SESSION_NAME_CHARACTERS, "");
    let Some(role_arn) = reader.text(all, "role_arn") else {
        if all
            .get("role_arn")
            .is_none_or(|one| one.value == Value::Null)
        {
            let detail = "`assume_role` needs `role_arn`, the role to work as";
            reader.mistake(detail, Some(block.span));
        }
        return None;
    };
    if !is_role_arn(&role_arn) {
        let detail = format!(
            "`{}` is no ARN of a role; write `arn:aws:iam::123456789012:role/NAME`",
            safe(&role_arn)
        );
        reader.mistake(detail, span_of(all, "role_arn"));
        return None;
    }
    Some(AssumeRole {
        role_arn,
        external_id,
        session_name,
    })
}

fn is_role_arn(text: &str) -> bool {
    Arn::parse(text).is_ok_and(|arn| {
        arn.service == "iam"
            && arn.region.is_empty()
            && arn::is_account(&arn.account)
            && arn
                .resource
                .strip_prefix("role/")
                .is_some_and(|name| !name.is_empty() && !name.ends_with('/'))
    })
}

/// Text of letters, digits, `_+=,.@-` and `more`, within a length.
fn limited(
    reader: &mut Reader,
    all: &Attributes,
    name: &str,
    (min, max): (usize, usize),
    more: &str,
) -> Option<String> {
    let text = reader.text(all, name)?;
    let is_good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) || more.contains(c);
    if (min..=max).contains(&text.chars().count()) && text.chars().all(is_good) {
        return Some(text);
    }
    let detail =
        format!("`{name}` has {min} to {max} characters: letters, digits and `_+=,.@-{more}`");
    reader.mistake(detail, span_of(all, name));
    None
}

#[cfg(test)]
mod tests;
