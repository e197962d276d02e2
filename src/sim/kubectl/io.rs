//! Streams of a running command, and what a running command is.

use crate::collections::BTreeMap;

use crate::apiserver::error::Status;
use crate::value::{Str, Value};
use crate::world::World;

/// A piece of output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Written to stderr?
    pub stderr: bool,
    /// The text, line ends included.
    pub text: Str,
}

/// Standard input.
#[derive(Clone, Debug, Default)]
pub struct Stdin {
    /// What has arrived and was not read yet.
    pub text: String,
    /// May more arrive?
    pub open: bool,
    /// Is it the terminal?
    pub tty: bool,
}

/// Streams of one command.
#[derive(Clone, Debug, Default)]
pub struct Io {
    /// Terminal that it runs in.
    pub term: u8,
    /// What it reads.
    pub stdin: Stdin,
    /// Is stdout the terminal?
    pub tty: bool,
    /// What it wrote and nobody took yet.
    pub out: Vec<Chunk>,
    /// The editor that `kubectl edit` starts: `KUBE_EDITOR` or `EDITOR`; empty if neither is set.
    pub editor: Str,
    /// Objects that are printed together when the command has ended, if it prints them so.
    pub gathered: Option<Vec<Value>>,
    /// `--record`: the command line, which changed objects remember.
    pub cause: Option<Str>,
    /// Has it printed an object as YAML? Those that follow are set apart.
    pub yaml: bool,
    /// Files of here-documents and process results, by path: read before the named files.
    pub files: BTreeMap<Str, Str>,
}

impl Io {
    /// Streams of a command in that terminal, without input.
    pub fn new(term: u8) -> Self {
        Self { term, ..Self::default() }
    }

    fn write(&mut self, stderr: bool, text: &str, newline: bool) {
        if text.is_empty() && !newline {
            return;
        }
        let mut text = text.to_owned();
        if newline {
            text.push('\n');
        }
        self.out.push(Chunk { stderr, text: text.into() });
    }

    /// Writes text to stdout.
    pub fn print(&mut self, text: impl AsRef<str>) {
        self.write(false, text.as_ref(), false);
    }

    /// Writes a line to stdout.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.write(false, text.as_ref(), true);
    }

    /// Writes text to stderr.
    pub fn print_err(&mut self, text: impl AsRef<str>) {
        self.write(true, text.as_ref(), false);
    }

    /// Writes a line to stderr.
    pub fn err(&mut self, text: impl AsRef<str>) {
        self.write(true, text.as_ref(), true);
    }

    /// Writes `Warning: …` to stderr.
    pub fn warn(&mut self, text: impl AsRef<str>) {
        self.err(format!("Warning: {}", text.as_ref()));
    }

    /// Prints an error and gives the exit status 1.
    pub fn fail(&mut self, failure: &Failure) -> i32 {
        self.err(&failure.text);
        1
    }

    /// Prints all errors; the exit status is 1 if there are any.
    pub fn fail_all(&mut self, failures: &[Failure]) -> i32 {
        for failure in failures {
            // only an error that stands alone is called one, and told at length
            let text = failure.text.as_str();
            let alone = failures.len() == 1;
            let among = failure.among.as_deref();
            let among = among.unwrap_or_else(|| text.strip_prefix("error: ").unwrap_or(text));
            self.err(if alone { text } else { among });
        }
        i32::from(!failures.is_empty())
    }
}

/// A command that cannot end at once. It is looked at after each step of the world and must
/// be a value: a clone goes on by itself.
pub trait Job: CloneJob {
    /// Does what can be done now; gives the exit status when it has ended.
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32>;

    /// `^C`: a last word before it ends.
    fn interrupt(&mut self, _w: &mut World, _io: &mut Io) {}

    /// Would it read the next line typed into the terminal now?
    fn reads_terminal(&self) -> bool {
        false
    }
}

/// Makes [`Job`] boxes cloneable.
pub trait CloneJob {
    /// A copy.
    fn clone_job(&self) -> Box<dyn Job>;
}

impl<T: Job + Clone + 'static> CloneJob for T {
    fn clone_job(&self) -> Box<dyn Job> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Job> {
    fn clone(&self) -> Self {
        (**self).clone_job()
    }
}

/// What became of a command that was started.
pub enum Run {
    /// It ended with that exit status.
    Done(i32),
    /// It goes on.
    Wait(Box<dyn Job>),
}

impl Run {
    /// A command that goes on.
    pub fn wait(job: impl Job + 'static) -> Self {
        Self::Wait(Box::new(job))
    }
}

/// A refused command: the lines that kubectl prints on stderr.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The lines.
    pub text: String,
    /// The line where several failures are told together, if it is another.
    among: Option<String>,
}

/// Result of a step of a command.
pub type Res<T> = Result<T, Failure>;

impl Failure {
    /// `error: text`.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::raw(format!("error: {}", text.as_ref()))
    }

    /// The lines as they are.
    pub fn raw(text: String) -> Self {
        Self { text, among: None }
    }

    /// `error: text`, called an error among others too; only there its last line end is printed.
    pub fn always(text: &str) -> Self {
        let text = format!("error: {text}");
        Self { text: text.trim_end().to_owned(), among: Some(text) }
    }

    /// The same without `error: `.
    #[must_use]
    pub fn bare(&self) -> Self {
        let text = self.text.strip_prefix("error: ").unwrap_or(&self.text).to_owned();
        Self { text, among: self.among.clone() }
    }

    /// A server's refusal, with words such as `error when creating "web.yaml": ` in front
    /// (which a 422 loses, behaviour/validation.md 1).
    pub fn status(status: &Status, prefix: &str) -> Self {
        use crate::apiserver::error::Reason;
        if status.reason == Reason::Invalid {
            let head = match status.kind {
                Some(kind) => {
                    format!("The {} {:?} is invalid", kind.info().kind, status.name.as_str())
                }
                None if status.causes.is_empty() && !status.message.is_empty() => {
                    format!("The request is invalid: {prefix}{}", status.message)
                }
                None => "The request is invalid".to_owned(),
            };
            let mut lines: Vec<String> = Vec::new();
            for c in &status.causes {
                let line = if c.field.is_empty() {
                    c.message.to_string()
                } else {
                    format!("{}: {}", c.field, c.message)
                };
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
            let text = match lines.as_slice() {
                [] => head,
                [one] => format!("{head}: {one}"),
                many => {
                    let mut text = format!("{head}: ");
                    for line in many {
                        text.push_str("\n* ");
                        text.push_str(line);
                    }
                    text
                }
            };
            let among = format!("Error from server (Invalid): {prefix}{}", status.message);
            return Self { text, among: Some(among) };
        }
        if status.reason == Reason::Unknown {
            return Self::raw(format!("Error from server: {prefix}{}", status.message));
        }
        let reason = match status.reason {
            Reason::BadRequest => "BadRequest",
            Reason::Forbidden => "Forbidden",
            Reason::NotFound => "NotFound",
            Reason::MethodNotAllowed => "MethodNotAllowed",
            Reason::AlreadyExists => "AlreadyExists",
            Reason::Conflict => "Conflict",
            Reason::TooManyRequests => "TooManyRequests",
            Reason::InternalError | Reason::Invalid | Reason::Unknown => "InternalError",
        };
        Self::raw(format!("Error from server ({reason}): {prefix}{}", status.message))
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::status(&status, "")
    }
}

impl World {
    /// Looks at a terminal's command again after that many microseconds. `background`: a mere
    /// time limit or repetition that `settle` does not wait for.
    /// Number 0 is no terminal: the script of a container that a kubelet looks at.
    pub fn wake_terminal(&mut self, term: u8, after: u64, background: bool) {
        if term == 0 {
            self.kubelet.wakes.push((after, background));
            return;
        }
        let cause = self.cause();
        let at = self.now.saturating_add(after);
        self.queue.push(at, crate::queue::Task::Terminal(term), cause, background);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::apiserver::error::Cause;

    #[test]
    fn an_error_is_told_otherwise_among_others() {
        let cause = |field: &'static str| Cause { field: field.into(), message: "bad".into() };
        let status = Status::invalid(Kind::StatefulSet, "web", vec![cause("a"), cause("b")]);
        let invalid = Failure::status(&status, "error when creating \"x\": ");
        let other = Failure::new("gone");
        let told = |failures: &[Failure]| {
            let mut io = Io::new(1);
            io.fail_all(failures);
            io.out.iter().map(|c| c.text.to_string()).collect::<String>()
        };
        assert_eq!(
            told(std::slice::from_ref(&invalid)),
            "The StatefulSet \"web\" is invalid: \n* a: bad\n* b: bad\n"
        );
        assert_eq!(
            told(&[invalid, other]),
            "Error from server (Invalid): error when creating \"x\": StatefulSet.apps \"web\" is invalid: [a: bad, b: bad]\ngone\n"
        );
    }
}
