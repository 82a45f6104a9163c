//! What AWS refuses and moto lets through.
//!
//! In: a call that would change something, the ledger, a way to ask moto. Out: the call as AWS
//! would keep it, or AWS's refusal with its own code, status and words.
//!
//! It must never change anything, and never refuse what AWS takes: every rule here has an error
//! message that AWS documents or is known to give.

use std::time::Instant;

use super::document::{self, Said};
use super::ledger::{Ledger, Sort};
use super::wire::{Answer, Call, Service};
use super::xml;

/// Asks moto.
pub(crate) type Ask<'a> = &'a dyn Fn(&Call) -> Answer;

/// How many managed policies may be attached to a role, where the account has not asked for more.
const ATTACHED: usize = 10;

/// The status that goes with a code of IAM.
fn status(code: &str) -> u16 {
    match code {
        "NoSuchEntity" => 404,
        "EntityAlreadyExists" | "DeleteConflict" | "LimitExceeded" => 409,
        _ => 400,
    }
}

fn refuse<T>(code: &str, message: impl Into<String>) -> Result<T, Answer> {
    let message: String = message.into();
    Err(Answer::refusal(Service::Iam, status(code), code, &message))
}

fn said((code, message): Said) -> Answer {
    Answer::refusal(Service::Iam, status(code), code, &message)
}

/// The call as AWS would keep it.
pub(crate) fn check(
    call: &Call,
    ledger: &Ledger,
    ask: Ask<'_>,
    now: Instant,
) -> Result<Call, Answer> {
    if call.service == Service::Secrets {
        return check_secret(call, ledger, now);
    }
    // Removing a provider that is not there is no error to AWS.
    let absent_is_fine = call.action == "DeleteOpenIDConnectProvider";
    for (entity, words) in ledger.needed_by(call) {
        if entity.is_none() && absent_is_fine {
            continue;
        }
        if entity.is_none_or(|entity| entity.visible > now) {
            return refuse("NoSuchEntity", words);
        }
    }
    check_name(call, ledger)?;
    let call = check_documents(call, ledger, ask, now)?;
    check_delete(&call, ledger, ask)?;
    if call.action == "AttachRolePolicy" {
        let attached = list(
            ask,
            "ListAttachedRolePolicies",
            &call,
            "RoleName",
            "AttachedPolicies",
        );
        let arn = format!("<PolicyArn>{}</PolicyArn>", call.get("PolicyArn"));
        if attached.len() >= ATTACHED && !attached.iter().any(|one| one.contains(&arn)) {
            return refuse(
                "LimitExceeded",
                format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED}"),
            );
        }
    }
    Ok(call)
}

/// Names: what they may hold, how long they may be, and no second one that differs in case alone.
fn check_name(call: &Call, ledger: &Ledger) -> Result<(), Answer> {
    let Some((sort, name, words)) = Ledger::made_by(call) else {
        return Ok(());
    };
    let most = if matches!(sort, Sort::Role | Sort::User) {
        64
    } else {
        128
    };
    let fits = |one: char| one.is_ascii_alphanumeric() || "_+=,.@-".contains(one);
    if name.is_empty() || name.len() > most || !name.chars().all(fits) {
        return refuse(
            "ValidationError",
            format!("The specified value for {words} is invalid: {name}"),
        );
    }
    if ledger.entities.contains_key(&(sort, name.to_lowercase())) {
        let more = if sort == Sort::Policy {
            " Duplicate names are not allowed."
        } else {
            ""
        };
        return refuse(
            "EntityAlreadyExists",
            format!("{words} {name} already exists.{more}"),
        );
    }
    Ok(())
}

fn check_documents(
    call: &Call,
    ledger: &Ledger,
    ask: Ask<'_>,
    now: Instant,
) -> Result<Call, Answer> {
    let exists = |principal: &str| ledger.knows(principal, now);
    let parameter = match call.action.as_str() {
        "CreateRole" => "AssumeRolePolicyDocument",
        _ => "PolicyDocument",
    };
    let text = call.get(parameter);
    let action = call.action.as_str();
    if !matches!(
        action,
        "CreateRole" | "UpdateAssumeRolePolicy" | "CreatePolicy" | "CreatePolicyVersion"
    ) && !action.starts_with("Put")
        || text.is_empty() && action.ends_with("PermissionsBoundary")
    {
        return Ok(call.clone());
    }
    let parsed = document::parse(text).map_err(said)?;
    let size = document::size(text);
    match action {
        "CreateRole" | "UpdateAssumeRolePolicy" => {
            document::check_trust(&parsed, &exists).map_err(said)?;
            if size > document::TRUST {
                let most = document::TRUST;
                return refuse(
                    "LimitExceeded",
                    format!("Cannot exceed quota for ACLSizePerRole: {most}"),
                );
            }
            return Ok(call
                .clone()
                .with(parameter, &document::as_kept(text, &parsed)));
        }
        "CreatePolicy" | "CreatePolicyVersion" => {
            document::check_identity(&parsed).map_err(said)?;
            if parsed["Version"] != "2012-10-17" {
                return refuse(
                    "MalformedPolicyDocument",
                    "Policy document must be version 2012-10-17 or greater.",
                );
            }
            if size > document::MANAGED {
                let most = document::MANAGED;
                return refuse(
                    "LimitExceeded",
                    format!("Cannot exceed quota for PolicySize: {most}"),
                );
            }
        }
        _ => {
            document::check_identity(&parsed).map_err(said)?;
            let (noun, most) = match action {
                "PutRolePolicy" => ("Role", document::ROLE_INLINE),
                "PutUserPolicy" => ("User", document::USER_INLINE),
                _ => ("Group", document::GROUP_INLINE),
            };
            let name = format!("{noun}Name");
            let owner = call.get(&name);
            if size + others(ask, call, noun) > most {
                let noun = noun.to_lowercase();
                return refuse(
                    "LimitExceeded",
                    format!("Maximum policy size of {most} bytes exceeded for {noun} {owner}"),
                );
            }
        }
    }
    Ok(call.clone())
}

/// How much the other inline policies of the same owner hold.
fn others(ask: Ask<'_>, call: &Call, noun: &str) -> usize {
    let name = format!("{noun}Name");
    let owner = (name.as_str(), call.get(&name));
    let names = ask(&Call::iam(&format!("List{noun}Policies"), &[owner]));
    let mut sum = 0;
    for policy in xml::members(&names.body, "PolicyNames") {
        if policy == call.get("PolicyName") {
            continue;
        }
        let parameters = [owner, ("PolicyName", policy)];
        let told = ask(&Call::iam(&format!("Get{noun}Policy"), &parameters));
        let document = xml::text(&told.body, "PolicyDocument").unwrap_or_default();
        sum += document::size(&super::wire::decode(&document.replace('+', "%2B")));
    }
    sum
}

fn list(ask: Ask<'_>, action: &str, call: &Call, parameter: &str, list: &str) -> Vec<String> {
    let answer = ask(&Call::iam(action, &[(parameter, call.get(parameter))]));
    xml::members(&answer.body, list)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Nothing is removed that something still hangs on.
fn check_delete(call: &Call, ledger: &Ledger, ask: Ask<'_>) -> Result<(), Answer> {
    let holds = |action: &str, parameter: &str, what: &str| {
        !list(ask, action, call, parameter, what).is_empty()
    };
    let conflict = |words: &str| refuse("DeleteConflict", words);
    match call.action.as_str() {
        "DeletePolicy" => {
            let arn = call.get("PolicyArn");
            let told = ask(&Call::iam("GetPolicy", &[("PolicyArn", arn)]));
            let attached = xml::text(&told.body, "AttachmentCount").unwrap_or_default();
            let bounds = ledger
                .entities
                .values()
                .any(|entity| entity.boundary == arn);
            if attached != "0" || bounds {
                return conflict("Cannot delete a policy attached to entities.");
            }
            let versions = list(ask, "ListPolicyVersions", call, "PolicyArn", "Versions");
            if versions.len() > 1 {
                return conflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
                );
            }
        }
        "DeleteUser" => {
            if holds("ListAccessKeys", "UserName", "AccessKeyMetadata") {
                return conflict("Cannot delete entity, must delete access keys first.");
            }
            if holds("ListGroupsForUser", "UserName", "Groups") {
                return conflict("Cannot delete entity, must remove users from group first.");
            }
        }
        "DeleteGroup" => {
            if holds("GetGroup", "GroupName", "Users") {
                return conflict("Cannot delete entity, must remove users from group first.");
            }
            if holds("ListAttachedGroupPolicies", "GroupName", "AttachedPolicies") {
                return conflict("Cannot delete entity, must detach all policies first.");
            }
            if holds("ListGroupPolicies", "GroupName", "PolicyNames") {
                return conflict("Cannot delete entity, must delete policies first.");
            }
        }
        _ => {}
    }
    Ok(())
}

/// Resource policies of secrets.
fn check_secret(call: &Call, ledger: &Ledger, now: Instant) -> Result<Call, Answer> {
    let refuse =
        |code: &str, message: &str| Err(Answer::refusal(Service::Secrets, 400, code, message));
    if call.action == "PutResourcePolicy" {
        let exists = |principal: &str| ledger.knows(principal, now);
        let checked = document::parse(call.get("ResourcePolicy"))
            .and_then(|parsed| document::check_principals(&parsed, &exists));
        if let Err((_, message)) = checked {
            let message = format!(
                "This resource policy contains a syntax error or an unsupported principal: {message}"
            );
            return refuse("MalformedPolicyDocumentException", &message);
        }
    }
    Ok(call.clone())
}
