//! HTTP to one server: one connection pool, one token, one place where requests are sent.
//!
//! In come [`Request`]s as values, out go answers or typed errors. The token goes to the one
//! address and nowhere else: no redirect is followed, no proxy is used but one from the
//! environment under TLS, plain HTTP is for loopback only. Bodies are bounded, every call has a
//! deadline, and what may be repeated is repeated with back-off from one budget. No body is ever
//! quoted: errors hold what stands under `errors`, made safe and short, and nothing of it where
//! it holds a piece of a secret that was sent.

mod address;
mod error;
mod login;
mod request;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use remit_sdk::provider::{Statistics, Target};
use remit_sdk::text::safe;
use remit_sdk::{Diagnostic, ErrorKind, ProviderError, Secret};
use serde_json::Value as Json;
use tokio::sync::OnceCell;
use url::Url;
use zeroize::Zeroizing;

use crate::settings::{self, Login, Settings, Source};
use address::{base, host, proxy};
pub(crate) use error::is_no_route;
use login::Session;
use request::render;
pub(crate) use request::{Answer, Method, Request, SecretFields};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long one call may take, its body included: longer than any database takes to answer a
/// server that tries a connection.
const CALL: Duration = Duration::from_mins(1);

/// How long a request may be repeated before its last failure counts.
const REPEAT: Duration = Duration::from_secs(30);

/// How often one request is sent at most: some ten seconds with the pauses between, for faults
/// that pass at once or not at all. Throttling passes later, and has [`REPEAT`] alone.
const ATTEMPTS_MAX: u32 = 8;

/// The first pause before a repetition; each next one is twice as long, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Repetitions in the life of a client: a server that is down for good must not be asked by
/// each of ten thousand requests for as long as each of them may.
const REPETITIONS_MAX: u32 = 2_000;

/// The longest body taken: what the server itself takes (`max_request_size`, 32 MiB).
pub(crate) const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The connection to one server.
pub(crate) struct Client {
    base: Url,
    /// What named the address.
    from: &'static str,
    namespace: Option<String>,
    ca_pem: Option<String>,
    proxy: Option<Url>,
    pub(crate) prefix: String,
    login: Login,
    /// Secrets that the environment held when the client was made.
    given: Given,
    http: OnceCell<reqwest::Client>,
    session: OnceCell<Arc<Session>>,
    product: OnceCell<Product>,
    repetitions: AtomicU32,
    counts: Counts,
}

/// What the environment gave.
#[derive(Default)]
struct Given {
    secret: Option<Secret>,
    home: Option<String>,
}

#[derive(Default)]
struct Counts {
    reads: AtomicU64,
    writes: AtomicU64,
    retries: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

/// What the server is.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) is_openbao: bool,
    pub(crate) version: String,
    pub(crate) cluster_id: String,
}

/// What to do with a failed request next.
enum Next {
    Repeat,
    GiveUp,
}

impl Client {
    /// Takes settings and environment; sends nothing.
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
        let mut mistakes = Vec::new();
        let mut mistake = |detail: String, help: &str| {
            mistakes.push(
                Diagnostic::error("provider \"vault\" can't be used", detail)
                    .help(help)
                    .at(settings.span),
            );
        };
        let (address, from) = address::given(settings.address.as_deref(), &first);
        let base = match address.as_deref().map(base) {
            Some(Ok(base)) => Some(base),
            Some(Err(why)) => {
                mistake(why, "write `address = \"https://vault.example.com:8200\"`");
                None
            }
            None => {
                mistake(
                    format!("`{}` has no address", settings.instance),
                    "write `address` in the provider block, or set `BAO_ADDR` or `VAULT_ADDR`",
                );
                None
            }
        };
        let proxy = base.as_ref().and_then(|base| proxy(base, &first));
        let namespace = settings.namespace.clone().or_else(|| {
            let text = first(&["BAO_NAMESPACE", "VAULT_NAMESPACE"])?;
            let help =
                "set `BAO_NAMESPACE` or `VAULT_NAMESPACE` to the namespace's path: `team/sub`";
            settings::namespace(&text)
                .map_err(|why| mistake(why, help))
                .ok()
        });
        let namespace = namespace.filter(|name| !name.is_empty());
        let secret = match &settings.login {
            Login::Default => first(&["BAO_TOKEN", "VAULT_TOKEN"]),
            Login::Token(source)
            | Login::Approle {
                secret_id: source, ..
            }
            | Login::Jwt { token: source, .. } => match source {
                Source::Env(name) => {
                    let found = first(&[name]);
                    if found.is_none() {
                        mistake(
                            format!(
                                "the login needs the environment variable `{}`, which is not set",
                                safe(name)
                            ),
                            "set it, or name another one",
                        );
                    }
                    found
                }
                Source::File(_) => None,
            },
        };
        let given = Given {
            secret: secret.map(|text| Secret::new(text.trim().to_owned())),
            home: environment("HOME"),
        };
        match base {
            Some(base) if mistakes.is_empty() => Ok(Self {
                base,
                from,
                namespace,
                ca_pem: settings.ca_pem,
                proxy,
                prefix: settings.prefix,
                login: settings.login,
                given,
                http: OnceCell::new(),
                session: OnceCell::new(),
                product: OnceCell::new(),
                repetitions: AtomicU32::new(0),
                counts: Counts::default(),
            }),
            _ => Err(mistakes),
        }
    }

    /// Requests sent so far.
    pub(crate) fn statistics(&self) -> Statistics {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Statistics {
            reads: count(&self.counts.reads),
            writes: count(&self.counts.writes),
            retries: count(&self.counts.retries),
            bytes_received: count(&self.counts.received),
            bytes_sent: count(&self.counts.sent),
        }
    }

    /// What the server is; asked once. Needs no token (`sys/seal-status`).
    pub(crate) async fn product(&self) -> Result<&Product, ProviderError> {
        self.product
            .get_or_try_init(|| async {
                let answer = self
                    .repeat(&Request::get("sys/seal-status"), &[], None, false)
                    .await?;
                let text = |name: &str| answer.0.get(name).and_then(Json::as_str);
                error::is_ready(&answer)?;
                let (Some(version), Some(cluster_id)) = (text("version"), text("cluster_id"))
                else {
                    return Err(ProviderError::new(
                        ErrorKind::Invalid,
                        format!("{} does not answer as Vault or OpenBao do", self.base),
                    ));
                };
                Ok(Product {
                    // OpenBao tells when its commit was made, Vault when it was built.
                    is_openbao: text("commit_date").is_some(),
                    version: error::short(version),
                    cluster_id: error::short(cluster_id),
                })
            })
            .await
    }

    /// Which target this is; logs in, so that a bad login is found before anything else.
    pub(crate) async fn target(&self) -> Result<Target, ProviderError> {
        let place = |error| address::at(&self.base, self.from, self.namespace.as_deref(), error);
        let product = self.product().await.map_err(place)?;
        self.session().await.map_err(place)?;
        let name = if product.is_openbao {
            "OpenBao"
        } else {
            "Vault"
        };
        let mut id = product.cluster_id.clone();
        let mut description = format!("{name} {}, cluster {id}", product.version);
        if let Some(namespace) = &self.namespace {
            id = format!("{id}/{namespace}");
            description = format!("{description}, namespace {}", safe(namespace));
        }
        if let Some(proxy) = &self.proxy {
            description = format!("{description}, through the proxy {}", host(proxy));
        }
        Ok(Target {
            id,
            address: self.base.to_string(),
            description,
        })
    }

    /// Renews the token if that is due; does nothing before the first request.
    pub(crate) async fn renew(&self) {
        if let Some(session) = self.session.get() {
            session.renew_if_due(self).await;
        }
    }

    /// Sends a request, again and again where that may help.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, ProviderError> {
        self.send_with(request, &[]).await
    }

    /// The same with secret fields.
    pub(crate) async fn send_with(
        &self,
        request: &Request,
        secrets: SecretFields<'_>,
    ) -> Result<Answer, ProviderError> {
        let session = self.session().await?;
        session.renew_if_due(self).await;
        self.repeat(request, secrets, Some(&session), true).await
    }

    async fn repeat(
        &self,
        request: &Request,
        secrets: SecretFields<'_>,
        session: Option<&Session>,
        in_namespace: bool,
    ) -> Result<Answer, ProviderError> {
        let started = Instant::now();
        let mut pause = PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.once(request, secrets, session, in_namespace).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let slept = jitter(pause);
            let enough = attempts >= ATTEMPTS_MAX && error.kind != ErrorKind::Throttled;
            let late = enough || started.elapsed() + slept > REPEAT;
            match self.next(&error, late) {
                Next::GiveUp => return Err(error),
                Next::Repeat => {
                    self.counts.retries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(slept).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    fn next(&self, error: &ProviderError, late: bool) -> Next {
        let within = !late && error.kind.may_retry();
        if within && self.repetitions.fetch_add(1, Ordering::Relaxed) < REPETITIONS_MAX {
            Next::Repeat
        } else {
            Next::GiveUp
        }
    }

    /// One request, one answer.
    async fn once(
        &self,
        request: &Request,
        secrets: SecretFields<'_>,
        session: Option<&Session>,
        in_namespace: bool,
    ) -> Result<Answer, ProviderError> {
        let http = self.http().await?;
        let method = match request.method {
            Method::Get | Method::List => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut url = format!("{}v1/{}", self.base, request.path);
        if request.method == Method::List {
            url.push_str("?list=true");
        }
        let mut builder = http.request(method, url).header("X-Vault-Request", "true");
        if let Some(session) = session {
            builder = builder.header("X-Vault-Token", session.header()?);
        }
        if let (true, Some(namespace)) = (in_namespace, &self.namespace) {
            builder = builder.header("X-Vault-Namespace", namespace);
        }
        if let Some(body) = &request.body {
            let bytes = render(body, secrets)?;
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.counts.sent.fetch_add(length, Ordering::Relaxed);
            builder = builder
                .header("Content-Type", "application/json")
                .body(bytes::Bytes::from_owner(bytes));
        }
        let count = if request.reads {
            &self.counts.reads
        } else {
            &self.counts.writes
        };
        count.fetch_add(1, Ordering::Relaxed);
        let call = async {
            let mut response = builder
                .send()
                .await
                .map_err(|error| error::transport(request, &error))?;
            let status = response.status().as_u16();
            let location = response.headers().get("location").cloned();
            let location = location.as_ref().and_then(|value| value.to_str().ok());
            let bytes = self.body(request, &mut response).await?;
            error::judge(request, secrets, status, location, &bytes)
        };
        match tokio::time::timeout(CALL, call).await {
            Ok(result) => result,
            Err(_) => Err(error::late(request, CALL)),
        }
    }

    /// The body, as far as it may be long.
    async fn body(
        &self,
        request: &Request,
        response: &mut reqwest::Response,
    ) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
        let mut bytes = Zeroizing::new(Vec::new());
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| error::transport(request, &error))?
        {
            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            self.counts.received.fetch_add(length, Ordering::Relaxed);
            if bytes.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(error::too_long(request));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The connection pool, made when it is first needed.
    async fn http(&self) -> Result<&reqwest::Client, ProviderError> {
        self.http.get_or_try_init(|| async { self.build() }).await
    }

    fn build(&self) -> Result<reqwest::Client, ProviderError> {
        let failed = |what: &str, help: &str| {
            ProviderError::new(ErrorKind::Invalid, what.to_owned()).help(help)
        };
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT)
            .user_agent(concat!("remit/", env!("CARGO_PKG_VERSION")));
        if self.base.scheme() == "https" {
            builder = builder.https_only(true);
            if let Some(pem) = &self.ca_pem {
                let wrong = || failed("`ca_pem` holds no certificate", "give it PEM certificates");
                let all =
                    reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| wrong())?;
                if all.is_empty() {
                    return Err(wrong());
                }
                builder = builder.tls_certs_only(all);
            }
        } else {
            // Nothing to verify: a machine without any CA must do.
            builder = builder.tls_certs_only([]);
        }
        if let Some(proxy) = &self.proxy {
            let proxy = reqwest::Proxy::https(proxy.as_str()).map_err(|_| {
                failed(
                    "the proxy from the environment is no URL",
                    "unset HTTPS_PROXY",
                )
            })?;
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|_| {
            failed(
                "no TLS client can be made: the system has no usable CA certificates",
                "install the system's CA certificates, or give `ca_pem`",
            )
        })
    }
}

/// Between half and all of a pause, so that many don't come back at once.
fn jitter(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    pause / 2 + pause.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
}

#[cfg(test)]
mod tests;
