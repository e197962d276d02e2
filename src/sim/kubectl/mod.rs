//! Terminals, shell and kubectl: a client of the API server that can do nothing which YAML
//! could not (behaviour/kubectl.md).
//!
//! Terminals are part of the world, so a clone of the world has its own copy of every running
//! command: a snapshot of the world is a snapshot of the terminals too.

pub mod args;
pub mod complete;
pub mod describe;
pub mod diff;
pub mod examples;
pub mod files;
pub mod gotemplate;
pub mod io;
pub mod jsonpath;
pub mod output;
pub mod print;
pub mod resources;
pub mod selectors;
pub mod terminal;
pub mod verbs;

#[cfg(test)]
mod tests;

pub use io::{Chunk, Failure, Io, Job, Res, Run};
pub use terminal::{Editing, Entered, State, Terminal};
pub use verbs::common::LAST_APPLIED;
pub use verbs::last_applied::of as last_applied;

use crate::queue::Comp;
use crate::value::{Str, text};
use crate::world::World;

impl World {
    /// Types a line into a terminal and presses Enter. If something runs there, it reads the
    /// line, or the line is run when it has ended. [`END_OF_INPUT`] is `^D`.
    pub fn type_line(&mut self, term: u8, line: &str) {
        let t = self.terminals.terminals.entry(term).or_default();
        if t.running() {
            t.typed.push(text(line));
            if t.reads() {
                let cause = t.act;
                self.caused(cause, |w| look(w, term));
            }
        } else if line != END_OF_INPUT {
            self.start_line(term, text(line));
            look(self, term);
        }
    }

    fn start_line(&mut self, term: u8, line: Str) {
        self.terminals.fresh();
        self.user_act(line.clone(), |w| {
            let act = w.cause();
            let mut io = Io::new(term);
            io.tty = true;
            io.stdin.tty = true;
            io.stdin.open = true;
            let job = crate::shell::line(w, &mut io, &line);
            let t = w.terminals.terminals.entry(term).or_default();
            t.enter(&line, false);
            t.io = io;
            t.act = act;
            t.job = Some(job);
            w.terminals.running += 1;
        });
    }

    /// Presses `^C` in a terminal: what runs there ends with status 130.
    pub fn interrupt(&mut self, term: u8) {
        let Some(t) = self.terminals.terminals.get_mut(&term) else { return };
        t.typed.clear();
        let Some(mut job) = t.job.take() else { return };
        let mut io = std::mem::take(&mut t.io);
        let act = t.act;
        self.terminals.running -= 1;
        self.caused(act, |w| w.acting(Comp::User, "user", |w| job.interrupt(w, &mut io)));
        let t = self.terminals.terminals.entry(term).or_default();
        t.enter("^C", true);
        t.out.append(&mut io.out);
        t.last_exit = 130;
    }

    /// Puts a file into the learner's folder.
    pub fn put_file(&mut self, name: &str, content: &str) {
        self.terminals.by_shell.remove(name);
        self.terminals.files.insert(text(name), text(content));
    }

    /// Takes a file out of the learner's folder.
    pub fn remove_file(&mut self, name: &str) {
        self.terminals.by_shell.remove(name);
        self.terminals.files.remove(name);
    }

    /// Closes the editor that `kubectl edit` opened in a terminal, with the file's text; without
    /// one it stays as it was.
    pub fn close_editor(&mut self, term: u8, content: Option<&str>) {
        let Some(editing) = self.terminals.edits.get_mut(&term) else { return };
        editing.saved = Some(content.map_or_else(|| editing.text.clone(), text));
        look(self, term);
    }

    /// A terminal, if anything was ever typed there.
    pub fn terminal(&self, term: u8) -> Option<&Terminal> {
        self.terminals.terminals.get(&term)
    }
}

/// `^D`: a line that ends the input of what reads the terminal.
pub const END_OF_INPUT: &str = "\u{4}";

/// Lets a terminal's command go on as far as it can, and the lines that wait for it.
fn look(w: &mut World, term: u8) {
    loop {
        let Some(t) = w.terminals.terminals.get_mut(&term) else { return };
        if t.reads() && !t.typed.is_empty() {
            let line = t.typed.remove(0);
            t.read(&line);
        }
        let Some(mut job) = t.job.take() else { return };
        let mut io = std::mem::take(&mut t.io);
        let act = t.act;
        let ended = w.caused(act, |w| w.acting(Comp::User, "user", |w| job.poll(w, &mut io)));
        let t = w.terminals.terminals.entry(term).or_default();
        t.out.append(&mut io.out);
        let Some(code) = ended else {
            t.io = io;
            t.job = Some(job);
            // what was typed ahead is for whoever reads first
            if t.reads() && t.io.stdin.open && !t.typed.is_empty() {
                continue;
            }
            return;
        };
        t.last_exit = code;
        w.terminals.running -= 1;
        let t = w.terminals.terminals.entry(term).or_default();
        t.typed.retain(|line| *line != END_OF_INPUT);
        if t.typed.is_empty() {
            return;
        }
        let line = t.typed.remove(0);
        w.start_line(term, line);
    }
}

/// A terminal's command looks again: its time has come.
pub fn wake(w: &mut World, terminal: u8) {
    look(w, terminal);
}

/// Waiting commands look at what changed.
pub fn poll(w: &mut World) {
    if w.terminals.running == 0 {
        return;
    }
    let terms: Vec<u8> =
        w.terminals.terminals.iter().filter(|(_, t)| t.running()).map(|(n, _)| *n).collect();
    for term in terms {
        look(w, term);
    }
}

/// Starts kubectl with its arguments (the program's name left out).
pub fn start(w: &mut World, io: &mut Io, words: &[String]) -> Run {
    verbs::dispatch(w, io, words)
}
