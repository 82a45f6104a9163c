//! Worlds and what is compared, with an evaluator that takes an attribute for permissions.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{
    Answer, Certainty, Escalation, Evaluate, Excess, Login, Permission, Source, Subject, Verdict,
    World,
};
use remit_sdk::provider::{Expected, Lowered, Part, Reading};
use remit_sdk::schema::{Kind, Role};
use remit_sdk::{DeclarationAddress, Fingerprint, Lower, Object, ObjectAddress, Value};

use super::*;
use crate::diff::{Action, Change, Details, Reason};
use crate::lower::{Catalog, Desired};
use crate::model::Model;
use crate::observe::Observed;
use crate::state::{Record, Recorded};

const HOLDER: Kind = Kind {
    name: "toy_holder",
    version: 1,
    summary: "",
    key: "{name}",
    container: None,
    role: Role::Subject,
    mark: None,
    attributes: &[],
    computed_from: &[],
    requests: "",
};

struct Toy;

impl Lower for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn kinds(&self) -> &'static [Kind] {
        const KINDS: &[Kind] = &[HOLDER];
        KINDS
    }

    fn normalise(&self, _: &Kind, _: &str, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }

    fn lower(&self, _: &Part<'_>) -> Lowered {
        Lowered::default()
    }
}

/// What a holder may do: the texts of its `may`.
pub(super) fn may(world: &World<'_>, subject: &Subject) -> BTreeSet<String> {
    let thing = world.thing(&subject.0, &subject.1);
    match thing.and_then(|thing| thing.attributes.get("may")) {
        Some(Value::Set(all)) => all
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// Who comes: each text of `who`, `x` from everywhere or `x from here`.
fn comes(world: &World<'_>, subject: &Subject) -> BTreeSet<Login> {
    let thing = world.thing(&subject.0, &subject.1);
    let Some(Value::Set(all)) = thing.and_then(|thing| thing.attributes.get("who")) else {
        return BTreeSet::new();
    };
    let way = |text: &str| {
        let (by, from) = text.split_once(" from ").unwrap_or((text, ""));
        let from = (!from.is_empty()).then(|| ("from".to_owned(), [from.to_owned()].into()));
        Login {
            by: by.to_owned(),
            who: None,
            limits: from.into_iter().collect(),
            at: String::new(),
        }
    };
    all.iter().filter_map(Value::as_str).map(way).collect()
}

fn permission(action: &str) -> Permission {
    let by = match action {
        "foreign" => None,
        own if own.starts_with("own") => Some("provider.toy/toy_policy/self"),
        _ => Some("identity.a/toy_policy/scope.s"),
    };
    let by = by.map(|by| Source::Object(by.parse().unwrap()));
    Permission {
        actions: [action.to_owned()].into(),
        resources: ["x".to_owned()].into(),
        conditions: BTreeSet::new(),
        sources: by.into_iter().collect(),
    }
}

impl Evaluate for Toy {
    fn provider(&self) -> &'static str {
        "toy"
    }

    fn missing(&self, _: &World<'_>) -> BTreeSet<(&'static str, String)> {
        BTreeSet::new()
    }

    fn subjects(&self, world: &World<'_>) -> BTreeSet<Subject> {
        world
            .of_kind("toy_holder")
            .map(|thing| (thing.kind.name.to_owned(), thing.key.to_owned()))
            .collect()
    }

    fn logins(
        &self,
        world: &World<'_>,
        subjects: &BTreeSet<Subject>,
    ) -> BTreeMap<Subject, BTreeSet<Login>> {
        let of = |subject: &Subject| (subject.clone(), comes(world, subject));
        subjects.iter().map(of).collect()
    }

    fn permissions(&self, world: &World<'_>, subject: &Subject) -> Vec<Permission> {
        may(world, subject)
            .iter()
            .map(|one| permission(one))
            .collect()
    }

    fn beyond(&self, world: &World<'_>, subject: &Subject, than: &World<'_>) -> Vec<Excess> {
        let more = &may(world, subject) - &may(than, subject);
        let more = more.iter();
        more.map(|one| Excess {
            permission: permission(one),
            example: None,
            certainty: Certainty::Surely,
        })
        .collect()
    }

    fn can(&self, world: &World<'_>, subject: &Subject, request: &str) -> Result<Answer, String> {
        if request.is_empty() {
            return Err("say what".to_owned());
        }
        Ok(Answer {
            verdict: if may(world, subject).contains(request) {
                Verdict::Allowed
            } else {
                Verdict::Denied("no".to_owned())
            },
            path: Vec::new(),
            sources: BTreeSet::new(),
        })
    }

    fn is_administrative(&self, permission: &Permission) -> Option<String> {
        let admin = permission.actions.iter().find(|one| one.ends_with("admin"));
        admin.cloned()
    }

    fn stands_for(&self, _: &Permission) -> Option<String> {
        None
    }

    fn escalations(&self, _: &World<'_>, _: &Subject) -> Vec<Escalation> {
        Vec::new()
    }
}

static LOWER: [&dyn Lower; 1] = [&Toy];
static EVALUATE: [&dyn Evaluate; 1] = [&Toy];

pub(super) fn catalog() -> Catalog<'static> {
    Catalog::new(&LOWER).with_evaluators(&EVALUATE)
}

fn set(all: &[&str]) -> BTreeMap<String, Value> {
    BTreeMap::from([("may".to_owned(), Value::strings(all.iter().copied()))])
}

pub(super) fn address(label: &str) -> ObjectAddress {
    DeclarationAddress::new("identity", label).object("toy_holder")
}

/// Recorded holders by label, each with what it may do.
pub(super) fn recorded(all: &[(&str, &[&str])]) -> Recorded {
    let objects = all.iter().map(|(label, may)| {
        let record = Record {
            instance: "toy".into(),
            target: String::new(),
            kind: "toy_holder".into(),
            schema_version: 1,
            key: (*label).to_owned(),
            id: None,
            attributes: set(may),
            set: BTreeSet::new(),
            fingerprint: Fingerprint::of(&serde_json::Value::Null),
            depends_on: BTreeSet::new(),
            holders: BTreeSet::new(),
            prevent_destroy: false,
        };
        (address(label), record)
    });
    Recorded {
        objects: objects.collect(),
        ..Recorded::default()
    }
}

/// Live holders by key; those of others are never recorded.
pub(super) fn observed(all: &[(&str, &[&str])]) -> Observed {
    let readings = all.iter().map(|(key, may)| {
        let object = Object {
            kind: "toy_holder".into(),
            key: (*key).to_owned(),
            id: None,
            attributes: set(may),
            version: None,
            mark: None,
            fingerprint: Fingerprint::of(&serde_json::Value::Null),
        };
        let place = ("toy".to_owned(), "toy_holder".to_owned(), (*key).to_owned());
        (place, Reading::Present(object))
    });
    Observed {
        readings: readings.collect(),
        ..Observed::default()
    }
}

pub(super) fn change(label: &str, action: Action, after: &[&str]) -> (ObjectAddress, Change) {
    let change = Change {
        address: address(label),
        instance: "toy".into(),
        kind: "toy_holder".into(),
        key: label.to_owned(),
        action,
        reason: Reason::Configuration,
        before: BTreeMap::new(),
        after: set(after),
        differences: Vec::new(),
        expected: Expected::Absent,
        old: None,
        moved_from: None,
        details: Details::default(),
        place: None,
    };
    (address(label), change)
}

/// The rows of a change: `+x` gained, `-x` lost, `!x` drifted.
fn rows(change: &AccessChange) -> Vec<String> {
    let mut found = Vec::new();
    for (sign, all) in [
        ('+', &change.gained),
        ('-', &change.lost),
        ('!', &change.drifted),
        ('=', &change.adopted),
    ] {
        for one in all {
            let actions: Vec<&str> = one
                .excess
                .permission
                .actions
                .iter()
                .map(String::as_str)
                .collect();
            found.push(format!("{sign}{}", actions.join(",")));
        }
    }
    found
}

/// What changes, by label.
fn compared(
    was: &[(&str, &[&str])],
    live: &[(&str, &[&str])],
    plan: Vec<(ObjectAddress, Change)>,
) -> BTreeMap<String, (bool, Vec<String>)> {
    let (recorded, observed) = (recorded(was), observed(live));
    let (desired, model, plan) = (
        Desired::default(),
        Model::default(),
        plan.into_iter().collect(),
    );
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
    let touched = Reached::by(&plan);
    changes(moments, &catalog(), around, (&Reached::All, &touched))
        .iter()
        .inspect(|change| {
            let is_there = planned
                .world("toy", around)
                .thing(&change.subject.0, &change.subject.1)
                .is_some();
            assert_eq!(change.is_gone, !is_there);
        })
        .map(|change| (change.identity.to_string(), (change.is_new, rows(change))))
        .collect()
}

fn told(all: &[(&str, bool, &[&str])]) -> BTreeMap<String, (bool, Vec<String>)> {
    let own = |rows: &[&str]| rows.iter().map(ToString::to_string).collect();
    all.iter()
        .map(|(label, is_new, rows)| (format!("identity.{label}"), (*is_new, own(rows))))
        .collect()
}

#[test]
fn gained_lost_and_drifted() {
    // Nothing happens; somebody else's holder is nobody's.
    assert_eq!(
        compared(&[("a", &["r"])], &[("a", &["r"]), ("z", &["all"])], vec![]),
        told(&[])
    );
    assert_eq!(
        compared(
            &[("a", &["r"])],
            &[("a", &["r"])],
            vec![change("a", Action::Update, &["w"])]
        ),
        told(&[("a", false, &["+w", "-r"])])
    );
    assert_eq!(
        compared(&[], &[], vec![change("a", Action::Create, &["w"])]),
        told(&[("a", true, &["+w"])])
    );
    assert_eq!(
        compared(
            &[("a", &["r"])],
            &[("a", &["r"])],
            vec![change("a", Action::Delete, &[])]
        ),
        told(&[("a", false, &["-r"])])
    );
    // Given outside: kept, and put back.
    assert_eq!(
        compared(&[("a", &["r"])], &[("a", &["r", "s"])], vec![]),
        told(&[("a", false, &["!s"])])
    );
    assert_eq!(
        compared(
            &[("a", &["r"])],
            &[("a", &["r", "s"])],
            vec![change("a", Action::Update, &["r"])]
        ),
        told(&[("a", false, &["-s", "!s"])])
    );
    // Given outside, and made ours: by recording it, by declaring it, by adopting its holder.
    let given: &[(&str, &[&str])] = &[("a", &["r", "s"])];
    let made_ours = |was: &[(&str, &[&str])], action, after: &[&str]| {
        compared(was, given, vec![change("a", action, after)])
    };
    let was: &[(&str, &[&str])] = &[("a", &["r"])];
    assert_eq!(
        made_ours(was, Action::Refresh, &["r", "s"]),
        told(&[("a", false, &["!s", "=s"])])
    );
    assert_eq!(
        made_ours(was, Action::Keep, &["r", "s"]),
        told(&[("a", false, &["!s"])])
    );
    assert_eq!(
        made_ours(&[], Action::Adopt, &["r", "s", "t"]),
        told(&[("a", false, &["+t", "=r", "=s"])])
    );
    // Only records change.
    for action in [Action::Keep, Action::Refresh, Action::Forget] {
        let plan = vec![change("a", action, &["w"])];
        assert_eq!(
            compared(&[("a", &["r"])], &[("a", &["r"])], plan),
            told(&[])
        );
    }
    let (at, mut replaced) = change("a", Action::Replace, &["w"]);
    replaced.old = Some(crate::diff::OldObject {
        instance: "toy".into(),
        key: "old".into(),
        expected: None,
    });
    assert_eq!(
        compared(&[], &[("a", &["r"]), ("old", &["q"])], vec![(at, replaced)]),
        told(&[("a", false, &["+w", "-r"])])
    );
}

#[test]
fn whose_access_changes_reach() {
    let identity = |label: &str| DeclarationAddress::new("identity", label);
    let nobody = Reached::by([]);
    assert!(nobody.is_nobody());
    let (at, held) = change("a", Action::Update, &[]);
    assert!(!Reached::by([(&at, &held)]).is_nobody() && !Reached::All.is_nobody());
    assert_eq!(
        Reached::by([(&at, &held)]),
        Reached::Only([identity("a")].into())
    );
    for action in [Action::Keep, Action::Forget] {
        let (at, kept) = change("a", action, &[]);
        assert!(Reached::by([(&at, &kept)]).is_nobody());
    }
    let of = |text: &str, holders: &[&str], former: &[&str]| {
        let (_, mut one) = change("a", Action::Update, &[]);
        one.details.holders = holders.iter().map(|label| identity(label)).collect();
        one.details.former_holders = former.iter().map(|label| identity(label)).collect();
        (text.parse::<ObjectAddress>().unwrap(), one)
    };
    let (at, shared) = of("scope.s/toy_policy", &["a", "b"], &["c"]);
    assert_eq!(
        Reached::by([(&at, &shared)]),
        Reached::Only([identity("a"), identity("b"), identity("c")].into())
    );
    let (at, anybodys) = of("toy_policy.p/toy_policy", &[], &[]);
    assert_eq!(Reached::by([(&at, &anybodys)]), Reached::All);
    // Whom an issuer vouches for may be anybody; of a new one nobody is yet.
    let (at, mut issuer) = of("issuer.i/toy_mount", &[], &[]);
    assert_eq!(Reached::by([(&at, &issuer)]), Reached::All);
    issuer.action = Action::Create;
    assert!(Reached::by([(&at, &issuer)]).is_nobody());
}

#[test]
fn what_names_a_changed_object_is_reached_too() {
    let identity = |label: &str| DeclarationAddress::new("identity", label);
    let spread = |key: &str, live: &[(&str, &[&str])], recorded: &[(&str, &[&str])]| {
        let (recorded, observed) = (self::recorded(recorded), self::observed(live));
        let desired = Desired::default();
        let moment = Moment::live(&recorded, &desired, &observed, &catalog());
        let model = Model::default();
        let around = Around {
            model: &model,
            targets: &observed.targets,
        };
        let mut reached = Reached::Only([identity("a")].into());
        reached.spread(&moment.world("toy", around), &[key.to_owned()].into());
        reached
    };
    let ours: &[(&str, &[&str])] = &[("b", &["x", "arn:y:role/Shared"])];
    let both = Reached::Only([identity("a"), identity("b")].into());
    for key in ["x", "shared", "arn:y:role/shared"] {
        assert_eq!(spread(key, ours, ours), both, "{key}");
    }
    for key in ["y", "hared", "role/shared", ""] {
        let found = spread(key, ours, ours);
        assert_eq!(found, Reached::Only([identity("a")].into()), "{key}");
    }
    assert_eq!(spread("x", ours, &[]), Reached::All);
}

#[test]
fn the_scope_behind_an_object() {
    let of = |text: &str| scope_of(&text.parse().unwrap()).map(|scope| scope.to_string());
    let scope = Some("scope.s".to_owned());
    assert_eq!(of("scope.s/vault_policy"), scope);
    assert_eq!(of("scope.s/vault_database_role/2"), scope);
    assert_eq!(of("identity.x[\"p\"]/vault_policy/scope.s"), scope);
    assert_eq!(of("identity.x/vault_database_role/scope.s/2"), scope);
    assert_eq!(of("identity.x/vault_policy/agent.s"), None);
    assert_eq!(of("identity.x/vault_entity"), None);
    assert_eq!(of("vault_policy.p/vault_policy"), None);
    let own = |text: &str| is_self(&Source::Object(text.parse().unwrap()));
    assert!(own("provider.vault/vault_policy/self"));
    assert!(!own("provider.vault/vault_policy/other"));
    assert!(!own("identity.vault/vault_policy/self"));
    assert!(!is_self(&Source::Foreign("policy self".to_owned())));
}

#[test]
fn who_can_and_what() {
    let (recorded, observed) = (
        recorded(&[("a", &["r"]), ("b", &["w"])]),
        observed(&[("a", &["r"]), ("b", &["w"]), ("z", &["r"])]),
    );
    let (desired, model) = (Desired::default(), Model::default());
    let live = Moment::live(&recorded, &desired, &observed, &catalog());
    let around = Around {
        model: &model,
        targets: &observed.targets,
    };
    let a = DeclarationAddress::new("identity", "a");
    let all = can(&live, &catalog(), around, None);
    assert_eq!(all.len(), 2, "somebody else's is not told");
    let one = can(&live, &catalog(), around, Some(&a));
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].permissions, [permission("r")]);
    let answers = |of: Option<&DeclarationAddress>, request: &str| {
        let found = super::answers(&live, &catalog(), around, of, request);
        found.map(|all| {
            all.into_iter()
                .map(|(identity, answer)| (identity.name, answer.verdict == Verdict::Allowed))
                .collect::<Vec<_>>()
        })
    };
    let both = vec![("a".to_owned(), true), ("b".to_owned(), false)];
    assert_eq!(answers(None, "r"), Ok(both));
    assert_eq!(answers(Some(&a), "w"), Ok(vec![("a".to_owned(), false)]));
    // Nobody is asked of one that isn't there, so nothing is amiss.
    let nobody = DeclarationAddress::new("identity", "nobody");
    assert_eq!(answers(Some(&nobody), "r"), Ok(Vec::new()));
    assert_eq!(answers(None, ""), Err(vec!["toy: say what".to_owned()]));
}

#[test]
fn what_was_given_outside_and_is_taken_back() {
    let one = |actions: &[&str], resource: &str| Attributed {
        excess: Excess {
            permission: Permission {
                actions: actions.iter().map(ToString::to_string).collect(),
                resources: [resource.to_owned()].into(),
                ..permission("")
            },
            example: None,
            certainty: Certainty::Surely,
        },
        scopes: BTreeSet::new(),
        risk: None,
    };
    let mut change = AccessChange {
        lost: vec![one(&["read", "update"], "x")],
        ..AccessChange::nothing(
            DeclarationAddress::new("identity", "a"),
            (String::new(), String::new()),
        )
    };
    assert!(change.takes_back(&one(&["update"], "x")));
    assert!(change.takes_back(&one(&["read", "update"], "x")));
    assert!(!change.takes_back(&one(&["update", "sudo"], "x")));
    assert!(!change.takes_back(&one(&["update"], "y")));
    change.is_gone = true;
    assert!(change.takes_back(&one(&["update"], "y")));
}
