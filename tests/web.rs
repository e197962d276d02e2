//! Podium in a real browser.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_core_says_what_it_is() {
    assert!(podium_sim::about().contains("Kubernetes 1.36"));
}
