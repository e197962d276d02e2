//! Terminals: what was typed, what came out, and a line to type into.

use std::rc::Rc;

use podium_sim::recording::Input;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

use crate::ui::i18n::use_words;
use crate::ui::session::{Handle, Part, Screen};

/// Pieces of output shown; older ones are cut off.
const KEPT: usize = 200;

#[derive(Properties, PartialEq)]
pub(crate) struct TerminalsProps {
    pub(crate) screens: Rc<Vec<Rc<Screen>>>,
    pub(crate) playing: bool,
    pub(crate) readonly: bool,
    pub(crate) session: Handle,
}

#[component]
pub(crate) fn Terminals(props: &TerminalsProps) -> Html {
    let words = use_words();
    let active = use_state(|| 0usize);
    let screen = props.screens.get(*active).cloned().unwrap_or_default();
    // a line that a button typed into another terminal is brought to sight
    {
        let active = active.clone();
        let entered: Vec<usize> = props.screens.iter().map(|s| s.parts.len()).collect();
        let before = use_mut_ref(Vec::<usize>::new);
        use_effect_with(entered, move |now| {
            let old = std::mem::replace(&mut *before.borrow_mut(), now.clone());
            let grown: Vec<usize> =
                (0..now.len()).filter(|i| now[*i] > old.get(*i).copied().unwrap_or(0)).collect();
            if !old.is_empty()
                && !grown.contains(&active)
                && let [only] = grown[..]
            {
                active.set(only);
            }
        });
    }
    html! {
        <section class="term panel" aria-label={words.get("panel.terminal")}>
            <div class="term-tabs" role="tablist" aria-label={words.get("panel.terminal")}>
                { for props.screens.iter().enumerate().map(|(i, s)| {
                    let set = active.clone();
                    html! {
                        <button key={i} role="tab" aria-selected={(i == *active).to_string()}
                            onclick={Callback::from(move |_: MouseEvent| set.set(i))}>
                            { words.fill("term.tab", &[("n", &(i + 1).to_string())]) }
                            if s.running { <span class="runs" title={words.get("term.running")}></span> }
                        </button>
                    }
                }) }
            </div>
            <Console key={*active} term={*active as u8 + 1} {screen} playing={props.playing} readonly={props.readonly} session={props.session.clone()} />
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct ConsoleProps {
    term: u8,
    screen: Rc<Screen>,
    playing: bool,
    readonly: bool,
    session: Handle,
}

#[component]
fn Console(props: &ConsoleProps) -> Html {
    let words = use_words();
    let log = use_node_ref();
    let input = use_node_ref();
    let back = use_mut_ref(|| 0usize);
    {
        let log = log.clone();
        use_effect_with(props.screen.clone(), move |_| {
            if let Some(log) = log.cast::<Element>() {
                log.set_scroll_top(log.scroll_height());
            }
        });
    }
    let onkeydown = {
        let (session, term, screen) = (props.session.clone(), props.term, props.screen.clone());
        Callback::from(move |e: KeyboardEvent| {
            let field: HtmlInputElement = e.target_unchecked_into();
            let history = || -> Vec<String> {
                let lines = screen.parts.iter().filter_map(|p| match p {
                    Part::Entered(line) => Some(line.clone()),
                    Part::Output(..) => None,
                });
                lines.collect()
            };
            let recall = |step: isize| {
                let history = history();
                let n = back.borrow().saturating_add_signed(step).min(history.len());
                *back.borrow_mut() = n;
                let line = history.len().checked_sub(n).and_then(|i| history.get(i)).cloned();
                field.set_value(&line.unwrap_or_default());
            };
            match e.key().as_str() {
                "Enter" if !e.is_composing() => {
                    let line = field.value();
                    if !line.trim().is_empty() || screen.reads {
                        field.set_value("");
                        *back.borrow_mut() = 0;
                        session.line(term, line);
                    }
                }
                "ArrowUp" => {
                    e.prevent_default();
                    recall(1);
                }
                "ArrowDown" => {
                    e.prevent_default();
                    recall(-1);
                }
                "c" if e.ctrl_key() && field.selection_start() == field.selection_end() => {
                    e.prevent_default();
                    field.set_value("");
                    session.input(Input::Interrupt { term });
                }
                _ => {}
            }
        })
    };
    let onclick = {
        let input = input.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(field) = input.cast::<web_sys::HtmlElement>() {
                let _ = field.focus();
            }
        })
    };
    let stop = {
        let (session, term) = (props.session.clone(), props.term);
        Callback::from(move |_: MouseEvent| session.input(Input::Interrupt { term }))
    };
    let skip = props.screen.parts.len().saturating_sub(KEPT);
    html! {
        <div class="console">
            <div class="output" ref={log} role="log" aria-label={words.fill("term.output", &[("n", &props.term.to_string())])} tabindex="0">
                { for props.screen.parts.iter().enumerate().skip(skip).map(|(i, part)| match part {
                    Part::Entered(line) => html! { <p key={i} class="entered"><i>{ "$ " }</i>{ line.clone() }</p> },
                    Part::Output(stderr, text) => html! {
                        <pre key={i} class={classes!(stderr.then_some("stderr"))}>{ text.trim_end_matches('\n').to_owned() }</pre>
                    },
                }) }
                if props.screen.parts.is_empty() {
                    <p class="hint">{ words.get("term.hint") }</p>
                }
            </div>
            <div class="prompt" {onclick}>
                <i aria-hidden="true">{ if props.screen.running && !props.screen.reads { "…" } else { "$" } }</i>
                <input ref={input} type="text" spellcheck="false" autocapitalize="off" autocomplete="off"
                    disabled={props.readonly}
                    aria-label={words.fill("term.line", &[("n", &props.term.to_string())])}
                    placeholder={if props.screen.running { words.get("term.running") } else { "kubectl get pods -w".into() }}
                    {onkeydown} />
                if props.screen.running {
                    <button class="btn small" onclick={stop} title={words.get("term.stop")}>{ "^C" }</button>
                }
            </div>
            if !props.playing && props.screen.running {
                <p class="held">{ words.get("term.held") }</p>
            }
        </div>
    }
}
