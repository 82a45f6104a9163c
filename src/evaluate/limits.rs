//! Budgets: a configuration is text somebody else may have written, so nothing in it can make
//! evaluation run on, fill the memory or overflow the stack.
//!
//! Every limit is a constant with its reason. Going over one is one diagnostic, and evaluation
//! stops there: what follows from a spent budget isn't reported again.

use std::cell::Cell;

use remit_sdk::Value;

use super::nearest::meant;

/// Instances one `for_each` may make. Ten times the largest fleets people ask for; a plan
/// of more is nothing a person can review.
pub const FOR_EACH_INSTANCES_MAX: usize = 10_000;

/// Instances of all blocks together: each becomes several live objects, and a plan is held in
/// memory whole.
pub const INSTANCES_MAX: usize = 100_000;

/// Bytes of one value: a policy document is at most some 100 KB at any target, files are
/// limited to about this size too.
pub const VALUE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How deep values may nest: common JSON readers stop at 128 levels, and a deeper value could
/// be written to a plan and never read again.
pub const VALUE_NESTING_MAX: usize = 100;

/// Units of work: one for each expression evaluated, one for each 64 bytes of value made or
/// copied. Some seconds of work; a configuration at the other limits stays well below.
pub const STEPS_MAX: u64 = 50_000_000;

/// How deep evaluation may recurse: nesting of expressions added up along a chain of
/// references. `EVALUATION_STACK_BYTES` is chosen for it.
pub const DEPTH_MAX: usize = 4_000;

/// The stack of the thread that evaluates. One level takes up to some 25 KB in a debug build;
/// pages that aren't touched cost nothing.
pub const EVALUATION_STACK_BYTES: usize = 256 * 1024 * 1024;

/// How many misspelt names are guessed at: more than the mistakes that are shown.
const GUESSES_MAX: usize = 64;

/// How many names one misspelt name is compared with: each costs the product of the lengths.
const CANDIDATES_MAX: usize = 10_000;

/// How many names that exist are listed where none is near.
const SHOWN_MAX: usize = 5;

/// How many bytes of value cost one step.
const BYTES_PER_STEP: usize = 64;

/// What is left of the budgets.
#[derive(Debug, Default)]
pub(super) struct Budget {
    steps: Cell<u64>,
    depth: Cell<usize>,
    instances: Cell<usize>,
    guesses: Cell<usize>,
    spent: Cell<bool>,
}

/// Which budget ran out; `None` where that was reported before.
pub(super) type Spent = Option<(&'static str, String, &'static str)>;

impl Budget {
    /// Whether a budget ran out before.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.get()
    }

    fn spend(
        &self,
        summary: &'static str,
        detail: String,
        help: &'static str,
    ) -> Result<(), Spent> {
        if self.spent.replace(true) {
            return Err(None);
        }
        Err(Some((summary, detail, help)))
    }

    /// What was probably meant by a name that stands among names of the configuration, of which
    /// there may be many on both sides.
    pub(super) fn meant<'a>(
        &self,
        wrong: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        let guesses = self.guesses.get() + 1;
        self.guesses.set(guesses);
        if guesses > GUESSES_MAX {
            return None;
        }
        meant(wrong, candidates.into_iter().take(CANDIDATES_MAX))
    }

    /// `did you mean …?`, where something was probably meant.
    pub(super) fn did_you_mean<'a>(
        &self,
        wrong: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        self.meant(wrong, candidates)
            .map(|near| format!("did you mean `{near}`?"))
    }

    /// The help for a name that nothing of `root` declares: what was probably meant, or some of
    /// what there is and how to declare it.
    pub(super) fn undeclared<'a>(
        &self,
        root: &str,
        wrong: &str,
        known: impl IntoIterator<Item = &'a str>,
        declaration: &str,
    ) -> String {
        let looked_at = if self.guesses.get() < GUESSES_MAX {
            CANDIDATES_MAX
        } else {
            SHOWN_MAX + 1
        };
        let known: Vec<&str> = known.into_iter().take(looked_at).collect();
        if let Some(near) = self.meant(wrong, known.iter().copied()) {
            return format!("did you mean `{root}.{near}`?");
        }
        let declare = format!("declare it: {}", declaration.replace("NAME", wrong));
        if known.is_empty() {
            return declare;
        }
        let some = known.iter().take(SHOWN_MAX);
        let some: Vec<String> = some.map(|name| format!("`{root}.{name}`")).collect();
        let more = if known.len() > SHOWN_MAX { ", …" } else { "" };
        format!("there is {}{more}; or {declare}", some.join(", "))
    }

    /// Begins one expression; [`Budget::leave`] ends it.
    pub(super) fn enter(&self) -> Result<(), Spent> {
        self.charge(0)?;
        if self.depth.get() >= DEPTH_MAX {
            return self.spend(
                "references nested too deeply",
                format!("evaluating this needs more than {DEPTH_MAX} expressions inside each other, counted along the references between them"),
                "shorten the chain of references",
            );
        }
        self.depth.set(self.depth.get() + 1);
        Ok(())
    }

    /// Ends what [`Budget::enter`] began.
    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    /// Counts one step, and the making or copying of `bytes` bytes.
    pub(super) fn charge(&self, bytes: usize) -> Result<(), Spent> {
        if self.spent.get() {
            return Err(None);
        }
        let steps = self.steps.get() + 1 + (bytes / BYTES_PER_STEP) as u64;
        self.steps.set(steps);
        if steps > STEPS_MAX {
            return self.spend(
                "too much to evaluate",
                format!("evaluating this configuration takes more than {STEPS_MAX} steps"),
                "look for `for` expressions inside each other, and for large values used many times",
            );
        }
        Ok(())
    }

    /// Counts instances.
    pub(super) fn instances(&self, more: usize) -> Result<(), Spent> {
        self.instances.set(self.instances.get() + more);
        if self.instances.get() > INSTANCES_MAX {
            return self.spend(
                "too many instances",
                format!("all blocks together have more than {INSTANCES_MAX} instances"),
                "split the configuration in two, each with a state of its own",
            );
        }
        Ok(())
    }
}

/// What is wrong with the size of a value, if anything; its bytes otherwise.
pub(super) fn measure(value: &Value) -> Result<usize, String> {
    let mut bytes = 0;
    add(value, 0, &mut bytes)?;
    Ok(bytes)
}

fn add(value: &Value, depth: usize, bytes: &mut usize) -> Result<(), String> {
    *bytes += size_of::<Value>();
    if *bytes > VALUE_BYTES_MAX {
        return Err(format!("it is larger than {VALUE_BYTES_MAX} bytes"));
    }
    if depth > VALUE_NESTING_MAX {
        return Err(format!(
            "it nests deeper than {VALUE_NESTING_MAX} lists and maps"
        ));
    }
    match value {
        Value::String(text) => *bytes += text.len(),
        Value::List(all) => {
            for value in all {
                add(value, depth + 1, bytes)?;
            }
        }
        Value::Set(all) => {
            for value in all {
                add(value, depth + 1, bytes)?;
            }
        }
        Value::Map(all) => {
            for (key, value) in all {
                *bytes += key.len();
                add(value, depth + 1, bytes)?;
            }
        }
        Value::Pending(pending) => *bytes += pending.parts.len() * 64,
        _ => {}
    }
    if *bytes > VALUE_BYTES_MAX {
        return Err(format!("it is larger than {VALUE_BYTES_MAX} bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_nesting_are_limited() {
        assert!(measure(&Value::string("a".repeat(1000))).unwrap() >= 1000);
        let large = measure(&Value::string("a".repeat(VALUE_BYTES_MAX)));
        assert!(large.unwrap_err().contains("larger"));
        let mut deep = Value::Null;
        for _ in 0..=VALUE_NESTING_MAX {
            deep = Value::List(vec![deep]);
        }
        assert!(measure(&deep).unwrap_err().contains("nests"));
    }

    #[test]
    fn a_spent_budget_is_reported_once() {
        let budget = Budget::default();
        assert!(budget.instances(INSTANCES_MAX).is_ok());
        assert!(matches!(budget.instances(1), Err(Some(_))));
        assert!(matches!(budget.enter(), Err(None)));
        assert!(budget.is_spent());
    }

    #[test]
    fn steps_and_depth_run_out() {
        let budget = Budget::default();
        for _ in 0..DEPTH_MAX {
            assert!(budget.enter().is_ok());
        }
        assert!(matches!(budget.enter(), Err(Some(_))));
        let budget = Budget::default();
        let all = usize::try_from(STEPS_MAX).unwrap() * BYTES_PER_STEP;
        assert!(matches!(budget.charge(all), Err(Some(_))));
    }
}
