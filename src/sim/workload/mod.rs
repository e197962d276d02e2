//! What containers do.

use crate::api::time::{MS, SECOND};
use crate::value::Value;

/// What a process does with SIGTERM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Term {
    /// It ends soon, with this code.
    Obeys(i64),
    /// It goes on until SIGKILL (a shell as process 1).
    Ignores,
}

/// The main process of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Process {
    /// It ends by itself after so many microseconds, with this code.
    pub ends: Option<(u64, i64)>,
    /// What it does when asked to stop.
    pub term: Term,
}

/// What the container of this spec runs.
pub fn process(container: &Value) -> Process {
    let image = container["image"].str();
    if image.contains("crash") {
        return Process { ends: Some((0, 1)), term: Term::Obeys(1) };
    }
    Process { ends: None, term: Term::Obeys(0) }
}

/// How long a life-cycle hook takes, microseconds.
pub fn hook_time(hook: &Value) -> u64 {
    if let Some(s) = hook["sleep"]["seconds"].as_int() {
        return u64::try_from(s).unwrap_or(0) * SECOND;
    }
    if hook.is_empty() { 0 } else { 50 * MS }
}
