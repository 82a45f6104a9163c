//! Who may become a subject, at the three moments of a plan.

use std::collections::BTreeMap;

use remit_sdk::access::{Certainty, Excess, Login, Permission};
use remit_sdk::provider::Reading;
use remit_sdk::{DeclarationAddress, Value};

use super::tests::{address, catalog, change, observed, recorded};
use super::*;
use crate::diff::Action;
use crate::lower::Desired;
use crate::model::Model;

/// Who comes to `identity.a`, which may do `r`; `None` where it isn't there.
type Who<'a> = Option<&'a [&'a str]>;

const HOLDERS: &[(&str, &[&str])] = &[("a", &["r"])];

fn who(all: &[&str]) -> Value {
    Value::strings(all.iter().copied())
}

/// What changes from what was recorded and is live to what is planned.
fn compared(was: Who<'_>, live: Who<'_>, planned: Option<(Action, &[&str])>) -> Vec<AccessChange> {
    let mut recorded = recorded(was.map_or(&[][..], |_| HOLDERS));
    for record in recorded.objects.values_mut() {
        let ways = who(was.unwrap_or_default());
        record.attributes.insert("who".into(), ways);
    }
    let mut observed = observed(live.map_or(&[][..], |_| HOLDERS));
    for reading in observed.readings.values_mut() {
        if let Reading::Present(object) = reading {
            let ways = who(live.unwrap_or_default());
            object.attributes.insert("who".into(), ways);
        }
    }
    let plan: BTreeMap<_, _> = planned
        .into_iter()
        .map(|(action, ways)| {
            let (at, mut change) = change("a", action, &["r"]);
            change.after.insert("who".into(), who(ways));
            (at, change)
        })
        .collect();
    assert!(plan.keys().all(|at| *at == address("a")));
    let (desired, model) = (Desired::default(), Model::default());
    let was = Moment::recorded(&recorded, &catalog());
    let live = Moment::live(&recorded, &desired, &observed, &catalog());
    let planned = live.after(&plan, &catalog());
    let moments = Moments {
        recorded: &was,
        live: &live,
        planned: &planned,
    };
    let around = Around {
        model: &model,
        targets: &observed.targets,
    };
    changes(moments, &catalog(), around, (&Reached::All, &Reached::All))
}

/// The one change: `+x` let in, `-x` shut out, `!x` made outside; and what it is.
fn told(all: &[AccessChange]) -> (Vec<String>, &'static str) {
    let [change] = all else {
        assert!(all.is_empty(), "{all:?}");
        return (Vec::new(), "nothing");
    };
    let mut rows = Vec::new();
    for (sign, ways) in [
        ('+', &change.lets_in),
        ('-', &change.shuts_out),
        ('!', &change.drifted_in),
    ] {
        for way in ways {
            let limits = way.conditions().join(",");
            rows.push(
                format!("{sign}{} {limits}", way.headline())
                    .trim_end()
                    .to_owned(),
            );
        }
    }
    let what = match (change.widens(), change.narrows()) {
        (true, true) => "both",
        (true, false) => "widens",
        (false, true) => "narrows",
        (false, false) => "neither",
    };
    (rows, what)
}

#[track_caller]
fn tells(all: &[AccessChange], rows: &[&str], what: &str) {
    let (found, is) = told(all);
    assert_eq!(
        (found.as_slice(), is),
        (
            &rows.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
            what
        )
    );
}

#[expect(clippy::unnecessary_wraps, reason = "as it is taken")]
fn update<'a>(ways: &'a [&'a str]) -> Option<(Action, &'a [&'a str])> {
    Some((Action::Update, ways))
}

/// What the plan makes its own of what was opened outside, by what one comes with.
fn adopted(was: Who<'_>, live: Who<'_>, planned: Option<(Action, &[&str])>) -> Vec<String> {
    let all = compared(was, live, planned);
    let ways = all.iter().flat_map(|change| &change.adopted_in);
    ways.map(|way| way.by.clone()).collect()
}

#[test]
fn what_was_opened_outside_is_adopted_and_what_is_new_is_let_in() {
    let (none, x): (Who<'_>, Who<'_>) = (Some(&[]), Some(&["x"]));
    assert_eq!(adopted(none, x, update(&["x", "y"])), ["x"]);
    assert_eq!(adopted(None, x, update(&["x", "y"])), ["x"]);
    assert_eq!(adopted(none, x, update(&["y"])), Vec::<String>::new());
    assert_eq!(adopted(x, x, update(&["x", "y"])), Vec::<String>::new());
    assert_eq!(adopted(None, None, update(&["x"])), Vec::<String>::new());
}

#[test]
fn who_is_let_in_and_shut_out() {
    let x: Who<'_> = Some(&["x"]);
    tells(&compared(x, x, None), &[], "nothing");
    tells(&compared(x, x, update(&["x"])), &[], "nothing");
    tells(&compared(x, x, update(&["x", "y"])), &["+y"], "widens");
    tells(&compared(x, x, update(&["y"])), &["+y", "-x"], "both");
    tells(&compared(x, x, update(&[])), &["-x"], "narrows");
    tells(
        &compared(x, x, Some((Action::Delete, &[]))),
        &["-x"],
        "narrows",
    );
    // From fewer places, and back.
    let near: Who<'_> = Some(&["x from here"]);
    tells(
        &compared(x, x, update(&["x from here"])),
        &["-x"],
        "narrows",
    );
    tells(&compared(near, near, update(&["x"])), &["+x"], "widens");
    tells(
        &compared(near, near, update(&["x", "x from here"])),
        &["+x"],
        "widens",
    );
    // What is held then, and all ways there are.
    let found = compared(x, x, update(&["x", "y"]));
    let held = [DeclarationAddress::new("scope", "s")].into();
    assert_eq!((&found[0].held, found[0].logins.len()), (&held, 2));
    assert!(!found[0].is_new);
}

#[test]
fn who_may_be_what_is_new_is_part_of_it() {
    let found = compared(None, None, Some((Action::Create, &["x"])));
    tells(&found, &["+x"], "widens");
    assert!(found[0].is_new && !found[0].gained.is_empty());
    // By itself it widens nothing.
    let mut alone = found[0].clone();
    alone.gained.clear();
    assert!(!alone.widens() && !alone.is_nothing());
    alone.is_new = false;
    assert!(alone.widens());
}

#[test]
fn a_way_made_outside_is_told() {
    let (x, both): (Who<'_>, Who<'_>) = (Some(&["x"]), Some(&["x", "y"]));
    tells(&compared(x, both, None), &["!y"], "neither");
    let back = compared(x, both, Some((Action::Update, &["x"])));
    tells(&back, &["-y", "!y"], "narrows");
    // What isn't recorded wasn't ours.
    tells(&compared(None, both, None), &[], "nothing");
    // What was taken away outside and is put back lets somebody in.
    tells(
        &compared(both, x, Some((Action::Update, &["x", "y"]))),
        &["+y"],
        "widens",
    );
}

/// Each list of a change by itself is something to say, and one of some.
#[test]
fn what_a_change_is() {
    type Fill = fn(&mut AccessChange, (Attributed, Login));
    let attributed = || Attributed {
        excess: Excess {
            permission: Permission {
                actions: [].into(),
                resources: [].into(),
                conditions: [].into(),
                sources: [].into(),
            },
            example: None,
            certainty: Certainty::Surely,
        },
        scopes: [].into(),
        risk: None,
    };
    let login = || Login {
        by: "a token".into(),
        who: None,
        limits: [].into(),
        at: String::new(),
    };
    let nothing = || {
        let identity = DeclarationAddress::new("identity", "a");
        AccessChange::nothing(identity, ("toy_holder".into(), "a".into()))
    };
    assert!(nothing().is_nothing() && !nothing().widens() && !nothing().narrows());
    let lists: [(Fill, bool, bool); 8] = [
        (|change, one| change.gained.push(one.0), true, false),
        (|change, one| change.lets_in.push(one.1), true, false),
        (|change, one| change.lost.push(one.0), false, true),
        (|change, one| change.shuts_out.push(one.1), false, true),
        (|change, one| change.drifted.push(one.0), false, false),
        (|change, one| change.drifted_in.push(one.1), false, false),
        (|change, one| change.adopted.push(one.0), false, false),
        (|change, one| change.adopted_in.push(one.1), false, false),
    ];
    for (number, (fill, widens, narrows)) in lists.into_iter().enumerate() {
        let mut change = nothing();
        fill(&mut change, (attributed(), login()));
        assert!(!change.is_nothing(), "{number}");
        assert_eq!(
            (change.widens(), change.narrows()),
            (widens, narrows),
            "{number}"
        );
    }
    // Who may be a new one is part of its being there.
    let mut new = nothing();
    new.is_new = true;
    new.lets_in.push(login());
    assert!(!new.is_nothing() && !new.widens());
}
