//! Writing. It never decides: it is told what to do and what it must find.
//!
//! In come write requests with everything known, out goes what was said along the way. One request
//! changes one object; what it takes several calls for is done in an order in which the object
//! never allows more than before or after, and can be taken up again wherever it stopped. What
//! others attached is named and left alone, unless an exclusive list says otherwise. Calls that
//! would do something else when done twice are never sent again after a lost answer.

mod entity;
mod policy;
mod role;
mod secret;
mod tags;
mod wait;

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use remit_sdk::provider::{BoxFuture, Expected, WriteRequest, Written};
use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, Kind, ProviderError, Secret, Value, Write};

use crate::client::{Failure, Sdk};
use crate::document::{self, Use};
use crate::observe::Shared;
use wait::{Lag, Run, Waiting};

/// The writing half.
#[derive(Clone)]
pub struct Writer {
    shared: Arc<Shared>,
    run: Arc<Run>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            run: Arc::default(),
        }
    }

    async fn sdk(&self) -> Result<&Sdk, Failure> {
        self.shared.client.sdk().await
    }

    fn account(&self) -> &str {
        self.shared.client.account()
    }

    /// Sends a write that would do something else when it is done twice.
    async fn send<T, E, F>(
        &self,
        lag: &Lag,
        operation: &str,
        send: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let client = &self.shared.client;
        self.settled(lag, || client.write(operation, &send)).await
    }

    /// Sends a write that gives the same when it is done twice.
    async fn put<T, E, F>(
        &self,
        lag: &Lag,
        operation: &str,
        send: impl Fn() -> F + Send + Sync,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let client = &self.shared.client;
        self.settled(lag, || client.put(operation, &send)).await
    }

    /// Makes a call, again while AWS has not seen yet what this writer itself did before.
    async fn settled<T, F>(&self, lag: &Lag, call: impl Fn() -> F + Send) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let mut waiting = Waiting::new();
        loop {
            let failure = match call().await {
                Ok(answer) => {
                    self.run.done(lag);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if failure.kind() == ErrorKind::Ambiguous {
                self.run.done(lag);
            }
            if !self.run.is_lag(lag, &failure) {
                return Err(failure);
            }
            match waiting.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(Waiting::over(failure)),
            }
        }
    }

    async fn create_object(&self, request: WriteRequest<'_>) -> Result<Written, Failure> {
        match request.kind.name {
            "aws_iam_role" => self.create_role(&request).await,
            "aws_iam_role_policy" => self.put_role_policy(&request).await,
            "aws_iam_policy" => self.create_policy(&request).await,
            "aws_iam_policy_attachment" => self.attach(&request).await,
            "aws_iam_openid_connect_provider" => self.create_provider(&request).await,
            "aws_iam_user" => self.create_user(&request).await,
            "aws_iam_group" => self.create_group(&request).await,
            "aws_iam_instance_profile" => self.create_profile(&request).await,
            "aws_secretsmanager_secret" => self.create_secret(&request).await,
            other => Err(bug(&format!("{other} is no kind of AWS's"))),
        }
    }

    async fn update_object(&self, request: WriteRequest<'_>) -> Result<Written, Failure> {
        match request.kind.name {
            "aws_iam_role" => self.update_role(&request).await,
            "aws_iam_role_policy" => self.put_role_policy(&request).await,
            "aws_iam_policy" => self.update_policy(&request).await,
            // There is nothing to it but its being there.
            "aws_iam_policy_attachment" => Ok(Written::default()),
            "aws_iam_openid_connect_provider" => self.update_provider(&request).await,
            "aws_iam_user" => self.update_user(&request).await,
            "aws_iam_group" => self.update_group(&request).await,
            "aws_iam_instance_profile" => self.update_profile(&request).await,
            "aws_secretsmanager_secret" => self.update_secret(&request).await,
            other => Err(bug(&format!("{other} is no kind of AWS's"))),
        }
    }

    async fn delete_object(
        &self,
        kind: &Kind,
        key: &str,
        expected: &Expected,
    ) -> Result<Written, Failure> {
        match kind.name {
            "aws_iam_role" => self.delete_role(key).await?,
            "aws_iam_role_policy" => self.delete_role_policy(kind, key).await?,
            "aws_iam_policy" => self.delete_policy(kind, key).await?,
            "aws_iam_policy_attachment" => self.detach(kind, key).await?,
            "aws_iam_openid_connect_provider" => self.delete_provider(key).await?,
            "aws_iam_user" => self.delete_user(key).await?,
            "aws_iam_group" => self.delete_group(key).await?,
            "aws_iam_instance_profile" => self.delete_profile(key).await?,
            "aws_secretsmanager_secret" => self.delete_secret(key, expected).await?,
            other => return Err(bug(&format!("{other} is no kind of AWS's"))),
        }
        Ok(Written::default())
    }
}

// ---- what a request says

fn bug(why: &str) -> Failure {
    Failure::own(ProviderError::new(ErrorKind::Bug, why.to_owned()))
}

/// What was there just before, and isn't.
fn gone(kind: &Kind, key: &str) -> Failure {
    Failure::own(ProviderError::new(
        ErrorKind::Conflict,
        format!("{} `{}` is gone", kind.name, safe(key)),
    ))
}

/// The removal of what an object has: where it has none, that is as good.
fn or_gone<T>(removed: Result<T, Failure>) -> Result<(), Failure> {
    match removed {
        Err(failure) if !failure.is_not_found() => Err(failure),
        _ => Ok(()),
    }
}

/// Whether an attribute is to be written.
fn is_changed(request: &WriteRequest<'_>, name: &str) -> bool {
    request.changed.contains(name) || request.unset.contains(name)
}

/// What an attribute is to be: as written, else what AWS has when nobody sets it.
fn wanted(request: &WriteRequest<'_>, name: &str) -> Value {
    if let Some(value) = request.attributes.get(name) {
        return value.clone();
    }
    let attribute = request.kind.attribute(name);
    attribute.map_or(Value::Null, |attribute| {
        let default = attribute.default.value();
        default.unwrap_or_else(|| attribute.shape.zero())
    })
}

/// The same, as text.
fn wanted_text(request: &WriteRequest<'_>, name: &str) -> String {
    wanted(request, name)
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The same, where it isn't empty.
fn wanted_some(request: &WriteRequest<'_>, name: &str) -> Option<String> {
    Some(wanted_text(request, name)).filter(|text| !text.is_empty())
}

/// The same, as texts.
fn wanted_set(request: &WriteRequest<'_>, name: &str) -> BTreeSet<String> {
    match wanted(request, name) {
        Value::Set(all) => all
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// A document as it is sent: without white space, of which AWS counts some.
fn sent(text: &str, usage: Use) -> String {
    document::parse(text, usage).map_or_else(|_| text.to_owned(), |document| document.compact())
}

/// Something that AWS doesn't delete, since others hold on to it.
fn held(what: &str, holders: &[String], failure: Failure) -> Failure {
    if holders.is_empty() {
        return failure;
    }
    Failure {
        error: ProviderError::new(
            ErrorKind::Conflict,
            format!(
                "`{}` can't be deleted while there is {}; that is not this step's to remove, so it is left alone",
                safe(what),
                holders.join(", ")
            ),
        )
        .help("remove it by hand, or import it and remove it from the configuration"),
        ..failure
    }
}

impl Write for Writer {
    fn create<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(async { Ok(self.create_object(request).await?) })
    }

    fn update<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(async { Ok(self.update_object(request).await?) })
    }

    fn delete<'a>(
        &'a self,
        kind: &'static Kind,
        key: &'a str,
        expected: &'a Expected,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(async { Ok(self.delete_object(kind, key, expected).await?) })
    }

    /// Objects of AWS take no secrets, and a path and a field are how Vault names one.
    fn secret<'a>(
        &'a self,
        path: &'a str,
        _field: &'a str,
    ) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        let error = ProviderError::new(
            ErrorKind::Invalid,
            format!(
                "`vault(\"{}\", …)` names a secret in Vault, and this object is in AWS",
                safe(path)
            ),
        )
        .help("no object of AWS takes a secret; declare it in the provider that holds the secret");
        Box::pin(std::future::ready(Err(error)))
    }
}

#[cfg(test)]
mod tests;
