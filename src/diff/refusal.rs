//! What is said where a wanted object can't be decided: it isn't ours, it is another
//! declaration's, it can't be read.

use remit_sdk::declaration::Wanted;
use remit_sdk::{Address, Diagnostic, Object, ObjectAddress, ProviderError};

use super::ownership;
use super::wanted::Decision;

impl Decision<'_> {
    /// What is said where another declaration's object lives under the wanted key.
    pub(super) fn claimed(&self) -> Option<Diagnostic> {
        let claim = self.snapshots.claim(self.wanted);
        let address = claim.filter(|address| **address != self.wanted.address)?;
        Some(
            Diagnostic::error(
                "recorded under another address",
                format!(
                    "{} `{}` is recorded as {address}, and {} asks for the same live object",
                    self.wanted.kind.name, self.wanted.key, self.wanted.address
                ),
            )
            .help(
                "where two declarations swap a name or a subject, remove one of them first, apply, and \
                 declare it again",
            )
            .at(self.wanted.span)
            .about(Address::Object(self.wanted.address.clone())),
        )
    }

    /// What is said of an object that is to be made anew while this one needs it all the time.
    pub(super) fn in_use(&self, other: &ObjectAddress) -> Diagnostic {
        Diagnostic::error(
            "object in use can't be made anew",
            format!(
                "{other} can't be changed in place, and can't be removed while {} refers to it",
                self.wanted.address
            ),
        )
        .help("declare a second one under another name, refer to that, and remove the first")
        .at(self.wanted.span)
        .about(Address::Object(self.wanted.address.clone()))
    }

    /// What is said of an object that exists and isn't ours.
    pub(super) fn foreign(&self, object: &Object) -> Diagnostic {
        if let Some(mark) = &object.mark
            && ownership::foreign_mark(self.snapshots, object)
        {
            return Diagnostic::error(
                "object belongs to another configuration",
                format!(
                    "{} `{}` carries the mark of {} under lineage {}",
                    self.wanted.kind.name,
                    remit_sdk::text::safe(&self.wanted.key),
                    remit_sdk::text::safe(&mark.address),
                    remit_sdk::text::safe(&mark.lineage)
                ),
            )
            .help(
                "two configurations in one target need a prefix each: `remit { naming { prefix = \"…\" } }`; if \
                 it is this configuration's own and its state was lost, restore the state; if the other one is \
                 gone for good, take its mark off the object by hand, then import it",
            )
            .at(self.wanted.span)
            .about(Address::Object(self.wanted.address.clone()));
        }
        let (kind, key) = (
            self.wanted.kind.name,
            remit_sdk::text::safe(&self.wanted.key),
        );
        Diagnostic::error(
            "object exists and is not ours",
            format!(
                "{kind} `{key}` exists already and carries no mark of this configuration; making \
                 it would silently take it over"
            ),
        )
        .help(format!(
            "to manage it here: remit import '{}' '{key}'; to leave it alone: {}",
            self.wanted.address,
            if self.wanted.address.declaration.kind == self.wanted.kind.name {
                "write another name or path in this resource"
            } else {
                "give the declaration another `live_name`, or all of them another `naming { prefix }`"
            }
        ))
        .at(self.wanted.span)
        .about(Address::Object(self.wanted.address.clone()))
    }
}

/// What is said of a wanted object that can't be read.
pub(super) fn unreadable(wanted: &Wanted, error: &ProviderError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "object can't be read",
        format!(
            "whether {} `{}` exists is unknown: {}",
            wanted.kind.name,
            remit_sdk::text::safe(&wanted.key),
            error.message
        ),
    )
    .at(wanted.span)
    .about(Address::Object(wanted.address.clone()));
    diagnostic.help = error.help.clone().or_else(|| {
        Some(format!(
            "to go on with the rest: --exclude '{}'",
            wanted.address
        ))
    });
    diagnostic
}
