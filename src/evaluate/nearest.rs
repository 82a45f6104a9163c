//! What a misspelt name was probably meant to be, as help.

use crate::diagnostic::nearest;

/// `did you mean …?`, where one of `candidates` is near.
pub(crate) fn did_you_mean<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    meant(wrong, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// Letters that a short form has at least.
const SHORT_MIN: usize = 3;

/// The candidate nearest to `wrong`; where none is near, the shortest that is a short form of it, or
/// that it is a short form of: `prod` and `production`.
pub(crate) fn meant<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let is_short = |short: &str, long: &str| {
        short.len() >= SHORT_MIN && short.len() < long.len() && long.starts_with(short)
    };
    nearest(wrong, candidates.iter().copied()).or_else(|| {
        candidates
            .into_iter()
            .filter(|one| is_short(one, wrong) || is_short(wrong, one))
            .min_by_key(|one| (one.len(), *one))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_known() {
        let names = ["staging", "production", "prod_eu", "a"];
        for (wrong, right) in [
            ("prod", Some("prod_eu")),
            ("production_eu", Some("production")),
            ("stagin", Some("staging")),
            ("stag", Some("staging")),
            ("pr", None),
            ("abc", None),
        ] {
            assert_eq!(meant(wrong, names), right, "{wrong}");
        }
    }
}
