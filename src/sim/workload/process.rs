//! The main process of a container: how long it runs and what it does with SIGTERM, read
//! from its command where it is a shell's.

use super::{Family, family};
use crate::api::time::{LONGEST, MS, SECOND};
use crate::api::{Key, Obj};
use crate::net::{connect::connect, dns, resolver};
use crate::storage::fs;
use crate::value::{Str, Value, text};
use crate::world::World;

/// What a process does with SIGTERM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Term {
    /// It ends soon, with this code.
    Obeys(i64),
    /// It goes on until SIGKILL (a shell or a plain program as process 1).
    Ignores,
}

/// The main process of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// Its script begins with waiting for others, so that only running it tells when it ends.
    pub waits: bool,
    /// It ends by itself after so many microseconds, with this code.
    pub ends: Option<(u64, i64)>,
    /// What it does when asked to stop.
    pub term: Term,
}

impl Process {
    const FOREVER: Self = Self { waits: false, ends: None, term: Term::Ignores };

    fn ends(after: u64, code: i64) -> Self {
        Self { waits: false, ends: Some((after, code)), term: Term::Ignores }
    }
}

/// Time that a short command takes.
const SHORT: u64 = 200 * MS;

/// `command` and `args` of a container, together.
pub fn command(container: &Value) -> Vec<&str> {
    let words = container["command"].items().iter().chain(container["args"].items());
    words.map(Value::str).collect()
}

/// What the container of this spec runs.
pub fn process(container: &Value) -> Process {
    let image = container["image"].str();
    if image.contains("crash") {
        return Process { waits: false, ends: Some((0, 1)), term: Term::Obeys(1) };
    }
    let family = family(image);
    let own = Process { waits: false, ends: None, term: Term::Obeys(exit_code(family, image)) };
    let words = command(container);
    // what a terminal is attached to ends when its user ends it
    let interactive = container["stdin"].is_true() || container["tty"].is_true();
    if interactive && (family == Family::Shell || is_client(container)) {
        return Process::FOREVER;
    }
    if words.is_empty() {
        return if family == Family::Shell { Process::ends(0, 0) } else { own };
    }
    // arguments alone go to the image's own program, unless they name another
    if container["command"].is_empty() && family != Family::Shell && !is_client(container) {
        return own;
    }
    run(&words, &own, family == Family::Shell || is_client(container))
}

/// What an init container of this spec runs: its work, and then it ends. The words of a script
/// that prepares a server (`echo [mysqld] > server-id.cnf`) do not make it that server, and a
/// program that is not modelled ends with success, since nothing starts before it has. A known
/// server without a command of its own runs on, as it would in a cluster.
pub fn init_process(container: &Value) -> Process {
    let image = container["image"].str();
    let family = family(image);
    let words = command(container);
    if image.contains("crash") || (words.is_empty() && family != Family::Other) {
        return process(container);
    }
    // arguments alone go to a program that is not modelled, or name one in a shell's image
    if container["command"].is_empty() && family != Family::Shell && !is_client(container) {
        return Process::ends(SHORT, 0);
    }
    let own = Process { waits: false, ends: None, term: Term::Obeys(exit_code(family, image)) };
    run(&words, &own, true)
}

/// Programs that ask, look or wait, and serve nobody.
const CLIENTS: &[&str] = &[
    "mysql",
    "mysqladmin",
    "redis-cli",
    "etcdctl",
    "zkCli.sh",
    "psql",
    "mongo",
    "mongosh",
    "curl",
    "wget",
    "nslookup",
    "dig",
    "host",
    "ping",
    "cat",
    "echo",
    "env",
    "ls",
    "hostname",
    "sleep",
    "tail",
    "true",
    "false",
];

/// Does the container run something else than its image's server: a shell by itself, a
/// client, a script without a server in it?
pub(super) fn is_client(container: &Value) -> bool {
    let words = command(container);
    let Some(first) = words.first() else { return false };
    let program = first.rsplit('/').next().unwrap_or(first);
    if !matches!(program, "sh" | "bash" | "ash" | "dash") {
        return CLIENTS.contains(&program);
    }
    // the name of a server as a word: `@@server_id` is none
    let serves = |word: &str| {
        matches!(word, "exec" | "run" | "start" | "mysqld" | "etcd" | "apache2")
            || word.ends_with("server")
            || ["nginx", "httpd", "start-", "run-", "mysqld_"].iter().any(|s| word.starts_with(s))
            || word.contains("entrypoint")
    };
    let apart = |c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c);
    !words.iter().skip(1).flat_map(|w| w.split(apart)).any(serves)
}

/// The exit code of a program that was asked to stop.
fn exit_code(family: Family, image: &str) -> i64 {
    match family {
        // the Java runtime ends with 128 + SIGTERM
        Family::ZooKeeper | Family::Cassandra => 143,
        _ if image.contains("kafka") || image.contains("java") || image.contains("tomcat") => 143,
        _ => 0,
    }
}

/// The process that a command line makes.
fn run(words: &[&str], own: &Process, shell: bool) -> Process {
    let Some((first, rest)) = words.split_first() else { return own.clone() };
    let program = first.rsplit('/').next().unwrap_or(first);
    match program {
        "sh" | "bash" | "ash" | "dash" => {
            match rest.iter().position(|w| w.starts_with('-') && w.ends_with('c')) {
                Some(at) => rest
                    .get(at + 1)
                    .map_or_else(|| own.clone(), |script| script_process(script, own, shell)),
                None if rest.is_empty() => Process::ends(0, 0),
                None => own.clone(),
            }
        }
        "sleep" => match rest.first().copied().and_then(seconds) {
            Some(after) => Process::ends(after, 0),
            None => Process::FOREVER,
        },
        "true" => Process::ends(0, 0),
        "false" => Process::ends(0, 1),
        "tail" if rest.iter().any(|w| w.starts_with('-') && w.contains(['f', 'F'])) => {
            Process::FOREVER
        }
        "cat" if rest.is_empty() => Process::FOREVER,
        "watch" | "top" | "httpd" | "nc" | "ncat" | "ping" | "yes" | "crond" | "python"
        | "python3" | "node" | "java"
            if shell =>
        {
            own.clone()
        }
        "exec" => run(rest, own, shell),
        // any other command of a shell image does its work and ends
        _ if shell => Process::ends(SHORT, 0),
        _ => own.clone(),
    }
}

/// `5`, `5s`, `2m`, `1h`, `1d`: a duration of `sleep`; none for `infinity`.
pub(super) fn seconds(word: &str) -> Option<u64> {
    let (digits, unit) = match word.char_indices().find(|(_, c)| !c.is_ascii_digit() && *c != '.') {
        Some((i, _)) => word.split_at(i),
        None => (word, "s"),
    };
    let factor = match unit {
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        "d" => 86_400 * SECOND,
        _ => return None,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let tenths = part.get(..1).and_then(|d| d.parse::<u64>().ok()).unwrap_or(0);
    let whole = whole.parse::<u64>().ok()?.saturating_mul(factor);
    Some(whole.min(LONGEST) + tenths * factor / 10)
}

/// The exit code that a script's trap for SIGTERM gives; none without such a trap.
fn trap(script: &str) -> Option<i64> {
    script.match_indices("trap ").find_map(|(at, word)| trapped(script.get(at + word.len()..)?))
}

/// The same of one trap: what follows its word.
fn trapped(rest: &str) -> Option<i64> {
    let rest = rest.trim_start();
    let (does, signals) = match rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        Some(quote) => rest.get(1..)?.split_once(quote)?,
        None => rest.split_once(' ')?,
    };
    let signals = signals.split([';', '\n', '&']).next().unwrap_or("");
    let term = |s: &str| matches!(s, "TERM" | "SIGTERM" | "15");
    // an empty trap ignores the signal, `-` takes the trap away
    if matches!(does, "" | "-") || !signals.split_whitespace().any(term) {
        return None;
    }
    let code =
        does.rsplit_once("exit").and_then(|(_, c)| c.trim().trim_end_matches(';').parse().ok());
    Some(code.map_or(0, |code: i64| code & 0xff))
}

/// What becomes of a shell's script, read from its statements.
fn script_process(script: &str, own: &Process, shell: bool) -> Process {
    let term = trap(script).map_or(Term::Ignores, Term::Obeys);
    let trapped = term != Term::Ignores;
    if waits(script) {
        return Process { waits: true, ends: Some((SHORT, 0)), term };
    }
    let mut after = SHORT;
    let mut code = 0;
    let mut depth = 0i32;
    let flat = script.replace("&&", ";").replace('\n', ";");
    for statement in flat.split(';') {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let Some(first) = words.first() else { continue };
        match *first {
            "while" | "until" | "for"
                if words.get(1).is_some_and(|w| {
                    matches!(*w, "true" | ":" | "[" | "sleep" | "((")
                        || (*first != "for" && !statement.contains("$i"))
                }) && endless(&words, script) =>
            {
                return Process { waits: false, ends: None, term };
            }
            "if" | "case" | "for" | "while" | "until" => depth += 1,
            "fi" | "esac" | "done" => depth -= 1,
            "exit" if depth <= 0 => {
                let code = words.get(1).and_then(|c| c.parse().ok()).unwrap_or(code);
                return Process { waits: false, ends: Some((after, code)), term };
            }
            "exec" => return run(&words[1..], own, shell),
            "wait" => return Process { waits: false, ends: None, term },
            "false" if depth <= 0 => code = 1,
            "then" | "do" | "else" | "set" | "export" | "cd" | "trap" | "echo" => {
                if words.contains(&"exec") {
                    return own.clone();
                }
            }
            _ if statement.contains("||") => {}
            _ => {
                // an endless statement in the background does not hold the script
                let background = words.last().is_some_and(|w| w.ends_with('&'));
                let part = run(&words, own, shell);
                match part.ends {
                    None if !background => {
                        return Process {
                            waits: false,
                            ends: None,
                            term: if trapped { term } else { part.term },
                        };
                    }
                    Some((t, c)) if depth <= 0 => {
                        after =
                            after.saturating_add(t).saturating_sub(if t > 0 { SHORT } else { 0 });
                        code = c;
                    }
                    _ => {}
                }
            }
        }
    }
    Process { waits: false, ends: Some((after, code)), term }
}

/// Programs that ask whether somebody is there.
const ASKERS: &[&str] = &[
    "nslookup",
    "host",
    "dig",
    "ping",
    "getent",
    "nc",
    "ncat",
    "mysqladmin",
    "mysql",
    "pg_isready",
    "psql",
    "redis-cli",
    "wget",
    "curl",
];

/// Does a script begin with a loop that waits for others, and nothing but the loop matters?
fn waits(script: &str) -> bool {
    let script = script.trim();
    let body = script.strip_prefix("until ").or_else(|| script.strip_prefix("while ! "));
    let Some((test, rest)) = body.and_then(|b| b.split_once([';', '\n'])) else { return false };
    // what follows the loop must not be a program of its own
    let after = rest.rsplit("done").next().unwrap_or("");
    !["exec ", "nginx", "mysqld", "server"].iter().any(|p| after.contains(p))
        && test.split_whitespace().next().is_some_and(|first| ASKERS.contains(&first))
}

/// Does whom a program asks for answer, as its pod sees it? For programs that an image has and
/// that are not modelled; none if it asks nobody.
pub fn answered(w: &World, pod: &Key, program: &str, args: &[String]) -> Option<bool> {
    let plain = || args.iter().map(String::as_str).filter(|w| !w.starts_with('-'));
    let flag = |name: &str| {
        let at = args.iter().position(|w| w == name)?;
        args.get(at + 1).map(String::as_str)
    };
    let (name, port) = match program {
        _ if !ASKERS.contains(&program) => return None,
        "nslookup" | "host" | "dig" | "ping" => (plain().next()?, None),
        "getent" => (plain().nth(1)?, None),
        "nc" | "ncat" => {
            let mut words = plain();
            (words.next()?, Some(words.next()?.parse().ok()?))
        }
        "mysqladmin" | "mysql" => (flag("-h")?, Some(3306)),
        "pg_isready" | "psql" => (flag("-h")?, Some(5432)),
        "redis-cli" => (flag("-h")?, Some(6379)),
        _ => {
            let url = plain().find(|w| w.contains(['.', ':']))?;
            let bare = url.split("://").last().unwrap_or(url);
            let host = bare.split('/').next().unwrap_or(bare);
            let (name, port) = host.split_once(':').unwrap_or((host, "80"));
            (name, Some(port.parse().ok()?))
        }
    };
    let ips = addresses(w, pod, name);
    Some(match port {
        None => !ips.is_empty(),
        Some(port) => ips.iter().any(|ip| connect(w, pod, ip, port).is_ok()),
    })
}

/// The addresses of a name, as a pod resolves it now.
pub(super) fn addresses(w: &World, pod: &Key, name: &str) -> Vec<Str> {
    let Some(object) = w.store.by_key(pod) else { return Vec::new() };
    let number = |c: char| c.is_ascii_digit() || c == '.';
    if name.chars().all(number) {
        return vec![text(name)];
    }
    if resolver::server(object) != resolver::SERVER {
        return Vec::new();
    }
    resolver::candidates(object, name)
        .iter()
        .map(|n| dns::live(w, n, dns::Type::A).addresses().cloned().collect::<Vec<_>>())
        .find(|list| !list.is_empty())
        .unwrap_or_default()
}

/// Is it a loop that never ends by itself (`while true`)?
fn endless(words: &[&str], script: &str) -> bool {
    let head = words.get(1).copied().unwrap_or("");
    let forever = matches!((words.first().copied(), head), (Some("while"), "true" | ":" | "sleep"))
        || matches!((words.first().copied(), head), (Some("until"), "false"))
        || (words.first() == Some(&"for") && head == "((" && words.get(2) == Some(&";"));
    forever && !script.contains("break")
}

/// The port that a shell's command listens on, if it does: `httpd -p 8080`, `nc -l -p 80`.
pub(super) fn serves(container: &Value) -> Option<i64> {
    let words = command(container);
    let text = words.join(" ");
    let mut tokens = text.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|'));
    let listens = ["httpd", "http.server", "nc ", "ncat"].iter().any(|p| text.contains(p));
    if !listens {
        return None;
    }
    let mut before = "";
    let found = tokens.find_map(|t| {
        let port = t.parse().ok().filter(|_| {
            matches!(before, "-p" | "-lp" | "-lkp" | "-l" | "-lk" | "http.server" | "--listen")
        });
        if !t.is_empty() {
            before = t;
        }
        port
    });
    found.or_else(|| text.contains("httpd").then_some(80))
}

/// How long a life-cycle hook takes, microseconds.
pub fn hook_time(hook: &Value) -> u64 {
    if let Some(s) = hook["sleep"]["seconds"].as_int() {
        return crate::api::time::seconds(s);
    }
    let words: Vec<&str> = hook["exec"]["command"].items().iter().map(Value::str).collect();
    if words.is_empty() {
        return if hook.is_empty() { 0 } else { 50 * MS };
    }
    let none = Process::ends(50 * MS, 0);
    // a hook that never ends is cut off by the grace period
    run(&words, &none, true).ends.map_or(u64::MAX / 4, |(after, _)| after)
}

/// The image of a container.
fn image_of(pod: &Obj, container: &str) -> Str {
    let all = pod.spec()["containers"].items().iter().chain(pod.spec()["initContainers"].items());
    all.clone()
        .find(|c| c["name"].str() == container)
        .map(|c| c["image"].to_str())
        .unwrap_or_default()
}

/// Runs the command of an exec probe; an error is what it prints.
///
/// # Errors
/// The command's output if it fails.
pub fn probe_command(w: &World, pod: &Key, container: &str, words: &[&str]) -> Result<(), String> {
    let program = |w: &&str| w.rsplit('/').next().unwrap_or(w).to_owned();
    let exists = |path: &str| fs::exists(w, pod, container, path);
    let missing = |word: &str, path: &str| {
        Err(format!("{word}: can't open '{path}': No such file or directory\n"))
    };
    let Some(first) = words.first() else { return Ok(()) };
    // a program that was taken away
    let image = w.store.by_key(pod).map(|p| image_of(p, container)).unwrap_or_default();
    if let Some(file) = super::program_file(&image, &program(first))
        && !exists(&format!("/{file}"))
    {
        return Err(format!(
            "OCI runtime exec failed: exec failed: unable to start container process: exec: {first:?}: executable file not found in $PATH: unknown\n"
        ));
    }
    match program(first).as_str() {
        "sh" | "bash" | "ash" | "dash" => {
            let script = words.iter().position(|w| w.starts_with('-') && w.ends_with('c'));
            let script = script.and_then(|at| words.get(at + 1)).copied().unwrap_or("");
            let mut result = Ok(());
            for part in script.split("&&").flat_map(|s| s.split([';', '\n'])) {
                let part: Vec<&str> =
                    part.split_whitespace().map(|w| w.trim_matches(['"', '\''])).collect();
                match part.first().copied() {
                    Some("exit") => {
                        return match part.get(1).copied().unwrap_or("0") {
                            "0" => Ok(()),
                            _ => Err(String::new()),
                        };
                    }
                    Some(name) => {
                        result = probe_command(w, pod, container, &part);
                        if result.as_ref().is_err_and(|e| e.starts_with("OCI ")) {
                            result = Err(format!("sh: {name}: not found\n"));
                        }
                    }
                    None => {}
                }
                if result.is_err() && !script.contains("||") {
                    return result;
                }
            }
            if script.contains("||") { Ok(()) } else { result }
        }
        "false" => Err(String::new()),
        "cat" => match words.get(1) {
            Some(path) if !exists(path) => missing("cat", path),
            _ => Ok(()),
        },
        "ls" | "stat" => match words.iter().skip(1).find(|w| !w.starts_with('-')) {
            Some(path) if !exists(path) => {
                Err(format!("{}: {path}: No such file or directory\n", program(first)))
            }
            _ => Ok(()),
        },
        "test" | "[" => match words.get(1..3) {
            Some(["-f" | "-e" | "-s" | "-r", path]) if !exists(path) => Err(String::new()),
            Some(["-d", path]) if !fs::is_dir(w, pod, container, path) => Err(String::new()),
            Some(["!", flag]) if flag.starts_with('-') => match words.get(3) {
                Some(path) if exists(path) => Err(String::new()),
                _ => Ok(()),
            },
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}
