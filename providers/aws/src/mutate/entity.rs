//! What else IAM holds: OIDC providers, users, groups, instance profiles.
//!
//! In come write requests, out go calls. Sets are changed by difference, and what is taken away
//! goes first. What keeps a user or a group from being deleted is named and left alone; the role
//! of an instance profile is part of it and is let go with it.

use std::collections::BTreeSet;

use remit_sdk::provider::{WriteRequest, Written};
use remit_sdk::text::safe;

use super::role::thing;
use super::wait::Lag;
use super::{
    Failure, Writer, gone, held, is_changed, or_gone, tags, wanted_set, wanted_some, wanted_text,
};
use crate::arn;
use crate::observe::decode::{Tags, iam_tags};

// ---- OIDC providers

impl Writer {
    pub(super) async fn create_provider(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let arn = self.shared.provider_arn(request.key);
        let thumbprints = request.attributes.get("thumbprint_list");
        let thumbprints = thumbprints.map(|_| sorted(wanted_set(request, "thumbprint_list")));
        let sdk = self.sdk().await?;
        let create = sdk
            .iam
            .create_open_id_connect_provider()
            .url(request.key)
            .set_client_id_list(Some(sorted(wanted_set(request, "client_id_list"))))
            .set_thumbprint_list(thumbprints.filter(|all| !all.is_empty()))
            .set_tags(Some(tags::to_iam(&tags::all(request))?));
        self.send(
            &Lag::making(&arn),
            "iam:CreateOpenIDConnectProvider",
            || create.clone().send(),
        )
        .await?;
        Ok(Written::default())
    }

    pub(super) async fn update_provider(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let arn = self.shared.provider_arn(request.key);
        let live = self.shared.get_provider(&arn).await?;
        let live = live.ok_or_else(|| gone(request.kind, request.key))?;
        let lag = Lag::of(&arn);
        let sdk = self.sdk().await?;
        if is_changed(request, "client_id_list") {
            let before: BTreeSet<String> = live.client_id_list().iter().cloned().collect();
            let after = wanted_set(request, "client_id_list");
            for audience in before.difference(&after) {
                let remove = sdk.iam.remove_client_id_from_open_id_connect_provider();
                let remove = remove
                    .open_id_connect_provider_arn(&arn)
                    .client_id(audience);
                self.put(&lag, "iam:RemoveClientIDFromOpenIDConnectProvider", || {
                    remove.clone().send()
                })
                .await?;
            }
            for audience in after.difference(&before) {
                let add = sdk.iam.add_client_id_to_open_id_connect_provider();
                let add = add.open_id_connect_provider_arn(&arn).client_id(audience);
                self.put(&lag, "iam:AddClientIDToOpenIDConnectProvider", || {
                    add.clone().send()
                })
                .await?;
            }
        }
        if is_changed(request, "thumbprint_list") {
            let update = sdk.iam.update_open_id_connect_provider_thumbprint();
            let update = update.open_id_connect_provider_arn(&arn);
            let update =
                update.set_thumbprint_list(Some(sorted(wanted_set(request, "thumbprint_list"))));
            self.put(&lag, "iam:UpdateOpenIDConnectProviderThumbprint", || {
                update.clone().send()
            })
            .await?;
        }
        let changes = tags::changes(request, &iam_tags(live.tags.as_deref()));
        if !changes.remove.is_empty() {
            let untag = sdk.iam.untag_open_id_connect_provider();
            let untag = untag.open_id_connect_provider_arn(&arn);
            let untag = untag.set_tag_keys(Some(changes.remove));
            self.put(&lag, "iam:UntagOpenIDConnectProvider", || {
                untag.clone().send()
            })
            .await?;
        }
        if !changes.set.is_empty() {
            let tag = sdk.iam.tag_open_id_connect_provider();
            let tag = tag.open_id_connect_provider_arn(&arn);
            let tag = tag.set_tags(Some(tags::to_iam(&changes.set)?));
            self.put(&lag, "iam:TagOpenIDConnectProvider", || tag.clone().send())
                .await?;
        }
        Ok(Written::default())
    }

    pub(super) async fn delete_provider(&self, url: &str) -> Result<(), Failure> {
        let arn = self.shared.provider_arn(url);
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_open_id_connect_provider();
        let delete = delete.open_id_connect_provider_arn(&arn);
        self.send(
            &Lag::removing(&arn, &arn),
            "iam:DeleteOpenIDConnectProvider",
            || delete.clone().send(),
        )
        .await?;
        Ok(())
    }
}

fn sorted(all: BTreeSet<String>) -> Vec<String> {
    all.into_iter().collect()
}

// ---- users

/// Users and roles may have the same name; what this run did to the one says nothing of the other.
fn user(name: &str) -> String {
    format!("user/{name}")
}

impl Writer {
    pub(super) async fn create_user(&self, request: &WriteRequest<'_>) -> Result<Written, Failure> {
        let boundary = wanted_some(request, "permissions_boundary");
        let path = wanted_text(request, "path");
        let (partition, account) = (self.shared.client.partition(), self.account());
        let lag = Lag::making(&user(request.key))
            .makes(&arn::user(partition, account, &path, request.key))
            .and(boundary.as_deref().unwrap_or_default());
        let sdk = self.sdk().await?;
        let create = sdk
            .iam
            .create_user()
            .user_name(request.key)
            .path(path)
            .set_permissions_boundary(boundary)
            .set_tags(Some(tags::to_iam(&tags::all(request))?));
        self.send(&lag, "iam:CreateUser", || create.clone().send())
            .await?;
        Ok(Written::default())
    }

    /// A boundary is put first and taken away last.
    pub(super) async fn update_user(&self, request: &WriteRequest<'_>) -> Result<Written, Failure> {
        let boundary = wanted_some(request, "permissions_boundary");
        let bounds = is_changed(request, "permissions_boundary");
        let lag = Lag::of(&user(request.key));
        let sdk = self.sdk().await?;
        if let (true, Some(arn)) = (bounds, &boundary) {
            let put = sdk.iam.put_user_permissions_boundary();
            let put = put.user_name(request.key).permissions_boundary(arn);
            let lag = lag.clone().and(arn);
            self.put(&lag, "iam:PutUserPermissionsBoundary", || {
                put.clone().send()
            })
            .await?;
        }
        if is_changed(request, "path") {
            let update = sdk.iam.update_user().user_name(request.key);
            let update = update.new_path(wanted_text(request, "path"));
            self.put(&lag, "iam:UpdateUser", || update.clone().send())
                .await?;
        }
        // Read now: with another path it has another ARN, which tags may be kept by.
        let live = self.shared.get_user(request.key).await?;
        let live = live.ok_or_else(|| gone(request.kind, request.key))?;
        self.tag_user(request, &iam_tags(live.tags.as_deref()))
            .await?;
        if bounds && boundary.is_none() {
            let delete = sdk.iam.delete_user_permissions_boundary();
            let delete = delete.user_name(request.key);
            let lag = Lag::at(&user(request.key));
            let deleted = self.put(&lag, "iam:DeleteUserPermissionsBoundary", || {
                delete.clone().send()
            });
            or_gone(deleted.await)?;
        }
        Ok(Written::default())
    }

    async fn tag_user(&self, request: &WriteRequest<'_>, live: &Tags) -> Result<(), Failure> {
        let changes = tags::changes(request, live);
        let lag = Lag::of(&user(request.key));
        let sdk = self.sdk().await?;
        if !changes.remove.is_empty() {
            let untag = sdk.iam.untag_user().user_name(request.key);
            let untag = untag.set_tag_keys(Some(changes.remove));
            self.put(&lag, "iam:UntagUser", || untag.clone().send())
                .await?;
        }
        if !changes.set.is_empty() {
            let tag = sdk.iam.tag_user().user_name(request.key);
            let tag = tag.set_tags(Some(tags::to_iam(&changes.set)?));
            self.put(&lag, "iam:TagUser", || tag.clone().send()).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_user(&self, name: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_user().user_name(name);
        let deleted = self
            .send(
                &Lag::removing(&user(name), &user(name)),
                "iam:DeleteUser",
                || delete.clone().send(),
            )
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(&["DeleteConflict"]) => {
                let holders = self.user_holders(name).await?;
                Err(held(name, &holders, failure))
            }
            Err(failure) => Err(failure),
        }
    }

    /// What keeps a user from being deleted: one page of each is enough for a message.
    async fn user_holders(&self, name: &str) -> Result<Vec<String>, Failure> {
        let sdk = self.sdk().await?;
        let client = &self.shared.client;
        let mut all = Vec::new();
        let keys = client.read("iam:ListAccessKeys", || {
            sdk.iam.list_access_keys().user_name(name).send()
        });
        if !keys.await?.access_key_metadata.is_empty() {
            all.push("an access key".to_owned());
        }
        let inline = client.read("iam:ListUserPolicies", || {
            sdk.iam.list_user_policies().user_name(name).send()
        });
        for policy in inline.await?.policy_names {
            all.push(format!("the inline policy `{}`", safe(&policy)));
        }
        let attached = client.read("iam:ListAttachedUserPolicies", || {
            let list = sdk.iam.list_attached_user_policies();
            list.user_name(name).send()
        });
        for policy in attached.await?.attached_policies() {
            let arn = policy.policy_arn().unwrap_or_default();
            all.push(format!("the attached policy `{}`", safe(arn)));
        }
        let groups = client.read("iam:ListGroupsForUser", || {
            sdk.iam.list_groups_for_user().user_name(name).send()
        });
        for group in groups.await?.groups {
            all.push(format!("its membership in `{}`", safe(&group.group_name)));
        }
        let devices = client.read("iam:ListMFADevices", || {
            sdk.iam.list_mfa_devices().user_name(name).send()
        });
        if !devices.await?.mfa_devices.is_empty() {
            all.push("an MFA device".to_owned());
        }
        Ok(all)
    }
}

// ---- groups

fn group(name: &str) -> String {
    format!("group/{name}")
}

impl Writer {
    pub(super) async fn create_group(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let sdk = self.sdk().await?;
        let create = sdk.iam.create_group().group_name(request.key);
        let create = create.path(wanted_text(request, "path"));
        let made = group(request.key);
        self.send(&Lag::making(&made), "iam:CreateGroup", || {
            create.clone().send()
        })
        .await?;
        Ok(Written::default())
    }

    pub(super) async fn update_group(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        if is_changed(request, "path") {
            let sdk = self.sdk().await?;
            let update = sdk.iam.update_group().group_name(request.key);
            let update = update.new_path(wanted_text(request, "path"));
            self.put(&Lag::of(&group(request.key)), "iam:UpdateGroup", || {
                update.clone().send()
            })
            .await?;
        }
        Ok(Written::default())
    }

    pub(super) async fn delete_group(&self, name: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_group().group_name(name);
        let deleted = self
            .send(
                &Lag::removing(&group(name), &group(name)),
                "iam:DeleteGroup",
                || delete.clone().send(),
            )
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(&["DeleteConflict"]) => {
                let holders = self.group_holders(name).await?;
                Err(held(name, &holders, failure))
            }
            Err(failure) => Err(failure),
        }
    }

    /// What keeps a group from being deleted.
    async fn group_holders(&self, name: &str) -> Result<Vec<String>, Failure> {
        let sdk = self.sdk().await?;
        let client = &self.shared.client;
        let mut all = Vec::new();
        let members = client.read("iam:GetGroup", || {
            sdk.iam.get_group().group_name(name).send()
        });
        for member in members.await?.users {
            all.push(format!("its member `{}`", safe(&member.user_name)));
        }
        let inline = client.read("iam:ListGroupPolicies", || {
            sdk.iam.list_group_policies().group_name(name).send()
        });
        for policy in inline.await?.policy_names {
            all.push(format!("the inline policy `{}`", safe(&policy)));
        }
        let attached = client.read("iam:ListAttachedGroupPolicies", || {
            let list = sdk.iam.list_attached_group_policies();
            list.group_name(name).send()
        });
        for policy in attached.await?.attached_policies() {
            let arn = policy.policy_arn().unwrap_or_default();
            all.push(format!("the attached policy `{}`", safe(arn)));
        }
        Ok(all)
    }
}

// ---- instance profiles

fn profile(name: &str) -> String {
    format!("instance-profile/{name}")
}

/// The role that a profile hands out.
pub(super) fn within_profile(name: &str, role: &str) -> String {
    format!("instance-profile/{name}/{role}")
}

impl Writer {
    pub(super) async fn create_profile(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let made = profile(request.key);
        let sdk = self.sdk().await?;
        let create = sdk
            .iam
            .create_instance_profile()
            .instance_profile_name(request.key)
            .path(wanted_text(request, "path"))
            .set_tags(Some(tags::to_iam(&tags::all(request))?));
        self.send(&Lag::making(&made), "iam:CreateInstanceProfile", || {
            create.clone().send()
        })
        .await?;
        if let Some(role) = wanted_some(request, "role") {
            self.add_role(request.key, &role).await?;
        }
        Ok(Written::default())
    }

    pub(super) async fn update_profile(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let live = self.shared.get_profile(request.key).await?;
        let live = live.ok_or_else(|| gone(request.kind, request.key))?;
        if is_changed(request, "role") {
            let role = wanted_some(request, "role");
            let mut is_there = false;
            for held in &live.roles {
                if Some(&held.role_name) == role.as_ref() {
                    is_there = true;
                } else {
                    self.remove_role(request.key, &held.role_name).await?;
                }
            }
            if let Some(role) = role.filter(|_| !is_there) {
                self.add_role(request.key, &role).await?;
            }
        }
        let changes = tags::changes(request, &iam_tags(live.tags.as_deref()));
        let lag = Lag::of(&profile(request.key));
        let sdk = self.sdk().await?;
        if !changes.remove.is_empty() {
            let untag = sdk.iam.untag_instance_profile();
            let untag = untag.instance_profile_name(request.key);
            let untag = untag.set_tag_keys(Some(changes.remove));
            self.put(&lag, "iam:UntagInstanceProfile", || untag.clone().send())
                .await?;
        }
        if !changes.set.is_empty() {
            let tag = sdk.iam.tag_instance_profile();
            let tag = tag.instance_profile_name(request.key);
            let tag = tag.set_tags(Some(tags::to_iam(&changes.set)?));
            self.put(&lag, "iam:TagInstanceProfile", || tag.clone().send())
                .await?;
        }
        Ok(Written::default())
    }

    async fn add_role(&self, name: &str, role: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let add = sdk.iam.add_role_to_instance_profile();
        let add = add.instance_profile_name(name).role_name(role);
        // It says which of the two is missing, so each is waited for by its own name.
        let lag = Lag::of(&profile(name))
            .and(&thing(role))
            .makes(&within_profile(name, role));
        self.send(&lag, "iam:AddRoleToInstanceProfile", || add.clone().send())
            .await
            .map(drop)
    }

    async fn remove_role(&self, name: &str, role: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let remove = sdk.iam.remove_role_from_instance_profile();
        let remove = remove.instance_profile_name(name).role_name(role);
        self.send(
            &Lag::removing(&within_profile(name, role), &profile(name)),
            "iam:RemoveRoleFromInstanceProfile",
            || remove.clone().send(),
        )
        .await?;
        self.run.freed(&profile(name));
        self.run.touched(&thing(role));
        Ok(())
    }

    /// The role it hands out is part of it, and is let go first.
    pub(super) async fn delete_profile(&self, name: &str) -> Result<(), Failure> {
        let live = self.shared.get_profile(name).await?;
        for role in live.iter().flat_map(|live| &live.roles) {
            self.remove_role(name, &role.role_name).await?;
        }
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_instance_profile();
        let delete = delete.instance_profile_name(name);
        self.send(
            &Lag::removing(&profile(name), &profile(name)),
            "iam:DeleteInstanceProfile",
            || delete.clone().send(),
        )
        .await?;
        Ok(())
    }
}
