//! Roles that are taken on through an identity provider that is changed.
//!
//! In comes what is changed of one; out go the roles that trust such a provider, each with the
//! provider, on which the action is needed. Who signs what a provider vouches for writes into it
//! what the role's conditions ask for; who has another's token doesn't.

use std::collections::BTreeSet;

use super::table::Change;
use super::{Aim, Asker, aim, subject};
use crate::access::condition::{Context, Truth};
use crate::access::pattern::OTHER;
use crate::access::trust::{self, Caller};
use crate::access::world::ROLE;
use crate::arn::Arn;

impl Change {
    /// The kind of provider, as it stands in ARNs.
    pub(super) const fn provider(self) -> &'static str {
        match self {
            Self::Keys => "saml-provider",
            Self::Thumbprints | Self::Audiences => "oidc-provider",
        }
    }

    /// What more it takes than the action.
    pub(super) const fn depends(self) -> Option<&'static str> {
        match self {
            Self::Keys => None,
            Self::Thumbprints => Some(
                "whether AWS goes by the thumbprint, as it does where no authority that it knows signed the server's certificate, and reaches a server of its own",
            ),
            Self::Audiences => Some("whether it has a token of that issuer for another audience"),
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Keys => "sts:AssumeRoleWithSAML",
            Self::Thumbprints | Self::Audiences => "sts:AssumeRoleWithWebIdentity",
        }
    }

    /// What the keys begin with that the login holds.
    fn prefix(self, provider: &str) -> String {
        match self {
            Self::Keys => "saml:".to_owned(),
            Self::Thumbprints | Self::Audiences => format!("{}:", provider.to_ascii_lowercase()),
        }
    }
}

impl Asker<'_> {
    /// Roles that trust a provider of the kind, once for each.
    pub(super) fn vouched(&self, change: Change) -> Vec<Aim> {
        let mut found = Vec::new();
        for (other, _) in self.others(ROLE) {
            let Some(trust) = other.trust() else {
                continue;
            };
            for provider in trust::named(&trust) {
                let Ok(arn) = Arn::parse(provider) else {
                    continue;
                };
                let Some((kind, name)) = arn.kind_and_rest() else {
                    continue;
                };
                if kind != change.provider() {
                    continue;
                }
                let prefix = change.prefix(name);
                let mut context = Context::default();
                if change == Change::Audiences {
                    context = context.with(&format!("{prefix}aud"), OTHER);
                }
                let caller = Caller::Federated(provider);
                let admission = trust::admits(&trust, &caller, change.action(), &context);
                let mut on = match admission.by_name {
                    Truth::False => continue,
                    Truth::True => BTreeSet::new(),
                    Truth::Depends(on) => on,
                };
                if change != Change::Audiences {
                    on.retain(|key| !key.to_ascii_lowercase().starts_with(&prefix));
                }
                on.extend(change.depends().map(str::to_owned));
                found.push(Aim {
                    depends: on,
                    ..aim(provider, other.title(), subject(other))
                });
            }
        }
        found
    }
}
