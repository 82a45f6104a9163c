//! Who may assume a role.
//!
//! In come a trust policy and who asks, with what is known of the request; out goes whether it
//! lets them in, and whether by name or by leaving it to their account. IAM User Guide, "AWS JSON
//! policy elements: Principal" and "NotPrincipal".

use std::collections::BTreeSet;

use super::condition::{Context, Truth};
use super::decide::Request;
use super::{Layer, Policy, Rule};
use crate::arn::{self, Arn};
use crate::document::{Document, Effect, PrincipalKind, Principals, Selection};
use remit_sdk::access::Source;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller<'a> {
    /// A role or user, by its ARN.
    Entity(&'a str),
    /// Whom an identity provider vouches for, by the provider's ARN or name.
    Federated(&'a str),
    /// A service, by its name: `ec2.amazonaws.com`.
    Service(&'a str),
}

/// How a trust policy lets somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whether somebody who is named needs no more than this.
    pub by_name: Truth,
    /// Whether somebody whose account is named may come, if their own policies allow it.
    pub by_account: Truth,
    /// As what those who are named are, at most.
    pub(super) named: Named,
}

/// How a statement's principals name a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    No,
    Account,
    /// Those of a role's sessions that have this name.
    Session,
    Itself,
    /// As one of everybody.
    Everybody,
}

/// Whose sessions a principal names, and which: `arn:…:assumed-role/role/session`.
fn session_of<'p>(principal: &'p str, role: &str) -> Option<&'p str> {
    let (session, role) = (Arn::parse(principal).ok()?, Arn::parse(role).ok()?);
    let (_, rest) = principal.split_once(":assumed-role/")?;
    let (of, name) = rest.split_once('/')?;
    let is_own = session.service == "sts"
        && (session.partition, session.account) == (role.partition.clone(), role.account.clone())
        && role.kind_and_rest().is_some_and(|(kind, _)| kind == "role")
        && role.name().eq_ignore_ascii_case(of);
    is_own.then_some(name)
}

/// The names of the sessions of a caller that a statement's principals name.
pub(super) fn sessions<'p>(
    principals: Option<&'p Selection<Principals>>,
    caller: &Caller<'_>,
) -> BTreeSet<&'p str> {
    let (Some(Selection::Only(all)), Caller::Entity(own)) = (principals, caller) else {
        return BTreeSet::new();
    };
    let named = all.get(&PrincipalKind::Aws).into_iter().flatten();
    named.filter_map(|one| session_of(one, own)).collect()
}

/// Whether a trust policy lets a caller do `action` (`sts:AssumeRole`).
pub fn admits(
    document: &Document,
    caller: &Caller<'_>,
    action: &str,
    context: &Context,
) -> Admission {
    let policy = Policy {
        source: Source::Foreign(String::new()),
        name: "the trust policy".to_owned(),
        document: None,
    };
    let request = Request {
        action,
        resource: "*",
        context: context.clone(),
    };
    let mut by_name = Truth::False;
    let mut by_account = Truth::False;
    let mut denied = Truth::False;
    let mut as_what = Named::No;
    for statement in document.statements() {
        let about =
            Rule::new(Layer::Identity, &policy, statement, document.version()).is_about(&request);
        let named = names(statement.principals.as_ref(), caller, statement.effect);
        if statement.effect == Effect::Allow && about != Truth::False {
            as_what = as_what.max(named);
        }
        match (statement.effect, named) {
            (_, Named::No) => {}
            (_, Named::Session) => {
                let names = sessions(statement.principals.as_ref(), caller);
                let names: Vec<&str> = names.into_iter().collect();
                let on = format!("whether its session is called {}", names.join(" or "));
                let about = about.and(Truth::Depends(BTreeSet::from([on])));
                match statement.effect {
                    Effect::Deny => denied = denied.or(about),
                    Effect::Allow => by_name = by_name.or(about),
                }
            }
            (Effect::Deny, _) => denied = denied.or(about),
            (Effect::Allow, Named::Itself | Named::Everybody) => by_name = by_name.or(about),
            (Effect::Allow, Named::Account) => by_account = by_account.or(about),
        }
    }
    Admission {
        by_name: by_name.and(denied.clone().not()),
        by_account: by_account.and(denied.not()),
        named: as_what,
    }
}

/// How a statement's principals name a caller. A `Deny` for an account is one for all in it.
pub(super) fn names(
    principals: Option<&Selection<Principals>>,
    caller: &Caller<'_>,
    effect: Effect,
) -> Named {
    match principals {
        // Only in policies that are attached to whom they are about.
        None => Named::No,
        Some(Selection::Only(all)) => among(all, caller),
        // With `Allow`, everybody else is meant, and none of them by name.
        Some(Selection::AllBut(all)) => match (among(all, caller), effect) {
            // A `Deny` for all but an account, or a session, still is one for those in it who
            // aren't named.
            (Named::No | Named::Session, _) | (Named::Account, Effect::Deny) => Named::Everybody,
            _ => Named::No,
        },
    }
}

fn among(all: &Principals, caller: &Caller<'_>) -> Named {
    let of = |kind: PrincipalKind| all.get(&kind).into_iter().flatten();
    let everybody = of(PrincipalKind::Aws).any(|one| one == "*");
    if everybody {
        return Named::Everybody;
    }
    match caller {
        Caller::Federated(own) => named_if(of(PrincipalKind::Federated).any(|one| one == own)),
        Caller::Service(own) => {
            named_if(of(PrincipalKind::Service).any(|one| is_service(one, own)))
        }
        Caller::Entity(own) => {
            let account = Arn::parse(own).map(|arn| arn.account).unwrap_or_default();
            let is_account =
                |one: &str| arn::root_account(one) == Some(account.as_str()) || one == account;
            of(PrincipalKind::Aws)
                .map(|one| match one {
                    one if one == own => Named::Itself,
                    one if is_account(one) => Named::Account,
                    one if session_of(one, own).is_some() => Named::Session,
                    _ => Named::No,
                })
                .max()
                .unwrap_or(Named::No)
        }
    }
}

/// Whether a principal is a service: by its name, by that of one region, or as it is called in
/// China.
fn is_service(principal: &str, service: &str) -> bool {
    let name = principal.strip_suffix(".cn").unwrap_or(principal);
    let in_region = || {
        let of = service.strip_suffix(".amazonaws.com")?;
        let region = name.strip_prefix(of)?.strip_prefix('.')?;
        let region = region.strip_suffix(".amazonaws.com")?;
        Some(region.contains('-') && !region.contains('.'))
    };
    name == service || in_region().unwrap_or(false)
}

const fn named_if(is_named: bool) -> Named {
    if is_named { Named::Itself } else { Named::No }
}

/// The entities, providers and services that a trust policy names with `Allow`, `*` included.
pub fn named(document: &Document) -> BTreeSet<&str> {
    let allowing = document
        .statements()
        .iter()
        .filter(|statement| statement.effect == Effect::Allow);
    allowing
        .filter_map(|statement| match &statement.principals {
            Some(Selection::Only(all)) => Some(all.values().flatten().map(String::as_str)),
            _ => None,
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Use, parse};

    const ME: &str = "arn:aws:iam::111122223333:role/a/me";

    fn asked(statements: &str, caller: &Caller<'_>, context: Context) -> (Truth, Truth) {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let document = parse(&text, Use::Trust).unwrap();
        let found = admits(&document, caller, "sts:AssumeRole", &context);
        (found.by_name, found.by_account)
    }

    fn one(effect: &str, principals: &str, rest: &str) -> String {
        format!(r#"{{"Effect":"{effect}","Action":"sts:AssumeRole",{principals}{rest}}}"#)
    }

    #[test]
    fn principals() {
        use Truth::{False, True};
        let me = Caller::Entity(ME);
        for (principals, by_name, by_account) in [
            (r#""Principal":"*""#, True, False),
            (r#""Principal":{"AWS":"*"}"#, True, False),
            (
                r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/a/me"}"#,
                True,
                False,
            ),
            (
                r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/a/you"}"#,
                False,
                False,
            ),
            (r#""Principal":{"AWS":"111122223333"}"#, False, True),
            (
                r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#,
                False,
                True,
            ),
            (r#""Principal":{"AWS":"444455556666"}"#, False, False),
            (
                r#""Principal":{"Service":"ec2.amazonaws.com"}"#,
                False,
                False,
            ),
            (r#""NotPrincipal":{"AWS":"444455556666"}"#, True, False),
            (r#""NotPrincipal":{"AWS":"111122223333"}"#, False, False),
            (
                r#""Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/you/x"}"#,
                False,
                False,
            ),
            (
                r#""Principal":{"AWS":"arn:aws:sts::444455556666:assumed-role/me/x"}"#,
                False,
                False,
            ),
        ] {
            let text = one("Allow", principals, "");
            let found = asked(&text, &me, Context::default());
            assert_eq!(found, (by_name, by_account), "{principals}");
        }
    }

    /// A session's name is chosen by who begins it.
    #[test]
    fn sessions_are_named() {
        let me = Caller::Entity(ME);
        let session = r#""Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/me/x"}"#;
        let on = BTreeSet::from(["whether its session is called x".to_owned()]);
        let depends = Truth::Depends(on);
        let ask = |text: &str| asked(text, &me, Context::default());
        let found = ask(&one("Allow", session, ""));
        assert_eq!(found, (depends.clone(), Truth::False));
        let everybody = one("Allow", r#""Principal":"*""#, "");
        let denied = format!("{everybody},{}", one("Deny", session, ""));
        assert_eq!(ask(&denied).0, depends);
        // All its other sessions are among the others.
        let others = session.replace("Principal", "NotPrincipal");
        assert_eq!(ask(&one("Allow", &others, "")).0, Truth::True);
        let user = Caller::Entity("arn:aws:iam::111122223333:user/me");
        let found = asked(&one("Allow", session, ""), &user, Context::default());
        assert_eq!(found, (Truth::False, Truth::False));
    }

    #[test]
    fn services_and_providers_are_named() {
        let service = one(
            "Allow",
            r#""Principal":{"Service":"ec2.amazonaws.com"}"#,
            "",
        );
        let ask = |caller: &Caller<'_>, text: &str| asked(text, caller, Context::default()).0;
        assert_eq!(
            ask(&Caller::Service("ec2.amazonaws.com"), &service),
            Truth::True
        );
        for other in ["ec2.amazonaws.com.cn", "ec2.eu-west-1.amazonaws.com"] {
            let text = service.replace("ec2.amazonaws.com", other);
            let found = ask(&Caller::Service("ec2.amazonaws.com"), &text);
            assert_eq!(found, Truth::True, "{other}");
        }
        for other in [
            "ec2.x.amazonaws.com",
            "ec2.amazonaws.com.cn.cn",
            "xec2.amazonaws.com",
        ] {
            let text = service.replace("ec2.amazonaws.com", other);
            let found = ask(&Caller::Service("ec2.amazonaws.com"), &text);
            assert_eq!(found, Truth::False, "{other}");
        }
        assert_eq!(
            ask(&Caller::Service("ecs.amazonaws.com"), &service),
            Truth::False
        );
        assert_eq!(
            ask(&Caller::Federated("ec2.amazonaws.com"), &service),
            Truth::False
        );
        let provider = "arn:aws:iam::111122223333:oidc-provider/x";
        let text = one(
            "Allow",
            &format!(r#""Principal":{{"Federated":"{provider}"}}"#),
            "",
        );
        assert_eq!(ask(&Caller::Federated(provider), &text), Truth::True);
        assert_eq!(ask(&Caller::Federated("x"), &text), Truth::False);
        assert_eq!(ask(&Caller::Service(provider), &text), Truth::False);
    }

    #[test]
    fn a_deny_wins() {
        let allow = one("Allow", r#""Principal":"*""#, "");
        let me = Caller::Entity(ME);
        for (principals, expected) in [
            (r#""Principal":{"AWS":"111122223333"}"#, Truth::False),
            (r#""Principal":{"AWS":"444455556666"}"#, Truth::True),
            (r#""NotPrincipal":{"AWS":"111122223333"}"#, Truth::False),
            (
                r#""NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/a/me"]}"#,
                Truth::True,
            ),
        ] {
            let text = format!("{allow},{}", one("Deny", principals, ""));
            assert_eq!(
                asked(&text, &me, Context::default()).0,
                expected,
                "{principals}"
            );
        }
    }

    /// As what somebody is named is what lets them in: not what refuses, nor what is about
    /// another action.
    #[test]
    fn named_as_what_comes_from_what_lets_in() {
        let itself = format!(r#""Principal":{{"AWS":"{ME}"}}"#);
        let other = one("Allow", &itself, "").replace("AssumeRole", "TagSession");
        let account = one("Allow", r#""Principal":{"AWS":"111122223333"}"#, "");
        for (statement, expected) in [
            (one("Allow", &itself, ""), Named::Itself),
            (one("Deny", &itself, ""), Named::Account),
            (other, Named::Account),
        ] {
            let statements = format!("{account},{statement}");
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
            let document = parse(&text, Use::Trust).unwrap();
            let context = Context::default();
            let found = admits(&document, &Caller::Entity(ME), "sts:AssumeRole", &context);
            assert_eq!(found.named, expected, "{statement}");
        }
    }

    #[test]
    fn conditions_count() {
        let rest = r#","Condition":{"StringEquals":{"sts:ExternalId":"x"}}"#;
        let text = one("Allow", r#""Principal":{"AWS":"111122223333"}"#, rest);
        let me = Caller::Entity(ME);
        let ask = |context| asked(&text, &me, context).1;
        assert_eq!(
            ask(Context::default().with("sts:ExternalId", "x")),
            Truth::True
        );
        assert_eq!(ask(Context::default().and_nothing_else()), Truth::False);
        let on = BTreeSet::from(["sts:ExternalId".to_owned()]);
        assert_eq!(ask(Context::default()), Truth::Depends(on));
    }

    #[test]
    fn another_action_is_not_meant() {
        let text = one("Allow", r#""Principal":"*""#, "");
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#);
        let document = parse(&text, Use::Trust).unwrap();
        let found = admits(
            &document,
            &Caller::Entity(ME),
            "sts:TagSession",
            &Context::default(),
        );
        assert_eq!(found.by_name, Truth::False);
        assert_eq!(named(&document), BTreeSet::from(["*"]));
    }
}
