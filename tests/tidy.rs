//! What the compiler does not enforce.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found.sort();
    found
}

/// Lines of code: comments do not count.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .filter(|(_, l)| !l.trim_start().starts_with("//"))
        .map(|(i, l)| (i + 1, l))
}

#[test]
fn the_core_knows_no_browser_clock_or_chance() {
    const FORBIDDEN: [&str; 12] = [
        "wasm_bindgen",
        "web_sys",
        "js_sys",
        "yew::",
        "gloo",
        "std::time",
        "HashMap",
        "HashSet",
        "std::thread",
        "std::fs",
        "std::env",
        " rand::",
    ];
    for folder in ["src/value", "src/sim", "src/scene"] {
        for (name, text) in sources(folder) {
            for (n, line) in code(&text) {
                for word in FORBIDDEN {
                    assert!(
                        !line.contains(word),
                        "{name}:{n}: {word} does not belong into {folder}"
                    );
                }
            }
        }
    }
}

#[test]
fn files_stay_small_and_say_what_they_are() {
    for (name, text) in sources("src") {
        let lines = text.lines().count();
        assert!(lines <= 900, "{name} has {lines} lines: would two rooms be better?");
        let tests = name.ends_with("tests.rs");
        assert!(tests || text.starts_with("//!"), "{name} does not say what it is");
        for (n, line) in text.lines().enumerate() {
            let reason = line.contains("TODO") || line.contains("FIXME");
            assert!(!reason, "{name}:{}: do it or say why not", n + 1);
        }
    }
}

#[test]
fn components_always_render_an_element() {
    for (name, text) in sources("src/ui") {
        for (n, line) in code(&text) {
            let empty = line.contains("html! {}") || line.contains("html!{}");
            assert!(!empty, "{name}:{n}: an empty component breaks its neighbours in Yew 0.23");
        }
    }
}
