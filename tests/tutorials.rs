//! The official tutorials, names and the shell, played command by command:
//! tests/tutorials/*.txt.
//!
//! A scenario is a transcript: lines that begin with `$ ` are lines of a podium script
//! (README.md), what follows is what they must print. In expected lines `{{age}}`, `{{ip}}`,
//! `{{n}}`, `{{time}}` and `{{any}}` stand for what differs from run to run; `{{a=ip}}` keeps the
//! text as `a` and `{{a}}` asks for it again; `...` alone is any number of lines; `! a b` says
//! that two kept texts differ. Runs of blanks count as two: columns are as wide as ages and
//! addresses are. Each scenario is played with several seeds, so that nothing in it depends on
//! chance; its manifests are those that the tutorials' addresses lead to (static/examples).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tutorials")
}

/// A line of the script and what it must print.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        if let Some(command) = line.strip_prefix("$ ") {
            let mut command = command.to_owned();
            while podium_sim::shell::is_open(&command) {
                let (_, more) = lines.next().unwrap();
                command.push('\n');
                command.push_str(more);
            }
            steps.push(Step { line: n + 1, command, expected: Vec::new() });
        } else if let Some(step) = steps.last_mut().filter(|_| !line.starts_with("# ")) {
            step.expected.push(line.to_owned());
        }
    }
    // empty lines in front of the next command are there for the reader
    for step in &mut steps {
        while step.expected.last().is_some_and(|l| l.trim().is_empty()) {
            step.expected.pop();
        }
    }
    steps
}

/// Is it a line that no shell runs? It prints a comment.
fn directive(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    matches!(words.as_slice(), ["settle"] | ["node-down", _] | ["node-up", ..])
}

/// What each command printed.
fn outputs(steps: &[Step], transcript: &str) -> Vec<String> {
    let mut rest = transcript;
    let mut found = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let head = |s: &Step| match directive(&s.command) {
            true if s.command == "settle" => "# settled\n".to_owned(),
            true => format!("# {}\n", s.command),
            false => format!("$ {}\n", s.command),
        };
        let Some(tail) = rest.strip_prefix(&head(step)) else {
            unreachable!("line {}: {:?} was not played: {rest:.200}", step.line, step.command);
        };
        let end = steps.get(i + 1).map_or(tail.len(), |next| {
            let head = head(next);
            if tail.starts_with(&head) {
                0
            } else {
                tail.find(&format!("\n{head}")).map_or(tail.len(), |at| at + 1)
            }
        });
        found.push(tail[..end].to_owned());
        rest = &tail[end..];
    }
    found
}

type Kept = BTreeMap<String, String>;

/// Columns are as wide as what is in them.
fn squeezed(line: &str) -> String {
    let blanks = Regex::new(" {2,}").unwrap();
    blanks.replace_all(line.trim_end(), "  ").into_owned()
}

/// Does a line fit? What it says under a name is kept.
fn fits(pattern: &str, line: &str, kept: &mut Kept) -> bool {
    let mut re = "^".to_owned();
    let mut names = Vec::new();
    let pattern = squeezed(pattern);
    let mut rest = pattern.as_str();
    while let Some((text, tail)) = rest.split_once("{{") {
        re.push_str(&regex::escape(text));
        let (inside, tail) = tail.split_once("}}").unwrap();
        rest = tail;
        let (name, kind) = inside.split_once('=').unwrap_or(("", inside));
        let class = match kind {
            "age" => r"(?:\d+[ydhms]){1,2}",
            "ip" => r"(?:\d{1,3}\.){3}\d{1,3}",
            "n" => r"\d+",
            "time" => r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[Z.0-9+]*",
            "any" => r"\S+",
            known => {
                let known = kept.get(known).map_or("nothing was kept", String::as_str);
                re.push_str(&regex::escape(known));
                continue;
            }
        };
        let _ = write!(re, "({class})");
        names.push(name.to_owned());
    }
    re.push_str(&regex::escape(rest));
    re.push('$');
    let squeezed = squeezed(line);
    let Some(found) = Regex::new(&re).unwrap().captures(&squeezed) else { return false };
    for (i, name) in names.into_iter().enumerate().filter(|(_, n)| !n.is_empty()) {
        kept.insert(name, found[i + 1].to_owned());
    }
    true
}

/// What is wrong with an output.
fn wrong(step: &Step, output: &str, kept: &mut Kept) -> Option<String> {
    let lines: Vec<&str> = output.lines().collect();
    let mut at = 0;
    let mut skips = false;
    for pattern in &step.expected {
        if pattern == "..." {
            skips = true;
            continue;
        }
        if let Some(names) = pattern.strip_prefix("! ") {
            let values: Vec<_> = names.split_whitespace().map(|n| kept.get(n)).collect();
            for (i, value) in values.iter().enumerate() {
                if value.is_none() || values[..i].contains(value) {
                    return Some(format!("not all different: {names}: {values:?}"));
                }
            }
            continue;
        }
        let found = lines
            .get(at..)
            .unwrap_or_default()
            .iter()
            .position(|l| fits(pattern, l, kept))
            .filter(|n| skips || *n == 0);
        match found {
            Some(n) => at += n + 1,
            None => return Some(format!("missing: {pattern}\nat: {:?}", lines.get(at))),
        }
        skips = false;
    }
    (at < lines.len() && !skips).then(|| format!("too much: {}", lines[at]))
}

fn play(name: &str, seed: u64) -> String {
    let text = std::fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let steps = steps(&text);
    assert!(!steps.is_empty());
    // a fourth node, as the ZooKeeper tutorial asks for; one line of options for each scenario
    let options = text.lines().find_map(|l| l.strip_prefix("# options:")).unwrap_or("");
    let script: String = steps.iter().map(|s| format!("{}\n", s.command)).collect();
    let file = std::env::temp_dir().join(format!("podium-{name}-{seed}-{}", std::process::id()));
    std::fs::write(&file, script).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_podium"))
        .args(["run", "--latency", "realistic", "--seed", &seed.to_string(), "--dir"])
        .arg(folder().join("../../static/examples/tutorial"))
        .args(options.split_whitespace())
        .arg(&file)
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let transcript = String::from_utf8(out.stdout).unwrap();
    if let Ok(folder) = std::env::var("KEEP_TRANSCRIPTS") {
        std::fs::write(Path::new(&folder).join(format!("{name}-{seed}.txt")), &transcript).unwrap();
    }
    let mut kept = Kept::new();
    let mut report = String::new();
    for (step, output) in steps.iter().zip(outputs(&steps, &transcript)) {
        if let Some(why) = wrong(step, &output, &mut kept) {
            let _ = writeln!(
                report,
                "{name}.txt:{} (seed {seed}): $ {}\n{why}\nprinted:\n{output}",
                step.line, step.command
            );
        }
    }
    report
}

fn tutorial(name: &str) {
    let report: String = [1, 2, 3].into_iter().map(|seed| play(name, seed)).collect();
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn statefulset_basics() {
    tutorial("basics");
}

#[test]
fn replicated_mysql() {
    tutorial("mysql");
}

#[test]
fn cassandra() {
    tutorial("cassandra");
}

#[test]
fn zookeeper() {
    tutorial("zookeeper");
}

#[test]
fn deleting_by_hand() {
    tutorial("delete");
}

#[test]
fn names_and_connections() {
    tutorial("names");
}

#[test]
fn what_the_shell_understands() {
    tutorial("shell");
}
