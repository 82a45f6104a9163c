//! Managed policies and their versions.
//!
//! A change makes a new version that counts at once, in one call, so that there is no moment
//! between two texts. AWS keeps five versions: where five are there the oldest that doesn't count
//! is removed first, which is said. The one that counts is never removed before the policy itself,
//! and a policy that somebody still uses keeps all its versions.

use aws_sdk_iam::types as iam;
use remit_sdk::provider::{WriteRequest, Written};
use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, Kind, ProviderError};

use super::wait::{Lag, Waiting};
use super::{Failure, Writer, gone, held, is_changed, sent, tags, wanted_some, wanted_text};
use crate::document::Use;
use crate::observe::decode::iam_tags;
use crate::observe::{End, all_pages, malformed};

/// How many versions AWS keeps of one policy.
const VERSIONS_MAX: usize = 5;

impl Writer {
    pub(super) async fn create_policy(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let arn = self.shared.policy_arn(request.kind, request.key)?;
        let text = sent(&wanted_text(request, "policy"), Use::Identity);
        let sdk = self.sdk().await?;
        let create = sdk
            .iam
            .create_policy()
            .policy_name(wanted_text(request, "name"))
            .path(wanted_text(request, "path"))
            .policy_document(text)
            .set_description(wanted_some(request, "description"))
            .set_tags(Some(tags::to_iam(&tags::all(request))?));
        self.send(&Lag::making(&arn), "iam:CreatePolicy", || {
            create.clone().send()
        })
        .await?;
        Ok(Written::default())
    }

    pub(super) async fn update_policy(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let arn = self.shared.policy_arn(request.kind, request.key)?;
        let lag = Lag::of(&arn);
        let sdk = self.sdk().await?;
        let mut warnings = Vec::new();
        if is_changed(request, "policy") {
            warnings.extend(self.make_room(&arn).await?);
            let create = sdk
                .iam
                .create_policy_version()
                .policy_arn(&arn)
                .policy_document(sent(&wanted_text(request, "policy"), Use::Identity))
                .set_as_default(true);
            self.send(&lag, "iam:CreatePolicyVersion", || create.clone().send())
                .await?;
        }
        let live = self.shared.get_policy(&arn).await?;
        let live = live.ok_or_else(|| gone(request.kind, request.key))?;
        let changes = tags::changes(request, &iam_tags(live.tags.as_deref()));
        if !changes.remove.is_empty() {
            let untag = sdk.iam.untag_policy().policy_arn(&arn);
            let untag = untag.set_tag_keys(Some(changes.remove));
            self.put(&lag, "iam:UntagPolicy", || untag.clone().send())
                .await?;
        }
        if !changes.set.is_empty() {
            let tag = sdk.iam.tag_policy().policy_arn(&arn);
            let tag = tag.set_tags(Some(tags::to_iam(&changes.set)?));
            self.put(&lag, "iam:TagPolicy", || tag.clone().send())
                .await?;
        }
        Ok(Written { warnings })
    }

    /// All versions of a policy.
    async fn versions(&self, arn: &str) -> Result<Vec<iam::PolicyVersion>, Failure> {
        let sdk = self.sdk().await?;
        let pages = all_pages(
            "ListPolicyVersions",
            |marker| {
                self.shared.client.read("iam:ListPolicyVersions", move || {
                    let list = sdk.iam.list_policy_versions().policy_arn(arn);
                    list.set_marker(marker.clone()).send()
                })
            },
            |page| End {
                more: page.is_truncated,
                marker: page.marker.clone(),
            },
        )
        .await?;
        let versions = pages
            .into_iter()
            .flat_map(|page| page.versions.unwrap_or_default());
        Ok(versions.collect())
    }

    /// Removes the oldest version that doesn't count, where there is no room for another one.
    async fn make_room(&self, arn: &str) -> Result<Option<String>, Failure> {
        let versions = self.versions(arn).await?;
        if versions.len() < VERSIONS_MAX {
            return Ok(None);
        }
        let Some(oldest) = oldest(&versions) else {
            return Err(malformed("ListPolicyVersions"));
        };
        self.delete_version(arn, oldest).await?;
        self.run.freed(arn);
        Ok(Some(format!(
            "version `{}` of `{}` was removed: AWS keeps {VERSIONS_MAX}, and it was the oldest that did not count",
            safe(oldest),
            safe(arn)
        )))
    }

    async fn delete_version(&self, arn: &str, version: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_policy_version();
        let delete = delete.policy_arn(arn).version_id(version);
        let thing = format!("{arn}/{version}");
        self.send(
            &Lag::removing(&thing, arn),
            "iam:DeletePolicyVersion",
            || delete.clone().send(),
        )
        .await
        .map(drop)
    }

    pub(super) async fn delete_policy(&self, kind: &Kind, key: &str) -> Result<(), Failure> {
        let arn = self.shared.policy_arn(kind, key)?;
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_policy().policy_arn(&arn);
        let mut waiting = Waiting::new();
        loop {
            // Its versions can't be put back, so who uses it is asked before they go.
            let users = self.users_of(&arn).await?;
            if !users.is_empty() {
                let error = ProviderError::new(ErrorKind::Conflict, "it is in use");
                return Err(held(&arn, &users, Failure::own(error)));
            }
            for version in self.versions(&arn).await? {
                if let (false, Some(id)) = (version.is_default_version, &version.version_id) {
                    self.delete_version(&arn, id).await?;
                }
            }
            let deleted = self
                .send(&Lag::removing(&arn, &arn), "iam:DeletePolicy", || {
                    delete.clone().send()
                })
                .await;
            let failure = match deleted {
                Ok(_) => return Ok(()),
                Err(failure) if failure.is(&["DeleteConflict"]) => failure,
                Err(failure) => return Err(failure),
            };
            // What this run detached may still count for a moment.
            let is_lag = self.run.has_touched(&arn);
            match waiting.next().filter(|_| is_lag) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(failure),
            }
        }
    }

    /// Who a policy is attached to or bounds, but for what this writer detached already.
    async fn users_of(&self, arn: &str) -> Result<Vec<String>, Failure> {
        let sdk = self.sdk().await?;
        let pages = all_pages(
            "ListEntitiesForPolicy",
            |marker| {
                self.shared
                    .client
                    .read("iam:ListEntitiesForPolicy", move || {
                        let list = sdk.iam.list_entities_for_policy().policy_arn(arn);
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
        for page in &pages {
            let roles = page
                .policy_roles()
                .iter()
                .map(|one| ("role", &one.role_name));
            let users = page
                .policy_users()
                .iter()
                .map(|one| ("user", &one.user_name));
            let groups = page
                .policy_groups()
                .iter()
                .map(|one| ("group", &one.group_name));
            for (kind, name) in roles.chain(users).chain(groups) {
                let name = name.as_deref().unwrap_or_default();
                let is_past = self.run.has_removed(&format!("{kind}/{name}/{arn}"))
                    || self.run.has_removed(&format!("{kind}/{name}"));
                if !is_past {
                    all.push(format!("the {kind} `{}` that has it", safe(name)));
                }
            }
        }
        Ok(all)
    }
}

/// The oldest version that doesn't count: they are numbered in the order they were made.
fn oldest(versions: &[iam::PolicyVersion]) -> Option<&str> {
    versions
        .iter()
        .filter(|version| !version.is_default_version)
        .filter_map(|version| version.version_id.as_deref())
        .min_by_key(|id| {
            id.trim_start_matches('v')
                .parse::<u64>()
                .unwrap_or(u64::MAX)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, is_default: bool) -> iam::PolicyVersion {
        iam::PolicyVersion::builder()
            .version_id(id)
            .is_default_version(is_default)
            .build()
    }

    #[test]
    fn the_version_that_counts_is_never_the_oldest() {
        let all = [
            version("v10", false),
            version("v2", true),
            version("v9", false),
            version("v3", false),
        ];
        assert_eq!(oldest(&all), Some("v3"));
        assert_eq!(oldest(&[version("v1", true)]), None);
    }
}
