//! A terminal: what was typed, what it shows, what runs in it.

use crate::collections::BTreeMap;
use std::rc::Rc;

use crate::kubectl::io::{Chunk, Io, Job};
use crate::log::Seq;
use crate::value::{Str, text};

/// All terminals and what they share.
#[derive(Clone)]
pub struct State {
    /// Terminals by number; the first is 1.
    pub terminals: BTreeMap<u8, Terminal>,
    /// Named files that `-f` reads, by path.
    pub files: BTreeMap<Str, Str>,
    /// Namespace of the current context, shared by all terminals as the kubeconfig is.
    pub namespace: Str,
    /// What the shell did last to a file that was not put there by hand since: true, it wrote
    /// it; false, it took it away.
    pub by_shell: BTreeMap<Str, bool>,
    /// Texts that wait in an editor, by terminal.
    pub edits: BTreeMap<u8, Editing>,
    /// Can somebody edit a text that waits in [`State::edits`]?
    pub editor: bool,
    /// How many terminals run something.
    pub(super) running: u32,
    /// Turns of loops and calls of functions at one moment: the moment, how many.
    turns: (u64, u32),
}

impl State {
    /// Counts a turn of a loop; false if so many came in one moment that it has no end.
    pub fn turn(&mut self, now: u64) -> bool {
        /// How often loops may turn without time passing.
        const MANY: u32 = 20_000;
        if self.turns.0 != now {
            self.turns = (now, 0);
        }
        self.turns.1 += 1;
        self.turns.1 <= MANY
    }

    /// A new line has its turns before it.
    pub(super) fn fresh(&mut self) {
        self.turns = (0, 0);
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            terminals: BTreeMap::new(),
            files: BTreeMap::new(),
            namespace: "default".into(),
            by_shell: BTreeMap::new(),
            edits: BTreeMap::new(),
            editor: true,
            running: 0,
            turns: (0, 0),
        }
    }
}

/// A text that `kubectl edit` opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    /// Path of its temporary file.
    pub file: Str,
    /// What the editor shows when it is opened.
    pub text: Str,
    /// The file when the editor was closed.
    pub saved: Option<Str>,
}

/// A line that was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Number of chunks shown before it.
    pub at: usize,
    /// The line.
    pub text: Str,
    /// Did a running command get it, not the shell?
    pub read: bool,
}

/// One terminal.
#[derive(Clone, Default)]
pub struct Terminal {
    /// Everything that it has shown, in order.
    pub out: Vec<Chunk>,
    /// Lines that were entered.
    pub entered: Vec<Entered>,
    /// Exit status of the last line that ended.
    pub last_exit: i32,
    /// Shell variables.
    pub vars: BTreeMap<Str, Str>,
    /// Shell functions.
    pub functions: BTreeMap<Str, Rc<crate::shell::parse::Node>>,
    /// Lines typed while something ran that does not read.
    pub typed: Vec<Str>,
    pub(super) job: Option<Box<dyn Job>>,
    pub(super) io: Io,
    pub(super) act: Option<Seq>,
}

impl State {
    /// A program writes a file of the folder.
    pub fn write(&mut self, path: Str, content: Str) {
        self.by_shell.insert(path.clone(), true);
        self.files.insert(path, content);
    }

    /// A program takes a file away; false if there is none.
    pub fn unlink(&mut self, path: &str) -> bool {
        let there = self.files.remove(path).is_some();
        if there {
            self.by_shell.insert(text(path), false);
        }
        there
    }
}

impl Terminal {
    /// Keeps what was entered; `read`: a running command gets it.
    pub(super) fn enter(&mut self, line: &str, read: bool) {
        let at = self.out.len();
        self.entered.push(Entered { at, text: text(line), read });
    }

    /// Hands a typed line to the command that reads.
    pub(super) fn read(&mut self, line: &str) {
        if line == super::END_OF_INPUT {
            self.io.stdin.open = false;
        } else {
            self.enter(line, true);
            self.io.stdin.text.push_str(line);
            self.io.stdin.text.push('\n');
        }
    }

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
