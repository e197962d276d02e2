//! Shells and programs inside containers: what `kubectl exec` and `kubectl run -it` start.
//!
//! # Divergence from real Kubernetes
//! Only programs that learners type are there; curl shows no progress meter.

mod connect;
mod disks;
mod dns;
mod files;
mod http;
mod system;

use crate::api::{Key, Obj};
use crate::kubectl::io::{Chunk, Io, Job, Run};
use crate::net::resolver;
use crate::shell::commands::{self, FromInput};
use crate::shell::{Dialect, Lenient, Place, Shell};
use crate::storage::fs;
use crate::value::{Str, Value, text};
use crate::workload::{self, Family};
use crate::world::World;

/// A place inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The pod.
    pub pod: Key,
    /// Its uid: a namesake is another place.
    pub uid: Str,
    /// The container.
    pub container: Str,
    /// Its image.
    pub image: Str,
    /// Working directory.
    pub cwd: String,
}

/// Whose programs an image has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tools {
    /// BusyBox up to 1.28: nslookup goes through the C library.
    BusyBoxOld,
    /// BusyBox from 1.29 on, Alpine.
    BusyBox,
    /// Debian and the like: GNU tools, BIND's nslookup and dig where they are installed.
    Gnu,
}

impl Inside {
    /// A container of a pod.
    pub fn new(pod: &Obj, container: &str) -> Self {
        let spec = spec(pod, container);
        let dir = spec["workingDir"].str();
        Self {
            pod: pod.key(),
            uid: pod.uid(),
            container: text(container),
            image: spec["image"].to_str(),
            cwd: if dir.is_empty() { "/".to_owned() } else { dir.to_owned() },
        }
    }

    /// Is it still there and running?
    pub fn alive(&self, w: &World) -> bool {
        w.kubelet.pod(&self.uid).is_some_and(|run| {
            run.index(&self.container)
                .and_then(|i| run.containers.get(i))
                .is_some_and(crate::kubelet::run::Container::running)
        })
    }

    /// Whose programs it has.
    pub fn tools(&self) -> Tools {
        let name = self.image.rsplit('/').next().unwrap_or("");
        let (base, tag) = name.split_once(':').unwrap_or((name, "latest"));
        if base == "alpine" || tag.contains("alpine") || base.starts_with("curl") {
            return Tools::BusyBox;
        }
        if base != "busybox" {
            return Tools::Gnu;
        }
        let mut numbers = tag.split(['.', '-']).map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(1)), Some(Ok(minor))) if minor <= 28 => Tools::BusyBoxOld,
            (Some(Ok(0)), _) => Tools::BusyBoxOld,
            _ => Tools::BusyBox,
        }
    }

    /// An absolute path.
    pub fn path(&self, path: &str) -> String {
        let joined =
            if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.cwd) };
        format!("/{}", fs::components(&joined).join("/"))
    }

    /// Whose words its `sh` has.
    pub fn dialect(&self) -> Dialect {
        // agnhost is an Alpine with BIND's tools
        if self.tools() != Tools::Gnu || self.image.contains("agnhost") {
            Dialect::Ash
        } else if workload::of_rpm(&self.image) {
            Dialect::Bash
        } else {
            Dialect::Dash
        }
    }

    fn pod<'a>(&self, w: &'a World) -> Option<&'a Obj> {
        w.store.by_key(&self.pod).filter(|p| p.uid() == self.uid)
    }

    /// What is said of a program that is in the container, or may be, and not simulated.
    fn unsimulated(&self, program: &str) -> Option<String> {
        workload::unsimulated(&self.image, self.tools() != Tools::Gnu, program)
    }

    /// Where a program of the container lies, simulated or not.
    pub fn which(&self, w: &World, program: &str) -> Option<String> {
        let there = self.has(w, program)
            || self.unsimulated(program).is_some_and(|text| text.ends_with("has it)"));
        let short = program.rsplit('/').next().unwrap_or(program);
        there.then(|| match workload::program_file(&self.image, short) {
            Some(file) => format!("/{file}"),
            None if self.tools() == Tools::Gnu => format!("/usr/bin/{short}"),
            None => format!("/bin/{short}"),
        })
    }

    /// Does the container have this program, so that it can be run here?
    pub fn has(&self, w: &World, program: &str) -> bool {
        let program = program.rsplit('/').next().unwrap_or(program);
        // it may have been taken away
        if let Some(file) = workload::program_file(&self.image, program) {
            return fs::exists(w, &self.pod, &self.container, &format!("/{file}"));
        }
        let busybox = self.tools() != Tools::Gnu;
        let base = self.image.rsplit('/').next().unwrap_or("");
        let tester =
            ["agnhost", "dnsutils", "netshoot", "dns-test", "nettools", "debug", "toolbox"]
                .iter()
                .any(|t| base.contains(t));
        match program {
            "nslookup" => busybox || tester,
            "dig" | "host" => tester,
            "wget" => busybox || tester || base.contains("nginx"),
            "ping" => busybox || tester,
            "nc" => busybox || tester || workload::family(&self.image) == Family::ZooKeeper,
            "curl" => !busybox || base.starts_with("curl") || base.contains("netshoot"),
            "tail" | "timeout" | "watch" | "diff" | "dirname" | "command" | "type" => true,
            "bash" => !busybox || base.contains("bash"),
            p => PROGRAMS.contains(&p),
        }
    }
}

/// Programs that every image here has.
const PROGRAMS: &[&str] = &[
    "sh", "ls", "cat", "echo", "printf", "hostname", "env", "printenv", "rm", "mkdir", "rmdir",
    "mv", "cp", "touch", "ps", "df", "mount", "date", "sleep", "id", "whoami", "pwd", "uname",
    "kill", "pkill", "killall", "getent", "grep", "egrep", "head", "tail", "cut", "wc", "sort",
    "uniq", "awk", "sed", "tr", "tac", "rev", "base64", "seq", "test", "[", "true", "false", "tee",
    "xargs", "basename", "stat", "sync", "exit", "ash", "dash", "which", "expr", "nproc",
];

/// The spec of a container, init containers too.
pub fn spec<'a>(pod: &'a Obj, name: &str) -> &'a Value {
    const NULL: &Value = &Value::Null;
    let spec = pod.spec();
    spec["containers"]
        .items()
        .iter()
        .chain(spec["initContainers"].items())
        .find(|c| c["name"].str() == name)
        .unwrap_or(NULL)
}

/// A shell in that place, its variables set.
pub fn shell(w: &World, inside: Inside, term: u8) -> Shell {
    let mut vars = crate::collections::BTreeMap::new();
    if let Some(pod) = inside.pod(w) {
        vars.extend(workload::env(w, pod, spec(pod, &inside.container)));
    }
    vars.insert("HOME".into(), "/root".into());
    vars.insert("PWD".into(), inside.cwd.clone().into());
    let mut shell = Shell::new(Place::Container(inside), term);
    shell.vars = vars;
    shell
}

/// Starts a program in a container, as `exec` does.
///
/// # Errors
/// The name of a program that the image does not have.
pub fn start(
    w: &mut World,
    io: &mut Io,
    inside: Inside,
    argv: &[String],
    tty: bool,
) -> Result<Run, String> {
    let Some(program) = argv.first() else { return Err(String::new()) };
    if !inside.has(w, program) {
        let Some(text) = inside.unsimulated(program) else { return Err(program.clone()) };
        io.err(text);
        return Ok(Run::Done(127));
    }
    let name = program.rsplit('/').next().unwrap_or(program);
    let mut shell = shell(w, inside.clone(), io.term);
    shell.bash = name == "bash";
    let alone = argv.iter().skip(1).all(|a| a.starts_with('-') && !a.contains('c'));
    if matches!(name, "sh" | "bash" | "ash" | "dash") && alone && tty && io.stdin.tty {
        let prompt = match (inside.tools(), name) {
            (Tools::Gnu, "bash") => {
                let host = inside.pod(w).map(resolver::hostname).unwrap_or_default();
                format!("root@{host}:{}# ", inside.cwd)
            }
            (Tools::Gnu, _) => format!("{} ", system::User::of(w, &inside).sign()),
            _ => format!("{} {} ", inside.cwd, system::User::of(w, &inside).sign()),
        };
        let prompt = Some(prompt);
        shell.interactive = true;
        return Ok(Run::wait(FromInput { shell, running: None, prompt, asked: false, next: 1 }));
    }
    let mut argv = argv.to_vec();
    if let Some(first) = argv.first_mut() {
        name.clone_into(first);
    }
    Ok(shell.start(w, io, &argv))
}

/// Output that is there after a while.
#[derive(Clone)]
pub struct Later {
    /// When.
    pub due: u64,
    /// What is printed.
    pub out: Vec<Chunk>,
    /// Exit status.
    pub code: i32,
}

impl Job for Later {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        if w.now < self.due {
            return None;
        }
        io.out.append(&mut self.out);
        Some(self.code)
    }
}

/// Ends a program with what it printed, now or later.
pub fn later(w: &mut World, io: &mut Io, after: u64, printed: &mut Io, code: i32) -> Run {
    w.wake_terminal(io.term, after, false);
    Run::wait(Later { due: w.now + after, out: std::mem::take(&mut printed.out), code })
}

/// Starts a program by name; `None` if there is no such program here.
pub fn program(
    sh: &mut Shell,
    w: &mut World,
    io: &mut Io,
    name: &str,
    args: &[String],
) -> Option<Run> {
    let Place::Container(inside) = sh.place.clone() else { return None };
    let short = name.rsplit('/').next().unwrap_or(name);
    if !inside.has(w, short) && !matches!(short, "cd") {
        let text = inside.unsimulated(short).filter(|_| sh.lenient == Lenient::Never)?;
        io.err(text);
        return Some(Run::Done(127));
    }
    let pod = inside.pod(w)?.clone();
    let done = |code| Some(Run::Done(code));
    match short {
        "hostname" => {
            let host = resolver::hostname(&pod);
            let flag = args.first().map_or("", String::as_str);
            match flag {
                "" => io.line(&host),
                "-s" => io.line(host.split('.').next().unwrap_or("")),
                "-f" | "--fqdn" | "-A" => {
                    io.line(resolver::fqdn(&pod).unwrap_or_else(|| host.to_string()));
                }
                "-d" => {
                    let name = resolver::fqdn(&pod).unwrap_or_default();
                    io.line(name.split_once('.').map_or("", |(_, d)| d));
                }
                "-i" | "-I" => io.line(&pod.pod().ip),
                _ => {
                    io.err("hostname: you must be root to change the host name");
                    return done(1);
                }
            }
            done(0)
        }
        "env" | "printenv" => done(commands::variables(sh, io, args)),
        "whoami" | "id" => done(system::id(w, io, &inside, short, args)),
        "uname" => {
            let all = args.iter().any(|a| a.contains('a'));
            let node = args.iter().any(|a| a.contains('n'));
            let host = resolver::hostname(&pod);
            if all {
                io.line(format!("Linux {host} 6.12.0 #1 SMP x86_64 GNU/Linux"));
            } else if node {
                io.line(&host);
            } else {
                io.line("Linux");
            }
            done(0)
        }
        "ps" => done(system::ps(w, io, &inside, args)),
        "nodetool" => done(system::nodetool(w, io, &inside, args)),
        "start-zookeeper" => {
            workload::start_zookeeper(w, &inside.pod, &inside.container, args);
            Some(Run::wait(workload::Serves))
        }
        // probes ask in their own way (`workload::probe_command`)
        "zookeeper-ready" | "ready-probe.sh" => done(0),
        "kill" | "pkill" | "killall" => done(system::kill(w, io, &inside, short, args)),
        "nginx" => done(system::nginx(w, io, &inside, args)),
        "sync" => done(0),
        "nproc" => {
            io.line((w.config.node_cpu / 1000).max(1).to_string());
            done(0)
        }
        "which" => {
            let mut code = 0;
            for a in args {
                match inside.which(w, a) {
                    Some(path) => io.line(path),
                    None => code = 1,
                }
            }
            done(code)
        }
        "ash" | "dash" => None,
        "nslookup" => Some(dns::nslookup(w, io, &inside, args)),
        "dig" => Some(dns::dig(w, io, &inside, args)),
        "host" => Some(dns::host(w, io, &inside, args)),
        "getent" => Some(dns::getent(w, io, &inside, args)),
        "ping" => Some(connect::ping(w, io, &inside, args)),
        "wget" | "curl" => Some(http::fetch(w, io, &inside, short == "curl", args)),
        // ZooKeeper's words of four letters are sent so
        "nc" if workload::family(&inside.image) == Family::ZooKeeper && !has_z(args) => {
            Some(client(inside, short, args))
        }
        "nc" => Some(connect::netcat(w, io, &inside, args)),
        "redis-cli" | "etcdctl" | "zkCli.sh" | "zkServer.sh" | "mysql" | "mysqladmin"
        | "mariadb" | "mariadb-admin" => Some(client(inside, short, args)),
        _ => files::program(sh, w, io, short, args),
    }
}

/// `nc -z`: does it ask without sending anything?
fn has_z(args: &[String]) -> bool {
    args.iter().any(|a| a.starts_with('-') && a.contains('z'))
}

fn client(inside: Inside, name: &str, args: &[String]) -> Run {
    let argv = std::iter::once(name.to_owned()).chain(args.iter().cloned()).collect();
    Run::wait(Client { inside, argv })
}

/// A database's client: reads its input to the end, then asks.
#[derive(Clone)]
struct Client {
    inside: Inside,
    argv: Vec<String>,
}

impl Job for Client {
    fn poll(&mut self, w: &mut World, io: &mut Io) -> Option<i32> {
        let asks = workload::asks(&self.argv);
        let waits = !io.stdin.tty && io.stdin.open && !asks;
        if waits {
            return None;
        }
        if io.stdin.tty
            && let Some(text) = workload::interactive(&self.argv)
        {
            io.err(text);
            return Some(1);
        }
        let input = if io.stdin.tty { String::new() } else { std::mem::take(&mut io.stdin.text) };
        let tty = io.tty;
        let out = workload::client(w, &self.inside.pod, &self.argv, &input, tty)?;
        io.print(out.out);
        io.print_err(out.err);
        Some(out.code)
    }
}
