//! The same acts in another world, to be set beside the first: the manifests say Deployment
//! instead of StatefulSet, or the other pod management policy; all else is the same.
//!
//! The other world is made from the recording of the first, input by input, so that an act on
//! `web-1` there can mean the pod that stands in its place here.

use crate::api::Kind;
use crate::manifest::{parse, print};
use crate::recording::{Input, Recording};
use crate::timeline::Timeline;
use crate::value::Value;
use crate::world::World;

/// What is different in the other world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Other {
    /// Deployments instead of StatefulSets.
    Deployment,
    /// `podManagementPolicy` is the other one.
    Policy,
}

impl Other {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Deployment, Self::Policy];

    /// Its name, a part of keys of static/i18n.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Policy => "policy",
        }
    }

    /// The one of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.name() == name)
    }

    /// The other world of a recording, at the recording's moment.
    pub fn timeline(self, recording: &Recording) -> Timeline {
        let empty = Recording { inputs: Vec::new(), at: 0, ..recording.clone() };
        let mut timeline = Timeline::from_recording(&empty);
        for timed in &recording.inputs {
            self.follow(&mut timeline, timed.at, &timed.input);
        }
        timeline.seek(recording.at);
        timeline
    }

    /// Does in the other world what an input does in the first.
    pub fn follow(self, timeline: &mut Timeline, at: u64, input: &Input) {
        timeline.seek(at.max(timeline.end()));
        let input = match input {
            Input::File { name, text } => {
                Input::File { name: name.clone(), text: self.manifest(text) }
            }
            Input::Line { term, text } => {
                Input::Line { term: *term, text: self.line(timeline.world(), text) }
            }
            other => other.clone(),
        };
        timeline.input(input);
    }

    /// A manifest as it reads there. What cannot be read, or has nothing to change, stays as it
    /// is.
    pub fn manifest(self, text: &str) -> String {
        let documents: Vec<_> = parse::parse(text).into_iter().collect();
        let set = |d: &Value| d["kind"].str() == "StatefulSet";
        let readable = documents.iter().all(Result::is_ok);
        if !readable || !documents.iter().flatten().any(|d| set(&d.value)) {
            return text.to_owned();
        }
        let changed = documents.into_iter().flatten().map(|d| {
            let value = if set(&d.value) { self.set(d.value) } else { d.value };
            print::to_yaml(&value)
        });
        changed.collect::<Vec<_>>().join("---\n")
    }

    fn set(self, mut set: Value) -> Value {
        let spec = set.entry("spec");
        match self {
            Self::Policy => {
                let parallel = spec["podManagementPolicy"].str() == "Parallel";
                let policy = if parallel { "OrderedReady" } else { "Parallel" };
                spec.set("podManagementPolicy", policy);
            }
            Self::Deployment => {
                let templates = spec.remove("volumeClaimTemplates").unwrap_or_default();
                for key in [
                    "serviceName",
                    "podManagementPolicy",
                    "updateStrategy",
                    "ordinals",
                    "persistentVolumeClaimRetentionPolicy",
                ] {
                    spec.remove(key);
                }
                // a Deployment has no disks of its own: what a pod writes goes with it
                let volumes = templates
                    .items()
                    .iter()
                    .map(|t| crate::value!({"emptyDir": {}, "name": (&t["metadata"]["name"])}));
                if !templates.is_empty() {
                    spec.path_mut("template.spec.volumes").list_mut().extend(volumes);
                }
                set.set("kind", "Deployment");
            }
        }
        set
    }

    /// A command as it is typed there.
    fn line(self, w: &World, line: &str) -> String {
        if self != Self::Deployment {
            return line.to_owned();
        }
        let there = |kind: &str| {
            let set = matches!(
                kind,
                "sts" | "statefulset" | "statefulsets" | "statefulset.apps" | "statefulsets.apps"
            );
            if set { "deployment".to_owned() } else { kind.to_owned() }
        };
        let words = line.split(' ').map(|word| match word.split_once('/') {
            Some((kind, name)) => format!("{}/{}", there(kind), pod(w, name)),
            None => pod(w, &there(word)),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The pod that stands in the place of `web-1`: the second oldest of the Deployment `web`.
fn pod(w: &World, name: &str) -> String {
    let found = name.rsplit_once('-').and_then(|(set, n)| {
        let n: usize = n.parse().ok()?;
        let deployment = w.store.all(Kind::Deployment).find(|d| *d.name_ref() == *set)?;
        let sets = w
            .store
            .all(Kind::ReplicaSet)
            .filter(|rs| rs.controller_uid() == deployment.uid_ref().as_str());
        let sets: Vec<_> = sets.map(|rs| rs.uid_ref()).collect();
        let mut pods: Vec<_> = w
            .store
            .all(Kind::Pod)
            .filter(|p| sets.contains(&&p.pod().owner) && !p.pod().terminating)
            .collect();
        pods.sort_by_key(|p| (p.meta()["creationTimestamp"].to_str(), p.name()));
        Some(pods.get(n)?.name().to_string())
    });
    found.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: nginx
  replicas: 3
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec: {containers: [{name: nginx, image: 'nginx:1.27', volumeMounts: [{name: www, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: www}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";

    fn first() -> Timeline {
        let mut t = Timeline::new(crate::Config::default());
        t.input(Input::File { name: "web.yaml".into(), text: WEB.into() });
        for line in [
            "kubectl apply -f web.yaml",
            "kubectl delete pod web-1 --wait=false",
            "kubectl scale sts/web --replicas=2",
        ] {
            t.input(Input::Line { term: 1, text: line.into() });
            t.settle(600_000_000);
        }
        t
    }

    /// When each pod was first seen, and its name.
    fn made(t: &Timeline) -> Vec<(u64, String)> {
        let added = |r: &crate::log::Record| match &r.what {
            crate::log::What::Change { change: crate::log::ChangeType::Added, new, .. }
                if new.kind == Kind::Pod && new.ns() == "default" =>
            {
                Some((r.at, new.name().to_string()))
            }
            _ => None,
        };
        t.records().filter_map(|(_, r)| added(r)).collect()
    }

    #[test]
    fn the_other_policy_makes_all_pods_at_once() {
        let first = first();
        let other = Other::Policy.timeline(&first.recording());
        let (one, all) = (made(&first), made(&other));
        assert!(one[0].0 < one[1].0 && one[1].0 < one[2].0, "{one:?}");
        assert!(all[0].0 == all[1].0 && all[1].0 == all[2].0, "{all:?}");
        assert_eq!(other.at(), first.at());
    }

    #[test]
    fn a_deployment_gets_the_same_acts() {
        let first = first();
        let other = Other::Deployment.timeline(&first.recording());
        let w = other.world();
        assert_eq!(w.store.count(Kind::StatefulSet), 0);
        assert_eq!(w.store.count(Kind::PersistentVolumeClaim), 0);
        let names = made(&other);
        // three pods, and one in the place of that which was deleted: no name comes back
        assert_eq!(names.len(), 4, "{names:?}");
        let mut unlike: Vec<_> = names.iter().map(|(_, n)| n).collect();
        unlike.sort();
        unlike.dedup();
        assert_eq!(unlike.len(), 4);
        let ready = w.store.all(Kind::Pod).filter(|p| p.ns() == "default" && p.pod().ready);
        assert_eq!(ready.count(), 2);
        assert!(!w.terminal(1).expect("typed").text_since(0).contains("rror"));
    }

    #[test]
    fn what_cannot_be_read_stays() {
        for text in ["kind: [", "", "kind: Service\n", "a: b: c"] {
            assert_eq!(Other::Deployment.manifest(text), text);
        }
    }
}
