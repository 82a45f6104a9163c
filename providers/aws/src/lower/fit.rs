//! Fitting a role's policies into AWS's limits.
//!
//! In come documents, one a scope, and how many characters the role's inline policies have
//! already; out goes which of them stay inline and which become managed policies, each in as many
//! pieces as it takes, or the size that fits nowhere. The largest move first, since each move
//! costs two objects and one of the few attachments that a role has. The same documents always
//! give the same answer, so a plan without changes moves nothing.

use crate::document::{self, Document, MANAGED_SIZE_MAX, ROLE_INLINE_SIZE_MAX, Statement};

/// Managed policies that may be attached to one role, unless the account has asked for more.
pub(super) const ATTACHMENTS_MAX: usize = 10;

/// Where the documents go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fitted {
    /// For each document, in the order they came in: the pieces that become managed policies;
    /// none where it stays inline.
    pub(super) pieces: Vec<Vec<Document>>,
    /// How many characters they would all have inline.
    pub(super) size: usize,
}

/// Fits documents beside what the role has inline already. The error is the number of characters
/// that remain inline though they are too many: no more can move.
pub(super) fn fit(documents: &[Document], inline: usize) -> Result<Fitted, usize> {
    let sizes: Vec<usize> = documents.iter().map(size).collect();
    let all = inline + sizes.iter().sum::<usize>();
    let mut fitted = Fitted {
        pieces: vec![Vec::new(); documents.len()],
        size: all,
    };
    let mut rest = all;
    let mut order: Vec<(usize, usize)> = sizes.iter().copied().enumerate().collect();
    // The sort is stable: of two of one size the first moves.
    order.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    for (index, size) in order {
        if rest <= ROLE_INLINE_SIZE_MAX {
            break;
        }
        let (Some(document), Some(slot)) = (documents.get(index), fitted.pieces.get_mut(index))
        else {
            continue;
        };
        if let Some(pieces) = split(document) {
            *slot = pieces;
            rest -= size;
        }
    }
    if rest > ROLE_INLINE_SIZE_MAX {
        return Err(rest);
    }
    Ok(fitted)
}

/// A document's size as it is sent.
pub(super) fn size(document: &Document) -> usize {
    document::size(&document.compact())
}

/// Pieces of at most a managed policy's size, cut between statements; `None` where one statement
/// alone is larger.
pub(super) fn split(document: &Document) -> Option<Vec<Document>> {
    let mut pieces: Vec<Document> = Vec::new();
    let mut open: Vec<Statement> = Vec::new();
    for statement in document.statements() {
        let mut longer = open.clone();
        longer.push(statement.clone());
        if size(&Document::of(longer.iter().cloned())) <= MANAGED_SIZE_MAX {
            open = longer;
            continue;
        }
        let alone = Document::of([statement.clone()]);
        if size(&alone) > MANAGED_SIZE_MAX {
            return None;
        }
        pieces.push(Document::of(open));
        open = vec![statement.clone()];
    }
    pieces.push(Document::of(open));
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A statement whose document alone has about this many characters.
    fn statement(tag: usize, size: usize) -> Statement {
        let resource = format!(
            "arn:aws:s3:::{tag:04}{}",
            "x".repeat(size.saturating_sub(130))
        );
        Statement::allow(["s3:GetObject"], [resource])
    }

    fn document(sizes: &[usize]) -> Document {
        Document::of(
            sizes
                .iter()
                .enumerate()
                .map(|(tag, size)| statement(tag, *size)),
        )
    }

    #[test]
    fn what_fits_stays_inline() {
        let documents = [document(&[4000]), document(&[4000])];
        let fitted = fit(&documents, 2000).unwrap();
        assert_eq!(fitted.pieces, [vec![], vec![]]);
    }

    #[test]
    fn the_largest_moves_first() {
        let documents = [document(&[3000]), document(&[5000]), document(&[4000])];
        let fitted = fit(&documents, 0).unwrap();
        assert_eq!(fitted.pieces, [vec![], vec![documents[1].clone()], vec![]]);
        // What the role has already counts.
        let fitted = fit(&documents, 5000).unwrap();
        assert_eq!(
            fitted.pieces,
            [
                vec![],
                vec![documents[1].clone()],
                vec![documents[2].clone()]
            ]
        );
        assert_eq!(fit(&documents, 10_241), Err(10_241));
    }

    #[test]
    fn a_large_one_is_cut_between_statements() {
        let documents = [document(&[4000, 4000, 1000, 3000])];
        let fitted = fit(&documents, 0).unwrap();
        let pieces = &fitted.pieces[0];
        assert_eq!(pieces.len(), 3, "{pieces:?}");
        assert!(pieces.iter().all(|piece| size(piece) <= MANAGED_SIZE_MAX));
    }

    #[test]
    fn a_statement_too_large_for_a_managed_policy_stays_inline() {
        let documents = [document(&[8000]), document(&[4000])];
        let fitted = fit(&documents, 0).unwrap();
        assert_eq!(fitted.pieces, [vec![], vec![documents[1].clone()]]);
        let documents = [document(&[11_000]), document(&[500])];
        assert!(fit(&documents, 0).is_err_and(|rest| rest > ROLE_INLINE_SIZE_MAX));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_everything_fits(
            sizes in prop::collection::vec(prop::collection::vec(150_usize..6000, 1..5), 1..6),
            inline in 0_usize..4000,
        ) {
            let documents: Vec<_> = sizes.iter().map(|sizes| document(sizes)).collect();
            let fitted = fit(&documents, inline).unwrap();
            let mut rest = inline;
            for (document, pieces) in documents.iter().zip(&fitted.pieces) {
                if pieces.is_empty() {
                    rest += size(document);
                    continue;
                }
                prop_assert!(pieces.iter().all(|piece| size(piece) <= MANAGED_SIZE_MAX));
                let again = Document::of(pieces.iter().flat_map(Document::statements).cloned());
                prop_assert_eq!(&again, document);
            }
            prop_assert!(rest <= ROLE_INLINE_SIZE_MAX);
            prop_assert_eq!(fit(&documents, inline).unwrap(), fitted);
        }
    }
}
