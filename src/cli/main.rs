//! Podium on the command line: plays scripts of commands against a simulated cluster.

mod run;

use std::io::Write as _;
use std::process::ExitCode;

use podium_sim::lesson::Lesson;
use podium_sim::{Config, Str, World};

const USAGE: &str = "podium: a simulated Kubernetes cluster that shows what a StatefulSet does

usage:
  podium run [--seed N] [--nodes N] [--latency realistic|recording|instant] [--dir DIR]
             [--format transcript|events|state] [--strict] [--notes] SCRIPT
      SCRIPT: a text file, or - for standard input, with one command a line:
      kubectl and shell commands, settle, sleep N, node-down NAME, node-up [NAME],
      @2 COMMAND (another terminal, 2 to 9, without waiting), @2 ^C, # comment
      --notes: tells on stderr which fields of its manifests are stored, not simulated
  podium check LESSON.yaml ANSWER.txt
      plays the commands of the answer against the lesson's goals, prints a line a goal;
      exit 0: all met, 1: not, 2: a file is unusable
  podium trace --permalink LINK
      prints what a shared link contains
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut words = words.iter().map(String::as_str);
    let code = match words.next() {
        Some("run") => match run::Options::read(words) {
            Ok(options) => run::run(&options),
            Err(why) => {
                eprintln!("podium run: {why}\n\n{USAGE}");
                2
            }
        },
        Some("check") => check(words),
        Some("trace") => trace(words),
        Some("--version" | "-V") => {
            println!("podium {}", env!("CARGO_PKG_VERSION"));
            0
        }
        Some("--help" | "-h" | "help") => {
            print!("{USAGE}");
            0
        }
        other => {
            if let Some(word) = other {
                eprintln!("podium: there is no command {word:?}\n");
            }
            eprint!("{USAGE}");
            2
        }
    };
    // a reader that has gone away (`podium run … | head`) is no failure
    let _ = std::io::stdout().flush();
    ExitCode::from(code)
}

/// `podium trace --permalink LINK`: configuration and inputs of a link.
fn trace<'a>(mut words: impl Iterator<Item = &'a str>) -> u8 {
    let first = words.next().unwrap_or_default();
    let link = match (first, first.strip_prefix("--permalink=")) {
        (_, Some(link)) => link,
        ("--permalink", None) => words.next().unwrap_or_default(),
        _ => "",
    };
    if link.is_empty() {
        eprintln!("podium trace: --permalink LINK is missing\n\n{USAGE}");
        return 2;
    }
    match podium_sim::permalink::decode(link) {
        Ok(r) => {
            println!(
                "format {}, seed {}, {} nodes, latency {}, cursor at {}",
                r.format,
                r.seed,
                r.nodes,
                r.latency,
                seconds(r.at)
            );
            for timed in &r.inputs {
                println!("{} {}", seconds(timed.at), timed.input);
            }
            0
        }
        Err(why) => {
            eprintln!("podium trace: {why}");
            2
        }
    }
}

/// `12.345678s`
fn seconds(micros: u64) -> String {
    format!("{}.{:06}s", micros / 1_000_000, micros % 1_000_000)
}

/// `podium check LESSON.yaml ANSWER.txt`.
fn check<'a>(words: impl Iterator<Item = &'a str>) -> u8 {
    let files: Vec<&str> = words.collect();
    let [lesson, answer] = files.as_slice() else {
        eprintln!("podium check: LESSON.yaml and ANSWER.txt are needed\n\n{USAGE}");
        return 2;
    };
    let read = |file: &str| {
        std::fs::read_to_string(file).map_err(|why| format!("cannot read {file}: {why}"))
    };
    let judged = read(lesson)
        .and_then(|text| Lesson::read(&text).map_err(|why| format!("{lesson}: {why}")))
        .and_then(|lesson| Ok((lesson, read(answer)?)));
    let (lesson, answer) = match judged {
        Ok(both) => both,
        Err(why) => {
            eprintln!("podium check: {why}");
            return 2;
        }
    };
    let commands: Vec<Str> = run::commands(&answer)
        .map(|c| podium_sim::value::text(c.trim()))
        .filter(|c| c.as_str() != "settle")
        .collect();
    let goals = lesson.judge(World::new(Config::default()), &commands);
    for (goal, met) in &goals {
        println!("{} {goal}", if *met { "met    " } else { "not met" });
    }
    u8::from(!goals.iter().all(|(_, met)| *met))
}
