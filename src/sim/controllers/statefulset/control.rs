//! One pass over a set: sections 2 to 5 of behaviour/statefulset-controller.md.

use crate::api::time::SECOND;
use crate::api::{Key, Kind, Obj, Object};
use crate::controllers::statefulset::identity::{self, Member, Set};
use crate::controllers::statefulset::pod_control;
use crate::controllers::statefulset::revision::{self, Revisions};
use crate::controllers::statefulset::roster;
use crate::controllers::statefulset::status::{self, Counts};
use crate::controllers::{Action, Effect, OnError, Plan};
use crate::value::Str;
use crate::world::World;

/// Informers tell of every object again after 12 to 24 hours.
const RESYNC: u64 = 12 * 3600 * SECOND;

/// Did a phase end the pass?
#[derive(PartialEq, Eq)]
enum Pass {
    Goes,
    Ends,
    /// One of its effects will be refused, which ends a parallel set's pass as well.
    Fails,
}

/// Decides what happens to a set next.
pub fn reconcile(w: &World, key: &Key) -> Plan {
    let mut plan = Plan::default();
    let Some(obj) = w.store.by_key(key) else { return plan };
    let set = Set::of(obj);
    let history = revision::history(w, &set);
    let revisions = revision::resolve(w, &set, &history, &mut plan);
    let (pods, counts) = if let Some((counts, waits_for)) = roster::steady(w, &set, &revisions) {
        plan.waits = waits_for.map(|name| {
            ("sts.wait-update", Some(Key::new(Kind::Pod, set.ns.clone(), name)), Str::default())
        });
        #[cfg(debug_assertions)]
        same_as_looking(w, &set, &revisions, &counts, &plan);
        (Pods::default(), counts)
    } else {
        look(w, &set, &revisions, &mut plan)
    };
    let mut value = obj.value.clone();
    value.set("status", status::object(&set, counts, &revisions));
    // the status is written even if an effect before it was refused
    let mut write = Effect::new("sts.status", Action::UpdateStatus(Kind::StatefulSet, value))
        .on_error(OnError::Ignore);
    write.always = true;
    plan.push(write);
    // those of a steady set are of the current or the update revision, which stay anyway
    let used = |revision: &str| pods.all().any(|p| p.pod().revision == revision);
    revision::truncate(&set, &history, &revisions, used, &mut plan);
    plan
}

/// Looks at each pod of the set and decides what is to be done.
fn look<'a>(
    w: &'a World,
    set: &Set<'_>,
    revisions: &Revisions,
    plan: &mut Plan,
) -> (Pods<'a>, Counts) {
    let pods = claim_pods(w, set, plan);
    let mut counts = Counts::default();
    pods.each(|pod| counts.add(set, pod, revisions, w.now));
    if !set.obj.terminating() {
        Reconciler { w, set, revisions, plan }.run(&pods, &mut counts);
        if set.min_ready > 0 {
            requeue_for_availability(w, set, &pods, plan);
        }
    }
    (pods, counts)
}

/// What the roster says is what a look at the pods would have said.
#[cfg(debug_assertions)]
fn same_as_looking(w: &World, set: &Set<'_>, revisions: &Revisions, counts: &Counts, plan: &Plan) {
    let mut looked = Plan::default();
    let (_, counted) = look(w, set, revisions, &mut looked);
    assert_eq!(*counts, counted);
    assert!(looked.effects.is_empty(), "{:?}", looked.effects);
    assert_eq!(plan.waits, looked.waits);
}

/// The pods of a set.
#[derive(Default)]
struct Pods<'a> {
    /// One for each ordinal of the set's range; `None`: no pod is there.
    slots: Vec<Option<&'a Obj>>,
    /// Pods outside the range, by ordinal.
    condemned: Vec<&'a Obj>,
    /// Pods whose ordinal is taken by another: `web-01` beside `web-1`.
    doubles: Vec<&'a Obj>,
}

impl<'a> Pods<'a> {
    /// All of them.
    fn all(&self) -> impl Iterator<Item = &'a Obj> {
        let slots = self.slots.iter().flatten();
        slots.chain(&self.condemned).chain(&self.doubles).copied()
    }

    /// Calls `see` with each: on every pass, so plain loops, which small code runs faster.
    fn each(&self, mut see: impl FnMut(&'a Obj)) {
        for pod in self.slots.iter().flatten() {
            see(pod);
        }
        for pod in &self.condemned {
            see(pod);
        }
        for pod in &self.doubles {
            see(pod);
        }
    }
}

/// Section 10: pods of this set, orphans adopted, strangers released.
fn claim_pods<'a>(w: &'a World, set: &Set<'_>, plan: &mut Plan) -> Pods<'a> {
    let selector = &set.obj.spec()["selector"];
    let slots = usize::try_from(set.replicas).unwrap_or(0);
    let mut pods = Pods { slots: vec![None; slots], condemned: Vec::new(), doubles: Vec::new() };
    let mut condemned: Vec<(i64, &Obj)> = Vec::new();
    for pod in w.store.list(Kind::Pod, &set.ns) {
        let facts = pod.pod();
        let owned = facts.owner == set.uid;
        if !owned && !facts.owner.is_empty() {
            continue;
        }
        let ordinal = set.ordinal(pod);
        let ordinal = match (owned, pod.selected_by(selector), ordinal) {
            (true, true, Some(n)) => n,
            (true, ..) if !set.obj.terminating() => {
                let mut value = pod.value.clone();
                let uid = set.uid.clone();
                value
                    .path_mut("metadata.ownerReferences")
                    .list_mut()
                    .retain(|r| r["uid"].str() != uid.as_str());
                plan.push(
                    Effect::new("sts.release-pod", Action::Update(Kind::Pod, value))
                        .on_error(OnError::Ignore),
                );
                continue;
            }
            (false, true, Some(n)) if !facts.terminating && !set.obj.terminating() => {
                let mut value = pod.value.clone();
                value.path_mut("metadata.ownerReferences").list_mut().push(set.owner_ref());
                plan.act("sts.adopt-pod", Action::Update(Kind::Pod, value));
                n
            }
            _ => continue,
        };
        match usize::try_from(ordinal - set.start).ok().and_then(|i| pods.slots.get_mut(i)) {
            Some(slot) => pods.doubles.extend(slot.replace(pod)),
            None => condemned.push((ordinal, pod)),
        }
    }
    condemned.sort_by_key(|(n, _)| *n);
    pods.condemned = condemned.into_iter().map(|(_, pod)| pod).collect();
    pods
}

/// A set with `minReadySeconds` is looked at again when the next pod becomes available.
fn requeue_for_availability(w: &World, set: &Set<'_>, pods: &Pods<'_>, plan: &mut Plan) {
    let next = pods
        .all()
        .filter(|p| status::running_and_ready(p) && !status::available(set, p, w.now))
        .map(|p| status::available_at(set, p))
        .min();
    if let Some(at) = next {
        plan.act("sts.min-ready", Action::Requeue(at.saturating_sub(w.now), false));
    }
}

struct Reconciler<'a> {
    w: &'a World,
    set: &'a Set<'a>,
    revisions: &'a Revisions,
    plan: &'a mut Plan,
}

impl Reconciler<'_> {
    fn run(&mut self, pods: &Pods<'_>, counts: &mut Counts) {
        let set = self.set;
        let Pods { slots, condemned, .. } = pods;
        let first_unavailable = self.first_unavailable(slots, condemned);
        if self.replicas(slots) != Pass::Goes {
            return;
        }
        for pod in condemned.iter().rev() {
            pod_control::retain_condemned(self.w, set, pod, self.plan);
        }
        if self.scale_down(condemned, first_unavailable.as_ref()) == Pass::Ends {
            return;
        }
        if set.strategy() == "OnDelete" {
            return;
        }
        self.rolling_update(slots, counts);
    }

    /// Uid of the first unavailable pod, slots before condemned ones, both ascending; the
    /// empty text stands for a slot without a pod.
    fn first_unavailable(&self, slots: &[Option<&Obj>], condemned: &[&Obj]) -> Option<Str> {
        let unavailable = |pod: &Obj| status::unavailable(self.set, pod, self.w.now);
        match slots.iter().find(|slot| slot.is_none_or(unavailable)) {
            Some(slot) => Some(slot.map_or_else(Str::default, |pod| pod.uid())),
            None => condemned.iter().find(|pod| unavailable(pod)).map(|pod| pod.uid()),
        }
    }

    /// Section 3, step 6.
    fn replicas(&mut self, slots: &[Option<&Obj>]) -> Pass {
        let claims = self.set.has_claims();
        let mut phase = Pass::Goes;
        for (i, slot) in (0..).zip(slots) {
            let before = self.plan.effects.len();
            let pass = match slot {
                Some(pod) => self.process_replica(pod, claims),
                None => self.create(self.set.start + i),
            };
            if self.set.parallel {
                // batches of 1, 2, 4, 8 … pods
                let batch = i.wrapping_add(1).ilog2() + 1;
                self.plan.effects.iter_mut().skip(before).for_each(|e| e.batch = batch);
                if pass == Pass::Fails {
                    phase = pass;
                }
            } else if pass != Pass::Goes {
                return pass;
            }
        }
        phase
    }

    fn process_replica(&mut self, pod: &Obj, claims: bool) -> Pass {
        let (w, set) = (self.w, self.set);
        let facts = pod.pod();
        if status::finished(pod) {
            if !facts.terminating {
                pod_control::delete_pod(set, pod, "sts.replace-finished", self.plan);
            }
            return Pass::Ends;
        }
        let pending = facts.phase == crate::api::Phase::Pending;
        if claims && pending {
            let (name, uid) = (pod.name(), pod.uid());
            if !pod_control::create_claims(w, set, &name, None, self.plan) {
                return Pass::Fails;
            }
            let pod = Member { name: &name, uid: &uid, condemned: false };
            pod_control::retain_claims(w, set, pod, self.plan);
        }
        if !set.parallel {
            if facts.terminating {
                return self.wait("sts.wait-gone", pod);
            }
            if !status::running_and_ready(pod) {
                return self.wait("sts.wait-ready", pod);
            }
            if !status::available(set, pod, w.now) {
                return self.wait("sts.wait-available", pod);
            }
        }
        if (claims || !facts.named) && !pod_control::update_pod(w, set, pod, pending, self.plan) {
            return Pass::Fails;
        }
        Pass::Goes
    }

    /// Creates the pod of an empty slot, its claims first.
    fn create(&mut self, ordinal: i64) -> Pass {
        let (w, set) = (self.w, self.set);
        let name = set.pod_name(ordinal);
        if let Some(claim) = pod_control::stale_claim(w, set, &name) {
            self.plan.waits = Some(("sts.wait-stale-claim", Some(claim), Str::default()));
            // nothing tells of the claim's end, only the informers' resync helps in the end
            self.plan.act("sts.resync", Action::Requeue(RESYNC, true));
            return Pass::Ends;
        }
        if !pod_control::create_claims(w, set, &name, pod_control::CREATING, self.plan) {
            return Pass::Fails;
        }
        let revision = if self.keeps_current(ordinal) {
            &self.revisions.current
        } else {
            &self.revisions.update
        };
        let pod = identity::new_pod(set, &revision.template, ordinal, &revision.name);
        pod_control::create_pod(set, pod, self.plan);
        // claims that were made just now follow in the next pass
        let pod = Member { name: &name, uid: "", condemned: false };
        pod_control::retain_claims(w, set, pod, self.plan);
        Pass::Ends
    }

    /// Section 5: does a pod that is made now get the current revision?
    fn keeps_current(&self, ordinal: i64) -> bool {
        let set = self.set;
        if set.strategy() == "OnDelete" {
            return false;
        }
        if set.rolling().is_null() {
            let current = set.obj.status()["currentReplicas"].int_or(0);
            ordinal < set.start + current
        } else {
            ordinal < set.start + set.partition()
        }
    }

    /// Section 3, step 8: the highest ordinal first; one at a time when ordered.
    fn scale_down(&mut self, condemned: &[&Obj], first_unavailable: Option<&Str>) -> Pass {
        let set = self.set;
        for pod in condemned.iter().rev() {
            let is_first = first_unavailable.is_some_and(|uid| *uid == pod.uid());
            if pod.pod().terminating {
                if set.parallel {
                    continue;
                }
                return self.wait("sts.wait-gone", pod);
            }
            if !set.parallel && !is_first {
                if !status::running_and_ready(pod) {
                    return self.wait("sts.wait-ready-down", pod);
                }
                if !status::available(set, pod, self.w.now) {
                    return self.wait("sts.wait-available", pod);
                }
            }
            pod_control::delete_pod(set, pod, "sts.scale-down", self.plan);
            if !set.parallel {
                return Pass::Ends;
            }
        }
        Pass::Goes
    }

    /// Section 4, with the gate `MaxUnavailableStatefulSet` off as in 1.36: from the last slot
    /// down to the partition, one pod at a time, also when Parallel.
    fn rolling_update(&mut self, slots: &[Option<&Obj>], counts: &mut Counts) {
        let set = self.set;
        let lowest = usize::try_from(set.partition()).unwrap_or(0);
        for (i, slot) in slots.iter().enumerate().skip(lowest).rev() {
            let Some(pod) = slot else {
                // made in this pass (Parallel): there for this walk, but not available
                let ordinal = set.start + i as i64;
                if self.keeps_current(ordinal) && self.revisions.outdated() {
                    pod_control::delete_new(set, ordinal, "sts.rolling-update", self.plan);
                    counts.current = (counts.current - 1).max(0);
                }
                return;
            };
            let facts = pod.pod();
            if facts.revision != self.revisions.update.name && !facts.terminating {
                pod_control::delete_pod(set, pod, "sts.rolling-update", self.plan);
                counts.current = (counts.current - 1).max(0);
                return;
            }
            if status::unavailable(set, pod, self.w.now) {
                self.wait("sts.wait-update", pod);
                return;
            }
        }
    }

    fn wait(&mut self, rule: &'static str, pod: &Object) -> Pass {
        self.plan.waits = Some((rule, Some(pod.key()), Str::default()));
        Pass::Ends
    }
}
