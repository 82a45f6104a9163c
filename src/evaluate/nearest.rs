//! What a misspelt name was probably meant to be, as help.

use crate::diagnostic::nearest;

/// `did you mean …?`, where one of `candidates` is near.
pub(crate) fn did_you_mean<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(wrong, candidates).map(|near| format!("did you mean `{near}`?"))
}
