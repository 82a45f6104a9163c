//! Where requests go: endpoints instead of AWS's own, and the proxy on the way, checked before
//! anything is sent. Pure.
//!
//! In come the block's endpoint and what the environment names, out go URLs or what is wrong with
//! them. Plain HTTP is for this machine itself only, and never goes through a proxy. What a
//! profile names as an endpoint is not looked at: it is no part of what was reviewed.

use remit_sdk::text::safe;
use url::Url;

/// A service that remit talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Sts,
    SecretsManager,
}

impl Service {
    /// Of an operation as permissions name it: `iam:CreateRole`.
    pub(super) fn of(operation: &str) -> Self {
        match operation.split_once(':') {
            Some(("sts", _)) => Self::Sts,
            Some(("secretsmanager", _)) => Self::SecretsManager,
            _ => Self::Iam,
        }
    }

    /// What people call it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Iam => "IAM",
            Self::Sts => "STS",
            Self::SecretsManager => "Secrets Manager",
        }
    }

    /// The environment variable that AWS's own tools read for it.
    const fn variable(self) -> &'static str {
        match self {
            Self::Iam => "AWS_ENDPOINT_URL_IAM",
            Self::Sts => "AWS_ENDPOINT_URL_STS",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }
}

/// Endpoints that are not AWS's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) iam: Option<Url>,
    pub(super) sts: Option<Url>,
    pub(super) secrets_manager: Option<Url>,
}

impl Endpoints {
    /// The block's endpoint for every service, else what the environment names; every mistake is
    /// in the second part of the result, with the setting it is in.
    pub(super) fn find(
        written: Option<&str>,
        first: &dyn Fn(&[&str]) -> Option<String>,
    ) -> (Self, Vec<String>) {
        let mut mistakes = Vec::new();
        let mut of = |service: Service| {
            let (setting, text) = match written {
                Some(text) => ("endpoint".to_owned(), text.to_owned()),
                None => [service.variable(), "AWS_ENDPOINT_URL"]
                    .iter()
                    .find_map(|name| first(&[name]).map(|text| ((*name).to_owned(), text)))?,
            };
            match check(&text) {
                Ok(url) => Some(url),
                Err(why) => {
                    mistakes.push(format!("`{setting}`: {why}"));
                    None
                }
            }
        };
        let found = Self {
            iam: of(Service::Iam),
            sts: of(Service::Sts),
            secrets_manager: of(Service::SecretsManager),
        };
        mistakes.dedup();
        (found, mistakes)
    }

    pub(super) fn get(&self, service: Service) -> Option<&Url> {
        match service {
            Service::Iam => self.iam.as_ref(),
            Service::Sts => self.sts.as_ref(),
            Service::SecretsManager => self.secrets_manager.as_ref(),
        }
    }

    /// Whether any request may leave this machine.
    pub(super) fn leaves_machine(&self) -> bool {
        [&self.iam, &self.sts, &self.secrets_manager]
            .into_iter()
            .any(|url| url.as_ref().is_none_or(|url| !is_loopback(url)))
    }
}

/// An endpoint as a URL.
fn check(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("`{}` is no URL", safe(text)))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user name or a password".into());
    }
    let shown = safe(text);
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{shown}` has a query or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(format!(
            "`{shown}` would send everything in clear; plain HTTP is for this machine itself only"
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

/// The proxy that the environment names, for what goes over TLS.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) url: Url,
    /// Hosts that are reached without it.
    pub(super) excluded: String,
}

impl Proxy {
    pub(super) fn find(
        endpoints: &Endpoints,
        first: &dyn Fn(&[&str]) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        if !endpoints.leaves_machine() {
            return Ok(None);
        }
        let excluded = first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
        if excluded.split(',').any(|one| one.trim() == "*") {
            return Ok(None);
        }
        let Some(text) = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) else {
            return Ok(None);
        };
        let text = if text.contains("://") {
            text
        } else {
            format!("http://{text}")
        };
        // The text may hold a password, so it is not quoted.
        let url = Url::parse(&text)
            .map_err(|_| "the proxy that the environment names is no URL".to_owned())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "the environment names a proxy of the kind `{}`, and only http and https can be used",
                safe(url.scheme())
            ));
        }
        Ok(Some(Self { url, excluded }))
    }

    /// Host and port, without user name and password.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        safe(&match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(all: &'a [(&'a str, &'a str)]) -> impl Fn(&[&str]) -> Option<String> + 'a {
        move |names| {
            names.iter().find_map(|name| {
                let found = all.iter().find(|(one, _)| one == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        }
    }

    #[test]
    fn the_block_wins_then_the_service_then_all() {
        let set = [
            ("AWS_ENDPOINT_URL", "https://all.example.com"),
            ("AWS_ENDPOINT_URL_STS", "https://sts.example.com"),
        ];
        let (found, mistakes) = Endpoints::find(None, &environment(&set));
        assert!(mistakes.is_empty());
        let host = |service| {
            found
                .get(service)
                .and_then(Url::host_str)
                .map(str::to_owned)
        };
        assert_eq!(host(Service::Sts).as_deref(), Some("sts.example.com"));
        assert_eq!(host(Service::Iam).as_deref(), Some("all.example.com"));
        let (found, _) = Endpoints::find(Some("http://127.0.0.1:4566"), &environment(&set));
        for url in [&found.iam, &found.sts, &found.secrets_manager] {
            assert_eq!(
                url.as_ref().map(Url::as_str),
                Some("http://127.0.0.1:4566/")
            );
        }
        assert!(!found.leaves_machine());
        let (none, _) = Endpoints::find(None, &environment(&[]));
        assert_eq!(none, Endpoints::default());
        assert!(none.leaves_machine());
    }

    #[test]
    fn what_would_go_in_clear_is_refused_once() {
        for (text, says) in [
            ("http://iam.example.com", "in clear"),
            ("iam.example.com", "no URL"),
            ("ftp://iam.example.com", "no https URL"),
            ("https://a:b@iam.example.com", "a password"),
            ("https://iam.example.com/?x", "a query"),
        ] {
            let set = [("AWS_ENDPOINT_URL", text)];
            let (_, mistakes) = Endpoints::find(None, &environment(&set));
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert!(mistakes[0].contains(says), "{mistakes:?}");
            assert!(mistakes[0].starts_with("`AWS_ENDPOINT_URL`"));
        }
        let set = [("AWS_ENDPOINT_URL", "https://u:hunter2@x")];
        let (_, mistakes) = Endpoints::find(None, &environment(&set));
        assert!(!mistakes[0].contains("hunter2"));
    }

    #[test]
    fn a_proxy_is_for_what_leaves_the_machine() {
        let set = [("HTTPS_PROXY", "u:hunter2@proxy.example.com:3128")];
        let away = Endpoints::default();
        let proxy = Proxy::find(&away, &environment(&set)).unwrap().unwrap();
        assert_eq!(proxy.host(), "proxy.example.com:3128");
        let (here, _) = Endpoints::find(Some("http://[::1]:5000"), &environment(&set));
        assert!(Proxy::find(&here, &environment(&set)).unwrap().is_none());
        let none = [("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", "a, *")];
        assert!(Proxy::find(&away, &environment(&none)).unwrap().is_none());
        let socks = [("ALL_PROXY", "socks5://u:hunter2@proxy")];
        let why = Proxy::find(&away, &environment(&socks)).err().unwrap();
        assert!(why.contains("socks5") && !why.contains("hunter2"), "{why}");
    }
}
