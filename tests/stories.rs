//! The three stories, told once for the native test and once for the browser's: the same
//! inputs must give the same history, bit by bit.

use podium_sim::api::{Key, Kind};
use podium_sim::log::{ChangeType, What};
use podium_sim::recording::Input;
use podium_sim::timeline::Timeline;
use podium_sim::{Config, World};

/// A headless Service and a set of three, each pod with a disk.
pub const MANIFEST: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: nginx
spec:
  clusterIP: None
  selector: {app: nginx}
  ports: [{name: web, port: 80}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: nginx
  replicas: 3
  selector:
    matchLabels: {app: nginx}
  template:
    metadata:
      labels: {app: nginx}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.24
        ports: [{name: web, containerPort: 80}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
";

/// What all histories of the stories hash to.
pub const FINGERPRINT: &str = include_str!("fixtures/fingerprint.txt");

const LIMIT: u64 = 600_000_000;

fn line(t: &mut Timeline, text: &str) {
    t.input(Input::Line { term: 1, text: text.to_owned() });
    t.settle(LIMIT);
}

fn output(t: &Timeline) -> String {
    t.world().terminal(1).map(|t| t.text_since(0)).unwrap_or_default()
}

/// Number of the log entry in which the pod first is Ready, or is created.
fn first(w: &World, pod: &str, ready: bool) -> u64 {
    w.log
        .iter()
        .find(|(_, r)| match &r.what {
            What::Change { change, new, .. } => {
                new.kind == Kind::Pod
                    && new.name() == pod
                    && if ready { new.pod().ready } else { *change == ChangeType::Added }
            }
            _ => false,
        })
        .map_or(u64::MAX, |(seq, _)| seq)
}

/// Plays the stories and checks what they promise; gives the history's fingerprint.
pub fn play() -> u64 {
    let mut t = Timeline::new(Config { seed: 7, ..Config::default() });
    t.input(Input::File { name: "web.yaml".into(), text: MANIFEST.into() });
    line(&mut t, "kubectl apply -f web.yaml");
    let w = t.world();
    for (before, after) in [("web-0", "web-1"), ("web-1", "web-2")] {
        assert!(
            first(w, before, true) < first(w, after, false),
            "{after} came before {before} was Ready"
        );
    }
    let web_0 = Key::new(Kind::Pod, "default", "web-0");
    let ip = w.store.by_key(&web_0).map(|p| p.pod().ip.clone()).unwrap_or_default();
    let uid = w.store.by_key(&web_0).map(|p| p.uid()).unwrap_or_default();
    line(
        &mut t,
        "kubectl exec web-0 -- sh -c 'echo I am $(hostname) > /usr/share/nginx/html/index.html'",
    );
    line(&mut t, "kubectl run dns-test --image=busybox:1.28 --restart=Never -- sleep 3600");
    line(&mut t, "kubectl exec dns-test -- nslookup web-0.nginx");
    assert!(output(&t).contains(&*ip), "the name is found: {}", output(&t));
    line(&mut t, "kubectl delete pod web-0");
    let again = t.world().store.by_key(&web_0).map(|p| (p.uid(), p.pod().ip.clone()));
    let (new_uid, new_ip) = again.unwrap_or_default();
    assert_ne!(uid, new_uid, "another pod");
    assert_ne!(ip, new_ip, "another address");
    line(&mut t, "kubectl exec dns-test -- wget -qO- http://web-0.nginx/");
    assert!(output(&t).ends_with("I am web-0\n"), "the same disk, by name: {}", output(&t));
    line(&mut t, &format!("kubectl exec dns-test -- wget -qO- -T 2 http://{ip}/"));
    assert!(!output(&t).ends_with("I am web-0\n"), "nobody at the old address: {}", output(&t));
    line(&mut t, "kubectl scale sts web --replicas=1");
    line(&mut t, "kubectl scale sts web --replicas=2");
    t.world().fingerprint()
}

/// Every moment can be gone to, and is what it was.
pub fn seek_is_replay() {
    let mut t = Timeline::new(Config { seed: 3, ..Config::default() });
    t.input(Input::File { name: "web.yaml".into(), text: MANIFEST.into() });
    t.input(Input::Line { term: 1, text: "kubectl apply -f web.yaml".into() });
    t.settle(LIMIT);
    t.input(Input::Line { term: 1, text: "kubectl delete pod web-1".into() });
    t.settle(LIMIT);
    let recording = t.recording();
    let end = t.end();
    for part in [7, 1, 5, 3, 6, 2, 4] {
        let at = end / 8 * part;
        t.seek(at);
        let mut fresh = Timeline::from_recording(&recording);
        fresh.seek(at);
        assert_eq!(t.world().fingerprint(), fresh.world().fingerprint(), "at {at}");
        assert_eq!(t.at(), at);
    }
    let len = t.world().log.len();
    assert!(t.step_forward() && t.world().log.len() > len);
    assert!(t.step_back());
    let branches = t.branches().len();
    t.input(Input::Line { term: 1, text: "kubectl delete pod web-0".into() });
    assert_eq!(t.branches().len(), branches + 1, "an act in the past starts a branch");
    let other = t.branches()[1].clone();
    assert!(t.switch(other.id) && t.end() == end, "the old future is kept");
}
