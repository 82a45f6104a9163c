//! Secrets that come from outside: the environment and file descriptors. Used only while applying.
//!
//! In: `--secret-fd NAME=FD`. Out: a secret for a reference, in memory that is wiped. What is
//! read from a descriptor is read once and kept, since a pipe gives it only once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use remit_sdk::{Diagnostic, ErrorKind, ProviderError, Secret, SecretRef, text};

/// The largest secret: keys and certificates are a few kilobytes.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// What was read from file descriptors, by the variable's name.
#[derive(Default)]
pub(super) struct Secrets {
    variables: BTreeMap<String, Secret>,
}

/// `NAME=FD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretFd {
    /// The variable.
    pub(super) name: String,
    /// The descriptor.
    fd: u32,
}

impl std::str::FromStr for SecretFd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = || "written NAME=FD, such as erp_password=3".to_owned();
        let (name, fd) = text.split_once('=').ok_or_else(shape)?;
        let fd = fd.parse().map_err(|_| shape())?;
        Ok(Self {
            name: name.to_owned(),
            fd,
        })
    }
}

impl Secrets {
    /// Reads the descriptors.
    pub(super) fn read(descriptors: &[SecretFd]) -> Result<Self, Vec<Diagnostic>> {
        let mut secrets = Self::default();
        for one in descriptors {
            let secret = read(one.fd).map_err(|why| {
                vec![Diagnostic::error(
                    "secret can't be read",
                    format!("--secret-fd {}={}: {why}", text::safe(&one.name), one.fd),
                )]
            })?;
            secrets.variables.insert(one.name.clone(), secret);
        }
        Ok(secrets)
    }

    /// The secret that a reference stands for.
    pub(super) fn get(&self, reference: &SecretRef) -> Result<Secret, ProviderError> {
        let missing =
            |what: String, help: String| ProviderError::new(ErrorKind::Invalid, what).help(help);
        match reference {
            SecretRef::Env(name) => match std::env::var(name) {
                Ok(text) if text.is_empty() => Err(missing(
                    format!("{reference}: the variable is set and empty, and no secret is"),
                    format!("give {} a value before applying", text::safe(name)),
                )),
                Ok(text) => Ok(Secret::new(text)),
                Err(_) => Err(missing(
                    format!("{reference}: the environment has no such variable"),
                    format!("set {} before applying", text::safe(name)),
                )),
            },
            SecretRef::Variable(name) => {
                if let Some(secret) = self.variables.get(name) {
                    return Ok(Secret::new(secret.expose().to_owned()));
                }
                let variable = format!("REMIT_VAR_{name}");
                match std::env::var(&variable) {
                    Ok(text) if text.is_empty() => Err(missing(
                        format!("{reference}: its value is empty, and no secret is"),
                        format!("give {} a value before applying", text::safe(&variable)),
                    )),
                    Ok(text) => Ok(Secret::new(text)),
                    Err(_) => Err(missing(
                        format!("{reference}: nobody gave its value"),
                        format!(
                            "set {} or give --secret-fd {}=FD",
                            text::safe(&variable),
                            text::safe(name)
                        ),
                    )),
                }
            }
            SecretRef::Vault { .. } | SecretRef::AwsSecret(_) => Err(missing(
                format!("{reference} lives in a target that this run doesn't talk to"),
                "declare the provider that holds it".into(),
            )),
        }
    }
}

/// Everything a descriptor gives, without the newline at its end.
fn read(fd: u32) -> Result<Secret, String> {
    let file = File::open(format!("/dev/fd/{fd}")).map_err(|error| error.to_string())?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Vec::with_capacity(SECRET_BYTES_MAX + 1);
    file.take(SECRET_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(format!("it holds more than {SECRET_BYTES_MAX} bytes"));
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    if text.is_empty() {
        return Err("it is empty".into());
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_descriptor_gives_its_text() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hunter2\n").unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let given: SecretFd = format!("db={}", file.as_raw_fd()).parse().unwrap();
        let secrets = Secrets::read(&[given]).unwrap();
        let secret = secrets.get(&SecretRef::Variable("db".into()));
        assert_eq!(secret.ok().unwrap().expose(), "hunter2");
        let other = secrets.get(&SecretRef::Variable("other".into()));
        assert!(
            other
                .err()
                .unwrap()
                .help
                .unwrap()
                .contains("--secret-fd other=FD")
        );
    }

    #[test]
    fn the_form_is_checked() {
        for wrong in ["db", "db=", "db=x", "=", "db=-1"] {
            assert!(wrong.parse::<SecretFd>().is_err(), "{wrong}");
        }
    }
}
