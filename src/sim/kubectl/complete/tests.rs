//! Tab completion against a small cluster, and against a large one.

use super::{Completion, complete};
use crate::config::{Config, Latency};
use crate::kubectl::examples;
use crate::world::World;

fn world() -> World {
    let mut w = World::new(Config { latency: Latency::Instant, ..Config::default() });
    w.put_file("web.yaml", examples::at("k8s.io/examples/application/web/web.yaml").unwrap());
    w.put_file("notes.txt", "");
    for line in [
        "kubectl apply -f web.yaml",
        "kubectl create namespace prod",
        "kubectl run client -n prod --image=busybox:1.28 --restart=Never -- sleep 3600",
        "kubectl apply -f https://k8s.io/examples/application/mysql/mysql-statefulset.yaml",
    ] {
        w.type_line(1, line);
        w.settle(600_000_000);
    }
    w
}

/// What Tab at the end of the line offers.
fn offers(w: &World, line: &str) -> Vec<String> {
    complete(w, &[], line, line.len()).candidates
}

/// The line after Tab at its end.
fn tab(w: &World, line: &str) -> String {
    let c = complete(w, &[], line, line.len());
    format!("{}{}", &line[..c.start.min(line.len())], c.text())
}

fn check(w: &World, cases: &[(&str, &str)]) {
    for (line, want) in cases {
        assert_eq!(offers(w, line).join(" "), *want, "{line:?}");
    }
}

#[test]
fn commands_and_verbs() {
    let w = world();
    check(
        &w,
        &[
            ("kub", "kubectl"),
            ("kubectl ex", "exec explain expose"),
            ("kubectl rollout ", "history pause restart resume status undo"),
            ("kubectl rollout st", "status"),
            ("kubectl create n", "namespace"),
            ("kubectl create service node", "nodeport"),
            ("kubectl top pod web-", "web-0 web-1"),
            ("kubectl set im", "image"),
            ("kubectl config v", "view"),
            ("kubectl -n prod des", "describe"),
            ("kubectl nonsense ", ""),
            ("nonsense ", ""),
        ],
    );
    assert_eq!(tab(&w, "kub"), "kubectl ");
    assert_eq!(tab(&w, "kubectl expl"), "kubectl explain ");
    // the common beginning of several
    assert_eq!(tab(&w, "kubectl e"), "kubectl e");
    assert_eq!(tab(&w, "kubectl exp"), "kubectl exp");
}

#[test]
fn kinds_and_names() {
    let w = world();
    check(
        &w,
        &[
            ("kubectl get sta", "statefulsets"),
            ("kubectl get st", "statefulsets storageclasses sts"),
            ("kubectl get statefulsets.", "statefulsets.apps"),
            ("kubectl get pod,sv", "svc"),
            ("kubectl get al", "all"),
            ("kubectl get pods w", "web-0 web-1"),
            ("kubectl delete po web-0 w", "web-1"),
            ("kubectl describe sts/w", "sts/web"),
            ("kubectl delete pod/web-0 pods/w", "pods/web-1"),
            ("kubectl get -n prod pods ", "client"),
            ("kubectl get pods -n prod ", "client"),
            ("kubectl get pods -nprod ", "client"),
            ("kubectl get pods --namespace=prod ", "client"),
            ("kubectl get pods -A c", "client"),
            ("kubectl scale s", "statefulsets sts"),
            ("kubectl scale sts ", "mysql web"),
            ("kubectl rollout status ", "daemonsets deploy deployments ds statefulsets sts"),
            ("kubectl rollout status sts/", "sts/mysql sts/web"),
            ("kubectl drain worker-", "worker-1 worker-2 worker-3"),
            ("kubectl set image sts web n", "nginx="),
            ("kubectl set image sts/web n", "nginx="),
            ("kubectl delete -f web.yaml ", ""),
            ("kubectl explain sts.spec.pers", "persistentVolumeClaimRetentionPolicy"),
            ("kubectl explain sts.spec.template.spec.hostna", "hostname hostnameOverride"),
        ]
        .map(|(line, want)| (line, strip(line, want)))
        .iter()
        .map(|(l, w)| (*l, w.as_str()))
        .collect::<Vec<_>>(),
    );
    assert_eq!(tab(&w, "kubectl delete pod web"), "kubectl delete pod web-");
    assert_eq!(tab(&w, "kubectl describe sts/w"), "kubectl describe sts/web ");
    assert_eq!(tab(&w, "kubectl set image sts/web n"), "kubectl set image sts/web nginx=");
}

/// Only the part after a slash is offered: `sts/web` stands for `web`.
fn strip(line: &str, want: &str) -> String {
    let head = line.rsplit(' ').next().and_then(|w| w.rsplit_once('/')).map(|(h, _)| h);
    let Some(head) = head else { return want.to_owned() };
    want.split(' ')
        .map(|w| w.strip_prefix(head).and_then(|w| w.strip_prefix('/')).unwrap_or(w))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn pods_and_containers() {
    let w = world();
    check(
        &w,
        &[
            ("kubectl exec we", "web-0 web-1"),
            ("kubectl exec web-0 ", "--"),
            ("kubectl exec web-0 -- ca", ""),
            ("kubectl logs mysql-0 ", "clone-mysql init-mysql mysql xtrabackup"),
            ("kubectl logs mysql-0 -c ", "clone-mysql init-mysql mysql xtrabackup"),
            ("kubectl logs mysql-0 -cx", "xtrabackup"),
            ("kubectl exec mysql-0 --container=my", "mysql"),
            ("kubectl exec sts/mysql -c x", "xtrabackup"),
            ("kubectl logs -f web-", "web-0 web-1"),
            ("kubectl logs stat", "statefulsets/"),
            ("kubectl cp web", "web-0: web-1: web.yaml"),
        ],
    );
}

#[test]
fn flags_and_their_values() {
    let w = world();
    check(
        &w,
        &[
            ("kubectl get pods --wat", "--watch --watch-only"),
            ("kubectl get pods --watch --wat", "--watch-only"),
            ("kubectl delete --casc", "--cascade"),
            ("kubectl scale --repl", "--replicas="),
            ("kubectl delete sts web --cascade=", "background foreground orphan"),
            ("kubectl get pods -o j", "json jsonpath-as-json= jsonpath="),
            ("kubectl get pods -oya", "yaml"),
            ("kubectl get pods -n p", "prod"),
            ("kubectl get pods --namespace=k", "kube-node-lease kube-public kube-system"),
            ("kubectl apply -f w", "web.yaml"),
            ("kubectl apply --filename=./w", "web.yaml"),
            ("kubectl patch sts web --type ", "json merge strategic"),
            ("kubectl wait pod/web-0 --for=condition=R", "condition=Ready"),
            ("kubectl get pods -l app=n", "app=nginx"),
            ("kubectl get pods -l 'app=n", "app=nginx"),
            ("kubectl delete pod web-0 --dry-run=c", "client"),
            (
                "kubectl apply -f https://k8s.io/examples/application/w",
                "https://k8s.io/examples/application/web/web-parallel.yaml https://k8s.io/examples/application/web/web.yaml",
            ),
        ],
    );
    assert!(offers(&w, "kubectl apply ").contains(&"-f".into()));
    let short = offers(&w, "kubectl get -");
    assert!(short.contains(&"-o".into()) && short.contains(&"--output=".into()), "{short:?}");
    assert!(short.contains(&"-n".into()), "{short:?}");
}

#[test]
fn lines_of_several_commands() {
    let w = world();
    check(
        &w,
        &[
            ("kubectl get pods | gr", "grep"),
            ("for i in 0 1; do kubectl exec we", "web-0 web-1"),
            ("echo \"$(kubectl get pod we", "web-0 web-1"),
            ("A=1 kubectl get sta", "statefulsets"),
            ("cat n", "notes.txt"),
            ("cat < n", "notes.txt"),
            ("kubectl get pods -o yaml > n", "notes.txt"),
            ("kubectl get pods && kubectl delete pod \"web-0\" we", "web-1"),
            ("kubectl delete pod we\\b", ""),
        ],
    );
    let more = ["more.yaml".to_owned()];
    assert_eq!(complete(&w, &more, "cat m", 5).candidates, more);
    // in the middle of a line, what stands after the cursor stays
    let c = complete(&w, &[], "kubectl get sta -w", 15);
    assert_eq!((c.start, c.text().as_str()), (12, "statefulsets "));
    // a cursor inside of a letter, or beyond the end
    assert_eq!(complete(&w, &[], "é", 1), Completion::default());
    assert_eq!(complete(&w, &[], "k", 9), Completion::default());
}

/// Only names that begin as typed are copied, so many pods cost little (the figure is a row of
/// `cargo bench -p podium-cli`).
#[test]
fn many_pods() {
    let mut w = World::new(Config { latency: Latency::Instant, nodes: 10, ..Config::default() });
    let manifest = examples::at("k8s.io/examples/application/web/web-parallel.yaml").unwrap();
    w.put_file("web.yaml", &manifest.replace("replicas: 2", "replicas: 200"));
    w.type_line(1, "kubectl apply -f web.yaml");
    w.settle(600_000_000);
    assert_eq!(offers(&w, "kubectl delete pod w").len(), 200);
    assert_eq!(offers(&w, "kubectl delete pod web-19").len(), 11);
    let before = w.log.len();
    assert_eq!(tab(&w, "kubectl logs web-10"), "kubectl logs web-10");
    assert_eq!(w.log.len(), before);
}

/// Whatever is typed, Tab neither panics nor offers what does not go on from it.
#[test]
fn any_line() {
    const PIECES: &[&str] = &[
        "kubectl ",
        "get ",
        "po",
        "pods ",
        "-n",
        "-",
        "--",
        "=",
        "/",
        ",",
        ".",
        "'",
        "\"",
        "\\",
        "$(",
        ")",
        "|",
        ";",
        "<",
        ">",
        "é",
        "😀",
        " ",
        "web",
        "sts/",
        "-c ",
        "-f ",
        "rollout ",
        "set image ",
        "explain sts.",
        "exec ",
        "logs ",
        "--output=",
        "-l ",
        "2>",
        "for i in ",
        "do ",
        "apply ",
        "\n",
        "-o",
    ];
    let w = world();
    let mut chance = crate::rng::Stream::new(7, &["complete"]);
    for _ in 0..4000 {
        let mut line = String::from(if chance.range(0, 1) == 0 { "kubectl " } else { "" });
        for _ in 0..chance.range(0, 8) {
            line.push_str(PIECES[chance.range(0, PIECES.len() as u64 - 1) as usize]);
        }
        for cursor in 0..=line.len() {
            let c = complete(&w, &[], &line, cursor);
            let Some(typed) = line.get(c.start..cursor) else {
                assert_eq!(c, Completion::default());
                continue;
            };
            let goes_on = |offer: &String| offer.starts_with(typed);
            assert!(c.candidates.iter().all(goes_on), "{line:?} at {cursor}: {c:?}");
            assert!(c.candidates.is_sorted() && c.text().starts_with(c.common()));
        }
    }
}
