//! What a rule is, and the table of all: the one source of `remit rules`, of the pages in
//! `docs/reference/rules` and of the tests, which run the examples.

use remit_sdk::declaration::Tier;
use remit_sdk::{Address, DeclarationAddress, Span};

use super::facts::Facts;
use super::finding::{Finding, Severity};
use super::input::Input;
use super::{access, identity, literal, live, purpose, session, workload};

/// The configuration that every example stands in: without mistakes by itself.
pub const BASE: &str = include_str!("examples/base.remit.hcl");

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// `RMT101`.
    pub code: &'static str,
    /// `shared-identity`.
    pub name: &'static str,
    /// How bad its findings are.
    pub weight: Weight,
    /// What it finds, in a sentence.
    pub finds: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What it can't see; empty where it sees all that it is about.
    pub blind: &'static str,
    /// Blocks that it finds something in, beside those of [`BASE`].
    pub wrong: &'static str,
    /// The same, put right.
    pub right: &'static str,
    /// The controls it is evidence for.
    pub controls: &'static [&'static str],
    /// What it looks at, each with what it needs for that.
    pub parts: &'static [Part],
}

/// One thing a rule looks at.
pub struct Part {
    /// What it needs for that.
    pub needs: Need,
    /// Looks.
    pub(super) run: fn(&mut Report<'_, '_>),
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.needs.fmt(f)
    }
}

/// What a part of a rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// What is declared.
    Model,
    /// The texts of the configuration.
    Literals,
    /// A plan.
    Plan,
    /// What everybody can do once the plan is applied.
    Access,
    /// What the plan changes of that.
    Changes,
    /// What lives in the targets: as it was observed, or as a plan has it.
    Live,
    /// What lives in the targets, as it was observed.
    Observed,
    /// What stands around the objects of the targets, as it was observed.
    Surroundings,
}

impl Need {
    /// In a word, for tables: `model`, `plan`, `access`, `live`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Model | Self::Literals => "model",
            Self::Plan => "plan",
            Self::Access | Self::Changes => "access",
            Self::Live | Self::Observed | Self::Surroundings => "live",
        }
    }

    /// What is lacking, in words; `None` where it is there.
    pub(super) fn lacking(self, input: &Input<'_>) -> Option<&'static str> {
        match self {
            Self::Model => None,
            Self::Literals => input
                .literals
                .is_none()
                .then_some("the configuration's texts"),
            Self::Plan => input.plan.is_none().then_some("a plan"),
            Self::Access => input
                .access
                .is_none()
                .then_some("a plan with the access in effect"),
            Self::Changes => {
                let what = "a plan with what it changes of access";
                input.changes.is_none().then_some(what)
            }
            Self::Live => {
                let is_there = input.observed.is_some() || input.plan.is_some();
                (!is_there).then_some("what lives in the targets")
            }
            Self::Observed => input
                .observed
                .is_none()
                .then_some("what was observed in the targets"),
            Self::Surroundings => {
                let is_there = input
                    .observed
                    .is_some_and(|observed| observed.surroundings.is_some());
                (!is_there).then_some("what stands around the objects of the targets")
            }
        }
    }
}

/// How bad a rule's findings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// An error in production, a warning elsewhere.
    ByTier,
    /// Always an error.
    Error,
    /// Always a warning.
    Warning,
}

impl Weight {
    /// As a sentence's part.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ByTier => "error in production, warning elsewhere",
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// All rules, in the order of their codes.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        identity::SHARED,
        purpose::RULES,
        identity::MIXED,
        workload::RULES,
        access::RULES,
        session::RULES,
        live::RULES,
        literal::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rule of this code or name, in any case.
pub fn find(name: &str) -> Option<&'static Rule> {
    rules()
        .find(|rule| rule.code.eq_ignore_ascii_case(name) || rule.name.eq_ignore_ascii_case(name))
}

impl Rule {
    /// Whether an `exception` may waive it: a finding that an approval answers can't be waived.
    pub fn may_be_waived(&self) -> bool {
        self.code != "RMT203"
    }

    /// What it needs, each word once.
    pub fn needs(&self) -> Vec<&'static str> {
        let mut words: Vec<&'static str> = Vec::new();
        for part in self.parts {
            if !words.contains(&part.needs.word()) {
                words.push(part.needs.word());
            }
        }
        words
    }
}

/// Where a rule puts what it finds.
pub(super) struct Report<'r, 'a> {
    pub(super) rule: &'static Rule,
    pub(super) input: &'r Input<'a>,
    pub(super) facts: &'r Facts<'a>,
    pub(super) findings: &'r mut Vec<Finding>,
    /// What it lacked, where that shows while it looks.
    pub(super) lacking: &'r mut Vec<String>,
}

impl<'a> Report<'_, 'a> {
    /// Something is wrong with a declaration that stands at `span` and reaches into `tier`.
    pub(super) fn found(
        &mut self,
        address: &DeclarationAddress,
        span: impl Into<Option<Span>>,
        tier: Tier,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        let address = Address::Declaration(address.clone());
        self.found_at(Some(address), span.into(), tier, what, help);
    }

    /// Something is wrong, be it declared or not.
    pub(super) fn found_at(
        &mut self,
        address: Option<Address>,
        span: Option<Span>,
        tier: Tier,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        let severity = match (self.rule.weight, tier) {
            (Weight::Error, _) | (Weight::ByTier, Tier::Production) => Severity::Error,
            (Weight::Warning | Weight::ByTier, _) => Severity::Warning,
        };
        self.findings.push(Finding {
            rule: self.rule.code.to_owned(),
            name: self.rule.name.to_owned(),
            severity,
            address,
            place: span.and_then(|span| (self.input.place)(span)),
            what: what.into(),
            why: self.rule.why.to_owned(),
            help: help.into(),
            waived_by: None,
            waived_until: None,
        });
    }

    /// Something that it should have looked at isn't known.
    pub(super) fn lacks(&mut self, what: String) {
        self.lacking.push(what);
    }

    /// Where what has access is declared: an identity, or a resource; nowhere for one that isn't.
    pub(super) fn span_of(&self, address: &DeclarationAddress) -> Option<Span> {
        self.input.model.span_of(address)
    }

    /// Where a provider instance is configured, if it is.
    pub(super) fn span_of_instance(&self, instance: &str) -> Option<Span> {
        let config = self.input.model.providers.get(instance);
        config.and_then(|config| config.span)
    }

    /// The inputs, for as long as they live.
    pub(super) const fn model(&self) -> &'a crate::model::Model {
        self.input.model
    }
}
