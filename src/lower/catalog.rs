//! The pure halves of all providers, lowering and evaluating: the one place that knows every kind.

use remit_sdk::{Evaluate, Kind, Lower};

/// All providers that this build knows, by their pure half.
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    providers: &'a [&'a dyn Lower],
    evaluators: &'a [&'a dyn Evaluate],
}

impl<'a> Catalog<'a> {
    /// A catalog of these providers.
    pub const fn new(providers: &'a [&'a dyn Lower]) -> Self {
        Self {
            providers,
            evaluators: &[],
        }
    }

    /// The same catalog with evaluators of policies.
    #[must_use]
    pub const fn with_evaluators(self, evaluators: &'a [&'a dyn Evaluate]) -> Self {
        Self { evaluators, ..self }
    }

    /// The evaluators of policies.
    pub const fn evaluators(&self) -> &'a [&'a dyn Evaluate] {
        self.evaluators
    }

    /// The evaluator of an instance: `vault` for `vault` and for `vault.audit`.
    pub fn evaluator_of_instance(&self, instance: &str) -> Option<&'a dyn Evaluate> {
        let name = instance.split('.').next().unwrap_or(instance);
        self.evaluators
            .iter()
            .copied()
            .find(|evaluator| evaluator.provider() == name)
    }

    /// The providers.
    pub const fn providers(&self) -> &'a [&'a dyn Lower] {
        self.providers
    }

    /// The kind of this name, whoever has it.
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.providers
            .iter()
            .find_map(|provider| provider.kind(name))
    }

    /// The kind of this name, one that is only looked at included.
    pub fn kind_or_held(&self, name: &str) -> Option<&'static Kind> {
        let held = || {
            let all = self.evaluators.iter().copied();
            all.flat_map(Evaluate::held_kinds)
                .find(|kind| kind.name == name)
        };
        self.kind(name).or_else(held)
    }

    /// The provider that has the kind of this name.
    pub fn provider_of_kind(&self, name: &str) -> Option<&'a dyn Lower> {
        self.providers
            .iter()
            .copied()
            .find(|provider| provider.kind(name).is_some())
    }

    /// The provider of an instance: `vault` for `vault` and for `vault.audit`.
    pub fn provider_of_instance(&self, instance: &str) -> Option<&'a dyn Lower> {
        let name = instance.split('.').next().unwrap_or(instance);
        self.providers
            .iter()
            .copied()
            .find(|provider| provider.name() == name)
    }
}

impl std::fmt::Debug for Catalog<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.providers.iter().map(|provider| provider.name()))
            .finish()
    }
}
