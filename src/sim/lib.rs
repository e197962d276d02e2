//! Podium's core: a deterministic simulator of the part of Kubernetes 1.36 that decides what
//! happens to a StatefulSet. It knows no browser, no clock, no randomness, no files: time and
//! seed come in from outside, and the same inputs give the same bytes.

pub mod api;
pub mod apiserver;
pub mod base64;
pub mod bootstrap;
pub mod collections;
pub mod compare;
pub mod config;
pub mod controllers;
pub mod fingerprint;
pub mod kubectl;
pub mod kubelet;
pub mod lesson;
pub mod log;
pub mod manifest;
pub mod net;
pub mod permalink;
pub mod queue;
pub mod recording;
pub mod rng;
pub mod scheduler;
pub mod schema;
pub mod shell;
pub mod storage;
pub mod timeline;
pub use podium_value as value;
pub mod workload;
pub mod world;

pub use config::{Config, Latency};
pub use podium_value::value;
pub use value::{Str, Value};
pub use world::World;

/// In wasm, the standard library's allocator is slower and takes more code.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static TALC: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What this core is, in a line.
pub fn about() -> &'static str {
    "podium-sim: Kubernetes 1.36 semantics"
}
