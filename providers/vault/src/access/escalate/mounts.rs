//! A way that leads through secrets mounts: moving one to where one may read.
//!
//! In: the rules of a subject. Out: the way, where it works, as in the module above. Tried on
//! OpenBao 2.7.2: the write takes `sudo`, and the secrets are read at the new place at once.

use remit_sdk::access::Gain;

use super::super::decide::Operation;
use super::super::pattern::Segment;
use super::search::{ANY, NEW, Search, Step};

/// Where no secrets mount can be.
const RESERVED: [&str; 4] = ["auth", "cubbyhole", "identity", "sys"];

impl Search<'_> {
    pub(super) fn remount(&mut self) {
        let way = self.update("sys/remount", &[&[("from", ANY), ("to", ANY)]]);
        let way = way.and_then(|way| Some(way.then(self.reads_secrets()?)));
        let gain = Gain::Foreign("readers of other mounts".to_owned());
        let how = "moves a secrets mount to where it may read";
        self.keep("move-mount", gain, how, way);
    }

    /// Reading where a secrets mount can be.
    fn reads_secrets(&self) -> Option<Step> {
        self.holding.acl.entries().find_map(|entry| {
            let segments = self.segments(entry)?.iter().map(|segment| match segment {
                Segment::Any => NEW.to_owned(),
                Segment::Literal(text) => text.clone(),
            });
            let tail = entry.pattern.tail.as_ref();
            let names: Vec<String> = segments
                .chain(tail.map(|tail| format!("{tail}{NEW}")))
                .collect();
            let is_reserved = |first: &String| RESERVED.contains(&first.as_str());
            if names.first().is_none_or(is_reserved) {
                return None;
            }
            self.request(Operation::Read, &names.join("/"), &[&[]])
        })
    }
}
