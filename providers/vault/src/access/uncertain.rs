//! Rules that can't be placed: their path has a template whose value isn't known, or they stop
//! counting at some time, and there is no clock here.
//!
//! In come such rules; out goes whether one may match a path, and where comparing two Acls goes
//! wrong for some value or at some time. A value may be any text, slashes included; an id that
//! the server makes up is a UUID. Errs on the side of doubt, never on the side of certainty.

use std::collections::BTreeSet;

use super::beyond::{Excess, Finding};
use super::identity::is_minted;
use super::pattern::{Pattern, Segment};
use super::{Acl, Entry};

/// Whether a rule whose path isn't known may match `path`, or, for a LIST, `path` without the
/// slash at its end.
pub(super) fn may_match(entry: &Entry, path: &str) -> bool {
    let reach = Reach::of(&entry.pattern);
    let meets = |path: &str| reach.meets(&Reach::exactly(path));
    !entry.unknown.is_empty() && (meets(path) || path.strip_suffix('/').is_some_and(meets))
}

/// Whether there may be a path that two rules match.
pub(super) fn meet(one: &Entry, other: &Entry) -> bool {
    Reach::of(&one.pattern).meets(&Reach::of(&other.pattern))
}

/// What `over` may allow beyond `under` although `found`, which takes unknown values for texts
/// that stand nowhere else and expiring rules for lasting ones, doesn't say so.
pub(super) fn doubts(over: &Acl, under: &Acl, found: &[Excess]) -> Vec<Excess> {
    let mut paths: BTreeSet<&str> = BTreeSet::new();
    for acl in [over, under] {
        paths.extend(
            acl.entries()
                .filter(|entry| is_uncertain(entry))
                .map(Entry::path),
        );
    }
    paths
        .into_iter()
        .filter_map(|path| doubt(over, under, found, path))
        .collect()
}

fn is_uncertain(entry: &Entry) -> bool {
    !entry.unknown.is_empty() || !entry.grant.limits.expirations.is_empty()
}

fn doubt(over: &Acl, under: &Acl, found: &[Excess], path: &str) -> Option<Excess> {
    let mine = over.rules.get(path);
    let theirs = under.rules.get(path);
    let entry = mine.or(theirs)?;
    let reach = Reach::of(&entry.pattern);
    let near = |acl: &'_ Acl| -> BTreeSet<String> {
        acl.entries()
            .filter(|other| reach.meets_or_lists(&Reach::of(&other.pattern)))
            .map(|other| other.path().to_owned())
            .collect()
    };
    let (near_over, near_under) = (near(over), near(under));
    let same = |path: &String| match (over.rules.get(path), under.rules.get(path)) {
        (Some(a), Some(b)) => a.grant.same_effect(&b.grant) && !is_freer(a, b),
        _ => false,
    };
    // Where everything around it is the same, so is what comes of it, whatever its value.
    if near_over.iter().chain(&near_under).all(same) {
        return None;
    }
    let expirations: BTreeSet<&String> = [mine, theirs]
        .into_iter()
        .flatten()
        .flat_map(|entry| &entry.grant.limits.expirations)
        .collect();
    let freer = mine.zip(theirs).is_some_and(|(a, b)| is_freer(a, b));
    let settled = expirations.is_empty()
        && !freer
        && mine.is_none_or(|mine| settled_over(mine, under, &near_under, found))
        && theirs.is_none_or(|theirs| {
            settled_under(theirs, over, under, &near_over, &near_under, found)
        });
    if settled {
        return None;
    }
    let on: Vec<String> = entry
        .unknown
        .iter()
        .map(|directive| format!("the value of `{directive}`, which isn't known"))
        .chain(
            expirations
                .into_iter()
                .map(|time| format!("the time: the rule counts until {time}")),
        )
        .collect();
    Some(Excess {
        path: path.to_owned(),
        policies: entry.grant.policies.clone(),
        capabilities: entry.grant.capabilities.keys().copied().collect(),
        within: None,
        example: path.to_owned(),
        finding: Finding::Undecided(format!("it depends on {}", on.join(" and "))),
    })
}

/// Whether the values of one rule's templates may hold what the server refuses in the other's.
fn is_freer(one: &Entry, other: &Entry) -> bool {
    one.templates.of_both(other.templates) != one.templates
}

/// Whether a rule of the Acl that may allow more gives nothing that isn't given wherever it may
/// come to stand, or that isn't reported already.
fn settled_over(mine: &Entry, under: &Acl, near: &BTreeSet<String>, found: &[Excess]) -> bool {
    // Wherever it comes to stand, it takes away.
    if mine.grant.denies() {
        return true;
    }
    if !mine.grant.limits.is_none() {
        return false;
    }
    let open = unreported(mine, found);
    let reach = Reach::of(&mine.pattern);
    let covered = near
        .iter()
        .filter_map(|path| under.rules.get(path))
        .any(|entry| entry.path() == mine.path() || Reach::of(&entry.pattern).covers(&reach));
    open.is_empty() || (covered && gives(under, near, &open))
}

/// Whether a rule of the Acl that is to allow as much leaves nothing out that another gives
/// where it may come to stand, but for what is reported already.
fn settled_under(
    theirs: &Entry,
    over: &Acl,
    under: &Acl,
    near_over: &BTreeSet<String>,
    near_under: &BTreeSet<String>,
    found: &[Excess],
) -> bool {
    let wanted: BTreeSet<&'static str> = near_over
        .iter()
        .filter_map(|path| over.rules.get(path))
        .flat_map(|entry| unreported(entry, found))
        .collect();
    let own = BTreeSet::from([theirs.path().to_owned()]);
    gives(under, &own, &wanted) && gives(under, near_under, &BTreeSet::new())
}

/// Whether each of these rules gives all of `wanted`, without limits.
fn gives(acl: &Acl, paths: &BTreeSet<String>, wanted: &BTreeSet<&'static str>) -> bool {
    paths
        .iter()
        .filter_map(|path| acl.rules.get(path))
        .all(|entry| {
            entry.grant.limits.is_none()
                && wanted
                    .iter()
                    .all(|name| entry.grant.capabilities.contains_key(name))
        })
}

/// The capabilities of a rule that aren't reported as an excess of it.
fn unreported(entry: &Entry, found: &[Excess]) -> BTreeSet<&'static str> {
    entry
        .grant
        .capabilities
        .keys()
        .copied()
        .filter(|name| *name != "deny")
        .filter(|name| {
            !found.iter().any(|excess| {
                excess.path == entry.path()
                    && excess.finding == Finding::Gained
                    && excess.capabilities.contains(name)
            })
        })
        .collect()
}

/// One segment of what a pattern reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Any,
    Text(&'a str),
    /// Made up by the server.
    Uuid,
    /// This, then anything, slashes included.
    Begins(&'a str),
    /// The path has ended.
    End,
}

/// All that a pattern may match, whatever the values of its templates.
struct Reach<'a> {
    parts: Vec<Part<'a>>,
    /// How many segments a path has at least: a value may bring more, and never takes any away.
    least: usize,
}

impl<'a> Reach<'a> {
    fn of(pattern: &'a Pattern) -> Self {
        let least = pattern.segments.len() + usize::from(pattern.tail.is_some());
        let mut parts = Vec::new();
        for segment in &pattern.segments {
            let part = match segment {
                Segment::Any => Part::Any,
                Segment::Literal(text) => part(text),
            };
            parts.push(part);
            if matches!(part, Part::Begins(_)) {
                return Self { parts, least };
            }
        }
        parts.push(match &pattern.tail {
            Some(tail) => Part::Begins(tail.split("{{").next().unwrap_or_default()),
            None => Part::End,
        });
        Self { parts, least }
    }

    fn exactly(path: &'a str) -> Self {
        let mut parts: Vec<_> = path.split('/').map(Part::Text).collect();
        let least = parts.len();
        parts.push(Part::End);
        Self { parts, least }
    }

    /// Whether its paths can be as long as the other's must be.
    fn fits(&self, other: &Reach<'_>) -> bool {
        self.parts.last() != Some(&Part::End) || self.least >= other.least
    }

    /// Whether there is a path that both match.
    fn meets(&self, other: &Reach<'_>) -> bool {
        self.fits(other) && other.fits(self) && self.agrees(other)
    }

    /// Whether their segments agree, as far as both have them.
    fn agrees(&self, other: &Reach<'_>) -> bool {
        for (a, b) in self.parts.iter().zip(&other.parts) {
            match (*a, *b) {
                (Part::Begins(a), Part::Begins(b)) => {
                    return a.starts_with(b) || b.starts_with(a);
                }
                (Part::Begins(begin), other) | (other, Part::Begins(begin)) => {
                    return match other {
                        Part::Text(text) => text.starts_with(begin),
                        // It may be longer than a UUID, in a namespace.
                        Part::Uuid => begin.bytes().take(36).all(is_uuid_byte),
                        Part::Any => true,
                        Part::Begins(_) | Part::End => false,
                    };
                }
                (Part::End, Part::End) => return true,
                (Part::Text(a), Part::Text(b)) if a != b => return false,
                (Part::Text(text), Part::Uuid) | (Part::Uuid, Part::Text(text))
                    if !is_uuid(text) =>
                {
                    return false;
                }
                // They agree so far, or the shorter ends here and nothing is left to compare.
                _ => {}
            }
        }
        false
    }

    /// The same, where a LIST takes a path with a slash at its end for one without, too.
    fn meets_or_lists(&self, other: &Reach<'_>) -> bool {
        self.meets(other)
            || self.with_slash().is_some_and(|reach| reach.meets(other))
            || other.with_slash().is_some_and(|reach| self.meets(&reach))
    }

    fn with_slash(&self) -> Option<Self> {
        let mut parts = self.parts.clone();
        (parts.pop() == Some(Part::End)).then(|| {
            parts.extend([Part::Text(""), Part::End]);
            let least = self.least + 1;
            Self { parts, least }
        })
    }

    /// Whether this matches every path that the other may.
    fn covers(&self, other: &Reach<'_>) -> bool {
        for (a, b) in self.parts.iter().zip(&other.parts) {
            match (*a, *b) {
                (Part::Begins(a), Part::Begins(b) | Part::Text(b)) => return b.starts_with(a),
                (Part::Begins(a), Part::Any | Part::Uuid) => return a.is_empty(),
                (Part::Any, Part::Any | Part::Text(_) | Part::Uuid) => {}
                (Part::Text(a), Part::Text(b)) if a == b => {}
                _ => return false,
            }
        }
        false
    }
}

/// What a segment reaches, of which templates are left in the text.
fn part(text: &str) -> Part<'_> {
    let Some((before, rest)) = text.split_once("{{") else {
        return Part::Text(text);
    };
    match rest.strip_suffix("}}") {
        Some(directive) if before.is_empty() && is_minted(directive) => Part::Uuid,
        _ => Part::Begins(before),
    }
}

fn is_uuid_byte(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'-'
}

/// Whether the text has the length and the letters of a UUID; in a namespace a dot and the
/// namespace's id follow.
fn is_uuid(text: &str) -> bool {
    let uuid = text.split_once('.').map_or(text, |(uuid, _)| uuid);
    uuid.len() == 36 && uuid.bytes().all(is_uuid_byte)
}
