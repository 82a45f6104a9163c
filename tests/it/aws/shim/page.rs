//! `GetAccountAuthorizationDetails` in pages, which moto gives in one piece.
//!
//! In: moto's whole answer and how many items a page may hold. Out: the first page, and the others
//! by the marker of the one before. Pages of one listing are of one moment. As at AWS a page may
//! hold fewer than asked for, and a marker that was not given out is an error.
//!
//! It must never lose an item or give one twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::wire::{Answer, Call, Service};
use super::xml;

/// The lists, in the order in which AWS fills pages.
const LISTS: [&str; 4] = [
    "UserDetailList",
    "GroupDetailList",
    "RoleDetailList",
    "Policies",
];

/// Items of a page where the request does not say.
const USUAL: usize = 100;
/// Items of the largest page.
const MOST: usize = 1000;

/// The listings under way.
#[derive(Default)]
pub(crate) struct Pages {
    listings: BTreeMap<usize, Vec<(&'static str, String)>>,
    made: usize,
}

impl Pages {
    /// Whether a call asks for pages that are made here.
    pub(crate) fn concern(call: &Call) -> bool {
        call.action == "GetAccountAuthorizationDetails"
    }

    /// The page a call asks for; `whole` gets everything from moto.
    pub(crate) fn page(
        &mut self,
        call: &Call,
        whole: impl FnOnce(&Call) -> std::io::Result<Answer>,
    ) -> std::io::Result<Answer> {
        let bad = |message: &str| {
            Ok(Answer::refusal(
                Service::Iam,
                400,
                "ValidationError",
                message,
            ))
        };
        let most = match call.get("MaxItems") {
            "" => USUAL,
            text => match text.parse() {
                Ok(number) if (1..=MOST).contains(&number) => number,
                _ => {
                    return bad(
                        "Value at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000",
                    );
                }
            },
        };
        let marker = call.get("Marker");
        let (number, from) = if marker.is_empty() {
            let answer = whole(&call.clone().without(&["MaxItems", "Marker"]))?;
            if !answer.is_ok() {
                return Ok(answer);
            }
            self.made += 1;
            let items = LISTS.iter().flat_map(|list| {
                let members = xml::members(&answer.body, list);
                members.into_iter().map(|one| (*list, one.to_owned()))
            });
            self.listings.insert(self.made, items.collect());
            (self.made, 0)
        } else {
            let place = marker
                .split_once('.')
                .and_then(|(listing, from)| Some((listing.parse().ok()?, from.parse().ok()?)));
            match place {
                Some(place) => place,
                None => return bad("Invalid Marker."),
            }
        };
        let Some(items) = self.listings.get(&number) else {
            return bad("Invalid Marker.");
        };
        let end = (from + most).min(items.len());
        let body = written(
            &items[from..end],
            (end < items.len()).then(|| format!("{number}.{end}")),
        );
        Ok(Answer::page(&body).into_xml())
    }
}

fn written(items: &[(&'static str, String)], marker: Option<String>) -> String {
    let mut body = String::new();
    for list in LISTS {
        let _ = write!(body, "<{list}>");
        for (_, one) in items.iter().filter(|(of, _)| *of == list) {
            let _ = write!(body, "<member>{one}</member>");
        }
        let _ = write!(body, "</{list}>");
    }
    let more = match marker {
        Some(marker) => format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    format!(
        "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <GetAccountAuthorizationDetailsResult>{body}{more}</GetAccountAuthorizationDetailsResult>\
         <ResponseMetadata><RequestId>shim</RequestId></ResponseMetadata></GetAccountAuthorizationDetailsResponse>"
    )
}
