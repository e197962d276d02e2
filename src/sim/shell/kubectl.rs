//! kubectl as a program of the shell.

use crate::config::Delay;
use crate::kubectl::io::{Io, Job, Run};
use crate::shell::Shell;
use crate::value::Str;
use crate::world::World;

/// kubectl from its start to its end: its first request takes a while.
#[derive(Clone)]
pub struct Kubectl {
    words: Vec<String>,
    editor: Str,
    due: Option<u64>,
    job: Option<Box<dyn Job>>,
}

impl Kubectl {
    /// kubectl with its arguments, in the environment of a shell.
    pub fn new(sh: &Shell, words: Vec<String>) -> Self {
        let editor = sh.vars.get("KUBE_EDITOR").or_else(|| sh.vars.get("EDITOR"));
        Self { words, editor: editor.cloned().unwrap_or_default(), due: None, job: None }
    }
}

impl Job for Kubectl {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        io.editor.clone_from(&self.editor);
        if let Some(job) = &mut self.job {
            return job.poll(w, io);
        }
        // `-f -` and its like read what a pipe brings to its end
        if io.stdin.open && !io.stdin.tty && self.words.iter().any(|w| w == "-" || w == "-f-") {
            return None;
        }
        match self.due {
            None => {
                let label = [io.term.to_string(), w.log.len().to_string()];
                let after = w.delay(Delay::Kubectl, &[&label[0], &label[1]]);
                self.due = Some(w.now + after);
                w.wake_terminal(io.term, after, false);
                None
            }
            Some(due) if w.now < due => None,
            Some(_) => match crate::kubectl::start(w, io, &self.words) {
                Run::Done(code) => Some(code),
                Run::Wait(mut job) => {
                    let code = job.poll(w, io);
                    self.job = Some(job);
                    code
                }
            },
        }
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        if let Some(job) = &mut self.job {
            job.interrupt(w, io);
        }
    }

    fn reads_terminal(&self) -> bool {
        self.job.as_ref().is_some_and(|j| j.reads_terminal())
    }
}
