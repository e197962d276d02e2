//! date, seq, cp, mv, xargs, tee.

use crate::api::time::SECOND;
use crate::kubectl::io::{Io, Job, Run};
use crate::shell::Shell;
use crate::world::World;

/// `date`, in UTC.
pub(super) fn date(w: &World, io: &mut Io, args: &[String]) -> i32 {
    let rfc = crate::api::time::rfc1123(w.now);
    // Mon, 05 Jan 2026 09:00:03 +0000
    let words: Vec<&str> = rfc.split([' ', ',']).filter(|s| !s.is_empty()).collect();
    let word = |i: usize| words.get(i).copied().unwrap_or("");
    let stamp = crate::api::time::rfc3339(w.now);
    let part = |r: std::ops::Range<usize>| stamp.get(r).unwrap_or("").to_owned();
    match args.iter().find_map(|a| a.strip_prefix('+')) {
        None => io.line(format!(
            "{} {} {:>2} {} UTC {}",
            word(0),
            word(2),
            word(1).trim_start_matches('0'),
            word(4),
            word(3)
        )),
        Some(format) => {
            let mut out = String::new();
            let mut chars = format.chars();
            while let Some(c) = chars.next() {
                if c != '%' {
                    out.push(c);
                    continue;
                }
                match chars.next() {
                    Some('Y') => out.push_str(&part(0..4)),
                    Some('m') => out.push_str(&part(5..7)),
                    Some('d') => out.push_str(&part(8..10)),
                    Some('H') => out.push_str(&part(11..13)),
                    Some('M') => out.push_str(&part(14..16)),
                    Some('S') => out.push_str(&part(17..19)),
                    Some('F') => out.push_str(&part(0..10)),
                    Some('T') => out.push_str(&part(11..19)),
                    Some('s') => {
                        out.push_str(&(crate::api::time::EPOCH + w.now / SECOND).to_string());
                    }
                    Some('Z') => out.push_str("UTC"),
                    Some(c) => {
                        out.push('%');
                        out.push(c);
                    }
                    None => out.push('%'),
                }
            }
            io.line(out);
        }
    }
    0
}

/// `cp` and `mv` of one file of the learner's folder.
pub(super) fn copy(w: &mut World, io: &mut Io, args: &[String], moves: bool) -> i32 {
    let name = if moves { "mv" } else { "cp" };
    let mut paths = args.iter().filter(|a| !a.starts_with('-'));
    let plain = |p: &String| p.strip_prefix("./").unwrap_or(p).to_owned();
    let (Some(from), Some(to), None) = (paths.next(), paths.next(), paths.next()) else {
        io.err(format!("{name}: not simulated: anything but one file to another name"));
        return 1;
    };
    let (from, to) = (plain(from), plain(to));
    let Some(content) = w.terminals.files.get(from.as_str()).cloned() else {
        io.err(format!("{name}: cannot stat '{from}': No such file or directory"));
        return 1;
    };
    if to.is_empty() || to.ends_with('/') || to == "." {
        io.err(format!("{name}: not simulated: folders"));
        return 1;
    }
    if from == to {
        io.err(format!("{name}: '{from}' and '{to}' are the same file"));
        return 1;
    }
    w.terminals.write(to.into(), content);
    if moves {
        w.terminals.unlink(&from);
    }
    0
}

pub(super) fn seq(sh: &Shell, io: &mut Io, args: &[String]) -> i32 {
    let numbers: Option<Vec<i64>> = args.iter().map(|a| a.parse().ok()).collect();
    let (first, step, last) = match numbers.as_deref() {
        Some([last]) => (1, 1, *last),
        Some([first, last]) => (*first, 1, *last),
        Some([first, step, last]) if *step != 0 => (*first, *step, *last),
        _ => return sh.complain(io, "seq: not simulated: these arguments"),
    };
    let mut n = first;
    let mut left = 100_000;
    while (step > 0 && n <= last || step < 0 && n >= last) && left > 0 {
        io.line(n.to_string());
        n = n.saturating_add(step);
        left -= 1;
    }
    0
}

/// `expr`, of whole numbers.
pub(super) fn expr(sh: &mut Shell, io: &mut Io, args: &[String]) -> i32 {
    let known = |a: &String| {
        a.parse::<i64>().is_ok() || "+ - * / % ( ) < > <= >= !=".split(' ').any(|o| o == a)
    };
    if args.iter().all(known)
        && let Ok(value) = crate::shell::arithmetic::evaluate(sh, &args.join(" "))
    {
        io.line(value.to_string());
        return i32::from(value == 0);
    }
    io.err("expr: not simulated: anything but whole numbers");
    2
}

/// `xargs`: collects its input, then runs the command with it.
#[derive(Clone)]
struct Xargs {
    shell: Shell,
    words: Vec<String>,
    replace: Option<String>,
    most: usize,
    none: bool,
    queue: Option<Vec<Vec<String>>>,
    job: Option<Box<dyn Job>>,
    status: i32,
}

pub(super) fn xargs(sh: &Shell, args: &[String]) -> Run {
    let mut job = Xargs {
        shell: sh.clone(),
        words: Vec::new(),
        replace: None,
        most: usize::MAX,
        none: false,
        queue: None,
        job: None,
        status: 0,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if let Some(rest) = arg.strip_prefix("-n") {
            let n = if rest.is_empty() { args.next().map_or("", String::as_str) } else { rest };
            job.most = n.parse().unwrap_or(1).max(1);
        } else if let Some(rest) = arg.strip_prefix("-I") {
            let mark =
                if rest.is_empty() { args.next().map_or("{}", String::as_str) } else { rest };
            job.replace = Some(mark.to_owned());
        } else if arg == "-r" || arg == "--no-run-if-empty" {
            job.none = true;
        } else if arg.starts_with('-') {
            // -t, -0 and the like change nothing here
        } else {
            job.words = std::iter::once(arg).chain(args).cloned().collect();
            break;
        }
    }
    if job.words.is_empty() {
        job.words.push("echo".to_owned());
    }
    Run::wait(job)
}

impl Job for Xargs {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        if self.queue.is_none() {
            if io.stdin.open {
                return None;
            }
            let input = std::mem::take(&mut io.stdin.text);
            let mut queue: Vec<Vec<String>> = match &self.replace {
                Some(mark) => input
                    .lines()
                    .filter(|l| !l.trim().is_empty())
                    .map(|l| self.words.iter().map(|word| word.replace(mark, l.trim())).collect())
                    .collect(),
                None => {
                    let items: Vec<String> = input
                        .split_whitespace()
                        .map(|i| i.trim_matches(['"', '\'']).to_owned())
                        .collect();
                    let with = |c: &[String]| self.words.iter().chain(c).cloned().collect();
                    if items.is_empty() && !self.none {
                        vec![self.words.clone()]
                    } else {
                        items.chunks(self.most.min(items.len().max(1))).map(with).collect()
                    }
                }
            };
            queue.reverse();
            self.queue = Some(queue);
        }
        loop {
            if let Some(job) = &mut self.job {
                let code = job.poll(w, io)?;
                self.job = None;
                if code != 0 {
                    self.status = 123;
                }
            }
            let Some(argv) = self.queue.as_mut().and_then(Vec::pop) else {
                return Some(self.status);
            };
            let mut shell = self.shell.clone();
            match shell.start(w, io, &argv) {
                Run::Done(0) => {}
                Run::Done(127) => return Some(127),
                Run::Done(_) => self.status = 123,
                Run::Wait(job) => self.job = Some(job),
            }
        }
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        if let Some(job) = &mut self.job {
            job.interrupt(w, io);
        }
    }
}

/// `tee`: its input to files and on.
#[derive(Clone)]
pub(super) struct Tee {
    pub(super) shell: Shell,
    pub(super) args: Vec<String>,
    pub(super) opened: bool,
}

impl Job for Tee {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let t = std::mem::take(&mut io.stdin.text);
        let append = self.opened || self.args.iter().any(|a| a == "-a");
        self.opened = true;
        for path in self.args.iter().filter(|a| !a.starts_with('-')) {
            if let Err(why) = self.shell.place.write(w, path, &t, append) {
                io.err(format!("tee: {path}: {why}"));
            }
        }
        io.print(t);
        (!io.stdin.open).then_some(0)
    }
}
