//! Lists that come in pages: all of them, or an error.
//!
//! In comes a call for one page, out go all pages. A list that says there is more and doesn't say
//! where, that says the same place twice, or that doesn't end, is no list: nothing may be taken
//! for absent because of it.

use std::collections::BTreeSet;

use remit_sdk::{ErrorKind, ProviderError};

use crate::client::Failure;

/// How many pages a list may have. An account holds 5,000 roles at most and 10,000 policies, and
/// a page of IAM as few as a hundred; secrets come a hundred a page, half a million at most.
const PAGES_MAX: usize = 6_000;

/// Where a page ends.
pub(crate) struct End {
    /// Whether AWS says that there is more.
    pub(crate) more: bool,
    /// Where that begins.
    pub(crate) marker: Option<String>,
}

/// All pages of a list. `what` names it in errors.
pub(crate) async fn all<P, F>(
    what: &str,
    fetch: impl Fn(Option<String>) -> F,
    end: impl Fn(&P) -> End,
) -> Result<Vec<P>, Failure>
where
    F: Future<Output = Result<P, Failure>>,
{
    let mut pages = Vec::new();
    let mut seen = BTreeSet::new();
    let mut marker = None;
    while pages.len() < PAGES_MAX {
        let page = fetch(marker.take()).await?;
        let end = end(&page);
        pages.push(page);
        if !end.more {
            return Ok(pages);
        }
        let next = end.marker.filter(|marker| !marker.is_empty());
        let next = next.ok_or_else(|| broken(what, "there is more, and not where"))?;
        if !seen.insert(next.clone()) {
            return Err(broken(what, "the same page comes again"));
        }
        marker = Some(next);
    }
    Err(broken(what, "it doesn't end"))
}

fn broken(what: &str, why: &str) -> Failure {
    Failure::own(ProviderError::new(
        ErrorKind::Invalid,
        format!("{what}: the list can't be read whole: {why}"),
    ))
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use super::*;

    type Page = (u32, bool, Option<&'static str>);

    fn end(page: &Page) -> End {
        End {
            more: page.1,
            marker: page.2.map(str::to_owned),
        }
    }

    fn read(
        fetch: impl Fn(Option<String>) -> Ready<Result<Page, Failure>>,
    ) -> Result<Vec<u32>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let pages = runtime.unwrap().block_on(all("ListRoles", fetch, end));
        pages
            .map(|pages| pages.into_iter().map(|page| page.0).collect())
            .map_err(|failure| failure.error.message)
    }

    #[test]
    fn every_page_is_read_and_no_half_list_is_taken() {
        let pages = read(|marker| {
            ready(Ok(match marker.as_deref() {
                None => (1, true, Some("a")),
                Some("a") => (2, true, Some("b")),
                _ => (3, false, Some("ignored")),
            }))
        });
        assert_eq!(pages, Ok(vec![1, 2, 3]));
        let lost = read(|_| ready(Ok((1, true, None))));
        assert!(lost.unwrap_err().contains("and not where"));
        let turning = read(|_| ready(Ok((1, true, Some("a")))));
        assert!(turning.unwrap_err().contains("comes again"));
    }
}
