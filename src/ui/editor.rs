//! The editor: tabs of files, a text area over coloured lines, problems while typing.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::app::File;
use crate::ui::diagnose::{Problem, problems};
use crate::ui::highlight;
use crate::ui::i18n::use_words;

/// Milliseconds after the last key until the text is checked.
const PAUSE: u32 = 250;

#[derive(Properties, PartialEq)]
pub(crate) struct EditorProps {
    pub(crate) files: Rc<Vec<File>>,
    pub(crate) load: u32,
    pub(crate) readonly: bool,
    pub(crate) on_act: Callback<Act>,
}

/// Texts as they are typed: outside of state, because the text area owns its text.
type Texts = Rc<RefCell<Vec<File>>>;

#[component]
pub(crate) fn Editor(props: &EditorProps) -> Html {
    let words = use_words();
    let texts: Texts = use_memo(props.load, |_| RefCell::new((*props.files).clone()));
    let active = use_state(|| 0usize);
    let shown = use_state(String::new);
    let found = use_state(Vec::<Problem>::new);
    let area = use_node_ref();
    let timer = use_mut_ref(|| None::<Timeout>);

    // pushes a text in when files are loaded or another tab is chosen
    {
        let (area, texts, shown, found) =
            (area.clone(), texts.clone(), shown.clone(), found.clone());
        use_effect_with((props.load, *active), move |(_, active)| {
            let text = texts.borrow().get(*active).map(|f| f.text.clone()).unwrap_or_default();
            if let Some(area) = area.cast::<HtmlTextAreaElement>() {
                area.set_value(&text);
            }
            found.set(problems(&text));
            shown.set(text);
        });
    }
    {
        let active = active.clone();
        use_effect_with(props.load, move |_| active.set(0));
    }
    let oninput = {
        let (texts, shown, found, active) =
            (texts.clone(), shown.clone(), found.clone(), active.clone());
        Callback::from(move |e: InputEvent| {
            let area: HtmlTextAreaElement = e.target_unchecked_into();
            let text = area.value();
            if let Some(file) = texts.borrow_mut().get_mut(*active) {
                file.text.clone_from(&text);
            }
            shown.set(text.clone());
            let found = found.clone();
            *timer.borrow_mut() = Some(Timeout::new(PAUSE, move || found.set(problems(&text))));
        })
    };
    let apply = {
        let (texts, active, act) = (texts.clone(), active.clone(), props.on_act.clone());
        Callback::from(move |()| {
            let file = texts.borrow().get(*active).cloned();
            if let Some(File { name, text }) = file {
                act.emit(Act::Apply(name, text));
            }
        })
    };
    let onkeydown = {
        let apply = apply.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Enter" && (e.ctrl_key() || e.meta_key()) {
                e.prevent_default();
                apply.emit(());
            }
        })
    };
    let add = {
        let (texts, active) = (texts.clone(), active.clone());
        Callback::from(move |_: MouseEvent| {
            let n = texts.borrow().len();
            texts
                .borrow_mut()
                .push(File { name: format!("file-{}.yaml", n + 1), text: String::new() });
            active.set(n);
        })
    };
    let names: Vec<String> = texts.borrow().iter().map(|f| f.name.clone()).collect();
    let bad: Vec<usize> = found.iter().map(|p| p.line).collect();
    let errors = found.iter().filter(|p| !p.warning).count();
    html! {
        <section class="edit panel" aria-label={words.get("panel.editor")}>
            <div class="files">
                <div class="files-in" role="tablist" aria-label={words.get("edit.files")}>
                { for names.iter().enumerate().map(|(i, name)| {
                    let active_set = active.clone();
                    html! {
                        <button key={i} role="tab" class="file" aria-selected={(i == *active).to_string()}
                            onclick={Callback::from(move |_: MouseEvent| active_set.set(i))}>{ name.clone() }</button>
                    }
                }) }
                </div>
                if !props.readonly {
                    <button key="add" class="file add" onclick={add} aria-label={words.get("edit.add")}>{ "+" }</button>
                }
            </div>
            <div class="code">
                <div class="code-in">
                    <Painted text={(*shown).clone()} bad={bad} />
                    <textarea ref={area.clone()} class="ink" spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
                        aria-label={words.fill("edit.text", &[("name", names.get(*active).map_or("", String::as_str))])}
                        readonly={props.readonly} {oninput} {onkeydown} />
                </div>
            </div>
            <div class="verdicts">
                <ul class="problems" aria-label={words.get("edit.problems")} aria-live="polite">
                    { for found.iter().take(6).enumerate().map(|(i, p)| {
                        let area = area.clone();
                        let (line, text) = (p.line, (*shown).clone());
                        let onclick = Callback::from(move |_: MouseEvent| go_to(&area, &text, line));
                        html! {
                            <li key={i} class={if p.warning { "warn" } else { "bad" }}>
                                <button class="problem" {onclick}>
                                    if line > 0 { <b>{ line }</b> }
                                    <span>{ if p.message.starts_with('@') { words.get(&p.message[1..]) } else { p.message.clone() } }</span>
                                </button>
                            </li>
                        }
                    }) }
                </ul>
                <div class="apply">
                    <span class="verdict">{
                        if errors > 0 {
                            words.fill("edit.errors", &[("n", &errors.to_string())])
                        } else {
                            words.get("edit.clean")
                        }
                    }</span>
                    <button class="btn main" onclick={apply.reform(|_| ())} title="Ctrl+Enter">{ words.get("edit.apply") }</button>
                </div>
            </div>
        </section>
    }
}

/// Puts the caret on a line.
fn go_to(area: &NodeRef, text: &str, line: usize) {
    let Some(area) = area.cast::<HtmlTextAreaElement>() else { return };
    // the browser counts UTF-16 units
    let units = |s: &str| s.encode_utf16().count() as u32 + 1;
    let start: u32 = text.lines().take(line.saturating_sub(1)).map(units).sum();
    let length = text.lines().nth(line.saturating_sub(1)).map_or(0, |l| units(l) - 1);
    let _ = area.focus();
    let _ = area.set_selection_range(start, start + length);
}

#[derive(Properties, PartialEq)]
struct PaintedProps {
    text: String,
    bad: Vec<usize>,
}

/// The coloured lines behind the text area.
#[component]
fn Painted(props: &PaintedProps) -> Html {
    html! {
        <pre class="paint" aria-hidden="true">
            { for props.text.split('\n').enumerate().map(|(i, line)| html! {
                <PaintedLine key={i} text={line.to_owned()} bad={props.bad.contains(&(i + 1))} />
            }) }
        </pre>
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    text: AttrValue,
    bad: bool,
}

#[component]
fn PaintedLine(props: &LineProps) -> Html {
    let pieces = highlight::line(&props.text);
    html! {
        <div class={classes!("ln", props.bad.then_some("bad"))}>
            { for pieces.iter().enumerate().map(|(i, (paint, text))| html! {
                <span key={i} class={paint.class()}>{ *text }</span>
            }) }
        </div>
    }
}
