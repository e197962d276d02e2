//! What a pass asks of each pod, kept with each change of a pod: a set of thousands that comes up
//! is looked at hundreds of times, and each time hardly any pod has changed.

use crate::api::{Kind, Obj, Object, Phase};
use crate::collections::{BTreeMap, BTreeSet};
use crate::controllers::replicaset;
use crate::controllers::statefulset::identity::Set;
use crate::controllers::statefulset::revision::Revisions;
use crate::controllers::statefulset::status::{self, Counts};
use crate::value::Str;
use crate::world::World;

/// The pods of all sets, by the uid of the set.
#[derive(Clone, Default)]
pub struct State(BTreeMap<Str, Roster>);

/// The pods that a set owns.
#[derive(Clone, Default)]
struct Roster {
    /// Plain pods, by ordinal; revision 0: no such pod.
    plain: Vec<Member>,
    /// Number of plain pods.
    count: usize,
    /// Names of revisions, each once: the first has number 1.
    revisions: Vec<Str>,
    /// Names of the others: a pass has to look at them itself.
    odd: BTreeSet<Str>,
}

/// A pod that needs no act but those of a rollout and of scaling.
#[derive(Clone, Copy, Default)]
struct Member {
    revision: u16,
    running: bool,
    ready: bool,
    terminating: bool,
}

/// Ordinals from here on are not kept in a row.
const MOST: i64 = 1 << 14;

/// Keeps the rosters: to be told each change of a pod, whose old version is taken out.
pub(super) fn on_change(w: &mut World, old: Option<&Obj>, new: Option<&Obj>) {
    if let Some(old) = old.filter(|p| owned(p)) {
        w.rosters.remove(old);
    }
    if let Some(new) = new.filter(|p| owned(p)) {
        let ordinal = plain(w, new);
        w.rosters.insert(new, ordinal);
    }
}

fn owned(pod: &Object) -> bool {
    !pod.pod().owner.is_empty()
        && pod.controller_ref().is_some_and(|r| r["kind"].str() == "StatefulSet")
}

/// The ordinal of a plain pod: named by its set, selected by it, neither finished nor in need of
/// its label.
fn plain(w: &World, pod: &Object) -> Option<usize> {
    let facts = pod.pod();
    let (set, ordinal) = pod.numbered()?;
    // web-01 is no plain web-1
    let digits = ordinal.max(1).ilog10() as usize + 1;
    let canonical = pod.name_ref().len() == set.len() + 1 + digits;
    if !(canonical && facts.named_after_owner && facts.named) || status::finished(pod) {
        return None;
    }
    let set = w.store.get(Kind::StatefulSet, pod.ns_ref(), set)?;
    let own = *set.uid_ref() == facts.owner && pod.selected_by(&set.spec()["selector"]);
    (own && ordinal < MOST).then(|| usize::try_from(ordinal).ok())?
}

impl State {
    fn insert(&mut self, pod: &Object, ordinal: Option<usize>) {
        let facts = pod.pod();
        let roster = self.0.entry(facts.owner.clone()).or_default();
        let Some((ordinal, revision)) = ordinal.zip(roster.number(&facts.revision)) else {
            roster.odd.insert(pod.name());
            return;
        };
        if roster.plain.len() <= ordinal {
            roster.plain.resize_with(ordinal + 1, Member::default);
        }
        roster.count += 1;
        roster.plain[ordinal] = Member {
            revision,
            running: facts.phase == Phase::Running,
            ready: facts.ready,
            terminating: facts.terminating,
        };
    }

    fn remove(&mut self, pod: &Object) {
        let facts = pod.pod();
        let Some(roster) = self.0.get_mut(&facts.owner) else { return };
        if !roster.odd.remove(pod.name_ref()) {
            let slot = facts.ordinal.and_then(|(_, n)| usize::try_from(n).ok());
            if let Some(member) = slot.and_then(|n| roster.plain.get_mut(n)) {
                *member = Member::default();
                roster.count -= 1;
            }
        }
        if roster.count == 0 && roster.odd.is_empty() {
            self.0.remove(&facts.owner);
        }
    }
}

impl Roster {
    /// The number of a revision.
    fn number(&mut self, name: &Str) -> Option<u16> {
        let at = self.revisions.iter().position(|r| r == name).unwrap_or_else(|| {
            self.revisions.push(name.clone());
            self.revisions.len() - 1
        });
        u16::try_from(at + 1).ok()
    }

    fn known(&self, name: &Str) -> Option<u16> {
        let at = self.revisions.iter().position(|r| r == name)?;
        u16::try_from(at + 1).ok()
    }
}

/// A parallel set without claims that has exactly the pods that it should have, all of the current
/// or the update revision, and nothing to do: its counters, and the name of the pod that its rollout
/// waits for. `None`: the pass has to look at the pods themselves.
pub(super) fn steady(
    w: &World,
    set: &Set<'_>,
    revisions: &Revisions,
) -> Option<(Counts, Option<Str>)> {
    let simple = set.parallel && !set.has_claims() && set.min_ready == 0;
    let roster = w.rosters.0.get(&set.uid).filter(|_| simple && !set.obj.terminating())?;
    let (first, slots) = (usize::try_from(set.start).ok()?, usize::try_from(set.replicas).ok()?);
    let members = roster.plain.get(first..first.checked_add(slots)?)?;
    let all_there = roster.count == slots && members.iter().all(|m| m.revision != 0);
    let adoptable =
        |pod: &Obj| set.ordinal(pod).is_some() && pod.selected_by(&set.obj.spec()["selector"]);
    if !all_there || !roster.odd.is_empty() || replicaset::orphans(w, &set.ns).any(adoptable) {
        return None;
    }
    let current = roster.known(&revisions.current.name).unwrap_or(0);
    let update = roster.known(&revisions.update.name).unwrap_or(0);
    let mut counts = Counts { replicas: set.replicas, ..Counts::default() };
    for member in members {
        if member.revision != current && member.revision != update {
            return None;
        }
        counts.ready += i64::from(member.running && member.ready);
        counts.current += i64::from(!member.terminating && member.revision == current);
        counts.updated += i64::from(!member.terminating && member.revision == update);
    }
    counts.available = counts.ready;
    if set.strategy() == "OnDelete" {
        return Some((counts, None));
    }
    let lowest = usize::try_from(set.partition()).unwrap_or(0);
    for (i, member) in members.iter().enumerate().skip(lowest).rev() {
        if member.revision != update && !member.terminating {
            return None;
        }
        if member.terminating || !member.ready {
            return Some((counts, Some(set.pod_name(set.start + i as i64))));
        }
    }
    Some((counts, None))
}

/// What each pass of these sets decides is also compared with a look at all pods
/// (`control::same_as_looking`).
#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Key;
    use crate::apiserver::{DeleteOptions, Sub, WriteOptions};
    use crate::controllers::Plan;
    use crate::controllers::statefulset::revision;
    use crate::controllers::statefulset::tests::{edit, pod, settle, told, world};
    use crate::value;
    use crate::value::Value;

    fn parallel(replicas: i64) -> World {
        let mut w = world(value!({"podManagementPolicy": "Parallel", "replicas": replicas}));
        settle(&mut w);
        w
    }

    fn set(w: &World) -> Obj {
        w.store.get(Kind::StatefulSet, "default", "web").expect("set").clone()
    }

    /// What a pass takes from the roster: ready, current and updated pods, and whom it waits for.
    fn known(w: &World) -> Option<([i64; 3], Option<Str>)> {
        let obj = set(w);
        let set = Set::of(&obj);
        let history = revision::history(w, &set);
        let revisions = revision::resolve(w, &set, &history, &mut Plan::default());
        let (counts, waits) = steady(w, &set, &revisions)?;
        Some(([counts.ready, counts.current, counts.updated], waits))
    }

    fn image(spec: &mut Value, image: &'static str) {
        spec.path_mut("template.spec.containers").list_mut()[0].set("image", image);
    }

    fn strategy(spec: &mut Value, strategy: Value) {
        spec.set("updateStrategy", strategy);
    }

    /// The last part of each pod's image, by ordinal.
    fn images(w: &World) -> String {
        let pods = w.store.all(Kind::Pod).filter(|p| p.name_ref().starts_with("web-"));
        pods.map(|p| p.spec()["containers"][0]["image"].str().replace("nginx-slim:", "")).collect()
    }

    fn uid(w: &World, name: &str) -> Str {
        w.store.by_key(&pod(name)).expect("pod").uid()
    }

    fn relabel(w: &mut World, name: &str, change: impl FnOnce(&mut Value)) {
        w.modify(&pod(name), Sub::Main, |v| change(v.path_mut("metadata.labels")));
        settle(w);
    }

    #[test]
    fn scaling_and_rollouts() {
        let mut w = parallel(5);
        assert_eq!((images(&w), known(&w)), ("11111".into(), Some(([5, 5, 5], None))));
        edit(&mut w, |s| s.set("replicas", 3));
        assert_eq!((images(&w), known(&w)), ("111".into(), Some(([3, 3, 3], None))));
        edit(&mut w, |s| s.set("replicas", 6));
        assert_eq!((images(&w), known(&w)), ("111111".into(), Some(([6, 6, 6], None))));
        edit(&mut w, |s| {
            strategy(s, value!({"rollingUpdate": {"partition": 4}, "type": "RollingUpdate"}));
            image(s, "nginx-slim:2");
        });
        assert_eq!((images(&w), known(&w)), ("111122".into(), Some(([6, 4, 2], None))));
        w.delete(&pod("web-2"), &DeleteOptions::default()).expect("deleted");
        settle(&mut w);
        assert_eq!(images(&w), "111122");
        edit(&mut w, |s| {
            strategy(s, value!({"rollingUpdate": {"partition": 0}, "type": "RollingUpdate"}));
        });
        assert_eq!((images(&w), known(&w)), ("222222".into(), Some(([6, 6, 6], None))));
        edit(&mut w, |s| {
            strategy(s, value!({"type": "OnDelete"}));
            image(s, "nginx-slim:3");
        });
        assert_eq!((images(&w), known(&w)), ("222222".into(), Some(([6, 6, 0], None))));
        w.delete(&pod("web-1"), &DeleteOptions::default()).expect("deleted");
        settle(&mut w);
        assert_eq!((images(&w), known(&w)), ("232222".into(), Some(([6, 5, 1], None))));
        // back to the first revision, which gets a new number
        edit(&mut w, |s| {
            strategy(s, value!({"rollingUpdate": {"partition": 0}, "type": "RollingUpdate"}));
            image(s, "nginx-slim:1");
        });
        assert_eq!((images(&w), known(&w)), ("111111".into(), Some(([6, 6, 6], None))));
        let mut numbers: Vec<i64> =
            w.store.all(Kind::ControllerRevision).map(|r| r.value["revision"].int_or(0)).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [2, 3, 4]);
        let status = set(&w).status().clone();
        assert_eq!(status["currentRevision"], status["updateRevision"]);
    }

    #[test]
    fn a_rollout_waits_for_a_pod_that_does_not_come_up() {
        let mut w = parallel(3);
        edit(&mut w, |s| image(s, "nginx-broken:1"));
        assert_eq!(known(&w), Some(([2, 2, 1], Some("web-2".into()))));
    }

    #[test]
    fn pods_that_lose_labels_fail_or_have_no_owner() {
        let mut w = parallel(4);
        let first = uid(&w, "web-2");
        relabel(&mut w, "web-2", |l| {
            l.remove("statefulset.kubernetes.io/pod-name");
        });
        let named = w.store.by_key(&pod("web-2")).expect("pod").pod().named;
        assert!(named && uid(&w, "web-2") == first);
        assert_eq!(
            told(&w, "SuccessfulUpdate"),
            ["Update Pod web-2 in StatefulSet web successful"]
        );
        assert_eq!(known(&w), Some(([4, 4, 4], None)));
        // released: its name stays taken
        relabel(&mut w, "web-0", |l| l.set("app", "other"));
        assert_eq!((set(&w).status()["replicas"].int_or(0), known(&w)), (3, None));
        let released = w.store.by_key(&pod("web-0")).expect("pod");
        assert!(released.pod().owner.is_empty());
        relabel(&mut w, "web-0", |l| l.set("app", "web"));
        let adopted = w.store.by_key(&pod("web-0")).expect("pod");
        assert_eq!(adopted.pod().owner, set(&w).uid());
        assert_eq!(known(&w), Some(([4, 4, 4], None)));
        // an orphan that there is no room for
        let orphan = value!({
            "metadata": {"labels": {"app": "web"}, "name": "web-9", "namespace": "default"},
            "spec": {"containers": [{"image": "nginx-slim:1", "name": "nginx"}]}
        });
        w.create(Kind::Pod, orphan, WriteOptions::TRUSTED).expect("created");
        settle(&mut w);
        assert!(w.store.by_key(&pod("web-9")).is_none());
        let before = uid(&w, "web-3");
        w.modify(&pod("web-3"), Sub::Status, |v| v.entry("status").set("phase", "Failed"));
        settle(&mut w);
        assert_ne!(uid(&w, "web-3"), before);
        assert_eq!((images(&w), known(&w)), ("1111".into(), Some(([4, 4, 4], None))));
        // gone with its set
        w.delete(&Key::new(Kind::StatefulSet, "default", "web"), &DeleteOptions::default())
            .expect("deleted");
        settle(&mut w);
        assert!(images(&w).is_empty() && w.rosters.0.is_empty());
    }
}
