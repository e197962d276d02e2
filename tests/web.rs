//! Podium in a real browser.
#![cfg(target_arch = "wasm32")]

mod mounted;
mod stories;

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_core_says_what_it_is() {
    assert!(podium_sim::about().contains("Kubernetes 1.36"));
}

#[wasm_bindgen_test]
fn the_three_stories_have_the_native_fingerprint() {
    assert_eq!(format!("{:016x}", stories::play()), stories::FINGERPRINT.trim());
}

#[wasm_bindgen_test]
fn every_moment_can_be_gone_to() {
    stories::seek_is_replay();
}
