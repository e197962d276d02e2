//! Commands that the shell itself knows, and which programs there are.

mod diff;
mod host;
mod print;
mod programs;
mod test;
mod wrappers;

use crate::api::time::{LONGEST, SECOND};
use crate::kubectl::args;
use crate::kubectl::io::{Io, Job, Run};
use crate::shell::kubectl::Kubectl;
use crate::shell::{Dialect, Flow, Lenient, Place, Script, Shell, text};
use crate::workload::Serves;
use crate::world::World;
use host::{HOST, known, ls};
pub use print::unescape;
use print::{echo, printf};
use programs::{Tee, copy, date, expr, seq, xargs};
pub use test::test;

/// What `clear` writes: the sequence that empties a terminal.
pub const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";

/// Starts a command with its arguments, the name first.
pub fn start(sh: &mut Shell, w: &mut World, io: &mut Io, argv: &[String]) -> Run {
    let Some((name, args)) = argv.split_first() else { return Run::Done(0) };
    let done = |code| Run::Done(code);
    match name.as_str() {
        ":" | "true" => done(0),
        "false" => done(1),
        "echo" => {
            io.print(echo(args));
            done(0)
        }
        "printf" => {
            io.print(printf(args));
            done(0)
        }
        "export" | "readonly" | "local" | "declare" => {
            for arg in args {
                if let Some((n, v)) = arg.split_once('=') {
                    sh.vars.insert(n.to_owned().into(), v.to_owned().into());
                }
            }
            done(0)
        }
        "unset" => {
            for arg in args {
                sh.vars.remove(arg.as_str());
            }
            done(0)
        }
        "set" => done(set(sh, io, args)),
        "shopt" | "hash" | "ulimit" | "umask" => done(0),
        "clear" => {
            io.print(CLEAR);
            done(0)
        }
        "trap" if sh.place == Place::Host => {
            io.err("not simulated: trap");
            done(1)
        }
        // what a container's script wants at its end shows nowhere
        "trap" => done(0),
        // k stands for kubectl as it is
        "alias" if args.iter().all(|a| a == "k=kubectl") => done(0),
        "alias" | "unalias" => {
            io.err(format!("not simulated: {name}: write a function"));
            done(1)
        }
        "let" => {
            let mut last = 0;
            for arg in args {
                match crate::shell::arithmetic::evaluate(sh, arg) {
                    Ok(v) => last = v,
                    Err(why) => return done(sh.complain(io, &format!("let: {why}"))),
                }
            }
            done(i32::from(last == 0))
        }
        "wait" | "jobs" | "fg" | "bg" if sh.place == Place::Host => {
            io.err(format!("not simulated: {name}: use another terminal"));
            done(1)
        }
        "wait" => done(0),
        "shift" => {
            if !sh.args.is_empty() {
                sh.args.remove(0);
            }
            done(0)
        }
        "exit" | "return" => {
            let code = args.first().and_then(|a| a.parse::<i32>().ok()).unwrap_or(sh.status);
            sh.flow = if name == "return" && sh.depth > 0 { Flow::Return } else { Flow::Exit };
            sh.status = code & 255;
            done(sh.status)
        }
        "break" | "continue" => {
            let n = args.first().and_then(|a| a.parse().ok()).unwrap_or(1);
            sh.flow = if name == "break" { Flow::Break(n) } else { Flow::Continue(n) };
            done(0)
        }
        "test" => done(test(sh, w, io, args)),
        "[" => match args.split_last() {
            Some((last, rest)) if last == "]" => done(test(sh, w, io, rest)),
            _ => {
                sh.complain(io, "[: missing `]'");
                done(2)
            }
        },
        "exec" => match start(sh, w, io, args) {
            Run::Done(code) if !args.is_empty() => {
                sh.flow = Flow::Exit;
                sh.status = code;
                done(code)
            }
            run => run,
        },
        "sleep" if args.iter().any(|a| a == "infinity") => Run::wait(Serves),
        "sleep" => sleep(sh, w, io, args),
        "sh" | "bash" | "ash" | "dash" | "/bin/sh" | "/bin/bash" if !matches!(&sh.place, Place::Container(c) if !c.has(w, name)) =>
        {
            let mut inner = sh.clone();
            inner.bash = name.ends_with("bash");
            shell(&mut inner, w, io, args)
        }
        "date" => done(date(w, io, args)),
        "seq" => done(seq(sh, io, args)),
        "expr" => done(expr(sh, io, args)),
        "dirname" => {
            let path = args.first().map_or("", |a| a.trim_end_matches('/'));
            io.line(match path.rsplit_once('/') {
                Some(("", _)) => "/",
                Some((dir, _)) => dir,
                None => ".",
            });
            done(0)
        }
        "basename" => {
            let base = args.first().map_or("", |a| a.trim_end_matches('/'));
            let base = base.rsplit('/').next().unwrap_or("");
            let end = args.get(1).map_or("", String::as_str);
            io.line(base.strip_suffix(end).filter(|b| !b.is_empty()).unwrap_or(base));
            done(0)
        }
        "xargs" => xargs(sh, args),
        "timeout" => wrappers::timeout(sh, w, io, args),
        "watch" => wrappers::watch(sh, w, io, args),
        "diff" => done(diff::diff(sh, w, io, args)),
        "command" | "type" if args.first().is_none_or(|a| a != "-p") => {
            known(sh, w, io, name, args)
        }
        "tee" => Run::wait(Tee { shell: sh.clone(), args: args.to_vec(), opened: false }),
        "nohup" | "tmux" | "screen" | "jobs" | "nc" | "ip" | "free" | "top" | "ps" | "df"
        | "mount" | "find" | "tar" | "openssl" | "sudo" | "getent" | "kustomize" | "etcdctl"
        | "redis-cli" | "ssh" | "minikube" | "docker" | "kind" | "helm" | "curl" | "wget"
        | "vi" | "vim" | "nano" | "python" | "python3" | "dig" | "nslookup" | "ping" | "mysql"
        | "git" | "yq" | "perl" | "less" | "more" | "apt" | "apt-get"
            if sh.place == Place::Host =>
        {
            io.err(format!("not simulated: {name}"));
            done(127)
        }
        _ => {
            if let Some(filter) = text::filter(sh, io, name, args) {
                return filter;
            }
            program(sh, w, io, name, args)
        }
    }
}

/// Programs that run until they are stopped.
const SERVERS: &[&str] = &[
    "nginx",
    "httpd",
    "apache2",
    "mysqld",
    "redis-server",
    "etcd",
    "postgres",
    "mongod",
    "docker-entrypoint.sh",
];

/// A program that only this place has.
fn program(sh: &mut Shell, w: &mut World, io: &mut Io, name: &str, args: &[String]) -> Run {
    if matches!(sh.place, Place::Container(_)) {
        let short = name.rsplit('/').next().unwrap_or(name);
        if sh.lenient != Lenient::Never && SERVERS.contains(&short) {
            return Run::wait(Serves);
        }
        if let Some(run) = crate::shell::container::program(sh, w, io, name, args) {
            return run;
        }
        if sh.lenient == Lenient::Never {
            let what =
                if sh.dialect() == Dialect::Bash { "command not found" } else { "not found" };
            sh.complain(io, &format!("{name}: {what}"));
            return Run::Done(127);
        }
        if let Place::Container(inside) = &sh.place
            && let Some(yes) = crate::workload::answered(w, &inside.pod, short, args)
        {
            return Run::Done(i32::from(!yes));
        }
        return match sh.lenient {
            Lenient::Serves => Run::wait(Serves),
            _ => Run::Done(0),
        };
    }
    match sh.place {
        Place::Container(_) => Run::Done(127),
        Place::Host => match name {
            "kubectl" | "k" => Run::wait(Kubectl::new(sh, args.to_vec())),
            "ls" => ls(sh, w, io, args),
            "env" | "printenv" => Run::Done(variables(sh, io, args)),
            "rm" => {
                let mut code = 0;
                let force = args.iter().any(|a| a.starts_with('-') && a.contains('f'));
                for file in args.iter().filter(|a| !a.starts_with('-')) {
                    let path = file.strip_prefix("./").unwrap_or(file);
                    if !w.terminals.unlink(path) && !force {
                        io.err(format!("rm: cannot remove '{file}': No such file or directory"));
                        code = 1;
                    }
                }
                Run::Done(code)
            }
            "pwd" => {
                io.line("/home/learner");
                Run::Done(0)
            }
            "whoami" => {
                io.line("learner");
                Run::Done(0)
            }
            "hostname" => {
                io.line("podium");
                Run::Done(0)
            }
            "cp" | "mv" => Run::Done(copy(w, io, args, name == "mv")),
            "touch" => {
                for file in args.iter().filter(|a| !a.starts_with('-')) {
                    if sh.place.read(w, io, file).is_err() {
                        // an empty file where none was; the place says what is no file's name
                        if let Err(why) = sh.place.write(w, file, "", false) {
                            io.err(format!("touch: cannot touch '{file}': {why}"));
                        }
                    }
                }
                Run::Done(0)
            }
            "history" => {
                let lines = w.terminal(sh.term).map(|t| t.entered.iter().filter(|e| !e.read));
                for (i, e) in lines.into_iter().flatten().enumerate() {
                    io.line(format!("{:5}  {}", i + 1, e.text));
                }
                Run::Done(0)
            }
            "cd" | "mkdir" | "chmod" => {
                io.err(format!("not simulated: {name}"));
                Run::Done(1)
            }
            "which" => {
                let mut code = 0;
                for a in args.iter().filter(|a| !a.starts_with('-')) {
                    if HOST.contains(&a.as_str()) || text::is_filter(a) {
                        io.line(format!("/usr/bin/{a}"));
                    } else {
                        code = 1;
                    }
                }
                Run::Done(code)
            }
            _ => {
                io.err(format!("{}: {name}: command not found", sh.name()));
                Run::Done(127)
            }
        },
    }
}

/// `printenv`: the values of the variables that are named, or all.
pub fn variables(sh: &Shell, io: &mut Io, names: &[String]) -> i32 {
    let mut code = 0;
    for name in names {
        match sh.vars.get(name.as_str()) {
            Some(value) => io.line(value),
            None => code = 1,
        }
    }
    if names.is_empty() {
        for (name, value) in &sh.vars {
            io.line(format!("{name}={value}"));
        }
    }
    code
}

/// `read`: gives a line of the input to variables; none while no line is there yet.
pub fn read(sh: &mut Shell, io: &mut Io, names: &[String]) -> Option<i32> {
    let end = match io.stdin.text.find('\n') {
        Some(i) => i + 1,
        None if io.stdin.open => return None,
        None if io.stdin.text.is_empty() => return Some(1),
        None => io.stdin.text.len(),
    };
    let line: String = io.stdin.text.drain(..end).collect();
    let reply = "REPLY".to_owned();
    let mut given = names.iter();
    let mut names: Vec<&String> = Vec::new();
    while let Some(word) = given.next() {
        if matches!(word.as_str(), "-p" | "-t" | "-n" | "-d") {
            given.next();
        } else if !word.starts_with('-') {
            names.push(word);
        }
    }
    if names.is_empty() {
        names.push(&reply);
    }
    let mut rest = line.trim();
    for (i, name) in names.iter().enumerate() {
        let value = if i + 1 == names.len() {
            std::mem::take(&mut rest)
        } else {
            let (word, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            rest = tail.trim_start();
            word
        };
        sh.vars.insert((*name).into(), value.to_owned().into());
    }
    Some(0)
}

/// `set`: the options that change what happens here.
fn set(sh: &mut Shell, io: &mut Io, args: &[String]) -> i32 {
    let mut args = args.iter();
    if args.len() == 0 {
        for (name, value) in &sh.vars {
            io.line(format!("{name}='{value}'"));
        }
    }
    while let Some(arg) = args.next() {
        if arg == "--" {
            sh.args = args.map(|a| a.clone().into()).collect();
            return 0;
        }
        let on = arg.starts_with('-');
        let Some(letters) = arg.strip_prefix(['-', '+']) else {
            sh.args = std::iter::once(arg).chain(args).map(|a| a.clone().into()).collect();
            return 0;
        };
        for c in letters.chars() {
            match c {
                'e' => sh.errexit = on,
                'x' => sh.xtrace = on,
                'o' => match args.next().map(String::as_str) {
                    Some("errexit") => sh.errexit = on,
                    Some("xtrace") => sh.xtrace = on,
                    Some("pipefail") => sh.pipefail = on,
                    _ => {}
                },
                _ => {}
            }
        }
    }
    0
}

/// Time that passes.
#[derive(Clone)]
struct Sleep {
    until: u64,
}

impl Job for Sleep {
    fn poll(&mut self, w: &mut World, _io: &mut Io) -> Option<i32> {
        (w.now >= self.until).then_some(0)
    }
}

fn sleep(sh: &Shell, w: &mut World, io: &mut Io, list: &[String]) -> Run {
    let mut total = 0_u64;
    for arg in list {
        let parsed = match arg.parse::<f64>() {
            Ok(seconds) if seconds >= 0.0 && seconds.is_finite() => {
                Some((seconds * SECOND as f64) as u64)
            }
            Ok(_) => None,
            Err(_) if arg.ends_with('d') => arg
                .trim_end_matches('d')
                .parse::<u64>()
                .ok()
                .map(|d| d.saturating_mul(86_400 * SECOND)),
            Err(_) => args::duration(arg).ok().and_then(|d| u64::try_from(d).ok()),
        };
        let Some(t) = parsed else {
            io.err(format!("sleep: invalid time interval '{arg}'"));
            return Run::Done(1);
        };
        total = total.saturating_add(t);
    }
    if list.is_empty() {
        io.err("sleep: missing operand");
        return Run::Done(1);
    }
    let total = total.min(LONGEST);
    // a loop that sleeps never ends by itself
    w.wake_terminal(sh.term, total, sh.loops > 0);
    Run::wait(Sleep { until: w.now + total })
}

/// Runs a text in this very shell's place, with arguments of its own.
fn script(sh: &Shell, io: &mut Io, t: &str, args: &[String]) -> Run {
    let mut inner = sh.clone();
    inner.args = args.iter().map(|a| a.clone().into()).collect();
    inner.flow = Flow::None;
    match Script::new(inner, io, t, false) {
        Ok(script) => Run::wait(script),
        Err(code) => Run::Done(code),
    }
}

/// `sh -c text`, `sh file`, `sh` with text from its input.
fn shell(sh: &mut Shell, w: &mut World, io: &mut Io, args: &[String]) -> Run {
    let mut rest = args;
    let mut own = sh.clone();
    own.functions.clear();
    own.guard = 0;
    own.interactive = false;
    own.line = 1;
    let sh = &mut own;
    while let Some((first, tail)) = rest.split_first() {
        if first.starts_with('-') {
            sh.errexit |= first.contains('e') && !first.starts_with("--");
            sh.xtrace |= first.contains('x') && !first.starts_with("--");
        }
        if first.starts_with('-') && first.contains('c') && !first.starts_with("--") {
            let Some((t, more)) = tail.split_first() else {
                io.err(format!("{}: -c: option requires an argument", sh.name()));
                return Run::Done(2);
            };
            return script(sh, io, t, more.get(1..).unwrap_or_default());
        }
        if !first.starts_with('-') {
            let file = first.clone();
            return match sh.place.read(w, io, &file) {
                Ok(t) => script(sh, io, &t, tail),
                Err(why) => {
                    io.err(format!("{}: {file}: {why}", sh.name()));
                    Run::Done(127)
                }
            };
        }
        rest = tail;
    }
    Run::wait(FromInput { shell: sh.clone(), running: None, prompt: None, asked: false, next: 1 })
}

/// A shell that runs what its input says, line by line.
#[derive(Clone)]
pub struct FromInput {
    /// The shell.
    pub shell: Shell,
    /// The line that runs.
    pub running: Option<Box<super::exec::Exec>>,
    /// What it asks with, on a terminal.
    pub prompt: Option<String>,
    /// Has it asked for the line that it waits for?
    pub asked: bool,
    /// Number of the next line.
    pub next: usize,
}

impl Job for FromInput {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        loop {
            if let Some(exec) = &mut self.running {
                self.shell.status = exec.poll(&mut self.shell, w, io)?;
                self.running = None;
                if self.shell.flow == Flow::Exit {
                    return Some(self.shell.status);
                }
                self.shell.flow = Flow::None;
            }
            // as many lines as make a whole command
            let mut end = 0;
            loop {
                match io.stdin.text.get(end..).and_then(|t| t.find('\n')) {
                    Some(i) => end += i + 1,
                    None if io.stdin.open => {
                        if let Some(prompt) = self.prompt.as_ref().filter(|_| !self.asked) {
                            io.print(if end == 0 { prompt.as_str() } else { "> " });
                            self.asked = true;
                        }
                        return None;
                    }
                    None => end = io.stdin.text.len(),
                }
                self.asked = false;
                let t = io.stdin.text.get(..end).unwrap_or("");
                if end == io.stdin.text.len() && !io.stdin.open || !super::is_open(t) {
                    break;
                }
            }
            if end == 0 {
                return Some(self.shell.status);
            }
            let t: String = io.stdin.text.drain(..end).collect();
            self.shell.line = self.next;
            self.next += t.lines().count();
            match super::parse::parse(&t) {
                Ok(node) => {
                    self.running = Some(Box::new(super::exec::Exec::new(node.into())));
                }
                Err(_) => match Script::new(self.shell.clone(), io, &t, false) {
                    Ok(_) => {}
                    Err(code) => self.shell.status = code,
                },
            }
        }
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        if let Some(exec) = &mut self.running {
            exec.interrupt(w, io);
        }
    }

    fn reads_terminal(&self) -> bool {
        self.running.as_ref().is_none_or(|e| e.reads())
    }
}
