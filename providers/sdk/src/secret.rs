//! A secret in memory: wiped when dropped, impossible to print, store or compare.

use zeroize::Zeroizing;

/// A secret value. It has no `Debug`, `Display`, `Serialize`, `PartialEq` or `Clone`; whoever
/// needs the text says so with [`Secret::expose`], and a reader can search for that word.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; it is wiped when the secret is dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Only for putting it into a request.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
