//! Kubernetes' object types, in Kubernetes' own names.

pub mod event;
pub mod kind;
pub mod object;
pub mod quantity;
pub mod selector;
pub mod time;

pub use kind::Kind;
pub use object::{Key, Obj, Object, Phase, PodFacts};
