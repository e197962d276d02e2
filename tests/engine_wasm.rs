//! The engine's figures in wasm under Node: scripts/bench.
#![cfg(target_arch = "wasm32")]

#[path = "../benches/rows.rs"]
mod rows;

use wasm_bindgen_test::{console_log, wasm_bindgen_test};

#[wasm_bindgen_test]
fn figures() {
    rows::run(js_sys::Date::now, |line| console_log!("wasm    {line}"));
    console_log!("wasm    memory in the end: {} MB", core::arch::wasm32::memory_size::<0>() / 16);
}
