//! What shell scripts of containers do to files: enough of `echo … > file`, `touch`, `rm`,
//! `mkdir` and `cp` for what manifests do in init containers, hooks and commands.

use super::env::{env, expand};
use super::process::{command, seconds};
use crate::api::{Key, Obj};
use crate::storage::fs;
use crate::value::{Str, Value};
use crate::world::World;

/// The script of a shell's command line, if it is one.
fn script<'a>(words: &[&'a str]) -> Option<&'a str> {
    let shell = words.first()?.rsplit('/').next()?;
    if !matches!(shell, "sh" | "bash" | "ash" | "dash") {
        return None;
    }
    let at = words.iter().position(|w| w.starts_with('-') && w.ends_with('c'))?;
    words.get(at + 1).copied()
}

/// Statements before the first loop, each with the time at which it runs (microseconds after
/// the start of the script).
fn timed(script: &str) -> Vec<(u64, &str)> {
    let mut at = 0u64;
    let mut list = Vec::new();
    for statement in script.split([';', '\n']).flat_map(|s| s.split("&&")) {
        let statement = statement.trim();
        let mut words = statement.split_whitespace();
        match words.next() {
            None => {}
            Some("while" | "until" | "for" | "if" | "case" | "exec" | "exit") => break,
            Some("sleep") => match words.next().and_then(seconds) {
                Some(t) => at = at.saturating_add(t),
                None => break,
            },
            Some(_) => list.push((at, statement)),
        }
    }
    list
}

/// Runs what is due at `at` (microseconds after the start) in a container's command; gives
/// the next time at which there is something to do.
pub fn run_command(w: &mut World, pod: &Obj, container: &Value, at: u64) -> Option<u64> {
    let words = command(container);
    let list = timed(script(&words)?);
    for (_, statement) in list.iter().filter(|(t, _)| *t == at) {
        run(w, pod, container, statement);
    }
    list.iter().map(|(t, _)| *t).find(|t| *t > at)
}

/// Runs a life-cycle hook (`postStart`).
pub fn run_hook(w: &mut World, pod: &Obj, container: &Value, hook: &Value) {
    let words: Vec<&str> = hook["exec"]["command"].items().iter().map(Value::str).collect();
    match script(&words) {
        Some(script) => {
            for (_, statement) in timed(script) {
                run(w, pod, container, statement);
            }
        }
        None => run(w, pod, container, &words.join(" ")),
    }
}

fn run(w: &mut World, pod: &Obj, container: &Value, statement: &str) {
    let vars = env(w, pod, container);
    let key = pod.key();
    let name = container["name"].str();
    let (left, right) = match statement.split_once('>') {
        Some((left, right)) => (left, Some(right)),
        None => (statement, None),
    };
    let words = split(left, &vars);
    let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let files = || args.iter().filter(|a| !a.starts_with('-'));
    let output = match words.first().map_or("", String::as_str) {
        "echo" => {
            let bare = args.first() == Some(&"-n");
            let text = args.iter().skip(usize::from(bare)).copied().collect::<Vec<_>>().join(" ");
            if bare { text } else { text + "\n" }
        }
        "printf" => args.join(" ").replace("\\n", "\n"),
        "hostname" => expand("$HOSTNAME\n", &vars),
        "cat" => args.first().and_then(|f| read(w, &key, name, f)).unwrap_or_default(),
        "touch" => {
            for file in files() {
                if !fs::exists(w, &key, name, file) {
                    let _ = fs::write(w, &key, name, file, "");
                }
            }
            return;
        }
        "rm" => {
            let recursive = args.iter().any(|a| a.starts_with('-') && a.contains('r'));
            for file in files() {
                let _ = fs::remove(w, &key, name, file, recursive);
            }
            return;
        }
        "mkdir" => {
            for dir in files() {
                let _ = fs::mkdir(w, &key, name, dir, args.contains(&"-p"));
            }
            return;
        }
        "cp" => {
            let list: Vec<&&str> = files().collect();
            if let [from, to] = list.as_slice()
                && let Some(content) = read(w, &key, name, from)
            {
                let file = from.rsplit('/').next().unwrap_or(from);
                let to = if fs::is_dir(w, &key, name, to) {
                    format!("{to}/{file}")
                } else {
                    (**to).to_owned()
                };
                let _ = fs::write(w, &key, name, &to, &content);
            }
            return;
        }
        _ => return,
    };
    // an error of a script's redirection shows nowhere but in its file that is not there
    match right.map(|r| (r.strip_prefix('>'), r)) {
        Some((Some(file), _)) => {
            let file = expand(file.trim(), &vars);
            let _ = fs::append(w, &key, name, file.trim_matches(['"', '\'']), &output);
        }
        Some((None, file)) => {
            let file = expand(file.trim(), &vars);
            let _ = fs::write(w, &key, name, file.trim_matches(['"', '\'']), &output);
        }
        None => {
            for line in output.lines() {
                super::log(w, &key, name, line.to_owned());
            }
        }
    }
}

fn read(w: &World, pod: &Key, container: &str, file: &str) -> Option<String> {
    fs::read(w, pod, container, file).ok().map(|s| s.to_string())
}

/// Words of a statement: quotes taken off, variables put in (not in single quotes).
fn split(text: &str, vars: &[(Str, Str)]) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut plain = String::new();
    let flush = |plain: &mut String, word: &mut Option<String>, raw: bool| {
        if !plain.is_empty() {
            let part = if raw { plain.clone() } else { expand(plain, vars) };
            word.get_or_insert_with(String::new).push_str(&part);
            plain.clear();
        }
    };
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => {
                flush(&mut plain, &mut word, q == '\'');
                word.get_or_insert_with(String::new);
                quote = None;
            }
            (None, '"' | '\'') => {
                flush(&mut plain, &mut word, false);
                quote = Some(c);
            }
            (None, c) if c.is_whitespace() && !plain.starts_with("$(") => {
                flush(&mut plain, &mut word, false);
                words.extend(word.take());
            }
            (_, c) => plain.push(c),
        }
    }
    flush(&mut plain, &mut word, quote == Some('\''));
    words.extend(word);
    words
}
