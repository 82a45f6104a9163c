//! Roles, their inline policies and what is attached to them.
//!
//! A role is made in one call. Its changes come in an order in which nobody can do, at any
//! instant, more than before or after: what an exclusive list doesn't name goes first, a boundary
//! is put before the door is opened wider and taken away after it is narrowed, and where neither
//! order would do, the door is shut in between. Sessions that are out already keep what the role
//! may do, whatever its trust says.

use std::collections::BTreeSet;

use aws_sdk_iam::types as iam;
use remit_sdk::provider::{WriteRequest, Written};
use remit_sdk::text::safe;
use remit_sdk::{Kind, Value};

use super::entity::within_profile;
use super::wait::{Lag, Waiting};
use super::{
    Failure, Writer, gone, held, is_changed, or_gone, sent, tags, wanted, wanted_set, wanted_some,
    wanted_text,
};
use crate::arn;
use crate::document::{self, Use};
use crate::observe::decode::iam_tags;
use crate::observe::part;

/// A trust policy that lets nobody in: it has no statement that allows anything.
const NOBODY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}"#;

/// A role, as what this writer did to it is noted.
pub(super) fn thing(name: &str) -> String {
    format!("role/{name}")
}

/// What a role holds: an inline policy by its name, an attached one by its ARN.
pub(super) fn within(role: &str, held: &str) -> String {
    format!("role/{role}/{held}")
}

/// One of the calls that change who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Let nobody in.
    Shut,
    /// Put the boundary that is wanted, or take it away.
    Boundary,
    /// Let in who is wanted.
    Trust,
}

/// The order of what changes: each of the two is what is before and what is wanted, if it changes.
fn order(trust: Option<(&str, &str)>, boundary: Option<(&str, &str)>) -> Vec<Change> {
    match (trust, boundary) {
        (None, None) => Vec::new(),
        (Some(_), None) => vec![Change::Trust],
        (None, Some(_)) => vec![Change::Boundary],
        (Some(_), Some(("", _))) => vec![Change::Boundary, Change::Trust],
        (Some(_), Some((_, ""))) => vec![Change::Trust, Change::Boundary],
        (Some((before, after)), Some(_)) => {
            if document::narrows(before, after) {
                vec![Change::Trust, Change::Boundary]
            } else if document::narrows(after, before) {
                vec![Change::Boundary, Change::Trust]
            } else {
                vec![Change::Shut, Change::Boundary, Change::Trust]
            }
        }
    }
}

impl Writer {
    pub(super) async fn create_role(&self, request: &WriteRequest<'_>) -> Result<Written, Failure> {
        let trust = wanted_text(request, "assume_role_policy");
        let tags = tags::to_iam(&tags::all(request))?;
        let boundary = wanted_some(request, "permissions_boundary");
        let path = wanted_text(request, "path");
        let (partition, account) = (self.shared.client.partition(), self.account());
        let lag = Lag::making(&thing(request.key))
            .makes(&arn::role(partition, account, &path, request.key))
            .and(boundary.as_deref().unwrap_or_default())
            .naming(&trust, Use::Trust, self.account());
        let sdk = self.sdk().await?;
        let create = sdk
            .iam
            .create_role()
            .role_name(request.key)
            .path(path)
            .assume_role_policy_document(sent(&trust, Use::Trust))
            .set_description(wanted_some(request, "description"))
            .set_max_session_duration(seconds(&wanted(request, "max_session_duration")))
            .set_permissions_boundary(boundary)
            .set_tags(Some(tags));
        self.send(&lag, "iam:CreateRole", || create.clone().send())
            .await?;
        Ok(Written::default())
    }

    pub(super) async fn update_role(&self, request: &WriteRequest<'_>) -> Result<Written, Failure> {
        let live = self.shared.get_role(request.key).await?;
        let live = live.ok_or_else(|| gone(request.kind, request.key))?;
        let mut warnings = self.remove_inline(request).await?;
        warnings.extend(self.remove_attached(request).await?);
        let lag = Lag::of(&thing(request.key));
        let sdk = self.sdk().await?;

        let before = live.assume_role_policy_document.as_deref();
        let before = document::live(before.unwrap_or_default(), Use::Trust);
        let after = wanted_text(request, "assume_role_policy");
        let trust = is_changed(request, "assume_role_policy").then_some((&*before, &*after));
        let old = live.permissions_boundary.as_ref();
        let old = old.and_then(|old| old.permissions_boundary_arn.as_deref());
        let new = wanted_text(request, "permissions_boundary");
        let boundary =
            is_changed(request, "permissions_boundary").then_some((old.unwrap_or_default(), &*new));

        let session = wanted(request, "max_session_duration");
        let shortens = live.max_session_duration > seconds(&session);
        if shortens {
            self.update_settings(request, &live).await?;
        }
        for change in order(trust, boundary) {
            match change {
                Change::Shut => self.put_trust(request.key, NOBODY, &lag).await?,
                Change::Trust => {
                    let lag = lag.clone().naming(&after, Use::Trust, self.account());
                    self.put_trust(request.key, &sent(&after, Use::Trust), &lag)
                        .await?;
                }
                Change::Boundary if new.is_empty() => {
                    let delete = sdk.iam.delete_role_permissions_boundary();
                    let delete = delete.role_name(request.key);
                    let lag = Lag::at(&thing(request.key));
                    let deleted = self.put(&lag, "iam:DeleteRolePermissionsBoundary", || {
                        delete.clone().send()
                    });
                    or_gone(deleted.await)?;
                }
                Change::Boundary => {
                    let put = sdk.iam.put_role_permissions_boundary();
                    let put = put.role_name(request.key).permissions_boundary(&new);
                    let lag = lag.clone().and(&new);
                    self.put(&lag, "iam:PutRolePermissionsBoundary", || {
                        put.clone().send()
                    })
                    .await?;
                }
            }
        }
        if !shortens {
            self.update_settings(request, &live).await?;
        }
        self.tag_role(request, &live).await?;
        Ok(Written { warnings })
    }

    async fn put_trust(&self, role: &str, text: &str, lag: &Lag) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let put = sdk.iam.update_assume_role_policy();
        let put = put.role_name(role).policy_document(text);
        self.put(lag, "iam:UpdateAssumeRolePolicy", || put.clone().send())
            .await
            .map(drop)
    }

    /// Description and longest session: one call, which resets what it isn't told.
    async fn update_settings(
        &self,
        request: &WriteRequest<'_>,
        live: &iam::Role,
    ) -> Result<(), Failure> {
        let changes = |name| is_changed(request, name);
        if !changes("description") && !changes("max_session_duration") {
            return Ok(());
        }
        let description = if changes("description") {
            wanted_text(request, "description")
        } else {
            live.description.clone().unwrap_or_default()
        };
        let session = if changes("max_session_duration") {
            seconds(&wanted(request, "max_session_duration"))
        } else {
            live.max_session_duration
        };
        let sdk = self.sdk().await?;
        let update = sdk
            .iam
            .update_role()
            .role_name(request.key)
            .description(description)
            .set_max_session_duration(session);
        self.put(&Lag::of(&thing(request.key)), "iam:UpdateRole", || {
            update.clone().send()
        })
        .await
        .map(drop)
    }

    async fn tag_role(&self, request: &WriteRequest<'_>, live: &iam::Role) -> Result<(), Failure> {
        let changes = tags::changes(request, &iam_tags(live.tags.as_deref()));
        let lag = Lag::of(&thing(request.key));
        let sdk = self.sdk().await?;
        if !changes.remove.is_empty() {
            let untag = sdk.iam.untag_role().role_name(request.key);
            let untag = untag.set_tag_keys(Some(changes.remove));
            self.put(&lag, "iam:UntagRole", || untag.clone().send())
                .await?;
        }
        if !changes.set.is_empty() {
            let tag = sdk.iam.tag_role().role_name(request.key);
            let tag = tag.set_tags(Some(tags::to_iam(&changes.set)?));
            self.put(&lag, "iam:TagRole", || tag.clone().send()).await?;
        }
        Ok(())
    }

    // ---- exclusive lists

    /// Removes inline policies that the list doesn't name, as they are now; says which.
    async fn remove_inline(&self, request: &WriteRequest<'_>) -> Result<Vec<String>, Failure> {
        if !lists(request, "inline_policies") {
            return Ok(Vec::new());
        }
        let allowed = wanted_set(request, "inline_policies");
        let live = self.shared.inline_policies(request.key).await?;
        let mut said = Vec::new();
        for name in others(live, &allowed) {
            self.delete_inline(request.key, &name).await?;
            said.push(format!(
                "the inline policy `{}` of `{}` was removed, since `inline_policies` does not name it",
                safe(&name),
                safe(request.key)
            ));
        }
        Ok(said)
    }

    /// Detaches managed policies that the list doesn't name, as they are now; says which.
    async fn remove_attached(&self, request: &WriteRequest<'_>) -> Result<Vec<String>, Failure> {
        if !lists(request, "attached_policies") {
            return Ok(Vec::new());
        }
        let allowed = wanted_set(request, "attached_policies");
        let live = self.shared.attached_policies(request.key).await?;
        let mut said = Vec::new();
        for arn in others(live, &allowed) {
            self.detach_one(request.key, &arn).await?;
            said.push(format!(
                "`{}` was detached from `{}`, since `attached_policies` does not name it",
                safe(&arn),
                safe(request.key)
            ));
        }
        Ok(said)
    }

    // ---- deleting

    pub(super) async fn delete_role(&self, name: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_role().role_name(name);
        let mut waiting = Waiting::new();
        loop {
            let deleted = self
                .send(
                    &Lag::removing(&thing(name), &thing(name)),
                    "iam:DeleteRole",
                    || delete.clone().send(),
                )
                .await;
            let failure = match deleted {
                Ok(_) => return Ok(()),
                Err(failure) if failure.is(&["DeleteConflict"]) => failure,
                Err(failure) => return Err(failure),
            };
            let holders = self.holders(name).await?;
            // What this run took away may still count for a moment.
            let is_lag = holders.is_empty() && self.run.has_touched(&thing(name));
            match waiting.next().filter(|_| is_lag) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(held(name, &holders, failure)),
            }
        }
    }

    /// What keeps a role from being deleted, but for what this writer removed already.
    async fn holders(&self, role: &str) -> Result<Vec<String>, Failure> {
        let mut all = Vec::new();
        for name in self.shared.inline_policies(role).await? {
            if !self.run.has_removed(&within(role, &name)) {
                all.push(format!("the inline policy `{}`", safe(&name)));
            }
        }
        for arn in self.shared.attached_policies(role).await? {
            if !self.run.has_removed(&within(role, &arn)) {
                all.push(format!("the attached policy `{}`", safe(&arn)));
            }
        }
        let sdk = self.sdk().await?;
        let profiles = self
            .shared
            .client
            .read("iam:ListInstanceProfilesForRole", || {
                let list = sdk.iam.list_instance_profiles_for_role();
                list.role_name(role).send()
            })
            .await?;
        for profile in profiles.instance_profiles {
            let name = profile.instance_profile_name;
            if !self.run.has_removed(&within_profile(&name, role)) {
                all.push(format!("the instance profile `{}`", safe(&name)));
            }
        }
        Ok(all)
    }

    // ---- inline policies and attachments

    /// Creates an inline policy or changes it: the look just before decided which.
    pub(super) async fn put_role_policy(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        let role = part(request.kind, request.key, "role")?;
        let name = part(request.kind, request.key, "name")?;
        let text = sent(&wanted_text(request, "policy"), Use::Identity);
        let sdk = self.sdk().await?;
        let put = sdk.iam.put_role_policy().role_name(&role);
        let put = put.policy_name(&name).policy_document(text);
        let lag = Lag::of(&thing(&role)).makes(&within(&role, &name));
        self.put(&lag, "iam:PutRolePolicy", || put.clone().send())
            .await?;
        Ok(Written::default())
    }

    pub(super) async fn delete_role_policy(&self, kind: &Kind, key: &str) -> Result<(), Failure> {
        let (role, name) = (part(kind, key, "role")?, part(kind, key, "name")?);
        self.delete_inline(&role, &name).await
    }

    async fn delete_inline(&self, role: &str, name: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let delete = sdk.iam.delete_role_policy();
        let delete = delete.role_name(role).policy_name(name);
        self.send(
            &Lag::removing(&within(role, name), &thing(role)),
            "iam:DeleteRolePolicy",
            || delete.clone().send(),
        )
        .await?;
        Ok(())
    }

    pub(super) async fn attach(&self, request: &WriteRequest<'_>) -> Result<Written, Failure> {
        let role = part(request.kind, request.key, "role")?;
        let arn = part(request.kind, request.key, "policy_arn")?;
        let sdk = self.sdk().await?;
        let attach = sdk.iam.attach_role_policy();
        let attach = attach.role_name(&role).policy_arn(&arn);
        self.put(
            &Lag::of(&thing(&role)).and(&arn).makes(&within(&role, &arn)),
            "iam:AttachRolePolicy",
            || attach.clone().send(),
        )
        .await?;
        Ok(Written::default())
    }

    pub(super) async fn detach(&self, kind: &Kind, key: &str) -> Result<(), Failure> {
        let (role, arn) = (part(kind, key, "role")?, part(kind, key, "policy_arn")?);
        self.detach_one(&role, &arn).await
    }

    async fn detach_one(&self, role: &str, arn: &str) -> Result<(), Failure> {
        let sdk = self.sdk().await?;
        let detach = sdk.iam.detach_role_policy();
        let detach = detach.role_name(role).policy_arn(arn);
        self.send(
            &Lag::removing(&within(role, arn), &thing(role)),
            "iam:DetachRolePolicy",
            || detach.clone().send(),
        )
        .await?;
        self.run.touched(arn);
        Ok(())
    }
}

/// Whether an exclusive list is to be enforced: one that is no longer set lets go.
fn lists(request: &WriteRequest<'_>, name: &str) -> bool {
    is_changed(request, name) && request.attributes.contains_key(name)
}

fn others(live: Vec<String>, allowed: &BTreeSet<String>) -> impl Iterator<Item = String> {
    live.into_iter().filter(|one| !allowed.contains(one))
}

fn seconds(value: &Value) -> Option<i32> {
    value
        .as_i64()
        .and_then(|seconds| i32::try_from(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(who: &[&str]) -> String {
        let who: Vec<_> = who
            .iter()
            .map(|name| format!("\"arn:aws:iam::123456789012:role/{name}\""))
            .collect();
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":[{}]}},"Action":"sts:AssumeRole"}}]}}"#,
            who.join(",")
        )
    }

    /// What each step leaves, as (trust, boundary).
    fn passes(trusts: (&str, &str), bounds: (&str, &str)) -> Vec<(String, String)> {
        let (mut trust, mut bound) = (trusts.0.to_owned(), bounds.0.to_owned());
        order(Some(trusts), Some(bounds))
            .into_iter()
            .map(|change| {
                match change {
                    Change::Shut => trust = NOBODY.to_owned(),
                    Change::Trust => trust = trusts.1.to_owned(),
                    Change::Boundary => bound = bounds.1.to_owned(),
                }
                (trust.clone(), bound.clone())
            })
            .collect()
    }

    #[test]
    fn nothing_between_allows_more_than_before_or_after() {
        let trusts = [&["a"][..], &["a", "b"], &["c"]].map(trust);
        let bounds = ["", "x", "y"];
        // Bounds of two names allow what nobody can compare.
        let within = |bound: &str, limit: &str| limit.is_empty() || bound == limit;
        for (old_trust, new_trust) in trusts
            .iter()
            .flat_map(|a| trusts.iter().map(move |b| (a, b)))
        {
            for (old, new) in bounds
                .iter()
                .flat_map(|a| bounds.iter().map(move |b| (a, b)))
            {
                if old_trust == new_trust || old == new {
                    continue;
                }
                let passed = passes((old_trust, new_trust), (old, new));
                assert_eq!(passed.last(), Some(&(new_trust.clone(), (*new).to_owned())));
                for (trust, bound) in passed {
                    let of_old = document::narrows(old_trust, &trust) && within(&bound, old);
                    let of_new = document::narrows(new_trust, &trust) && within(&bound, new);
                    assert!(of_old || of_new || trust == NOBODY, "{trust} {bound}");
                }
            }
        }
    }

    #[test]
    fn the_shut_door_is_a_trust_policy() {
        assert!(document::parse(NOBODY, Use::Trust).is_ok());
        assert!(document::narrows(&trust(&["a"]), NOBODY));
    }
}
