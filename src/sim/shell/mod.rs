//! A small POSIX shell: the one of the learner's terminal and the ones inside containers.
//! A running line is a value, so that snapshots of the world carry it.

mod arithmetic;
mod awk;
pub mod commands;
pub mod container;
mod exec;
mod expand;
mod follow;
mod jq;
mod kubectl;
pub mod parse;
mod pattern;
mod sed;
mod streams;
mod text;

use crate::collections::BTreeMap;
use std::rc::Rc;

use crate::kubectl::io::{Io, Job, Run};
use crate::storage::fs;
use crate::value::{Str, text as str_of};
use crate::world::World;
use exec::Exec;
pub use expand::glob;
pub use jq::from_json as json_value;
use parse::Problem;

/// Where a shell runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the learner's own machine.
    Host,
    /// In a container.
    Container(container::Inside),
}

impl Place {
    /// The text of a file.
    ///
    /// # Errors
    /// The system's words.
    pub fn read(&self, w: &World, io: &Io, path: &str) -> Result<String, String> {
        match self {
            Self::Host => crate::kubectl::files::read(w, io, path)
                .filter(|_| !path.starts_with("http"))
                .map(|t| t.to_string())
                .ok_or_else(|| "No such file or directory".to_owned()),
            Self::Container(c) => fs::read(w, &c.pod, &c.container, &c.path(path))
                .map(|t| t.to_string())
                .map_err(|e| e.to_string()),
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// The system's words.
    pub fn write(&self, w: &mut World, path: &str, t: &str, append: bool) -> Result<(), String> {
        match self {
            Self::Host => {
                let path = path.strip_prefix("./").unwrap_or(path);
                if path.is_empty() || path.ends_with('/') {
                    return Err("Is a directory".to_owned());
                }
                let old = w.terminals.files.get(path).filter(|_| append);
                let new = old.map_or_else(|| str_of(t), |old| format!("{old}{t}").into());
                w.terminals.write(str_of(path), new);
                Ok(())
            }
            Self::Container(c) => {
                let path = c.path(path);
                let result = if append {
                    fs::append(w, &c.pod, &c.container, &path, t)
                } else {
                    fs::write(w, &c.pod, &c.container, &path, t)
                };
                result.map_err(|e| e.to_string())
            }
        }
    }
}

impl Place {
    /// Is it a directory?
    pub fn is_dir(&self, w: &World, path: &str) -> bool {
        match self {
            Self::Host => {
                let path = path.trim_start_matches("./").trim_end_matches('/');
                let inside = format!("{path}/");
                matches!(path, "" | ".")
                    || w.terminals.files.keys().any(|f| f.starts_with(inside.as_str()))
            }
            Self::Container(c) => fs::is_dir(w, &c.pod, &c.container, &c.path(path)),
        }
    }

    /// The files that a pattern names, sorted.
    pub fn matches(&self, w: &World, io: &Io, pattern: &str) -> Vec<String> {
        /// Most files that a pattern stands for.
        const MOST: usize = 1000;
        let hidden = |part: &str, name: &str| name.starts_with('.') && !part.starts_with('.');
        let parts: Vec<&str> = pattern.split('/').collect();
        match self {
            Self::Host => {
                let fits = |file: &&Str| {
                    let names: Vec<&str> = file.split('/').collect();
                    names.len() == parts.len()
                        && names.iter().zip(&parts).all(|(n, p)| glob(p, n) && !hidden(p, n))
                };
                w.terminals.files.keys().filter(fits).map(ToString::to_string).take(MOST).collect()
            }
            Self::Container(c) => {
                let mut found = vec![String::new()];
                for (i, part) in parts.iter().enumerate() {
                    let slash = if i > 0 { "/" } else { "" };
                    let mut next = Vec::new();
                    for base in &found {
                        if !part.contains(['*', '?', '[']) {
                            next.push(format!("{base}{slash}{part}").replace('\\', ""));
                            continue;
                        }
                        let dir = if i == 0 { "." } else { base.as_str() };
                        let dir = c.path(if dir.is_empty() { "/" } else { dir });
                        let list = fs::list(w, &c.pod, &c.container, &dir).unwrap_or_default();
                        next.extend(
                            list.into_iter()
                                .filter(|e| glob(part, &e.name) && !hidden(part, &e.name))
                                .map(|e| format!("{base}{slash}{}", e.name)),
                        );
                    }
                    next.truncate(MOST);
                    found = next;
                }
                found.retain(|f| self.is_dir(w, f) || self.read(w, io, f).is_ok());
                found
            }
        }
    }
}

/// What a command asks of the shell that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Nothing.
    None,
    /// `break`, so many loops.
    Break(u32),
    /// `continue`, so many loops.
    Continue(u32),
    /// `return` from a function.
    Return,
    /// `exit`.
    Exit,
}

/// Whose words a shell has for what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The learner's, and `bash` in containers.
    Bash,
    /// Debian's `sh`.
    Dash,
    /// BusyBox's.
    Ash,
}

/// What becomes of a program that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lenient {
    /// It is not found.
    Never,
    /// It ends with success: in an init container.
    Ends,
    /// It is the server that the container is for.
    Serves,
}

/// The state of a shell.
#[derive(Clone)]
pub struct Shell {
    /// Where it runs.
    pub place: Place,
    /// Variables.
    pub vars: BTreeMap<Str, Str>,
    /// `$1`, `$2`, …
    pub args: Vec<Str>,
    /// `$?`.
    pub status: i32,
    /// `break`, `continue`, `exit`.
    pub flow: Flow,
    /// How many `while` loops are running.
    pub loops: u32,
    /// Number of its terminal.
    pub term: u8,
    /// Functions.
    pub functions: BTreeMap<Str, Rc<parse::Node>>,
    /// How many functions are running.
    pub depth: u32,
    /// `set -e`: does it end when a command fails?
    pub errexit: bool,
    /// How many commands are running whose failure somebody looks at.
    pub guard: u32,
    /// `set -x`: does it say what it runs?
    pub xtrace: bool,
    /// `set -o pipefail`: does a failure inside a pipe count?
    pub pipefail: bool,
    /// Is it bash, which takes braces apart?
    pub bash: bool,
    /// Is somebody typing into it?
    pub interactive: bool,
    /// The line of its text that runs: 1 if its text is an argument.
    pub line: usize,
    /// What it makes of programs that are not simulated.
    pub lenient: Lenient,
}

impl Shell {
    /// A fresh shell.
    pub fn new(place: Place, term: u8) -> Self {
        Self {
            bash: place == Place::Host,
            place,
            vars: BTreeMap::new(),
            args: Vec::new(),
            status: 0,
            flow: Flow::None,
            loops: 0,
            term,
            functions: BTreeMap::new(),
            depth: 0,
            errexit: false,
            guard: 0,
            xtrace: false,
            pipefail: false,
            interactive: false,
            line: 1,
            lenient: Lenient::Never,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        if self.bash || self.place == Place::Host { "bash" } else { "sh" }
    }

    /// Whose words it has.
    pub fn dialect(&self) -> Dialect {
        match &self.place {
            Place::Container(c) if !self.bash => c.dialect(),
            _ => Dialect::Bash,
        }
    }

    /// What its messages begin with: its name, for some the line.
    pub fn prefix(&self) -> String {
        let (name, line) = (self.name(), self.line);
        match self.dialect() {
            Dialect::Bash if self.place != Place::Host && !self.interactive => {
                format!("{name}: line {line}")
            }
            Dialect::Dash => format!("{name}: {line}"),
            _ => name.to_owned(),
        }
    }

    /// Prints `bash: why`; gives the status 1.
    pub fn complain(&self, io: &mut Io, why: &str) -> i32 {
        io.err(format!("{}: {why}", self.prefix()));
        1
    }

    /// What it says of a file that it cannot open.
    fn cannot_open(&self, path: &str, why: &str, create: bool) -> String {
        let none = why == "No such file or directory";
        match (self.dialect(), create) {
            (Dialect::Bash, _) => format!("{path}: {why}"),
            (Dialect::Dash, true) if none => format!("cannot create {path}: Directory nonexistent"),
            (Dialect::Dash, true) => format!("cannot create {path}: {why}"),
            (Dialect::Dash, false) if none => format!("cannot open {path}: No such file"),
            (Dialect::Dash, false) => format!("cannot open {path}: {why}"),
            (Dialect::Ash, true) if none => format!("can't create {path}: nonexistent directory"),
            (Dialect::Ash, true) => format!("can't create {path}: {why}"),
            (Dialect::Ash, false) if none => format!("can't open {path}: no such file"),
            (Dialect::Ash, false) => format!("can't open {path}: {why}"),
        }
    }

    /// The value of a variable or parameter.
    pub fn var(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "#" => Some(self.args.len().to_string()),
            "@" | "*" => Some(self.args.join_words()),
            // a shell that `kubectl exec` starts is not process 1
            "$" => Some(if self.place == Place::Host { "4711" } else { "7" }.to_owned()),
            "!" => None,
            "0" => Some(self.name().to_owned()),
            n if n.starts_with(|c: char| c.is_ascii_digit()) => {
                let i: usize = n.parse().ok()?;
                self.args.get(i.checked_sub(1)?).map(ToString::to_string)
            }
            n => self.vars.get(n).map(ToString::to_string),
        }
    }

    /// After a part of a loop: must the loop end? Uses `break` and `continue` up.
    fn leaves_loop(&mut self) -> bool {
        match self.flow {
            Flow::None => false,
            Flow::Exit | Flow::Return => true,
            Flow::Break(n) => {
                self.flow = if n > 1 { Flow::Break(n - 1) } else { Flow::None };
                true
            }
            Flow::Continue(n) if n > 1 => {
                self.flow = Flow::Continue(n - 1);
                true
            }
            Flow::Continue(_) => {
                self.flow = Flow::None;
                false
            }
        }
    }

    /// Starts a command: built in, or a program of the place.
    fn start(&mut self, w: &mut World, io: &mut Io, argv: &[String]) -> Run {
        commands::start(self, w, io, argv)
    }
}

trait JoinWords {
    fn join_words(&self) -> String;
}

impl JoinWords for Vec<Str> {
    fn join_words(&self) -> String {
        self.iter().map(Str::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// Does the text go on in the next line: an open quote, loop or here-document?
pub fn is_open(text: &str) -> bool {
    text.ends_with('\\') || matches!(parse::parse(text), Err(Problem::Open(_)))
}

/// A text that a shell runs from beginning to end.
#[derive(Clone)]
pub struct Script {
    shell: Shell,
    exec: Option<Exec>,
    /// Are the variables those of the terminal?
    keeps: bool,
}

impl Script {
    /// Parses a text for a shell; what is wrong with it is printed and gives a status.
    ///
    /// # Errors
    /// The exit status of a text that is no command.
    pub fn new(shell: Shell, io: &mut Io, t: &str, one_line: bool) -> Result<Self, i32> {
        let exec = match parse::parse(t) {
            Ok(node) => Some(Exec::new(Rc::new(node))),
            Err(problem) => {
                let name = shell.name();
                match problem {
                    Problem::Unexpected(token) if shell.dialect() == Dialect::Dash => {
                        shell.complain(io, &format!("Syntax error: {token:?} unexpected"));
                    }
                    Problem::Unexpected(token) if shell.dialect() == Dialect::Ash => {
                        io.err(format!("{name}: syntax error: unexpected {token:?}"));
                    }
                    Problem::Unexpected(token) => {
                        let at = if one_line { "" } else { "-c: line 1: " };
                        io.err(format!("{name}: {at}syntax error near unexpected token `{token}'"));
                    }
                    Problem::Open(what) if matches!(what.as_str(), "'" | "\"" | "`" | ")") => {
                        io.err(format!(
                            "{name}: -c: line 1: unexpected EOF while looking for matching `{what}'"
                        ));
                    }
                    Problem::Open(_) => {
                        io.err(format!("{name}: -c: line 2: syntax error: unexpected end of file"));
                    }
                    Problem::NotSimulated(what) => {
                        io.err(format!("{name}: not simulated: {what}"));
                    }
                }
                return Err(2);
            }
        };
        Ok(Self { shell, exec, keeps: false })
    }
}

impl Job for Script {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let exec = self.exec.as_mut()?;
        let status = exec.poll(&mut self.shell, w, io)?;
        let status = if self.shell.flow == Flow::Exit { self.shell.status } else { status };
        if self.keeps
            && let Some(t) = w.terminals.terminals.get_mut(&self.shell.term)
        {
            t.vars = std::mem::take(&mut self.shell.vars);
            t.functions = std::mem::take(&mut self.shell.functions);
        }
        Some(status)
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        if let Some(exec) = &mut self.exec {
            exec.interrupt(w, io);
        }
    }

    fn reads_terminal(&self) -> bool {
        self.exec.as_ref().is_some_and(Exec::reads)
    }
}

/// A job that has already ended.
#[derive(Clone)]
struct Ended(i32);

impl Job for Ended {
    fn poll(&mut self, _w: &mut World, _io: &mut Io) -> Option<i32> {
        Some(self.0)
    }
}

/// A line typed into a terminal, ready to run.
pub fn line(w: &World, io: &mut Io, t: &str) -> Box<dyn Job> {
    let mut shell = Shell::new(Place::Host, io.term);
    if let Some(terminal) = w.terminal(io.term) {
        shell.vars.clone_from(&terminal.vars);
        shell.functions.clone_from(&terminal.functions);
        shell.status = terminal.last_exit;
    }
    match Script::new(shell, io, t, true) {
        Ok(mut script) => {
            script.keeps = true;
            Box::new(script)
        }
        Err(code) => Box::new(Ended(code)),
    }
}
