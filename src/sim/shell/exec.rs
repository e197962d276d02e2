//! Runs parsed commands as a state machine that is a value.

use std::rc::Rc;

use crate::kubectl::io::{Io, Job};
use crate::shell::parse::{Node, Redirect, Word};
use crate::shell::streams::{Streams, streams};
use crate::shell::{Flow, Shell, commands, expand};
use crate::value::Str;
use crate::world::World;

/// How often a loop may run without time passing.
const MANY: u32 = 10_000;

/// A command that runs.
#[derive(Clone)]
pub struct Exec {
    node: Rc<Node>,
    state: State,
}

#[derive(Clone)]
enum State {
    New,
    /// Words are being expanded: results of the `$(…)` so far, the one that runs.
    Expanding(Vec<String>, Option<(Box<Sub>, Io)>),
    /// A command runs, its streams redirected or not.
    Running(Box<dyn Job>, Option<Box<Streams>>),
    /// `read` waits for a line, for these variables.
    Read(Vec<String>),
    /// A part of a compound command runs: its number, the part.
    Child(usize, Box<Exec>),
    /// Words of a `for`, the one that runs, its body.
    Loop(Vec<Str>, usize, Box<Exec>),
    /// Stages of a pipe.
    Pipe(Vec<Stage>),
    /// A group with streams or variables of its own.
    Group(Box<Sub>, Option<Box<Streams>>),
}

/// A command in a shell of its own.
#[derive(Clone)]
struct Sub {
    exec: Exec,
    shell: Shell,
}

#[derive(Clone)]
struct Stage {
    sub: Sub,
    io: Io,
    status: Option<i32>,
}

impl Exec {
    /// A command that has not begun.
    pub fn new(node: Rc<Node>) -> Self {
        Self { node, state: State::New }
    }

    /// Goes on as far as possible; gives the status when the command has ended.
    pub fn poll(&mut self, sh: &mut Shell, w: &mut World, io: &mut Io) -> Option<i32> {
        let node = self.node.clone();
        match &*node {
            Node::Simple { assign, words, redirects } => {
                self.simple(sh, w, io, assign, words, redirects)
            }
            Node::Pipe(stages, not) => {
                let status = self.pipe(sh, w, io, stages)?;
                Some(if *not { i32::from(status == 0) } else { status })
            }
            Node::AndOr(left, and, right) => {
                if matches!(self.state, State::New) {
                    self.child(0, left);
                }
                loop {
                    let State::Child(n, child) = &mut self.state else { return Some(0) };
                    let n = *n;
                    let status = child.poll(sh, w, io)?;
                    sh.status = status;
                    if n == 1 || sh.flow != Flow::None || (status == 0) != *and {
                        return Some(status);
                    }
                    self.child(1, right);
                }
            }
            Node::List(items) => {
                if matches!(self.state, State::New) {
                    match items.first() {
                        Some(first) => self.child(0, first),
                        None => return Some(0),
                    }
                }
                loop {
                    let State::Child(n, child) = &mut self.state else { return Some(0) };
                    let n = *n + 1;
                    let status = child.poll(sh, w, io)?;
                    sh.status = status;
                    match items.get(n) {
                        Some(next) if sh.flow == Flow::None => self.child(n, next),
                        _ => return Some(status),
                    }
                }
            }
            Node::For(name, words, body) => self.for_loop(sh, w, io, name, words.as_deref(), body),
            Node::While(cond, yes, body) => self.while_loop(sh, w, io, cond, *yes, body),
            Node::If(arms, other) => {
                if matches!(self.state, State::New) {
                    let Some((cond, _)) = arms.first() else { return Some(0) };
                    self.child(0, cond);
                }
                // parts are numbered: conditions even, bodies odd
                loop {
                    let State::Child(n, child) = &mut self.state else { return Some(0) };
                    let n = *n;
                    let status = child.poll(sh, w, io)?;
                    sh.status = status;
                    if n % 2 == 1 || sh.flow != Flow::None {
                        return Some(status);
                    }
                    if status == 0 {
                        let Some((_, body)) = arms.get(n / 2) else { return Some(0) };
                        self.child(n + 1, body);
                    } else if let Some((cond, _)) = arms.get(n / 2 + 1) {
                        self.child(n + 2, cond);
                    } else if let Some(other) = other {
                        self.child(n + 1, other);
                    } else {
                        return Some(0);
                    }
                }
            }
            Node::Group(inner, own, redirects) => self.group(sh, w, io, inner, *own, redirects),
        }
    }

    fn child(&mut self, n: usize, node: &Rc<Node>) {
        self.state = State::Child(n, Box::new(Exec::new(node.clone())));
    }

    /// `^C`.
    pub fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        match &mut self.state {
            State::Running(job, _) => job.interrupt(w, io),
            State::Child(_, e) | State::Loop(_, _, e) => e.interrupt(w, io),
            State::Group(sub, _) => sub.exec.interrupt(w, io),
            State::Pipe(stages) => {
                for s in stages.iter_mut().filter(|s| s.status.is_none()) {
                    s.sub.exec.interrupt(w, &mut s.io);
                    io.out.extend(s.io.out.drain(..).filter(|c| c.stderr));
                }
            }
            State::New | State::Expanding(..) | State::Read(_) => {}
        }
    }

    /// Would it read a typed line?
    pub fn reads(&self) -> bool {
        match &self.state {
            State::Running(job, streams) => {
                streams.as_ref().is_none_or(|s| s.shared_input) && job.reads_terminal()
            }
            State::Child(_, e) | State::Loop(_, _, e) => e.reads(),
            State::Group(sub, _) => sub.exec.reads(),
            State::Pipe(stages) => {
                stages.first().is_some_and(|s| s.status.is_none() && s.sub.exec.reads())
            }
            State::Read(_) => true,
            State::New | State::Expanding(..) => false,
        }
    }

    /// Runs the `$(…)` of these words one after the other; gives their outputs when all ran.
    fn substitutions(
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

    fn simple(
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
            let mut argv = Vec::new();
            for word in words {
                match expand::fields(sh, word, &mut results) {
                    Ok(mut fields) => argv.append(&mut fields),
                    Err(why) => return Some(sh.complain(io, &why)),
                }
            }
            let streams = match streams(sh, w, io, redirects, &mut results) {
                Ok(streams) => streams,
                Err(why) => {
                    sh.complain(io, &why);
                    return Some(1);
                }
            };
            if argv.is_empty() {
                sh.vars.extend(values);
                return Some(if substituted { sh.status } else { 0 });
            }
            if argv.first().is_some_and(|a| a == "read") && streams.is_none() {
                let names = argv.split_off(1);
                let status = commands::read(sh, io, &names);
                self.state = State::Read(names);
                return status;
            }
            // assignments in front of a command hold for that command alone
            let kept: Vec<(Str, Option<Str>)> =
                values.iter().map(|(n, _)| (n.clone(), sh.vars.get(n).cloned())).collect();
            sh.vars.extend(values);
            let mut streams = streams.map(Box::new);
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
                crate::kubectl::Run::Done(code) => return Some(code),
                crate::kubectl::Run::Wait(job) => self.state = State::Running(job, streams),
            }
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

    fn pipe(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        nodes: &[Rc<Node>],
    ) -> Option<i32> {
        if nodes.len() == 1 {
            if matches!(self.state, State::New) {
                self.child(0, nodes.first()?);
            }
            let State::Child(_, child) = &mut self.state else { return Some(0) };
            return child.poll(sh, w, io);
        }
        if matches!(self.state, State::New) {
            let last = nodes.len() - 1;
            let stages = nodes
                .iter()
                .enumerate()
                .map(|(i, node)| {
                    let mut inner = Io::new(io.term);
                    inner.files.clone_from(&io.files);
                    inner.tty = io.tty && i == last;
                    if i == 0 {
                        inner.stdin = std::mem::take(&mut io.stdin);
                    } else {
                        inner.stdin.open = true;
                    }
                    let sub = Sub { exec: Exec::new(node.clone()), shell: sh.clone() };
                    Stage { sub, io: inner, status: None }
                })
                .collect();
            self.state = State::Pipe(stages);
        }
        let State::Pipe(stages) = &mut self.state else { return Some(0) };
        // what is typed goes to the first stage
        if let Some(first) = stages.first_mut()
            && !io.stdin.text.is_empty()
        {
            first.io.stdin.text.push_str(&std::mem::take(&mut io.stdin.text));
        }
        for i in 0..stages.len() {
            let (before, after) = stages.split_at_mut(i + 1);
            let Some(stage) = before.last_mut() else { break };
            if stage.status.is_none() {
                stage.status = stage.sub.exec.poll(&mut stage.sub.shell, w, &mut stage.io);
            }
            for chunk in stage.io.out.drain(..) {
                match after.first_mut() {
                    Some(next) if !chunk.stderr => next.io.stdin.text.push_str(&chunk.text),
                    _ => io.out.push(chunk),
                }
            }
            if stage.status.is_some()
                && let Some(next) = after.first_mut()
            {
                next.io.stdin.open = false;
            }
        }
        // a stage whose reader has gone ends when it writes: here, at once
        for i in (1..stages.len()).rev() {
            let gone = stages.get(i).is_some_and(|s| s.status.is_some());
            if let Some(writer) = stages.get_mut(i - 1).filter(|s| gone && s.status.is_none()) {
                writer.status = Some(141);
            }
        }
        if stages.iter().all(|s| s.status.is_some()) {
            let stages = std::mem::take(stages);
            let status = stages.last().and_then(|s| s.status);
            if let Some(first) = stages.into_iter().next() {
                io.stdin = first.io.stdin;
            }
            return status;
        }
        None
    }

    fn for_loop(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        name: &str,
        words: Option<&[Word]>,
        body: &Rc<Node>,
    ) -> Option<i32> {
        if matches!(self.state, State::New | State::Expanding(..)) {
            let list: Vec<&Word> = words.unwrap_or_default().iter().collect();
            let results = self.substitutions(sh, w, io, &list)?;
            let mut results = results.into_iter();
            let mut values: Vec<Str> = Vec::new();
            for word in list {
                match expand::fields(sh, word, &mut results) {
                    Ok(fields) => values.extend(fields.into_iter().map(Str::from)),
                    Err(why) => return Some(sh.complain(io, &why)),
                }
            }
            if words.is_none() {
                values.clone_from(&sh.args);
            }
            let Some(first) = values.first() else { return Some(0) };
            sh.vars.insert(name.to_owned().into(), first.clone());
            self.state = State::Loop(values, 0, Box::new(Exec::new(body.clone())));
        }
        loop {
            let State::Loop(values, at, child) = &mut self.state else { return Some(0) };
            let status = child.poll(sh, w, io)?;
            sh.status = status;
            if sh.leaves_loop() {
                return Some(status);
            }
            *at += 1;
            let Some(value) = values.get(*at) else { return Some(status) };
            sh.vars.insert(name.to_owned().into(), value.clone());
            **child = Exec::new(body.clone());
        }
    }

    fn while_loop(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        cond: &Rc<Node>,
        yes: bool,
        body: &Rc<Node>,
    ) -> Option<i32> {
        if matches!(self.state, State::New) {
            self.child(0, cond);
        }
        let mut turns = 0;
        loop {
            turns += 1;
            if turns > MANY {
                sh.complain(io, "not simulated: a loop without end in which no time passes");
                return Some(1);
            }
            let State::Child(n, child) = &mut self.state else { return Some(0) };
            let n = *n;
            sh.loops += 1;
            let status = child.poll(sh, w, io);
            sh.loops -= 1;
            let status = status?;
            sh.status = status;
            if sh.leaves_loop() {
                return Some(0);
            }
            if n == 1 {
                self.child(0, cond);
            } else if (status == 0) == yes {
                self.child(1, body);
            } else {
                return Some(0);
            }
        }
    }

    fn group(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        inner: &Rc<Node>,
        own: bool,
        redirects: &[Redirect],
    ) -> Option<i32> {
        if matches!(self.state, State::New) {
            let streams = match streams(sh, w, io, redirects, &mut Vec::new().into_iter()) {
                Ok(streams) => streams,
                Err(why) => {
                    sh.complain(io, &why);
                    return Some(1);
                }
            };
            let sub = Sub { exec: Exec::new(inner.clone()), shell: sh.clone() };
            self.state = State::Group(Box::new(sub), streams.map(Box::new));
        }
        let State::Group(sub, streams) = &mut self.state else { return Some(0) };
        if !own {
            // braces share the shell's variables
            std::mem::swap(&mut sub.shell, sh);
            let shell = if streams.is_some() { Some(sub.shell.clone()) } else { None };
            let status = match (streams, shell) {
                (Some(s), Some(outer)) => {
                    s.run(w, &outer, io, |w, io| sub.exec.poll(&mut sub.shell, w, io))
                }
                _ => sub.exec.poll(&mut sub.shell, w, io),
            };
            std::mem::swap(&mut sub.shell, sh);
            return status;
        }
        let Sub { exec, shell } = &mut **sub;
        match streams {
            Some(s) => s.run(w, sh, io, |w, io| exec.poll(shell, w, io)),
            None => exec.poll(shell, w, io),
        }
    }
}
