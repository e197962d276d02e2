//! The same commands through `podium run` give the same story as a recorded cluster.
//!
//! Compared are, for every folder of tests/golden: each command's printed text
//! (transcript.txt) and each object's history (summary.txt). Normalised are ages, times,
//! addresses, node names, uids, random suffixes, event names, resource versions and column
//! padding; event lists, watches, describe and rollout status are compared as sets of lines,
//! without the counts of FailedScheduling, ExternalProvisioning and Waiting lines. Nothing else.
//!
//! The second set of recordings (tests/golden-2, kubectl 1.36.4) is played in the same way; its
//! directives become lines of a podium script (`script_of`), with realistic durations, because
//! its kubelet reported stopped containers as a real one does. Normalised there as well: the
//! provisioner's name, container and image ids, zone names; events of pulling and attaching are
//! left out (that kubelet pulled always and attached nothing).
//!
//! Cases that are not met are named in gaps.txt; the test fails when that list is not exact.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// Takes out what differs from run to run.
struct Normaliser(Vec<(Regex, &'static str)>);

impl Normaliser {
    fn new() -> Self {
        let rules = [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
            (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "TIME"),
            (r"\b10\.244\.\d+\.\d+\b", "PODIP"),
            (r"\b10\.96\.\d+\.\d+\b", "SVCIP"),
            (r"\b(172\.18|192\.168|10\.0)\.\d+\.\d+\b", "HOSTIP"),
            (r"\b(worker|node)-\d+\b", "NODE"),
            // a pod's zone follows from its node
            (r"topology\.kubernetes\.io/zone(=|: )[a-c]\b", "topology.kubernetes.io/zone$1ZONE"),
            (r#"resourceVersion: "\d+""#, "resourceVersion: RV"),
            (r#""resourceVersion": ?"\d+""#, "resourceVersion RV"),
            (r"\b([a-z0-9-]+)\.[0-9a-f]{16}\b", "$1.EVENT"),
            (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-RAND"),
            (r"\bin \d+ms \(\d+ms including waiting\)\. Image size: \d+ bytes", "PULLED"),
            (r"\(x\d+ over [0-9dhms]+\)", "(REPEATED)"),
            (r"(^|[\s(])(\d+d)?(\d+h)?(\d+m)?\d+s( ago)?($|[\s)])", "${1}AGE$6"),
            (r"(^|\s)\d+[mhd](\d+[mh])?($|\s)", "${1}AGE$3"),
            (r"/tmp/[A-Z]+-\d+/", "/tmp/DIFF/"),
            (r" {2,}", "  "),
        ];
        Self(rules.iter().map(|(re, to)| (Regex::new(re).unwrap(), *to)).collect())
    }

    fn line(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (re, to) in &self.0 {
            // twice: two ages beside each other share the space between them
            line = re.replace_all(&line, *to).into_owned();
            line = re.replace_all(&line, *to).into_owned();
        }
        line.trim_end().to_owned()
    }
}

/// A command and what it printed.
#[derive(Debug, Default)]
struct Block {
    command: String,
    lines: Vec<String>,
    /// The recording has both streams, stderr after stdout: what came first is not known.
    stderr_last: bool,
}

fn blocks(transcript: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in transcript.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            blocks.push(Block { command: command.to_owned(), ..Block::default() });
        } else if line.starts_with("# settled") || line.starts_with("# node-") {
        } else if let Some(block) = blocks.last_mut() {
            block.lines.push(line.to_owned());
        }
    }
    blocks
}

/// Are the printed lines compared as a set (their order and number differ between runs of a
/// real cluster)?
fn as_set(command: &str) -> bool {
    command.contains("events")
        || command.contains(" -w")
        || command.contains("^C")
        || command.contains("describe")
        || command.contains("rollout status")
        // stderr, which kubectl prints in between, stands after stdout in the recordings
        || command.contains("drain")
        || command.contains("create --dry-run")
}

/// Rows whose names have random parts are sorted by those names, so they come in another order
/// in every run: neighbours of that kind are put into the order of what else they say.
fn by_random_name(mut lines: Vec<String>) -> Vec<String> {
    let random = |l: &String| {
        let name = l.split("  ").next().unwrap_or(l);
        name.contains("pvc-UID") || name.contains("-RAND")
    };
    for run in lines.chunk_by_mut(|a, b| random(a) && random(b)) {
        run.sort();
    }
    lines
}

fn compare(n: &Normaliser, block: &Block, got: &[String]) -> Option<String> {
    // a line of which nothing is left is none; one that was empty from the start is
    let lines = |lines: &[String]| {
        let kept = lines.iter().map(|l| (l, n.line(l)));
        by_random_name(
            kept.filter(|(l, n)| l.trim().is_empty() || !n.is_empty()).map(|(_, n)| n).collect(),
        )
    };
    let (want, got) = (lines(&block.lines), lines(got));
    let same = if block.stderr_last || as_set(&block.command) {
        want.iter().collect::<BTreeSet<_>>() == got.iter().collect::<BTreeSet<_>>()
    } else {
        want == got
    };
    if same {
        return None;
    }
    let mut diff = String::new();
    for line in want.iter().filter(|l| !got.contains(l)) {
        let _ = writeln!(diff, "  - {line}");
    }
    for line in got.iter().filter(|l| !want.contains(l)) {
        let _ = writeln!(diff, "  + {line}");
    }
    if diff.is_empty() {
        diff = "  (same lines, another order or number)\n".to_owned();
    }
    Some(diff)
}

fn podium(folder: &Path, script: &Path, latency: &str, format: &str) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_podium"))
        .args(["run", "--latency", latency, "--format", format, "--dir"])
        .arg(folder)
        .arg(script)
        .output()
        .expect("podium runs");
    assert!(out.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("podium prints UTF-8")
}

/// One line for a change of an object, as summary.txt has it; `None` for kinds that the
/// summaries leave out.
fn digest(change: &serde_json::Value) -> Option<(String, String)> {
    let o = &change["object"];
    let s = |v: &serde_json::Value| v.as_str().unwrap_or("-").to_owned();
    let num = |v: &serde_json::Value| v.as_i64().unwrap_or(0);
    let meta = &o["metadata"];
    let kind = change["type"].as_str()?;
    let resource = change["resource"].as_str()?;
    let owners: Vec<String> = meta["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| format!("{}/{}", s(&r["kind"]), s(&r["name"])))
        .collect();
    let owners = if owners.is_empty() { "-".to_owned() } else { owners.join(",") };
    let end = if meta["deletionTimestamp"].is_string() { " terminating" } else { "" };
    let status = &o["status"];
    let (short, name, body) = match resource {
        "pods" => {
            let conditions = status["conditions"].as_array();
            let ready = conditions
                .into_iter()
                .flatten()
                .find(|c| c["type"] == "Ready")
                .map_or("-".to_owned(), |c| s(&c["status"]));
            let waiting = s(&status["containerStatuses"][0]["state"]["waiting"]["reason"]);
            let body = format!(
                "phase={} ready={ready} node={} ip={} waiting={waiting} rev={}",
                s(&status["phase"]),
                s(&o["spec"]["nodeName"]),
                s(&status["podIP"]),
                s(&meta["labels"]["controller-revision-hash"]),
            );
            ("pod", s(&meta["name"]), body)
        }
        "statefulsets" => {
            let observed =
                status["observedGeneration"].as_i64().map_or("-".into(), |g| g.to_string());
            let body = format!(
                "spec.replicas={} replicas={} ready={} available={} current={} updated={} cur={} upd={} gen={}/{observed}",
                num(&o["spec"]["replicas"]),
                num(&status["replicas"]),
                num(&status["readyReplicas"]),
                num(&status["availableReplicas"]),
                num(&status["currentReplicas"]),
                num(&status["updatedReplicas"]),
                s(&status["currentRevision"]),
                s(&status["updateRevision"]),
                num(&meta["generation"]),
            );
            ("sts", s(&meta["name"]), body)
        }
        "persistentvolumeclaims" => {
            let body = format!(
                "phase={} volume={} owners={owners}",
                s(&status["phase"]),
                s(&o["spec"]["volumeName"])
            );
            ("pvc", s(&meta["name"]), body)
        }
        "persistentvolumes" => {
            let body = format!(
                "phase={} claim={}",
                s(&status["phase"]),
                s(&o["spec"]["claimRef"]["name"])
            );
            ("pv", s(&meta["name"]), body)
        }
        "controllerrevisions" => {
            ("controllerrevision", s(&meta["name"]), format!("revision={}", num(&o["revision"])))
        }
        // the nodes are there from the start
        "nodes" if kind != "ADDED" => {
            let conditions = status["conditions"].as_array();
            let ready = conditions.into_iter().flatten().find(|c| c["type"] == "Ready");
            let taint = |t: &serde_json::Value| {
                let key = s(&t["key"]);
                let key = key.rsplit('/').next().unwrap_or_default().to_owned();
                format!("{key}:{}", s(&t["effect"]))
            };
            let taints = o["spec"]["taints"].as_array().into_iter().flatten().map(taint);
            let taints = taints.collect::<Vec<_>>().join(",");
            let body = format!(
                "ready={} unschedulable={} taints={}",
                ready.map_or("-".to_owned(), |c| s(&c["status"])),
                if o["spec"]["unschedulable"] == true { "True" } else { "False" },
                if taints.is_empty() { "-" } else { &taints },
            );
            ("node", s(&meta["name"]), body)
        }
        _ => return None,
    };
    Some((format!("{short} {name}"), format!("{kind} {body}{end}")))
}

/// Each object's history; lines equal to the one before are left out.
type Story = BTreeMap<String, Vec<String>>;

fn add(story: &mut Story, n: &Normaliser, object: &str, line: &str) {
    // provisioned volumes have names of their own in every run: they go together
    let lines = story.entry(n.line(object)).or_default();
    let line = n.line(line);
    let body = |l: &str| l.split_once(' ').map(|(_, b)| b.to_owned());
    let repeated =
        line.starts_with("MODIFIED") && lines.last().and_then(|l| body(l)) == body(&line);
    if !repeated {
        lines.push(line);
    }
}

fn recorded_story(n: &Normaliser, summary: &str) -> Story {
    let mut story = Story::new();
    for line in summary.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(kind), Some(name), Some(rest)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if matches!(kind, "pod" | "sts" | "pvc" | "controllerrevision" | "node") {
            add(&mut story, n, &format!("{kind} {name}"), rest);
        }
    }
    story
}

fn simulated_story(n: &Normaliser, events: &str) -> Story {
    let mut story = Story::new();
    for line in events.lines() {
        let change: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
        if let Some((object, line)) = digest(&change)
            && !object.starts_with("pv ")
        {
            add(&mut story, n, &object, &line);
        }
    }
    story
}

/// The status of a set is written at each of its passes; how many passes fall between two
/// writes of others differs from run to run, so its history is compared at its resting points.
fn story_matches(object: &str, want: &[String], got: &[String]) -> bool {
    if object.starts_with("sts ") { want.last() == got.last() } else { want == got }
}

/// What differs from the recordings: a name of the check and the lines of the difference.
#[derive(Default)]
struct Report {
    checks: usize,
    folders: usize,
    failed: BTreeMap<String, String>,
}

impl Report {
    fn transcript(&mut self, n: &Normaliser, case: &str, want: &[Block], got: &[Block]) {
        for (i, block) in want.iter().enumerate() {
            self.checks += 1;
            let name = format!("{case} #{} {}", i + 1, block.command);
            match got.get(i) {
                Some(g) if g.command == block.command => {
                    if let Some(diff) = compare(n, block, &g.lines) {
                        self.failed.insert(name, diff);
                    }
                }
                other => {
                    let found = other.map_or("nothing", |g| &g.command);
                    self.failed.insert(name, format!("  (command missing: found {found})\n"));
                }
            }
        }
    }

    fn story(&mut self, case: &str, want: &Story, got: &Story) {
        for object in want.keys().chain(got.keys()).collect::<BTreeSet<_>>() {
            self.checks += 1;
            let none = Vec::new();
            let (w, g) = (want.get(object).unwrap_or(&none), got.get(object).unwrap_or(&none));
            if !story_matches(object, w, g) {
                let mut diff = String::new();
                let _ = writeln!(diff, "  recorded:\n    {}", w.join("\n    "));
                let _ = writeln!(diff, "  simulated:\n    {}", g.join("\n    "));
                self.failed.insert(format!("{case} story of {object}"), diff);
            }
        }
    }

    /// Fails unless the differences are exactly those that `gaps_file` names.
    fn hold_to(&self, gaps_file: &Path, only: &str) {
        if std::env::var("UPDATE_GAPS").is_ok() {
            // remarks stay where they are: at the top
            let old = std::fs::read_to_string(gaps_file).unwrap_or_default();
            let remarks = old.lines().filter(|l| l.starts_with("# "));
            let mut text: String = remarks.map(|l| format!("{l}\n")).collect();
            text.extend(self.failed.keys().map(|k| format!("{k}\n")));
            std::fs::write(gaps_file, text).unwrap();
        }
        let known: BTreeSet<String> = std::fs::read_to_string(gaps_file)
            .unwrap_or_default()
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with("# ") && l.contains(only))
            .map(str::to_owned)
            .collect();
        let mut report = String::new();
        for (name, diff) in &self.failed {
            if !known.contains(name) {
                let _ = writeln!(report, "DIFFERS {name}\n{diff}");
            }
        }
        for name in known.iter().filter(|k| !self.failed.contains_key(*k)) {
            let _ = writeln!(report, "NO LONGER A GAP (take it out of gaps.txt): {name}");
        }
        println!(
            "{}: {} folders, {} checks, {} met, {} known gaps",
            gaps_file.display(),
            self.folders,
            self.checks,
            self.checks - self.failed.len(),
            known.len()
        );
        assert!(report.is_empty(), "\n{report}");
    }
}

/// The folders of a set of recordings, in order; `ONLY` in the environment picks some.
fn folders(root: &Path) -> (Vec<PathBuf>, String) {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("commands.txt").exists())
        .filter(|p| p.to_string_lossy().contains(&only))
        .collect();
    folders.sort();
    (folders, only)
}

fn case_of(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn recordings_are_reproduced() {
    let n = Normaliser::new();
    let mut report = Report::default();
    let (folders, only) = folders(&root());
    report.folders = folders.len();
    for folder in &folders {
        let case = case_of(folder);
        let read = |f: &str| std::fs::read_to_string(folder.join(f)).unwrap_or_default();
        let script = folder.join("commands.txt");
        let got = blocks(&podium(folder, &script, "recording", "transcript"));
        report.transcript(&n, &case, &blocks(&read("transcript.txt")), &got);
        let want = recorded_story(&n, &read("summary.txt"));
        if !want.is_empty() {
            let got = simulated_story(&n, &podium(folder, &script, "recording", "events"));
            report.story(&case, &want, &got);
        }
    }
    report.hold_to(&root().join("gaps.txt"), &only);
}

/// A transcript of the second set as blocks, and the script of `podium run` that plays it.
/// Commands that ran beside the others (`@bg`, ended by `@fg`) have a terminal of their own.
/// Being ready and being settled are the same here: both wait until nothing more happens.
fn script_of(transcript: &str) -> (Vec<Block>, String) {
    let mut blocks: Vec<Block> = Vec::new();
    let mut script = String::new();
    let mut terminals: Vec<&str> = Vec::new();
    let add = |command: String, script: &mut String, blocks: &mut Vec<Block>| {
        let _ = writeln!(script, "{command}");
        blocks.push(Block { command, ..Block::default() });
    };
    for line in transcript.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            add(command.replace(" node-", " worker-"), &mut script, &mut blocks);
        } else if let Some(rest) = line.strip_prefix("# @bg ") {
            let (name, command) = rest.split_once(' ').unwrap();
            terminals.push(name);
            add(format!("@{} {command}", terminals.len() % 8 + 2), &mut script, &mut blocks);
        } else if let Some(name) = line.strip_prefix("# @fg ") {
            let n = terminals.iter().position(|t| *t == name).unwrap() + 1;
            add(format!("@{} ^C", n % 8 + 2), &mut script, &mut blocks);
        } else if let Some(seconds) = line.strip_prefix("# @sleep ") {
            add(format!("sleep {seconds}"), &mut script, &mut blocks);
        } else if line.starts_with("# @ready") || line.starts_with("# @settle") {
            script.push_str("settle\n");
        } else if line.starts_with("# ") {
        } else if let Some(block) = blocks.last_mut() {
            let error = line.strip_prefix("[stderr] ");
            block.stderr_last |= error.is_some() && !block.lines.is_empty();
            block.lines.push(error.unwrap_or(line).to_owned());
        }
    }
    (blocks, script)
}

/// Watches that ran beside each scenario of the second set: file, command.
const WATCHES: [(&str, &str); 4] = [
    ("get-pods-w.txt", "kubectl get pods -w"),
    ("get-pods-wide-w.txt", "kubectl get pods -w -o wide --output-watch-events"),
    ("get-pvc-w.txt", "kubectl get pvc -w"),
    ("get-sts-w.txt", "kubectl get sts -w"),
];

/// The rows that a watch printed of each object, equal neighbours once.
fn watch_story(n: &Normaliser, command: &str, lines: &[String]) -> Story {
    let mut story = Story::new();
    for line in lines.iter().map(|l| n.line(l)) {
        let mut words = line.split("  ");
        let name = match words.next() {
            Some("ADDED" | "MODIFIED" | "DELETED") => words.next().unwrap_or_default(),
            Some(name) => name,
            None => continue,
        };
        if matches!(name, "" | "NAME" | "EVENT") || name.starts_with("$ ") {
            continue;
        }
        let rows = story.entry(format!("{name} in {command}")).or_default();
        if rows.last() != Some(&line) {
            rows.push(line);
        }
    }
    story
}

/// A class that the second set's cluster had.
const MANUAL: &str = r#"echo '{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"manual"},"provisioner":"kubernetes.io/no-provisioner"}' | kubectl apply -f -"#;

#[test]
fn recordings_of_kubectl_1_36_are_reproduced() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden-2");
    let mut n = Normaliser::new();
    n.0.insert(0, (Regex::new(r"\bzone-([a-c])\b").unwrap(), "$1"));
    for (re, to) in [
        (
            r"(k8s\.io/minikube-hostpath|disk\.sim\.example)(_oracle|_provisioner-0_UID)?",
            "PROVISIONER",
        ),
        (r"containerd://[0-9a-f]{64}", "CONTAINER"),
        (r"(imageID|Image ID): +\S+@sha256:[0-9a-f]{64}", "$1: IMAGE"),
        (r"\bzone: [a-c]\b", "zone: ZONE"),
        // the kubelet was imitated: it pulled at once and always, and attached nothing
        (r"^.* (Pulling|Pulled|SuccessfulAttachVolume|FailedAttachVolume)\b .*$", ""),
    ] {
        n.0.push((Regex::new(re).unwrap(), to));
    }
    let mut report = Report::default();
    let (folders, only) = folders(&root);
    report.folders = folders.len();
    for folder in &folders {
        let case = case_of(folder);
        let recorded = std::fs::read_to_string(folder.join("transcript.txt")).unwrap();
        let (want, script) = script_of(&recorded);
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{case}.podium"));
        // what watches beside it printed, where terminals are left for them
        let watches =
            if script.contains("\n@") || script.starts_with('@') { &[][..] } else { &WATCHES[..] };
        let mut whole = format!("{MANUAL}\n");
        for (i, (_, command)) in watches.iter().enumerate() {
            let _ = writeln!(whole, "@{} {command}", i + 2);
        }
        whole.push_str(&script);
        for (i, _) in watches.iter().enumerate() {
            let _ = writeln!(whole, "@{} ^C", i + 2);
        }
        std::fs::write(&file, whole).unwrap();
        let got = blocks(&podium(folder, &file, "realistic", "transcript"));
        report.transcript(&n, &case, &want, &got[1 + watches.len()..]);
        for ((file, command), block) in watches.iter().zip(&got[got.len() - watches.len()..]) {
            let recorded = std::fs::read_to_string(folder.join(file)).unwrap();
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let want = watch_story(&n, command, &lines(&recorded));
            let got = watch_story(&n, command, &block.lines);
            report.story(&case, &want, &got);
        }
    }
    report.hold_to(&root.join("gaps.txt"), &only);
}
