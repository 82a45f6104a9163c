//! Resources: any kind, directly.

use remit_sdk::declaration::Resource;
use remit_sdk::schema::Need;
use remit_sdk::{Address, Attribute, Diagnostic, Span, Value};

use super::{Draft, Lowering};
use crate::normal;

impl Lowering<'_> {
    pub(super) fn resources(&mut self) {
        for resource in self.part.resources.clone() {
            self.resource(resource);
        }
    }

    fn resource(&mut self, resource: &Resource) {
        let kind = resource.kind;
        let address = self.address(&resource.address, kind.name);
        let mut draft = Draft::new(address, &resource.lifecycle, resource.span);
        for (name, written) in &resource.attributes {
            if written.value == Value::Null {
                continue;
            }
            let attribute = kind.attribute(name);
            if attribute.is_some_and(|attribute| attribute.need == Need::Computed) {
                let why = format!("`{name}` of `{}` is told by the server", kind.name);
                self.bad_attribute(resource, "attribute can't be set", why, written.span);
                continue;
            }
            if name == "connection_url" && written.value.as_str().is_some_and(holds_password) {
                let why = "the URL holds a password, and a configuration holds no secrets";
                let span = written.span;
                self.mistake(
                    Diagnostic::error("secret written in configuration", why)
                        .help(
                            "write `{{username}}:{{password}}` there, and beside it `username`, \
                             `password = env(\"NAME\")` and `password_version`",
                        )
                        .at(resource.span)
                        .at(span)
                        .about(Address::Declaration(resource.address.clone())),
                );
                continue;
            }
            match normal::normalise(kind, name, &written.value) {
                Ok(value) => draft = draft.set(name, value),
                Err(why) => {
                    let summary = match attribute {
                        None if kind.versioned(name).is_none() => "unknown attribute",
                        _ => "attribute with a wrong value",
                    };
                    self.bad_attribute(resource, summary, why, written.span);
                }
            }
        }
        for attribute in kind.attributes {
            self.check_missing(resource, attribute);
        }
        self.keep(draft);
    }

    fn check_missing(&mut self, resource: &Resource, attribute: &Attribute) {
        let written = |name: &str| {
            resource
                .attributes
                .get(name)
                .filter(|written| written.value != Value::Null)
        };
        if written(attribute.name).is_some() {
            return;
        }
        if attribute.need == Need::Required {
            let why = format!(
                "`{}` needs `{}`: {}",
                resource.kind.name, attribute.name, attribute.summary
            );
            self.bad_attribute(resource, "required attribute missing", why, None);
        }
        let version = format!("{}_version", attribute.name);
        if attribute.write_only
            && let Some(version_written) = written(&version)
        {
            let why = format!(
                "`{version}` says when `{}` is written again, and there is none",
                attribute.name
            );
            let span = version_written.span;
            self.bad_attribute(resource, "version without its secret", why, span);
        }
    }

    fn bad_attribute(
        &mut self,
        resource: &Resource,
        summary: &str,
        why: String,
        span: Option<Span>,
    ) {
        self.mistake(
            Diagnostic::error(summary, why)
                .at(resource.span)
                .at(span)
                .about(Address::Declaration(resource.address.clone())),
        );
    }
}

/// Whether a connection's URL names a password itself, instead of leaving its place to the
/// server: `scheme://user:password@host`.
fn holds_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else {
        return false;
    };
    user.split_once(':')
        .is_some_and(|(_, password)| !password.is_empty() && password != "{{password}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_seen() {
        for url in [
            "postgresql://u:secret@h/x",
            "postgresql://{{username}}:s@h",
            "u:s@tcp(h:1)/x",
        ] {
            assert!(holds_password(url), "{url}");
        }
        for url in [
            "postgresql://{{username}}:{{password}}@h:5432/x",
            "postgresql://u@h/x",
            "postgresql://h:5432/x?a=b:c@d",
            "{{username}}:{{password}}@tcp(h:1)/x",
        ] {
            assert!(!holds_password(url), "{url}");
        }
    }
}
