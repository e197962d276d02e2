//! Programs that read text and write text: cat, grep, head, tail, cut, wc, sort, uniq, awk,
//! sed, tr, jq.

use crate::base64;
use crate::kubectl::io::{Io, Job, Run};
use crate::shell::follow::Follow;
use crate::shell::pattern::Pattern;
use crate::shell::{Shell, jq};
use crate::world::World;

/// A program.
struct Program {
    name: &'static str,
    /// Letters of options that take a value.
    valued: &'static str,
    /// Number of arguments that are no files.
    operands: usize,
    /// Can it work on each line as it comes?
    by_line: bool,
    run: fn(&Call, &str, &mut Io) -> i32,
}

const PROGRAMS: &[Program] = &[
    Program { name: "cat", valued: "", operands: 0, by_line: true, run: cat },
    Program { name: "grep", valued: "eABCm", operands: 1, by_line: true, run: grep },
    Program { name: "egrep", valued: "eABCm", operands: 1, by_line: true, run: grep },
    Program { name: "head", valued: "nc", operands: 0, by_line: false, run: head },
    Program { name: "tail", valued: "nc", operands: 0, by_line: false, run: tail },
    Program { name: "cut", valued: "dfc", operands: 0, by_line: true, run: cut },
    Program { name: "wc", valued: "", operands: 0, by_line: false, run: wc },
    Program { name: "sort", valued: "kt", operands: 0, by_line: false, run: sort },
    Program { name: "uniq", valued: "", operands: 0, by_line: false, run: uniq },
    Program { name: "awk", valued: "Fv", operands: 1, by_line: false, run: awk },
    Program { name: "sed", valued: "e", operands: 1, by_line: false, run: sed },
    Program { name: "tr", valued: "", operands: 9, by_line: true, run: tr },
    Program { name: "tac", valued: "", operands: 0, by_line: false, run: tac },
    Program { name: "rev", valued: "", operands: 0, by_line: true, run: rev },
    Program { name: "jq", valued: "", operands: 1, by_line: false, run: run_jq },
    Program { name: "base64", valued: "w", operands: 0, by_line: false, run: run_base64 },
];

/// How a program was called.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    options: Vec<(char, String)>,
    operands: Vec<String>,
}

impl Call {
    fn on(&self, c: char) -> bool {
        self.options.iter().any(|(o, _)| *o == c)
    }

    fn get(&self, c: char) -> Option<&str> {
        self.options.iter().rev().find(|(o, _)| *o == c).map(|(_, v)| v.as_str())
    }

    fn operand(&self, n: usize) -> &str {
        self.operands.get(n).map_or("", String::as_str)
    }
}

/// Is there a program of that name here?
pub fn is_filter(name: &str) -> bool {
    PROGRAMS.iter().any(|p| p.name == name)
}

/// Starts a program of that name, if there is one.
pub fn filter(sh: &Shell, io: &mut Io, name: &str, args: &[String]) -> Option<Run> {
    let program = PROGRAMS.iter().find(|p| p.name == name)?;
    let mut call = Call::default();
    let mut files = Vec::new();
    let mut args = args.iter();
    let mut only_files = false;
    while let Some(arg) = args.next() {
        if arg == "--" && !only_files {
            only_files = true;
        } else if arg.len() > 1 && arg.starts_with('-') && !only_files && !arg.starts_with("--") {
            // head -5, tail -5
            if arg.bytes().skip(1).all(|b| b.is_ascii_digit()) {
                call.options.push(('n', arg[1..].to_owned()));
                continue;
            }
            let mut letters = arg[1..].chars();
            while let Some(c) = letters.next() {
                if program.valued.contains(c) {
                    let rest: String = letters.collect();
                    let value = if rest.is_empty() {
                        args.next().cloned().unwrap_or_default()
                    } else {
                        rest
                    };
                    call.options.push((c, value));
                    break;
                }
                call.options.push((c, String::new()));
            }
        } else if let Some(long) = arg.strip_prefix("--").filter(|_| !only_files) {
            let (long, value) = long.split_once('=').unwrap_or((long, ""));
            let letter = match long {
                "lines" => 'n',
                "ignore-case" => 'i',
                "invert-match" => 'v',
                "count" => 'c',
                "quiet" | "silent" => 'q',
                "extended-regexp" => 'E',
                "only-matching" => 'o',
                "raw-output" => 'r',
                "compact-output" => 'c',
                "decode" => 'd',
                "unique" => 'u',
                "reverse" => 'r',
                "line-buffered" | "color" => continue,
                _ => {
                    io.err(format!("{name}: not simulated: --{long}"));
                    return Some(Run::Done(2));
                }
            };
            call.options.push((letter, value.to_owned()));
        } else if call.operands.len() < program.operands
            && !(call.on('e') && matches!(name, "grep" | "egrep" | "sed"))
        {
            call.operands.push(arg.clone());
        } else {
            files.push(arg.clone());
        }
    }
    if name == "egrep" {
        call.options.push(('E', String::new()));
    }
    if matches!(name, "grep" | "egrep" | "sed" | "awk") && call.operands.is_empty() && !call.on('e')
    {
        io.err(format!("usage: {name} PATTERN [FILE]..."));
        return Some(Run::Done(2));
    }
    if name == "jq" && call.operands.is_empty() {
        call.operands.push(".".to_owned());
    }
    if name == "tail" && !files.is_empty() && (call.on('f') || call.on('F')) {
        return Some(Run::wait(Follow::new(sh, call, files)));
    }
    Some(Run::wait(Filter { shell: sh.clone(), program, call, files, status: None }))
}

/// A program that runs.
#[derive(Clone)]
struct Filter {
    shell: Shell,
    program: &'static Program,
    call: Call,
    files: Vec<String>,
    status: Option<i32>,
}

impl Job for Filter {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let name = self.program.name;
        if !self.files.is_empty() {
            if name == "sed" && self.call.on('i') {
                return Some(self.in_place(w, io));
            }
            let mut status = 0;
            let mut all = String::new();
            for file in &self.files {
                if file == "-" {
                    all.push_str(&std::mem::take(&mut io.stdin.text));
                    continue;
                }
                match self.shell.place.read(w, io, file) {
                    Ok(t) => all.push_str(&t),
                    Err(why) => {
                        match name {
                            "head" | "tail" => {
                                io.err(format!("{name}: cannot open '{file}' for reading: {why}"));
                            }
                            "sed" => io.err(format!("sed: can't read {file}: {why}")),
                            _ => io.err(format!("{name}: {file}: {why}")),
                        }
                        status = if matches!(name, "grep" | "egrep" | "sed") { 2 } else { 1 };
                    }
                }
            }
            if status != 0 && all.is_empty() {
                return Some(status);
            }
            let code = (self.program.run)(&self.call, &all, io);
            return Some(if status == 0 { code } else { status });
        }
        let open = io.stdin.open;
        if self.program.by_line && open {
            let end = io.stdin.text.rfind('\n')?;
            let t: String = io.stdin.text.drain(..=end).collect();
            let code = (self.program.run)(&self.call, &t, io);
            self.status = Some(self.status.map_or(code, |s| s.min(code)));
            // grep -q and grep -m end when they have found enough
            if code == 0 && self.call.on('q') {
                return Some(0);
            }
            return None;
        }
        if open && name == "head" {
            let n: usize = self.call.get('n').and_then(|n| n.parse().ok()).unwrap_or(10);
            if io.stdin.text.matches('\n').count() < n {
                return None;
            }
        } else if open {
            return None;
        }
        let t = std::mem::take(&mut io.stdin.text);
        if t.is_empty()
            && let Some(status) = self.status
        {
            return Some(status);
        }
        let code = (self.program.run)(&self.call, &t, io);
        Some(self.status.map_or(code, |s| s.min(code)))
    }

    fn reads_terminal(&self) -> bool {
        self.files.is_empty()
    }
}

impl Filter {
    /// `sed -i`: each file is written anew.
    fn in_place(&self, w: &mut World, io: &mut Io) -> i32 {
        for file in &self.files {
            let done = self.shell.place.read(w, io, file).and_then(|t| {
                let mut out = Io::new(io.term);
                let code = (self.program.run)(&self.call, &t, &mut out);
                let text: String = out.out.iter().map(|c| c.text.as_str()).collect();
                if code == 0 {
                    return self.shell.place.write(w, file, &text, false).map(|()| 0);
                }
                io.out.append(&mut out.out);
                Ok(code)
            });
            match done {
                Ok(0) => {}
                Ok(code) => return code,
                Err(why) => {
                    io.err(format!("sed: can't read {file}: {why}"));
                    return 2;
                }
            }
        }
        0
    }
}

fn cat(_: &Call, t: &str, io: &mut Io) -> i32 {
    io.print(t);
    0
}

fn grep(call: &Call, t: &str, io: &mut Io) -> i32 {
    let mut patterns = Vec::new();
    let texts: Vec<&str> = if call.on('e') {
        call.options.iter().filter(|(o, _)| *o == 'e').map(|(_, v)| v.as_str()).collect()
    } else {
        vec![call.operand(0)]
    };
    for s in texts {
        let s = if call.on('x') { format!("^{s}$") } else { s.to_owned() };
        let p = if call.on('F') {
            Ok(Pattern::fixed(&s, call.on('i')))
        } else if call.on('w') {
            let words = format!("(^|[^[:alnum:]_])({s})([^[:alnum:]_]|$)");
            Pattern::new(&words, true, call.on('i'))
        } else {
            Pattern::new(&s, call.on('E') || call.on('P'), call.on('i'))
        };
        match p {
            Ok(p) => patterns.push(p),
            Err(why) => {
                io.err(format!("grep: {why}"));
                return 2;
            }
        }
    }
    let number = |c: char| call.get(c).and_then(|n| n.parse::<usize>().ok());
    let around = number('C').unwrap_or(0);
    let after = number('A').unwrap_or(around);
    let before = number('B').unwrap_or(around);
    let most = number('m').unwrap_or(usize::MAX);
    let lines: Vec<&str> = t.lines().collect();
    let hits: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, l)| patterns.iter().any(|p| p.matches(l)) != call.on('v'))
        .map(|(i, _)| i)
        .take(most)
        .collect();
    if call.on('q') {
        // nothing is printed
    } else if call.on('c') {
        io.line(hits.len().to_string());
    } else if call.on('o') {
        for i in &hits {
            let chars: Vec<char> = lines.get(*i).unwrap_or(&"").chars().collect();
            let mut from = 0;
            while let Some((a, b, _)) = patterns.first().and_then(|p| p.find(&chars, from)) {
                if b > a {
                    io.line(chars.get(a..b).unwrap_or_default().iter().collect::<String>());
                }
                from = b.max(a + 1);
                if from > chars.len() {
                    break;
                }
            }
        }
    } else {
        let mut next = 0;
        for i in &hits {
            let from = i.saturating_sub(before).max(next);
            if from > next && next > 0 && (after > 0 || before > 0) {
                io.line("--");
            }
            let to = i.saturating_add(after).min(lines.len().saturating_sub(1));
            for n in from..=to {
                if let Some(line) = lines.get(n) {
                    if call.on('n') {
                        io.line(format!("{}:{line}", n + 1));
                    } else {
                        io.line(line);
                    }
                }
            }
            next = next.max(to + 1);
        }
    }
    i32::from(hits.is_empty())
}

fn head(call: &Call, t: &str, io: &mut Io) -> i32 {
    if let Some(c) = call.get('c').and_then(|c| c.parse::<usize>().ok()) {
        io.print(t.chars().take(c).collect::<String>());
        return 0;
    }
    let n = call.get('n').unwrap_or("10");
    let lines: Vec<&str> = t.split_inclusive('\n').collect();
    let take = match n.strip_prefix('-') {
        Some(less) => lines.len().saturating_sub(less.parse().unwrap_or(0)),
        None => n.parse().unwrap_or(10),
    };
    io.print(lines.iter().take(take).copied().collect::<String>());
    0
}

pub(super) fn tail(call: &Call, t: &str, io: &mut Io) -> i32 {
    let n = call.get('n').unwrap_or("10");
    let lines: Vec<&str> = t.split_inclusive('\n').collect();
    let skip = match n.strip_prefix('+') {
        Some(from) => from.parse::<usize>().unwrap_or(1).saturating_sub(1),
        None => lines.len().saturating_sub(n.parse().unwrap_or(10)),
    };
    io.print(lines.iter().skip(skip).copied().collect::<String>());
    0
}

/// `1,3-4,6-` as a test.
fn ranges(list: &str) -> impl Fn(usize) -> bool {
    let ranges: Vec<(usize, usize)> = list
        .split(',')
        .map(|r| match r.split_once('-') {
            Some((a, b)) => (a.parse().unwrap_or(1), b.parse().unwrap_or(usize::MAX)),
            None => {
                let n = r.parse().unwrap_or(0);
                (n, n)
            }
        })
        .collect();
    move |n| ranges.iter().any(|(a, b)| (*a..=*b).contains(&n))
}

fn cut(call: &Call, t: &str, io: &mut Io) -> i32 {
    if let Some(list) = call.get('c') {
        let wanted = ranges(list);
        for line in t.lines() {
            let kept: String =
                line.chars().enumerate().filter(|(i, _)| wanted(i + 1)).map(|(_, c)| c).collect();
            io.line(kept);
        }
        return 0;
    }
    let Some(list) = call.get('f') else {
        io.err("cut: you must specify a list of bytes, characters, or fields");
        return 1;
    };
    let wanted = ranges(list);
    let delimiter = call.get('d').unwrap_or("\t");
    for line in t.lines() {
        if !line.contains(delimiter) || delimiter.is_empty() {
            if !call.on('s') {
                io.line(line);
            }
            continue;
        }
        let kept: Vec<&str> = line
            .split(delimiter)
            .enumerate()
            .filter(|(i, _)| wanted(i + 1))
            .map(|(_, f)| f)
            .collect();
        io.line(kept.join(delimiter));
    }
    0
}

fn wc(call: &Call, t: &str, io: &mut Io) -> i32 {
    let lines = t.matches('\n').count();
    let words = t.split_whitespace().count();
    let all = [('l', lines), ('w', words), ('c', t.len()), ('m', t.chars().count())];
    let wanted: Vec<String> =
        all.iter().filter(|(c, _)| call.on(*c)).map(|(_, n)| n.to_string()).collect();
    if wanted.is_empty() {
        io.line(format!("{lines:7} {words:7} {:7}", t.len()));
    } else {
        io.line(wanted.join(" "));
    }
    0
}

fn sort(call: &Call, t: &str, io: &mut Io) -> i32 {
    let mut lines: Vec<&str> = t.lines().collect();
    let field = call
        .get('k')
        .and_then(|k| k.split([',', '.']).next())
        .and_then(|k| k.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<usize>().ok());
    let numeric = call.on('n') || call.get('k').is_some_and(|k| k.contains('n'));
    let reverse = call.on('r') || call.get('k').is_some_and(|k| k.contains('r'));
    let part = |line: &str| -> String {
        match (field, call.get('t')) {
            (None, _) => line.to_owned(),
            (Some(n), Some(t)) => line.split(t).skip(n.max(1) - 1).collect::<Vec<_>>().join(t),
            (Some(n), None) => {
                line.split_whitespace().skip(n.max(1) - 1).collect::<Vec<_>>().join(" ")
            }
        }
    };
    let number = |s: &str| -> i64 {
        let s = s.trim_start();
        let end = s
            .char_indices()
            .find(|(i, c)| !(c.is_ascii_digit() || *i == 0 && *c == '-'))
            .map_or(s.len(), |(i, _)| i);
        s.get(..end).and_then(|s| s.parse().ok()).unwrap_or(0)
    };
    lines.sort_by(|a, b| {
        let (x, y) = (part(a), part(b));
        let order = if numeric { number(&x).cmp(&number(&y)) } else { x.cmp(&y) };
        let order = order.then_with(|| a.cmp(b));
        if reverse { order.reverse() } else { order }
    });
    if call.on('u') {
        lines.dedup();
    }
    for line in lines {
        io.line(line);
    }
    0
}

fn uniq(call: &Call, t: &str, io: &mut Io) -> i32 {
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for line in t.lines() {
        match groups.last_mut() {
            Some((last, n)) if *last == line => *n += 1,
            _ => groups.push((line, 1)),
        }
    }
    for (line, n) in groups {
        if call.on('d') && n < 2 || call.on('u') && n > 1 {
            continue;
        }
        if call.on('c') {
            io.line(format!("{n:7} {line}"));
        } else {
            io.line(line);
        }
    }
    0
}

fn tac(_: &Call, t: &str, io: &mut Io) -> i32 {
    for line in t.lines().rev() {
        io.line(line);
    }
    0
}

fn rev(_: &Call, t: &str, io: &mut Io) -> i32 {
    for line in t.lines() {
        io.line(line.chars().rev().collect::<String>());
    }
    0
}

fn tr(call: &Call, t: &str, io: &mut Io) -> i32 {
    fn set(s: &str) -> Vec<char> {
        let s = match s {
            "[:upper:]" => "A-Z",
            "[:lower:]" => "a-z",
            "[:digit:]" => "0-9",
            "[:space:]" => " \t\n\r",
            s => s,
        };
        let chars: Vec<char> = super::commands::unescape(s).chars().collect();
        let mut out = Vec::new();
        let mut i = 0;
        while let Some(c) = chars.get(i) {
            if chars.get(i + 1) == Some(&'-')
                && let Some(end) = chars.get(i + 2)
            {
                out.extend((*c..=*end).take(256));
                i += 3;
            } else {
                out.push(*c);
                i += 1;
            }
        }
        out
    }
    let from = set(call.operand(0));
    let to = set(call.operand(1));
    let mut out = String::new();
    for c in t.chars() {
        let at = from.iter().position(|f| *f == c);
        match at {
            Some(_) if call.on('d') => {}
            Some(i) if !to.is_empty() => {
                let new = to.get(i).or(to.last()).copied().unwrap_or(c);
                if !(call.on('s') && out.ends_with(new)) {
                    out.push(new);
                }
            }
            Some(_) if call.on('s') && out.ends_with(c) => {}
            _ => out.push(c),
        }
    }
    io.print(out);
    0
}

fn run_jq(call: &Call, t: &str, io: &mut Io) -> i32 {
    jq::run(
        call.operand(0),
        t,
        jq::Options {
            raw: call.on('r'),
            compact: call.on('c'),
            slurp: call.on('s'),
            status: call.on('e'),
        },
        io,
    )
}

fn run_base64(call: &Call, t: &str, io: &mut Io) -> i32 {
    if call.on('d') || call.on('D') {
        match base64::decode(t) {
            Some(bytes) => io.print(String::from_utf8_lossy(&bytes)),
            None => {
                io.err("base64: invalid input");
                return 1;
            }
        }
    } else {
        io.line(base64::encode(t.as_bytes()));
    }
    0
}

/// awk: rules `pattern { print … }` with fields, strings, `NR`, `NF`, comparisons, `END`.
fn awk(call: &Call, t: &str, io: &mut Io) -> i32 {
    let fs = call.get('F').map(super::commands::unescape);
    let mut vars: Vec<(String, String)> = call
        .options
        .iter()
        .filter(|(o, _)| *o == 'v')
        .filter_map(|(_, v)| v.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    vars.sort();
    match super::awk::run(call.operand(0), fs.as_deref(), &vars, t) {
        Ok(out) => {
            io.print(out);
            0
        }
        Err(what) => {
            io.err(format!("awk: not simulated: {what}"));
            2
        }
    }
}

/// sed: `s///` with flags, `Np`, `Nd`, `/re/d`, `/re/p`, ranges, `-n`, `-E`.
fn sed(call: &Call, t: &str, io: &mut Io) -> i32 {
    let scripts: Vec<String> = if call.on('e') {
        call.options.iter().filter(|(o, _)| *o == 'e').map(|(_, v)| v.clone()).collect()
    } else {
        vec![call.operand(0).to_owned()]
    };
    let extended = call.on('E') || call.on('r');
    match super::sed::run(&scripts, extended, call.on('n'), t) {
        Ok(out) => {
            io.print(out);
            0
        }
        Err(what) => {
            io.err(format!("sed: {what}"));
            1
        }
    }
}
