//! A terminal line never panics, whatever is typed: soups of words that mean something to the
//! shell, to kubectl or to a program, from a fixed seed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use podium_sim::api::time::SECOND;
use podium_sim::{Config, Latency, World};

const MANIFEST: &str = "\
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec:
  clusterIP: None
  selector: {app: nginx}
  ports: [{name: web, port: 80}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: nginx
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.24
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  containers:
  - {name: box, image: 'busybox:1.36', command: [sleep, '86400']}
---
apiVersion: v1
kind: Pod
metadata: {name: tools}
spec:
  containers:
  - {name: tools, image: registry.k8s.io/e2e-test-images/agnhost-dnsutils, command: [sleep, '86400']}
";

/// Words of the shell and its programs.
const SHELL: &[&str] = &[
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "for",
    "in",
    "do",
    "done",
    "while",
    "until",
    "case",
    "esac",
    "function",
    "{",
    "}",
    "(",
    ")",
    "((",
    "))",
    "[[",
    "]]",
    "[",
    "]",
    "!",
    "time",
    "|",
    "||",
    "&&",
    "&",
    ";",
    ";;",
    "\n",
    "<",
    ">",
    ">>",
    "2>&1",
    "2>",
    "&>",
    "<<",
    "<<<",
    "<<-EOF",
    "<<'EOF'\nx\nEOF\n",
    "EOF",
    "'",
    "\"",
    "`",
    "$(",
    "${",
    "$((",
    "$",
    "$?",
    "$$",
    "$#",
    "$@",
    "\"$@\"",
    "$1",
    "${x:-y}",
    "${x#*}",
    "${x%%[a",
    "${x/a/b}",
    "${x//}",
    "${#x}",
    "${x[1]}",
    "${BASH_REMATCH[1]}",
    "x=1",
    "x=",
    "x=$x$x",
    "=~",
    "==",
    "!=",
    "-eq",
    "-lt",
    "-n",
    "-z",
    "-f",
    "-d",
    "*",
    "?",
    "[a-",
    "[!a]*",
    "{a,b}",
    "{1..3}",
    "{1..99999}",
    "{",
    "{,}",
    "a{b{c,d}",
    "\\",
    "\\\n",
    "~",
    "#",
    "é",
    "日本",
    "\u{0}",
    "\t",
    "echo",
    "printf",
    "%s",
    "%d\\n",
    "%9999999d",
    "%",
    "read",
    "export",
    "unset",
    "set",
    "-e",
    "-x",
    "+x",
    "-o",
    "pipefail",
    "shift",
    "exit",
    "return",
    "break",
    "continue",
    "99999999999999999999",
    "-1",
    "0",
    "1",
    "eval",
    "source",
    ".",
    "exec",
    "trap",
    "alias",
    "let",
    "i++",
    "command",
    "type",
    "test",
    "true",
    "false",
    ":",
    "sleep",
    "0.1",
    "1e309",
    "-5",
    "infinity",
    "seq",
    "3",
    "timeout",
    "watch",
    "xargs",
    "-I{}",
    "tee",
    "cat",
    "grep",
    "-v",
    "-A",
    "-E",
    "(a",
    "a**",
    "a\\{1,",
    "[[:",
    "head",
    "tail",
    "-f",
    "-n",
    "+2",
    "cut",
    "-d:",
    "-f1-",
    "wc",
    "-l",
    "sort",
    "-k2",
    "uniq",
    "-c",
    "awk",
    "'{print $1}'",
    "'{print $NF, $(0-1)}'",
    "'BEGIN{while(1){}}'",
    "sed",
    "s/a/b/g",
    "'s/\\(/x/'",
    "5q",
    "$!d",
    "tr",
    "a-z",
    "A-Z",
    "z-a",
    "tac",
    "rev",
    "base64",
    "jq",
    "'.a[]|.b'",
    "'..|objects'",
    "'[.[]|select('",
    "diff",
    "date",
    "+%F%q%",
    "env",
    "ls",
    "rm",
    "-rf",
    "touch",
    "cp",
    "mv",
    "/",
    "../..",
    "web.yaml",
    "/etc/hosts",
    "a/b",
    "wait",
    "clear",
    "basename",
    "dirname",
    "k",
    "f()",
    "f",
    "local",
];

/// Words of kubectl.
const KUBECTL: &[&str] = &[
    "kubectl",
    "get",
    "describe",
    "delete",
    "apply",
    "create",
    "scale",
    "rollout",
    "status",
    "undo",
    "history",
    "restart",
    "patch",
    "label",
    "annotate",
    "exec",
    "run",
    "logs",
    "wait",
    "drain",
    "cordon",
    "uncordon",
    "expose",
    "explain",
    "edit",
    "set",
    "image",
    "diff",
    "config",
    "top",
    "version",
    "auth",
    "api-resources",
    "pods",
    "pod/web-0",
    "web-0",
    "web-1",
    "sts",
    "sts/web",
    "web",
    "svc",
    "nginx",
    "nodes",
    "worker-1",
    "pvc",
    "all",
    "events",
    "-o",
    "yaml",
    "json",
    "jsonpath={.items[*]",
    "name",
    "wide",
    "custom-columns=A:.b",
    "go-template={{range",
    "-w",
    "-A",
    "-n",
    "default",
    "nope",
    "-l",
    "app=nginx",
    "a in (b",
    "--replicas=3",
    "--replicas=99999999999",
    "--timeout=1s",
    "--for=condition=Ready",
    "--for=",
    "--all",
    "--force",
    "--grace-period=0",
    "--cascade=orphan",
    "-f",
    "-",
    "web.yaml",
    "--dry-run=server",
    "-p",
    "'{\"spec\":{\"replicas\":1}}'",
    "'{'",
    "--type=json",
    "'[{\"op\":\"remove\",\"path\":\"/x\"}]'",
    "--sort-by=.x[",
    "--field-selector",
    "a=b",
    "--",
    "--rm",
    "-it",
    "--image=busybox",
    "-c",
    "--tail=-1",
    "--to-revision=9",
    "nginx=x:y",
    "a=b",
    "a-",
    "--help",
    "-h",
    "--",
    "-v=9",
    "--watch-only",
];

/// Words that are typed in a container.
const INSIDE: &[&str] = &[
    "nslookup",
    "dig",
    "host",
    "getent",
    "hosts",
    "ping",
    "-c",
    "2",
    "nc",
    "-z",
    "-w1",
    "wget",
    "-qO-",
    "--spider",
    "-T",
    "curl",
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "'%{http_code}'",
    "-I",
    "-v",
    "-m",
    "1",
    "--connect-timeout",
    "web-0.nginx",
    "nginx",
    "kubernetes.default",
    "web-0",
    "10.96.0.1",
    "10.244.1.2",
    "1.2.3",
    "256.1.1.1",
    "-type=srv",
    "-x",
    "+short",
    "+search",
    "SRV",
    "ANY",
    "a.b.c.d.e.f.",
    "..",
    "",
    "http://web-0.nginx:80/x?y#z",
    "http://",
    "ftp://a",
    "web-0.nginx:99999999999",
    "ps",
    "-ef",
    "aux",
    "df",
    "-h",
    "mount",
    "id",
    "hostname",
    "-f",
    "kill",
    "-9",
    "1",
    "pkill",
    "nginx",
    "cd",
    "..",
    "ls",
    "-la",
    "/",
    "/usr/share/nginx/html",
    "/nope",
    "index.html",
    "cat",
    "mysql",
    "redis-cli",
    "zkCli.sh",
    "etcdctl",
];

/// Numbers from a fixed seed (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn line(&mut self, lists: &[&[&str]]) -> String {
        let mut line = String::new();
        for _ in 0..=self.roll(12) {
            let list = lists[self.roll(lists.len())];
            line.push_str(list[self.roll(list.len())]);
            if self.roll(5) > 0 {
                line.push(' ');
            }
        }
        line
    }
}

fn world() -> World {
    let mut w = World::new(Config { latency: Latency::Instant, ..Config::default() });
    w.put_file("web.yaml", MANIFEST);
    w.type_line(1, "kubectl apply -f web.yaml");
    w.settle(600 * SECOND);
    assert_eq!(w.terminal(1).unwrap().last_exit, 0);
    w
}

/// Plays a line for a while and breaks it off; a panic ends the test and names the line.
fn play(w: &mut World, line: &str) {
    w.type_line(1, line);
    for _ in 0..60 {
        if w.terminal(1).is_none_or(|t| !t.running()) {
            return;
        }
        if !w.step() {
            break;
        }
    }
    w.interrupt(1);
    assert!(w.terminal(1).is_none_or(|t| !t.running()), "{line:?} cannot be broken off");
}

/// The last line played, for the message of a panic.
fn soup(seed: u64, lines: usize, make: impl Fn(&mut Dice) -> String) {
    let mut dice = Dice(seed);
    let first = world();
    let mut w = first.clone();
    for n in 0..lines {
        // what was destroyed comes back
        if n % 200 == 0 {
            w = first.clone();
        }
        let line = make(&mut dice);
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(&mut w, &line)));
        assert!(played.is_ok(), "line {n} of seed {seed} panics: {line:?}");
    }
}

#[test]
fn the_shell_survives() {
    soup(0x9e37_79b9_7f4a_7c15, 4000, |d| d.line(&[SHELL]));
}

#[test]
fn kubectl_survives() {
    soup(0x2545_f491_4f6c_dd1d, 3000, |d| format!("kubectl {}", d.line(&[KUBECTL])));
}

#[test]
fn all_together_survive() {
    soup(0x5851_f42d_4c95_7f2d, 2000, |d| d.line(&[SHELL, KUBECTL]));
}

#[test]
fn containers_survive() {
    soup(0x1405_7b7e_f767_814f, 3000, |d| {
        let pod = ["box", "tools", "web-0"][d.roll(3)];
        let line = d.line(&[SHELL, INSIDE, INSIDE]);
        if d.roll(2) == 0 {
            format!("kubectl exec {pod} -- {line}")
        } else {
            format!("kubectl exec -i {pod} -- sh <<'END'\n{line}\nEND\n")
        }
    });
}

#[test]
fn bytes_survive() {
    const SIGNS: &[u8] = b" \t\n'\"`$(){}[]|&;<>!*?~#\\=+-/%,.:@^_0a";
    soup(0x0b50_1b6c_a9c0_3f1d, 4000, |d| {
        (0..d.roll(40)).map(|_| char::from(SIGNS[d.roll(SIGNS.len())])).collect()
    });
}
