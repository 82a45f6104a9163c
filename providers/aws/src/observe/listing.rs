//! The lists that tell many objects at once.
//!
//! In comes which types of objects are needed, out come the lists' contents by name. Each list is
//! read whole or is an error: a part of one would make what it leaves out look absent. Which
//! objects such an error concerns is for the caller to say.

use std::collections::BTreeMap;

use aws_sdk_iam::types as iam;
use aws_sdk_iam::types::EntityType;
use aws_sdk_secretsmanager::operation::list_secrets::ListSecretsOutput;

use super::decode::SecretFacts;
use super::pages::{self, End};
use super::{Shared, malformed};
use crate::client::Failure;

/// Objects on a page of IAM: its maximum.
const IAM_PAGE: i32 = 1000;

/// Secrets on a page: the maximum.
const SECRETS_PAGE: i32 = 100;

/// All of IAM that `GetAccountAuthorizationDetails` was asked for, by name; policies by ARN.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) roles: BTreeMap<String, iam::RoleDetail>,
    pub(super) users: BTreeMap<String, iam::UserDetail>,
    pub(super) groups: BTreeMap<String, iam::GroupDetail>,
    pub(super) policies: BTreeMap<String, iam::ManagedPolicyDetail>,
}

impl Shared {
    /// Everything of these types, with its policies.
    pub(super) async fn list_account(&self, types: &[EntityType]) -> Result<Account, Failure> {
        const OPERATION: &str = "GetAccountAuthorizationDetails";
        let sdk = self.client.sdk().await?;
        let pages = pages::all(
            OPERATION,
            |marker| {
                self.client
                    .read("iam:GetAccountAuthorizationDetails", move || {
                        let get = sdk.iam.get_account_authorization_details();
                        let get = get.set_filter(Some(types.to_vec())).max_items(IAM_PAGE);
                        get.set_marker(marker.clone()).send()
                    })
            },
            |page| End {
                more: page.is_truncated,
                marker: page.marker.clone(),
            },
        )
        .await?;
        let mut found = Account::default();
        for page in pages {
            let whole = (|| {
                for role in page.role_detail_list.unwrap_or_default() {
                    found.roles.insert(role.role_name.clone()?, role);
                }
                for user in page.user_detail_list.unwrap_or_default() {
                    found.users.insert(user.user_name.clone()?, user);
                }
                for group in page.group_detail_list.unwrap_or_default() {
                    found.groups.insert(group.group_name.clone()?, group);
                }
                for policy in page.policies.unwrap_or_default() {
                    found.policies.insert(policy.arn.clone()?, policy);
                }
                Some(())
            })();
            whole.ok_or_else(|| malformed(OPERATION))?;
        }
        Ok(found)
    }

    /// All roles, for what the other list leaves out.
    pub(super) async fn list_roles(&self) -> Result<BTreeMap<String, iam::Role>, Failure> {
        let sdk = self.client.sdk().await?;
        let pages = pages::all(
            "ListRoles",
            |marker| {
                self.client.read("iam:ListRoles", move || {
                    let list = sdk.iam.list_roles().max_items(IAM_PAGE);
                    list.set_marker(marker.clone()).send()
                })
            },
            |page| End {
                more: page.is_truncated,
                marker: page.marker.clone(),
            },
        )
        .await?;
        let roles = pages.into_iter().flat_map(|page| page.roles);
        Ok(roles.map(|role| (role.role_name.clone(), role)).collect())
    }

    /// ARNs of all OIDC providers; this list has no pages.
    pub(super) async fn list_providers(&self) -> Result<Vec<String>, Failure> {
        let sdk = self.client.sdk().await?;
        let answer = self
            .client
            .read("iam:ListOpenIDConnectProviders", || {
                sdk.iam.list_open_id_connect_providers().send()
            })
            .await?;
        let all = answer.open_id_connect_provider_list.unwrap_or_default();
        all.into_iter()
            .map(|provider| {
                provider
                    .arn
                    .ok_or_else(|| malformed("ListOpenIDConnectProviders"))
            })
            .collect()
    }

    /// All secrets, those that are scheduled for deletion too.
    pub(super) async fn list_secrets(&self) -> Result<BTreeMap<String, SecretFacts>, Failure> {
        let sdk = self.client.sdk().await?;
        let pages = pages::all(
            "ListSecrets",
            |marker| {
                self.client.read("secretsmanager:ListSecrets", move || {
                    let list = sdk.secrets.list_secrets().include_planned_deletion(true);
                    let list = list.max_results(SECRETS_PAGE);
                    list.set_next_token(marker.clone()).send()
                })
            },
            |page| End {
                more: page.next_token.is_some(),
                marker: page.next_token.clone(),
            },
        )
        .await?;
        let mut all = BTreeMap::new();
        for entry in pages.iter().flat_map(ListSecretsOutput::secret_list) {
            let facts = SecretFacts::listed(entry).ok_or_else(|| malformed("ListSecrets"))?;
            // Of two of one name, one is being deleted.
            if !(facts.is_deleted && all.contains_key(&facts.name)) {
                all.insert(facts.name.clone(), facts);
            }
        }
        Ok(all)
    }
}
