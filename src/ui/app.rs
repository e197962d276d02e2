//! The root: panels around the stage, and what they share.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use podium_scene::Target;
use podium_sim::permalink;
use podium_sim::timeline::Timeline;
use wasm_bindgen::JsValue;
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::editor::Editor;
use crate::ui::exercise::{Begun, Exercise};
use crate::ui::folder::{File, Folder};
use crate::ui::header::{Header, Help};
use crate::ui::i18n::Words;
use crate::ui::inspector::Inspector;
use crate::ui::options::Options;
use crate::ui::session::{Frame, Handle, Tabs};
use crate::ui::stage::Stage;
use crate::ui::stories::{STORIES, Story};
use crate::ui::terminal::Terminals;
use crate::ui::timeline::TimelinePanel;

/// Facts of the page that the cluster does not know.
#[derive(Clone, PartialEq)]
pub struct Ui {
    /// Panel shown where only one fits.
    pub panel: &'static str,
    /// The story told, and its next step.
    pub story: Option<(&'static Story, usize)>,
    /// The lesson that is learned.
    pub lesson: Option<Begun>,
    /// Language.
    pub lang: String,
    /// `light`, `dark`, or empty for the reader's own.
    pub theme: String,
    /// Is the help shown?
    pub help: bool,
    /// A short message, and its number.
    pub toast: Option<(u32, String)>,
}

/// Changes of [`Ui`].
pub enum Do {
    /// Show this panel.
    Panel(&'static str),
    /// Tell a story, from its beginning.
    Story(&'static Story),
    /// The story's next step was done.
    Next,
    /// Learn a lesson, from its beginning.
    Lesson(Begun),
    /// No story or lesson any more.
    EndStory,
    /// Another language.
    Lang(String),
    /// Another theme.
    Theme(String),
    /// Help on or off.
    Help(bool),
    /// A short message.
    Toast(String),
    /// The message with that number has been read.
    Read(u32),
}

impl Reducible for Ui {
    type Action = Do;
    fn reduce(self: Rc<Self>, action: Do) -> Rc<Self> {
        let mut ui = (*self).clone();
        match action {
            Do::Panel(panel) => ui.panel = panel,
            Do::Story(story) => {
                ui.story = Some((story, 0));
                ui.lesson = None;
                ui.panel = "stage";
            }
            Do::Next => {
                if let Some((story, step)) = ui.story {
                    ui.story = Some((story, step + 1));
                }
            }
            Do::Lesson(begun) => {
                ui.story = None;
                ui.panel = "stage";
                ui.lesson = Some(begun);
            }
            Do::EndStory => (ui.story, ui.lesson) = (None, None),
            Do::Lang(lang) => ui.lang = lang,
            Do::Theme(theme) => ui.theme = theme,
            Do::Help(on) => ui.help = on,
            Do::Toast(text) => {
                let n = ui.toast.map_or(0, |(n, _)| n) + 1;
                ui.toast = Some((n, text));
            }
            Do::Read(n) => {
                if ui.toast.as_ref().is_some_and(|(m, _)| *m == n) {
                    ui.toast = None;
                }
            }
        }
        Rc::new(ui)
    }
}

fn files_of(story: &Story) -> Vec<File> {
    story.files.iter().map(|(n, t)| File { name: (*n).into(), text: (*t).into() }).collect()
}

/// The file that an embedding page gives.
pub fn own_file(yaml: &str) -> Vec<File> {
    vec![File { name: "lab.yaml".into(), text: yaml.into() }]
}

/// The files that a page begins with.
pub fn first_files(options: &Options) -> Vec<File> {
    match Story::of(&options.lesson) {
        Some(story) => files_of(story),
        None if options.yaml.trim().is_empty() => STORIES.first().map(files_of).unwrap_or_default(),
        None => own_file(&options.yaml),
    }
}

/// What the element gives to its page.
#[derive(Properties, PartialEq, Clone)]
pub struct AppProps {
    /// The engine.
    pub session: Handle,
    /// Attributes of the element.
    pub options: Options,
    /// The lesson that was begun last, if any.
    #[prop_or_default]
    pub lesson: Option<Begun>,
    /// Somebody picked a lesson of the menu: its id.
    #[prop_or_default]
    pub on_lesson: Callback<String>,
}

fn remembered(name: &str) -> Option<String> {
    web_sys::window()?.local_storage().ok()??.get_item(&format!("podium.{name}")).ok()?
}

fn remember(name: &str, value: &str) {
    if let Some(Ok(Some(storage))) = web_sys::window().map(|w| w.local_storage()) {
        let _ = storage.set_item(&format!("podium.{name}"), value);
    }
}

fn first_ui(options: &Options, lesson: Option<Begun>) -> Ui {
    let story = Story::of(&options.lesson);
    let pref = |name, given: &str| {
        if options.page { remembered(name).unwrap_or_else(|| given.into()) } else { given.into() }
    };
    let panel = ["stage", "editor", "why", "timeline", "terminal"]
        .into_iter()
        .find(|v| options.shows(v))
        .unwrap_or("stage");
    Ui {
        panel,
        story: story.map(|s| (s, 0)),
        lesson,
        lang: pref("lang", &options.lang),
        theme: pref("theme", &options.theme),
        help: false,
        toast: None,
    }
}

/// The page.
#[component]
pub fn App(props: &AppProps) -> Html {
    let AppProps { session, options, lesson, on_lesson } = props.clone();
    let frame = use_state(|| session.frame());
    let ui = {
        let (options, lesson) = (options.clone(), lesson.clone());
        use_reducer(move || first_ui(&options, lesson))
    };
    let send = ui.dispatcher();

    {
        let frame = frame.clone();
        use_effect_with(session.clone(), move |session| {
            let id = session.listen(Callback::from(move |f: Rc<Frame>| frame.set(f)));
            let session = session.clone();
            move || session.unlisten(id)
        });
    }
    use_attributes(&options, lesson, &send);
    use_edits(&session, &frame.tabs, &send);
    let words = use_memo(ui.lang.clone(), |lang| Words::of(lang));
    let spoken = use_speech(&session, &words, frame.len);
    {
        let send = send.clone();
        use_effect_with(ui.toast.clone(), move |toast| {
            let timer =
                toast.clone().map(|(n, _)| Timeout::new(3500, move || send.dispatch(Do::Read(n))));
            move || drop(timer)
        });
    }

    let act = {
        let session = session.clone();
        use_callback((), move |act: Act, ()| act.run(&session))
    };
    // where only one panel fits, what was applied is seen
    let applied = {
        let (act, send) = (act.clone(), send.clone());
        use_callback(options.shows("stage"), move |apply: Act, stage: &bool| {
            act.emit(apply);
            if *stage {
                send.dispatch(Do::Panel("stage"));
            }
        })
    };
    let select = {
        let (session, send) = (session.clone(), send.clone());
        use_callback((), move |target: Option<Target>, ()| {
            if target.is_some() {
                send.dispatch(Do::Panel("why"));
            }
            session.select(target);
        })
    };
    // on the stage, a selection must not take the stage away
    let pick = {
        let session = session.clone();
        use_callback((), move |target: Option<Target>, ()| session.select(target))
    };
    let tell = {
        let (session, send) = (session.clone(), send.clone());
        use_callback(options.clone(), move |story: &'static Story, options: &Options| {
            begin(&session, options, story);
            send.dispatch(Do::Story(story));
        })
    };
    let share = {
        let (session, send, words) = (session.clone(), send.clone(), words.clone());
        Callback::from(move |()| {
            let link = permalink::encode(&session.recording());
            if let Some(window) = web_sys::window() {
                let location = window.location();
                let page = location.href().unwrap_or_default();
                let page = page.split('#').next().unwrap_or_default();
                let url = format!("{page}#{link}");
                // the address bar has it too, where there is no clipboard
                if let Ok(history) = window.history() {
                    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url));
                }
                let clipboard = js_sys::Reflect::get(&window.navigator(), &"clipboard".into());
                let copied = clipboard.is_ok_and(|c| c.is_object());
                if copied {
                    let _ = window.navigator().clipboard().write_text(&url);
                }
                let said = if copied { "share.copied" } else { "share.address" };
                send.dispatch(Do::Toast(words.get(said)));
            }
        })
    };
    let next = {
        let (session, send, ui) = (session.clone(), send.clone(), ui.clone());
        Callback::from(move |()| {
            if let Some((story, step)) = ui.story
                && let Some(step) = story.steps.get(step)
            {
                let kept = session.frame().scene.clients.iter().find_map(|c| c.remembers.clone());
                let kept = kept.map_or_else(String::new, |(ip, _)| ip.to_string());
                for act in step.acts(story, &kept) {
                    act.run(&session);
                }
                session.play();
                let (done, all) = (ui.story.map_or(0, |(_, n)| n) + 1, story.steps.len());
                let detail =
                    format!("{{\"lesson\":\"{}\",\"step\":{done},\"of\":{all}}}", story.id);
                session.announce("goal", &detail);
                if done == all {
                    session.announce("complete", &detail);
                }
                send.dispatch(Do::Next);
            }
        })
    };
    let page = options.page;
    let on_pref = {
        let send = send.clone();
        Callback::from(move |(name, value): (&'static str, String)| {
            if page {
                remember(name, &value);
            }
            send.dispatch(if name == "lang" { Do::Lang(value) } else { Do::Theme(value) });
        })
    };
    let panels = options.clone();
    // an object that is edited needs the editor, asked for or not
    let editing = frame.tabs.names.iter().any(|(_, edit)| edit.is_some());
    let shows = move |view: &str| panels.shows(view) || editing && view == "editor";
    let tabs: Vec<&'static str> = ["stage", "editor", "why", "timeline", "terminal"]
        .into_iter()
        .filter(|v| shows(v))
        .collect();
    let class = classes!(
        "lab",
        format!("at-{}", ui.panel),
        frame.target.is_some().then_some("has-why"),
        (!shows("editor")).then_some("no-editor"),
        (!shows("why")).then_some("no-why"),
        (!shows("terminal")).then_some("no-terminal"),
        (!shows("timeline")).then_some("no-timeline"),
        (!shows("header")).then_some("no-header"),
        page.then_some("page"),
        (!frame.playing).then_some("paused"),
    );
    html! {
        <ContextProvider<Words> context={(*words).clone()}>
            <div {class} data-theme={(!ui.theme.is_empty()).then(|| ui.theme.clone())} lang={words.lang()}>
                if shows("header") {
                    <Header
                        nodes={frame.scene.nodes.len()}
                        story={ui.story.map(|(s, _)| s.id.to_owned()).or_else(|| ui.lesson.as_ref().map(|l| l.lesson.id.to_string()))}
                        {on_lesson}
                        other={frame.other.as_ref().map(|(what, _)| *what)}
                        on_compare={let session = session.clone(); Callback::from(move |what| session.compare(what))}
                        theme={ui.theme.clone()}
                        on_story={tell.clone()}
                        share={page}
                        on_share={share}
                        {on_pref}
                        on_help={let send = send.clone(); Callback::from(move |on| send.dispatch(Do::Help(on)))}
                    />
                }
                <nav class="tabs" aria-label={words.get("panel.label")}>
                    <div class="tabs-in" role="tablist" aria-label={words.get("panel.label")}>
                    { for tabs.iter().map(|name| {
                        let name = *name;
                        let send = send.clone();
                        let onclick = Callback::from(move |_: MouseEvent| send.dispatch(Do::Panel(name)));
                        html! {
                            <button key={name} role="tab" aria-selected={(ui.panel == name).to_string()} {onclick}>
                                { words.get(&format!("panel.{name}")) }
                            </button>
                        }
                    }) }
                </div>
                </nav>
                if shows("editor") {
                    <Editor tabs={frame.tabs.clone()} readonly={options.readonly} session={session.clone()} on_act={applied} />
                }
                if shows("stage") {
                    <div class={classes!("stages", frame.other.is_some().then_some("two"))}>
                    <Stage
                        name={frame.other.as_ref().map(|_| words.get("compare.this"))}
                        guide={guide(&ui, &session, &frame, &send)}
                        scene={frame.scene.clone()}
                        at={frame.at}
                        moving={frame.playing && !frame.resting}
                        target={frame.target.clone()}
                        controls={options.controls}
                        story={ui.story}
                        on_select={pick}
                        on_act={act.clone()}
                        on_next={next}
                        on_story={tell}
                        offers={page}
                        apply={first_act(&session, shows("editor"))}
                        on_end={let send = send.clone(); Callback::from(move |()| send.dispatch(Do::EndStory))}
                    />
                    if let Some((what, scene)) = &frame.other {
                        <Stage
                            key="other"
                            name={words.get(&format!("compare.{}.name", what.name()))}
                            second={true}
                            scene={scene.clone()}
                            at={frame.at}
                            moving={frame.playing && !frame.resting}
                        />
                    }
                    </div>
                }
                if shows("why") {
                    <Inspector
                        why={frame.why.clone()}
                        target={frame.target.clone()}
                        session={session.clone()}
                        len={frame.len}
                        controls={options.controls}
                        on_select={select}
                        on_act={act.clone()}
                    />
                }
                if shows("timeline") {
                    <TimelinePanel frame={(*frame).clone()} session={session.clone()} />
                }
                if shows("terminal") {
                    <Terminals screens={frame.screens.clone()} playing={frame.playing} readonly={options.readonly} session={session.clone()} />
                }
                <div class="sr" role="status" aria-live="polite" aria-atomic="true">{ (*spoken).clone() }</div>
                <div class="toasts" aria-live="polite">
                    if let Some((n, text)) = &ui.toast {
                        <p class="toast" key={*n}>{ text.clone() }</p>
                    }
                </div>
                if ui.help {
                    <Help on_close={let send = send.clone(); Callback::from(move |()| send.dispatch(Do::Help(false)))} />
                }
            </div>
        </ContextProvider<Words>>
    }
}

/// What the button on an empty stage applies where no editor has one.
fn first_act(session: &Handle, editor: bool) -> Option<Act> {
    let first = |f: &Folder| f.tabs().first().map(|t| Act::Apply(t.name.clone(), t.text.clone()));
    session.with_files(first).filter(|_| !editor)
}

/// What stands over the stage while a lesson is learned.
fn guide(
    ui: &Ui,
    session: &Handle,
    frame: &Frame,
    send: &UseReducerDispatcher<Ui>,
) -> Option<Html> {
    let begun = ui.lesson.clone()?;
    let send = send.clone();
    let on_end = Callback::from(move |()| send.dispatch(Do::EndStory));
    Some(html! {
        <Exercise {begun} session={session.clone()} len={frame.len} resting={frame.resting} {on_end} />
    })
}

/// A fresh cluster with the story's first file applied.
pub fn begin(session: &Handle, options: &Options, story: &'static Story) {
    session.replace(Timeline::new(options.config()));
    session.open(files_of(story));
    if let Some((name, text)) = story.files.first() {
        Act::Apply((*name).into(), (*text).into()).run(session);
    }
    session.play();
}

/// Attributes that change while the page is shown.
#[hook]
fn use_attributes(options: &Options, lesson: Option<Begun>, send: &UseReducerDispatcher<Ui>) {
    let first = use_mut_ref(|| true);
    {
        let (send, first) = (send.clone(), first.clone());
        let story = options.lesson.clone();
        use_effect_with((lesson, story), move |(lesson, story)| {
            if *first.borrow() {
                return;
            }
            match (lesson, Story::of(story)) {
                (_, Some(story)) => send.dispatch(Do::Story(story)),
                (Some(begun), None) => send.dispatch(Do::Lesson(begun.clone())),
                (None, None) => send.dispatch(Do::EndStory),
            }
        });
    }
    let send = send.clone();
    use_effect_with((options.lang.clone(), options.theme.clone()), move |(lang, theme)| {
        // what was remembered wins when the page begins
        if !std::mem::take(&mut *first.borrow_mut()) {
            send.dispatch(Do::Lang(lang.clone()));
            send.dispatch(Do::Theme(theme.clone()));
        }
    });
}

/// Where only one panel fits, the editor comes to sight when an object is opened in it, and the
/// terminal when it is closed.
#[hook]
fn use_edits(session: &Handle, tabs: &Tabs, send: &UseReducerDispatcher<Ui>) {
    let open = tabs.names.iter().filter_map(|(_, edit)| *edit).next_back();
    let before = use_mut_ref(|| None::<u8>);
    let (send, session) = (send.clone(), session.clone());
    use_effect_with(open, move |open| {
        let before = std::mem::replace(&mut *before.borrow_mut(), *open);
        match (before, open) {
            // one looks back
            _ if !session.at_tip() => {}
            (None, Some(_)) => send.dispatch(Do::Panel("editor")),
            (Some(_), None) => send.dispatch(Do::Panel("terminal")),
            _ => {}
        }
    });
}

/// What a screen reader is told: at most once a second, bursts in one go.
#[hook]
fn use_speech(session: &Handle, words: &Rc<Words>, len: u64) -> UseStateHandle<String> {
    let spoken = use_state(String::new);
    let timer = use_mut_ref(|| None::<Timeout>);
    let (session, words, text) = (session.clone(), words.clone(), spoken.clone());
    use_effect_with(len, move |_| {
        let slot = timer.clone();
        let mut waiting = timer.borrow_mut();
        if waiting.is_none() {
            *waiting = Some(Timeout::new(1000, move || {
                slot.borrow_mut().take();
                let sentences: Vec<String> =
                    session.spoken().iter().map(|m| words.say(m)).collect();
                if !sentences.is_empty() {
                    text.set(sentences.join(". "));
                }
            }));
        }
    });
    spoken
}
