//! A history that can be walked both ways and forked.
//!
//! The timeline keeps the inputs of each branch and snapshots of the world at moments along
//! it (a snapshot is a pointer copy). To go to a moment, it takes the nearest snapshot before
//! it and replays. An act in the past starts a new branch; the old future is kept.

use crate::collections::BTreeMap;

use crate::config::Config;
use crate::log::{Record, Seq};
use crate::recording::{FORMAT, Input, Recording, Timed};
use crate::world::World;

/// Log entries between two snapshots.
const SPACING: u64 = 128;
/// Most branches that are kept; the oldest other one goes first.
const BRANCHES: usize = 8;

/// One line of history.
#[derive(Clone)]
struct Branch {
    id: u32,
    inputs: Vec<Timed>,
    /// Snapshots by (time, log length).
    keyframes: BTreeMap<(u64, Seq), World>,
    /// The furthest state simulated.
    tip: World,
}

/// What a page shows of a branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BranchInfo {
    /// Its number; `main` is 0.
    pub id: u32,
    /// Number of inputs.
    pub inputs: usize,
    /// Furthest simulated time, microseconds.
    pub end: u64,
}

/// A history with a cursor.
#[derive(Clone)]
pub struct Timeline {
    config: Config,
    branch: Branch,
    others: Vec<Branch>,
    next_id: u32,
    /// The world at the cursor, if the cursor is not at the tip.
    past: Option<World>,
}

impl Timeline {
    /// A fresh cluster at time 0.
    pub fn new(config: Config) -> Self {
        let world = World::new(config.clone());
        let mut keyframes = BTreeMap::new();
        keyframes.insert((0, world.log.len()), world.clone());
        let branch = Branch { id: 0, inputs: Vec::new(), keyframes, tip: world };
        Self { config, branch, others: Vec::new(), next_id: 1, past: None }
    }

    /// The world at the cursor.
    pub fn world(&self) -> &World {
        self.past.as_ref().unwrap_or(&self.branch.tip)
    }

    /// The furthest state simulated on this branch.
    pub fn tip(&self) -> &World {
        &self.branch.tip
    }

    /// Time at the cursor, microseconds.
    pub fn at(&self) -> u64 {
        self.world().now
    }

    /// Furthest simulated time of this branch, microseconds.
    pub fn end(&self) -> u64 {
        self.branch.tip.now
    }

    /// Is the cursor at the furthest simulated moment?
    pub fn at_tip(&self) -> bool {
        self.past.is_none()
    }

    /// Does something at the cursor. In the past this starts a new branch: the old future is
    /// kept and can be taken up again with [`Timeline::switch`].
    pub fn input(&mut self, input: Input) {
        if let Some(world) = self.past.take() {
            self.fork(world);
        }
        let at = self.branch.tip.now;
        // what is due at this moment comes first, now and in every replay
        self.branch.run_until(at);
        perform(&mut self.branch.tip, &input);
        self.branch.inputs.push(Timed { at, input });
        self.branch.keep();
    }

    fn fork(&mut self, world: World) {
        let at = (world.now, world.log.len());
        // an input at this very moment belongs to the past if the world has seen it
        let inputs: Vec<Timed> =
            self.branch.inputs.iter().take(world.inputs_seen).cloned().collect();
        let keyframes = self.branch.keyframes.range(..=at).map(|(k, w)| (*k, w.clone())).collect();
        let branch = Branch { id: self.next_id, inputs, keyframes, tip: world };
        self.next_id += 1;
        let old = std::mem::replace(&mut self.branch, branch);
        self.others.push(old);
        if self.others.len() >= BRANCHES {
            self.others.remove(0);
        }
    }

    /// Goes on by `dt` microseconds: through known history first, then into the new.
    pub fn advance(&mut self, dt: u64) {
        self.advance_while(dt, &mut || true);
    }

    /// Goes on by `dt` microseconds as long as `more` says so, which is asked after each thing
    /// done; then it stands at the moment of the last one. What is left of that moment comes
    /// before whatever comes next, so that stopping there changes nothing.
    pub fn advance_while(&mut self, dt: u64, more: &mut dyn FnMut() -> bool) {
        let target = self.at().saturating_add(dt);
        if let Some(world) = &mut self.past {
            if target < self.branch.tip.now {
                replay(world, &self.branch.inputs, target, &mut |_| more());
                return;
            }
            self.past = None;
        }
        self.branch.run_while(target, more);
    }

    /// Goes to the next log entry; simulates further if the cursor is at the tip. False if
    /// nothing more will happen.
    pub fn step_forward(&mut self) -> bool {
        if let Some(world) = &mut self.past {
            let next = self.branch.tip.log.since(world.log.len()).next().map(|(_, r)| r.at);
            match next {
                Some(at) => {
                    let seq = world.log.len() + 1;
                    replay(world, &self.branch.inputs, at, &mut |w| w.log.len() < seq);
                    if world.log.len() == self.branch.tip.log.len() {
                        self.past = None;
                    }
                    return true;
                }
                None => self.past = None,
            }
        }
        let before = self.branch.tip.log.len();
        while self.branch.tip.log.len() == before {
            if !self.branch.tip.step() {
                return false;
            }
        }
        self.branch.keep();
        true
    }

    /// Goes back to just before the last log entry. False at the beginning.
    pub fn step_back(&mut self) -> bool {
        let len = self.world().log.len();
        let first = self.branch.keyframes.keys().next().map_or(0, |(_, seq)| *seq);
        let Some(at) = len.checked_sub(1).filter(|s| *s >= first) else { return false };
        // entries of one moment go together: a step is a moment that a person can see
        let now = self.world().log.get(at).map_or(0, |r| r.at);
        let mut seq = at;
        while seq > first && self.world().log.get(seq - 1).is_some_and(|r| r.at == now) {
            seq -= 1;
        }
        let target = seq.checked_sub(1).and_then(|s| self.world().log.get(s)).map_or(0, |r| r.at);
        self.seek(target);
        true
    }

    /// Goes to a moment, microseconds; past the end it simulates further.
    pub fn seek(&mut self, at: u64) {
        if at >= self.branch.tip.now {
            self.past = None;
            self.branch.run_until(at);
            return;
        }
        let nearest =
            self.branch.keyframes.range(..=(at, Seq::MAX)).next_back().map(|(_, w)| w.clone());
        let from_here = self
            .past
            .take()
            .filter(|w| w.now <= at && nearest.as_ref().is_none_or(|n| n.log.len() <= w.log.len()));
        let mut world = match from_here.or(nearest) {
            Some(world) => world,
            None => World::new(self.config.clone()),
        };
        replay(&mut world, &self.branch.inputs, at, &mut |_| true);
        self.past = Some(world);
    }

    /// Simulates until nothing more happens by itself (at most `limit` microseconds), leaving
    /// the cursor where it is.
    pub fn foresee(&mut self, limit: u64) -> bool {
        let here = self.at();
        let settled = self.branch.settle(limit);
        if here < self.branch.tip.now {
            self.seek(here);
        }
        settled
    }

    /// Simulates until nothing more happens by itself; the cursor goes along.
    pub fn settle(&mut self, limit: u64) -> bool {
        self.past = None;
        self.branch.settle(limit)
    }

    /// The log of this branch up to its furthest moment.
    pub fn records(&self) -> impl Iterator<Item = (Seq, &Record)> {
        self.branch.tip.log.iter()
    }

    /// The branches, the current one first.
    pub fn branches(&self) -> Vec<BranchInfo> {
        std::iter::once(&self.branch)
            .chain(&self.others)
            .map(|b| BranchInfo { id: b.id, inputs: b.inputs.len(), end: b.tip.now })
            .collect()
    }

    /// Takes up another branch at its furthest moment. False if there is none of that number.
    pub fn switch(&mut self, id: u32) -> bool {
        let Some(i) = self.others.iter().position(|b| b.id == id) else { return false };
        self.past = None;
        std::mem::swap(&mut self.branch, &mut self.others[i]);
        true
    }

    /// Configuration, inputs and cursor: all that is needed to make this again.
    pub fn recording(&self) -> Recording {
        Recording {
            format: FORMAT,
            seed: self.config.seed,
            nodes: self.config.nodes,
            latency: self.config.latency.name().to_owned(),
            inputs: self.branch.inputs.clone(),
            at: self.at(),
        }
    }

    /// Makes the history again that a recording describes.
    pub fn from_recording(recording: &Recording) -> Self {
        let mut timeline = Self::new(recording.config());
        for Timed { at, input } in &recording.inputs {
            // inputs out of order are taken as soon as possible: nothing is lost
            timeline.branch.run_until((*at).max(timeline.end()));
            timeline.input(input.clone());
        }
        timeline.seek(recording.at);
        timeline
    }
}

impl Branch {
    /// Keeps a snapshot if enough has happened since the last one. Bigger worlds are kept more
    /// rarely, so that the copying stays a small part of the work.
    fn keep(&mut self) {
        let len = self.tip.log.len();
        let last = self.keyframes.keys().next_back().map_or(0, |(_, seq)| *seq);
        let spacing = SPACING.max(self.tip.store.len() as u64 / 4);
        if len >= last + spacing {
            self.keyframes.insert((self.tip.now, len), self.tip.clone());
        }
    }

    fn run_until(&mut self, target: u64) {
        self.run_while(target, &mut || true);
    }

    fn run_while(&mut self, target: u64, more: &mut dyn FnMut() -> bool) {
        while self.tip.queue.next_at().is_some_and(|at| at <= target) {
            self.tip.step();
            self.keep();
            if !more() {
                return;
            }
        }
        self.tip.now = self.tip.now.max(target);
    }

    fn settle(&mut self, limit: u64) -> bool {
        let end = self.tip.now.saturating_add(limit);
        while self.tip.queue.busy() {
            match self.tip.queue.next_at() {
                Some(at) if at <= end => {
                    self.tip.step();
                    self.keep();
                }
                _ => {
                    self.tip.now = end;
                    return false;
                }
            }
        }
        true
    }
}

/// Carries a snapshot forward: due tasks and the inputs that it has not seen, in their order,
/// as long as `more` says so.
fn replay(world: &mut World, inputs: &[Timed], target: u64, more: &mut dyn FnMut(&World) -> bool) {
    loop {
        let input = inputs.get(world.inputs_seen).filter(|i| i.at <= target);
        let task = world.queue.next_at().filter(|at| *at <= target);
        // an input came after the tasks of its own moment had run
        let next = match (input, task) {
            (None, None) => break,
            (Some(i), Some(at)) if at > i.at => Some(i),
            (Some(i), None) => Some(i),
            (_, Some(_)) => None,
        };
        match next {
            Some(timed) => {
                world.now = world.now.max(timed.at);
                perform(world, &timed.input);
            }
            None => {
                world.step();
            }
        }
        if !more(world) {
            return;
        }
    }
    world.now = world.now.max(target);
}

fn perform(world: &mut World, input: &Input) {
    world.inputs_seen += 1;
    match input {
        Input::Line { term, text } => world.type_line(*term, text),
        Input::Interrupt { term } => world.interrupt(*term),
        Input::File { name, text } => world.put_file(name, text),
        Input::Remove { name } => world.remove_file(name),
        Input::Edit { term, text } => world.close_editor(*term, text.as_deref()),
        Input::NodeDown { name } => world.node_down(name),
        Input::NodeUp { name } => world.node_up(name),
        Input::Lookup { client, name } => crate::net::act_lookup(world, client, name),
        Input::Remembered { client } => crate::net::act_remembered(world, client),
    }
}
