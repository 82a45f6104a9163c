//! 502 to 504: audit devices, leases that live on, logins of people.

use remit_sdk::provider::{AuditDevice, Seen};

use super::Severity;
use super::testing::World;

fn device(name: &str, blind: Option<&str>) -> AuditDevice {
    AuditDevice {
        name: name.into(),
        blind: blind.map(str::to_owned),
    }
}

#[test]
fn one_device_that_tells_whose_requests_were_is_enough() {
    let mut world = World::beside_base("");
    let mut with = |audit| {
        let around = world.observed.surroundings.as_mut().unwrap();
        let around = around.get_mut("vault").unwrap();
        around.audit = Some(audit);
        let checked = world.check();
        let found = checked.findings.into_iter().map(|one| one.what);
        let skipped = checked.skipped.into_iter();
        let skipped = skipped.filter(|(code, _)| code == "RMT503");
        (
            found.collect::<Vec<_>>(),
            skipped.map(|(_, what)| what).collect::<Vec<_>>(),
        )
    };
    let (blind, sees) = (
        device("half", Some("it leaves out `/auth`")),
        device("all", None),
    );
    let none: Vec<String> = Vec::new();
    let both = Seen::Known(vec![blind.clone(), sees]);
    assert_eq!(with(both), (none.clone(), none.clone()));
    let what = "no audit device of vault tells of every request whose it was: of `half`, it leaves \
                out `/auth`";
    assert_eq!(
        with(Seen::Known(vec![blind])),
        (vec![what.to_owned()], none.clone())
    );
    assert_eq!(
        with(Seen::Known(Vec::new())),
        (vec!["vault has no audit device".to_owned()], none.clone())
    );
    let skipped = "in part: needs the audit devices of vault, which nobody may read";
    assert_eq!(
        with(Seen::Unknown("which nobody may read".into())),
        (none, vec![skipped.to_owned()])
    );
}

#[test]
fn leases_that_live_on_are_told_and_what_is_not_known_is_skipped() {
    let mut world = World::beside_base("");
    let mut with = |left| {
        let around = world.observed.surroundings.as_mut().unwrap();
        let around = around.get_mut("vault").unwrap();
        let place = ("vault_database_role".to_owned(), "db/x".to_owned());
        around.left.insert(place, left);
        let checked = world.check();
        (checked.findings, checked.skipped)
    };
    let (found, skipped) = with(Seen::Known(vec!["a lease under `db/creds/x`".into()]));
    let what: Vec<&str> = found.iter().map(|one| one.what.as_str()).collect();
    let lives = "a lease under `db/creds/x`: not revoked when vault_database_role `db/x` in vault \
                 is removed";
    assert_eq!(what, [lives]);
    assert_eq!(found.first().unwrap().severity, Severity::Error);
    assert_eq!(skipped, []);
    assert_eq!(with(Seen::Known(Vec::new())), (Vec::new(), Vec::new()));
    let (found, skipped) = with(Seen::Unknown("which nobody may list".into()));
    assert_eq!(found, []);
    let what = "in part: needs the leases of vault_database_role `db/x` in vault, which nobody may \
                list";
    assert_eq!(skipped, [("RMT502".to_owned(), what.to_owned())]);
}

#[test]
fn a_login_of_a_person_is_told() {
    let mut world = World::beside_base("");
    let place = (
        "vault".to_owned(),
        "vault_entity_alias".to_owned(),
        "auth/people/alias/someone".to_owned(),
    );
    world.observed.people.insert(place, "userpass".into());
    let found = world.check().findings;
    let what: Vec<&str> = found.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "by vault_entity_alias `auth/people/alias/someone` (userpass) a person has what an agent's entity in \
          vault may do"
        ]
    );
    assert_eq!(found.first().unwrap().rule, "RMT504");
    assert!(found.first().unwrap().place.is_some());
}
