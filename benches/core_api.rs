//! The core API alone, without a page: what it weighs has a budget of its own, which
//! `scripts/test size` holds.

use podium_sim::timeline::Timeline;
use podium_sim::{Config, recording::Input};
use wasm_bindgen::prelude::wasm_bindgen;

/// A cluster with its history.
#[wasm_bindgen]
pub struct Core(Timeline);

#[wasm_bindgen]
impl Core {
    /// A fresh cluster; the same seed gives the same history.
    #[wasm_bindgen(constructor)]
    pub fn new(seed: u32) -> Self {
        Self(Timeline::new(Config { seed: seed.into(), ..Config::default() }))
    }

    /// Types a line into the terminal.
    pub fn kubectl(&mut self, line: &str) {
        self.0.input(Input::Line { term: 1, text: line.to_owned() });
    }

    /// Puts a manifest into the folder, for `kubectl apply -f`.
    pub fn file(&mut self, name: &str, text: &str) {
        self.0.input(Input::File { name: name.to_owned(), text: text.to_owned() });
    }

    /// Goes on by so many milliseconds.
    pub fn advance(&mut self, ms: u32) {
        self.0.advance(u64::from(ms) * 1000);
    }

    /// Goes to a moment, milliseconds.
    pub fn seek(&mut self, ms: u32) {
        self.0.seek(u64::from(ms) * 1000);
    }

    /// What the terminal shows.
    pub fn text(&self) -> String {
        self.0.world().terminal(1).map(|t| t.text_since(0)).unwrap_or_default()
    }
}
