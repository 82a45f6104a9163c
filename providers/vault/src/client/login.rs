//! The token: come by once, renewed while it is needed, revoked at the end if it was made for
//! this run. It is never written anywhere.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, ProviderError, Secret};
use serde_json::{Map, Value as Json};

use super::{Answer, Client, Request, error};
use crate::settings::{Login, Source};
use crate::wire;

/// The longest token or file of one that is taken; JWTs with many groups have some kilobytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A token and how long it lives.
pub(super) struct Session {
    token: Secret,
    /// Whether this run made it, and so ends it.
    own: bool,
    life: Mutex<Option<Life>>,
}

/// The life of a token that can be renewed.
#[derive(Clone, Copy)]
struct Life {
    since: Instant,
    seconds: u64,
}

impl Session {
    fn new(token: Secret, own: bool, seconds: u64, renewable: bool) -> Self {
        let life = (renewable && seconds > 0).then(|| Life {
            since: Instant::now(),
            seconds,
        });
        Self {
            token,
            own,
            life: Mutex::new(life),
        }
    }

    /// The token as a header that logs don't show.
    pub(super) fn header(&self) -> Result<reqwest::header::HeaderValue, ProviderError> {
        let mut header =
            reqwest::header::HeaderValue::from_str(self.token.expose()).map_err(|_| {
                ProviderError::new(
                    ErrorKind::Denied,
                    "the token holds characters that no token has",
                )
            })?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Renews the token once half of its life is over. A failure is not the request's: if the
    /// token is really dead, the request itself says so.
    pub(super) async fn renew_if_due(&self, client: &Client) {
        let due = {
            let Ok(mut life) = self.life.lock() else {
                return;
            };
            let due =
                life.filter(|life| life.since.elapsed() > Duration::from_secs(life.seconds) / 2);
            if let (Some(_), Some(life)) = (due, life.as_mut()) {
                // Whoever comes next in the meantime doesn't renew too.
                life.since = Instant::now();
            }
            due.is_some()
        };
        if !due {
            return;
        }
        let request = Request::post("auth/token/renew-self", Map::new());
        let renewed = client.once(&request, &[], Some(self), true).await;
        let life = renewed.ok().as_ref().and_then(life);
        if let (Some((seconds, renewable)), Ok(mut current)) = (life, self.life.lock()) {
            *current = (renewable && seconds > 0).then(|| Life {
                since: Instant::now(),
                seconds,
            });
        }
    }
}

/// Seconds to live and whether that can be renewed, from an answer's `auth`.
fn life(answer: &Answer) -> Option<(u64, bool)> {
    let auth = answer.0.get("auth")?;
    Some((
        auth.get("lease_duration")?.as_u64()?,
        auth.get("renewable")?.as_bool()?,
    ))
}

impl Client {
    /// The session, begun when it is first needed.
    pub(super) async fn session(&self) -> Result<std::sync::Arc<Session>, ProviderError> {
        self.session
            .get_or_try_init(|| async { self.begin().await.map(std::sync::Arc::new) })
            .await
            .cloned()
    }

    async fn begin(&self) -> Result<Session, ProviderError> {
        match &self.login {
            Login::Default => self.adopt(self.default_token()?).await,
            Login::Token(source) => self.adopt(self.given(source)?).await,
            Login::Approle {
                mount,
                role_id,
                secret_id,
            } => {
                let secret = self.given(secret_id)?;
                self.log_in(mount, ("role_id", role_id), ("secret_id", &secret))
                    .await
            }
            Login::Jwt { mount, role, token } => {
                let secret = self.given(token)?;
                self.log_in(mount, ("role", role), ("jwt", &secret)).await
            }
        }
    }

    async fn log_in(
        &self,
        mount: &str,
        name: (&str, &str),
        secret: (&str, &Secret),
    ) -> Result<Session, ProviderError> {
        let mount: Vec<_> = mount.split('/').map(wire::encode_segment).collect();
        let path = format!("auth/{}/login", mount.join("/"));
        let body = Map::from_iter([(name.0.to_owned(), Json::from(name.1))]);
        // A login that is lost leaves a token behind that dies by its TTL: it may be repeated.
        let request = Request::lookup(path, body);
        let answer = self
            .repeat(&request, &[secret], None, true)
            .await
            .map_err(|error| {
                let help = "look at the role and its bindings, and at the credential it is given";
                ProviderError::new(error.kind, format!("login failed: {}", error.message))
                    .help(help)
            })?;
        let token = answer
            .0
            .get("auth")
            .and_then(|auth| auth.get("client_token"))
            .and_then(Json::as_str)
            .filter(|token| !token.is_empty());
        let Some(token) = token else {
            let message = format!("{}: the answer holds no token", error::what(&request));
            return Err(ProviderError::new(ErrorKind::Invalid, message));
        };
        let (seconds, renewable) = life(&answer).unwrap_or((0, false));
        Ok(Session::new(
            Secret::new(token.to_owned()),
            true,
            seconds,
            renewable,
        ))
    }

    /// Takes a token that somebody else made: asks how long it lives, so that it is renewed; a
    /// token that may not look at itself is used as it is.
    async fn adopt(&self, token: Secret) -> Result<Session, ProviderError> {
        let session = Session::new(token, false, 0, false);
        let request = Request::get("auth/token/lookup-self");
        let (seconds, renewable) = match self.repeat(&request, &[], Some(&session), true).await {
            Ok(answer) => {
                let data = answer.data();
                (
                    data.get("ttl").and_then(Json::as_u64).unwrap_or(0),
                    data.get("renewable")
                        .and_then(Json::as_bool)
                        .unwrap_or(false),
                )
            }
            Err(error) if error.kind == ErrorKind::Denied => {
                self.is_known(&session).await?;
                (0, false)
            }
            Err(error) => return Err(error),
        };
        Ok(Session::new(session.token, false, seconds, renewable))
    }

    /// Refuses a token that may not even ask what it may do: it is dead, or not this server's.
    async fn is_known(&self, session: &Session) -> Result<(), ProviderError> {
        let paths = Json::from(vec!["auth/token/lookup-self"]);
        let body = Map::from_iter([("paths".to_owned(), paths)]);
        let request = Request::lookup("sys/capabilities-self", body);
        match self.repeat(&request, &[], Some(session), true).await {
            Err(error) if error.kind == ErrorKind::Denied => Err(ProviderError::new(
                ErrorKind::Denied,
                "the server refuses the token",
            )
            .help(
                "it has ended, was revoked, or is another server's or namespace's; if it is none of these, its \
                 policies lack `update` on `sys/capabilities-self`, which remit needs",
            )),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    fn default_token(&self) -> Result<Secret, ProviderError> {
        if let Some(secret) = &self.given.secret {
            return Ok(Secret::new(secret.expose().to_owned()));
        }
        let home = self.given.home.as_deref().filter(|home| !home.is_empty());
        let found = home.map(|home| std::path::Path::new(home).join(".vault-token"));
        match found.filter(|path| path.exists()) {
            Some(path) => read(&path),
            None => Err(
                ProviderError::new(ErrorKind::Denied, "there is no token to log in with").help(
                    "set `BAO_TOKEN` or `VAULT_TOKEN`, run `bao login`, or write a `login` block",
                ),
            ),
        }
    }

    /// The login's secret: from the environment as it was, or from its file as it is now.
    fn given(&self, source: &Source) -> Result<Secret, ProviderError> {
        match (source, &self.given.secret) {
            (Source::File(path), _) => read(std::path::Path::new(path)),
            (Source::Env(_), Some(secret)) => Ok(Secret::new(secret.expose().to_owned())),
            (Source::Env(name), None) => Err(ProviderError::new(
                ErrorKind::Denied,
                format!("the environment variable `{}` is not set", safe(name)),
            )),
        }
    }

    /// Ends the session: a token that was made for this run is revoked, another one is left.
    pub(crate) async fn close(&self) -> Result<(), ProviderError> {
        let Some(session) = self.session.get().filter(|session| session.own) else {
            return Ok(());
        };
        let request = Request::post("auth/token/revoke-self", Map::new());
        match self.repeat(&request, &[], Some(session), true).await {
            // Dead already.
            Err(error) if error.kind != ErrorKind::Denied => Err(error),
            _ => Ok(()),
        }
    }
}

fn read(path: &std::path::Path) -> Result<Secret, ProviderError> {
    use std::io::Read as _;
    let failed = |why: &str| {
        ProviderError::new(
            ErrorKind::Denied,
            format!(
                "`{}`, which the login needs, {why}",
                safe(&path.display().to_string())
            ),
        )
    };
    let mut text = zeroize::Zeroizing::new(String::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|_| failed("can't be read"))?;
    match text.trim() {
        "" => Err(failed("is empty")),
        _ if text.len() as u64 > SECRET_BYTES_MAX => Err(failed("is too long for a token")),
        trimmed => Ok(Secret::new(trimmed.to_owned())),
    }
}
