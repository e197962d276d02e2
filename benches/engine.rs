//! The engine's figures in native code: `cargo bench -p podium-cli`.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]

mod rows;

fn main() {
    fn clock() -> f64 {
        use std::time::{SystemTime, UNIX_EPOCH};
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
    }
    rows::run(clock, |line| println!("native  {line}"));
}
