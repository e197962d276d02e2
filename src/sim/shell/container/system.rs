//! Who runs what in a container: `ps`, `id`, `whoami`, `nodetool status`, `nginx -s`.

use super::{Inside, Tools, spec};
use crate::kubectl::io::Io;
use crate::kubelet::hex64;
use crate::value::Value;
use crate::workload::{self, Family, Term, family};
use crate::world::World;

/// The user of a container's processes, from the security contexts.
pub(super) struct User {
    /// Number.
    pub(super) uid: i64,
    /// Number of the first group.
    pub(super) gid: i64,
    /// Group of the pod's volumes.
    pub(super) fs_group: Option<i64>,
    /// Further groups.
    groups: Vec<i64>,
    zookeeper: bool,
}

impl User {
    pub(super) fn of(w: &World, inside: &Inside) -> Self {
        let context = w.store.by_key(&inside.pod).map(|pod| {
            let own = spec(pod, &inside.container)["securityContext"].clone();
            let all = pod.spec()["securityContext"].clone();
            let number = |name: &str| own[name].as_int().or_else(|| all[name].as_int());
            let more = all["supplementalGroups"].items().iter().filter_map(Value::as_int).collect();
            (number("runAsUser"), number("runAsGroup"), all["fsGroup"].as_int(), more)
        });
        let (uid, gid, fs_group, groups) = context.unwrap_or_default();
        let zookeeper = family(&inside.image) == Family::ZooKeeper;
        let own = if zookeeper { uid } else { None };
        Self { uid: uid.unwrap_or(0), gid: gid.or(own).unwrap_or(0), fs_group, groups, zookeeper }
    }

    /// `#` for root, `$` for others.
    pub(super) fn sign(&self) -> char {
        if self.uid == 0 { '#' } else { '$' }
    }

    /// The name of a user or group, if the image knows one.
    fn known(&self, id: i64) -> Option<&'static str> {
        match id {
            0 => Some("root"),
            1000 if self.zookeeper => Some("zookeeper"),
            _ => None,
        }
    }

    /// Name or number of a user or group.
    pub(super) fn name(&self, id: i64) -> String {
        self.known(id).map_or_else(|| id.to_string(), str::to_owned)
    }

    /// `0(root)`, or the number alone.
    fn both(&self, id: i64) -> String {
        self.known(id).map_or_else(|| id.to_string(), |name| format!("{id}({name})"))
    }
}

/// `id` and `whoami`.
pub(super) fn id(w: &World, io: &mut Io, inside: &Inside, name: &str, args: &[String]) -> i32 {
    let user = User::of(w, inside);
    let short = args.first().map_or("", String::as_str);
    if name == "whoami" || short == "-un" {
        if user.known(user.uid).is_none() {
            let whoami = if inside.tools() == Tools::Gnu {
                format!("whoami: cannot find name for user ID {}", user.uid)
            } else {
                format!("whoami: unknown uid {}", user.uid)
            };
            io.err(whoami);
            return 1;
        }
        io.line(user.name(user.uid));
        return 0;
    }
    match short {
        "-u" => io.line(user.uid.to_string()),
        "-g" => io.line(user.gid.to_string()),
        _ => {
            let mut groups = user.groups.clone();
            groups.extend(user.fs_group);
            groups.push(user.gid);
            groups.sort_unstable();
            groups.dedup();
            let groups: Vec<String> = groups.into_iter().map(|g| user.both(g)).collect();
            let groups = groups.join(",");
            io.line(format!(
                "uid={} gid={} groups={groups}",
                user.both(user.uid),
                user.both(user.gid)
            ));
        }
    }
    0
}

/// The processes of a container: number and command line. The one that looks is not among them.
pub(super) fn processes(w: &World, inside: &Inside) -> impl Iterator<Item = (u32, String)> {
    let words = w.store.by_key(&inside.pod).map(|pod| {
        let words = workload::command(spec(pod, &inside.container));
        words.join(" ")
    });
    let words = words.unwrap_or_default();
    let base = inside.image.rsplit('/').next().unwrap_or("").split([':', '@']).next().unwrap_or("");
    let (main, child) = match family(&inside.image) {
        Family::Nginx => ("nginx: master process nginx -g daemon off;", "nginx: worker process"),
        Family::Httpd => ("httpd -DFOREGROUND", "httpd -DFOREGROUND"),
        Family::Mysql => ("mysqld", ""),
        Family::Redis => ("redis-server *:6379", ""),
        Family::ZooKeeper | Family::Cassandra => ("", "java"),
        _ if matches!(base, "busybox" | "alpine") => ("sh", ""),
        _ => (base, ""),
    };
    let java = match family(&inside.image) {
        Family::ZooKeeper => {
            "/usr/bin/java -cp /opt/zookeeper/lib org.apache.zookeeper.server.quorum.QuorumPeerMain /opt/zookeeper/conf/zoo.cfg"
        }
        Family::Cassandra => "/usr/bin/java org.apache.cassandra.service.CassandraDaemon",
        _ => child,
    };
    let started = words.is_empty();
    let first = if !started {
        words
    } else if main.is_empty() {
        java.to_owned()
    } else {
        main.to_owned()
    };
    // a shell that starts a server is its parent
    let shell = !started && matches!(family(&inside.image), Family::ZooKeeper | Family::Cassandra);
    let second = ((started && !child.is_empty() && !main.is_empty()) || shell)
        .then(|| (29, java.to_owned()));
    std::iter::once((1, first)).chain(second)
}

/// `kill`, `pkill`, `killall`.
pub(super) fn kill(
    w: &mut World,
    io: &mut Io,
    inside: &Inside,
    name: &str,
    args: &[String],
) -> i32 {
    let (mut signal, mut targets) = ("TERM", Vec::new());
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some("s") => signal = words.next().unwrap_or(signal),
            Some("") | None => targets.push(word),
            // other letters are options of pkill
            Some(s) if s.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase()) => {
                signal = s;
            }
            Some(_) => {}
        }
    }
    let signal = signal.trim_start_matches("SIG");
    let Some(first) = targets.first() else {
        io.err(format!("BusyBox v1.36.1 multi-call binary.\n\nUsage: {name} [-SIG] TARGET..."));
        return 1;
    };
    let all: Vec<(u32, String)> = processes(w, inside).collect();
    let mut hit: Vec<u32> = Vec::new();
    let mut missing = false;
    if name == "kill" {
        for target in &targets {
            match all.iter().find(|(pid, _)| pid.to_string() == *target) {
                Some((pid, _)) => hit.push(*pid),
                None => {
                    io.err(format!("sh: can't kill pid {target}: No such process"));
                    missing = true;
                }
            }
        }
    } else {
        hit.extend(all.iter().filter(|(_, text)| text.contains(first)).map(|(pid, _)| pid));
    }
    let code = if hit.is_empty() {
        return 1;
    } else if hit.contains(&1) {
        of_first(w, inside, signal)
    } else {
        // what process 1 was waiting for is gone, and so is process 1
        match signal {
            "15" | "TERM" => Some(143),
            "9" | "KILL" => Some(137),
            _ => None,
        }
    };
    if let Some(code) = code {
        crate::kubelet::exec_exit(w, &inside.pod, &inside.container, code);
    }
    i32::from(missing)
}

/// The exit code of process 1 after a signal from inside its container: the kernel gives it
/// only signals that it has a handler for, and never KILL.
fn of_first(w: &World, inside: &Inside, signal: &str) -> Option<i64> {
    let pod = w.store.by_key(&inside.pod)?;
    let shell = family(&inside.image) == Family::Shell;
    match (signal, workload::process(spec(pod, &inside.container)).term) {
        ("15" | "TERM", Term::Obeys(code)) => Some(code),
        // servers stop for these too, scripts have their traps for TERM
        ("2" | "INT" | "3" | "QUIT", Term::Obeys(code)) if !shell => Some(code),
        _ => None,
    }
}

/// `ps`: as BusyBox, or as procps prints it (`-ef`, `-elf`, `aux`).
pub(super) fn ps(w: &World, io: &mut Io, inside: &Inside, args: &[String]) -> i32 {
    let user = User::of(w, inside);
    let name = user.name(user.uid);
    let mine = std::iter::once("ps").chain(args.iter().map(String::as_str)).collect::<Vec<_>>();
    let all: Vec<(u32, String)> =
        processes(w, inside).chain(std::iter::once((47, mine.join(" ")))).collect();
    if inside.tools() != Tools::Gnu {
        io.line("PID   USER     TIME  COMMAND");
        for (pid, text) in all {
            io.line(format!("{pid:>5} {name:<8}  0:00 {text}"));
        }
        return 0;
    }
    // procps cuts long names
    let cut: String =
        if name.len() > 8 { format!("{}+", name.get(..7).unwrap_or("")) } else { name };
    let parent = |pid: u32| u32::from(pid > 1);
    let options: String = args.iter().map(|a| a.trim_start_matches('-')).collect();
    let clock = crate::api::time::rfc3339(w.now);
    let clock = clock.get(11..16).unwrap_or("09:00");
    if options.contains('u') && options.contains('x') {
        io.line("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND");
        for (pid, text) in all {
            io.line(format!(
                "{cut:<8} {pid:>7}  0.0  0.1   4628   812 ?        Ss   {clock}   0:00 {text}"
            ));
        }
    } else if options.contains('l') {
        io.line("F S UID        PID  PPID  C PRI  NI ADDR SZ WCHAN  STIME TTY          TIME CMD");
        for (pid, text) in all {
            io.line(format!(
                "4 S {cut:<8} {pid:>5} {:>5}  0  80   0 -  1127 -      {clock} ?        00:00:00 {text}",
                parent(pid)
            ));
        }
    } else if options.contains('f') {
        io.line("UID          PID    PPID  C STIME TTY          TIME CMD");
        for (pid, text) in all {
            io.line(format!(
                "{cut:<8} {pid:>7} {:>7}  0 {clock} ?        00:00:00 {text}",
                parent(pid)
            ));
        }
    } else {
        io.line("    PID TTY          TIME CMD");
        for (pid, text) in all {
            let program = text.split(' ').next().unwrap_or("");
            let program = program.rsplit('/').next().unwrap_or("");
            io.line(format!("{pid:>7} ?        00:00:00 {program}"));
        }
    }
    0
}

/// `nodetool status`: Cassandra's ring, a line for each member.
pub(super) fn nodetool(w: &World, io: &mut Io, inside: &Inside, args: &[String]) -> i32 {
    match args.first().map_or("", String::as_str) {
        "status" => {}
        "drain" | "flush" | "repair" | "cleanup" => return 0,
        other => {
            io.err(format!("not simulated: nodetool {other}"));
            return 1;
        }
    }
    let env = w
        .store
        .by_key(&inside.pod)
        .map(|pod| workload::env(w, pod, spec(pod, &inside.container)))
        .unwrap_or_default();
    let var = |name: &str, default: &str| {
        env.iter()
            .find(|(n, _)| n == name)
            .map_or_else(|| default.to_owned(), |(_, v)| v.to_string())
    };
    let rack = var("CASSANDRA_RACK", "rack1");
    let title = format!("Datacenter: {}", var("CASSANDRA_DC", "datacenter1"));
    io.line(&title);
    io.line("=".repeat(title.len()));
    io.line("Status=Up/Down\n|/ State=Normal/Leaving/Joining/Moving");
    let members = workload::members_of(w, &inside.pod, 9042);
    let wide = members.iter().map(|(_, ip, _)| ip.len()).max().unwrap_or(7).max(7);
    io.line(format!(
        "--  {:<wide$}  Load       Tokens       Owns (effective)  Host ID                               Rack",
        "Address"
    ));
    // everything is kept twice
    let share = (2000 / members.len().max(2)).min(1000);
    let owns = format!("{}.{}%", share / 10, share % 10);
    for (pod, ip, up) in &members {
        let id = hex64(&["cassandra", &pod.ns, &pod.name]);
        let part = |r: std::ops::Range<usize>| id.get(r).unwrap_or("").to_owned();
        let id = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-");
        let load = format!("{}.{} KiB", 65 + pod.name.len(), 10 + ip.len());
        io.line(format!(
            "{}  {ip:<wide$}  {load:<9}  32           {owns:<16}  {id}  {rack}",
            if *up { "UN" } else { "DN" }
        ));
    }
    io.line("");
    0
}

/// `nginx -v`, `-t`, `-s SIGNAL`: beside the server that runs.
pub(super) fn nginx(w: &mut World, io: &mut Io, inside: &Inside, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["-v"] => {
            let tag = inside.image.rsplit(':').next().unwrap_or("").split('-').next().unwrap_or("");
            let known = tag.split('.').count() == 3;
            io.err(format!("nginx version: nginx/{}", if known { tag } else { "1.27.0" }));
        }
        ["-t"] => {
            let file = "/etc/nginx/nginx.conf";
            io.err(format!("nginx: the configuration file {file} syntax is ok"));
            io.err(format!("nginx: configuration file {file} test is successful"));
        }
        ["-s", signal @ ("reload" | "reopen" | "quit" | "stop")] => {
            let now = crate::api::time::rfc3339(w.now).replace('-', "/").replace('T', " ");
            let now = now.get(..19).unwrap_or("");
            io.err(format!("{now} [notice] 47#47: signal process started"));
            if matches!(*signal, "quit" | "stop") {
                crate::kubelet::exec_exit(w, &inside.pod, &inside.container, 0);
            }
        }
        _ => {
            io.err(format!("not simulated: nginx {}", words.join(" ")));
            return 1;
        }
    }
    0
}
