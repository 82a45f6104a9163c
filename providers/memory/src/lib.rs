//! A strict in-memory provider.
