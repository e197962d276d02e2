//! Defaults that the API server fills in.
use crate::api::Kind;
use crate::value::Value;

/// Fills the defaults of that kind.
pub fn apply(_kind: Kind, _value: &mut Value) {}
