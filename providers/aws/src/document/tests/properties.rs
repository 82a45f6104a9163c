//! What must hold for every document and every way to write one.

use proptest::prelude::*;

use super::super::node::Node;
use super::super::*;
use super::same_texts;

/// Decisions, drawn beforehand so that proptest can make them fewer.
struct Choices<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl<'a> Choices<'a> {
    fn new(all: &'a [u8]) -> Self {
        Self(all.iter().cycle())
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(*self.0.next().unwrap()) % count
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = self.below(last + 1);
            all.swap(last, other);
        }
    }

    fn case(&mut self, text: &str) -> String {
        text.chars()
            .map(|c| match self.below(3) {
                0 => c.to_ascii_uppercase(),
                1 => c.to_ascii_lowercase(),
                _ => c,
            })
            .collect()
    }
}

// ---- documents

fn set<T: Ord + std::fmt::Debug>(
    one: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeSet<T>> {
    prop::collection::btree_set(one, 1..4)
}

fn selection<T: Clone + std::fmt::Debug + 'static>(
    named: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Selection<T>> {
    (named, any::<bool>())
        .prop_map(|(named, only)| {
            let selection = Selection::Only(named);
            if only { selection } else { turned(&selection) }
        })
        .boxed()
}

fn actions(usage: Use) -> impl Strategy<Value = BTreeSet<Folded>> {
    let service = if usage == Use::Trust { "sts" } else { "s3" };
    set(("[A-C][a-c]{1,2}[*?]?", Just(service))
        .prop_map(|(name, service)| format!("{service}:{name}")))
    .prop_map(folded)
}

fn resources() -> impl Strategy<Value = BTreeSet<String>> {
    set(prop_oneof![
        Just("*".to_owned()),
        "arn:aws:s3:::[a-cA-C]{1,2}/[*?é\"]?\\$\\{aws:username\\}",
        "arn:aws:sqs:(eu-west-1)?:123456789012:[ab][ \\\\]c",
    ])
}

fn principals() -> impl Strategy<Value = Principals> {
    let account = prop::sample::select(vec![
        "*",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::210987654321:root",
        "arn:aws:iam::123456789012:role/a",
        "AROAEXAMPLEEXAMPLE12",
    ]);
    let federated = "(issuer|arn:aws:iam::123456789012:oidc-provider/x)";
    let one = prop_oneof![
        3 => (Just(PrincipalKind::Aws), set(account.prop_map(ToOwned::to_owned)).boxed()),
        1 => (Just(PrincipalKind::Federated), set(federated).boxed()),
        1 => (Just(PrincipalKind::Service), set("[ab]\\.amazonaws\\.com").boxed()),
        1 => (Just(PrincipalKind::CanonicalUser), set("[0-9a-f]{2}").boxed()),
    ];
    prop::collection::vec(one, 1..3).prop_map(|all| all.into_iter().collect())
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let operator = prop::sample::select(vec![
        "StringEquals",
        "ForAllValues:StringLike",
        "Bool",
        "ForAnyValue:BoolIfExists",
        "NumericLessThan",
        "Null",
    ]);
    let key = "aws:[A-C][a-c]|aws:PrincipalTag/[a-c] [A-C]";
    let value = prop_oneof!["true|false", "-?[1-9][0-9]{0,2}", "[a-cé]{0,2}"];
    prop::collection::vec((operator, key, set(value)), 0..4).prop_map(|all| {
        let mut found = Conditions::new();
        for (operator, key, values) in all {
            // A second one with the same key, case aside, is refused: leave it out.
            let _ = add_condition(&mut found, operator, &key, values);
        }
        found
    })
}

fn statement(usage: Use) -> impl Strategy<Value = Statement> {
    let principals = match usage {
        Use::Identity => Just(None).boxed(),
        _ => selection(principals()).prop_map(Some).boxed(),
    };
    let resources = match usage {
        Use::Trust => Just(None).boxed(),
        _ => selection(resources()).prop_map(Some).boxed(),
    };
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Deny)];
    let actions = selection(actions(usage));
    (effect, principals, actions, resources, conditions()).prop_map(
        |(effect, principals, actions, resources, conditions)| Statement {
            sid: None,
            effect,
            principals,
            actions,
            resources,
            conditions,
        },
    )
}

fn document_for(usage: Use) -> impl Strategy<Value = Document> {
    let version = prop_oneof![Just(Version::V2008), Just(Version::V2012)];
    let id = prop::option::of("[a-c]{1,3}");
    let statements = prop::collection::vec((statement(usage), any::<bool>()), 1..4);
    (version, id, statements).prop_map(|(version, id, all)| {
        let statements = all.into_iter().enumerate();
        let statements = statements.map(|(index, (statement, named))| Statement {
            sid: named.then(|| format!("S{index}")),
            ..statement
        });
        Document::new(version, id, statements.collect())
    })
}

fn document() -> impl Strategy<Value = (Use, Document)> {
    prop::sample::select(vec![Use::Identity, Use::Trust, Use::Resource])
        .prop_flat_map(|usage| (Just(usage), document_for(usage)))
}

// ---- ways to write them

/// The document, written in another way.
fn spelled(document: &Document, choices: &mut Choices<'_>) -> String {
    let Node::Object(entries) = document.node() else {
        unreachable!("a document is an object");
    };
    let mut out = Vec::new();
    for (key, node) in entries {
        let node = match (key.as_str(), node) {
            ("Version", _) if document.version == Version::V2008 && choices.yes() => continue,
            ("Statement", Node::List(all)) => {
                let mut repeated = Vec::new();
                for node in all {
                    for _ in 0..=choices.below(2) {
                        repeated.push(spelled_statement(node.clone(), choices));
                    }
                }
                let mut all = repeated;
                choices.shuffle(&mut all);
                unwrapped(all, choices)
            }
            (_, node) => node,
        };
        out.push((key, node));
    }
    choices.shuffle(&mut out);
    let node = Node::Object(out);
    let text = if choices.yes() {
        node.pretty()
    } else {
        node.compact()
    };
    let text = if choices.yes() {
        text.replace('é', "\\u00E9")
    } else {
        text
    };
    if choices.yes() {
        encoded(&text, choices)
    } else {
        text
    }
}

fn encoded(text: &str, choices: &mut Choices<'_>) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' if choices.yes() => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => out.push(char::from(b)),
            b if choices.yes() => write!(out, "%{b:02x}").unwrap(),
            b => write!(out, "%{b:02X}").unwrap(),
        }
    }
    out
}

fn spelled_statement(node: Node, choices: &mut Choices<'_>) -> Node {
    let Node::Object(entries) = node else {
        unreachable!("a statement is an object");
    };
    let has = |name: &str| entries.iter().any(|(key, _)| key == name);
    let (has_sid, has_condition) = (has("Sid"), has("Condition"));
    let mut out: Vec<(String, Node)> = entries
        .into_iter()
        .map(|(key, node)| {
            let node = match key.as_str() {
                "Action" | "NotAction" => spelled_list(node, choices, &mut |text, choices| {
                    Node::Text(choices.case(text))
                }),
                "Resource" | "NotResource" => {
                    spelled_list(node, choices, &mut |text, _| Node::Text(text.to_owned()))
                }
                "Principal" | "NotPrincipal" => spelled_principals(node, choices),
                "Condition" => spelled_conditions(node, choices),
                _ => node,
            };
            (key, node)
        })
        .collect();
    if !has_sid && choices.yes() {
        out.push(("Sid".into(), Node::Text(String::new())));
    }
    if !has_condition && choices.yes() {
        out.push(("Condition".into(), Node::Object(Vec::new())));
    }
    choices.shuffle(&mut out);
    Node::Object(out)
}

fn spelled_principals(node: Node, choices: &mut Choices<'_>) -> Node {
    let Node::Object(mut entries) = node else {
        unreachable!("principals are an object");
    };
    if let [(kind, Node::Text(text))] = entries.as_slice()
        && kind == "AWS"
        && text == "*"
        && choices.yes()
    {
        return Node::Text("*".into());
    }
    for (kind, node) in &mut entries {
        let is_aws = kind == "AWS";
        *node = spelled_list(node.clone(), choices, &mut |text, choices| {
            let account = arn::root_account(text).filter(|_| is_aws && choices.yes());
            Node::Text(account.unwrap_or(text).to_owned())
        });
    }
    choices.shuffle(&mut entries);
    Node::Object(entries)
}

fn spelled_conditions(node: Node, choices: &mut Choices<'_>) -> Node {
    let Node::Object(mut operators) = node else {
        unreachable!("conditions are an object");
    };
    for (operator, node) in &mut operators {
        let Node::Object(keys) = node else {
            unreachable!("an operator's keys are an object");
        };
        let is_bool = check::base_operator(operator) == "Bool";
        for (key, node) in keys.iter_mut() {
            *key = choices.case(key);
            *node = spelled_list(node.clone(), choices, &mut |text, choices| {
                let plain = text == "true" || text == "false" || text.parse::<i64>().is_ok();
                match (plain && choices.yes(), is_bool) {
                    (true, _) => Node::Plain(text.to_owned()),
                    (false, true) => Node::Text(choices.case(text)),
                    (false, false) => Node::Text(text.to_owned()),
                }
            });
        }
        choices.shuffle(keys);
    }
    if !operators
        .iter()
        .any(|(operator, _)| operator == "DateEquals")
        && choices.yes()
    {
        operators.push(("DateEquals".into(), Node::Object(Vec::new())));
    }
    choices.shuffle(&mut operators);
    Node::Object(operators)
}

/// A list with each element one to three times, in any order, without brackets where it is one.
fn spelled_list(
    node: Node,
    choices: &mut Choices<'_>,
    spell: &mut impl FnMut(&str, &mut Choices<'_>) -> Node,
) -> Node {
    let all = match node {
        Node::List(all) => all,
        one => vec![one],
    };
    let mut out = Vec::new();
    for node in all {
        let Node::Text(text) = node else {
            unreachable!("canonical lists hold text");
        };
        for _ in 0..=choices.below(3) {
            out.push(spell(&text, choices));
        }
    }
    choices.shuffle(&mut out);
    unwrapped(out, choices)
}

fn unwrapped(mut all: Vec<Node>, choices: &mut Choices<'_>) -> Node {
    if all.len() == 1 && choices.yes() {
        return all.remove(0);
    }
    Node::List(all)
}

// ---- changes of meaning

/// One change of one thing; `None` where the document has no such thing.
fn changed(document: &Document, choices: &mut Choices<'_>) -> Option<Document> {
    let mut changed = document.clone();
    let at = choices.below(changed.statements.len());
    let statement = &mut changed.statements[at];
    match choices.below(11) {
        0 => {
            statement.effect = match statement.effect {
                Effect::Allow => Effect::Deny,
                Effect::Deny => Effect::Allow,
            };
        }
        1 => statement.actions = other_actions(&statement.actions, choices),
        2 => {
            let resources = statement.resources.as_ref()?;
            statement.resources = Some(other(resources, choices, "arn:aws:s3:::zz".into()));
        }
        3 => {
            let selection = statement.principals.as_ref()?;
            let mut kinds = selection.named().clone();
            let kind = *kinds.keys().nth(choices.below(kinds.len()))?;
            let role = "arn:aws:iam::999999999999:role/zz".to_owned();
            match other(&Selection::Only(kinds.remove(&kind)?), choices, role) {
                Selection::Only(all) => {
                    kinds.insert(kind, all);
                    statement.principals = Some(like(selection, kinds));
                }
                Selection::AllBut(_) => {
                    statement.principals = Some(turned(selection));
                }
            }
        }
        4 => {
            let (operator, keys) = statement.conditions.pop_first()?;
            let new = if operator == "DateEquals" {
                "Bool"
            } else {
                "DateEquals"
            };
            statement.conditions.insert(new.into(), keys);
        }
        5 => {
            let mut keys = statement.conditions.first_entry()?;
            let (_, values) = keys.get_mut().pop_first()?;
            keys.get_mut().insert(Folded::from("aws:Zz"), values);
        }
        6 => {
            let mut keys = statement.conditions.first_entry()?;
            let values = keys.get_mut().values_mut().next()?;
            *values = match other(&Selection::Only(values.clone()), choices, "zz".into()) {
                Selection::Only(all) => all,
                Selection::AllBut(mut all) => {
                    all.insert("yy".into());
                    all
                }
            };
        }
        7 => {
            statement.conditions.pop_first()?;
        }
        8 => {
            changed.version = match changed.version {
                Version::V2008 => Version::V2012,
                Version::V2012 => Version::V2008,
            };
        }
        9 => {
            let keep = changed.statements.len() > 1;
            keep.then(|| changed.statements.remove(at))?;
        }
        _ => statement.sid = Some("Zz".into()),
    }
    changed.sort();
    Some(changed)
}

fn like<T, U>(selection: &Selection<T>, named: U) -> Selection<U> {
    match selection {
        Selection::Only(_) => Selection::Only(named),
        Selection::AllBut(_) => Selection::AllBut(named),
    }
}

fn turned<T: Clone>(selection: &Selection<T>) -> Selection<T> {
    match selection {
        Selection::Only(named) => Selection::AllBut(named.clone()),
        Selection::AllBut(named) => Selection::Only(named.clone()),
    }
}

fn other_actions(
    actions: &Selection<BTreeSet<Folded>>,
    choices: &mut Choices<'_>,
) -> Selection<BTreeSet<Folded>> {
    other(actions, choices, Folded::from("sts:Zz"))
}

/// One more, one less, one another, or all others.
fn other<T: Ord + Clone>(
    selection: &Selection<BTreeSet<T>>,
    choices: &mut Choices<'_>,
    new: T,
) -> Selection<BTreeSet<T>> {
    let mut named = selection.named().clone();
    match choices.below(4) {
        0 => {
            named.insert(new);
        }
        1 if named.len() > 1 => {
            named.pop_first();
        }
        2 => return turned(selection),
        _ => {
            named.pop_last();
            named.insert(new);
        }
    }
    like(selection, named)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_is_read_again((usage, document) in document()) {
        let text = document.to_string();
        let read = parse(&text, usage).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&read, &document);
        prop_assert_eq!(read.to_string(), text);
        let compact = parse(&document.compact(), usage).map_err(TestCaseError::fail)?;
        prop_assert_eq!(compact.compact(), document.compact());
    }

    #[test]
    fn however_it_is_written_it_is_the_same(
        (usage, document) in document(),
        one in prop::collection::vec(any::<u8>(), 97),
        other in prop::collection::vec(any::<u8>(), 89),
    ) {
        let one = spelled(&document, &mut Choices::new(&one));
        let other = spelled(&document, &mut Choices::new(&other));
        prop_assert!(same_texts(&one, &other), "{one}\n{other}");
        prop_assert!(same_texts(&document.to_string(), &other), "{other}");
        let canonical = live(&one, usage);
        prop_assert_eq!(&super::super::canonical(&canonical, usage), &Ok(canonical.clone()));
        let folded = |text: &str| text.to_ascii_lowercase();
        prop_assert_eq!(folded(&canonical), folded(&document.to_string()));
    }

    #[test]
    fn order_alone_never_changes_the_text(
        (usage, document) in document(),
        order in prop::collection::vec(any::<u8>(), 31),
    ) {
        // Two ways to write the case of a text, in two orders.
        let mut twice = document.statements.clone();
        for statement in &document.statements {
            let mut statement = statement.clone();
            let upper = statement.actions.named().iter().map(|a| a.as_str().to_ascii_uppercase());
            statement.actions = like(&statement.actions, folded(upper));
            twice.push(statement);
        }
        let mut shuffled = twice.clone();
        Choices::new(&order).shuffle(&mut shuffled);
        let of = |all| Document::new(document.version, document.id.clone(), all).to_string();
        let (one, other) = (of(twice), of(shuffled));
        prop_assert_eq!(&one, &other);
        prop_assert!(parse(&one, usage).is_ok());
    }

    #[test]
    fn any_change_of_meaning_is_seen(
        (_, document) in document(),
        change in prop::collection::vec(any::<u8>(), 7),
        spelling in prop::collection::vec(any::<u8>(), 97),
    ) {
        if let Some(changed) = changed(&document, &mut Choices::new(&change)) {
            let changed = spelled(&changed, &mut Choices::new(&spelling));
            prop_assert!(!same_texts(&document.to_string(), &changed), "{document}\n{changed}");
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}|[\\[\\]{}\",:%a1\\\\]{0,60}") {
        for usage in [Use::Identity, Use::Trust, Use::Resource] {
            let _ = parse(&text, usage);
            let _ = live(&text, usage);
        }
        let _ = same_texts(&text, "%7B%7D");
        let _ = narrows(&text, "{}");
        let _ = (size(&text), check_characters(&text), check_operator(&text));
        let _ = (check_action(&text), check_condition_key(&text));
    }

    #[test]
    fn no_damage_to_a_text_panics(
        (usage, document) in document(),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
        takes in 0_usize..4,
    ) {
        let chars: Vec<char> = document.to_string().chars().collect();
        let at = at.index(chars.len());
        let end = chars.len().min(at + takes);
        let mut damaged: String = chars[..at].iter().collect();
        damaged.push(with);
        damaged.extend(&chars[end..]);
        if let Ok(read) = parse(&damaged, usage) {
            prop_assert_eq!(parse(&read.to_string(), usage), Ok(read));
        }
        let _ = narrows(&document.to_string(), &damaged);
    }
}
