//! kubectl as people type it.
//!
//! Each file of tests/scenarios is a transcript: a line that begins with `$ ` is typed, what
//! follows must be printed; `# settled` waits until nothing more happens by itself; lines that
//! begin with `##` are remarks. The durations are those of the recordings, unless the first
//! remark begins with `## Realistic`. `…` stands for any text in a line, and alone for any lines.
//! `UPDATE_SCENARIOS=1` writes what was printed where it differs.
//!
//! And whatever is typed: nothing panics, nothing runs for ever, and the same gives the same.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use podium_sim::rng::Stream;
use podium_sim::{Config, Latency, World};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios")
}

/// A typed line and what follows it.
type Block = (String, Vec<String>);

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        if line.starts_with("##") {
        } else if line.starts_with("$ ") || line == "# settled" {
            blocks.push((line.to_owned(), Vec::new()));
        } else if let Some((_, lines)) = blocks.last_mut() {
            lines.push(line.to_owned());
        }
    }
    blocks
}

/// Does a line match one with `…` in it?
fn line_matches(want: &str, got: &str) -> bool {
    let parts: Vec<&str> = want.split('…').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return want == got };
    let Some(mut rest) = got.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn matches(want: &[String], got: &[String]) -> bool {
    match (want, got) {
        ([], []) => true,
        ([w, rest @ ..], _) if w == "…" => {
            (0..=got.len()).any(|skipped| matches(rest, &got[skipped..]))
        }
        ([w, want @ ..], [g, got @ ..]) => line_matches(w, g) && matches(want, got),
        _ => false,
    }
}

/// Output without blank lines at its end, which a file does not show.
fn trimmed(lines: &[String]) -> &[String] {
    let end = lines.iter().rposition(|l| !l.trim().is_empty()).map_or(0, |i| i + 1);
    &lines[..end]
}

fn play(script: &str, latency: &str) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_podium"))
        .args(["run", "--latency", latency, "--dir"])
        .arg(folder())
        .arg(script)
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn scenarios_read_as_written() {
    let update = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let want = blocks(&text);
        let script: String = want
            .iter()
            .map(|(typed, _)| match typed.strip_prefix("$ ") {
                Some(line) => format!("{line}\n"),
                None => "settle\n".to_owned(),
            })
            .collect();
        let path = std::env::temp_dir().join(format!("podium-{}-{name}", std::process::id()));
        std::fs::write(&path, script).unwrap();
        let realistic = text.starts_with("## Realistic");
        let latency = if realistic { "realistic" } else { "recording" };
        let got = blocks(&play(path.to_str().unwrap(), latency));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(want.len(), got.len(), "{name}");
        let mut new: String =
            text.lines().take_while(|l| l.starts_with("##")).map(|l| format!("{l}\n")).collect();
        for ((typed, want), (_, got)) in want.iter().zip(&got) {
            let (want, got) = (trimmed(want), trimmed(got));
            let same = matches(want, got);
            if !same {
                let _ = write!(
                    wrong,
                    "{name}: {typed}\n- {}\n+ {}\n",
                    want.join("\n- "),
                    got.join("\n+ ")
                );
            }
            new.push_str(typed);
            new.push('\n');
            for line in if same { want } else { got } {
                new.push_str(line);
                new.push('\n');
            }
        }
        if update {
            std::fs::write(&file, new).unwrap();
        }
    }
    assert!(update || wrong.is_empty(), "\n{wrong}");
}

const WORDS: &[&str] = &[
    "get",
    "describe",
    "delete",
    "apply",
    "create",
    "replace",
    "scale",
    "patch",
    "label",
    "annotate",
    "taint",
    "set",
    "image",
    "env",
    "resources",
    "selector",
    "serviceaccount",
    "rollout",
    "status",
    "history",
    "undo",
    "restart",
    "pause",
    "expose",
    "run",
    "exec",
    "logs",
    "wait",
    "cordon",
    "uncordon",
    "drain",
    "explain",
    "auth",
    "can-i",
    "whoami",
    "version",
    "api-resources",
    "api-versions",
    "config",
    "view",
    "get-contexts",
    "set-context",
    "use-context",
    "events",
    "top",
    "pod",
    "diff",
    "edit",
    "options",
    "help",
    "plugin",
    "list",
    "cluster-info",
    "dump",
    "view-last-applied",
    "set-last-applied",
    "namespace",
    "ns",
    "deployment",
    "service",
    "clusterip",
    "externalname",
    "configmap",
    "secret",
    "generic",
    "tls",
    "quota",
    "role",
    "rolebinding",
    "job",
    "cronjob",
    "ingress",
    "priorityclass",
    "pdb",
    "pods",
    "po",
    "sts",
    "statefulset",
    "svc",
    "pvc",
    "pv",
    "node",
    "nodes",
    "all",
    "pod,svc",
    "sts/web",
    "pod/web-0",
    "svc/nginx",
    "web",
    "web-0",
    "web-9",
    "nginx",
    "node/worker-1",
    "worker-1",
    "default",
    "x",
    "",
    "a=b",
    "a-",
    "a=",
    "=b",
    "-",
    "--",
    "---",
    "--=",
    "k=v:NoExecute",
    "k-",
    "-n",
    "kube-system",
    "-nfoo",
    "-A",
    "-o",
    "yaml",
    "json",
    "wide",
    "name",
    "-oyaml",
    "-ojson",
    "-o=name",
    "jsonpath={.items[*].metadata.name}",
    "jsonpath={range",
    "jsonpath={..x}",
    "go-template={{.metadata.name}}",
    "go-template={{range .items}}",
    "custom-columns=A:.x,B:.y",
    "custom-columns=",
    "kyaml",
    "-l",
    "app=nginx",
    "app in (a,b)",
    "!app",
    "a b",
    "--all",
    "--force",
    "--now",
    "--grace-period=0",
    "--grace-period",
    "-1",
    "--cascade=orphan",
    "--cascade",
    "--wait=false",
    "--replicas=2",
    "--replicas=-1",
    "--replicas=99999999999999999999",
    "--current-replicas=1",
    "--timeout=1s",
    "--timeout=0",
    "--timeout=-1s",
    "--timeout=x",
    "--for=delete",
    "--for=create",
    "--for=condition=Ready",
    "--for=jsonpath={.status.phase}=Running",
    "--for=jsonpath=",
    "--for=jsonpath={.a}==b=c",
    "-p",
    "{\"spec\":{\"replicas\":2}}",
    "{",
    "[]",
    "[{\"op\":\"remove\",\"path\":\"/spec/replicas\"}]",
    "--type=json",
    "--type=merge",
    "--dry-run=client",
    "--dry-run=server",
    "--dry-run",
    "--dry-run=x",
    "-f",
    "web.yaml",
    "nope.yaml",
    ".",
    "-k",
    "--server-side",
    "--force-conflicts",
    "--field-manager=me",
    "--prune",
    "--prune-allowlist=core/v1/Pod",
    "--overwrite",
    "--list",
    "--show-labels",
    "-L",
    "--sort-by=.metadata.name",
    "--sort-by=.x[",
    "--field-selector=status.phase=Running",
    "--field-selector=x",
    "--no-headers",
    "--ignore-not-found",
    "-w",
    "--watch-only",
    "--output-watch-events",
    "--raw=/api",
    "--recursive",
    "--revision=1",
    "--to-revision=0",
    "--image=busybox",
    "--image",
    "--restart=Never",
    "--rm",
    "-it",
    "-i",
    "-t",
    "--command",
    "sh",
    "-c",
    "nginx=x",
    "*=x",
    "--port=80",
    "--port=x",
    "--tcp=80:x",
    "--tcp=0",
    "--target-port=http",
    "--name=y",
    "--from-literal=a=b",
    "--from-file=web.yaml",
    "--from=configmap/x",
    "--keys=a",
    "--limits=cpu=1",
    "--limits=cpu",
    "--requests=memory=x",
    "--selector=",
    "--min-available=1",
    "--hard=pods=1",
    "--verb=get",
    "--resource=pods,foo",
    "--rule=a/b=c:1,tls",
    "--value=1",
    "--schedule=x",
    "--user=a",
    "--role=r",
    "--external-name=e",
    "--clusterip=None",
    "--context=foo",
    "--kubeconfig=foo",
    "--v=9",
    "-v=9",
    "-v",
    "--as=me",
    "--help",
    "-h",
    "--foo",
    "-z",
    "-zz",
    "-é",
    "é",
    "--é=1",
    "--ignore-daemonsets",
    "--delete-emptydir-data",
    "--pod-selector=a=b",
    "--tail=1",
    "--since=1m",
    "--since=x",
    "--previous",
    "--prefix",
    "--all-containers",
    "--timestamps",
    "-c=x",
    "--show_labels",
    "sts.spec.replicas",
    "sts.spec.foo",
    "pod.spec.containers",
    "sts.",
    ".",
    "..",
    "po/",
    "/",
    "a/b/c",
    "--subresource=scale",
    "--subresource=status",
    "--api-group=apps",
    "--types=Warning",
    "--for=pod/web-0",
];

fn cluster() -> World {
    let mut w = World::new(Config { latency: Latency::Recording, ..Config::default() });
    w.put_file("web.yaml", &std::fs::read_to_string(folder().join("web.yaml")).unwrap());
    w.type_line(1, "kubectl apply -f web.yaml");
    assert!(w.settle(600_000_000));
    w
}

/// Types a line and lets it run for a while.
fn typed(w: &mut World, line: &str) -> (String, i32) {
    let before = w.terminal(1).map_or(0, |t| t.out.len());
    w.type_line(1, line);
    w.run_until(w.now + 3_000_000);
    w.interrupt(1);
    let t = w.terminal(1).unwrap();
    (t.text_since(before), t.last_exit)
}

#[test]
fn any_words_are_survived() {
    let lines: u64 =
        std::env::var("LINES_OF_WORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let base = cluster();
    let mut world = base.clone();
    for seed in 0..lines {
        let mut r = Stream::new(seed, &["kubectl words"]);
        let n = r.range(1, 7);
        let mut line = "kubectl".to_owned();
        // most lines begin with a verb that there is
        let mut word = |from: &[&str]| {
            let word = from[(r.next() % from.len() as u64) as usize];
            let _ = write!(line, " '{word}'");
        };
        word(if seed % 8 == 0 { WORDS } else { &WORDS[..57] });
        (0..n).for_each(|_| word(WORDS));
        // acts change the cluster; it is made anew now and then
        if seed % 50 == 0 {
            world = base.clone();
        }
        let mut twin = (seed % 20 == 0).then(|| world.clone());
        let got = typed(&mut world, &line);
        if let Some(twin) = &mut twin {
            assert_eq!(typed(twin, &line), got, "seed {seed}: {line}");
        }
        assert!(!got.0.contains("panicked"), "{line}");
    }
}
