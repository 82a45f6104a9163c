//! `remit fmt`: the canonical layout.
