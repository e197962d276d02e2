//! The engine's figures in native code: `cargo bench -p podium-cli`.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]

mod rows;

/// Resident memory of this process, bytes; nothing where there is no `/proc`.
fn memory() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|n| n.parse::<f64>().ok());
    pages.unwrap_or(0.0) * 4096.0
}

fn main() {
    fn clock() -> f64 {
        use std::time::{SystemTime, UNIX_EPOCH};
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
    }
    rows::run(&rows::Host { name: "native", clock, memory, print: |line| println!("{line}") });
}
