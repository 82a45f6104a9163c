//! Entries folded into what is recorded. Pure.
//!
//! In: a [`Recorded`] and the next [`Entry`]. Out: the [`Recorded`] after it, or the invariant
//! that the entry would break, and then nothing is changed.
//!
//! [`Ledger`] adds what a run needs so that a step's cost doesn't grow with the state: an index
//! of live keys (S5) and the numbers that intents have used (S1). It must never look at a
//! clock, a file or a server.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::ObjectAddress;

use super::invariants::{
    self, LiveKey, Violation, check_record, live_key, same_object, two_intents,
};
use super::record::{Entry, Intent, Operation, Outcome, Record, Recorded};

impl Recorded {
    /// Folds one entry in. An error leaves everything as it was.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), Violation> {
        if self.lineage.is_none() && !matches!(entry, Entry::Begin { .. }) {
            return Err(Violation::new("S4", "an entry comes before any run began"));
        }
        match entry {
            Entry::Begin {
                lineage, targets, ..
            } => {
                if lineage.is_empty() {
                    return Err(Violation::new("S4", "the lineage is empty"));
                }
                if self.lineage.as_ref().is_some_and(|own| own != lineage) {
                    return Err(Violation::new("S4", "a run of another lineage begins"));
                }
                let serial = self.serial.checked_add(1);
                self.serial = serial.ok_or_else(|| Violation::new("S3", "no serial is left"))?;
                self.lineage = Some(lineage.clone());
                self.targets
                    .extend(targets.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            Entry::Intent { number, intent } => {
                if self.open.contains_key(number) {
                    return Err(used_number(*number));
                }
                check_record(&intent.address, &intent.record)?;
                let mut open = self.open.values();
                if open.any(|other| other.address == intent.address) {
                    return Err(two_intents(*number, &intent.address));
                }
                self.open.insert(*number, intent.clone());
            }
            Entry::Outcome { number, outcome } => {
                let change = decided(&self.open, *number, outcome)?;
                if let Some((address, record)) = change {
                    let address = address.clone();
                    self.put(address, record.cloned());
                }
                if !matches!(outcome, Outcome::Unknown(_)) {
                    self.open.remove(number);
                }
            }
            Entry::Record { address, record } => {
                check_record(address, record)?;
                self.put(address.clone(), Some(record.clone()));
            }
            Entry::Move { from, to } => {
                self.may_move(from, to)?;
                if let Some(record) = self.objects.remove(from) {
                    self.objects.insert(to.clone(), record);
                }
            }
            Entry::Forget { address } => self.put(address.clone(), None),
            Entry::Gate { facts } => {
                facts.check()?;
                self.gate = Some(facts.clone());
            }
            Entry::Outputs { outputs } => self.outputs.clone_from(outputs),
            Entry::End { .. } => {}
        }
        Ok(())
    }

    /// Whether a record may get another address (S8).
    fn may_move(&self, from: &ObjectAddress, to: &ObjectAddress) -> Result<(), Violation> {
        let wrong = |what: String| Err(Violation::new("S8", what));
        if !self.objects.contains_key(from) {
            return wrong(format!("{from} is to be {to}, and is not recorded"));
        }
        if self.objects.contains_key(to) {
            return wrong(format!("{from} is to be {to}, which is recorded already"));
        }
        if from.kind != to.kind {
            return wrong(format!("{from} is to be {to}, which is another kind"));
        }
        Ok(())
    }

    fn put(&mut self, address: ObjectAddress, record: Option<Record>) {
        match record {
            Some(record) => self.objects.insert(address, record),
            None => self.objects.remove(&address),
        };
    }
}

fn used_number(number: u64) -> Violation {
    Violation::new("S1", format!("intent {number} was used before"))
}

/// What an outcome changes: the object, and what is recorded of it from now on.
type Change<'a, 'b> = (&'a ObjectAddress, Option<&'b Record>);

fn decided<'a, 'b>(
    open: &'a BTreeMap<u64, Intent>,
    number: u64,
    outcome: &'b Outcome,
) -> Result<Option<Change<'a, 'b>>, Violation> {
    let wrong = |what: String| Err(Violation::new("S2", what));
    let Some(intent) = open.get(&number) else {
        return wrong(format!("outcome {number} has no open intent"));
    };
    let address = &intent.address;
    match (intent.operation, outcome) {
        (_, Outcome::NotDone(_) | Outcome::Unknown(_)) => Ok(None),
        (Operation::Delete, Outcome::Done(None)) => Ok(Some((address, None))),
        (Operation::Delete, Outcome::Done(Some(_))) => wrong(format!(
            "outcome {number} records {address}, which was deleted"
        )),
        (_, Outcome::Done(None)) => wrong(format!(
            "outcome {number} says {address} was made or changed, and not what it is now"
        )),
        (_, Outcome::Done(Some(record))) if live_key(record) != live_key(&intent.record) => {
            wrong(format!(
                "outcome {number} is about the {} `{}`, and its intent about the {} `{}`",
                record.kind, record.key, intent.record.kind, intent.record.key
            ))
        }
        (_, Outcome::Done(Some(record))) => {
            check_record(address, record)?;
            Ok(Some((address, Some(record))))
        }
    }
}

/// A [`Recorded`] with the indexes that folding many entries needs.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    recorded: Recorded,
    keys: BTreeMap<LiveKey, ObjectAddress>,
    /// Every number up to this one counts as used.
    floor: u64,
    /// Those above it that are used.
    used: BTreeSet<u64>,
}

impl Ledger {
    /// Checks `recorded` and indexes it; `last_intent` is the highest number that was ever used.
    pub fn new(recorded: Recorded, last_intent: u64) -> Result<Self, Violation> {
        if let Some(violation) = invariants::check(&recorded).into_iter().next() {
            return Err(violation);
        }
        if let Some((number, _)) = recorded.open.last_key_value()
            && *number > last_intent
        {
            let what = format!("intent {number} is open, and {last_intent} is the last");
            return Err(Violation::new("S1", what));
        }
        let keys = recorded.objects.iter();
        let keys = keys.map(|(address, record)| (live_key(record), address.clone()));
        Ok(Self {
            keys: keys.collect(),
            recorded,
            floor: last_intent,
            used: BTreeSet::new(),
        })
    }

    /// What is recorded now.
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// The highest number that an intent ever used.
    pub fn last_intent(&self) -> u64 {
        self.used.last().copied().unwrap_or(self.floor)
    }

    /// Folds one entry in, at a cost that doesn't grow with the number of objects. An error
    /// leaves everything as it was.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), Violation> {
        match entry {
            Entry::Intent { number, intent } => {
                if *number <= self.floor || self.used.contains(number) {
                    return Err(used_number(*number));
                }
                // Before the call, since afterwards it would be too late to refuse.
                self.check_key(&intent.address, &intent.record)?;
                for other in self.recorded.open.values() {
                    if other.address != intent.address
                        && other.operation != Operation::Delete
                        && live_key(&other.record) == live_key(&intent.record)
                    {
                        let (a, b) = (&intent.address, &other.address);
                        return Err(same_object(a, b, &intent.record));
                    }
                }
                self.recorded.fold(entry)?;
                self.used.insert(*number);
            }
            Entry::Outcome { number, outcome } => {
                let change = decided(&self.recorded.open, *number, outcome)?;
                let change = change.map(|(address, record)| (address.clone(), record));
                if let Some((address, Some(record))) = &change {
                    self.check_key(address, record)?;
                }
                self.index_then_fold(change, entry)?;
            }
            Entry::Record { address, record } => {
                self.check_key(address, record)?;
                self.index_then_fold(Some((address.clone(), Some(record))), entry)?;
            }
            Entry::Move { from, to } => {
                let key = self.recorded.objects.get(from).map(live_key);
                self.recorded.fold(entry)?;
                if let Some(key) = key {
                    self.keys.insert(key, to.clone());
                }
            }
            Entry::Forget { address } => {
                self.index_then_fold(Some((address.clone(), None)), entry)?;
            }
            Entry::Begin { .. }
            | Entry::Gate { .. }
            | Entry::Outputs { .. }
            | Entry::End { .. } => {
                self.recorded.fold(entry)?;
            }
        }
        Ok(())
    }

    fn check_key(&self, address: &ObjectAddress, record: &Record) -> Result<(), Violation> {
        match self.keys.get(&live_key(record)) {
            Some(other) if other != address => Err(same_object(address, other, record)),
            _ => Ok(()),
        }
    }

    fn index_then_fold(
        &mut self,
        change: Option<(ObjectAddress, Option<&Record>)>,
        entry: &Entry,
    ) -> Result<(), Violation> {
        let before = change
            .as_ref()
            .and_then(|(address, _)| self.recorded.objects.get(address))
            .map(live_key);
        self.recorded.fold(entry)?;
        if let Some(key) = before {
            self.keys.remove(&key);
        }
        if let Some((address, Some(record))) = change {
            self.keys.insert(live_key(record), address);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::testing::{begin, create, done, entries, intent, object, record};

    fn folded(entries: &[Entry]) -> Result<Ledger, Violation> {
        let mut ledger = Ledger::default();
        for entry in entries {
            ledger.fold(entry)?;
        }
        Ok(ledger)
    }

    fn broken(entries: &[Entry]) -> &'static str {
        folded(entries).unwrap_err().invariant
    }

    #[test]
    fn an_object_is_made_and_removed() {
        let ledger = folded(&[begin(), create(1, "a"), done(1, "a")]).unwrap();
        assert_eq!(ledger.recorded().objects.len(), 1);
        assert_eq!(ledger.recorded().serial, 1);
        assert!(ledger.recorded().open.is_empty());
        let mut ledger = ledger;
        ledger.fold(&intent(2, "a", Operation::Delete)).unwrap();
        let gone = Entry::Outcome {
            number: 2,
            outcome: Outcome::Done(None),
        };
        ledger.fold(&gone).unwrap();
        assert!(ledger.recorded().objects.is_empty());
        assert_eq!(ledger.last_intent(), 2);
    }

    #[test]
    fn what_stays_undecided_stays_open() {
        let outcome = |outcome| Entry::Outcome { number: 1, outcome };
        let mut ledger = folded(&[begin(), create(1, "a")]).unwrap();
        ledger.fold(&outcome(Outcome::Unknown("?".into()))).unwrap();
        assert!(ledger.recorded().open.contains_key(&1));
        ledger
            .fold(&outcome(Outcome::NotDone("no".into())))
            .unwrap();
        assert!(ledger.recorded().open.is_empty());
        assert!(ledger.recorded().objects.is_empty());
    }

    #[test]
    fn every_invariant_is_held() {
        assert_eq!(broken(&[create(1, "a")]), "S4");
        assert_eq!(broken(&[begin(), create(1, "a"), create(1, "b")]), "S1");
        assert_eq!(
            broken(&[begin(), create(1, "a"), done(1, "a"), create(1, "b")]),
            "S1"
        );
        assert_eq!(broken(&[begin(), done(1, "a")]), "S2");
        assert_eq!(broken(&[begin(), create(1, "a"), done(1, "b")]), "S2");
        let nothing = Entry::Outcome {
            number: 1,
            outcome: Outcome::Done(None),
        };
        assert_eq!(broken(&[begin(), create(1, "a"), nothing]), "S2");
        let mut other = begin();
        if let Entry::Begin { lineage, .. } = &mut other {
            *lineage = "other".into();
        }
        assert_eq!(broken(&[begin(), other]), "S4");
        let twice = Entry::Record {
            address: object("b"),
            record: record("a"),
        };
        let first = Entry::Record {
            address: object("a"),
            record: record("a"),
        };
        assert_eq!(broken(&[begin(), first.clone(), twice.clone()]), "S5");
        let forget = Entry::Forget {
            address: object("a"),
        };
        assert!(folded(&[begin(), first, forget, twice]).is_ok());
        assert_eq!(broken(&[begin(), create(1, "a"), create(2, "a")]), "S7");
        let mut itself = record("a");
        itself.depends_on.insert(object("a"));
        let itself = Entry::Record {
            address: object("a"),
            record: itself,
        };
        assert_eq!(broken(&[begin(), itself]), "S6");
    }

    #[test]
    fn a_key_taken_by_another_is_refused_before_the_call() {
        let mut early = intent(2, "b", Operation::Create);
        if let Entry::Intent { intent, .. } = &mut early {
            intent.record = record("a");
        }
        assert_eq!(broken(&[begin(), create(1, "a"), early.clone()]), "S5");
        let known = [begin(), create(1, "a"), done(1, "a"), early];
        assert_eq!(broken(&known), "S5");
    }

    proptest! {
        #[test]
        fn folding_keeps_every_invariant(entries in entries(60)) {
            let mut ledger = Ledger::default();
            let mut plain = Recorded::default();
            for entry in &entries {
                let before = ledger.recorded().clone();
                if ledger.fold(entry).is_err() {
                    prop_assert_eq!(ledger.recorded(), &before);
                    continue;
                }
                plain.fold(entry).unwrap();
                prop_assert_eq!(ledger.recorded(), &plain);
                prop_assert_eq!(invariants::check(&plain), vec![]);
                prop_assert!(plain.serial >= before.serial);
                prop_assert!(before.lineage.is_none() || before.lineage == plain.lineage);
            }
            // The indexes are the same as those made from nothing.
            let again = Ledger::new(plain, ledger.last_intent()).unwrap();
            prop_assert_eq!(again.keys, ledger.keys);
        }
    }
}
