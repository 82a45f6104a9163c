//! Secrets of Secrets Manager: who may read them and how they rotate, never what they hold.
//!
//! A secret is made without a value, and nothing here reads or writes one. Rotation rules are set
//! without rotating: a change of the rules must not change a password. How long a removed secret
//! can be restored stands in a tag, since AWS is told it with the removal alone.

use aws_sdk_secretsmanager::types::RotationRulesType;
use remit_sdk::provider::{Expected, WriteRequest, Written};
use remit_sdk::{ErrorKind, ProviderError};

use super::wait::Lag;
use super::{Failure, Writer, gone, is_changed, tags, wanted, wanted_some, wanted_text};
use crate::document::Use;
use crate::observe::decode::{DEFAULT_KEY, RECOVERY_TAG, secret_tags};

/// What belongs to the rotation.
const ROTATION: [&str; 4] = [
    "rotation_lambda_arn",
    "rotation_automatically_after_days",
    "rotation_schedule_expression",
    "rotation_duration",
];

fn thing(name: &str) -> String {
    format!("secret/{name}")
}

impl Writer {
    pub(super) async fn create_secret(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        check_rotation(request)?;
        let sdk = self.sdk().await?;
        let create = sdk
            .secrets
            .create_secret()
            .name(request.key)
            .set_description(wanted_some(request, "description"))
            .set_kms_key_id(wanted_some(request, "kms_key_id"))
            .set_tags(Some(tags::to_secrets(&tags::all(request))));
        self.send(
            &Lag::making(&thing(request.key)),
            "secretsmanager:CreateSecret",
            || create.clone().send(),
        )
        .await?;
        if wanted_some(request, "policy").is_some() {
            self.put_policy(request).await?;
        }
        if wanted_some(request, "rotation_lambda_arn").is_some() {
            self.rotate(request).await?;
        }
        Ok(Written::default())
    }

    pub(super) async fn update_secret(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<Written, Failure> {
        check_rotation(request)?;
        let live = self.shared.describe(request.key).await?;
        let live = live.ok_or_else(|| gone(request.kind, request.key))?;
        let lag = Lag::of(&thing(request.key));
        let sdk = self.sdk().await?;
        let (describes, encrypts) = (
            is_changed(request, "description"),
            is_changed(request, "kms_key_id"),
        );
        if describes || encrypts {
            let key = wanted_some(request, "kms_key_id");
            let key = key.unwrap_or_else(|| DEFAULT_KEY.to_owned());
            let update = sdk
                .secrets
                .update_secret()
                .secret_id(request.key)
                .set_description(describes.then(|| wanted_text(request, "description")))
                .set_kms_key_id(encrypts.then_some(key));
            self.put(&lag, "secretsmanager:UpdateSecret", || {
                update.clone().send()
            })
            .await?;
        }
        if is_changed(request, "policy") {
            self.put_policy(request).await?;
        }
        if ROTATION.iter().any(|name| is_changed(request, name)) {
            if wanted_some(request, "rotation_lambda_arn").is_some() {
                self.rotate(request).await?;
            } else if live.rotation_enabled == Some(true) {
                let cancel = sdk.secrets.cancel_rotate_secret().secret_id(request.key);
                self.put(&lag, "secretsmanager:CancelRotateSecret", || {
                    cancel.clone().send()
                })
                .await?;
            }
        }
        let changes = tags::changes(request, &secret_tags(live.tags.as_deref()));
        if !changes.remove.is_empty() {
            let untag = sdk.secrets.untag_resource().secret_id(request.key);
            let untag = untag.set_tag_keys(Some(changes.remove));
            self.put(&lag, "secretsmanager:UntagResource", || {
                untag.clone().send()
            })
            .await?;
        }
        if !changes.set.is_empty() {
            let tag = sdk.secrets.tag_resource().secret_id(request.key);
            let tag = tag.set_tags(Some(tags::to_secrets(&changes.set)));
            self.put(&lag, "secretsmanager:TagResource", || tag.clone().send())
                .await?;
        }
        Ok(Written::default())
    }

    /// Puts the resource policy, or takes it away where none is wanted.
    async fn put_policy(&self, request: &WriteRequest<'_>) -> Result<(), Failure> {
        let lag = Lag::of(&thing(request.key));
        let sdk = self.sdk().await?;
        let Some(text) = wanted_some(request, "policy") else {
            let delete = sdk.secrets.delete_resource_policy().secret_id(request.key);
            return self
                .put(&lag, "secretsmanager:DeleteResourcePolicy", || {
                    delete.clone().send()
                })
                .await
                .map(drop);
        };
        let put = sdk
            .secrets
            .put_resource_policy()
            .secret_id(request.key)
            .resource_policy(super::sent(&text, Use::Resource))
            .block_public_policy(true);
        let lag = lag.naming(&text, Use::Resource, self.account());
        self.put(&lag, "secretsmanager:PutResourcePolicy", || {
            put.clone().send()
        })
        .await
        .map(drop)
    }

    /// Sets function and rules, without rotating now.
    async fn rotate(&self, request: &WriteRequest<'_>) -> Result<(), Failure> {
        let days = wanted(request, "rotation_automatically_after_days").as_i64();
        let rules = RotationRulesType::builder()
            .set_automatically_after_days(days.filter(|days| *days > 0))
            .set_schedule_expression(wanted_some(request, "rotation_schedule_expression"))
            .set_duration(wanted_some(request, "rotation_duration"))
            .build();
        let sdk = self.sdk().await?;
        let rotate = sdk
            .secrets
            .rotate_secret()
            .secret_id(request.key)
            .set_rotation_lambda_arn(wanted_some(request, "rotation_lambda_arn"))
            .rotation_rules(rules)
            .rotate_immediately(false);
        self.send(
            &Lag::of(&thing(request.key)),
            "secretsmanager:RotateSecret",
            || rotate.clone().send(),
        )
        .await
        .map(drop)
    }

    /// By its ARN where that is known: another secret may have the name by now.
    pub(super) async fn delete_secret(
        &self,
        name: &str,
        expected: &Expected,
    ) -> Result<(), Failure> {
        let id = match expected {
            Expected::Present { id: Some(id), .. } => id,
            _ => name,
        };
        let Some(live) = self.shared.describe(id).await? else {
            return Ok(());
        };
        let tags = secret_tags(live.tags.as_deref());
        let days = tags
            .get(RECOVERY_TAG)
            .and_then(|days| days.parse::<i64>().ok());
        let sdk = self.sdk().await?;
        let delete = sdk.secrets.delete_secret().secret_id(id);
        let (delete, lag) = match days {
            Some(0) => (
                delete.force_delete_without_recovery(true),
                Lag::removing(&thing(name), &thing(name)),
            ),
            // It holds its name for days, so that waiting is no use.
            days => (delete.set_recovery_window_in_days(days), Lag::default()),
        };
        self.send(&lag, "secretsmanager:DeleteSecret", || {
            delete.clone().send()
        })
        .await?;
        Ok(())
    }
}

/// Rules without a function: AWS would keep none of them.
fn check_rotation(request: &WriteRequest<'_>) -> Result<(), Failure> {
    let has = |name: &str| {
        let value = wanted(request, name);
        value.as_str().is_some_and(|text| !text.is_empty()) || value.as_i64().is_some_and(|n| n > 0)
    };
    let [function, rules @ ..] = ROTATION;
    if has(function) || !rules.iter().any(|name| has(name)) {
        return Ok(());
    }
    Err(Failure::own(
        ProviderError::new(
            ErrorKind::Invalid,
            "a rotation has rules and no function that does it",
        )
        .help("write `rotation_lambda_arn`, or leave the rules out"),
    ))
}
