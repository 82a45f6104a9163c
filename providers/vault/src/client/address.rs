//! Where requests go: the server's address and the proxy on the way, checked before anything is
//! sent. Pure.

use remit_sdk::ProviderError;
use remit_sdk::text::safe;
use url::Url;

/// The address that the block or the environment gives, and which of them.
pub(super) fn given(
    block: Option<&str>,
    first: &dyn Fn(&[&str]) -> Option<String>,
) -> (Option<String>, &'static str) {
    if let Some(address) = block {
        return (Some(address.to_owned()), "from the provider block");
    }
    match first(&["BAO_ADDR"]) {
        Some(address) => (Some(address), "from `BAO_ADDR`"),
        None => (first(&["VAULT_ADDR"]), "from `VAULT_ADDR`"),
    }
}

/// An error of the first requests, with where they went.
pub(super) fn at(
    base: &Url,
    from: &str,
    namespace: Option<&str>,
    mut error: ProviderError,
) -> ProviderError {
    let namespace = namespace.map_or(String::new(), |name| {
        format!(", namespace `{}`", safe(name))
    });
    error.message = format!(
        "{} ({from}){namespace}: {}",
        base.as_str().trim_end_matches('/'),
        error.message
    );
    error
}

/// The address as a base URL that ends in `/`.
pub(super) fn base(address: &str) -> Result<Url, String> {
    let shown = safe(address);
    let mut url = Url::parse(address).map_err(|_| format!("`{shown}` is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address holds a user name or a password".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("the address `{shown}` has a query or a fragment"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(format!(
                "`{shown}` would send the token in clear; plain HTTP is for this machine itself only"
            ));
        }
        _ => return Err(format!("`{shown}` is no https URL")),
    }
    // The path below `/v1` may begin with a namespace, which stands in the block alone: the target
    // would be another than it says.
    let first = url.path().split('/').find(|segment| !segment.is_empty());
    if url.path().contains('%') || first == Some("v1") {
        return Err(format!(
            "the address `{shown}` goes on after the server's own; leave out `/v1` and what follows"
        ));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The proxy that the environment names for the address, under TLS only.
pub(super) fn proxy(base: &Url, first: &dyn Fn(&[&str]) -> Option<String>) -> Option<Url> {
    if base.scheme() != "https" || is_loopback(base) {
        return None;
    }
    let host = base.host_str()?.trim_matches(['[', ']']);
    let excluded = first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let is_excluded = excluded.split(',').map(str::trim).any(|one| {
        let suffix = one.trim_start_matches('.');
        one == "*"
            || (!suffix.is_empty()
                && (host == suffix
                    || host
                        .strip_suffix(suffix)
                        .is_some_and(|rest| rest.ends_with('.'))))
    });
    if is_excluded {
        return None;
    }
    let text = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?;
    let text = if text.contains("://") {
        text
    } else {
        format!("http://{text}")
    };
    Url::parse(&text).ok()
}

/// Host and port, without user name and password.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let text = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    safe(&text)
}
