//! The SDK's clients: one place where credentials, endpoints, deadlines and repetitions are
//! decided, and where every request passes.
//!
//! In come operations of the SDK, out go their answers or typed failures. Nothing is sent before
//! STS has said that the credentials are of the pinned account. What only reads, or gives the same
//! when done twice, is repeated after any fault that passes; everything else is repeated where AWS
//! has refused it for being too much, and never after a lost answer. The SDK itself repeats
//! nothing. Plain HTTP is for loopback, a proxy comes from the environment and only for TLS,
//! redirects are not followed. Nothing of a body is logged.

mod count;
mod endpoint;
mod error;
mod pace;

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::config::{SharedHttpClient, SharedInterceptor};
use aws_smithy_http_client::{Builder, ConnectorBuilder, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use remit_sdk::provider::{Statistics, Target};
use remit_sdk::text::safe;
use remit_sdk::{Diagnostic, ErrorKind, ProviderError};
use tokio::sync::OnceCell;

use crate::arn;
use crate::settings::Settings;
use count::{Counter, Counts};
use endpoint::{Endpoints, Proxy, Service};
pub(crate) use error::Failure;
use error::{Tried, failure};
use pace::Pace;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long one call may take, its body included: a page of a thousand roles takes seconds.
const CALL: Duration = Duration::from_mins(1);

/// How long a request may be repeated before its last failure counts.
const REPEAT: Duration = Duration::from_secs(30);

/// How often one request is sent at most: some ten seconds with the pauses between, for faults
/// that pass at once or not at all.
const ATTEMPTS_MAX: u32 = 8;

/// The first pause before a repetition; each next one is twice as long, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long a request may be refused as too much before that counts. IAM's buckets fill up
/// within seconds; a minute is for many runs at once.
const THROTTLED: Duration = Duration::from_mins(1);

/// Repetitions after faults in the life of a client: an endpoint that is down for good must not
/// be asked by each of ten thousand requests for as long as each of them may.
const REPETITIONS_MAX: u32 = 2_000;

/// What a request does, which decides whether it may be sent again after a lost answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Nothing.
    Reads,
    /// The same, however often it is done.
    Repeats,
    /// Something else when it is done twice.
    Once,
}

/// The SDK's clients.
pub(crate) struct Sdk {
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    sts: aws_sdk_sts::Client,
}

/// The connection to one account in one region.
pub(crate) struct Client {
    settings: Settings,
    endpoints: Endpoints,
    proxy: Option<Proxy>,
    http: SharedHttpClient,
    sdk: OnceCell<Sdk>,
    /// Who we are, once that is proven to be in the pinned account.
    caller: OnceCell<String>,
    counts: Arc<Counts>,
    repetitions: AtomicU32,
    /// How fast IAM and STS take requests.
    iam_pace: Pace,
    secrets_pace: Pace,
}

impl Client {
    /// Takes settings and environment; sends nothing, and looks for no credentials yet.
    pub(crate) fn new(
        settings: Settings,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let first = |names: &[&str]| {
            names
                .iter()
                .filter_map(|name| environment(name))
                .find(|text| !text.is_empty())
        };
        let mistake = |detail: String, help: &str| {
            Diagnostic::error("provider \"aws\" can't be used", detail)
                .help(help)
                .at(settings.span)
        };
        let (endpoints, wrong) = Endpoints::find(settings.endpoint.as_deref(), &first);
        let mut mistakes: Vec<_> = wrong
            .into_iter()
            .map(|why| {
                mistake(
                    why,
                    "write an https URL, or leave it out for AWS's own endpoints",
                )
            })
            .collect();
        let proxy = Proxy::find(&endpoints, &first).and_then(|proxy| {
            let http = http(proxy.as_ref())?;
            Ok((proxy, http))
        });
        match proxy {
            Ok((proxy, http)) if mistakes.is_empty() => Ok(Self {
                settings,
                endpoints,
                proxy,
                http,
                sdk: OnceCell::new(),
                caller: OnceCell::new(),
                counts: Arc::default(),
                repetitions: AtomicU32::new(0),
                iam_pace: Pace::default(),
                secrets_pace: Pace::default(),
            }),
            Ok(_) => Err(mistakes),
            Err(why) => {
                mistakes.push(mistake(
                    why,
                    "correct `HTTPS_PROXY`, or name the hosts that need none in `NO_PROXY`",
                ));
                Err(mistakes)
            }
        }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.settings.prefix
    }

    pub(crate) fn account(&self) -> &str {
        &self.settings.account
    }

    pub(crate) fn partition(&self) -> &'static str {
        arn::partition(&self.settings.region)
    }

    /// Requests sent so far.
    pub(crate) fn statistics(&self) -> Statistics {
        self.counts.statistics()
    }

    /// The clients, once STS has said that they speak for the pinned account.
    pub(crate) async fn sdk(&self) -> Result<&Sdk, Failure> {
        self.caller().await?;
        Ok(self.clients().await)
    }

    /// Which target this is; refuses any account but the pinned one.
    pub(crate) async fn target(&self) -> Result<Target, ProviderError> {
        let caller = self.caller().await?;
        let Settings {
            account, region, ..
        } = &self.settings;
        let mut description = format!(
            "AWS account {account}, region {region}, as {}",
            safe(caller)
        );
        if let Some(proxy) = &self.proxy {
            description = format!("{description}, through the proxy {}", proxy.host());
        }
        Ok(Target {
            id: format!("{account}/{region}"),
            address: match &self.settings.endpoint {
                Some(endpoint) => safe(endpoint),
                None => format!("AWS {region}"),
            },
            description,
        })
    }

    /// Who we are; asked once, before anything else.
    async fn caller(&self) -> Result<&str, Failure> {
        let caller = self
            .caller
            .get_or_try_init(|| async {
                let sts = &self.clients().await.sts;
                let answer = self
                    .call("sts:GetCallerIdentity", Effect::Reads, || {
                        sts.get_caller_identity().send()
                    })
                    .await?;
                let (Some(account), Some(caller)) = (answer.account, answer.arn) else {
                    return Err(Failure::own(ProviderError::new(
                        ErrorKind::Invalid,
                        format!(
                            "{} does not say whose credentials these are",
                            self.place(Service::Sts)
                        ),
                    )));
                };
                let pinned = &self.settings.account;
                if account == *pinned {
                    return Ok(caller);
                }
                Err(Failure::own(
                    ProviderError::new(
                        ErrorKind::Denied,
                        format!(
                            "these credentials are of the account {}, as {}, and the provider block pins {pinned}",
                            safe(&account),
                            safe(&caller)
                        ),
                    )
                    .help(format!(
                        "use credentials of {pinned} (`profile`, `assume_role` or the environment), or correct `account`"
                    )),
                ))
            })
            .await?;
        Ok(caller)
    }

    /// Where a service is, for a message.
    fn place(&self, service: Service) -> String {
        match self.endpoints.get(service) {
            Some(url) => format!("{} at {}", service.title(), safe(url.as_str())),
            None => format!("{} in {}", service.title(), safe(&self.settings.region)),
        }
    }

    /// Sends what only reads.
    pub(crate) async fn read<T, E, F>(
        &self,
        operation: &str,
        send: impl Fn() -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        self.call(operation, Effect::Reads, send).await
    }

    /// Sends what gives the same when it is done twice.
    pub(crate) async fn put<T, E, F>(
        &self,
        operation: &str,
        send: impl Fn() -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        self.call(operation, Effect::Repeats, send).await
    }

    /// Sends what would do something else when it is done twice.
    pub(crate) async fn write<T, E, F>(
        &self,
        operation: &str,
        send: impl Fn() -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        self.call(operation, Effect::Once, send).await
    }

    /// Sends a request, again and again where that may help and can do no harm. What AWS refuses
    /// as too much surely had no effect.
    async fn call<T, E, F>(
        &self,
        operation: &str,
        effect: Effect,
        send: impl Fn() -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let started = Instant::now();
        let pace = match Service::of(operation) {
            Service::SecretsManager => &self.secrets_pace,
            Service::Iam | Service::Sts => &self.iam_pace,
        };
        let mut pause = PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let wait = pace.turn(Instant::now());
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let sent = Instant::now();
            // Boxed: the SDK's futures are of many kilobytes.
            let error = match Box::pin(send()).await {
                Ok(answer) => {
                    pace.passed();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let tried = Tried {
                operation,
                reads: effect == Effect::Reads,
                place: &self.place(Service::of(operation)),
                region: &self.settings.region,
                profile: self.settings.profile.as_deref(),
            };
            let failure = failure(tried, &error);
            if failure.kind() == ErrorKind::Throttled {
                if started.elapsed() > THROTTLED {
                    return Err(failure);
                }
                pace.refused(sent, Instant::now());
                self.counts.again();
                continue;
            }
            let is_lost = match failure.kind() {
                ErrorKind::Transient => true,
                ErrorKind::Ambiguous => effect == Effect::Repeats,
                _ => false,
            };
            let is_late = attempts >= ATTEMPTS_MAX || started.elapsed() + pause > REPEAT;
            if !is_lost || is_late || !self.may_repeat() {
                return Err(failure);
            }
            self.counts.again();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Takes one repetition from what is left of them.
    fn may_repeat(&self) -> bool {
        self.repetitions.fetch_add(1, Ordering::Relaxed) < REPETITIONS_MAX
    }

    async fn clients(&self) -> &Sdk {
        self.sdk.get_or_init(|| Box::pin(self.load())).await
    }

    /// Looks for credentials by AWS's own chain, and makes the clients. Endpoints and deadlines
    /// of a profile don't count, since they are no part of what was reviewed.
    async fn load(&self) -> Sdk {
        let settings = &self.settings;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .http_client(self.http.clone())
            // For the sources of credentials alone: see `sdk_of`.
            .retry_config(RetryConfig::standard())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .operation_attempt_timeout(CALL)
                    .operation_timeout(CALL)
                    .build(),
            );
        if let Some(sts) = &self.endpoints.sts {
            loader = loader.endpoint_url(sts.as_str());
        }
        if let Some(profile) = &settings.profile {
            // Named in the block, so it comes before what the environment holds.
            loader = loader.profile_name(profile).credentials_provider(
                ProfileFileCredentialsProvider::builder()
                    .configure(
                        &aws_config::provider_config::ProviderConfig::without_region()
                            .with_region(Some(Region::new(settings.region.clone())))
                            .with_http_client(self.http.clone()),
                    )
                    .profile_name(profile)
                    .build(),
            );
        }
        let mut shared = loader.load().await;
        if self.endpoints.sts.is_none() {
            let mut builder = shared.into_builder();
            builder.set_endpoint_url(None);
            shared = builder.build();
        }
        if let Some(role) = &settings.assume_role {
            let mut builder = AssumeRoleProvider::builder(&role.role_arn)
                .region(Region::new(settings.region.clone()))
                .session_name(role.session_name.as_deref().unwrap_or("remit"))
                .configure(&shared);
            if let Some(id) = &role.external_id {
                builder = builder.external_id(id);
            }
            let provider = SharedCredentialsProvider::new(builder.build().await);
            shared = shared.into_builder().credentials_provider(provider).build();
        }
        self.sdk_of(&shared)
    }

    fn sdk_of(&self, shared: &SdkConfig) -> Sdk {
        // The SDK's own repetitions know nothing of what a lost answer to a write means, and its
        // adaptive mode, after three refusals in a row, takes a minute for one request (tried on
        // 1.133).
        let retries = RetryConfig::disabled();
        let counter = || SharedInterceptor::new(Counter(Arc::clone(&self.counts)));
        let url = |service| self.endpoints.get(service).map(ToString::to_string);
        let mut iam = aws_sdk_iam::config::Builder::from(shared).retry_config(retries.clone());
        iam.set_endpoint_url(url(Service::Iam))
            .push_interceptor(counter());
        let mut secrets =
            aws_sdk_secretsmanager::config::Builder::from(shared).retry_config(retries.clone());
        secrets
            .set_endpoint_url(url(Service::SecretsManager))
            .push_interceptor(counter());
        let mut sts = aws_sdk_sts::config::Builder::from(shared).retry_config(retries);
        sts.set_endpoint_url(url(Service::Sts))
            .push_interceptor(counter());
        Sdk {
            iam: aws_sdk_iam::Client::from_conf(iam.build()),
            secrets: aws_sdk_secretsmanager::Client::from_conf(secrets.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
        }
    }
}

/// The HTTP client beneath everything, with the one proxy that was found and no other.
fn http(proxy: Option<&Proxy>) -> Result<SharedHttpClient, String> {
    let proxy = match proxy {
        Some(proxy) => ProxyConfig::https(proxy.url.as_str())
            .map_err(|_| "the proxy that the environment names can't be used".to_owned())?
            .no_proxy(&proxy.excluded),
        None => ProxyConfig::disabled(),
    };
    let crypto = tls::rustls_provider::CryptoMode::AwsLc;
    Ok(
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector =
                ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(crypto.clone()));
            connector.set_connector_settings(settings.cloned());
            connector.set_proxy_config(Some(proxy.clone()));
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector.build()
        }),
    )
}

#[cfg(test)]
pub(crate) mod tests;
