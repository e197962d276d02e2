//! Simple commands: words become arguments, a builtin, function or program takes them.

use std::rc::Rc;

use super::{ENDLESS, Exec, State, Sub};
use crate::kubectl::io::{Io, Run};
use crate::shell::expand::Results;
use crate::shell::parse::{Node, Redirect, Word, parse};
use crate::shell::streams::streams;
use crate::shell::{Flow, Script, Shell, commands, expand};
use crate::value::Str;
use crate::world::World;

/// How deep functions may call each other.
const DEEPEST: u32 = 50;

impl Exec {
    /// Runs the `$(…)` of these words one after the other; gives their outputs when all ran.
    pub(super) fn substitutions(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        words: &[&Word],
    ) -> Option<Vec<String>> {
        let nodes: Vec<Rc<Node>> = words.iter().flat_map(|w| expand::commands(w)).collect();
        if matches!(self.state, State::New) {
            self.state = State::Expanding(Vec::new(), None);
        }
        let State::Expanding(results, running) = &mut self.state else { return None };
        loop {
            if let Some((sub, inner)) = running {
                let status = sub.exec.poll(&mut sub.shell, w, inner);
                for chunk in inner.out.extract_if(.., |c| c.stderr) {
                    io.out.push(chunk);
                }
                sh.status = status?;
                let text: String = inner.out.iter().map(|c| c.text.as_str()).collect();
                results.push(text.trim_end_matches('\n').to_owned());
                *running = None;
            }
            match nodes.get(results.len()) {
                None => return Some(std::mem::take(results)),
                Some(node) => {
                    let sub = Sub { exec: Exec::new(node.clone()), shell: sh.clone() };
                    let mut inner = Io::new(io.term);
                    inner.files.clone_from(&io.files);
                    *running = Some((Box::new(sub), inner));
                }
            }
        }
    }

    pub(super) fn simple(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        assign: &[(String, Word)],
        words: &[Word],
        redirects: &[Redirect],
    ) -> Option<i32> {
        if matches!(self.state, State::New | State::Expanding(..)) {
            let all: Vec<&Word> = assign
                .iter()
                .map(|(_, w)| w)
                .chain(words)
                .chain(redirects.iter().filter_map(|r| match r {
                    Redirect::To { file, .. } | Redirect::From(file) | Redirect::Here(file) => {
                        Some(file)
                    }
                    Redirect::Copy(..) => None,
                }))
                .collect();
            let before = sh.status;
            let results = self.substitutions(sh, w, io, &all)?;
            let substituted = !results.is_empty();
            if !substituted {
                sh.status = before;
            }
            let mut results = results.into_iter();
            let mut values = Vec::new();
            for (name, word) in assign {
                match expand::text(sh, word, &mut results) {
                    Ok(value) => values.push((Str::from(name), Str::from(value))),
                    Err(why) => return Some(sh.complain(io, &why)),
                }
            }
            let argv = match arguments(sh, w, io, words, &mut results) {
                Ok(argv) => argv,
                Err(why) => return Some(sh.complain(io, &why)),
            };
            let streams = match streams(sh, w, io, redirects, &mut results) {
                Ok(streams) => streams,
                Err(why) => {
                    sh.complain(io, &why);
                    return Some(1);
                }
            };
            if sh.xtrace {
                trace(io, &values, &argv);
            }
            if argv.is_empty() {
                sh.vars.extend(values);
                return Some(if substituted { sh.status } else { 0 });
            }
            if argv.first().is_some_and(|a| a == "read")
                && let Some(mut own) = streams
            {
                let names = argv.get(1..).unwrap_or_default();
                let outer = sh.clone();
                return Some(
                    own.run(w, &outer, io, |_, io| commands::read(sh, io, names)).unwrap_or(1),
                );
            }
            if argv.first().is_some_and(|a| a == "read") {
                let names = argv.get(1..).unwrap_or_default().to_vec();
                let status = commands::read(sh, io, &names);
                self.state = State::Read(names);
                return status;
            }
            // assignments in front of a command hold for that command alone
            let kept: Vec<(Str, Option<Str>)> =
                values.iter().map(|(n, _)| (n.clone(), sh.vars.get(n).cloned())).collect();
            sh.vars.extend(values);
            let mut streams = streams.map(Box::new);
            let calls = called(sh, w, io, &argv);
            if calls.is_some() && !w.terminals.turn(w.now) {
                sh.flow = Flow::Exit;
                sh.status = sh.complain(io, ENDLESS);
                return Some(sh.status);
            }
            match calls {
                Some(Ok((body, args))) => {
                    let before = args.map(|args| std::mem::replace(&mut sh.args, args));
                    sh.depth += 1;
                    self.state = State::Call(Box::new(Exec::new(body)), before, streams);
                    return self.call(sh, w, io);
                }
                Some(Err(status)) => return Some(status),
                None => {}
            }
            let started = match &mut streams {
                Some(s) => {
                    let outer = sh.clone();
                    s.run(w, &outer, io, |w, io| sh.start(w, io, &argv))
                }
                None => sh.start(w, io, &argv),
            };
            for (name, value) in kept {
                match value {
                    Some(v) => sh.vars.insert(name, v),
                    None => sh.vars.remove(&name),
                };
            }
            match started {
                Run::Done(code) => return Some(code),
                Run::Wait(job) => self.state = State::Running(job, streams),
            }
        }
        if matches!(self.state, State::Call(..)) {
            return self.call(sh, w, io);
        }
        let (job, streams) = match &mut self.state {
            State::Running(job, streams) => (job, streams),
            State::Read(names) => return commands::read(sh, io, names),
            _ => return Some(0),
        };
        match streams {
            Some(s) => s.run(w, sh, io, |w, io| job.poll(w, io)),
            None => job.poll(w, io),
        }
    }

    /// Goes on with a function's body.
    fn call(&mut self, sh: &mut Shell, w: &mut World, io: &mut Io) -> Option<i32> {
        let State::Call(body, before, streams) = &mut self.state else { return Some(0) };
        let status = match streams {
            Some(s) => {
                let outer = sh.clone();
                s.run(w, &outer, io, |w, io| body.poll(sh, w, io))?
            }
            None => body.poll(sh, w, io)?,
        };
        sh.depth -= 1;
        if let Some(args) = before.take() {
            sh.args = args;
            if sh.flow == Flow::Return {
                sh.flow = Flow::None;
                return Some(sh.status);
            }
        }
        Some(status)
    }
}

/// Words as arguments, file patterns replaced by the files that fit.
pub(super) fn arguments(
    sh: &mut Shell,
    w: &World,
    io: &Io,
    words: &[Word],
    results: &mut Results,
) -> Result<Vec<String>, String> {
    let mut argv = Vec::new();
    for word in words {
        for field in expand::fields(sh, word, results)? {
            let files = field.pattern.map(|p| sh.place.matches(w, io, &p)).unwrap_or_default();
            if files.is_empty() {
                argv.push(field.text);
            } else {
                argv.extend(files);
            }
        }
    }
    Ok(argv)
}

/// What `set -x` prints.
fn trace(io: &mut Io, values: &[(Str, Str)], argv: &[String]) {
    let quoted = |s: &str| {
        let plain = !s.is_empty()
            && !s.contains(|c: char| c.is_whitespace() || "'\"$*?[]<>|&;()".contains(c));
        if plain { s.to_owned() } else { format!("'{s}'") }
    };
    for (name, value) in values {
        let value = if value.is_empty() { String::new() } else { quoted(value) };
        io.err(format!("+ {name}={value}"));
    }
    if !argv.is_empty() {
        let words: Vec<String> = argv.iter().map(|a| quoted(a)).collect();
        io.err(format!("+ {}", words.join(" ")));
    }
}

/// The commands that a function, `eval` or `source` stands for, and the arguments that they
/// get; or the status if there are none.
#[allow(clippy::type_complexity, reason = "one use")]
fn called(
    sh: &mut Shell,
    w: &World,
    io: &mut Io,
    argv: &[String],
) -> Option<Result<(Rc<Node>, Option<Vec<Str>>), i32>> {
    let (name, args) = argv.split_first()?;
    let own = || args.iter().map(|a| Str::from(a.clone())).collect::<Vec<_>>();
    let (text, arguments) = match name.as_str() {
        "eval" => (args.join(" "), None),
        "." | "source" => {
            let Some(file) = args.first() else {
                return Some(Err(sh.complain(io, &format!("{name}: filename argument required"))));
            };
            match sh.place.read(w, io, file) {
                Ok(text) => (text, None),
                Err(why) => return Some(Err(sh.complain(io, &format!("{file}: {why}")))),
            }
        }
        name => {
            let body = sh.functions.get(name)?.clone();
            if sh.depth >= DEEPEST {
                let why = format!("{name}: maximum function nesting level exceeded ({DEEPEST})");
                return Some(Err(sh.complain(io, &why)));
            }
            return Some(Ok((body, Some(own()))));
        }
    };
    if sh.depth >= DEEPEST {
        return Some(Err(sh.complain(io, "not simulated: scripts nested so deeply")));
    }
    Some(match parse(&text) {
        Ok(node) => Ok((Rc::new(node), arguments)),
        // says what is wrong
        Err(_) => Err(Script::new(sh.clone(), io, &text, false).err().unwrap_or(2)),
    })
}
