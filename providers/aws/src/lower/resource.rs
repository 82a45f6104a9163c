//! Resources: any kind as it is written, and what only the block or two attributes together say.
//!
//! In comes a `resource` block; out goes its object, and what is wrong with it. An account id
//! alone as a principal stands for the account in the block's partition, which the form of one
//! attribute can't know. A secret's rotation is spread over attributes that must fit together.

use remit_sdk::declaration::Resource;
use remit_sdk::{Diagnostic, Number, Value};

use super::{Lowering, about};
use crate::{document, normal};

impl Lowering<'_> {
    pub(super) fn resource(&mut self, resource: &Resource) {
        self.out.resource(resource, |_, _, _| None);
        self.resolve_accounts(resource);
        self.check_rotation(resource);
    }

    /// Accounts among the principals are of the block's partition.
    fn resolve_accounts(&mut self, resource: &Resource) {
        let partition = self.settings.partition();
        let address = self.address(&resource.address, resource.kind.name);
        let Some(wanted) = self.out.objects.last_mut() else {
            return;
        };
        if wanted.address != address {
            return;
        }
        for (name, written) in &resource.attributes {
            let document = normal::use_of(resource.kind, name)
                .zip(written.value.as_str())
                .and_then(|(of, text)| document::parse_in(text, of, partition).ok());
            if let (Some(document), Some(value)) = (document, wanted.attributes.get_mut(name)) {
                *value = Value::String(document.to_string());
            }
        }
    }

    /// A secret rotates by days or by a schedule, and by a function.
    fn check_rotation(&mut self, resource: &Resource) {
        if resource.kind.name != "aws_secretsmanager_secret" {
            return;
        }
        let written = |name: &str| {
            let written = resource.attributes.get(name)?;
            let is_set = match &written.value {
                Value::Null | Value::Number(Number::Integer(0)) => false,
                Value::String(text) => !text.is_empty(),
                _ => true,
            };
            is_set.then_some(written.span)
        };
        let lambda = written("rotation_lambda_arn");
        let days = written("rotation_automatically_after_days");
        let schedule = written("rotation_schedule_expression");
        let window = written("rotation_duration");
        let mistake = if let (Some(_), Some(at)) = (days, schedule) {
            Some((
                "`rotation_automatically_after_days` and `rotation_schedule_expression` both say when it rotates",
                "write one of them",
                at,
            ))
        } else if let (None, Some(at)) = (lambda, days.or(schedule).or(window)) {
            Some((
                "it says when the secret rotates, and not by what",
                "write `rotation_lambda_arn`, or leave the rotation out",
                at,
            ))
        } else if let (Some(at), None) = (lambda, days.or(schedule)) {
            Some((
                "it says by what the secret rotates, and not when",
                "write `rotation_automatically_after_days = 30`, or `rotation_schedule_expression`",
                at,
            ))
        } else {
            None
        };
        if let Some((why, help, at)) = mistake {
            self.mistake(
                Diagnostic::error(
                    "rotation that can't be",
                    format!("`{}`: {why}", resource.address),
                )
                .help(help)
                .at(resource.span)
                .at(at)
                .about(about(&resource.address)),
            );
        }
    }
}
