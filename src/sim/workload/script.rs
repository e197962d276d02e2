//! Scripts of containers: they run in the same shell as what is typed, so that files are
//! written, names looked up and lines logged as their text says.
//!
//! # Divergence from real Kubernetes
//! Programs that are not modelled end with success at once in an init container or a hook;
//! elsewhere they are the server that the container is for, and the script ends there. When a
//! main container ends is told by [`super::process()`], not by its script. No more than
//! [`MOST`] scripts of main containers go on at the same time.

use super::env::{env, references};
use super::process::command;
use crate::api::{Key, Obj};
use crate::kubectl::io::{Io, Job, Run};
use crate::shell::container::{self, Inside};
use crate::shell::{Lenient, parse};
use crate::value::{Str, Value};
use crate::world::World;

/// Most scripts of main containers that are followed at the same time.
pub const MOST: usize = 100;

/// A script that runs.
#[derive(Clone)]
pub struct Script {
    job: Option<Box<dyn Job>>,
    code: i32,
    io: Io,
    /// Output without its line end yet; all of it for a hook.
    line: String,
    /// A hook's output goes to nobody's log.
    hook: bool,
}

impl Script {
    /// The script of a container's command; none if it has no command that is known.
    pub fn of_container(w: &mut World, pod: &Obj, spec: &Value, init: bool) -> Option<Self> {
        let words = command(spec);
        // hooks are not expanded
        let vars = words.iter().any(|x| x.contains('$')).then(|| env(w, pod, spec));
        let vars = vars.unwrap_or_default();
        let words: Vec<Str> = words.iter().map(|x| references(x, &vars)).collect();
        let words: Vec<&str> = words.iter().map(Str::as_str).collect();
        Self::start(w, pod, spec, &words, if init { Lenient::Ends } else { Lenient::Serves })
    }

    /// The script of a life-cycle hook.
    pub fn of_hook(w: &mut World, pod: &Obj, spec: &Value, hook: &Value) -> Option<Self> {
        let words: Vec<&str> = hook["exec"]["command"].items().iter().map(Value::str).collect();
        Self::start(w, pod, spec, &words, Lenient::Ends).map(|s| Self { hook: true, ..s })
    }

    /// What a hook has printed.
    pub fn said(&self) -> &str {
        &self.line
    }

    fn start(
        w: &mut World,
        pod: &Obj,
        spec: &Value,
        words: &[&str],
        lenient: Lenient,
    ) -> Option<Self> {
        let first = words.first()?.rsplit('/').next()?;
        if matches!(first, "sh" | "bash" | "ash" | "dash") {
            let at = words.iter().position(|x| x.starts_with('-') && x.ends_with('c'))?;
            // shell that is not simulated does nothing to files
            parse::parse(words.get(at + 1)?).ok()?;
        }
        let inside = Inside::new(pod, spec["name"].str());
        if !inside.has(w, first) {
            return None;
        }
        let mut io = Io::new(0);
        let mut shell = container::shell(w, inside, 0);
        shell.lenient = lenient;
        let argv: Vec<String> = words.iter().map(|x| (*x).to_owned()).collect();
        let run = crate::shell::commands::start(&mut shell, w, &mut io, &argv);
        let (job, code) = match run {
            Run::Done(code) => (None, code),
            Run::Wait(job) => (Some(job), 0),
        };
        Some(Self { job, code, io, line: String::new(), hook: false })
    }

    /// Goes on; gives the exit code at its end. What it prints goes into the container's log.
    pub fn poll(&mut self, w: &mut World, pod: &Key, container: &str) -> Option<i32> {
        let code = match &mut self.job {
            Some(job) => job.poll(w, &mut self.io),
            None => Some(self.code),
        };
        for chunk in self.io.out.drain(..) {
            self.line.push_str(&chunk.text);
        }
        if self.hook {
            return code;
        }
        while let Some(end) = self.line.find('\n') {
            let line: String = self.line.drain(..=end).collect();
            super::log(w, pod, container, line.trim_end().to_owned());
        }
        if code.is_some() && !self.line.is_empty() {
            super::log(w, pod, container, std::mem::take(&mut self.line));
        }
        code
    }
}

/// A server that a script has started: it does not end by itself.
#[derive(Clone)]
pub struct Serves;

impl Job for Serves {
    fn poll(&mut self, _w: &mut World, _io: &mut Io) -> Option<i32> {
        None
    }
}
