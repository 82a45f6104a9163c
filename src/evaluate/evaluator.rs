//! What every evaluation shares: the values computed so far, the way to the one being computed,
//! the mistakes found, the budgets.
//!
//! A [`Node`] is something that has a value of its own and can be referred to. Each is computed
//! at most once. Its mistakes are kept apart from those of whoever asked for it, so that `try`
//! around a reference never hides what is wrong at the other end.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use remit_sdk::declaration::ProviderConfig;
use remit_sdk::{DeclarationAddress, Diagnostic, Lower, Span, Value};

use super::Inputs;
use super::index::{Declared, Index};
use super::limits::{Budget, Spent, measure};
use crate::config::syntax::{Attribute, Configuration};

/// There is no value, and why was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// A value, unless it failed.
pub(crate) type Evaluated<T = Value> = Result<T, Failed>;

/// Something that has a value and can be referred to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node<'c> {
    /// `var.NAME`.
    Variable(&'c str),
    /// `local.NAME`.
    Local(&'c str),
    /// The `for_each` of a declaration: a map, or null without one.
    Instances(usize),
    /// A top-level attribute of one instance of a declaration.
    Attribute(usize, Option<String>, &'c str),
}

#[derive(Debug)]
enum State {
    Running,
    Done(Rc<Value>),
    Failed,
}

/// Evaluates one configuration.
pub(crate) struct Evaluator<'c> {
    /// What is declared.
    pub(crate) index: Index<'c>,
    /// What was given.
    pub(crate) inputs: &'c Inputs<'c>,
    /// The providers.
    pub(crate) providers: &'c [&'c dyn Lower],
    prefix: RefCell<String>,
    configs: RefCell<BTreeMap<String, ProviderConfig>>,
    memo: RefCell<HashMap<Node<'c>, State>>,
    running: RefCell<Vec<Node<'c>>>,
    current: RefCell<Vec<Diagnostic>>,
    reported: RefCell<Vec<Diagnostic>>,
    pub(super) budget: Budget,
}

impl<'c> Evaluator<'c> {
    /// Indexes the configuration; evaluates nothing yet.
    pub(crate) fn new(
        configuration: &'c Configuration,
        inputs: &'c Inputs<'c>,
        providers: &'c [&'c dyn Lower],
    ) -> Self {
        let (index, errors) = Index::build(configuration, providers);
        Self {
            index,
            inputs,
            providers,
            prefix: RefCell::default(),
            configs: RefCell::default(),
            memo: RefCell::default(),
            running: RefCell::default(),
            current: RefCell::default(),
            reported: RefCell::new(errors),
            budget: Budget::default(),
        }
    }

    /// The prefix of computed live names.
    pub(crate) fn prefix(&self) -> String {
        self.prefix.borrow().clone()
    }

    /// Sets the prefix, before anything that may ask for it is evaluated.
    pub(crate) fn set_prefix(&self, prefix: &str) {
        prefix.clone_into(&mut self.prefix.borrow_mut());
    }

    /// Sets the `provider` blocks, before anything that may ask for them is evaluated.
    pub(crate) fn set_configs(&self, configs: &BTreeMap<String, ProviderConfig>) {
        self.configs.borrow_mut().clone_from(configs);
    }

    /// What a provider computes from the block of one of its instances.
    pub(super) fn with_config<T>(
        &self,
        instance: &str,
        work: impl FnOnce(&'c dyn Lower, Option<&ProviderConfig>) -> Option<T>,
    ) -> Option<T> {
        let name = instance.split('.').next().unwrap_or(instance);
        let provider = self.providers.iter().find(|one| one.name() == name)?;
        work(*provider, self.configs.borrow().get(instance))
    }

    /// Keeps a mistake.
    pub(crate) fn report(&self, diagnostic: Diagnostic) -> Failed {
        self.current.borrow_mut().push(diagnostic);
        Failed
    }

    /// Reports a budget that ran out, once.
    pub(super) fn spent(&self, spent: Spent, at: impl Into<Option<Span>>) -> Failed {
        if let Some((summary, detail, help)) = spent {
            let diagnostic = Diagnostic::error(summary, detail).at(at).help(help);
            self.reported.borrow_mut().push(diagnostic);
        }
        Failed
    }

    /// Every mistake so far, each once, in the order of the files.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.reported.take();
        all.extend(self.current.take());
        all.sort_by_key(|diagnostic| {
            diagnostic
                .span
                .map(|span| (span.file, span.start, span.end))
        });
        let mut unique: Vec<Diagnostic> = Vec::with_capacity(all.len());
        for diagnostic in all {
            let seen = unique
                .iter()
                .rev()
                .take_while(|other| other.span == diagnostic.span)
                .any(|other| *other == diagnostic);
            if !seen {
                unique.push(diagnostic);
            }
        }
        unique
    }

    /// Runs `work` and gives its mistakes apart from those of the one who asks.
    pub(super) fn apart<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Diagnostic>) {
        let outer = self.current.take();
        let result = work();
        let inner = self.current.replace(outer);
        (result, inner)
    }

    /// The value of a node, computed if it isn't yet.
    pub(super) fn force(
        &self,
        node: Node<'c>,
        at: Option<Span>,
        compute: impl FnOnce() -> Evaluated,
    ) -> Evaluated<Rc<Value>> {
        match self.memo.borrow().get(&node) {
            Some(State::Done(value)) => return Ok(Rc::clone(value)),
            Some(State::Failed) => return Err(Failed),
            Some(State::Running) => return Err(self.cycle(&node, at)),
            None => {}
        }
        self.memo.borrow_mut().insert(node.clone(), State::Running);
        self.running.borrow_mut().push(node.clone());
        let (result, errors) = self.apart(|| {
            let value = compute()?;
            self.measured(&value, at)?;
            Ok(Rc::new(value))
        });
        self.reported.borrow_mut().extend(errors);
        self.running.borrow_mut().pop();
        let state = match &result {
            Ok(value) => State::Done(Rc::clone(value)),
            Err(Failed) => State::Failed,
        };
        self.memo.borrow_mut().insert(node, state);
        result
    }

    fn cycle(&self, node: &Node<'c>, at: Option<Span>) -> Failed {
        /// As many as a person can follow.
        const SHOWN_MAX: usize = 20;
        let running = self.running.borrow();
        let mut path: Vec<String> = running
            .iter()
            .skip_while(|other| *other != node)
            .map(|node| self.describe(node))
            .collect();
        let length = path.len();
        if length > SHOWN_MAX {
            path.truncate(SHOWN_MAX);
            path.push(format!("({} more)", length - SHOWN_MAX));
        }
        path.push(self.describe(node));
        let diagnostic = Diagnostic::error(
            "reference cycle",
            format!("this depends on itself: {}", path.join(" -> ")),
        )
        .at(at)
        .help("take one of these references away");
        self.reported.borrow_mut().push(diagnostic);
        Failed
    }

    fn describe(&self, node: &Node<'c>) -> String {
        match node {
            Node::Variable(name) => format!("var.{name}"),
            Node::Local(name) => format!("local.{name}"),
            Node::Instances(id) => format!("{}.for_each", self.instance(*id, None)),
            Node::Attribute(id, key, name) => {
                format!("{}.{name}", self.instance(*id, key.as_deref()))
            }
        }
    }

    fn instance(&self, id: usize, key: Option<&str>) -> String {
        let Some(declared) = self.index.declared.get(id) else {
            return String::new();
        };
        declared.instance(key).to_string()
    }

    /// Checks a value's size, and counts it as work.
    pub(super) fn measured(&self, value: &Value, at: impl Into<Option<Span>>) -> Evaluated<()> {
        let at = at.into();
        let bytes = measure(value).map_err(|why| {
            self.report(
                Diagnostic::error(
                    "value too large",
                    format!("this value can't be used: {why}"),
                )
                .at(at)
                .help("keep large data out of the configuration"),
            )
        })?;
        self.budget
            .charge(bytes)
            .map_err(|spent| self.spent(spent, at))
    }

    /// A copy of a value, counted as work.
    pub(super) fn copy(&self, value: &Value, at: impl Into<Option<Span>>) -> Evaluated {
        self.measured(value, at)?;
        Ok(value.clone())
    }

    /// A top-level attribute of one instance of a declaration, asked for at `at`, if it is
    /// written.
    pub(crate) fn attribute(
        &self,
        declared: &Declared<'c>,
        key: Option<&str>,
        name: &str,
        at: Option<Span>,
    ) -> Evaluated<Option<(Rc<Value>, &'c Attribute)>> {
        let block = declared.block;
        let Some(attribute) = block.body.attribute(name) else {
            return Ok(None);
        };
        let node = Node::Attribute(declared.id, key.map(str::to_owned), &attribute.name.value);
        let value = self.force(node, at, || {
            self.in_instance(declared, key, |scope| {
                self.value(&attribute.expression, scope)
            })
        })?;
        Ok(Some((value, attribute)))
    }
}

impl Declared<'_> {
    /// The address of one instance.
    pub(crate) fn instance(&self, key: Option<&str>) -> DeclarationAddress {
        match key {
            Some(key) => self.address.clone().with_key(key),
            None => self.address.clone(),
        }
    }
}
