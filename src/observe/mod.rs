//! What is live, read in bulk through the reading halves alone.
//!
//! In: the keys that are wanted, recorded or undecided, and one reader for each provider
//! instance. Out: [`Observed`], one reading for each key. It is given no way to write, and it
//! never takes an unreadable object for an absent one: a failure of one object is that object's
//! reading, a failure of a whole target is an error.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use remit_sdk::declaration::Wanted;
use remit_sdk::provider::{Query, Reading, Surroundings, Target};
use remit_sdk::{Diagnostic, Kind, Read};

use crate::lower::{Catalog, Desired};
use crate::state::Recorded;

/// Where an object lives: instance, kind, key.
pub type Place = (String, String, String);

/// What is live.
#[derive(Debug, Default)]
pub struct Observed {
    /// What each instance talks to.
    pub targets: BTreeMap<String, Target>,
    /// One reading for each object asked for.
    pub readings: BTreeMap<Place, Reading>,
    /// Objects nobody asked for under a managed prefix or mount, or sharing in what is managed.
    pub others: BTreeSet<Place>,
    /// Those of them by which people log in, each with the method.
    pub people: BTreeMap<Place, String>,
    /// What stands around the objects of each instance, where that was asked for.
    pub surroundings: Option<BTreeMap<String, Surroundings>>,
}

impl Observed {
    /// The reading of one object; an object nobody asked for counts as unreadable, never as absent.
    pub fn reading(&self, instance: &str, kind: &str, key: &str) -> Reading {
        let place = (instance.to_owned(), kind.to_owned(), key.to_owned());
        self.readings.get(&place).cloned().unwrap_or_else(|| {
            Reading::Unreadable(remit_sdk::ProviderError::new(
                remit_sdk::ErrorKind::Bug,
                format!("{kind} `{key}` was not asked for"),
            ))
        })
    }
}

/// The readers, by instance.
pub type Readers<'a> = BTreeMap<String, &'a dyn Read>;

/// The instances that a run needs: those of what is wanted, recorded and undecided.
pub fn instances(desired: &Desired, recorded: &Recorded) -> BTreeSet<String> {
    let wanted = desired.objects.values().map(|wanted| &wanted.instance);
    let records = recorded.objects.values().map(|record| &record.instance);
    let open = recorded.open.values().map(|intent| &intent.record.instance);
    wanted.chain(records).chain(open).cloned().collect()
}

/// Reads everything that is wanted, recorded or undecided, and asks each target what it can't do.
/// The second part of the result are diagnostics of the targets.
pub async fn observe(
    desired: &Desired,
    recorded: &Recorded,
    catalog: &Catalog<'_>,
    readers: &Readers<'_>,
    parallelism: usize,
) -> Result<(Observed, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut queries = queries(desired, recorded, catalog)?;
    let tasks = readers.iter().map(|(instance, reader)| {
        let queries = queries.remove(instance).unwrap_or_default();
        let wanted: Vec<&Wanted> = desired
            .objects
            .values()
            .filter(|wanted| wanted.instance == *instance)
            .collect();
        async move {
            let fail = |error| failure(instance, error);
            let target = reader.target().await.map_err(fail)?;
            same_target(instance, &target, recorded)?;
            let observation = reader.observe(&queries, parallelism).await.map_err(fail)?;
            let diagnostics = reader.check(&wanted).await;
            Ok::<_, Diagnostic>((instance.clone(), target, observation, diagnostics))
        }
    });
    let mut observed = Observed::default();
    let (mut warnings, mut errors) = (Vec::new(), Vec::new());
    for result in join_all(tasks).await {
        match result {
            Ok((instance, target, observation, diagnostics)) => {
                warnings.extend(diagnostics);
                for ((kind, key), reading) in observation.readings {
                    observed
                        .readings
                        .insert((instance.clone(), kind, key), reading);
                }
                for (kind, key) in observation.others {
                    observed.others.insert((instance.clone(), kind, key));
                }
                for ((kind, key), method) in observation.people {
                    observed
                        .people
                        .insert((instance.clone(), kind, key), method);
                }
                observed.targets.insert(instance, target);
            }
            Err(diagnostic) => errors.push(diagnostic),
        }
    }
    if errors.is_empty() {
        Ok((observed, warnings))
    } else {
        Err(errors)
    }
}

/// Reads what stands around the objects of every instance, and what will be left of those that are
/// removed.
pub async fn surroundings(
    readers: &Readers<'_>,
    removed: impl IntoIterator<Item = (&str, &str, &str)>,
    catalog: &Catalog<'_>,
) -> BTreeMap<String, Surroundings> {
    let mut by_instance: BTreeMap<&str, Vec<(&'static Kind, &str)>> = BTreeMap::new();
    for (instance, kind, key) in removed {
        if let Some(kind) = catalog.kind(kind) {
            by_instance.entry(instance).or_default().push((kind, key));
        }
    }
    let by_instance = &by_instance;
    let tasks = readers.iter().map(|(instance, reader)| async move {
        let removed = by_instance.get(instance.as_str());
        let removed = removed.map(Vec::as_slice).unwrap_or_default();
        (instance.clone(), reader.surroundings(removed).await)
    });
    join_all(tasks).await.into_iter().collect()
}

/// Everything to be read, by instance, each object once.
fn queries(
    desired: &Desired,
    recorded: &Recorded,
    catalog: &Catalog<'_>,
) -> Result<BTreeMap<String, Vec<Query>>, Vec<Diagnostic>> {
    let mut seen: BTreeMap<Place, (&'static Kind, Option<String>)> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for wanted in desired.objects.values() {
        let place = (
            wanted.instance.clone(),
            wanted.kind.name.to_owned(),
            wanted.key.clone(),
        );
        seen.insert(place, (wanted.kind, None));
    }
    let open = recorded.open.values().map(|intent| &intent.record);
    for record in recorded.objects.values().chain(open) {
        match catalog.kind(&record.kind) {
            Some(kind) => {
                let place = (
                    record.instance.clone(),
                    record.kind.clone(),
                    record.key.clone(),
                );
                let (_, id) = seen.entry(place).or_insert((kind, None));
                if id.is_none() {
                    id.clone_from(&record.id);
                }
            }
            None => drop(unknown.insert(record.kind.clone())),
        }
    }
    if !unknown.is_empty() {
        return Err(unknown
            .into_iter()
            .map(|kind| {
                Diagnostic::error(
                    "unknown kind in the state",
                    format!("the state records a `{kind}`, which this version doesn't know"),
                )
                .help("use the version of remit that recorded it")
            })
            .collect());
    }
    let mut queries: BTreeMap<String, Vec<Query>> = BTreeMap::new();
    for ((instance, _, key), (kind, id)) in seen {
        queries
            .entry(instance)
            .or_default()
            .push(Query { kind, key, id });
    }
    Ok(queries)
}

fn failure(instance: &str, error: remit_sdk::ProviderError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "target can't be read",
        format!("{instance}: {}", error.message),
    );
    diagnostic.help = error.help;
    diagnostic
}

/// Refuses a target that isn't the one the records were made in.
pub fn same_target(instance: &str, target: &Target, recorded: &Recorded) -> Result<(), Diagnostic> {
    let open = recorded.open.values().map(|intent| &intent.record);
    let other = recorded
        .objects
        .values()
        .chain(open)
        .find(|record| record.instance == instance && record.target != target.id);
    let Some(record) = other else { return Ok(()) };
    Err(Diagnostic::error(
        "another target than recorded",
        format!(
            "{instance} talks to {} (`{}`), but the state's objects live in `{}`: nothing that is \
             recorded could be found there, and everything would be made again",
            target.description, target.id, record.target
        ),
    )
    .help("check the provider's address and namespace; a new target needs a state of its own"))
}
