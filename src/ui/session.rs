//! The engine behind a page: a timeline, its clock, and the frames that it gives out.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use podium_scene::lanes::{Lane, Lanes};
use podium_scene::why::{self, Why};
use podium_scene::{Director, Msg, Scene, Target};
use podium_sim::compare::Other;
use podium_sim::kubectl::complete::{Completion, complete};
use podium_sim::recording::{Input, Recording};
use podium_sim::timeline::{BranchInfo, Timeline};
use podium_sim::{Config, World};
use yew::Callback;

use crate::ui::folder::{self, File, Folder};
use crate::ui::playback::{self, Clock};
use crate::ui::screen::{Ink, Screen, Writer};

/// Names of the editor's files, the terminal that waits for the text of one, which one is shown,
/// and the count of changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tabs {
    /// Names in order; the number is that of the terminal whose `kubectl edit` waits.
    pub names: Vec<(String, Option<u8>)>,
    /// Which one is shown.
    pub active: usize,
    /// Changes that were not typed.
    pub version: u32,
}

/// Everything that the page shows, at one moment.
#[derive(Clone, PartialEq)]
pub struct Frame {
    /// What is on stage.
    pub scene: Rc<Scene>,
    /// The timeline's lanes, up to the furthest moment.
    pub lanes: Rc<Vec<Rc<Lane>>>,
    /// The explanation of what is selected.
    pub why: Option<Rc<Why>>,
    /// What is selected.
    pub target: Option<Target>,
    /// Terminals by number, from 1.
    pub screens: Rc<Vec<Rc<Screen>>>,
    /// Files of the editor.
    pub tabs: Rc<Tabs>,
    /// Cursor, microseconds.
    pub at: u64,
    /// Furthest simulated moment of the branch, microseconds.
    pub end: u64,
    /// Is time going on?
    pub playing: bool,
    /// Nothing more will happen by itself.
    pub resting: bool,
    /// Simulated seconds in a second, in thousandths.
    pub speed: u32,
    /// Entries in the log at the cursor.
    pub len: u64,
    /// The branches, the current one first.
    pub branches: Rc<Vec<BranchInfo>>,
    /// The stage of the world that this one is compared with.
    pub other: Option<(Other, Rc<Scene>)>,
}

/// The world that stands beside the first.
struct Beside {
    what: Other,
    /// What it was made from: branch and number of inputs.
    from: (u32, usize),
    timeline: Timeline,
    director: Director,
}

struct Inner {
    timeline: Timeline,
    director: Director,
    lanes: Lanes,
    target: Option<Target>,
    why: Option<(u64, u64, Target, Rc<Why>)>,
    screens: Rc<Vec<Rc<Screen>>>,
    writers: Vec<Writer>,
    folder: Folder,
    tabs: Rc<Tabs>,
    branches: Rc<Vec<BranchInfo>>,
    beside: Option<Beside>,
    spoken: u64,
}

/// The handle that components hold; it never changes.
pub struct Session {
    inner: RefCell<Inner>,
    clock: Clock,
    playing: Cell<bool>,
    speed: Cell<u32>,
    listeners: RefCell<Vec<(u32, Callback<Rc<Frame>>)>>,
    next: Cell<u32>,
    heard: RefCell<Option<Heard>>,
    announcer: RefCell<Option<Announcer>>,
    /// The last frame simulated so much that the next one has to draw it.
    owed: Cell<bool>,
    /// A picture that took so long to make that the next frame shows it, and whether time goes
    /// on after it.
    made: RefCell<Option<(Rc<Frame>, bool)>>,
    /// Milliseconds of the display that frames which only drew have left to simulate.
    late: Cell<f64>,
    /// What could not be told at once.
    later: RefCell<Option<Timeout>>,
    me: Weak<Session>,
}

/// Tells the page around: name of the event and its detail as JSON.
pub type Announcer = Rc<dyn Fn(&str, &str)>;

/// Looks at the world after each change and says what is to be told, and whether more is left
/// for later. It is told when the engine is free again, because who hears it may act at once.
pub type Heard = Rc<dyn Fn(&World, u64) -> (Box<dyn FnOnce()>, bool)>;

/// A session, equal by identity.
#[derive(Clone)]
pub struct Handle(pub Rc<Session>);

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl std::ops::Deref for Handle {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.0
    }
}

/// Most terminals that a page shows.
pub const TERMINALS: u8 = 9;
/// Slowest and fastest play, in thousandths.
pub const SPEEDS: (u32, u32) = (50, 100_000);
/// Simulated work that one frame may do, in slices of this many microseconds.
const SLICE: u64 = 250_000;
/// Milliseconds that one frame may spend on simulating.
const BUDGET: f64 = 8.0;
/// A frame whose simulation took longer is not drawn too: the next one is.
const LONG: f64 = 4.0;
/// A picture that took longer to make is shown by the next frame.
const SLOW: f64 = 8.0;
/// Most milliseconds of the display that one frame makes up for.
const LATE: f64 = 100.0;
/// A pause up to this long (microseconds) is waited out although nothing but endless
/// repetitions goes on.
const PATIENCE: u64 = 45_000_000;

impl Session {
    /// A session over a fresh cluster.
    #[allow(clippy::new_ret_no_self, reason = "a session is only used through its handle")]
    pub fn new(config: Config) -> Handle {
        Self::over(Timeline::new(config))
    }

    fn over(timeline: Timeline) -> Handle {
        let session = Rc::new_cyclic(|me: &Weak<Self>| {
            let weak = me.clone();
            let clock = Clock::new(move |dt| weak.upgrade().is_some_and(|s| s.tick(dt)));
            Self {
                inner: RefCell::new(Inner {
                    timeline,
                    director: Director::default(),
                    lanes: Lanes::default(),
                    target: None,
                    why: None,
                    screens: Rc::default(),
                    writers: (0..TERMINALS).map(|_| Writer::default()).collect(),
                    folder: Folder::default(),
                    tabs: Rc::default(),
                    branches: Rc::default(),
                    beside: None,
                    spoken: 0,
                }),
                clock,
                playing: Cell::new(true),
                speed: Cell::new(1000),
                listeners: RefCell::default(),
                next: Cell::new(0),
                heard: RefCell::default(),
                announcer: RefCell::default(),
                owed: Cell::default(),
                made: RefCell::default(),
                late: Cell::default(),
                later: RefCell::default(),
                me: me.clone(),
            }
        });
        let len = session.inner.borrow().timeline.world().log.len();
        session.inner.borrow_mut().spoken = len;
        Handle(session)
    }

    /// Puts another timeline in the place of this one.
    pub fn replace(&self, timeline: Timeline) {
        {
            let mut inner = self.inner.borrow_mut();
            inner.spoken = timeline.world().log.len();
            inner.timeline = timeline;
            inner.director = Director::default();
            inner.lanes = Lanes::default();
            inner.target = None;
            inner.why = None;
            inner.beside = None;
            inner.writers.iter_mut().for_each(|w| *w = Writer::default());
        }
        self.emit();
        self.kick();
    }

    /// A listener for frames; the number takes it away again.
    pub fn listen(&self, listener: Callback<Rc<Frame>>) -> u32 {
        let id = self.next.get();
        self.next.set(id + 1);
        self.listeners.borrow_mut().push((id, listener));
        id
    }

    /// Takes a listener away.
    pub fn unlisten(&self, id: u32) {
        self.listeners.borrow_mut().retain(|(n, _)| *n != id);
    }

    /// Who is told of new entries of the log.
    pub fn on_change(&self, heard: Heard) {
        *self.heard.borrow_mut() = Some(heard);
    }

    /// Who tells the page around.
    pub fn on_announce(&self, announcer: Announcer) {
        *self.announcer.borrow_mut() = Some(announcer);
    }

    /// Tells the page around: a goal is met, a story is over.
    pub fn announce(&self, name: &str, detail: &str) {
        let announcer = self.announcer.borrow().clone();
        if let Some(announcer) = announcer {
            announcer(name, detail);
        }
    }

    /// Looks at the world at the cursor.
    pub fn with_world<R>(&self, f: impl FnOnce(&World) -> R) -> R {
        f(self.inner.borrow().timeline.world())
    }

    /// Does something at the cursor, and lets time go on if it may.
    pub fn input(&self, input: Input) {
        self.inner.borrow_mut().timeline.input(input);
        self.emit();
        self.kick();
    }

    /// A line typed into a terminal. Files that changed are told before, if it could look at
    /// them.
    pub fn line(&self, term: u8, text: impl Into<String>) {
        let text = text.into();
        {
            let Inner { timeline, folder, .. } = &mut *self.inner.borrow_mut();
            let w = timeline.world();
            let reads = w.terminal(term).is_some_and(podium_sim::kubectl::Terminal::reads);
            if !reads && folder::looks(&text) {
                for input in folder.due(w) {
                    timeline.input(input);
                }
            }
        }
        self.input(Input::Line { term, text });
    }

    /// Other files in the editor.
    pub fn open(&self, files: Vec<File>) {
        self.files(|f| f.load(files));
    }

    /// Does something with the editor's files.
    pub fn files<R>(&self, act: impl FnOnce(&mut Folder) -> R) -> R {
        let result = act(&mut self.inner.borrow_mut().folder);
        self.emit();
        result
    }

    /// The text of the file that is shown was typed: the editor has it already.
    pub fn typed(&self, text: String) {
        self.inner.borrow_mut().folder.typed(text);
    }

    /// Does the cursor stand at the furthest moment, where commands go on?
    pub fn at_tip(&self) -> bool {
        self.inner.borrow().timeline.at_tip()
    }

    /// Looks at the editor's files.
    pub fn with_files<R>(&self, f: impl FnOnce(&Folder) -> R) -> R {
        f(&self.inner.borrow().folder)
    }

    /// What Tab offers in a line, at a cursor (bytes).
    pub fn complete(&self, line: &str, cursor: usize) -> Completion {
        let inner = self.inner.borrow();
        let files: Vec<String> = inner.folder.tabs().iter().map(|t| t.name.clone()).collect();
        complete(inner.timeline.world(), &files, line, cursor)
    }

    /// Lines of the page's own in a terminal.
    pub fn note<'a>(&self, term: u8, lines: impl IntoIterator<Item = (Ink, &'a str)>) {
        if let Some(writer) = self.inner.borrow_mut().writers.get_mut(usize::from(term) - 1) {
            lines.into_iter().for_each(|(ink, text)| writer.note(ink, text));
        }
        self.emit();
    }

    /// Takes all lines of a terminal away.
    pub fn clear(&self, term: u8) {
        if let Some(writer) = self.inner.borrow_mut().writers.get_mut(usize::from(term) - 1) {
            writer.clear();
        }
        self.emit();
    }

    /// Lets time go on.
    pub fn play(&self) {
        self.playing.set(true);
        self.emit();
        self.kick();
    }

    /// Stops time.
    pub fn pause(&self) {
        self.stand();
        self.emit();
    }

    /// Is time going on?
    pub fn playing(&self) -> bool {
        self.playing.get()
    }

    /// Steps by moments at which something happened: forward, or back if negative.
    pub fn step(&self, n: i32) {
        self.stand();
        {
            let timeline = &mut self.inner.borrow_mut().timeline;
            for _ in 0..n.unsigned_abs().min(10_000) {
                let moved = if n > 0 { forward(timeline) } else { timeline.step_back() };
                if !moved {
                    break;
                }
            }
        }
        self.emit();
    }

    /// Goes to a moment, microseconds.
    pub fn seek(&self, at: u64) {
        {
            let timeline = &mut self.inner.borrow_mut().timeline;
            let end = timeline.end();
            timeline.seek(at.min(end));
        }
        self.emit();
        self.kick();
    }

    /// Goes to a moment, microseconds; past the end it simulates further.
    pub fn advance_to(&self, at: u64) {
        self.inner.borrow_mut().timeline.seek(at);
        self.emit();
        self.kick();
    }

    /// Goes on until nothing more happens by itself.
    pub fn settle(&self) {
        self.inner.borrow_mut().timeline.settle(600_000_000);
        self.emit();
    }

    /// Simulated seconds in a second, in thousandths.
    pub fn set_speed(&self, speed: u32) {
        self.speed.set(speed.clamp(SPEEDS.0, SPEEDS.1));
        self.emit();
    }

    /// Takes up another branch.
    pub fn switch(&self, id: u32) {
        {
            let mut inner = self.inner.borrow_mut();
            if inner.timeline.switch(id) {
                inner.director.forget();
                inner.why = None;
            }
        }
        self.emit();
    }

    /// Sets another world beside this one, or none.
    pub fn compare(&self, what: Option<Other>) {
        {
            let mut inner = self.inner.borrow_mut();
            inner.beside = what.map(|what| Beside::of(what, &inner.timeline));
        }
        self.emit();
    }

    /// Selects something, or nothing.
    pub fn select(&self, target: Option<Target>) {
        self.inner.borrow_mut().target = target;
        self.emit();
    }

    /// Configuration, inputs and cursor.
    pub fn recording(&self) -> Recording {
        self.inner.borrow().timeline.recording()
    }

    /// Plays a recording up to its cursor.
    pub fn load(&self, recording: &Recording) {
        self.replace(Timeline::from_recording(recording));
    }

    /// What was not yet told to a screen reader.
    pub fn spoken(&self) -> Vec<Msg> {
        let mut inner = self.inner.borrow_mut();
        let len = inner.timeline.world().log.len();
        let since = std::mem::replace(&mut inner.spoken, len);
        if len <= since {
            return Vec::new();
        }
        podium_scene::speak::spoken(inner.timeline.world(), since)
    }

    /// The page is gone: time stops.
    pub fn stop(&self) {
        self.clock.stop();
        self.listeners.borrow_mut().clear();
        *self.heard.borrow_mut() = None;
        *self.later.borrow_mut() = None;
        *self.announcer.borrow_mut() = None;
    }

    /// Time stands still; what a frame has left to simulate is not made up for later.
    fn stand(&self) {
        self.playing.set(false);
        self.clock.stop();
        self.late.set(0.0);
    }

    fn kick(&self) {
        if self.playing.get() {
            self.clock.start();
        }
    }

    /// A display frame: `dt` milliseconds have passed. False: nothing to wait for.
    ///
    /// Packets under way have no task of their own: time goes on until they have arrived.
    fn tick(&self, dt: f64) -> bool {
        if !self.playing.get() {
            return false;
        }
        let dt = (dt + self.late.take()).min(LATE);
        if let Some((frame, goes)) = self.made.take() {
            self.late.set(dt);
            self.show(frame);
            return goes;
        }
        if self.owed.take() {
            self.late.set(dt);
        } else if self.simulate(dt) > LONG {
            self.owed.set(true);
            return true;
        }
        let begin = playback::now();
        let goes = !self.inner.borrow_mut().resting();
        let frame = self.frame();
        if playback::now() - begin > SLOW {
            *self.made.borrow_mut() = Some((frame, goes));
            return true;
        }
        self.show(frame);
        goes
    }

    /// Lets the cluster go on for `dt` milliseconds of the display; gives how long that took. It
    /// stops early, and is late, rather than keep the display waiting.
    fn simulate(&self, dt: f64) -> f64 {
        let begin = playback::now();
        let took = || playback::now() - begin;
        let mut left = (dt * f64::from(self.speed.get())) as u64;
        let mut more = || took() <= BUDGET;
        let mut guard = self.inner.borrow_mut();
        let inner = &mut *guard;
        while left > 0 && more() && !inner.resting() {
            let dt = left.min(SLICE);
            inner.timeline.advance_while(dt, &mut more);
            left -= dt;
        }
        took()
    }

    /// The page of this moment.
    pub fn frame(&self) -> Rc<Frame> {
        let mut guard = self.inner.borrow_mut();
        let inner = &mut *guard;
        let resting = inner.resting();
        let branches = inner.timeline.branches();
        let branch = branches.first().map_or(0, |b| b.id);
        let world = inner.timeline.world();
        let scene = inner.director.scene(world);
        let other = inner.beside.as_mut().map(|b| (b.what, b.scene(&inner.timeline)));
        let lanes = inner.lanes.update(inner.timeline.tip(), branch);
        let why = inner.target.as_ref().map(|target| {
            let seen = (world.log.len(), u64::from(branch));
            if let Some((len, b, t, why)) = &inner.why
                && (*len, *b) == seen
                && t == target
            {
                return why.clone();
            }
            let why = Rc::new(why::why(world, &scene, target));
            inner.why = Some((seen.0, seen.1, target.clone(), why.clone()));
            why
        });
        let screens: Vec<Rc<Screen>> = (1..)
            .zip(&mut inner.writers)
            .map(|(n, writer)| {
                writer.screen(branch, world.terminal(n), world.terminals.edits.contains_key(&n))
            })
            .collect();
        if !screens.iter().map(Rc::as_ptr).eq(inner.screens.iter().map(Rc::as_ptr)) {
            inner.screens = Rc::new(screens);
        }
        inner.folder.follow(world);
        let (folder, tabs) = (&inner.folder, &inner.tabs);
        if (folder.version(), folder.active()) != (tabs.version, tabs.active) {
            let names = folder.tabs().iter();
            inner.tabs = Rc::new(Tabs {
                names: names.map(|t| (t.name.clone(), t.edit.as_ref().map(|e| e.0))).collect(),
                active: folder.active(),
                version: folder.version(),
            });
        }
        // the end of a branch moves with time: only its number and size matter to a list
        if inner
            .branches
            .iter()
            .map(|b| (b.id, b.inputs))
            .ne(branches.iter().map(|b| (b.id, b.inputs)))
        {
            inner.branches = Rc::new(branches);
        }
        Rc::new(Frame {
            scene,
            lanes,
            why,
            target: inner.target.clone(),
            screens: inner.screens.clone(),
            tabs: inner.tabs.clone(),
            at: world.now,
            end: inner.timeline.end(),
            playing: self.playing.get(),
            resting,
            speed: self.speed.get(),
            len: world.log.len(),
            branches: inner.branches.clone(),
            other,
        })
    }

    fn emit(&self) {
        // what was made before is old, and so is what a frame owes
        *self.made.borrow_mut() = None;
        self.owed.set(false);
        self.late.set(0.0);
        let frame = self.frame();
        self.show(frame);
    }

    fn show(&self, frame: Rc<Frame>) {
        let listeners: Vec<_> = self.listeners.borrow().iter().map(|(_, l)| l.clone()).collect();
        for listener in listeners {
            listener.emit(frame.clone());
        }
        self.tell(frame.len);
    }

    /// Tells who listens of new entries of the log; much of it in parts, so that the display is
    /// not kept waiting.
    fn tell(&self, len: u64) {
        let Some(heard) = self.heard.borrow().clone() else { return };
        let (told, more) = heard(self.inner.borrow().timeline.world(), len);
        told();
        let me = self.me.clone();
        *self.later.borrow_mut() = more.then(|| {
            Timeout::new(0, move || {
                if let Some(session) = me.upgrade() {
                    let len = session.with_world(|w| w.log.len());
                    session.tell(len);
                }
            })
        });
    }
}

impl Beside {
    fn of(what: Other, first: &Timeline) -> Self {
        Self {
            what,
            from: version(first),
            timeline: what.timeline(&first.recording()),
            director: Director::default(),
        }
    }

    /// Its stage at the moment of the first.
    fn scene(&mut self, first: &Timeline) -> Rc<Scene> {
        let now = version(first);
        if now != self.from {
            let recording = first.recording();
            let more = recording.inputs.get(self.from.1..);
            match more.filter(|_| now.0 == self.from.0 && now.1 > self.from.1) {
                Some(more) => {
                    for timed in more {
                        self.what.follow(&mut self.timeline, timed.at, &timed.input);
                    }
                }
                None => {
                    self.timeline = self.what.timeline(&recording);
                    self.director.forget();
                }
            }
            self.from = now;
        }
        if self.timeline.at() != first.at() {
            self.timeline.seek(first.at());
        }
        self.director.scene(self.timeline.world())
    }
}

/// The number of a timeline's branch, and of inputs in it.
fn version(timeline: &Timeline) -> (u32, usize) {
    timeline.branches().first().map_or((0, 0), |b| (b.id, b.inputs))
}

impl Inner {
    /// Nothing is left to wait for, on stage or in the queue.
    fn resting(&mut self) -> bool {
        resting(&self.timeline) && self.director.scene(self.timeline.world()).packets.is_empty()
    }
}

/// To the next moment at which something happened; entries of one moment go together.
fn forward(timeline: &mut Timeline) -> bool {
    if resting(timeline) && timeline.at_tip() {
        return false;
    }
    let moved = timeline.step_forward();
    let now = timeline.at();
    timeline.seek(now);
    moved
}

/// Nothing but endless repetitions is left, and none of them is due soon.
fn resting(timeline: &Timeline) -> bool {
    if !timeline.at_tip() {
        return false;
    }
    let w = timeline.world();
    let under_way = w.queue.busy();
    let soon = w.queue.next_at().is_some_and(|at| at <= w.now.saturating_add(PATIENCE));
    !under_way && !soon
}
