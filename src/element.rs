//! The class behind the custom element `<podium-lab>`. The element itself is defined in
//! `static/js/podium.js`, which makes one [`Lab`] for each element and passes attributes on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use podium_sim::lesson::Lesson;
use podium_sim::log::What;
use podium_sim::recording::Recording;
use podium_sim::{World, permalink};
use wasm_bindgen::prelude::*;
use web_sys::{CustomEvent, CustomEventInit, Element, EventTarget};
use yew::{AppHandle, Callback};

use crate::ui::acts::Act;
use crate::ui::app::{App, AppProps, begin, first_files, own_file};
use crate::ui::exercise::{self, Begun};
use crate::ui::folder::files_of;
use crate::ui::options::{Options, micros};
use crate::ui::session::{Handle, Session};
use crate::ui::stories::Story;

/// Of more events than these that happened at once, the first are not told.
const TOLD: u64 = 2000;
/// Events told in one go; the next follow as soon as the display has had its turn.
const AT_ONCE: u64 = 100;

/// One lab: an engine and the page that shows it.
#[wasm_bindgen]
pub struct Lab {
    session: Handle,
    options: RefCell<Options>,
    handle: RefCell<Option<AppHandle<App>>>,
    host: EventTarget,
    root: Element,
    started: Cell<bool>,
    loads: Cell<u32>,
    lesson: RefCell<Option<Begun>>,
    /// How much of the log was told.
    seen: Rc<Cell<u64>>,
    /// A manifest of the page around is being applied: how much the terminal had shown before.
    applied: Rc<Cell<Option<usize>>>,
    /// A lesson was picked in the menu: it becomes the attribute, which loads its file.
    on_lesson: Callback<String>,
}

/// The style sheet of every lab, for the element's shadow root.
#[wasm_bindgen]
pub fn styles() -> String {
    concat!(include_str!("../static/css/tokens.css"), include_str!("../static/css/podium.css"))
        .into()
}

fn tell(host: &EventTarget, name: &str, detail: &JsValue) {
    let init = CustomEventInit::new();
    init.set_bubbles(true);
    init.set_composed(true);
    init.set_detail(detail);
    if let Ok(event) = CustomEvent::new_with_event_init_dict(&format!("podium-{name}"), &init) {
        let _ = host.dispatch_event(&event);
    }
}

/// A JSON text as a JavaScript value.
fn js(text: &str) -> JsValue {
    js_sys::JSON::parse(text).unwrap_or(JsValue::NULL)
}

#[wasm_bindgen]
impl Lab {
    /// A lab inside `root`, whose events come from `host`. Attributes are set before
    /// [`Lab::show`].
    #[wasm_bindgen(constructor)]
    pub fn new(host: EventTarget, root: Element) -> Self {
        let element = host.clone();
        let on_lesson = Callback::from(move |id: String| {
            if let Some(element) = element.dyn_ref::<Element>() {
                let _ = element.set_attribute("lesson", &id);
            }
        });
        Self {
            on_lesson,
            session: Session::new(Options::default().config()),
            options: RefCell::default(),
            handle: RefCell::default(),
            host,
            root,
            started: Cell::new(false),
            loads: Cell::new(0),
            lesson: RefCell::default(),
            seen: Rc::default(),
            applied: Rc::default(),
        }
    }

    /// Is this the id of a story, which needs no file? Other lessons are files.
    #[wasm_bindgen(js_name = isStory)]
    pub fn is_story(id: &str) -> bool {
        Story::of(id).is_some()
    }

    /// Begins the lesson of that text; an empty text begins the story that the attribute
    /// `lesson` names, or ends what is told.
    ///
    /// # Errors
    /// What is wrong with the lesson, with its line.
    pub fn learn(&self, text: &str) -> Result<(), JsError> {
        let options = self.options.borrow().clone();
        if text.is_empty() {
            *self.lesson.borrow_mut() = None;
            if let Some(story) = Story::of(&options.lesson) {
                begin(&self.session, &options, story);
            }
        } else {
            let lesson = Lesson::read(text).map_err(|e| JsError::new(&e))?;
            self.loads.set(self.loads.get() + 1);
            let begun = Begun { number: self.loads.get(), lesson: Rc::new(lesson) };
            exercise::begin(&self.session, &options, &begun.lesson);
            *self.lesson.borrow_mut() = Some(begun);
            self.started.set(true);
        }
        self.update();
        Ok(())
    }

    /// An attribute of the element; an absent one is not set.
    ///
    /// # Errors
    /// What is wrong with a recording.
    pub fn set(&self, name: &str, value: &str) -> Result<(), JsError> {
        self.options.borrow_mut().set(name, value);
        match name {
            "speed" => self.session.set_speed(self.options.borrow().speed),
            "recording" if self.handle.borrow().is_some() && !value.is_empty() => {
                self.import(value)?;
            }
            _ => {}
        }
        self.update();
        Ok(())
    }

    /// Shows the page: called once, when all attributes are known.
    ///
    /// # Errors
    /// What is wrong with the recording to begin with; the page is shown all the same.
    pub fn show(&self) -> Result<(), JsError> {
        if self.handle.borrow().is_some() {
            return Ok(());
        }
        let options = self.options.borrow().clone();
        self.session.set_speed(options.speed);
        let begun = if self.started.replace(true) { Ok(()) } else { self.start(&options) };
        if options.start_at > 0 {
            // simulates up to there, so that the page begins in the middle of things
            self.session.advance_to(options.start_at);
            if !options.autoplay && options.lesson.is_empty() {
                self.session.pause();
            }
        }
        let seen = self.seen.clone();
        seen.set(self.session.with_world(|w| w.log.len()));
        let host = self.host.clone();
        let applied = self.applied.clone();
        self.session.on_change(Rc::new(move |w: &World, len: u64| {
            let since = seen.get().max(len.saturating_sub(TOLD)).min(len);
            let until = len.min(since + AT_ONCE);
            // back in time there are fewer: a change, without an event
            let before = seen.replace(until);
            let mut details = if until == before { Vec::new() } else { events(w, since, until) };
            if let (Some(before), Some(t)) = (applied.get(), w.terminal(1).filter(|t| !t.running()))
            {
                applied.set(None);
                if t.last_exit != 0 {
                    details.push(("error", quoted(t.text_since(before).trim_end())));
                }
            }
            let host = host.clone();
            let told = move || {
                let (names, details): (Vec<_>, Vec<_>) = details.into_iter().unzip();
                // read in one go: a hundred short texts cost more
                let details = js_sys::Array::from(&js(&format!("[{}]", details.join(","))));
                for (name, detail) in names.into_iter().zip(details.iter()) {
                    tell(&host, name, &detail);
                }
            };
            (Box::new(told), until < len)
        }));
        let host = self.host.clone();
        self.session.on_announce(Rc::new(move |name, detail| tell(&host, name, &js(detail))));
        let props = self.props();
        let renderer = yew::Renderer::<App>::with_root_and_props(self.root.clone(), props);
        *self.handle.borrow_mut() = Some(renderer.render());
        tell(&self.host, "ready", &JsValue::NULL);
        begun
    }

    /// A manifest is about to be applied: if it is refused, the page around is told.
    fn applying(&self) {
        self.applied
            .set(Some(self.session.with_world(|w| w.terminal(1).map_or(0, |t| t.out.len()))));
    }

    fn start(&self, options: &Options) -> Result<(), JsError> {
        self.session.replace(podium_sim::timeline::Timeline::new(options.config()));
        self.session.open(first_files(options));
        if !options.recording.is_empty() {
            return self.import(&options.recording);
        }
        if let Some(story) = Story::of(&options.lesson) {
            begin(&self.session, options, story);
        } else if (options.autoplay || options.start_at > 0) && !options.yaml.trim().is_empty() {
            self.applying();
            Act::Apply("lab.yaml".into(), options.yaml.clone()).run(&self.session);
        }
        Ok(())
    }

    fn props(&self) -> AppProps {
        AppProps {
            session: self.session.clone(),
            options: self.options.borrow().clone(),
            lesson: self.lesson.borrow().clone(),
            on_lesson: self.on_lesson.clone(),
        }
    }

    fn update(&self) {
        if let Some(handle) = self.handle.borrow_mut().as_mut() {
            handle.update(self.props());
        }
    }

    /// Another manifest in the editor, as from `src`.
    pub fn load(&self, yaml: &str) {
        self.options.borrow_mut().yaml = yaml.into();
        self.session.open(own_file(yaml));
        if self.handle.borrow().is_some() && self.options.borrow().autoplay {
            self.applying();
            Act::Apply("lab.yaml".into(), yaml.into()).run(&self.session);
        }
        self.update();
    }

    /// The element is no longer in a page: time stops, the page is taken down.
    pub fn hide(&self) {
        self.session.stop();
        if let Some(handle) = self.handle.borrow_mut().take() {
            handle.destroy();
        }
    }

    /// Applies a manifest, as `kubectl apply -f` does; `podium-error` tells what is refused.
    pub fn apply(&self, yaml: &str) {
        self.session.files(|f| f.set("lab.yaml", yaml));
        self.applying();
        self.session.line(1, "kubectl apply -f lab.yaml");
    }

    /// Types a line into the first terminal.
    pub fn kubectl(&self, line: &str) {
        let line = line.trim();
        let known = line.split_whitespace().next() == Some("kubectl");
        self.session.line(1, if known { line.to_owned() } else { format!("kubectl {line}") });
    }

    /// Lets time go on.
    pub fn play(&self) {
        self.session.play();
    }

    /// Stops time.
    pub fn pause(&self) {
        self.session.pause();
    }

    /// Steps by moments at which something happened; back if negative.
    pub fn step(&self, n: i32) {
        self.session.step(n);
    }

    /// Goes to a moment: seconds, or a text such as `1.5s`; past the end it simulates further.
    pub fn seek(&self, at: &str) {
        if let Some(at) = micros(at) {
            self.session.advance_to(at);
        }
    }

    /// Simulated seconds in a second.
    #[wasm_bindgen(js_name = setSpeed)]
    pub fn set_speed(&self, speed: f64) {
        if !speed.is_nan() {
            self.session.set_speed((speed.clamp(0.01, 1000.0) * 1000.0) as u32);
        }
    }

    /// Time, and the objects of the cluster, as a JavaScript object:
    /// `{at, end, playing, resting, objects: [...]}`, times in seconds.
    pub fn state(&self) -> JsValue {
        let frame = self.session.frame();
        let objects: Vec<String> = self.session.with_world(|w| {
            use podium_sim::api::{Kind, kind};
            let kinds = kind::ALL.iter().filter(|k| !matches!(k, Kind::Event | Kind::Lease));
            kinds.flat_map(|k| w.store.all(*k)).map(|o| o.value.to_string()).collect()
        });
        js(&format!(
            "{{\"at\":{},\"end\":{},\"playing\":{},\"resting\":{},\"objects\":[{}]}}",
            frame.at as f64 / 1e6,
            frame.end as f64 / 1e6,
            frame.playing,
            frame.resting,
            objects.join(",")
        ))
    }

    /// The recording as JSON text.
    pub fn export(&self) -> String {
        serde_json::to_string(&self.session.recording()).unwrap_or_default()
    }

    /// Plays a recording: JSON text of [`Lab::export`], or a permalink.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn import(&self, text: &str) -> Result<(), JsError> {
        let recording = if text.trim_start().starts_with('{') {
            Recording::read(text.as_bytes()).map_err(|e| JsError::new(&e))?
        } else {
            permalink::decode(text)?
        };
        // whatever was told, this is another history
        self.seen.set(u64::MAX);
        self.session.load(&recording);
        let files = files_of(&recording);
        if !files.is_empty() {
            self.session.open(files);
        }
        self.session.pause();
        Ok(())
    }

    /// The fragment of a link that contains this run, with `#`.
    pub fn permalink(&self) -> String {
        format!("#{}", permalink::encode(&self.session.recording()))
    }
}

/// Tells of what happened: one `podium-event` an entry, then one `podium-change`.
fn events(w: &World, since: u64, until: u64) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    for (seq, record) in w.log.since(since).take_while(|(seq, _)| *seq < until) {
        let what = match &record.what {
            What::Change { change, new, .. } => format!(
                "\"type\":\"{}\",\"kind\":\"{}\",\"namespace\":{},\"name\":{}",
                format!("{change:?}").to_uppercase(),
                new.kind.info().kind,
                quoted(&new.ns()),
                quoted(&new.name()),
            ),
            What::Act(text) => format!("\"type\":\"ACT\",\"command\":{}", quoted(text)),
            What::Lookup { client, name, answer, .. } => format!(
                "\"type\":\"LOOKUP\",\"client\":{},\"dns\":{},\"answer\":[{}]",
                quoted(&client.name),
                quoted(name),
                answer.iter().map(|a| quoted(a)).collect::<Vec<_>>().join(",")
            ),
            What::Connect { client, ip, server, .. } => format!(
                "\"type\":\"CONNECT\",\"client\":{},\"ip\":{},\"server\":{}",
                quoted(&client.name),
                quoted(ip),
                server.as_ref().map_or("null".to_owned(), |s| quoted(&s.name))
            ),
        };
        let at = record.at as f64 / 1e6;
        let detail = format!("{{\"seq\":{seq},\"at\":{at},\"rule\":\"{}\",{what}}}", record.rule);
        details.push(("event", detail));
    }
    let detail = format!("{{\"at\":{},\"events\":{until}}}", w.now as f64 / 1e6);
    details.push(("change", detail));
    details
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}
