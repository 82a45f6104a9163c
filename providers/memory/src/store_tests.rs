//! Tests of the store: what is refused, what is kept, what goes wrong when told.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use remit_sdk::DeclarationAddress;

use super::*;
use crate::KINDS;

type Attributes = BTreeMap<String, Value>;

/// These futures are ready at once.
fn now<T>(future: BoxFuture<'_, T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

fn attributes(all: &[(&str, Value)]) -> Attributes {
    let all = all.iter();
    all.map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn text(text: &str) -> Value {
    Value::string(text)
}

fn mark() -> Mark {
    let address = DeclarationAddress::new("memory_box", "b").object("memory_box");
    Mark::new("lineage", &address)
}

fn expected(object: &Object) -> Expected {
    Expected::Present {
        id: object.id.clone(),
        version: object.version,
        fingerprint: object.fingerprint.clone(),
    }
}

fn names(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

struct Call {
    kind: &'static str,
    key: &'static str,
    expected: Expected,
    attributes: Attributes,
    changed: BTreeSet<String>,
    unset: BTreeSet<String>,
    secrets: BTreeMap<String, Secret>,
}

impl Call {
    fn new(kind: &'static str, key: &'static str, all: &[(&str, Value)]) -> Self {
        Self {
            kind,
            key,
            expected: Expected::Absent,
            attributes: attributes(all),
            changed: BTreeSet::new(),
            unset: BTreeSet::new(),
            secrets: BTreeMap::new(),
        }
    }

    fn send(&self, memory: &Memory) -> Result<Written, ErrorKind> {
        let mark = mark();
        let request = WriteRequest {
            kind: kind(self.kind),
            key: self.key,
            expected: &self.expected,
            attributes: &self.attributes,
            changed: &self.changed,
            unset: &self.unset,
            secrets: &self.secrets,
            mark: &mark,
        };
        let answer = match self.expected {
            Expected::Absent => memory.create(request),
            Expected::Present { .. } => memory.update(request),
        };
        now(answer).map_err(|error| error.kind)
    }
}

fn a_box() -> Call {
    Call::new("memory_box", "b", &[("name", text("b"))])
}

fn an_item() -> Call {
    let all = [("box", text("b")), ("name", text("i")), ("note", text("x"))];
    Call::new("memory_item", "box/b/item/i", &all)
}

fn filled() -> Memory {
    let memory = Memory::new(KINDS);
    a_box().send(&memory).unwrap();
    an_item().send(&memory).unwrap();
    memory
}

fn item(memory: &Memory) -> Object {
    memory.get("memory_item", "box/b/item/i").unwrap()
}

fn change(memory: &Memory, all: &[(&str, Value)]) -> Call {
    let mut call = Call::new("memory_item", "box/b/item/i", all);
    call.changed = call.attributes.keys().cloned().collect();
    call.expected = expected(&item(memory));
    call
}

fn delete(
    memory: &Memory,
    name: &str,
    key: &str,
    expected: &Expected,
) -> Result<Written, ErrorKind> {
    now(memory.delete(kind(name), key, expected)).map_err(|error| error.kind)
}

#[test]
fn a_create_fills_in_what_a_server_does() {
    let memory = filled();
    let object = item(&memory);
    assert_eq!(object.id.as_deref(), Some("id-2"));
    assert_eq!(object.attributes["enabled"], Value::Bool(true));
    assert_eq!(object.attributes["id"], text("id-2"));
    assert_eq!(object.mark, Some(mark()));
    assert_eq!(
        (object.version, object.attributes.get("size")),
        (Some(1), None)
    );
    assert!(now(memory.read(kind("memory_item"), "box/b/item/other")) == Reading::Absent);
}

#[test]
fn what_exists_is_not_made_again() {
    let memory = filled();
    assert_eq!(an_item().send(&memory), Err(ErrorKind::Conflict));
}

#[test]
fn an_object_made_anew_is_another_one() {
    let memory = filled();
    let first = item(&memory);
    delete(&memory, "memory_item", "box/b/item/i", &expected(&first)).unwrap();
    an_item().send(&memory).unwrap();
    assert_ne!(item(&memory).id, first.id);
    let refused = delete(&memory, "memory_item", "box/b/item/i", &expected(&first));
    assert_eq!(refused, Err(ErrorKind::Conflict));
}

#[test]
fn what_may_not_be_written_is_refused() {
    let memory = filled();
    let refused = |change: &dyn Fn(&mut Call)| {
        let all = [("box", text("b")), ("name", text("j"))];
        let mut call = Call::new("memory_item", "box/b/item/j", &all);
        change(&mut call);
        call.send(&memory).unwrap_err()
    };
    let with = |name: &'static str, value: Value| {
        refused(&|call: &mut Call| {
            call.attributes.insert(name.to_owned(), value.clone());
        })
    };
    assert_eq!(with("colour", text("x")), ErrorKind::Invalid);
    assert_eq!(with("id", text("x")), ErrorKind::Invalid);
    assert_eq!(with("ttl", text("soon")), ErrorKind::Invalid);
    assert_eq!(with("ttl", text("15m")), ErrorKind::Bug);
    assert_eq!(with("box", text("other")), ErrorKind::Invalid);
    assert_eq!(with("name", text("other")), ErrorKind::Invalid);
    let missing = |call: &mut Call| drop(call.attributes.remove("name"));
    assert_eq!(refused(&missing), ErrorKind::Invalid);
    let secret = |call: &mut Call| {
        call.secrets.insert("note".into(), Secret::new("x".into()));
    };
    assert_eq!(refused(&secret), ErrorKind::Invalid);
    let homeless = Call::new(
        "memory_item",
        "box/none/item/i",
        &[("box", text("none")), ("name", text("i"))],
    );
    assert_eq!(homeless.send(&memory), Err(ErrorKind::Invalid));
    assert_eq!(memory.objects().len(), 2);
}

#[test]
fn an_update_changes_what_it_says() {
    let memory = filled();
    let mut call = change(&memory, &[("ttl", Value::integer(60))]);
    call.attributes.insert("note".into(), text("not said"));
    call.send(&memory).unwrap();
    assert_eq!(item(&memory).attributes["ttl"], Value::integer(60));
    assert_eq!(item(&memory).attributes["note"], text("x"));
    // The version that was read is no longer the one that is there.
    assert_eq!(call.send(&memory), Err(ErrorKind::Conflict));

    let mut call = change(&memory, &[]);
    call.changed = names(&["note", "ttl"]);
    call.unset = call.changed.clone();
    call.send(&memory).unwrap();
    assert_eq!(item(&memory).attributes["note"], text(""));
    assert_eq!(item(&memory).attributes["ttl"], Value::integer(0));
    let renamed = change(&memory, &[("name", text("j"))]).send(&memory);
    assert_eq!(renamed, Err(ErrorKind::Invalid));
}

#[test]
fn what_somebody_else_changed_is_a_conflict() {
    let memory = filled();
    let call = change(&memory, &[("note", text("y"))]);
    let theirs = |attributes: &mut Attributes, _: &mut Option<Mark>| {
        attributes.insert("note".into(), text("theirs"));
    };
    assert!(memory.meddle("memory_item", "box/b/item/i", theirs));
    assert_eq!(call.send(&memory), Err(ErrorKind::Conflict));
    assert!(memory.remove("memory_item", "box/b/item/i"));
    assert_eq!(call.send(&memory), Err(ErrorKind::NotFound));
}

#[test]
fn a_container_takes_with_it_what_it_holds() {
    let memory = filled();
    let holder = memory.get("memory_box", "b").unwrap();
    delete(&memory, "memory_box", "b", &expected(&holder)).unwrap();
    assert_eq!(memory.objects(), []);
}

#[test]
fn a_secret_is_not_kept() {
    let memory = Memory::new(KINDS);
    let all = [
        ("name", text("p")),
        ("item", text("i")),
        ("audiences", Value::strings(["a"])),
    ];
    let mut call = Call::new("memory_pass", "pass/p", &all);
    call.secrets
        .insert("password".into(), Secret::new("canary".into()));
    call.send(&memory).unwrap();
    let object = memory.get("memory_pass", "pass/p").unwrap();
    assert!(!format!("{object:?}{:?}", memory.log()).contains("canary"));
    assert!(!object.attributes.contains_key("password"));
    assert_eq!(object.mark, None);
    assert_eq!(memory.log()[0].secrets, names(&["password"]));
    let mut call = Call::new("memory_pass", "pass/p", &[]);
    call.changed = names(&["password"]);
    call.expected = expected(&object);
    assert_eq!(call.send(&memory), Err(ErrorKind::Bug));
}

#[test]
fn what_changes_by_itself_is_not_in_the_fingerprint() {
    let memory = filled();
    let mut seen = BTreeSet::new();
    let mut reads = Vec::new();
    for _ in 0..3 {
        match now(memory.read(kind("memory_item"), "box/b/item/i")) {
            Reading::Present(object) => {
                seen.insert(object.fingerprint);
                reads.push(object.attributes["reads"].clone());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen.len(), 1);
    assert_eq!(reads, [1, 2, 3].map(Value::integer));
}

#[test]
fn observing_finds_the_others_under_the_prefix() {
    let memory = filled();
    memory.put(
        "memory_rule",
        attributes(&[("name", text("remit-x")), ("text", text("y"))]),
    );
    memory.put(
        "memory_rule",
        attributes(&[("name", text("theirs")), ("text", text("y"))]),
    );
    let queries = [Query {
        kind: kind("memory_box"),
        key: "b".into(),
        id: None,
    }];
    let observation = now(memory.observe(&queries, 4)).unwrap();
    assert_eq!(observation.readings.len(), 1);
    assert_eq!(
        observation.others,
        BTreeSet::from([("memory_rule".into(), "rule/remit-x".into())])
    );
    assert_eq!(memory.statistics().reads, 1);
}

#[test]
fn faults_come_when_told_and_once() {
    let memory = filled();
    let create = Matcher::any()
        .operation(Operation::Create)
        .key("box/b/item/j");
    let all = [
        ("box", text("b")),
        ("name", text("j")),
        ("ttl", Value::integer(90)),
    ];
    let call = Call::new("memory_item", "box/b/item/j", &all);

    memory.fail_next(create.clone(), Fault::Before(ErrorKind::Throttled));
    assert_eq!(call.send(&memory), Err(ErrorKind::Throttled));
    assert!(memory.get("memory_item", "box/b/item/j").is_none());

    memory.fail_next(create.clone(), Fault::LostResponse);
    assert_eq!(call.send(&memory), Err(ErrorKind::Ambiguous));
    assert!(memory.remove("memory_item", "box/b/item/j"));

    memory.fail_next(
        create.clone(),
        Fault::Ignore {
            attribute: "ttl".into(),
        },
    );
    call.send(&memory).unwrap();
    let object = memory.get("memory_item", "box/b/item/j").unwrap();
    assert_eq!(object.attributes["ttl"], Value::integer(0));
    memory.remove("memory_item", "box/b/item/j");

    memory.fail_next(
        create,
        Fault::Cap {
            attribute: "ttl".into(),
            most: 60,
        },
    );
    assert_eq!(call.send(&memory).unwrap().warnings.len(), 1);
    let object = memory.get("memory_item", "box/b/item/j").unwrap();
    assert_eq!(object.attributes["ttl"], Value::integer(60));

    memory.fail_always(Matcher::any().kind("memory_item"), Fault::Unreadable);
    for _ in 0..2 {
        let reading = now(memory.read(kind("memory_item"), "box/b/item/i"));
        assert!(matches!(reading, Reading::Unreadable(error) if error.kind == ErrorKind::Denied));
    }
    memory.mend();
    let reading = now(memory.read(kind("memory_item"), "box/b/item/i"));
    assert!(matches!(reading, Reading::Present(_)));
    assert_eq!(memory.writes().len(), 6);
    assert_eq!(memory.writes()[0], "create memory_box b");
}

#[test]
fn secrets_are_fetched() {
    let memory = Memory::new(KINDS);
    memory.put_secret("kv/data/x", "f", Secret::new("s".into()));
    assert_eq!(
        now(memory.secret("kv/data/x", "f")).ok().unwrap().expose(),
        "s"
    );
    let missing = now(memory.secret("kv/data/x", "g")).err().unwrap();
    assert_eq!(missing.kind, ErrorKind::NotFound);
}
