//! The editor: tabs of files, a text area over coloured lines, problems while typing. A tab may
//! be an object that `kubectl edit` opened: it is saved or closed.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use podium_sim::manifest::diagnose::{Problem, Severity, problems};
use podium_sim::recording::Input;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::diagnose;
use crate::ui::highlight;
use crate::ui::i18n::use_words;
use crate::ui::icons::Icon;
use crate::ui::session::{Handle, Tabs};

/// Milliseconds after the last key until the text is checked.
const PAUSE: u32 = 250;

#[derive(Properties, PartialEq)]
pub(crate) struct EditorProps {
    pub(crate) tabs: Rc<Tabs>,
    pub(crate) readonly: bool,
    pub(crate) session: Handle,
    pub(crate) on_act: Callback<Act>,
}

#[component]
pub(crate) fn Editor(props: &EditorProps) -> Html {
    let words = use_words();
    let shown = use_state(String::new);
    let found = use_state(Vec::<Problem>::new);
    let naming = use_state(|| false);
    // a file is deleted by the second press
    let sure = use_state(|| false);
    let area = use_node_ref();
    let bar = use_node_ref();
    let timer = use_mut_ref(|| None::<Timeout>);
    let Tabs { names, active, version } = &*props.tabs;
    let edits = names.get(*active).and_then(|(_, edit)| *edit);

    // pushes a text in when another tab is shown, or its text was not typed here
    {
        let (area, bar, shown, found) = (area.clone(), bar.clone(), shown.clone(), found.clone());
        let session = props.session.clone();
        use_effect_with(*version, move |_| {
            let text = session.with_files(|f| f.shown().map(|t| t.text.clone()));
            let text = text.unwrap_or_default();
            if let Some(area) = area.cast::<HtmlTextAreaElement>()
                && area.value() != text
            {
                area.set_value(&text);
                // what kubectl says of a text is at its top
                if let Ok(Some(around)) = area.closest(".code") {
                    around.set_scroll_top(0);
                }
            }
            // the shown tab in sight, with a piece of the one before it
            if let Some(bar) = bar.cast::<HtmlElement>()
                && let Ok(Some(tab)) = bar.query_selector("[aria-selected=true]")
                && let Some(tab) = tab.dyn_ref::<HtmlElement>()
            {
                bar.set_scroll_left(tab.offset_left() - bar.offset_left() - 40);
            }
            found.set(problems(&text));
            shown.set(text);
        });
    }
    {
        // an object to edit was opened: keys go there
        let (area, session) = (area.clone(), props.session.clone());
        use_effect_with(edits, move |edits| {
            // not while one looks back
            if edits.is_some()
                && session.at_tip()
                && let Some(area) = area.cast::<HtmlTextAreaElement>()
            {
                let _ = area.focus();
                let _ = area.set_selection_range(0, 0);
            }
        });
    }
    let oninput = {
        let (shown, found, session) = (shown.clone(), found.clone(), props.session.clone());
        Callback::from(move |e: InputEvent| {
            let area: HtmlTextAreaElement = e.target_unchecked_into();
            let text = area.value();
            session.typed(text.clone());
            shown.set(text.clone());
            let found = found.clone();
            *timer.borrow_mut() = Some(Timeout::new(PAUSE, move || found.set(problems(&text))));
        })
    };
    // applies the file, or hands the edited object to the kubectl that waits for it
    let apply = {
        let (session, act) = (props.session.clone(), props.on_act.clone());
        Callback::from(move |()| {
            let Some(tab) = session.with_files(|f| f.shown().cloned()) else { return };
            match tab.edit {
                Some((term, _)) => session.input(Input::Edit { term, text: Some(tab.text) }),
                None => act.emit(Act::Apply(tab.name, tab.text)),
            }
        })
    };
    let onkeydown = {
        let apply = apply.clone();
        Callback::from(move |e: KeyboardEvent| {
            let control = e.ctrl_key() || e.meta_key();
            if control && (e.key() == "Enter" || edits.is_some() && e.key() == "s") {
                e.prevent_default();
                apply.emit(());
            }
        })
    };
    let on_close = {
        let session = props.session.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(term) = edits {
                session.input(Input::Edit { term, text: None });
            }
        })
    };
    let add = {
        let session = props.session.clone();
        Callback::from(move |_: MouseEvent| session.files(crate::ui::folder::Folder::add))
    };
    let remove = {
        let (session, sure) = (props.session.clone(), sure.clone());
        Callback::from(move |_: MouseEvent| {
            if *sure {
                session.files(crate::ui::folder::Folder::remove);
            }
            sure.set(!*sure);
        })
    };
    let unsure = {
        let sure = sure.clone();
        Callback::from(move |_: FocusEvent| sure.set(false))
    };
    let removes = words.get(if *sure { "edit.remove.sure" } else { "edit.remove" });
    let rename = {
        let naming = naming.clone();
        Callback::from(move |_: MouseEvent| naming.set(true))
    };
    let named = {
        let (session, naming) = (props.session.clone(), naming.clone());
        Callback::from(move |name: Option<String>| {
            naming.set(false);
            if let Some(name) = name {
                session.files(|f| f.rename(&name));
            }
        })
    };
    let bad: Vec<usize> =
        found.iter().filter(|p| p.severity != Severity::Note).map(|p| p.line).collect();
    let errors = found.iter().filter(|p| p.severity == Severity::Error).count();
    let free = !props.readonly && edits.is_none() && !names.is_empty();
    html! {
        <section class="edit panel" aria-label={words.get("panel.editor")}>
            <div class="files">
                <div class="files-in" ref={bar} role="tablist" aria-label={words.get("edit.files")}>
                { for names.iter().enumerate().map(|(i, (name, _))| {
                    let session = props.session.clone();
                    let on = i == *active;
                    if on && *naming {
                        return html! { <Naming key="naming" name={name.clone()} done={named.clone()} /> };
                    }
                    let begin = rename.clone();
                    html! {
                        <button key={name.clone()} role="tab" class="file" aria-selected={on.to_string()}
                            ondblclick={Callback::from(move |e: MouseEvent| if on && free { begin.emit(e) })}
                            onclick={Callback::from(move |_: MouseEvent| session.files(|f| f.choose(i)))}>{ name.clone() }</button>
                    }
                }) }
                </div>
                if !props.readonly {
                    <button key="add" class="file add" onclick={add} aria-label={words.get("edit.add")} title={words.get("edit.add")}>{ "+" }</button>
                }
                if free {
                    <span key="with" class="with-file">
                        <button class="file add" onclick={rename.clone()} aria-label={words.get("edit.rename")} title={words.get("edit.rename")}><Icon name="pen" /></button>
                        <button class={classes!("file", "add", sure.then_some("sure"))} onclick={remove} onblur={unsure} aria-label={removes.clone()} title={removes}><Icon name="trash" /></button>
                    </span>
                }
            </div>
            <div class="code">
                <div class="code-in">
                    <Painted text={(*shown).clone()} bad={bad} />
                    <textarea ref={area.clone()} class="ink" spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
                        aria-label={words.fill("edit.text", &[("name", names.get(*active).map_or("", |(n, _)| n.as_str()))])}
                        readonly={props.readonly || names.is_empty()} {oninput} {onkeydown} />
                </div>
            </div>
            <div class="verdicts">
                <ul class="problems" aria-label={words.get("edit.problems")} aria-live="polite">
                    { for found.iter().take(6).enumerate().map(|(i, p)| {
                        let area = area.clone();
                        let (line, text) = (p.line, (*shown).clone());
                        let onclick = Callback::from(move |_: MouseEvent| go_to(&area, &text, line));
                        html! {
                            <li key={i} class={diagnose::class(p.severity)}>
                                <button class="problem" {onclick}>
                                    if line > 0 { <b>{ format!("{line}:{}", p.column) }</b> }
                                    <span>{ diagnose::say(&words, &p.said) }</span>
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
                    if edits.is_some() {
                        <button class="btn" onclick={on_close} title={words.get("edit.close.hint")}>{ words.get("edit.close") }</button>
                    }
                    <button class="btn main" disabled={names.is_empty()} onclick={apply.reform(|_| ())} title="Ctrl+Enter">
                        { words.get(if edits.is_some() { "edit.save" } else { "edit.apply" }) }
                    </button>
                </div>
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct NamingProps {
    name: String,
    done: Callback<Option<String>>,
}

/// A field for the name of a file, in the place of its tab.
#[component]
fn Naming(props: &NamingProps) -> Html {
    let words = use_words();
    let field = use_node_ref();
    {
        let (field, name) = (field.clone(), props.name.clone());
        use_effect_with((), move |()| {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                // once: what is typed is the field's own
                field.set_value(&name);
                let _ = field.focus();
                field.select();
            }
        });
    }
    let value = {
        let field = field.clone();
        move || field.cast::<HtmlInputElement>().map(|f| f.value())
    };
    let onkeydown = {
        let (done, value) = (props.done.clone(), value.clone());
        Callback::from(move |e: KeyboardEvent| match e.key().as_str() {
            "Enter" if !e.is_composing() => done.emit(value()),
            "Escape" => done.emit(None),
            _ => {}
        })
    };
    let onblur = props.done.reform(move |_: FocusEvent| value());
    html! {
        <input ref={field} class="file naming" size="14" aria-label={words.get("edit.rename")} {onkeydown} {onblur} />
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
