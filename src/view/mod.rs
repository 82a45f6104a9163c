//! Data to text: for people, and as JSON for machines. PURE: it returns text and prints nothing.
//!
//! In: plans, reports, states and tables. Out: strings. Everything that came from a server or
//! from somebody's configuration passes [`remit_sdk::text::safe`] on its way, so that no name
//! can steer a terminal, and no line can pass for one of remit's own. A secret can't get here:
//! what stands in its place is the reference to it. Colour is a choice of the caller, and
//! nothing is said by colour alone. It reads no clock: times are handed in.
//!
//! | file | what it shows |
//! |---|---|
//! | `plan`, `changes`, `drift` | a plan, for people |
//! | `access` | what identities gain, lose and can do |
//! | `approvals` | whose approval a plan takes, and what it changes of who approves what |
//! | `plan_json`, `planned_values` | a plan in the shape of Terraform's JSON plan |
//! | `events` | the stream of JSON lines of `plan`, `apply` and `destroy` |
//! | `findings` | what rules and policies found |
//! | `report` | what an apply did |
//! | `state`, `output` | what is recorded |
//! | `graph` | which object is made after which |
//! | `schema` | the reference page of a kind |
//! | `findings`, `sarif`, `junit` | what rules found, and the rules themselves |
//! | `diagnostics` | the answer of `validate --json` |
//! | `layout` | what `fmt` would change |
//! | `value`, `prose`, `paint` | values and sentences as text, and colour |

pub mod access;
pub mod approvals;
mod changes;
pub mod diagnostics;
mod drift;
pub mod events;
pub mod findings;
pub mod graph;
pub mod junit;
pub mod layout;
pub mod output;
pub mod paint;
pub mod plan;
pub mod plan_json;
mod planned_values;
mod prose;
pub mod report;
pub mod sarif;
pub mod schema;
pub mod state;
#[cfg(test)]
mod testing;
mod value;

pub use paint::Paint;
pub use value::duration;

/// The lines, each ended.
pub(crate) fn lines(all: impl IntoIterator<Item = String>) -> String {
    let mut out = String::new();
    for line in all {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// `1 object`, `2 objects`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
