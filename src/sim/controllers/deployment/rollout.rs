//! Scaling: from the old sets to the new one, step by step or all at once, and in proportion
//! when the Deployment's size changes on the way.

use std::cmp::Reverse;

use crate::controllers::deployment::sets::{DESIRED, MAX, Set};
use crate::controllers::deployment::{Pass, fence, recreates, sets};

fn total(sets: &[Set]) -> i64 {
    sets.iter().map(Set::replicas).sum()
}

impl Pass<'_> {
    /// `RollingUpdate`: one step of it.
    pub(super) fn roll(&mut self, sets: &mut Vec<Set>) {
        let Some(new) = self.find_or_make_new(sets) else { return };
        if !self.grow_new(sets, new) && !self.shrink_old(sets, new) && self.complete(None) {
            self.clean_up(sets, Some(new));
        }
        self.write_rollout_status(sets, Some(new));
    }

    /// Replicas that the new set may have now.
    pub(super) fn new_count(&self, sets: &[Set], current: i64) -> i64 {
        if recreates(self.d) {
            return self.replicas;
        }
        let (surge, _) = fence(self.d, self.replicas);
        let room = (self.replicas + surge - total(sets)).max(0);
        current + room.min((self.replicas - current).max(0))
    }

    fn grow_new(&mut self, sets: &mut [Set], new: usize) -> bool {
        let current = sets[new].replicas();
        if current == self.replicas {
            return false;
        }
        let to =
            if current > self.replicas { self.replicas } else { self.new_count(sets, current) };
        self.scale(&mut sets[new], to)
    }

    fn shrink_old(&mut self, sets: &mut [Set], new: usize) -> bool {
        let old: i64 = sets::others(sets, Some(new)).map(Set::replicas).sum();
        if old == 0 {
            return false;
        }
        let (_, unavailable) = fence(self.d, self.replicas);
        let least = self.replicas - unavailable;
        let new_unavailable = sets[new].replicas() - sets[new].available();
        let most = total(sets) - least - new_unavailable;
        if most <= 0 {
            return false;
        }
        // what does not work goes first: it would only stand in the way
        let mut scaled = false;
        let mut left = most;
        for set in Self::old(sets, new) {
            let sick = (set.replicas() - set.available()).min(left);
            if set.replicas() > 0 && sick > 0 {
                let to = set.replicas() - sick;
                scaled |= self.scale(set, to);
                left -= sick;
            }
        }
        let available: i64 = sets.iter().map(Set::available).sum();
        let mut left = available - least;
        for set in Self::old(sets, new) {
            let step = set.now().min(left);
            if step > 0 {
                let to = set.now() - step;
                scaled |= self.scale(set, to);
                left -= step;
            }
        }
        scaled
    }

    fn old(sets: &mut [Set], new: usize) -> impl Iterator<Item = &mut Set> {
        sets.iter_mut().enumerate().filter(move |(i, _)| *i != new).map(|(_, s)| s)
    }

    /// `Recreate`: nothing of the new version before all of the old one is gone.
    pub(super) fn recreate(&mut self, sets: &mut Vec<Set>) {
        let new = self.find_new(sets);
        let mut scaled = false;
        for (i, set) in sets.iter_mut().enumerate() {
            if Some(i) != new && set.replicas() > 0 {
                scaled |= self.scale(set, 0);
            }
        }
        if scaled || self.old_pods_run(sets, new) {
            return self.write_rollout_status(sets, new);
        }
        let new = new.or_else(|| self.find_or_make_new(sets));
        if let Some(set) = new.and_then(|i| sets.get_mut(i)) {
            let to = self.replicas;
            self.scale(set, to);
            if self.complete(None) {
                self.clean_up(sets, new);
            }
        }
        self.write_rollout_status(sets, new);
    }

    /// Has somebody changed `spec.replicas` since the sets were scaled last?
    pub(super) fn resized(&mut self, sets: &mut [Set]) -> bool {
        self.find_new(sets);
        let wanted = self.replicas;
        sets.iter()
            .filter(|s| s.replicas() > 0)
            .any(|s| s.annotated(DESIRED).is_some_and(|d| d != wanted))
    }

    /// Fits the sets to the Deployment's size; in the middle of a rollout in proportion.
    pub(super) fn resize(&mut self, sets: &mut [Set], new: Option<usize>) {
        let active: Vec<usize> = (0..sets.len()).filter(|i| sets[*i].replicas() > 0).collect();
        let only = match active.as_slice() {
            [] => new.or_else(|| sets.len().checked_sub(1)),
            [one] => Some(*one),
            _ => None,
        };
        let wanted = self.replicas;
        if let Some(set) = only.and_then(|i| sets.get_mut(i)) {
            if set.replicas() != wanted {
                self.scale(set, wanted);
            }
            return;
        }
        if active.is_empty() {
            return;
        }
        let saturated = new.and_then(|i| sets.get(i)).is_some_and(|s| {
            let desired = s.annotated(DESIRED) == Some(wanted);
            desired && s.replicas() == wanted && s.available() == wanted
        });
        if saturated {
            for i in active.into_iter().filter(|i| Some(*i) != new) {
                self.scale(&mut sets[i], 0);
            }
        } else if !recreates(self.d) {
            self.in_proportion(sets, active);
        }
    }

    fn in_proportion(&mut self, sets: &mut [Set], mut active: Vec<usize>) {
        let (surge, _) = fence(self.d, self.replicas);
        let allowed = if self.replicas > 0 { self.replicas + surge } else { 0 };
        let to_add = allowed - active.iter().map(|i| sets[*i].replicas()).sum::<i64>();
        // the largest first; of equals the newer one grows and the older one shrinks
        if to_add > 0 {
            active.sort_by_key(|i| Reverse((sets[*i].replicas(), sets[*i].age())));
        } else {
            active.sort_by_key(|i| (Reverse(sets[*i].replicas()), sets[*i].age()));
        }
        let mut added = 0;
        let mut sizes: Vec<(usize, i64)> = Vec::new();
        for i in active {
            let part = self.share(&sets[i], allowed, to_add - added);
            sizes.push((i, sets[i].replicas() + part));
            added += part;
        }
        if let Some((_, first)) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (i, to) in sizes {
            if !self.scale(&mut sets[i], to) {
                self.keep_size(&mut sets[i]);
            }
        }
    }

    /// A set's share of what is added (or taken, if negative), not more than is left.
    fn share(&self, set: &Set, allowed: i64, left: i64) -> i64 {
        if left == 0 {
            return 0;
        }
        let size = set.replicas();
        let fraction = if self.replicas == 0 {
            -size
        } else {
            let status = self.d.status()["replicas"].int_or(0);
            let before = set.annotated(MAX).filter(|n| *n > 0).unwrap_or(status).max(1);
            // rounded to the nearest
            (2 * size * allowed + before) / (2 * before) - size
        };
        if left > 0 { fraction.min(left) } else { fraction.max(left) }
    }
}
