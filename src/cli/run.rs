//! `podium run`: plays a script and prints what happened.

use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use podium_sim::api::Kind;
use podium_sim::api::kind;
use podium_sim::api::time::{MS, SECOND};
use podium_sim::log::{ChangeType, What};
use podium_sim::manifest::diagnose::{self, Said};
use podium_sim::{Config, Latency, Value, World};

/// How long `settle` and a command that waits for ever may take, in simulated time.
const PATIENCE: u64 = 600 * SECOND;
/// A command that goes on longer, or while more changes, is interrupted: other terminals may see to
/// it that there is no rest.
const LONGEST: u64 = 24 * 3600 * SECOND;
const MOST: u64 = 500_000;
/// `settle` is over when nothing has changed for so long, as in the recordings.
const SILENCE: u64 = 1_500 * MS;
/// Files larger than this are no manifests.
const LARGEST: u64 = 1 << 20;

/// What to print.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Transcript,
    Events,
    State,
}

/// The command line.
pub struct Options {
    config: Config,
    dir: Option<PathBuf>,
    format: Format,
    strict: bool,
    notes: bool,
    script: String,
}

impl Options {
    /// Reads the words after `run`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut options = Self {
            config: Config::default(),
            dir: None,
            format: Format::Transcript,
            strict: false,
            notes: false,
            script: String::new(),
        };
        let mut words = words;
        let mut scripts = Vec::new();
        while let Some(word) = words.next() {
            let (name, given) = word.split_once('=').map_or((word, None), |(n, v)| (n, Some(v)));
            let mut value =
                || given.or_else(|| words.next()).ok_or_else(|| format!("{name} needs a value"));
            match name {
                "--strict" => options.strict = true,
                "--notes" => options.notes = true,
                "--seed" => options.config.seed = number(name, value()?)?,
                "--nodes" => {
                    let n = number(name, value()?)?;
                    if !(1..=5000).contains(&n) {
                        return Err("--nodes must be from 1 to 5000".to_owned());
                    }
                    options.config.nodes = n as u32;
                }
                "--latency" => {
                    options.config.latency = match value()? {
                        "realistic" => Latency::Realistic,
                        "recording" => Latency::Recording,
                        "instant" => Latency::Instant,
                        other => return Err(format!("there is no latency {other:?}")),
                    }
                }
                "--dir" => options.dir = Some(PathBuf::from(value()?)),
                "--format" => {
                    options.format = match value()? {
                        "transcript" => Format::Transcript,
                        "events" => Format::Events,
                        "state" => Format::State,
                        other => return Err(format!("there is no format {other:?}")),
                    }
                }
                "-" => scripts.push(word),
                _ if word.starts_with('-') => return Err(format!("unknown option {name}")),
                _ => scripts.push(word),
            }
        }
        match scripts.as_slice() {
            [script] => options.script = (*script).to_owned(),
            [] => return Err("a SCRIPT is missing".to_owned()),
            _ => return Err("only one SCRIPT can be played".to_owned()),
        }
        Ok(options)
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{name} must be a whole number, not {value:?}"))
}

/// Plays the script; gives the exit status.
pub fn run(options: &Options) -> u8 {
    let text = if options.script == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(&options.script)
    };
    let text = match text {
        Ok(text) => text,
        Err(why) => {
            eprintln!("podium run: cannot read {}: {why}", options.script);
            return 2;
        }
    };
    let dir = options.dir.clone().unwrap_or_else(|| {
        let parent = Path::new(&options.script).parent().filter(|p| !p.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    });
    if options.dir.is_some() && !dir.is_dir() {
        eprintln!("podium run: {} is no folder", dir.display());
        return 2;
    }
    let mut world = World::new(options.config.clone());
    // a script has nobody who could edit a text
    world.terminals.editor = false;
    put_files(&mut world, &dir, "", 0);
    if options.notes {
        notes(&world, &text);
    }
    let mut player = Player {
        world,
        out: io::BufWriter::new(io::stdout().lock()),
        transcript: options.format == Format::Transcript,
        first_failure: 0,
        shown: [0; 10],
    };
    player.play(&text);
    let Player { world, mut out, first_failure, .. } = player;
    let written = match options.format {
        Format::Transcript => out.flush(),
        Format::Events => events(&world, &mut out),
        Format::State => state(&world, &mut out),
    };
    if written.is_err() {
        // nobody reads any more
        return 0;
    }
    if options.strict { u8::try_from(first_failure).unwrap_or(1) } else { 0 }
}

/// The commands of a script, one a line. A command may go on for several lines: a here-document,
/// an open quote, a loop.
pub fn commands(script: &str) -> impl Iterator<Item = String> {
    let mut lines = script.lines();
    std::iter::from_fn(move || {
        let blank = |l: &&str| l.trim().is_empty() || l.trim_start().starts_with('#');
        let mut command = lines.by_ref().find(|l| !blank(l))?.to_owned();
        while podium_sim::shell::is_open(&command) {
            let Some(more) = lines.next() else { break };
            command.push('\n');
            command.push_str(more);
        }
        Some(command)
    })
}

/// Hands the folder's texts to the world, folders inside it too.
fn put_files(world: &mut World, dir: &Path, prefix: &str, depth: u32) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_dir() {
            if depth < 3 && !name.starts_with('.') {
                put_files(world, &path, &format!("{prefix}{name}/"), depth + 1);
            }
        } else if about.is_file()
            && about.len() <= LARGEST
            && let Ok(text) = fs::read_to_string(&path)
        {
            world.put_file(&format!("{prefix}{name}"), &text);
        }
    }
}

/// Tells on stderr what the manifests that the script names ask for and the simulator only
/// stores.
fn notes(world: &World, script: &str) {
    let words: Vec<&str> =
        script.split(|c: char| c.is_whitespace() || "=,'\"".contains(c)).collect();
    for (name, text) in &world.terminals.files {
        let named = words.iter().any(|w| w.strip_prefix("./").unwrap_or(w) == name.as_str());
        for problem in diagnose::problems(text).iter().filter(|_| named) {
            match &problem.said {
                Said::Ignored(fields) => {
                    for (path, at) in fields {
                        let place = format!("{name}:{}:{}", at.line, at.column);
                        eprintln!("{place}: note: accepted, not simulated: {path}");
                    }
                }
                Said::Stored => {
                    let place = format!("{name}:{}:{}", problem.line, problem.column);
                    eprintln!("{place}: note: objects of this kind are stored, not simulated");
                }
                _ => {}
            }
        }
    }
}

struct Player<W: Write> {
    world: World,
    out: W,
    transcript: bool,
    first_failure: i32,
    /// How many pieces of each terminal's output were printed.
    shown: [usize; 10],
}

impl<W: Write> Player<W> {
    fn play(&mut self, script: &str) {
        for command in commands(script) {
            if !self.directive(&command) {
                self.command(&command);
            }
        }
    }

    fn print(&mut self, text: &str) {
        if self.transcript {
            // a closed pipe shows when the output is flushed
            let _ = self.out.write_all(text.as_bytes());
        }
    }

    /// Lines that are no commands of a shell; false if this one is.
    fn directive(&mut self, line: &str) -> bool {
        let line = line.trim();
        let mut words = line.split_whitespace();
        match (words.next().unwrap_or(""), words.next(), words.next()) {
            ("settle", None, _) => {
                self.settle();
                self.print("# settled\n");
            }
            ("node-down", Some(name), None) => {
                self.world.node_down(name);
                self.print(&format!("# {line}\n"));
            }
            ("node-up", name, None) => {
                let names: Vec<String> = match name {
                    Some(name) => vec![name.to_owned()],
                    None => {
                        self.world.store.all(Kind::Node).map(|n| n.name().to_string()).collect()
                    }
                };
                for name in names {
                    self.world.node_up(&name);
                }
                self.print(&format!("# {line}\n"));
            }
            _ => return false,
        }
        true
    }

    /// Goes on until nothing more is to be expected, and nothing has changed for a while.
    fn settle(&mut self) {
        let end = self.world.now.saturating_add(PATIENCE);
        loop {
            self.world.settle(end.saturating_sub(self.world.now));
            let log = &self.world.log;
            let changed = log.len().checked_sub(1).and_then(|n| log.get(n)).map_or(0, |r| r.at);
            match self.world.queue.next_at() {
                Some(at) if at <= changed.saturating_add(SILENCE).min(end) => self.world.step(),
                _ => return,
            };
        }
    }

    fn command(&mut self, line: &str) {
        if let Some(rest) = line.trim_start().strip_prefix('@') {
            let (number, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            if let Ok(term @ 2..=9) = number.parse::<u8>() {
                self.other(term, rest.trim(), line.trim());
                return;
            }
        }
        self.print(&format!("$ {line}\n"));
        self.world.type_line(1, line);
        // time in which nothing but endless repetitions was to be expected
        let mut quiet = 0;
        let (last, most) = (self.world.now.saturating_add(LONGEST), self.world.log.len() + MOST);
        while self.world.terminal(1).is_some_and(|t| t.running() && !t.reads()) {
            let next = self.world.queue.next_at().unwrap_or(u64::MAX);
            let pause = next.saturating_sub(self.world.now);
            if self.world.now >= last || self.world.log.len() > most {
                self.world.interrupt(1);
            } else if self.world.queue.busy() {
                self.world.step();
            } else if pause <= PATIENCE - quiet {
                quiet += pause;
                self.world.step();
            } else {
                self.world.run_until(self.world.now.saturating_add(PATIENCE - quiet));
                self.world.interrupt(1);
            }
        }
        self.show(1);
    }

    /// Prints what a terminal has shown since it was last looked at.
    fn show(&mut self, term: u8) {
        let Some(t) = self.world.terminal(term) else { return };
        let slot = usize::from(term);
        let mut text = t.text_since(self.shown[slot]);
        if t.reads()
            && let Some(last) = t.out.last().filter(|c| !c.text.ends_with('\n'))
        {
            // the prompt that stands there now
            text.truncate(text.len().saturating_sub(last.text.len()));
        }
        let text = whole_lines(&text);
        self.shown[slot] = t.out.len();
        let (code, ended) = (t.last_exit, !t.running());
        self.print(&text);
        if ended && code != 0 {
            self.print(&format!("[exit {code}]\n"));
            if self.first_failure == 0 {
                self.first_failure = code;
            }
        }
    }

    fn other(&mut self, term: u8, command: &str, line: &str) {
        self.print(&format!("$ {line}\n"));
        if command != "^C" {
            self.world.type_line(term, command);
            // going back to the first terminal takes a moment: its command has begun by then
            let moment = match self.world.config.latency {
                Latency::Instant => 0,
                _ => 100 * MS,
            };
            self.world.run_until(self.world.now + moment);
            return;
        }
        self.world.interrupt(term);
        // what the terminal showed, without an exit status: that one tells of ^C
        let slot = usize::from(term);
        let Some(t) = self.world.terminal(term) else { return };
        let text = whole_lines(&t.text_since(self.shown[slot]));
        self.shown[slot] = t.out.len();
        self.print(&text);
    }
}

/// Output as a transcript shows it: it ends with one line end, as in the recordings.
fn whole_lines(text: &str) -> String {
    let text = text.trim_end_matches('\n');
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// One JSON object a line for each change of an object.
fn events(world: &World, out: &mut impl Write) -> io::Result<()> {
    for (seq, record) in world.log.iter() {
        let What::Change { change, new, .. } = &record.what else { continue };
        let change = match change {
            ChangeType::Added => "ADDED",
            ChangeType::Modified => "MODIFIED",
            ChangeType::Deleted => "DELETED",
        };
        let cause = record.cause.map_or_else(|| "null".to_owned(), |c| c.to_string());
        writeln!(
            out,
            "{{\"at\":{},\"seq\":{seq},\"cause\":{cause},\"type\":\"{change}\",\"resource\":\"{}\",\"object\":{}}}",
            record.at,
            new.kind.info().plural,
            *new.value
        )?;
    }
    out.flush()
}

/// The final objects as a YAML list.
fn state(world: &World, out: &mut impl Write) -> io::Result<()> {
    let all: Vec<Value> = kind::ALL
        .iter()
        .flat_map(|kind| world.store.all(*kind))
        .map(|obj| obj.value.clone())
        .collect();
    out.write_all(podium_sim::manifest::print::to_yaml(&all.into()).as_bytes())?;
    out.flush()
}
