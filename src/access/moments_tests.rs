//! What there is at each moment of a plan, and what an evaluator is given of it.

use remit_sdk::declaration::{Lifecycle, ProviderConfig, Wanted};
use remit_sdk::provider::{Reading, Target};
use remit_sdk::{FileId, Span};

use super::tests::{address, catalog, change, may, observed, recorded};
use super::*;
use crate::diff::Action;
use crate::lower::Desired;
use crate::model::Model;

#[test]
fn what_the_server_says_is_gone_is_known_to_be() {
    let recorded = recorded(&[("a", &["r"]), ("b", &["r"]), ("c", &["r"])]);
    let mut observed = observed(&[("a", &["r"])]);
    let place = |label: &str| ("toy".to_owned(), "toy_holder".to_owned(), label.to_owned());
    observed.readings.insert(place("b"), Reading::Absent);
    let refused = remit_sdk::ProviderError::new(remit_sdk::ErrorKind::Denied, "no");
    let unreadable = Reading::Unreadable(refused);
    observed.readings.insert(place("c"), unreadable);
    let (desired, model) = (Desired::default(), Model::default());
    let around = Around {
        model: &model,
        targets: &observed.targets,
    };
    let absent = |moment: &Moment<'_>| -> Vec<String> {
        let world = moment.world("toy", around);
        world
            .absent
            .iter()
            .map(|(_, key)| (*key).to_owned())
            .collect()
    };
    let was = Moment::recorded(&recorded, &catalog());
    assert_eq!(absent(&was), [""; 0]);
    let live = Moment::live(&recorded, &desired, &observed, &catalog());
    // What can't be read isn't gone.
    assert_eq!(absent(&live), ["b"]);
    assert_eq!(absent(&Moment::wanted(&desired)), [""; 0]);
    let plan = [
        change("a", Action::Delete, &[]),
        change("b", Action::Create, &["w"]),
    ]
    .into();
    assert_eq!(absent(&live.after(&plan, &catalog())), ["a"]);
    let replaced = [change("a", Action::Replace, &["w"])].into();
    assert_eq!(absent(&live.after(&replaced, &catalog())), ["b"]);
    assert!(live.world("other", around).absent.is_empty());
}

#[test]
fn what_nobody_recorded_is_taken_to_have_been_as_it_is() {
    let (recorded, observed) = (
        recorded(&[("a", &["r"])]),
        observed(&[("a", &["r", "w"]), ("others", &["all"])]),
    );
    let (desired, model) = (Desired::default(), Model::default());
    let around = Around {
        model: &model,
        targets: &observed.targets,
    };
    let live = Moment::live(&recorded, &desired, &observed, &catalog());
    let was = Moment::recorded(&recorded, &catalog()).with_others_of(&live);
    let world = was.world("toy", around);
    let of = |key: &str| may(&world, &("toy_holder".to_owned(), key.to_owned()));
    assert_eq!(of("a"), ["r".to_owned()].into());
    assert_eq!(of("others"), ["all".to_owned()].into());
}

#[test]
fn a_world_says_where_it_is_and_how_it_is_configured() {
    let (recorded, mut observed) = (recorded(&[("a", &["r"])]), observed(&[]));
    let target = Target {
        id: "t".into(),
        address: String::new(),
        description: "Toy 3".into(),
    };
    observed.targets.insert("toy".into(), target);
    let mut model = Model::default();
    let config = ProviderConfig {
        instance: "toy".into(),
        provider: "toy".into(),
        attributes: [].into(),
        blocks: Vec::new(),
        span: None,
    };
    model.providers.insert("toy".into(), config);
    let around = Around {
        model: &model,
        targets: &observed.targets,
    };
    let moment = Moment::recorded(&recorded, &catalog());
    let world = moment.world("toy", around);
    assert_eq!((world.instance, world.server), ("toy", "Toy 3"));
    assert_eq!(world.config.unwrap().instance, "toy");
    let other = moment.world("other", around);
    assert_eq!((other.instance, other.server), ("other", ""));
    assert!(other.config.is_none());
}

#[test]
fn what_is_wanted_is_there_once_it_is_made() {
    let (_, planned) = change("a", Action::Create, &["w"]);
    let wanted = Wanted {
        address: address("a"),
        instance: "toy".into(),
        kind: catalog().kind("toy_holder").unwrap(),
        key: "a".into(),
        attributes: planned.after,
        depends_on: [].into(),
        holders: [].into(),
        lifecycle: Lifecycle::default(),
        span: Span::new(FileId(0), 0, 0),
    };
    let desired = Desired {
        objects: [(address("a"), wanted)].into(),
    };
    let (model, targets) = (Model::default(), [].into());
    let around = Around {
        model: &model,
        targets: &targets,
    };
    let moment = Moment::wanted(&desired);
    assert_eq!(moment.instances(), ["toy"]);
    let world = moment.world("toy", around);
    let holder = world.thing("toy_holder", "a").unwrap();
    assert_eq!(holder.address, Some(&address("a")));
    let subject = ("toy_holder".to_owned(), "a".to_owned());
    assert_eq!(may(&world, &subject), ["w".to_owned()].into());
}
