//! Any text can be pasted: broken ones, huge ones and malicious ones end in an object or in a
//! clear error, soon, and never in a panic. `CASES=1000000` tries more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use podium_sim::api::Kind;
use podium_sim::manifest::parse::{MAX_TEXT, parse};
use podium_sim::rng::Stream;
use podium_sim::{Config, Latency, World};

const LIMIT: u64 = 900_000_000;
/// No text may take longer, also in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Good texts of all styles, which are then broken.
const GOOD: [&str; 6] = [
    "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: nginx
  replicas: 2
  selector:
    matchLabels: {app: nginx}
  template:
    metadata:
      labels: {app: nginx}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports: [{containerPort: 80}]
        volumeMounts:
        - {name: www, mountPath: /data}
  volumeClaimTemplates:
  - metadata: {name: www}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
",
    "kind: Service
apiVersion: v1
metadata: {name: nginx, labels: &l {app: nginx}}
spec: {clusterIP: None, selector: *l, ports: [{port: 80, targetPort: web}]}
---
kind: ConfigMap
apiVersion: v1
metadata:
  name: c
  annotations: &m {a: b}
  labels: {<<: *m, tier: 'x'}
data:
  a: |
    x: [1
  b: >-
    folded
    text
",
    r#"{"apiVersion": "v1", "kind": "List", "items": [
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "annotations": {"a": "\u00e9"}},
"spec": {"containers": [{"name": "c", "image": "busybox", "command": ["sleep", "1d"]}]}}]}
"#,
    "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 500Mi}}}
",
    "apiVersion: apps/v1 # a comment
kind: Deployment
metadata:
  name: d
  annotations: {n: \"0755\", y: \"yes\", t: 2001-12-14}
spec:
  replicas: 1
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: c, image: nginx, env: [{name: A, value: \"1\"}]}]}
",
    "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {minAvailable: 50%, selector: {matchLabels: {a: b}}}\n",
];

const PIECES: [&str; 40] = [
    ":",
    "-",
    "{",
    "}",
    "[",
    "]",
    "*a",
    "&a ",
    "!!x",
    "'",
    "\"",
    "|",
    ">",
    "#",
    "\t",
    "\n",
    "---\n",
    "...\n",
    "é",
    "\u{0}",
    "<<: ",
    "? ",
    "%YAML 9\n",
    "\u{feff}",
    "\r\n",
    "~",
    "null",
    "yes",
    "0x7f",
    "1e999",
    "-9223372036854775809",
    "2147483648",
    ",",
    "\\",
    "!!binary ",
    "- - ",
    "  ",
    "\u{2028}",
    "$(",
    "😀",
];

/// Breaks a text in one to six places.
fn broken(r: &mut Stream, good: &str) -> String {
    let mut text: Vec<char> = good.chars().collect();
    for _ in 0..r.range(1, 6) {
        if text.is_empty() {
            break;
        }
        let at = r.range(0, text.len() as u64 - 1) as usize;
        let to = (at + r.range(1, 12) as usize).min(text.len());
        match r.range(0, 9) {
            0 | 1 => drop(text.remove(at)),
            2 => text.truncate(at.max(1)),
            3 => drop(text.drain(at..to)),
            4 => {
                let again: Vec<char> = text[at..to].to_vec();
                text.splice(at..at, again);
            }
            5 => text[at] = char::from_u32(r.range(0, 0x2ff) as u32).unwrap_or('x'),
            _ => {
                let piece = PIECES[r.range(0, PIECES.len() as u64 - 1) as usize];
                text.splice(at..at, piece.chars());
            }
        }
    }
    text.into_iter().collect()
}

/// Applies a text and checks that something clear is said of it, soon.
fn pasted(world: &World, text: &str, dry: bool) -> World {
    let begin = Instant::now();
    let mut w = world.clone();
    w.put_file("x.yaml", text);
    w.type_line(
        1,
        if dry { "kubectl apply -f x.yaml --dry-run=server" } else { "kubectl apply -f x.yaml" },
    );
    w.settle(LIMIT);
    let terminal = w.terminal(1).unwrap();
    let shown: String = text.chars().take(2000).collect();
    assert!(!terminal.running(), "it hangs:\n{shown}");
    let out = terminal.text_since(0);
    let clear = |l: &str| {
        ["error: ", "Error from server", "The ", "resource mapping not found"]
            .iter()
            .any(|s| l.starts_with(s))
            || [": error", "rror when ", "rror validating"].iter().any(|s| l.contains(s))
    };
    if terminal.last_exit == 0 {
        assert!(!out.is_empty(), "nothing is said of:\n{shown}");
    } else {
        assert!(out.lines().any(clear), "no clear error:\n{out}\nof:\n{shown}");
    }
    assert!(begin.elapsed() < PATIENCE, "{:?} for:\n{shown}", begin.elapsed());
    w
}

fn cluster() -> World {
    World::new(Config { latency: Latency::Instant, ..Config::default() })
}

#[test]
fn a_hundred_thousand_broken_texts() {
    let cases: u64 = std::env::var("CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let world = cluster();
                for n in (thread..cases).step_by(threads as usize) {
                    let mut r = Stream::new(n, &["texts"]);
                    let good = GOOD[r.range(0, GOOD.len() as u64 - 1) as usize];
                    // some are carried out to the end
                    pasted(&world, &broken(&mut r, good), n % 50 != 0);
                }
            });
        }
    });
}

/// What the page says while one types must be as robust as kubectl.
#[test]
fn good_texts_are_accepted() {
    for text in GOOD {
        let w = pasted(&cluster(), text, false);
        assert_eq!(w.terminal(1).unwrap().last_exit, 0, "{text}");
    }
}

fn refused(text: &str) -> String {
    let begin = Instant::now();
    let error = parse(text).into_iter().find_map(Result::err).map(|e| e.to_string());
    assert!(begin.elapsed() < PATIENCE);
    pasted(&cluster(), text, false);
    error.unwrap_or_default()
}

#[test]
fn a_megabyte_and_no_more() {
    assert!(refused(&"a".repeat(MAX_TEXT + 1)).contains("too long"));
    refused(&"a".repeat(MAX_TEXT));
    refused(&"- ".repeat(MAX_TEXT / 2));
    for text in [
        " ", "#\n", "a: b\r\n", "---\n", ": ", "? ", "&a ", "*a ", "!", "\t", "\\x", "\"\\x", "'",
        "a: 1\n",
    ] {
        refused(&text.repeat(MAX_TEXT / 4 / text.len()));
    }
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n";
    // keys in the worst order, and many that repeat
    let down: String = (0..60_000).rev().map(|n| format!(" a{n:06}: b\n")).collect();
    refused(&format!("{map}{down}"));
    // places of all these items would have paths of gigabytes
    refused(&format!("? {}\n: [{}]\n", "k".repeat(300_000), "a,".repeat(95_000)));
}

#[test]
fn ten_thousand_objects() {
    let one = |n: u64| format!("{{kind: ConfigMap, apiVersion: v1, metadata: {{name: a{n}}}}}");
    let documents: String = (0..10_000).map(|n| format!("---\n{}\n", one(n))).collect();
    let items: String = (0..10_000).map(|n| format!("- {}\n", one(n))).collect();
    for text in [documents, format!("kind: List\napiVersion: v1\nitems:\n{items}")] {
        let w = pasted(&cluster(), &text, false);
        assert!(w.store.count(Kind::ConfigMap) >= 10_000);
    }
    // more pods than are simulated: refused, and it says so
    let many = GOOD[0].replace("replicas: 2", "replicas: 10001");
    let w = pasted(&cluster(), &many, false);
    assert!(w.terminal(1).unwrap().text_since(0).contains("more than 10000 replicas"));
}

#[test]
fn aliases_do_not_multiply() {
    let mut lists = String::from("a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    let mut merges = String::from("a: &a {x0: 1}\n");
    for (p, c) in ('a'..='y').zip('b'..='z') {
        let ten = vec![format!("*{p}"); 10].join(",");
        lists.push_str(&format!("{c}: &{c} [{ten}]\n"));
        merges.push_str(&format!("{c}: &{c} {{<<: [{ten}], x{c}: 1}}\n"));
    }
    assert!(refused(&lists).contains("excessive aliasing"));
    refused(&merges);
    let wide: String = (0..900).map(|n| format!("k{n}: 1, ")).collect();
    let all: String = (0..50_000).map(|n| format!("b{n}: {{<<: *a}}\n")).collect();
    assert!(refused(&format!("a: &a {{{wide}}}\n{all}")).contains("excessive aliasing"));
    refused(&"a: &a\n  <<: *a\n".repeat(10));
    refused("a: &a [*a]\n");
}

#[test]
fn depth_is_bounded() {
    for deep in [
        "[".repeat(500_000),
        "{a: ".repeat(200_000),
        "- ".repeat(500_000),
        (0..1400).map(|d| format!("{}a:\n", " ".repeat(d))).collect(),
        format!("a: 1\n...\n{}", "[".repeat(500_000)),
    ] {
        assert!(!refused(&deep).is_empty());
    }
    // brackets in texts are no nesting
    let text = "[{(".repeat(100);
    let map =
        format!("kind: ConfigMap\napiVersion: v1\nmetadata: {{name: x}}\ndata: {{a: '{text}'}}\n");
    let w = pasted(&cluster(), &map, false);
    assert!(w.store.get(Kind::ConfigMap, "default", "x").is_some());
}
