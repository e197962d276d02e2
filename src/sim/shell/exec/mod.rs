//! Runs parsed commands as a state machine that is a value.

mod compound;
mod simple;

use std::rc::Rc;

use crate::api::time::MS;
use crate::kubectl::io::{Io, Job};
use crate::shell::parse::Node;
use crate::shell::streams::Streams;
use crate::shell::{Flow, Shell};
use crate::value::Str;
use crate::world::World;

/// What is said of a loop in which no time passes.
const ENDLESS: &str = "not simulated: a loop without end in which no time passes";

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
    /// A function, `eval` or `source`: its commands, the arguments to go back to, streams.
    Call(Box<Exec>, Option<Vec<Str>>, Option<Box<Streams>>),
    /// `time`: since when, what.
    Timed(u64, Box<Exec>),
    /// A `case` whose arm was found.
    Arm(Box<Exec>),
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
        let status = self.run(sh, w, io)?;
        // `set -e`: a command that fails ends the shell, unless somebody looks at its status
        let counts = match &*self.node {
            Node::Simple { .. } | Node::Test(_) | Node::Arithmetic(_) => true,
            Node::Pipe(_, not) => !not,
            Node::Group(_, own, _) => *own,
            _ => false,
        };
        if status != 0 && counts && sh.errexit && sh.guard == 0 && sh.flow == Flow::None {
            sh.flow = Flow::Exit;
            sh.status = status;
        }
        Some(status)
    }

    fn run(&mut self, sh: &mut Shell, w: &mut World, io: &mut Io) -> Option<i32> {
        let node = self.node.clone();
        match &*node {
            Node::Simple { assign, words, redirects } => {
                self.simple(sh, w, io, assign, words, redirects)
            }
            Node::Pipe(stages, not) => {
                sh.guard += u32::from(*not);
                let status = self.pipe(sh, w, io, stages);
                sh.guard -= u32::from(*not);
                let status = status?;
                Some(if *not { i32::from(status == 0) } else { status })
            }
            Node::AndOr(left, and, right) => {
                if matches!(self.state, State::New) {
                    self.child(0, left);
                }
                loop {
                    let State::Child(n, child) = &mut self.state else { return Some(0) };
                    let n = *n;
                    sh.guard += u32::from(n == 0);
                    let status = child.poll(sh, w, io);
                    sh.guard -= u32::from(n == 0);
                    let status = status?;
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
            Node::Count(three, body) => self.count_loop(sh, w, io, three, body),
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
                    let asks = n % 2 == 0 && n < 2 * arms.len();
                    sh.guard += u32::from(asks);
                    let status = child.poll(sh, w, io);
                    sh.guard -= u32::from(asks);
                    let status = status?;
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
            Node::Case(word, arms) => self.case(sh, w, io, word, arms),
            Node::Function(name, body) => {
                sh.functions.insert(name.clone().into(), body.clone());
                Some(0)
            }
            Node::Test(cond) => self.test(sh, w, io, cond),
            Node::Arithmetic(word) => self.arithmetic(sh, w, io, word),
            Node::Time(inner) => {
                if matches!(self.state, State::New) {
                    self.state = State::Timed(w.now, Box::new(Exec::new(inner.clone())));
                }
                let State::Timed(since, child) = &mut self.state else { return Some(0) };
                let since = *since;
                let status = child.poll(sh, w, io)?;
                let ms = w.now.saturating_sub(since) / MS;
                let show =
                    |ms: u64| format!("{}m{}.{:03}s", ms / 60_000, ms / 1000 % 60, ms % 1000);
                io.err(format!("\nreal\t{}\nuser\t{}\nsys\t{}", show(ms), show(0), show(0)));
                Some(status)
            }
        }
    }

    fn child(&mut self, n: usize, node: &Rc<Node>) {
        self.state = State::Child(n, Box::new(Exec::new(node.clone())));
    }

    /// `^C`.
    pub fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        match &mut self.state {
            State::Running(job, _) => job.interrupt(w, io),
            State::Child(_, e)
            | State::Loop(_, _, e)
            | State::Call(e, ..)
            | State::Timed(_, e)
            | State::Arm(e) => e.interrupt(w, io),
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
            State::Child(_, e) | State::Loop(_, _, e) | State::Timed(_, e) | State::Arm(e) => {
                e.reads()
            }
            State::Call(e, _, streams) => {
                streams.as_ref().is_none_or(|s| s.shared_input) && e.reads()
            }
            State::Group(sub, _) => sub.exec.reads(),
            State::Pipe(stages) => {
                stages.first().is_some_and(|s| s.status.is_none() && s.sub.exec.reads())
            }
            State::Read(_) => true,
            State::New | State::Expanding(..) => false,
        }
    }
}
