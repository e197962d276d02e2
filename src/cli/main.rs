//! Podium on the command line.

fn main() {
    let _ = podium_sim::about();
}
