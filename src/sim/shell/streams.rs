//! Redirections: where a command reads and writes.

use crate::kubectl::io::{Chunk, Io};
use crate::shell::parse::Redirect;
use crate::shell::{Shell, expand};
use crate::value::Str;
use crate::world::World;

/// Where redirected output goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Dest {
    Out,
    Err,
    Null,
    File(Str),
}

#[derive(Clone)]
pub(super) struct Streams {
    out: Dest,
    err: Dest,
    io: Io,
    /// Does it read what the shell reads?
    pub(super) shared_input: bool,
}

impl Streams {
    /// Runs something with the redirected streams.
    pub(super) fn run<T>(
        &mut self,
        w: &mut World,
        shell: &Shell,
        io: &mut Io,
        f: impl FnOnce(&mut World, &mut Io) -> T,
    ) -> T {
        if self.shared_input {
            std::mem::swap(&mut self.io.stdin, &mut io.stdin);
        }
        self.io.tty = io.tty && self.out == Dest::Out;
        let result = f(w, &mut self.io);
        if self.shared_input {
            std::mem::swap(&mut self.io.stdin, &mut io.stdin);
        }
        for chunk in self.io.out.drain(..) {
            match if chunk.stderr { &self.err } else { &self.out } {
                Dest::Out => io.out.push(Chunk { stderr: false, text: chunk.text }),
                Dest::Err => io.out.push(Chunk { stderr: true, text: chunk.text }),
                Dest::Null => {}
                Dest::File(path) => {
                    if let Err(why) = shell.place.write(w, path, &chunk.text, true) {
                        io.err(format!("{}: {path}: {why}", shell.name()));
                    }
                }
            }
        }
        result
    }
}

/// Opens what redirections name; none if there are none.
pub(super) fn streams(
    sh: &mut Shell,
    w: &mut World,
    io: &mut Io,
    redirects: &[Redirect],
    results: &mut std::vec::IntoIter<String>,
) -> Result<Option<Streams>, String> {
    if redirects.is_empty() {
        return Ok(None);
    }
    let mut s =
        Streams { out: Dest::Out, err: Dest::Err, io: Io::new(io.term), shared_input: true };
    s.io.files.clone_from(&io.files);
    for r in redirects {
        match r {
            Redirect::To { fd, append, file } => {
                let path = expand::text(sh, file, results)?;
                let dest = if path == "/dev/null" {
                    Dest::Null
                } else if path == "/dev/stdout" {
                    Dest::Out
                } else if path == "/dev/stderr" {
                    Dest::Err
                } else {
                    sh.place
                        .write(w, &path, "", *append)
                        .map_err(|why| sh.cannot_open(&path, &why, true))?;
                    Dest::File(path.into())
                };
                match fd {
                    1 => s.out = dest,
                    2 => s.err = dest,
                    3 => {
                        s.out = dest.clone();
                        s.err = dest;
                    }
                    _ => return Err(format!("not simulated: file descriptor {fd}")),
                }
            }
            Redirect::Copy(2, 1) => s.err = s.out.clone(),
            Redirect::Copy(1, 2) => s.out = s.err.clone(),
            Redirect::Copy(a, b) if a == b => {}
            Redirect::Copy(a, _) => return Err(format!("not simulated: file descriptor {a}")),
            Redirect::From(file) => {
                let path = expand::text(sh, file, results)?;
                let text = if path == "/dev/null" {
                    String::new()
                } else {
                    sh.place.read(w, io, &path).map_err(|why| sh.cannot_open(&path, &why, false))?
                };
                s.io.stdin.text = text;
                s.shared_input = false;
            }
            Redirect::Here(word) => {
                s.io.stdin.text = expand::text(sh, word, results)?;
                s.shared_input = false;
            }
        }
    }
    Ok(Some(s))
}
