//! The engine rows of the budget table, for native code and for wasm: what is measured is the
//! same, only the clock comes from outside.

use podium_sim::api::Kind;
use podium_sim::kubectl::complete::complete;
use podium_sim::recording::Input;
use podium_sim::timeline::Timeline;
use podium_sim::{Config, World};

const LIMIT: u64 = 3_600_000_000;

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

fn ready(w: &World) -> usize {
    w.store.all(Kind::Pod).filter(|p| p.pod().ready).count()
}

/// Time until all pods of a workload are ready, milliseconds of `clock`.
fn until_ready(kind: &str, pods: u32, clock: fn() -> f64) -> f64 {
    let mut w = World::new(config());
    w.put_file("x.yaml", &manifest(kind, pods));
    let begin = clock();
    w.type_line(1, "kubectl apply -f x.yaml");
    w.settle(LIMIT);
    let took = clock() - begin;
    assert_eq!(ready(&w), pods as usize, "{kind} of {pods}");
    took
}

/// A 200-line manifest.
fn long_manifest() -> String {
    let mut text = String::new();
    for n in 0..10 {
        text.push_str(&manifest("StatefulSet", 3).replace("name: web", &format!("name: web{n}")));
        text.push_str("---\n");
        for i in 0..4 {
            text.push_str(&format!("# line {i}\n"));
        }
    }
    text
}

/// The slowest answer to Tab with 1,000 pods, milliseconds of `clock`.
fn slowest_tab(clock: fn() -> f64) -> f64 {
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
        let begin = clock();
        let n = (0..10).map(|_| complete(&w, &[], line, line.len()).candidates.len()).max();
        worst = worst.max((clock() - begin) / 10.0);
        assert_eq!(n, Some(offered), "{line}");
    }
    worst
}

/// Runs all rows; each is a line `what: figure`.
pub fn run(clock: fn() -> f64, print: fn(&str)) {
    let text = long_manifest();
    let begin = clock();
    for _ in 0..20 {
        for d in podium_sim::manifest::parse::parse(&text).into_iter().flatten() {
            let mut v = d.value;
            let kind = Kind::StatefulSet;
            assert!(podium_sim::schema::check(kind, &v).is_empty());
            v.entry("metadata").set("namespace", "default");
            podium_sim::manifest::defaults::apply(kind, &mut v);
            assert!(podium_sim::manifest::validation::create(kind, &v).is_empty());
        }
    }
    let lines = text.lines().count();
    print(&format!(
        "paste to diagnostics, {lines} lines of YAML: {:.2} ms",
        (clock() - begin) / 20.0
    ));
    let mut times: Vec<f64> = (0..5).map(|_| until_ready("Deployment", 1000, clock)).collect();
    let first = times[0];
    times.sort_by(f64::total_cmp);
    print(&format!(
        "Deployment of 1000 pods to ready: {:.0} ms, median of 5; the first {first:.0} ms",
        times[2]
    ));
    for pods in [100, 1000, 10_000] {
        let took = until_ready("StatefulSet", pods, clock);
        print(&format!(
            "Parallel StatefulSet of {pods} pods to ready: {took:.0} ms, {:.1} µs a pod",
            took * 1000.0 / f64::from(pods)
        ));
    }
    print(&format!(
        "Tab with 1000 pods: {:.2} ms, the slowest of 5 lines (limit 16 ms)",
        slowest_tab(clock)
    ));
    let mut t = Timeline::new(Config::default());
    t.input(Input::File { name: "x.yaml".into(), text: manifest("StatefulSet", 20) });
    t.input(Input::Line { term: 1, text: "kubectl apply -f x.yaml".into() });
    t.settle(LIMIT);
    while t.records().count() < 10_000 {
        t.input(Input::Line { term: 1, text: "kubectl delete pod -l app=nginx".into() });
        t.settle(LIMIT);
    }
    let (mut worst, mut total) = (0.0_f64, 0.0);
    for n in 0..50_u64 {
        // moments all over the history, far from each other
        let at = t.end() / 50 * ((n * 19) % 50);
        let begin = clock();
        t.seek(at);
        let took = clock() - begin;
        worst = worst.max(took);
        total += took;
    }
    print(&format!(
        "seek in a history of {} entries: {:.2} ms, at worst {worst:.2} ms",
        t.records().count(),
        total / 50.0
    ));
}
