//! What identities gain, lose and can do, for people and as JSON.
//!
//! In: access changes, permissions, answers. Out: lines of text, or JSON. What isn't sure is said
//! to be so on the line itself: a reader must not take "couldn't be told" for "nothing".

use std::collections::BTreeSet;

use remit_sdk::access::{Answer, Certainty, Login, Permission, Source, Verdict};
use remit_sdk::text::safe;
use serde_json::{Value as Json, json};

use super::{Paint, count};
use crate::access::{self, AccessChange, Attributed, Can};

/// How wide the columns of actions and resources may get; what is longer pushes the rest aside.
const ACTIONS_MAX: usize = 28;
const RESOURCES_MAX: usize = 48;

/// How many actions or resources a line names; `show --json` has all.
const NAMED_MAX: usize = 6;

/// The section of a plan: for each identity what it gains, loses, and was given by others, and who
/// may become it.
pub(super) fn section(all: &[AccessChange], paint: Paint) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for change in all {
        let mut head = format!("  {}", paint.heading(&safe(&change.identity.to_string())));
        if let Some(whose) = &change.whose {
            let owner = whose.owner.as_ref().map(ToString::to_string);
            let agent = Some(whose.agent.to_string());
            let known: Vec<String> = [agent, owner, whose.tier.clone()]
                .into_iter()
                .flatten()
                .map(|one| safe(&one))
                .collect();
            head.push_str("   ");
            head.push_str(&known.join(", "));
        }
        if change.is_new {
            head.push_str(", new");
        }
        if change.is_gone {
            head.push_str(", goes");
        }
        if out.last() != Some(&head) && !out.contains(&head) {
            out.push(head);
        }
        let rows = merged(rows(change));
        let widths = widths(&rows);
        for row in &rows {
            out.extend(row.lines(&change.instance, widths, paint));
        }
    }
    out
}

/// How many identities gain and how many lose, as the last line of a plan says it.
pub(super) fn tally(all: &[AccessChange]) -> Option<String> {
    let number = |is: fn(&AccessChange) -> bool| {
        let identities: BTreeSet<_> = all
            .iter()
            .filter(|change| is(change))
            .map(|change| &change.identity)
            .collect();
        identities.len()
    };
    let (widens, narrows) = (number(AccessChange::widens), number(AccessChange::narrows));
    match (widens, narrows) {
        (0, 0) => None,
        (0, narrows) => Some(format!("Access narrows for {}.", identities(narrows))),
        (widens, 0) => Some(format!("Access widens for {}.", identities(widens))),
        (widens, narrows) => Some(format!(
            "Access widens for {}, narrows for {}.",
            identities(widens),
            identities(narrows)
        )),
    }
}

fn identities(number: usize) -> String {
    match number {
        1 => "1 identity".to_owned(),
        number => format!("{number} identities"),
    }
}

/// One line of the section.
struct Row {
    sign: char,
    actions: String,
    resources: String,
    from: String,
    notes: Vec<String>,
    below: Vec<String>,
    examples: BTreeSet<String>,
    /// What it is said of, and by which scopes; nothing where it is no permission that changes.
    of: Option<(Permission, BTreeSet<remit_sdk::DeclarationAddress>)>,
}

impl Row {
    fn new(sign: char, one: &Attributed) -> Self {
        let mut notes = Vec::new();
        let mut below = told(&one.excess.permission);
        match &one.excess.certainty {
            Certainty::Surely => {}
            Certainty::Looser(how) => below.push(format!("for example {}", safe(how))),
            Certainty::Undecided(why) => {
                notes.push("undecided".to_owned());
                below.push(safe(why));
            }
        }
        // Where the example is no more than the resource's beginning, it says nothing new.
        let is_told = |example: &String| {
            let resources = &one.excess.permission.resources;
            let begins = |resource: &String| resource.strip_suffix('*') == Some(example);
            resources.iter().any(begins)
        };
        let mut examples = BTreeSet::new();
        if let Some(example) = one.excess.example.as_ref().filter(|one| !is_told(one)) {
            examples.insert(example.clone());
        }
        Self {
            sign,
            actions: join(&one.excess.permission.actions),
            resources: join(&one.excess.permission.resources),
            from: from(&one.excess.permission, &one.scopes),
            notes,
            below,
            examples,
            of: Some((one.excess.permission.clone(), one.scopes.clone())),
        }
    }

    /// A way in, with what it takes below, where that is asked for.
    fn login(sign: char, way: &Login, is_whole: bool) -> Self {
        let conditions = way.conditions();
        let below = (is_whole && !conditions.is_empty()).then(|| safe(&conditions.join("; ")));
        Self {
            sign,
            actions: "log in".to_owned(),
            resources: safe(&way.headline()),
            from: safe(&way.at),
            notes: Vec::new(),
            below: below.into_iter().collect(),
            examples: BTreeSet::new(),
            of: None,
        }
    }

    fn note(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }

    fn lines(
        &self,
        instance: &str,
        (actions, resources): (usize, usize),
        paint: Paint,
    ) -> Vec<String> {
        let mut line = format!(
            "    {} {}  {:actions$}  {:resources$}  {}",
            self.sign,
            safe(instance),
            self.actions,
            self.resources,
            self.from,
        );
        for note in &self.notes {
            line.push_str("  ");
            line.push_str(note);
        }
        let line = line.trim_end();
        let line = match self.sign {
            '+' => paint.added(line),
            '-' => paint.removed(line),
            _ => paint.changed(line),
        };
        let examples =
            (!self.examples.is_empty()).then(|| format!("such as {}", join(&self.examples)));
        let below = self
            .below
            .iter()
            .chain(&examples)
            .map(|text| paint.faint(&format!("        {text}")));
        std::iter::once(line).chain(below).collect()
    }
}

fn rows(change: &AccessChange) -> Vec<Row> {
    let mut rows = logins(change);
    // What of a lost permission was given outside remit.
    let drifted = |one: &Attributed| -> BTreeSet<String> {
        let lost = &one.excess.permission;
        let of_it = change.drifted.iter().map(|one| &one.excess.permission);
        of_it
            .filter(|drifted| drifted.resources == lost.resources)
            .flat_map(|drifted| drifted.actions.intersection(&lost.actions).cloned())
            .collect()
    };
    // What somebody wrote into that policy is news.
    let is_own_lost = |one: &&Attributed| is_own_token(one) && drifted(one).is_empty();
    rows.extend(own_token(
        '-',
        change.lost.iter().any(|one| is_own_lost(&one)),
    ));
    for one in change.lost.iter().filter(|one| !is_own_lost(one)) {
        let row = Row::new('-', one);
        let outside = drifted(one);
        rows.push(if outside.is_empty() {
            row
        } else if outside == one.excess.permission.actions {
            row.note("was given outside remit")
        } else {
            row.note(&format!("{} was given outside remit", join(&outside)))
        });
    }
    let stays = |one: &&Attributed| !change.takes_back(one);
    for one in change.drifted.iter().filter(stays) {
        rows.push(Row::new('!', one).note("was given outside remit, and stays"));
    }
    let is_news = |one: &&Attributed| !is_own_token(one) && drifted(one).is_empty();
    for one in change.adopted.iter().filter(is_news) {
        rows.push(Row::new('!', one).note("was given outside remit, and becomes its own"));
    }
    let is_own_gained = |one: &&Attributed| is_own_token(one) && change.is_new;
    rows.extend(own_token(
        '+',
        change.gained.iter().any(|one| is_own_gained(&one)),
    ));
    for one in change.gained.iter().filter(|one| !is_own_gained(one)) {
        let row = Row::new('+', one);
        rows.push(match (&one.risk, change.is_new) {
            (_, false) => row.note("widens"),
            (Some(risk), true) if ["high", "critical"].contains(&risk.as_str()) => {
                row.note(&format!("{} risk", safe(risk)))
            }
            _ => row,
        });
    }
    rows
}

/// Rows that differ by their examples alone, as one. What has no example is meant as a whole.
fn merged(all: Vec<Row>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::new();
    for row in all {
        let is_same = |other: &&mut Row| {
            // Rows are shortened: what isn't shown must be the same, too.
            row.of.is_some()
                && other.of == row.of
                && other.sign == row.sign
                && other.notes == row.notes
                && other.below == row.below
                && !other.examples.is_empty()
                && !row.examples.is_empty()
        };
        match merged.iter_mut().find(is_same) {
            Some(known) => known.examples.extend(row.examples),
            None => merged.push(row),
        }
    }
    merged
}

/// Who may become it, and who no longer. Of what comes or goes as a whole, a line is enough.
fn logins(change: &AccessChange) -> Vec<Row> {
    let is_gone = change.logins.is_empty();
    let mut rows = Vec::new();
    for way in &change.shuts_out {
        let mut row = Row::login('-', way, !is_gone);
        if change.drifted_in.contains(way) {
            row = row.note("was made outside remit");
        }
        // What is narrower than before is gained by nobody, and would be missed.
        let narrower = change.logins.iter().filter(|left| left.is_within(way));
        for left in narrower {
            let left = left.conditions().join("; ");
            row.below.push(format!("stays where {}", safe(&left)));
        }
        rows.push(row);
    }
    for way in &change.drifted_in {
        if !change.shuts_out.contains(way) {
            rows.push(Row::login('!', way, true).note("was made outside remit, and stays"));
        }
    }
    for way in &change.adopted_in {
        if !change.drifted_in.contains(way) {
            let row = Row::login('!', way, true);
            rows.push(row.note("was made outside remit, and becomes its own"));
        }
    }
    for way in &change.lets_in {
        let row = Row::login('+', way, !change.is_new);
        rows.push(if change.is_new {
            row
        } else {
            row.note("widens")
        });
    }
    rows
}

/// What every identity may do with its own token, as one line for its rules.
fn own_token(sign: char, is_there: bool) -> Option<Row> {
    is_there.then(|| Row {
        sign,
        actions: "its own token".to_owned(),
        resources: "look up, renew, revoke".to_owned(),
        from: String::new(),
        notes: Vec::new(),
        below: Vec::new(),
        examples: BTreeSet::new(),
        of: None,
    })
}

fn is_own_token(one: &Attributed) -> bool {
    let sources = &one.excess.permission.sources;
    one.excess.certainty == Certainty::Surely
        && !sources.is_empty()
        && sources.iter().all(access::is_self)
}

fn widths(rows: &[Row]) -> (usize, usize) {
    let widest = |text: fn(&Row) -> &str, max: usize| {
        rows.iter()
            .map(|row| text(row).chars().count())
            .filter(|width| *width <= max)
            .max()
            .unwrap_or(0)
    };
    (
        widest(|row| &row.actions, ACTIONS_MAX),
        widest(|row| &row.resources, RESOURCES_MAX),
    )
}

fn join(all: &BTreeSet<String>) -> String {
    let named: Vec<String> = all.iter().take(NAMED_MAX).map(|one| safe(one)).collect();
    match all.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn told(permission: &Permission) -> Vec<String> {
    permission.conditions.iter().map(|one| safe(one)).collect()
}

/// Scopes, and what else it comes from.
fn from(permission: &Permission, scopes: &BTreeSet<remit_sdk::DeclarationAddress>) -> String {
    let mut all: Vec<String> = scopes
        .iter()
        .map(|scope| safe(&scope.to_string()))
        .collect();
    for source in &permission.sources {
        match source {
            Source::Object(address) if access::scope_of(address).is_none() => {
                all.push(safe(&address.to_string()));
            }
            Source::Object(_) => {}
            Source::Foreign(name) => all.push(format!("{} (not declared here)", safe(name))),
        }
    }
    all.join(", ")
}

/// Access changes as the JSON plan has them.
pub(super) fn changes_json(all: &[AccessChange]) -> Json {
    all.iter()
        .map(|change| {
            let whose = change.whose.as_ref();
            json!({
                "identity": change.identity,
                "instance": change.instance,
                "subject": { "type": change.subject.0, "key": change.subject.1 },
                "agent": whose.map(|whose| &whose.agent),
                "owner": whose.and_then(|whose| whose.owner.as_ref()),
                "environment": whose.map(|whose| &whose.environment),
                "tier": whose.and_then(|whose| whose.tier.as_ref()),
                "is_new": change.is_new,
                "widens": change.widens(),
                "narrows": change.narrows(),
                "gained": attributed_json(&change.gained),
                "lost": attributed_json(&change.lost),
                "drifted": attributed_json(&change.drifted),
                "adopted": attributed_json(&change.adopted),
                "lets_in": logins_json(&change.lets_in),
                "shuts_out": logins_json(&change.shuts_out),
                "drifted_in": logins_json(&change.drifted_in),
                "adopted_in": logins_json(&change.adopted_in),
                "held": change.held,
            })
        })
        .collect()
}

fn logins_json(all: &[Login]) -> Json {
    all.iter()
        .map(|way| {
            json!({
                "by": way.by,
                "limits": way.limits,
                "at": way.at,
                "text": way.headline(),
            })
        })
        .collect()
}

fn attributed_json(all: &[Attributed]) -> Json {
    all.iter()
        .map(|one| {
            let permission = &one.excess.permission;
            json!({
                "actions": permission.actions,
                "resources": permission.resources,
                "conditions": permission.conditions,
                "sources": permission.sources,
                "example": one.excess.example,
                "certainty": one.excess.certainty,
                "scopes": one.scopes,
                "risk": one.risk,
            })
        })
        .collect()
}

/// What identities can do.
pub fn permissions(all: &[Can], paint: Paint) -> String {
    let mut out = Vec::new();
    for can in all {
        out.push(format!(
            "{}   {}",
            paint.heading(&safe(&can.identity.to_string())),
            safe(&format!("{} {}", can.instance, can.subject.1))
        ));
        let logins = can.logins.iter().map(|way| Row::login(' ', way, true));
        let permissions = can.permissions.iter().map(|permission| Row {
            sign: ' ',
            actions: join(&permission.actions),
            resources: join(&permission.resources),
            from: from(permission, &access::scopes(&permission.sources)),
            notes: Vec::new(),
            below: told(permission),
            examples: BTreeSet::new(),
            of: None,
        });
        let rows: Vec<Row> = logins.chain(permissions).collect();
        let widths = widths(&rows);
        for row in &rows {
            out.extend(row.lines(&can.instance, widths, Paint::PLAIN));
        }
        if can.permissions.is_empty() {
            out.push("      nothing".to_owned());
        }
    }
    if out.is_empty() {
        out.push("No identity is live.".to_owned());
    }
    super::lines(out)
}

/// The same as JSON.
pub fn permissions_json(all: &[Can]) -> Json {
    all.iter()
        .map(|can| {
            json!({
                "identity": can.identity,
                "instance": can.instance,
                "subject": { "type": can.subject.0, "key": can.subject.1 },
                "permissions": can.permissions,
                "logins": logins_json(&can.logins),
            })
        })
        .collect()
}

/// An answer to "can it?", with its path.
pub fn answer(identity: &str, answer: &Answer, paint: Paint) -> String {
    let mut out = Vec::new();
    out.push(match &answer.verdict {
        Verdict::Allowed => format!("{}: {}", safe(identity), paint.added("yes")),
        Verdict::Denied(why) => {
            format!("{}: {}, {}", safe(identity), paint.removed("no"), safe(why))
        }
        Verdict::Depends(on) => {
            let on: Vec<String> = on.iter().map(|one| safe(one)).collect();
            format!(
                "{}: {}: {}",
                safe(identity),
                paint.changed("it depends"),
                on.join("; ")
            )
        }
    });
    for (depth, step) in answer.path.iter().enumerate() {
        out.push(format!("{}{}", "  ".repeat(depth + 1), safe(step)));
    }
    super::lines(out)
}

/// That nobody can.
pub fn nobody(asked: usize) -> String {
    format!("Nobody can, of {}.\n", count(asked, "subject"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit must not seem to hold for what stands without it.
    #[test]
    fn rows_are_one_where_their_examples_alone_differ() {
        let permission = |resource: &str| Permission {
            actions: ["read"].map(str::to_owned).into(),
            resources: [resource].map(str::to_owned).into(),
            conditions: BTreeSet::new(),
            sources: BTreeSet::new(),
        };
        let row = |resource: &str, below: &str, example: &str| Row {
            sign: '+',
            actions: "read".into(),
            resources: "shortened".into(),
            from: "scope.a".into(),
            notes: Vec::new(),
            below: [below].map(str::to_owned).into(),
            examples: Some(example.to_owned())
                .into_iter()
                .filter(|one| !one.is_empty())
                .collect(),
            of: Some((permission(resource), BTreeSet::new())),
        };
        let login = || Row {
            of: None,
            ..row("kv/*", "", "kv/a")
        };
        let rows = merged(vec![
            row("kv/*", "", "kv/a"),
            row("kv/*", "from 10.0.0.0/8", "kv/b"),
            row("kv/*", "", "kv/c"),
            row("kv/*", "", ""),
            row("kv/+", "", "kv/d"),
            login(),
            login(),
        ]);
        let shown: Vec<String> = rows
            .iter()
            .map(|row| format!("{:?} {:?}", row.below, row.examples))
            .collect();
        assert_eq!(
            shown,
            [
                r#"[""] {"kv/a", "kv/c"}"#,
                r#"["from 10.0.0.0/8"] {"kv/b"}"#,
                r#"[""] {}"#,
                r#"[""] {"kv/d"}"#,
                r#"[""] {"kv/a"}"#,
                r#"[""] {"kv/a"}"#,
            ]
        );
        let lines = rows[0].lines("vault", (4, 4), Paint::PLAIN);
        assert_eq!(lines[0], "    + vault  read  shortened  scope.a");
        assert_eq!(lines.last().unwrap().trim(), "such as kv/a, kv/c");
    }
}
