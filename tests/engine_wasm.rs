//! The engine's figures in wasm under Node: scripts/bench.
#![cfg(target_arch = "wasm32")]

#[path = "../benches/rows.rs"]
mod rows;

use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen_test]
fn figures() {
    rows::run(&rows::Host {
        name: "wasm",
        clock: js_sys::Date::now,
        memory: || (core::arch::wasm32::memory_size::<0>() << 16) as f64,
        print: |line| console_log!("{line}"),
    });
}
