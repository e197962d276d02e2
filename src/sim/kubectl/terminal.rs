//! A terminal: what was typed, what it shows, what runs in it.

use crate::collections::BTreeMap;

use crate::kubectl::io::{Chunk, Io, Job};
use crate::log::Seq;
use crate::value::Str;

/// All terminals and what they share.
#[derive(Clone)]
pub struct State {
    /// Terminals by number; the first is 1.
    pub terminals: BTreeMap<u8, Terminal>,
    /// Named files that `-f` reads, by path.
    pub files: BTreeMap<Str, Str>,
    /// Namespace of the current context, shared by all terminals as the kubeconfig is.
    pub namespace: Str,
    /// How many terminals run something.
    pub(super) running: u32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            terminals: BTreeMap::new(),
            files: BTreeMap::new(),
            namespace: "default".into(),
            running: 0,
        }
    }
}

/// One terminal.
#[derive(Clone, Default)]
pub struct Terminal {
    /// Everything that it has shown, in order.
    pub out: Vec<Chunk>,
    /// Lines that were entered, each with the number of chunks shown before it.
    pub entered: Vec<(usize, Str)>,
    /// Exit status of the last line that ended.
    pub last_exit: i32,
    /// Shell variables.
    pub vars: BTreeMap<Str, Str>,
    /// Lines typed while something ran that does not read.
    pub typed: Vec<Str>,
    pub(super) job: Option<Box<dyn Job>>,
    pub(super) io: Io,
    pub(super) act: Option<Seq>,
}

impl Terminal {
    /// Does a command run in it?
    pub fn running(&self) -> bool {
        self.job.is_some()
    }

    /// Does the running command wait for a line to be typed?
    pub fn reads(&self) -> bool {
        self.job.as_ref().is_some_and(|j| j.reads_terminal()) && self.io.stdin.text.is_empty()
    }

    /// All output as one text, stdout and stderr in order, from a chunk on.
    pub fn text_since(&self, chunk: usize) -> String {
        self.out.iter().skip(chunk).map(|c| c.text.as_str()).collect()
    }
}
