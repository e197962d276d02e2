//! `tail -f`.

use crate::kubectl::io::{Io, Job};
use crate::shell::Shell;
use crate::shell::text::{Call, tail};
use crate::world::World;

/// `tail -f`: the end of a file, and what is written to it from then on.
#[derive(Clone)]
pub(super) struct Follow {
    shell: Shell,
    call: Call,
    files: Vec<String>,
    /// How much of each file was shown.
    shown: Option<Vec<usize>>,
}

impl Follow {
    /// Follows these files.
    pub(super) fn new(shell: &Shell, call: Call, files: Vec<String>) -> Self {
        Self { shell: shell.clone(), call, files, shown: None }
    }
}

impl Job for Follow {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let mut texts = Vec::new();
        for file in &self.files {
            if file == "/dev/null" {
                texts.push(String::new());
                continue;
            }
            match self.shell.place.read(w, io, file) {
                Ok(text) => texts.push(text),
                Err(why) if self.shown.is_none() => {
                    io.err(format!("tail: cannot open '{file}' for reading: {why}"));
                    return Some(1);
                }
                Err(_) => texts.push(String::new()),
            }
        }
        match &mut self.shown {
            None => {
                for text in &texts {
                    tail(&self.call, text, io);
                }
                self.shown = Some(texts.iter().map(String::len).collect());
            }
            Some(shown) => {
                for (text, shown) in texts.iter().zip(shown) {
                    // a file that was made anew is shown from its beginning
                    if text.len() < *shown {
                        *shown = 0;
                    }
                    io.print(text.get(*shown..).unwrap_or(""));
                    *shown = text.len();
                }
            }
        }
        None
    }
}
