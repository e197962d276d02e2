//! Clients of databases, as they are typed in a container: `redis-cli`, `etcdctl`,
//! `zkCli.sh`, `mysql`. Each server keeps its data on its own disk, so that a learner sees
//! what survives and what each ordinal has for itself.
//!
//! # Divergence from real Kubernetes
//! Servers agree at the moment of a request instead of all the time: a member that was away
//! has the others' data as soon as it is asked.

use super::process::addresses;
use super::{Family, family, listener, sql};
use crate::api::{Key, Kind};
use crate::net::request;
use crate::shell::glob;
use crate::storage::{fs, mounts};
use crate::value::{Str, Value};
use crate::world::World;

/// What a program printed, and its exit code.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Output {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit code.
    pub code: i32,
}

impl Output {
    pub(super) fn ok(out: impl Into<String>) -> Self {
        Self { out: out.into(), ..Self::default() }
    }

    pub(super) fn fail(err: impl Into<String>) -> Self {
        Self { err: err.into(), code: 1, ..Self::default() }
    }
}

/// A server that a client has reached.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) pod: Key,
    pub(super) container: Str,
}

/// Has a client of MySQL its statement among its arguments?
pub fn asks(argv: &[String]) -> bool {
    argv.iter().any(|a| a.starts_with("-e") || a.starts_with("--execute"))
}

/// What is said when a client would talk with somebody at a terminal; none if it would not.
pub fn interactive(argv: &[String]) -> Option<String> {
    let (program, words) = argv.split_first()?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let example = match program.as_str() {
        "mysql" | "mariadb" if !asks(argv) => "-e 'SELECT 1'",
        "redis-cli" if operands(&words).is_empty() => "get KEY",
        "zkCli.sh" if operands(&words).is_empty() => "ls /",
        _ => return None,
    };
    Some(format!(
        "not simulated: {program} at a terminal; give it what it shall do: {program} {example}"
    ))
}

/// Runs a database's client in a container; `None` if it is no such program.
pub fn client(w: &mut World, pod: &Key, argv: &[String], stdin: &str, tty: bool) -> Option<Output> {
    let program = argv.first()?.rsplit('/').next()?;
    let words: Vec<&str> = argv.iter().skip(1).map(String::as_str).collect();
    let (port, known) = match program {
        "redis-cli" => (6379, "Redis"),
        "etcdctl" => (2379, "etcd"),
        "zkCli.sh" | "zkServer.sh" | "nc" => (2181, "ZooKeeper"),
        "mysql" | "mysqladmin" | "mariadb" | "mariadb-admin" => (3306, "MySQL"),
        _ => return None,
    };
    let asked = words
        .iter()
        .position(|a| matches!(*a, "-h" | "--host" | "-server"))
        .and_then(|at| words.get(at + 1).copied())
        .or_else(|| words.iter().find_map(|a| a.strip_prefix("--host=")));
    let rest = operands(&words);
    let host = match rest.as_slice() {
        [.., host, _] if program == "nc" => Some(*host),
        _ => asked,
    };
    let host = host.unwrap_or("127.0.0.1");
    let (name, port) = match host.split_once(':') {
        Some((name, p)) => (name, p.parse().unwrap_or(port)),
        None => (host, port),
    };
    let ips = if matches!(name, "localhost" | "127.0.0.1") {
        vec![Str::Lit("127.0.0.1")]
    } else {
        addresses(w, pod, name)
    };
    let server = ips
        .first()
        .and_then(|ip| request(w, pod, ip, port).ok())
        .and_then(|p| listener(w, &p, port).map(|l| Server { pod: p, container: l.container }));
    let Some(server) = server else {
        let unknown = ips.is_empty();
        return Some(Output::fail(match (known, unknown) {
            ("Redis", true) => {
                format!("Could not connect to Redis at {name}:{port}: Name or service not known\n")
            }
            ("Redis", false) => {
                format!("Could not connect to Redis at {name}:{port}: Connection refused\n")
            }
            ("MySQL", true) => {
                format!("ERROR 2005 (HY000): Unknown MySQL server host '{name}' (-2)\n")
            }
            ("MySQL", false) => {
                format!(
                    "ERROR 2003 (HY000): Can't connect to MySQL server on '{name}:{port}' (111)\n"
                )
            }
            ("ZooKeeper", _) if program == "nc" => String::new(),
            ("etcd", _) => "Error: context deadline exceeded\n".to_owned(),
            _ => "Error contacting service. It is probably not running.\n".to_owned(),
        }));
    };
    Some(match program {
        "redis-cli" => redis(w, &server, &rest, stdin, tty),
        "etcdctl" => etcd(w, &server, &rest),
        "nc" if stdin.trim() == "ruok" => Output::ok("imok"),
        "nc" => Output::fail("nc: not simulated: anything but ruok and nc -z HOST PORT\n"),
        "zkServer.sh" => zk_status(w, &server),
        "zkCli.sh" => zookeeper(w, &server, &rest),
        "mysqladmin" | "mariadb-admin" if rest.contains(&"ping") => Output::ok(format!(
            "{} is alive\n",
            if program == "mysqladmin" { "mysqld" } else { "mariadbd" }
        )),
        "mysqladmin" | "mariadb-admin" => {
            Output::fail(format!("not simulated: {program} without ping\n"))
        }
        _ => sql::mysql(w, &server, &words, stdin, tty),
    })
}

/// Words without flags and the values of flags that take one.
fn operands<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut rest = Vec::new();
    let mut skip = false;
    for word in words {
        if skip {
            skip = false;
        } else if matches!(*word, "-h" | "-p" | "-a" | "-server" | "--endpoints" | "--host") {
            skip = true;
        } else if !word.starts_with('-') {
            rest.push(*word);
        }
    }
    rest
}

/// Where a server keeps its data: the directory of its disk.
fn directory(w: &World, server: &Server) -> String {
    let Some(pod) = w.store.by_key(&server.pod) else { return "/data".to_owned() };
    let containers = pod.spec()["containers"].items();
    let Some(c) = containers.iter().find(|c| c["name"].str() == server.container.as_str()) else {
        return "/data".to_owned();
    };
    let usual = family(c["image"].str()).data_directory().unwrap_or("/data");
    let mounts = mounts::of_container(w, pod, c);
    mounts
        .iter()
        .find(|m| m.path.starts_with(usual) || usual.starts_with(m.path.as_str()))
        .or_else(|| mounts.iter().find(|m| m.pv.is_some() && !m.read_only))
        .map_or_else(|| usual.to_owned(), |m| m.path.to_string())
}

pub(super) fn load(w: &World, server: &Server) -> String {
    let file = format!("{}/podium.db", directory(w, server));
    fs::read(w, &server.pod, &server.container, &file).map(|s| s.to_string()).unwrap_or_default()
}

pub(super) fn save(w: &mut World, server: &Server, data: &str) {
    let dir = directory(w, server);
    let file = format!("{dir}/podium.db");
    // a read-only disk keeps what it has
    let _ = fs::mkdir(w, &server.pod, &server.container, &dir, true);
    let _ = fs::write(w, &server.pod, &server.container, &file, data);
}

/// The servers of the same set that run, and how many the set should have.
pub(super) fn members(w: &World, server: &Server, port: i64) -> (Vec<Server>, i64) {
    let Some(pod) = w.store.by_key(&server.pod) else { return (Vec::new(), 1) };
    let owner = pod.controller_uid();
    if owner.is_empty() {
        return (vec![server.clone()], 1);
    }
    let ns = pod.ns();
    let mut all: Vec<(i64, Server)> = w
        .store
        .list(Kind::Pod, &ns)
        .filter(|p| p.controller_uid() == owner && !w.kubelet.is_down(&p.pod().node))
        .filter_map(|p| {
            let l = listener(w, &p.key(), port)?;
            let n = p.pod().ordinal.map_or(0, |(_, n)| n);
            Some((n, Server { pod: p.key(), container: l.container }))
        })
        .collect();
    all.sort_by_key(|(n, _)| *n);
    let set = pod.controller_ref().and_then(|r| {
        let key = Key::new(Kind::StatefulSet, ns.clone(), r["name"].to_str());
        w.store.by_key(&key).map(|s| s.spec()["replicas"].int_or(1))
    });
    (all.into_iter().map(|(_, s)| s).collect(), set.unwrap_or(1))
}

/// The pods of the set that a pod belongs to, by ordinal, with their addresses and whether
/// they serve; a pod without a set stands alone.
pub(crate) fn members_of(w: &World, pod: &Key, port: i64) -> Vec<(Key, Str, bool)> {
    let Some(own) = w.store.by_key(pod) else { return Vec::new() };
    let owner = own.controller_uid();
    let mut all: Vec<(i64, Key, Str, bool)> = w
        .store
        .list(Kind::Pod, &own.ns())
        .filter(|p| !p.pod().ip.is_empty())
        .filter(|p| p.key() == *pod || !owner.is_empty() && p.controller_uid() == owner)
        .map(|p| {
            let up = !w.kubelet.is_down(&p.pod().node) && listener(w, &p.key(), port).is_some();
            let n = p.pod().ordinal.map_or(0, |(_, n)| n);
            (n, p.key(), p.pod().ip.clone(), up)
        })
        .collect();
    all.sort_by_key(|(n, ..)| *n);
    all.into_iter().map(|(_, key, ip, up)| (key, ip, up)).collect()
}

/// A key and its value.
type Pair = (String, String);
/// Some of them.
type Pairs = [Pair];

/// Lines `key<TAB>value` as a list.
fn pairs(data: &str) -> Vec<Pair> {
    let lines = data.lines().filter_map(|l| l.split_once('\t'));
    lines.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn put(list: &mut Vec<Pair>, key: &str, value: &str) {
    match list.iter_mut().find(|(k, _)| k == key) {
        Some(slot) => value.clone_into(&mut slot.1),
        None => list.push((key.to_owned(), value.to_owned())),
    }
}

/// One text from its lines.
pub(super) fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().concat()
}

fn lines(list: &Pairs) -> String {
    joined(list.iter().map(|(k, v)| format!("{k}\t{v}\n")))
}

fn redis(w: &mut World, server: &Server, words: &[&str], stdin: &str, tty: bool) -> Output {
    if words.is_empty() {
        let mut all = Output::default();
        for line in stdin.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !words.is_empty() {
                let Output { out, err, .. } = redis(w, server, &words, "", tty);
                all.out += &out;
                all.err += &err;
            }
        }
        return all;
    }
    let mut list = pairs(&load(w, server));
    let get = |list: &Pairs, key: &str| list.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let command = words[0].to_ascii_uppercase();
    // types and quotes are for people at a terminal
    let text = |t: &str| if tty { format!("\"{t}\"\n") } else { format!("{t}\n") };
    let nothing = |what: &str| if tty { format!("({what})\n") } else { "\n".to_owned() };
    let number = |n: i64| if tty { format!("(integer) {n}\n") } else { format!("{n}\n") };
    let answer = match (command.as_str(), &words[1..]) {
        ("PING", []) => "PONG\n".to_owned(),
        ("SET", [key, value]) => {
            put(&mut list, key, value);
            save(w, server, &lines(&list));
            "OK\n".to_owned()
        }
        ("GET", [key]) => get(&list, key).map_or_else(|| nothing("nil"), |v| text(&v)),
        ("INCR", [key]) => {
            let next = get(&list, key).and_then(|v| v.parse::<i64>().ok()).unwrap_or(0) + 1;
            put(&mut list, key, &next.to_string());
            save(w, server, &lines(&list));
            number(next)
        }
        ("DEL", keys @ [_, ..]) => {
            let before = list.len();
            list.retain(|(k, _)| !keys.contains(&k.as_str()));
            save(w, server, &lines(&list));
            number((before - list.len()) as i64)
        }
        ("KEYS", [pattern]) => {
            let keys = list.iter().filter(|(k, _)| glob(pattern, k)).enumerate();
            let line = |(i, (k, _)): (usize, &Pair)| {
                if tty { format!("{}) {}", i + 1, text(k)) } else { text(k) }
            };
            Some(joined(keys.map(line)))
                .filter(|t| !t.is_empty())
                .unwrap_or_else(|| nothing("empty array"))
        }
        ("DBSIZE", []) => number(list.len() as i64),
        _ => return Output::fail(format!("not simulated: redis-cli {}\n", words.join(" "))),
    };
    Output::ok(answer)
}

/// The data that a majority agrees on: the newest of those that run. `None`: no majority.
fn agreed(w: &World, server: &Server, port: i64) -> Option<(Vec<Server>, Vec<Pair>)> {
    let (running, replicas) = members(w, server, port);
    if 2 * running.len() as i64 <= replicas {
        return None;
    }
    let newest = running
        .iter()
        .map(|s| pairs(&load(w, s)))
        .max_by_key(|list| revision(list))
        .unwrap_or_default();
    Some((running, newest))
}

const REVISION: &str = "#revision";

fn revision(list: &Pairs) -> u64 {
    list.iter().find(|(k, _)| k == REVISION).and_then(|(_, v)| v.parse().ok()).unwrap_or(0)
}

fn commit(w: &mut World, running: &[Server], mut list: Vec<Pair>) {
    let next = revision(&list) + 1;
    put(&mut list, REVISION, &next.to_string());
    for server in running {
        save(w, server, &lines(&list));
    }
}

fn etcd(w: &mut World, server: &Server, words: &[&str]) -> Output {
    let Some((running, mut list)) = agreed(w, server, 2379) else {
        return Output::fail("Error: context deadline exceeded\n");
    };
    match words {
        ["put", key, value, ..] => {
            put(&mut list, key, value);
            commit(w, &running, list);
            Output::ok("OK\n")
        }
        ["get", key, ..] => {
            let found = list.iter().find(|(k, _)| k == key);
            Output::ok(found.map_or_else(String::new, |(k, v)| format!("{k}\n{v}\n")))
        }
        ["del", key, ..] => {
            let before = list.len();
            list.retain(|(k, _)| k != key);
            let gone = before - list.len();
            commit(w, &running, list);
            Output::ok(format!("{gone}\n"))
        }
        ["endpoint", "health", ..] => {
            Output::ok("127.0.0.1:2379 is healthy: successfully committed proposal: took = 2ms\n")
        }
        ["member", "list", ..] => {
            Output::ok(joined(running.iter().map(|s| format!("started, {}\n", s.pod.name))))
        }
        _ => Output::fail("Error: not simulated\n"),
    }
}

fn zookeeper(w: &mut World, server: &Server, words: &[&str]) -> Output {
    let Some((running, mut list)) = agreed(w, server, 2181) else {
        return Output::fail("KeeperErrorCode = ConnectionLoss\n");
    };
    let missing = |path: &str| Output::fail(format!("Node does not exist: {path}\n"));
    let find =
        |list: &Pairs, path: &str| list.iter().find(|(k, _)| k == path).map(|(_, v)| v.clone());
    match words {
        ["create", path, rest @ ..] => {
            if find(&list, path).is_some() {
                return Output::fail(format!("Node already exists: {path}\n"));
            }
            put(&mut list, path, rest.first().unwrap_or(&""));
            commit(w, &running, list);
            Output::ok(format!("Created {path}\n"))
        }
        ["set", path, value, ..] => {
            if find(&list, path).is_none() {
                return missing(path);
            }
            put(&mut list, path, value);
            commit(w, &running, list);
            Output::default()
        }
        ["get", path, ..] => {
            find(&list, path).map_or_else(|| missing(path), |v| Output::ok(format!("{v}\n")))
        }
        ["delete", path, ..] => {
            list.retain(|(k, _)| k != path);
            commit(w, &running, list);
            Output::default()
        }
        ["ls", path, ..] => {
            let prefix = if *path == "/" { "/".to_owned() } else { format!("{path}/") };
            let mut names: Vec<&str> = list
                .iter()
                .filter_map(|(k, _)| k.strip_prefix(&prefix))
                .filter(|n| !n.contains('/'))
                .collect();
            if *path == "/" {
                names.push("zookeeper");
            }
            names.sort_unstable();
            Output::ok(format!("[{}]\n", names.join(", ")))
        }
        _ => Output::fail("not simulated\n"),
    }
}

fn zk_status(w: &World, server: &Server) -> Output {
    let Some((running, _)) = agreed(w, server, 2181) else {
        return Output::fail("Error contacting service. It is probably not running.\n");
    };
    let mode = match running.as_slice() {
        [_] => "standalone",
        all if all.last().is_some_and(|s| s.pod == server.pod) => "leader",
        _ => "follower",
    };
    Output::ok(format!("Mode: {mode}\n"))
}

/// Does this pod copy from ordinal 0 (the documentation's replicated MySQL)?
pub(super) fn replicated(w: &World, pod: &Key) -> bool {
    w.store.by_key(pod).is_some_and(|p| {
        let all = p.spec()["containers"].items().iter().chain(p.spec()["initContainers"].items());
        let mut copies = all.map(|c: &Value| c["image"].str());
        copies.any(|i| i.contains("xtrabackup")) && family_of(w, pod) == Some(Family::Mysql)
    })
}

fn family_of(w: &World, pod: &Key) -> Option<Family> {
    listener(w, pod, 3306).map(|l| l.family)
}
