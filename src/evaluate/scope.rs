//! The names an expression may use beside those of the configuration: `each`, the names a `for`
//! binds, a template file's variables, and in a grant the identity that holds it.
//!
//! A scope is a chain of frames on the stack; the innermost one wins. Nothing is owned here but
//! what one frame binds.

use remit_sdk::Value;

/// The identity that holds a scope, as its grants see it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holder {
    /// `identity.name`.
    pub(crate) name: String,
    /// `identity.agent`.
    pub(crate) agent: String,
    /// `identity.environment`.
    pub(crate) environment: String,
    /// `identity.domain`.
    pub(crate) domain: String,
}

impl Holder {
    /// What a grant may ask of its holder.
    pub(crate) const NAMES: [&'static str; 4] = ["name", "agent", "environment", "domain"];

    /// The string of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        Some(match name {
            "name" => &self.name,
            "agent" => &self.agent,
            "environment" => &self.environment,
            "domain" => &self.domain,
            _ => return None,
        })
    }
}

/// What one frame adds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Frame<'s> {
    /// Names of the configuration: the outermost frame of most expressions.
    Configuration,
    /// No names at all; the text says what this is that holds plain values only.
    Plain(&'static str),
    /// An instance of a block with `for_each`.
    Each(&'s str, &'s Value),
    /// Names bound by a `for` or a template.
    Names(&'s [(&'s str, Value)]),
    /// A grant, evaluated for this holder.
    Holder(&'s Holder),
}

/// A frame and those around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'s> {
    frame: Frame<'s>,
    outer: Option<&'s Scope<'s>>,
}

impl<'s> Scope<'s> {
    /// The outermost scope: the configuration's names.
    pub(crate) const CONFIGURATION: Scope<'static> = Scope::root(Frame::Configuration);

    /// An outermost scope of this kind.
    pub(crate) const fn root(frame: Frame<'s>) -> Self {
        Self { frame, outer: None }
    }

    /// This scope with one more frame inside.
    pub(crate) fn with<'t>(&'t self, frame: Frame<'t>) -> Scope<'t>
    where
        's: 't,
    {
        Scope {
            frame,
            outer: Some(self),
        }
    }

    fn frames(&self) -> impl Iterator<Item = &Frame<'s>> {
        std::iter::successors(Some(self), |scope| scope.outer).map(|scope| &scope.frame)
    }

    /// The value bound to this name.
    pub(crate) fn name(&self, name: &str) -> Option<&Value> {
        self.frames().find_map(|frame| match frame {
            Frame::Names(names) => names
                .iter()
                .find(|(bound, _)| *bound == name)
                .map(|(_, value)| value),
            _ => None,
        })
    }

    /// All names bound.
    pub(crate) fn names(&self) -> Vec<String> {
        self.frames()
            .flat_map(|frame| match frame {
                Frame::Names(names) => *names,
                _ => &[],
            })
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }

    /// `each.key` and `each.value`.
    pub(crate) fn each(&self) -> Option<(&str, &Value)> {
        self.frames().find_map(|frame| match frame {
            Frame::Each(key, value) => Some((*key, *value)),
            _ => None,
        })
    }

    /// The holder of the grant that is evaluated.
    pub(crate) fn holder(&self) -> Option<&Holder> {
        self.frames().find_map(|frame| match frame {
            Frame::Holder(holder) => Some(*holder),
            _ => None,
        })
    }

    /// What this is, where names of the configuration don't count.
    pub(crate) fn plain(&self) -> Option<&'static str> {
        self.frames().find_map(|frame| match frame {
            Frame::Plain(what) => Some(*what),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_frame_wins() {
        let (one, two) = (
            [("x", Value::integer(1))],
            [("x", Value::integer(2)), ("y", Value::Null)],
        );
        let root = Scope::CONFIGURATION;
        let outer = root.with(Frame::Names(&one));
        let inner = outer.with(Frame::Names(&two));
        assert_eq!(outer.name("x"), Some(&Value::integer(1)));
        assert_eq!(inner.name("x"), Some(&Value::integer(2)));
        assert_eq!(outer.name("y"), None);
        assert_eq!(inner.names(), ["x", "y", "x"]);
        assert!(inner.each().is_none() && inner.plain().is_none() && inner.holder().is_none());
    }
}
