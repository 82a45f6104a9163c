//! One object, as it is now.
//!
//! In come a kind and a key, out goes the object, or that AWS has none, in so many words. A secret
//! that is scheduled for deletion counts as gone. What AWS has under another spelling of the name
//! is not the object that was asked for, and no absence either.

use aws_sdk_iam::operation::get_role_policy::GetRolePolicyOutput;
use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, Kind, Object, ProviderError, Value};

use super::decode::{self, Held, SecretFacts};
use super::pages::{self, End};
use super::{Shared, malformed};
use crate::arn;
use crate::client::Failure;

/// A reading of one object.
pub(super) type Found = Result<Option<Object>, Failure>;

/// What a key is made of, by name.
pub(crate) fn part(kind: &Kind, key: &str, name: &str) -> Result<String, Failure> {
    let parts = kind.parse_key(key);
    parts
        .and_then(|parts| parts.get(name).and_then(Value::as_str).map(str::to_owned))
        .ok_or_else(|| {
            Failure::own(ProviderError::new(
                ErrorKind::Bug,
                format!("`{}` is no key of {}", safe(key), kind.name),
            ))
        })
}

/// What AWS has under another spelling of a name is in the way of what was asked for.
pub(super) fn taken(kind: &Kind, key: &str, found: &str) -> Failure {
    let how = if kind.name == "aws_iam_policy" {
        "a policy's name is unique whatever its path and its case"
    } else {
        "names that differ in case alone are one to AWS"
    };
    Failure::own(
        ProviderError::new(
            ErrorKind::Conflict,
            format!(
                "`{}` is there already, and {how}, so there can be no {} `{}`",
                safe(found),
                kind.name,
                safe(key)
            ),
        )
        .help("write it exactly as AWS has it, or take another name"),
    )
}

/// The object, if its name is the one asked for to the letter.
fn under(kind: &Kind, key: &str, asked: &str, found: &str) -> Result<(), Failure> {
    if asked == found {
        Ok(())
    } else {
        Err(taken(kind, key, found))
    }
}

/// A not-found as an answer.
fn absent<T>(found: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.is_not_found() => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Shared {
    /// Reads one object.
    pub(crate) async fn fetch(&self, kind: &Kind, key: &str) -> Found {
        match kind.name {
            "aws_iam_role" => self.fetch_role(kind, key).await,
            "aws_iam_role_policy" => self.fetch_role_policy(kind, key).await,
            "aws_iam_policy" => self.fetch_policy(kind, key).await,
            "aws_iam_policy_attachment" => self.fetch_attachment(kind, key).await,
            "aws_iam_openid_connect_provider" => self.fetch_provider(kind, key).await,
            "aws_iam_user" => self.fetch_user(kind, key).await,
            "aws_iam_group" => self.fetch_group(kind, key).await,
            "aws_iam_instance_profile" => self.fetch_profile(kind, key).await,
            "aws_secretsmanager_secret" => self.fetch_secret(kind, key).await,
            _ => Err(Failure::own(ProviderError::new(
                ErrorKind::Bug,
                format!("{} is no kind of AWS's", kind.name),
            ))),
        }
    }

    /// A role as `GetRole` tells it.
    pub(crate) async fn get_role(
        &self,
        name: &str,
    ) -> Result<Option<aws_sdk_iam::types::Role>, Failure> {
        let sdk = self.client.sdk().await?;
        let found = self
            .client
            .read("iam:GetRole", || sdk.iam.get_role().role_name(name).send());
        let Some(answer) = absent(found.await)? else {
            return Ok(None);
        };
        answer.role.map(Some).ok_or_else(|| malformed("GetRole"))
    }

    /// Names of a role's inline policies.
    pub(crate) async fn inline_policies(&self, role: &str) -> Result<Vec<String>, Failure> {
        let sdk = self.client.sdk().await?;
        let pages = pages::all(
            "ListRolePolicies",
            |marker| {
                self.client.read("iam:ListRolePolicies", move || {
                    let list = sdk.iam.list_role_policies().role_name(role);
                    list.set_marker(marker.clone()).send()
                })
            },
            |page| End {
                more: page.is_truncated,
                marker: page.marker.clone(),
            },
        )
        .await?;
        Ok(pages
            .into_iter()
            .flat_map(|page| page.policy_names)
            .collect())
    }

    /// ARNs of the managed policies attached to a role.
    pub(crate) async fn attached_policies(&self, role: &str) -> Result<Vec<String>, Failure> {
        let sdk = self.client.sdk().await?;
        let pages = pages::all(
            "ListAttachedRolePolicies",
            |marker| {
                self.client.read("iam:ListAttachedRolePolicies", move || {
                    let list = sdk.iam.list_attached_role_policies().role_name(role);
                    list.set_marker(marker.clone()).send()
                })
            },
            |page| End {
                more: page.is_truncated,
                marker: page.marker.clone(),
            },
        )
        .await?;
        let mut all = Vec::new();
        for page in pages {
            let found = decode::arns(page.attached_policies());
            all.extend(found.ok_or_else(|| malformed("ListAttachedRolePolicies"))?);
        }
        Ok(all)
    }

    async fn fetch_role(&self, kind: &Kind, key: &str) -> Found {
        let Some(role) = self.get_role(key).await? else {
            return Ok(None);
        };
        under(kind, key, key, &role.role_name)?;
        let (inline, attached) =
            futures_util::future::join(self.inline_policies(key), self.attached_policies(key))
                .await;
        // Gone in between.
        let (Some(inline), Some(attached)) = (absent(inline)?, absent(attached)?) else {
            return Ok(None);
        };
        decode::role(kind, key, &role, None, Held { inline, attached })
            .map(Some)
            .ok_or_else(|| malformed("GetRole"))
    }

    async fn fetch_role_policy(&self, kind: &Kind, key: &str) -> Found {
        let (role, name) = (part(kind, key, "role")?, part(kind, key, "name")?);
        let sdk = self.client.sdk().await?;
        let found = self.client.read("iam:GetRolePolicy", || {
            let get = sdk.iam.get_role_policy().role_name(&role);
            get.policy_name(&name).send()
        });
        let Some(answer) = absent(found.await)? else {
            return Ok(None);
        };
        let GetRolePolicyOutput {
            role_name,
            policy_name,
            policy_document,
            ..
        } = answer;
        under(kind, key, key, &format!("{role_name}/{policy_name}"))?;
        decode::role_policy(kind, key, &policy_document)
            .map(Some)
            .ok_or_else(|| malformed("GetRolePolicy"))
    }

    /// The ARN of a managed policy of this account, by its key.
    pub(crate) fn policy_arn(&self, kind: &Kind, key: &str) -> Result<String, Failure> {
        let (path, name) = (part(kind, key, "path")?, part(kind, key, "name")?);
        let (partition, account) = (self.client.partition(), self.client.account());
        Ok(arn::policy(partition, account, &path, &name))
    }

    /// A managed policy as `GetPolicy` tells it.
    pub(crate) async fn get_policy(
        &self,
        arn: &str,
    ) -> Result<Option<aws_sdk_iam::types::Policy>, Failure> {
        let sdk = self.client.sdk().await?;
        let found = self.client.read("iam:GetPolicy", || {
            sdk.iam.get_policy().policy_arn(arn).send()
        });
        let Some(answer) = absent(found.await)? else {
            return Ok(None);
        };
        answer
            .policy
            .map(Some)
            .ok_or_else(|| malformed("GetPolicy"))
    }

    async fn fetch_policy(&self, kind: &Kind, key: &str) -> Found {
        let arn = self.policy_arn(kind, key)?;
        let Some(policy) = self.get_policy(&arn).await? else {
            return Ok(None);
        };
        let found = policy.arn.clone().unwrap_or_default();
        under(kind, key, &arn, &found)?;
        let version = policy.default_version_id.clone();
        let version = version.ok_or_else(|| malformed("GetPolicy"))?;
        let sdk = self.client.sdk().await?;
        let answer = self.client.read("iam:GetPolicyVersion", || {
            let get = sdk.iam.get_policy_version().policy_arn(&arn);
            get.version_id(&version).send()
        });
        let Some(answer) = absent(answer.await)? else {
            // The default can't be deleted: the policy is gone, or its default is another one by now.
            return match self.get_policy(&arn).await? {
                None => Ok(None),
                Some(_) => Err(Failure::own(ProviderError::new(
                    ErrorKind::Conflict,
                    format!(
                        "{} `{}` is being changed by somebody else",
                        kind.name,
                        safe(key)
                    ),
                ))),
            };
        };
        let document = answer.policy_version.and_then(|version| version.document);
        document
            .and_then(|document| decode::policy(kind, key, &policy, &document))
            .map(Some)
            .ok_or_else(|| malformed("GetPolicyVersion"))
    }

    async fn fetch_attachment(&self, kind: &Kind, key: &str) -> Found {
        let (role, arn) = (part(kind, key, "role")?, part(kind, key, "policy_arn")?);
        let Some(all) = absent(self.attached_policies(&role).await)? else {
            return Ok(None);
        };
        if !all.contains(&arn) {
            return Ok(None);
        }
        decode::attachment(kind, key)
            .map(Some)
            .ok_or_else(|| malformed("ListAttachedRolePolicies"))
    }

    /// The ARN of the OIDC provider of an issuer.
    pub(crate) fn provider_arn(&self, url: &str) -> String {
        arn::oidc_provider(self.client.partition(), self.client.account(), url)
    }

    /// An OIDC provider as `GetOpenIDConnectProvider` tells it.
    pub(crate) async fn get_provider(
        &self,
        arn: &str,
    ) -> Result<
        Option<
            aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput,
        >,
        Failure,
    > {
        let sdk = self.client.sdk().await?;
        let found = self.client.read("iam:GetOpenIDConnectProvider", || {
            let get = sdk.iam.get_open_id_connect_provider();
            get.open_id_connect_provider_arn(arn).send()
        });
        absent(found.await)
    }

    pub(super) async fn fetch_provider(&self, kind: &Kind, key: &str) -> Found {
        let arn = self.provider_arn(key);
        let Some(found) = self.get_provider(&arn).await? else {
            return Ok(None);
        };
        let url = found.url.as_deref().unwrap_or_default();
        under(kind, key, arn::issuer(key), arn::issuer(url))?;
        decode::oidc_provider(kind, key, &arn, &found)
            .map(Some)
            .ok_or_else(|| malformed("GetOpenIDConnectProvider"))
    }

    /// A user as `GetUser` tells it.
    pub(crate) async fn get_user(
        &self,
        name: &str,
    ) -> Result<Option<aws_sdk_iam::types::User>, Failure> {
        let sdk = self.client.sdk().await?;
        let found = self
            .client
            .read("iam:GetUser", || sdk.iam.get_user().user_name(name).send());
        let Some(answer) = absent(found.await)? else {
            return Ok(None);
        };
        answer.user.map(Some).ok_or_else(|| malformed("GetUser"))
    }

    async fn fetch_user(&self, kind: &Kind, key: &str) -> Found {
        let Some(user) = self.get_user(key).await? else {
            return Ok(None);
        };
        under(kind, key, key, &user.user_name)?;
        decode::user(kind, key, &user)
            .map(Some)
            .ok_or_else(|| malformed("GetUser"))
    }

    async fn fetch_group(&self, kind: &Kind, key: &str) -> Found {
        let sdk = self.client.sdk().await?;
        let found = self.client.read("iam:GetGroup", || {
            // Its users are not asked about; one is the least that can be.
            sdk.iam.get_group().group_name(key).max_items(1).send()
        });
        let Some(answer) = absent(found.await)? else {
            return Ok(None);
        };
        let group = answer.group.ok_or_else(|| malformed("GetGroup"))?;
        under(kind, key, key, &group.group_name)?;
        decode::group(kind, key, (&group.path, &group.group_id, &group.arn))
            .map(Some)
            .ok_or_else(|| malformed("GetGroup"))
    }

    /// An instance profile as `GetInstanceProfile` tells it.
    pub(crate) async fn get_profile(
        &self,
        name: &str,
    ) -> Result<Option<aws_sdk_iam::types::InstanceProfile>, Failure> {
        let sdk = self.client.sdk().await?;
        let found = self.client.read("iam:GetInstanceProfile", || {
            let get = sdk.iam.get_instance_profile();
            get.instance_profile_name(name).send()
        });
        let Some(answer) = absent(found.await)? else {
            return Ok(None);
        };
        answer
            .instance_profile
            .map(Some)
            .ok_or_else(|| malformed("GetInstanceProfile"))
    }

    pub(super) async fn fetch_profile(&self, kind: &Kind, key: &str) -> Found {
        let Some(profile) = self.get_profile(key).await? else {
            return Ok(None);
        };
        under(kind, key, key, &profile.instance_profile_name)?;
        decode::instance_profile(kind, key, &profile)
            .map(Some)
            .ok_or_else(|| malformed("GetInstanceProfile"))
    }

    /// A secret as `DescribeSecret` tells it.
    pub(crate) async fn describe(
        &self,
        name: &str,
    ) -> Result<
        Option<aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput>,
        Failure,
    > {
        let sdk = self.client.sdk().await?;
        let found = self.client.read("secretsmanager:DescribeSecret", || {
            sdk.secrets.describe_secret().secret_id(name).send()
        });
        absent(found.await)
    }

    async fn fetch_secret(&self, kind: &Kind, key: &str) -> Found {
        let Some(found) = self.describe(key).await? else {
            return Ok(None);
        };
        let facts = SecretFacts::described(&found).ok_or_else(|| malformed("DescribeSecret"))?;
        under(kind, key, key, &facts.name)?;
        if facts.is_deleted {
            return Ok(None);
        }
        self.with_policy(kind, key, facts).await
    }

    /// A secret with its resource policy, which nothing else tells.
    pub(super) async fn with_policy(&self, kind: &Kind, key: &str, facts: SecretFacts) -> Found {
        let sdk = self.client.sdk().await?;
        let found = self.client.read("secretsmanager:GetResourcePolicy", || {
            let get = sdk.secrets.get_resource_policy();
            get.secret_id(&facts.arn).send()
        });
        let Some(answer) = absent(found.await)? else {
            return Ok(None);
        };
        if answer.arn.is_none() {
            return Err(malformed("GetResourcePolicy"));
        }
        decode::secret(kind, key, facts, answer.resource_policy.as_ref())
            .map(Some)
            .ok_or_else(|| malformed("GetResourcePolicy"))
    }
}
