//! The engine rows of the budget table, for native code and for wasm: what is measured is the
//! same, only clock and memory come from outside.

use podium_sim::api::Kind;
use podium_sim::kubectl::complete::complete;
use podium_sim::recording::Input;
use podium_sim::timeline::Timeline;
use podium_sim::{Config, World};

const LIMIT: u64 = 3_600_000_000;

/// Where the rows run.
pub struct Host {
    /// Its name, the first word of each row.
    pub name: &'static str,
    /// Milliseconds since some moment.
    pub clock: fn() -> f64,
    /// Bytes of memory that the program holds.
    pub memory: fn() -> f64,
    /// Prints a line.
    pub print: fn(&str),
}

impl Host {
    /// A row: what, the figure, its unit, the budget if it has one.
    fn row(&self, what: &str, figure: f64, unit: &str, budget: Option<f64>) {
        let digits = if figure < 20.0 { 2 } else { 0 };
        let budget = match budget {
            None => String::new(),
            Some(b) => {
                format!("budget {b} {unit}: {}", if figure <= b { "met" } else { "MISSED" })
            }
        };
        let figure = format!("{figure:.digits$} {unit}");
        (self.print)(&format!("{:<7} {what:<58} {figure:>12}  {budget}", self.name));
    }

    /// How long something takes, milliseconds: the median of so many times.
    fn time<R>(&self, times: usize, mut act: impl FnMut() -> R) -> f64 {
        let mut took: Vec<f64> = (0..times)
            .map(|_| {
                let begin = (self.clock)();
                let made = act();
                let took = (self.clock)() - begin;
                drop(made);
                took
            })
            .collect();
        took.sort_by(f64::total_cmp);
        took[times / 2]
    }
}

fn manifest(kind: &str, pods: u32) -> String {
    let own = match kind {
        "StatefulSet" => "  serviceName: nginx\n  podManagementPolicy: Parallel\n",
        _ => "",
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: web}}\nspec:\n  replicas: {pods}\n{own}  selector: {{matchLabels: {{app: nginx}}}}\n  template:\n    metadata: {{labels: {{app: nginx}}}}\n    spec:\n      containers:\n      - {{name: nginx, image: \"nginx:1.27\"}}\n"
    )
}

fn config() -> Config {
    Config { nodes: 100, node_pods: 1000, ..Config::default() }
}

/// A workload from its manifest until all its pods are ready. Gives the cluster: to take it
/// apart again is no part of that.
pub fn until_ready(kind: &str, pods: u32) -> World {
    let mut w = World::new(config());
    w.put_file("x.yaml", &manifest(kind, pods));
    w.type_line(1, "kubectl apply -f x.yaml");
    w.settle(LIMIT);
    let ready = w.store.all(Kind::Pod).filter(|p| p.pod().ready).count();
    assert_eq!(ready, pods as usize, "{kind} of {pods}");
    w
}

/// A manifest of some 200 lines.
fn long_manifest() -> String {
    let mut text = String::new();
    for n in 0..11 {
        text.push_str(&manifest("StatefulSet", 3).replace("name: web", &format!("name: web{n}")));
        text.push_str("---\n");
        for i in 0..4 {
            text.push_str(&format!("# line {i}\n"));
        }
    }
    text
}

/// The slowest answer to Tab with 1,000 pods, milliseconds.
fn slowest_tab(host: &Host) -> f64 {
    let mut w = World::new(config());
    w.put_file("x.yaml", &manifest("StatefulSet", 1000));
    w.type_line(1, "kubectl apply -f x.yaml");
    w.settle(LIMIT);
    let lines = [
        ("kubectl delete pod ", 1000),
        ("kubectl logs web-99", 11),
        ("kubectl get pods -A web-", 1000),
        ("kubectl get pods -l app=", 1),
        ("kubectl exec web-999 -c ", 1),
    ];
    let mut worst = 0.0_f64;
    for (line, offered) in lines {
        let took = host.time(10, || {
            assert_eq!(complete(&w, &[], line, line.len()).candidates.len(), offered, "{line}");
        });
        worst = worst.max(took);
    }
    worst
}

fn diagnose(text: &str) {
    for d in podium_sim::manifest::parse::parse(text).into_iter().flatten() {
        let mut v = d.value;
        let kind = Kind::StatefulSet;
        assert!(podium_sim::schema::check(kind, &v).is_empty());
        v.entry("metadata").set("namespace", "default");
        podium_sim::manifest::defaults::apply(kind, &mut v);
        assert!(podium_sim::manifest::validation::create(kind, &v).is_empty());
    }
}

/// A history of 10,000 entries: what it takes and how fast one goes anywhere in it.
fn history(host: &Host) {
    let before = (host.memory)();
    let mut t = Timeline::new(Config::default());
    t.input(Input::File { name: "x.yaml".into(), text: manifest("StatefulSet", 20) });
    t.input(Input::Line { term: 1, text: "kubectl apply -f x.yaml".into() });
    t.settle(LIMIT);
    while t.records().count() < 10_000 {
        t.input(Input::Line { term: 1, text: "kubectl delete pod -l app=nginx".into() });
        t.settle(LIMIT);
    }
    let held = ((host.memory)() - before) / f64::from(1 << 20);
    let entries = t.records().count();
    host.row(&format!("memory of a history of {entries} entries"), held, "MB", Some(64.0));
    let (mut worst, mut total) = (0.0_f64, 0.0);
    for n in 0..50_u64 {
        // moments all over the history, far from each other
        let at = t.end() / 50 * ((n * 19) % 50);
        let took = host.time(1, || t.seek(at));
        worst = worst.max(took);
        total += took;
    }
    host.row("seek in it, mean of 50", total / 50.0, "ms", None);
    host.row("seek in it, the slowest of 50", worst, "ms", Some(16.0));
}

/// Runs all rows.
pub fn run(host: &Host) {
    // first, while nothing else has taken memory
    history(host);
    let text = long_manifest();
    let lines = text.lines().count();
    let took = host.time(20, || diagnose(&text));
    host.row(&format!("paste to diagnostics, {lines} lines of YAML"), took, "ms", Some(16.0));
    for (pods, budget) in [(10, None), (100, None), (1000, Some(100.0))] {
        let took = host.time(5, || until_ready("Deployment", pods));
        host.row(&format!("Deployment of {pods} pods to ready"), took, "ms", budget);
    }
    let mut each = Vec::new();
    for (pods, budget) in [(100, None), (1000, None), (10_000, Some(1000.0))] {
        let took = host.time(3, || until_ready("StatefulSet", pods));
        host.row(&format!("Parallel StatefulSet of {pods} pods to ready"), took, "ms", budget);
        each.push(took / f64::from(pods));
    }
    let tab = slowest_tab(host);
    host.row("Tab with 1000 pods, the slowest of 5 lines", tab, "ms", Some(16.0));
    let growth = each[2] / each[0];
    host.row("a pod of 10000 costs so many times one of 100", growth, "x", Some(1.5));
}
