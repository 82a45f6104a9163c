//! What a failed call means: an error of a kind that says whether to try again. Pure.
//!
//! In comes what the SDK gives, out go AWS's code and a message for people. The code decides the
//! kind; a request whose answer was lost may have happened, unless it only reads. AWS's text is
//! shown short and safe; request ids and what programs wrote that were to give credentials are
//! not shown at all.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, ProviderError};

/// How much of AWS's text is shown: its refusals name two ARNs and a reason.
const SHOWN_CHARACTERS_MAX: usize = 500;

/// How far down the causes of an error are followed: the SDK nests a dozen.
const CAUSES_MAX: usize = 32;

/// A failed call.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// AWS's code, such as `NoSuchEntity`; empty where there was no answer to understand.
    pub(crate) code: String,
    /// AWS's own words, as they came: to look into, not to show.
    pub(crate) said: String,
    /// What to say of it.
    pub(crate) error: ProviderError,
}

impl Failure {
    /// One that AWS had no part in.
    pub(crate) fn own(error: ProviderError) -> Self {
        Self {
            code: String::new(),
            said: String::new(),
            error,
        }
    }

    pub(crate) const fn kind(&self) -> ErrorKind {
        self.error.kind
    }

    pub(crate) fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// Whether AWS says that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether AWS has answered that it failed itself.
    pub(crate) const fn is_stumble(&self) -> bool {
        matches!(self.kind(), ErrorKind::Transient) && !self.code.is_empty()
    }

    /// Whether nothing else will work either: no credentials, no connection, too many requests.
    pub(crate) fn is_fatal(&self) -> bool {
        let is_login = self.kind() == ErrorKind::Denied && !is_denied(&self.code);
        is_login
            || matches!(
                self.kind(),
                ErrorKind::Transient | ErrorKind::Throttled | ErrorKind::Unavailable
            )
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// What was tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried<'a> {
    /// The operation as permissions name it: `iam:CreateRole`.
    pub(crate) operation: &'a str,
    /// Whether it changes nothing.
    pub(crate) reads: bool,
    /// Where it went: `IAM in eu-west-1`, or an endpoint.
    pub(crate) place: &'a str,
    pub(crate) region: &'a str,
    /// The profile that the block names.
    pub(crate) profile: Option<&'a str>,
}

impl Tried<'_> {
    /// `CreateRole`, for a message.
    fn what(&self) -> &str {
        self.operation
            .split_once(':')
            .map_or(self.operation, |(_, name)| name)
    }

    /// A lost answer: to a write, it may have happened.
    const fn lost(&self) -> ErrorKind {
        if self.reads {
            ErrorKind::Transient
        } else {
            ErrorKind::Ambiguous
        }
    }

    /// An answer that can't be understood: to a write, it may have happened.
    const fn unreadable(&self) -> ErrorKind {
        if self.reads {
            ErrorKind::Invalid
        } else {
            ErrorKind::Ambiguous
        }
    }
}

/// AWS's text, safe to show and short.
fn short(text: &str) -> String {
    let text = text.trim();
    let mut cut: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    safe(&cut)
}

/// What a failed call means.
pub(crate) fn failure<E>(tried: Tried<'_>, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    if let Some(error) = no_credentials(tried, error) {
        return Failure::own(error);
    }
    let what = tried.what();
    let own = |kind, message: String| Failure::own(ProviderError::new(kind, message));
    match error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            let code = refused.err().code().unwrap_or_default();
            let said = refused.err().message().unwrap_or_default();
            answered(tried, status, code, said)
        }
        SdkError::TimeoutError(_) => own(
            tried.lost(),
            format!("{what}: no answer in time from {}", tried.place),
        ),
        SdkError::DispatchFailure(_) => Failure::own(no_connection(tried, &causes(error))),
        SdkError::ResponseError(answer) => {
            let causes = causes(error);
            // A body that broke off comes this way too.
            let kind = if answer.raw().status().as_u16() >= 500 || is_broken(&causes) {
                tried.lost()
            } else {
                tried.unreadable()
            };
            own(
                kind,
                format!("{what}: the answer of {} is not AWS's", tried.place),
            )
        }
        _ => own(ErrorKind::Bug, format!("{what}: the request can't be made")),
    }
}

// ---- no answer

/// What an error says and what caused it, outermost first.
fn causes(error: &(dyn StdError + 'static)) -> Vec<String> {
    chain(error).map(ToString::to_string).collect()
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source()).take(CAUSES_MAX)
}

fn is_broken(causes: &[String]) -> bool {
    ["hyper", "connection", "end of file", "body", "reset"]
        .iter()
        .any(|word| causes.iter().any(|cause| cause.contains(word)))
}

fn no_connection(tried: Tried<'_>, causes: &[String]) -> ProviderError {
    let has = |words: &[&str]| {
        causes
            .iter()
            .any(|cause| words.iter().any(|word| cause.contains(word)))
    };
    let what = tried.what();
    let cause = causes.last().map(|cause| short(cause)).unwrap_or_default();
    let place = tried.place;
    if has(&["certificate", "UnknownIssuer", "NotValidForName"]) {
        return ProviderError::new(
            ErrorKind::Invalid,
            format!("{what}: {place} is not who it says it is: {cause}"),
        )
        .help("see that the endpoint is right, and that nothing on the way replaces certificates");
    }
    if has(&["dns error", "failed to lookup address"]) {
        return ProviderError::new(
            ErrorKind::Transient,
            format!("{what}: the name of {place} is not found: {cause}"),
        )
        .help(format!(
            "an unknown region looks like this: see that `region = \"{}\"` is right, and that names can be resolved here",
            safe(tried.region)
        ));
    }
    if has(&[
        "(Connect)",
        "connect timeout",
        "tcp connect error",
        "Connection refused",
    ]) {
        return ProviderError::new(
            ErrorKind::Transient,
            format!("{what}: no connection to {place}: {cause}"),
        )
        .help(format!(
            "see that `region = \"{}\"` and the endpoint are right, and that it can be reached from here",
            safe(tried.region)
        ));
    }
    ProviderError::new(
        tried.lost(),
        format!("{what}: the connection to {place} broke: {cause}"),
    )
}

/// Credentials that couldn't be had. Their causes may hold what an external program wrote, so
/// only AWS's own refusals among them are shown.
fn no_credentials(tried: Tried<'_>, error: &(dyn StdError + 'static)) -> Option<ProviderError> {
    let found = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())?;
    let what = tried.what();
    let refused = chain(found).find_map(|cause| {
        let role = cause.downcast_ref::<AssumeRoleError>().map(metadata);
        role.or_else(|| {
            cause
                .downcast_ref::<AssumeRoleWithWebIdentityError>()
                .map(metadata)
        })
    });
    if let Some((code, said)) = refused {
        let message = format!(
            "{what}: the role can't be assumed: {}: {}",
            short(&code),
            short(&said)
        );
        return Some(ProviderError::new(ErrorKind::Denied, message).help(
            "see that the role exists, that its trust policy lets these credentials in, and that they are still good",
        ));
    }
    let why = match found {
        CredentialsError::CredentialsNotLoaded(_) => "there are no AWS credentials",
        CredentialsError::ProviderTimedOut(_) => "the source of the AWS credentials doesn't answer",
        CredentialsError::InvalidConfiguration(_) => {
            "AWS's shared configuration can't be used: a profile is missing or says too little"
        }
        _ => "no AWS credentials can be had, or they have run out",
    };
    let profile = tried.profile.map(safe);
    let (of, help) = match &profile {
        Some(name) => (
            format!(", by the profile `{name}`"),
            format!(
                "see that `profile = \"{name}\"` names a profile of `~/.aws/config` or `~/.aws/credentials`; with SSO, run `aws sso login --profile {name}`"
            ),
        ),
        None => (String::new(), LOGIN_HELP.to_owned()),
    };
    Some(ProviderError::new(ErrorKind::Denied, format!("{what}: {why}{of}")).help(help))
}

const LOGIN_HELP: &str = "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE`, or write `profile` \
     in the provider block; with SSO, run `aws sso login`; `aws sts get-caller-identity` shows what there is";

fn metadata(error: &impl ProvideErrorMetadata) -> (String, String) {
    (
        error.code().unwrap_or("no answer").to_owned(),
        error.message().unwrap_or_default().to_owned(),
    )
}

// ---- AWS's refusals

/// What AWS's answer means.
fn answered(tried: Tried<'_>, status: u16, code: &str, said: &str) -> Failure {
    let kind = kind(tried, status, code, said);
    let what = tried.what();
    let message = match (code.is_empty(), said.is_empty()) {
        _ if status < 300 => format!("{what}: the answer of {} is not AWS's", tried.place),
        (true, true) => format!("{what}: {} answers {status} without a reason", tried.place),
        (true, false) => format!("{what}: {status}: {}", short(said)),
        (false, true) => format!("{what}: {}", short(code)),
        (false, false) => format!("{what}: {}: {}", short(code), short(said)),
    };
    let error = ProviderError::new(kind, message);
    let error = match help(tried, kind, code) {
        Some(help) => error.help(help),
        None => error,
    };
    Failure {
        code: code.to_owned(),
        said: said.to_owned(),
        error,
    }
}

fn kind(tried: Tried<'_>, status: u16, code: &str, said: &str) -> ErrorKind {
    let says = |words: &str| said.contains(words);
    match code {
        "NoSuchEntity" | "NoSuchEntityException" | "ResourceNotFoundException" => {
            ErrorKind::NotFound
        }
        _ if is_denied(code) || is_login(code) => ErrorKind::Denied,
        _ if is_throttled(code) || status == 429 => ErrorKind::Throttled,
        "EntityAlreadyExists"
        | "ResourceExistsException"
        | "DeleteConflict"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "EntityTemporarilyUnmodifiable" => ErrorKind::Conflict,
        "InvalidRequestException" if says("deletion") || says("deleted") => ErrorKind::Conflict,
        _ if status >= 500 => tried.lost(),
        "" if matches!(status, 401 | 403) => ErrorKind::Denied,
        "" => tried.unreadable(),
        _ => ErrorKind::Invalid,
    }
}

/// No permission.
fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "OptInRequired"
    )
}

/// No good credentials.
fn is_login(code: &str) -> bool {
    is_expired(code)
        || matches!(
            code,
            "InvalidClientTokenId"
                | "UnrecognizedClientException"
                | "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "InvalidSignatureException"
                | "IncompleteSignature"
                | "MissingAuthenticationToken"
                | "MissingAuthenticationTokenException"
                | "AuthFailure"
        )
}

/// Credentials or a request out of their time.
fn is_expired(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "RequestTimeTooSkewed"
    )
}

fn is_throttled(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "PriorRequestNotComplete"
    )
}

fn help(tried: Tried<'_>, kind: ErrorKind, code: &str) -> Option<String> {
    Some(match code {
        _ if is_expired(code) => {
            "the credentials have run out, or this machine's clock is wrong: log in again, with SSO by `aws sso login`".into()
        }
        _ if is_login(code) => LOGIN_HELP.into(),
        _ if is_denied(code) => format!("give the caller the permission `{}`", tried.operation),
        "LimitExceeded" | "LimitExceededException" => {
            "a quota of the account is reached: remove what isn't needed, or have it raised in Service Quotas".into()
        }
        "EntityAlreadyExists" | "ResourceExistsException" => {
            "something of that name is there already, maybe in another case or under another path: import it, or give this one another `name`".into()
        }
        "PublicPolicyException" => {
            "the policy would let everybody in: name who may read the secret instead of `*`".into()
        }
        "ConcurrentModification" | "ConcurrentModificationException" => {
            "somebody else changes it at the same time: plan again".into()
        }
        _ if kind == ErrorKind::Throttled => {
            "AWS takes no more requests for now: lower `--parallelism`, or try again later".into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::operation::get_role::GetRoleError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    const READ: Tried<'_> = Tried {
        operation: "iam:GetRole",
        reads: true,
        place: "IAM in eu-west-1",
        region: "eu-west-1",
        profile: None,
    };
    const WRITE: Tried<'_> = Tried {
        operation: "iam:CreateRole",
        reads: false,
        ..READ
    };

    fn refused(tried: Tried<'_>, status: u16, code: &str, said: &str) -> Failure {
        let meta = ErrorMetadata::builder().code(code).message(said).build();
        let status = StatusCode::try_from(status).unwrap();
        let raw = HttpResponse::new(status, SdkBody::empty());
        failure(
            tried,
            &SdkError::service_error(GetRoleError::generic(meta), raw),
        )
    }

    #[test]
    fn codes_decide_the_kind() {
        for (status, code, kind) in [
            (404, "NoSuchEntity", ErrorKind::NotFound),
            (400, "ResourceNotFoundException", ErrorKind::NotFound),
            (403, "AccessDenied", ErrorKind::Denied),
            (400, "AccessDeniedException", ErrorKind::Denied),
            (403, "ExpiredToken", ErrorKind::Denied),
            (403, "InvalidClientTokenId", ErrorKind::Denied),
            (409, "EntityAlreadyExists", ErrorKind::Conflict),
            (409, "DeleteConflict", ErrorKind::Conflict),
            (409, "LimitExceeded", ErrorKind::Invalid),
            (400, "MalformedPolicyDocument", ErrorKind::Invalid),
            (400, "Throttling", ErrorKind::Throttled),
            (503, "SlowDown", ErrorKind::Throttled),
        ] {
            for tried in [READ, WRITE] {
                assert_eq!(refused(tried, status, code, "why").kind(), kind, "{code}");
            }
        }
        for code in ["ServiceFailure", "InternalServiceError", ""] {
            assert_eq!(refused(READ, 500, code, "").kind(), ErrorKind::Transient);
            assert_eq!(refused(WRITE, 503, code, "").kind(), ErrorKind::Ambiguous);
        }
        let gone = "You can't create this secret because a secret with this name is already scheduled for deletion.";
        assert_eq!(
            refused(WRITE, 400, "InvalidRequestException", gone).kind(),
            ErrorKind::Conflict
        );
    }

    #[test]
    fn only_credentials_stop_everything() {
        assert!(refused(READ, 403, "ExpiredToken", "").is_fatal());
        assert!(refused(READ, 400, "Throttling", "").is_fatal());
        assert!(!refused(READ, 403, "AccessDenied", "").is_fatal());
        assert!(!refused(READ, 404, "NoSuchEntity", "").is_fatal());
        assert!(refused(READ, 500, "ServiceFailure", "").is_stumble());
        assert!(!refused(READ, 403, "ExpiredToken", "").is_stumble());
    }

    #[test]
    fn messages_say_what_to_do_and_hide_nothing_in_them() {
        let denied = refused(WRITE, 403, "AccessDenied", "User x\u{1b}[2K is not").error;
        assert_eq!(
            denied.message,
            "CreateRole: AccessDenied: User x\\u{1b}[2K is not"
        );
        assert_eq!(
            denied.help.as_deref(),
            Some("give the caller the permission `iam:CreateRole`")
        );
        let long = refused(READ, 400, "ValidationError", &"x".repeat(9999));
        assert!(long.error.message.len() < 600);
        assert_eq!(long.said.len(), 9999);
    }

    #[derive(Debug)]
    struct Says(&'static str);

    impl std::fmt::Display for Says {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Says {}

    #[test]
    fn a_request_that_never_left_has_not_happened() {
        let dispatch = |tried, text| {
            failure::<GetRoleError>(
                tried,
                &SdkError::dispatch_failure(ConnectorError::io(Box::new(Says(text)))),
            )
        };
        for text in ["dns error", "tcp connect error"] {
            let found = dispatch(WRITE, text);
            assert_eq!(found.kind(), ErrorKind::Transient);
            assert!(found.error.help.unwrap().contains("eu-west-1"));
        }
        let broken = "connection closed before message completed";
        assert_eq!(dispatch(WRITE, broken).kind(), ErrorKind::Ambiguous);
        assert_eq!(dispatch(READ, broken).kind(), ErrorKind::Transient);
        let late = SdkError::timeout_error(Says("late"));
        assert_eq!(
            failure::<GetRoleError>(WRITE, &late).kind(),
            ErrorKind::Ambiguous
        );
    }

    #[test]
    fn what_gave_no_credentials_is_not_quoted() {
        let cause = CredentialsError::provider_error("Stderr: hunter2");
        let error = SdkError::<GetRoleError, HttpResponse>::dispatch_failure(
            ConnectorError::other(Box::new(cause), None),
        );
        let found = failure(READ, &error);
        assert_eq!(found.kind(), ErrorKind::Denied);
        assert!(found.is_fatal());
        assert!(!format!("{found:?}").contains("hunter2"));
        let profile = Some("audit");
        let found = failure(Tried { profile, ..READ }, &error).error;
        assert!(found.message.contains("the profile `audit`"));
    }
}
