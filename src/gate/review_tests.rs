//! What stops a plan.

use remit_sdk::DeclarationAddress;
use remit_sdk::provider::Expected;

use super::requirements_tests::{base, gain};
use super::{Fact, GateChange, Requirement, Review};
use crate::access::AccessChange;
use crate::diff::{Action, Change, Details, Difference, Reason};
use crate::plan::Plan;
use crate::rules::{Finding, ORGANISATION, Severity};

fn finding(rule: &str, severity: Severity) -> Finding {
    Finding {
        rule: rule.into(),
        name: String::new(),
        severity,
        address: None,
        place: None,
        what: String::new(),
        why: String::new(),
        help: String::new(),
        waived_by: None,
        waived_until: None,
    }
}

/// A plan that does this to one object, with an error of a rule.
fn doing(action: Action) -> Review {
    let address = DeclarationAddress::new("vault_policy", "p").object("vault_policy");
    let change = Change {
        address: address.clone(),
        instance: "vault".into(),
        kind: "vault_policy".into(),
        key: "p".into(),
        action,
        reason: Reason::Configuration,
        before: [].into(),
        after: [].into(),
        differences: Vec::new(),
        expected: Expected::Absent,
        old: None,
        moved_from: None,
        details: Details::default(),
        place: None,
    };
    let mut review = Review::of(Plan::nothing());
    review.plan.changes.insert(address, change);
    review.findings = vec![finding("RMT101", Severity::Error)];
    review
}

/// A plan that changes an object and this of somebody's access.
fn giving(change: impl Fn(&mut AccessChange)) -> Review {
    let mut review = doing(Action::Update);
    review.access = gain("bot", "read");
    for one in &mut review.access {
        change(one);
    }
    review
}

#[test]
fn an_error_stops_what_makes_something() {
    for (action, stops) in [
        (Action::Create, true),
        (Action::Replace, true),
        (Action::Adopt, true),
        (Action::Update, false),
        (Action::Delete, false),
        (Action::Keep, false),
        (Action::Refresh, false),
        (Action::Forget, false),
    ] {
        assert_eq!(doing(action).stops(), stops, "{action:?}");
    }
    let mut review = doing(Action::Create);
    review.findings = vec![finding("RMT101", Severity::Warning)];
    assert!(!review.stops());
    let mut waived = finding("RMT101", Severity::Error);
    waived.waived_by = Some(DeclarationAddress::new("exception", "e"));
    review.findings = vec![waived];
    assert!(!review.stops());
    review.findings.clear();
    assert!(!review.stops());
}

/// Made as a rule wants it, and changed afterwards.
#[test]
fn an_error_stops_what_changes_more_than_access() {
    let changing = |attributes: &[(&str, bool)]| {
        let mut review = doing(Action::Update);
        for change in review.plan.changes.values_mut() {
            let differences = attributes.iter().map(|(name, may_give)| Difference {
                name: (*name).to_owned(),
                before: None,
                after: None,
                drift: None,
                managed: true,
                replaces: false,
                document: false,
                may_give: *may_give,
            });
            change.differences = differences.collect();
        }
        review.stops()
    };
    assert!(changing(&[("token_ttl", true)]));
    assert!(changing(&[("policies", false), ("token_ttl", true)]));
    assert!(!changing(&[("policies", false)]));
}

#[test]
fn an_error_stops_what_gives_something() {
    assert!(giving(|_| {}).stops());
    // What was given outside and is made one's own is given by the plan.
    let adopts = giving(|change| change.adopted = std::mem::take(&mut change.gained));
    assert!(adopts.stops());
    let keeps = giving(|change| change.drifted = std::mem::take(&mut change.gained));
    assert!(!keeps.stops());
    assert!(!giving(|change| change.lost = std::mem::take(&mut change.gained)).stops());
}

#[test]
fn an_error_stops_what_changes_who_approves_and_nothing_else() {
    let facts = |action| {
        let mut review = doing(action);
        review.plan.gate = Some(base());
        review
    };
    assert!(facts(Action::Keep).stops());
    assert!(facts(Action::Refresh).stops());
    assert!(!facts(Action::Delete).stops());
    // What is loosened beside a removal takes approval.
    let mut beside = facts(Action::Delete);
    beside.approvals.push(Requirement {
        loosens: false,
        why: "owner.pay gets 1 approver".into(),
        required: 1,
        approvers: Vec::new(),
    });
    assert!(beside.stops());
    let mut nobody = facts(Action::Keep);
    for keys in nobody
        .plan
        .gate
        .iter_mut()
        .flat_map(|facts| facts.owners.values_mut())
    {
        keys.clear();
    }
    assert!(!nobody.stops());
    let mut none = facts(Action::Keep);
    none.plan.changes.clear();
    assert!(none.stops());
    none.findings.clear();
    assert!(!none.stops());
}

/// Whoever's key is lost must be able to take it away, whatever else is wrong.
#[test]
fn an_error_does_not_stop_taking_an_approver_away() {
    let change = |what, before: Option<&str>, after: Option<&str>| GateChange {
        address: DeclarationAddress::new("owner", "pay"),
        what,
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let gone = change(Fact::Approver, Some("k"), None);
    let stops = |changes: &[&GateChange]| {
        let mut review = doing(Action::Keep);
        review.plan.gate = Some(base());
        review.gate_changes = changes.iter().map(|one| (*one).clone()).collect();
        review.stops()
    };
    assert!(!stops(&[&gone]) && !stops(&[&gone, &gone]));
    assert!(stops(&[]));
    for also in [
        change(Fact::Exception, Some("e"), None),
        change(Fact::Declared, Some("yes"), Some("no")),
    ] {
        assert!(!stops(&[&gone, &also]), "{also:?}");
    }
    // Beside a removal, what isn't taken away counts unless it is stricter or takes approval.
    for (other, gives) in [
        (change(Fact::Approver, None, Some("k")), true),
        (
            change(Fact::Ceiling, Some("scope.a, scope.b"), Some("scope.a")),
            false,
        ),
        (change(Fact::Approval, None, Some("1 of owner.pay")), false),
        (
            change(
                Fact::Environment,
                Some("environment.a"),
                Some("environment.b"),
            ),
            true,
        ),
        (change(Fact::Exception, Some("e"), Some("f")), true),
        (change(Fact::Declared, Some("no"), Some("yes")), true),
        (change(Fact::Risk, Some("low"), Some("high")), false),
        (
            change(Fact::Tier, Some("staging"), Some("production")),
            false,
        ),
    ] {
        assert!(stops(&[&gone, &other]) && stops(&[&other]), "{other:?}");
        let mut beside = doing(Action::Delete);
        beside.gate_changes = vec![other.clone(), gone.clone()];
        assert_eq!(beside.stops(), gives, "{other:?}");
    }
}

#[test]
fn what_is_given_is_named() {
    let gives = |review: Review| review.gives().unwrap_or_default();
    assert_eq!(gives(doing(Action::Delete)), "");
    let object = "vault_policy.p/vault_policy";
    for (action, what) in [
        (Action::Create, "is made"),
        (Action::Replace, "is made anew"),
        (Action::Adopt, "is adopted"),
    ] {
        assert_eq!(gives(doing(action)), format!("{object} {what}"));
    }
    assert_eq!(gives(giving(|_| {})), "identity.bot gains access");
}

#[test]
fn an_organisation_stops_anything() {
    let mut review = doing(Action::Delete);
    review.findings = vec![finding(ORGANISATION, Severity::Error)];
    assert!(review.stops());
    let rules = finding("RMT101", Severity::Error);
    review.findings = vec![rules.clone(), finding(ORGANISATION, Severity::Error)];
    assert!(review.stops());
    review.findings = vec![rules, finding(ORGANISATION, Severity::Warning)];
    assert!(!review.stops());
    review.findings = vec![finding(ORGANISATION, Severity::Warning)];
    assert!(!review.stops());
}
