//! Compound commands: pipes, loops, groups, `case`, `[[ … ]]`, `((…))`.

use std::rc::Rc;

use super::simple::arguments;
use super::{ENDLESS, Exec, Stage, State, Sub};
use crate::kubectl::io::Io;
use crate::shell::expand::Results;
use crate::shell::parse::{Cond, Node, Redirect, Word};
use crate::shell::pattern::Pattern;
use crate::shell::streams::streams;
use crate::shell::{Flow, Shell, arithmetic, commands, expand};
use crate::value::Str;
use crate::world::World;

impl Exec {
    pub(super) fn pipe(
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
            let last = stages.last().and_then(|s| s.status);
            let failed = stages.iter().rev().filter_map(|s| s.status).find(|s| *s != 0);
            let status = if sh.pipefail { failed.or(last) } else { last };
            if let Some(first) = stages.into_iter().next() {
                io.stdin = first.io.stdin;
            }
            return status;
        }
        None
    }

    pub(super) fn for_loop(
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
            let given = words.unwrap_or_default();
            let mut values: Vec<Str> = match arguments(sh, w, io, given, &mut results) {
                Ok(words) => words.into_iter().map(Str::from).collect(),
                Err(why) => return Some(sh.complain(io, &why)),
            };
            if words.is_none() {
                values.clone_from(&sh.args);
            }
            let Some(first) = values.first() else { return Some(0) };
            sh.vars.insert(name.to_owned().into(), first.clone());
            self.state = State::Loop(values, 0, Box::new(Exec::new(body.clone())));
        }
        loop {
            if !w.terminals.turn(w.now) {
                sh.flow = Flow::Exit;
                sh.status = sh.complain(io, ENDLESS);
                return Some(sh.status);
            }
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

    pub(super) fn while_loop(
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
        loop {
            if !w.terminals.turn(w.now) {
                sh.flow = Flow::Exit;
                sh.status = sh.complain(io, ENDLESS);
                return Some(sh.status);
            }
            let State::Child(n, child) = &mut self.state else { return Some(0) };
            let n = *n;
            sh.loops += 1;
            sh.guard += u32::from(n == 0);
            let status = child.poll(sh, w, io);
            sh.guard -= u32::from(n == 0);
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

    /// Parts are numbered: 0 the beginning, 1 the test, 2 the step, 3 the body.
    pub(super) fn count_loop(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        three: &[Rc<Node>; 3],
        body: &Rc<Node>,
    ) -> Option<i32> {
        if matches!(self.state, State::New) {
            self.child(0, &three[0]);
        }
        loop {
            let State::Child(n, child) = &mut self.state else { return Some(0) };
            let n = *n;
            sh.guard += u32::from(n != 3);
            sh.loops += 1;
            let status = child.poll(sh, w, io);
            sh.loops -= 1;
            sh.guard -= u32::from(n != 3);
            let status = status?;
            match n {
                1 if status == 0 => self.child(3, body),
                1 => return Some(sh.status),
                3 => {
                    sh.status = status;
                    if sh.leaves_loop() {
                        return Some(status);
                    }
                    self.child(2, &three[2]);
                }
                _ => {
                    if sh.flow != Flow::None {
                        return Some(sh.status);
                    }
                    if !w.terminals.turn(w.now) {
                        sh.flow = Flow::Exit;
                        sh.status = sh.complain(io, ENDLESS);
                        return Some(sh.status);
                    }
                    self.child(1, &three[1]);
                }
            }
        }
    }

    pub(super) fn group(
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

    pub(super) fn case(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        word: &Word,
        arms: &[(Vec<Word>, Rc<Node>)],
    ) -> Option<i32> {
        if matches!(self.state, State::New | State::Expanding(..)) {
            let all: Vec<&Word> =
                std::iter::once(word).chain(arms.iter().flat_map(|(p, _)| p)).collect();
            let mut results = self.substitutions(sh, w, io, &all)?.into_iter();
            let chosen = match choose(sh, word, arms, &mut results) {
                Ok(chosen) => chosen,
                Err(why) => return Some(sh.complain(io, &why)),
            };
            let Some(body) = chosen else { return Some(0) };
            self.state = State::Arm(Box::new(Exec::new(body)));
        }
        let State::Arm(body) = &mut self.state else { return Some(0) };
        body.poll(sh, w, io)
    }

    pub(super) fn test(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        cond: &Cond,
    ) -> Option<i32> {
        let mut results = self.substitutions(sh, w, io, &cond.words())?.into_iter();
        Some(match holds(sh, w, io, cond, &mut results) {
            Ok(yes) => i32::from(!yes),
            Err(why) => {
                sh.complain(io, &why);
                2
            }
        })
    }

    pub(super) fn arithmetic(
        &mut self,
        sh: &mut Shell,
        w: &mut World,
        io: &mut Io,
        word: &Word,
    ) -> Option<i32> {
        let mut results = self.substitutions(sh, w, io, &[word])?.into_iter();
        let value = expand::text(sh, word, &mut results).and_then(|t| arithmetic::evaluate(sh, &t));
        Some(match value {
            Ok(v) => i32::from(v == 0),
            Err(why) => sh.complain(io, &format!("((: {why}")),
        })
    }
}

/// The arm of a `case` that fits.
fn choose(
    sh: &mut Shell,
    word: &Word,
    arms: &[(Vec<Word>, Rc<Node>)],
    results: &mut Results,
) -> Result<Option<Rc<Node>>, String> {
    let value = expand::text(sh, word, results)?;
    for (patterns, body) in arms {
        for p in patterns {
            let p = expand::pattern(sh, p, results)?;
            if expand::glob(&p, &value) {
                return Ok(Some(body.clone()));
            }
        }
    }
    Ok(None)
}

/// Is the condition met?
fn holds(
    sh: &mut Shell,
    w: &World,
    io: &mut Io,
    cond: &Cond,
    results: &mut Results,
) -> Result<bool, String> {
    match cond {
        Cond::Not(c) => Ok(!holds(sh, w, io, c, results)?),
        Cond::Both(a, and, b) => {
            let left = holds(sh, w, io, a, results)?;
            // both sides take their results
            let right = holds(sh, w, io, b, results)?;
            Ok(if *and { left && right } else { left || right })
        }
        Cond::Plain(words) => {
            if let [left, op, right] = words.as_slice() {
                let a = expand::text(sh, left, results)?;
                let op = expand::text(sh, op, results)?;
                match op.as_str() {
                    "==" | "=" | "!=" => {
                        let p = expand::pattern(sh, right, results)?;
                        return Ok(expand::glob(&p, &a) == (op != "!="));
                    }
                    "=~" => {
                        let re = expand::text(sh, right, results)?;
                        return matched(sh, &a, &re);
                    }
                    "<" => return Ok(a < expand::text(sh, right, results)?),
                    ">" => return Ok(a > expand::text(sh, right, results)?),
                    _ => {
                        let b = expand::text(sh, right, results)?;
                        return plain(sh, w, io, &[a, op, b]);
                    }
                }
            }
            let mut list = Vec::new();
            for word in words {
                list.push(expand::text(sh, word, results)?);
            }
            plain(sh, w, io, &list)
        }
    }
}

fn plain(sh: &Shell, w: &World, io: &mut Io, words: &[String]) -> Result<bool, String> {
    match commands::test(sh, w, io, words) {
        0 => Ok(true),
        1 => Ok(false),
        _ => Err(format!("conditional binary operator expected: {}", words.join(" "))),
    }
}

/// `=~`: what its groups match is kept in BASH_REMATCH.
fn matched(sh: &mut Shell, text: &str, re: &str) -> Result<bool, String> {
    let pattern = Pattern::new(re, true, false)?;
    let chars: Vec<char> = text.chars().collect();
    let found = pattern.find(&chars, 0);
    for n in 0..10 {
        sh.vars.remove(format!("BASH_REMATCH[{n}]").as_str());
    }
    let Some((from, to, groups)) = found else { return Ok(false) };
    let piece = |from: usize, to: usize| chars.get(from..to).unwrap_or_default().iter().collect();
    let whole: String = piece(from, to);
    sh.vars.insert("BASH_REMATCH".into(), whole.clone().into());
    sh.vars.insert("BASH_REMATCH[0]".into(), whole.into());
    // the pattern's own numbering of groups begins with 1 as well
    for (n, group) in groups.iter().enumerate().skip(1) {
        if let Some((a, b)) = group {
            let text: String = piece(*a, *b);
            sh.vars.insert(format!("BASH_REMATCH[{n}]").into(), text.into());
        }
    }
    Ok(true)
}
