//! Programs that run other programs: `timeout`, `watch`.

use crate::api::time::{LONGEST, SECOND};
use crate::kubectl::args;
use crate::kubectl::io::{Io, Job, Run};
use crate::shell::Shell;
use crate::value::Str;
use crate::world::World;

/// Microseconds of `5`, `2.5`, `1m`.
fn duration(word: &str) -> Option<u64> {
    let whole = word.parse::<f64>().ok().filter(|s| *s >= 0.0 && s.is_finite());
    let parsed = match whole {
        Some(seconds) => Some((seconds * SECOND as f64) as u64),
        None => args::duration(word).ok().and_then(|d| u64::try_from(d).ok()),
    };
    parsed.map(|d| d.min(LONGEST))
}

/// `timeout DURATION COMMAND`: ends it with the status 124.
pub(super) fn timeout(sh: &mut Shell, w: &mut World, io: &mut Io, args: &[String]) -> Run {
    let mut rest = args;
    while let Some((first, tail)) = rest.split_first().filter(|(f, _)| f.starts_with('-')) {
        // -s SIGNAL and -k TIME take a value; nothing here outlives the first signal
        let skip = usize::from(matches!(first.as_str(), "-s" | "-k" | "-t"));
        rest = tail.get(skip..).unwrap_or_default();
    }
    let Some((limit, command)) = rest.split_first().filter(|(_, c)| !c.is_empty()) else {
        io.err("timeout: missing operand\nTry 'timeout --help' for more information.");
        return Run::Done(125);
    };
    let Some(limit) = duration(limit) else {
        io.err(format!("timeout: invalid time interval '{limit}'"));
        return Run::Done(125);
    };
    match sh.start(w, io, command) {
        Run::Done(code) => Run::Done(code),
        Run::Wait(job) => {
            if limit > 0 {
                w.wake_terminal(io.term, limit, false);
            }
            let until = if limit == 0 { u64::MAX } else { w.now.saturating_add(limit) };
            Run::wait(Timeout { until, job })
        }
    }
}

#[derive(Clone)]
struct Timeout {
    until: u64,
    job: Box<dyn Job>,
}

impl Job for Timeout {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        if let Some(code) = self.job.poll(w, io) {
            return Some(code);
        }
        if w.now < self.until {
            return None;
        }
        self.job.interrupt(w, io);
        Some(124)
    }

    fn interrupt(&mut self, w: &mut World, io: &mut Io) {
        self.job.interrupt(w, io);
    }

    fn reads_terminal(&self) -> bool {
        self.job.reads_terminal()
    }
}

/// `watch [-n SECONDS] COMMAND`. The screen is not cleared: what the command prints is shown
/// when it differs from the time before.
pub(super) fn watch(sh: &mut Shell, w: &mut World, io: &mut Io, args: &[String]) -> Run {
    let mut every = 2 * SECOND;
    let mut rest = args;
    while let Some((first, tail)) = rest.split_first().filter(|(f, _)| f.starts_with('-')) {
        rest = tail;
        let value = match first.strip_prefix("-n").or_else(|| first.strip_prefix("--interval=")) {
            Some("") => {
                let (value, tail) = match rest.split_first() {
                    Some((value, tail)) => (value.as_str(), tail),
                    None => ("", rest),
                };
                rest = tail;
                value
            }
            Some(value) => value,
            None => continue,
        };
        match duration(value) {
            Some(d) => every = d.max(SECOND / 10),
            None => {
                io.err(format!("watch: failed to parse argument: '{value}'"));
                return Run::Done(1);
            }
        }
    }
    if rest.is_empty() {
        io.err("Usage:\n watch [options] command");
        return Run::Done(1);
    }
    let title = format!("Every {}.{}s: {}", every / SECOND, every / 100_000 % 10, rest.join(" "));
    let command = vec!["sh".to_owned(), "-c".to_owned(), rest.join(" ")];
    w.wake_terminal(io.term, 0, true);
    Run::wait(Watch {
        shell: sh.clone(),
        command,
        title,
        every,
        due: w.now,
        running: None,
        last: Str::default(),
    })
}

#[derive(Clone)]
struct Watch {
    shell: Shell,
    command: Vec<String>,
    title: String,
    every: u64,
    due: u64,
    running: Option<(Box<dyn Job>, Io)>,
    last: Str,
}

impl Watch {
    fn show(&mut self, w: &mut World, io: &mut Io, inner: &Io) {
        let text: String = inner.out.iter().map(|c| c.text.as_str()).collect();
        if self.last != text.as_str() {
            io.print(format!("{}\n\n{text}\n", self.title));
            self.last = text.into();
        }
        self.due = w.now.saturating_add(self.every);
        w.wake_terminal(io.term, self.every, true);
    }
}

impl Job for Watch {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        if let Some((mut job, mut inner)) = self.running.take() {
            if job.poll(w, &mut inner).is_none() {
                self.running = Some((job, inner));
                return None;
            }
            self.show(w, io, &inner);
        }
        if w.now >= self.due {
            let mut inner = Io::new(io.term);
            match self.shell.clone().start(w, &mut inner, &self.command) {
                Run::Done(_) => self.show(w, io, &inner),
                Run::Wait(mut job) => match job.poll(w, &mut inner) {
                    Some(_) => self.show(w, io, &inner),
                    None => self.running = Some((job, inner)),
                },
            }
        }
        None
    }
}
