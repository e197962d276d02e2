//! Any text that is pasted: it is read, checked and applied; nothing may panic or hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podium_sim::{Config, Latency, World};

fuzz_target!(|text: &str| {
    let mut w = World::new(Config { latency: Latency::Instant, nodes: 1, ..Config::default() });
    w.put_file("x.yaml", text);
    w.type_line(1, "kubectl apply -f x.yaml");
    w.settle(60_000_000);
    let Some(terminal) = w.terminal(1) else { unreachable!("something was typed there") };
    assert!(!terminal.running() && !terminal.text_since(0).is_empty());
});
