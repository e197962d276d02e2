//! Commands that name no program.
//!
//! # Divergence from real Kubernetes
//! What an image holds is only known of a few; there, a name that no usual program has is taken
//! for one that is not there.

use super::image::{Family, family, program_file};
use super::process::command;
use crate::api::Obj;
use crate::kubelet::images::{base, canonical};
use crate::storage::fs;
use crate::value::Value;
use crate::world::World;

/// Names of programs that images bring: of BusyBox and of Debian, of BusyBox alone, of Debian
/// alone, and of others.
const PROGRAMS: &str = include_str!("programs.txt");

/// Images whose programs are known, in any version.
const KNOWN: &[&str] =
    &["alpine", "busybox", "debian", "fedora", "httpd", "nginx", "redis", "ubuntu"];
/// Those among them that run their arguments as a command.
const PLAIN: &[&str] = &["alpine", "busybox", "debian", "fedora", "ubuntu"];

/// What images bring beyond their system: a part of their name or tag, programs.
const OWN: &[(&str, &str)] = &[
    ("alpine", "apk getconf iconv ldd scanelf"),
    ("fedora", "dnf yum rpm curl gpg python3"),
    ("centos", "dnf yum rpm curl gpg"),
    ("rockylinux", "dnf yum rpm curl gpg"),
    ("almalinux", "dnf yum rpm curl gpg"),
    ("nginx", "envsubst nginx-debug njs"),
    ("httpd", "ab apachectl apxs htdigest htpasswd httpd httpd-foreground perl rotatelogs"),
    (
        "mysql",
        "gosu microdnf my_print_defaults mysql_config mysql_upgrade mysqldump mysqlpump mysqlsh rpm",
    ),
    (
        "mariadb",
        "gosu healthcheck.sh mariadb-backup mariadb-check mariadb-dump mariadb-upgrade mariadbd-safe mbstream",
    ),
    (
        "postgres",
        "createdb createuser dropdb gosu initdb pg_basebackup pg_config pg_controldata pg_ctl pg_dump pg_dumpall pg_isready pg_resetwal pg_restore pg_rewind pgbench postgres psql reindexdb vacuumdb",
    ),
    ("redis", "gosu redis-benchmark redis-check-aof redis-check-rdb redis-sentinel"),
    ("valkey", "valkey-benchmark valkey-cli valkey-sentinel valkey-server"),
    ("etcd", "etcdutl"),
    ("zookeeper", "java zkCleanup.sh zkEnv.sh"),
    ("k8szk", "java jps zkCleanup.sh zkEnv.sh zkMetrics.sh zkOk.sh"),
    (
        "mongo",
        "gosu mongo mongod mongodump mongoexport mongoimport mongorestore mongos mongosh mongostat",
    ),
    ("cassandra", "cassandra cqlsh java python3 sstableloader"),
    (
        "rabbitmq",
        "gosu rabbitmq-diagnostics rabbitmq-plugins rabbitmq-queues rabbitmq-server rabbitmq-upgrade rabbitmqctl",
    ),
    (
        "kafka",
        "java kafka-broker-api-versions.sh kafka-configs.sh kafka-console-consumer.sh kafka-console-producer.sh kafka-consumer-groups.sh kafka-server-start.sh kafka-storage.sh kafka-topics.sh kafka-topics",
    ),
    ("netshoot", "ab ethtool ip iperf iperf3 jq mtr nmap ss tcpdump traceroute tshark vim"),
    ("python", "pip pip3 python python3"),
    ("node", "node npm npx yarn"),
    ("golang", "gcc git go make"),
    ("php", "php"),
    ("ruby", "gem irb ruby"),
];

/// Systems of rpm packages, without Debian's tools for them.
const RPM: &[&str] = &["almalinux", "centos", "fedora", "mysql", "rockylinux"];

/// Is the image's system one of rpm packages? Its `sh` is bash.
pub fn of_rpm(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    RPM.iter().any(|r| last.contains(r))
}

/// What is said of a program that a container has, or may have, and that is not simulated; none
/// if its image has no such program.
pub fn unsimulated(image: &str, busybox: bool, program: &str) -> Option<String> {
    let program = program.rsplit('/').next().unwrap_or(program);
    // those are files, and may have been taken away
    if program.is_empty() || program_file(image, program).is_some() {
        return None;
    }
    let (name, family) = (base(image), family(image));
    let last = image.rsplit('/').next().unwrap_or(image);
    let among = |list: &str| list.split_whitespace().any(|p| p == program);
    let mut own = OWN.iter().filter(|(word, _)| last.contains(word)).peekable();
    let known = own.peek().is_some()
        || !matches!(family, Family::Other | Family::Echo)
        || KNOWN.contains(&name);
    if !known {
        return Some(format!("not simulated: {program} (what this image brings is not known)"));
    }
    let mut blocks = PROGRAMS.split("\n\n");
    let (both, small, debian) = (blocks.next(), blocks.next(), blocks.next());
    let system = if busybox { small } else { debian };
    let packages = ["apt", "dpkg", "debconf"].iter().any(|p| program.starts_with(p));
    let strange = packages && (busybox || of_rpm(image));
    let there = own.any(|(_, list)| among(list))
        || family != Family::Silent && !strange && [both, system].into_iter().flatten().any(among);
    there.then(|| format!("not simulated: {program} (the image has it)"))
}

/// Why the container cannot be started, in the words of the runtime: its program is not there.
pub fn start_error(w: &World, pod: &Obj, container: &Value) -> Option<String> {
    let full = canonical(container["image"].str());
    let name = library(&full);
    let own = &container["command"];
    if own.is_empty() && !PLAIN.contains(&name) {
        return None;
    }
    let first = command(container).first().copied().filter(|p| !p.contains('$'))?;
    let absolute = first.starts_with('/');
    // no program has a space in its name: a whole line was written as one word
    let line = first.contains(' ') && !own.is_empty();
    let lacks = line || KNOWN.contains(&name) && lacks(w, pod, container, first);
    let why = match first {
        "" => return None,
        _ if !lacks => return None,
        _ if absolute => format!("stat {first}: no such file or directory"),
        _ => "executable file not found in $PATH".to_owned(),
    };
    Some(format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: {first:?}: {why}"
    ))
}

/// Does the image of a container lack a program? False where that is not known.
pub fn lacks_program(w: &World, pod: &Obj, container: &Value, program: &str) -> bool {
    KNOWN.contains(&library(&canonical(container["image"].str())))
        && lacks(w, pod, container, program)
}

/// The name of one of Docker's own images; empty for others.
fn library(full: &str) -> &str {
    let name = full.strip_prefix("docker.io/library/").unwrap_or("");
    name.split([':', '@']).next().unwrap_or("")
}

fn lacks(w: &World, pod: &Obj, container: &Value, program: &str) -> bool {
    let (folder, name) = program.rsplit_once('/').unwrap_or(("", program));
    if PROGRAMS.split_whitespace().any(|p| p == name) || name.contains("entrypoint") {
        return false;
    }
    if folder.is_empty() && !program.starts_with('/') {
        return true;
    }
    // what volumes hold may have been put there by programs that are not modelled
    let mounted = |m: &Value| program.starts_with(m["mountPath"].str());
    program.starts_with('/')
        && !container["volumeMounts"].items().iter().any(mounted)
        && !fs::exists(w, &pod.key(), container["name"].str(), program)
}
