//! Terminals: what was typed, what came out, and a line to type into.

use std::rc::Rc;

use podium_sim::recording::Input;
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, Element, HtmlElement, HtmlInputElement};
use yew::prelude::*;

use crate::ui::i18n::use_words;
use crate::ui::icons::Icon;
use crate::ui::keys::{Keys, Mode};
use crate::ui::screen::{Block, Ink, Screen};
use crate::ui::session::{Handle, TERMINALS};

/// Terminals that are there from the beginning.
const FIRST: u8 = 3;

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
    let active = use_state(|| 1u8);
    let opened = use_state(|| (1..=FIRST).collect::<Vec<u8>>());
    let tall = use_state(|| false);
    // a line that a button typed into another terminal is brought to sight
    {
        let (active, opened) = (active.clone(), opened.clone());
        let entered: Vec<usize> = props.screens.iter().map(|s| s.entered).collect();
        let before = use_mut_ref(Vec::<usize>::new);
        use_effect_with(entered, move |now| {
            let old = std::mem::replace(&mut *before.borrow_mut(), now.clone());
            let mut open = (*opened).clone();
            let mut grown = Vec::new();
            for (n, entered) in (1..).zip(now) {
                if *entered > old.get(usize::from(n) - 1).copied().unwrap_or(0) {
                    grown.push(n);
                    if !open.contains(&n) {
                        open.push(n);
                    }
                }
            }
            if open.len() > opened.len() {
                open.sort_unstable();
                opened.set(open);
            }
            if !old.is_empty()
                && !grown.contains(&active)
                && let [only] = grown[..]
            {
                active.set(only);
            }
        });
    }
    let add = {
        let (active, opened) = (active.clone(), opened.clone());
        Callback::from(move |_: MouseEvent| {
            if let Some(n) = (1..=TERMINALS).find(|n| !opened.contains(n)) {
                let mut open = (*opened).clone();
                open.push(n);
                open.sort_unstable();
                opened.set(open);
                active.set(n);
            }
        })
    };
    let close = {
        let (active, opened, session) = (active.clone(), opened.clone(), props.session.clone());
        let running = props.screens.get(usize::from(*active) - 1).is_some_and(|s| s.running);
        Callback::from(move |_: MouseEvent| {
            let mut open = (*opened).clone();
            let at = open.iter().position(|n| *n == *active).unwrap_or(0);
            open.retain(|n| *n != *active);
            if running {
                session.input(Input::Interrupt { term: *active });
            }
            session.clear(*active);
            active.set(open.get(at.saturating_sub(1)).copied().unwrap_or(1));
            opened.set(open);
        })
    };
    html! {
        <section class={classes!("term", "panel", tall.then_some("tall"))} aria-label={words.get("panel.terminal")}>
            <div class="term-tabs">
                <div class="term-tabs-in" role="tablist" aria-label={words.get("panel.terminal")}>
                { for opened.iter().map(|n| {
                    let (n, set) = (*n, active.clone());
                    let runs = props.screens.get(usize::from(n) - 1).is_some_and(|s| s.running);
                    html! {
                        <button key={n} role="tab" aria-selected={(n == *active).to_string()}
                            onclick={Callback::from(move |_: MouseEvent| set.set(n))}>
                            { words.fill("term.tab", &[("n", &n.to_string())]) }
                            if runs { <span class="runs" role="img" aria-label={words.get("term.running")} title={words.get("term.running")}></span> }
                        </button>
                    }
                }) }
                </div>
                if opened.len() < usize::from(TERMINALS) {
                    <button key="add" class="small" onclick={add} aria-label={words.get("term.add")} title={words.get("term.add")}><Icon name="plus" /></button>
                }
                if opened.len() > 1 {
                    <button key="close" class="small" onclick={close} aria-label={words.fill("term.close", &[("n", &active.to_string())])} title={words.fill("term.close", &[("n", &active.to_string())])}><Icon name="close" /></button>
                }
                <button key="tall" class="small grow" onclick={let tall = tall.clone(); Callback::from(move |_: MouseEvent| tall.set(!*tall))}
                    aria-pressed={tall.to_string()} aria-label={words.get("term.tall")} title={words.get("term.tall")}><Icon name="tall" /></button>
            </div>
            { for opened.iter().map(|n| html! {
                <Console key={*n} term={*n} shown={*n == *active} screen={props.screens.get(usize::from(*n) - 1).cloned().unwrap_or_default()}
                    playing={props.playing} readonly={props.readonly} session={props.session.clone()} />
            }) }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct ConsoleProps {
    term: u8,
    shown: bool,
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
    let low = use_mut_ref(|| true);
    let keys = use_mut_ref(Keys::default);
    let redraw = use_force_update();
    let Screen { running, reads, edits, .. } = *props.screen;
    // stays at the end while one reads there, and where it is while one reads above
    {
        let (log, low) = (log.clone(), low.clone());
        let pending = keys.borrow().pending.len();
        use_effect_with((props.screen.clone(), props.shown, pending), move |_| {
            if *low.borrow()
                && let Some(log) = log.cast::<Element>()
            {
                log.set_scroll_top(log.scroll_height());
            }
        });
    }
    let onscroll = {
        let low = low.clone();
        Callback::from(move |e: Event| {
            let log: Element = e.target_unchecked_into();
            *low.borrow_mut() = log.scroll_top() + log.client_height() + 24 >= log.scroll_height();
        })
    };
    // runs something on the keys' state, with the field
    let with = {
        let (keys, input, low) = (keys.clone(), input.clone(), low.clone());
        let (session, term) = (props.session.clone(), props.term);
        move |act: &dyn Fn(&mut Keys, &HtmlInputElement, &Handle, u8) -> bool| {
            let Some(field) = input.cast::<HtmlInputElement>() else { return false };
            let done = act(&mut keys.borrow_mut(), &field, &session, term);
            if done {
                *low.borrow_mut() = true;
                redraw.force_update();
            }
            done
        }
    };
    let onkeydown = {
        let (with, screen) = (with.clone(), props.screen.clone());
        Callback::from(move |e: KeyboardEvent| {
            if with(&|keys, field, session, term| keys.down(&e, field, &screen, session, term)) {
                e.prevent_default();
            }
        })
    };
    let oninput = {
        let with = with.clone();
        Callback::from(move |_: InputEvent| {
            with(&|keys, field, session, term| keys.typed(field, session, term));
        })
    };
    let onpaste = {
        let (with, screen) = (with.clone(), props.screen.clone());
        Callback::from(move |e: Event| {
            let e: ClipboardEvent = e.unchecked_into();
            let text = e.clipboard_data().and_then(|d| d.get_data("text").ok()).unwrap_or_default();
            if text.contains(['\n', '\r'])
                && with(&|keys, field, session, term| {
                    keys.paste(&text, field, &screen, session, term)
                })
            {
                e.prevent_default();
            }
        })
    };
    let focus = {
        let input = input.clone();
        move || {
            if let Some(field) = input.cast::<HtmlElement>() {
                let _ = field.focus();
            }
        }
    };
    let onclick = {
        let focus = focus.clone();
        Callback::from(move |_: MouseEvent| focus())
    };
    // a click that selects nothing goes on to the line, as in any terminal
    let pressed = use_mut_ref(|| (0, 0));
    let on_log_press = {
        let pressed = pressed.clone();
        Callback::from(move |e: MouseEvent| {
            *pressed.borrow_mut() = (e.client_x(), e.client_y());
        })
    };
    let on_log_click = {
        let focus = focus.clone();
        Callback::from(move |e: MouseEvent| {
            let (x, y) = *pressed.borrow();
            let moved = (e.client_x() - x).abs() + (e.client_y() - y).abs() > 3;
            if !moved && e.detail() == 1 && !e.shift_key() {
                focus();
            }
        })
    };
    // letters typed while the output has the focus go to the line
    let on_log_key = {
        let focus = focus.clone();
        Callback::from(move |e: KeyboardEvent| {
            let plain = !e.ctrl_key() && !e.meta_key() && !e.alt_key();
            if plain && e.key().chars().count() == 1 && e.key() != " " {
                focus();
            }
        })
    };
    // keys that a touch keyboard does not have; the line keeps the focus
    let touch = |act: fn(&mut Keys, &HtmlInputElement, &Screen, &Handle, u8)| {
        let (with, screen) = (with.clone(), props.screen.clone());
        Callback::from(move |e: PointerEvent| {
            e.prevent_default();
            with(&|keys, field, session, term| {
                act(keys, field, &screen, session, term);
                true
            });
        })
    };
    let on_tab = touch(Keys::tab);
    let on_up =
        touch(|k, field, screen, session, term| k.recall(true, field, screen, session, term));
    let stop = {
        let (session, term) = (props.session.clone(), props.term);
        Callback::from(move |_: MouseEvent| {
            session.input(Input::Interrupt { term });
            focus();
        })
    };
    let n = props.term.to_string();
    let keys = keys.borrow();
    let prompt = match (&keys.mode, running) {
        (Mode::Search { .. }, _) => "?",
        _ if !keys.pending.is_empty() => ">",
        (_, true) if reads => "",
        (_, true) => "…",
        _ => "$",
    };
    let last = props.screen.blocks.len().saturating_sub(2);
    html! {
        <div class="console" hidden={!props.shown}>
            <div class="output" ref={log} role="log" aria-label={words.fill("term.output", &[("n", &n)])} tabindex="0" {onscroll} onkeydown={on_log_key} onmousedown={on_log_press} onclick={on_log_click}>
                { for props.screen.blocks.iter().enumerate().map(|(i, block)| html! {
                    <Lines key={props.screen.first + i} block={block.clone()} whole={i < last} />
                }) }
                if !keys.pending.is_empty() {
                    <div key="pending" class="block">
                        { for keys.pending.iter().enumerate().map(|(i, line)| html! {
                            <div key={i} class="entered"><i>{ if i == 0 { "$ " } else { "> " } }</i>{ line.clone() }</div>
                        }) }
                    </div>
                }
                if props.screen.blocks.is_empty() && keys.pending.is_empty() {
                    <p key="hint" class="hint">{ words.get("term.hint") }</p>
                }
            </div>
            if let Mode::Search { query, found, .. } = &keys.mode {
                <p class="search" role="status">{ format!(
                    "({}reverse-i-search)`{query}': {}",
                    if found.is_none() && !query.is_empty() { "failed " } else { "" },
                    found.as_deref().unwrap_or("")
                ) }</p>
            }
            <div class="prompt" {onclick}>
                <i aria-hidden="true">{ prompt }</i>
                <input ref={input} type="text" spellcheck="false" autocapitalize="off" autocomplete="off" autocorrect="off"
                    disabled={props.readonly}
                    aria-label={words.fill(if keys.searching() { "term.search" } else { "term.line" }, &[("n", &n)])}
                    placeholder={if edits { words.get("term.edits") } else if running && !reads { words.get("term.running") } else if running { String::new() } else { "kubectl get pods -w".into() }}
                    {onkeydown} {oninput} {onpaste} />
                <button class="btn small touch" tabindex="-1" onpointerdown={on_up} aria-label={words.get("term.up")}>{ "↑" }</button>
                <button class="btn small touch" tabindex="-1" onpointerdown={on_tab} aria-label={words.get("term.complete")}>{ "⇥" }</button>
                if running {
                    <button class="btn small" onclick={stop} title={words.get("term.stop")}>{ "^C" }</button>
                }
            </div>
            if !props.playing && running && !edits {
                <p class="held">{ words.get("term.held") }</p>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct LinesProps {
    block: Rc<Block>,
    /// Nothing will be added: the browser may leave it out while it is not in sight.
    whole: bool,
}

/// Some lines of output.
#[component]
fn Lines(props: &LinesProps) -> Html {
    let lines = &props.block.lines;
    let style = if props.whole {
        format!("contain-intrinsic-size:auto none auto {}px", lines.len() * 18)
    } else {
        String::new()
    };
    html! {
        <div class={classes!("block", props.whole.then_some("far"))} ~style={style}>
            { for lines.iter().enumerate().map(|(i, line)| html! {
                <div key={i} class={line.iter().any(|(ink, _)| *ink == Ink::Prompt).then_some("entered")}>
                    { for line.iter().map(|(ink, text)| match ink {
                        Ink::Prompt => html! { <i>{ text.clone() }</i> },
                        Ink::Err => html! { <span class="stderr">{ text.clone() }</span> },
                        Ink::Typed | Ink::Out => html! { text.clone() },
                    }) }
                    // a line without text is a line
                    if line.iter().all(|(_, text)| text.is_empty()) { <br /> }
                </div>
            }) }
        </div>
    }
}
