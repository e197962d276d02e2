//! The name board: names stay, addresses flip.

use std::rc::Rc;

use podium_scene::layout::Rect;
use podium_scene::{Board, Row, Target};
use yew::prelude::*;

use crate::ui::acts::{Act, CLIENT};
use crate::ui::i18n::use_words;
use crate::ui::icons::Icon;
use crate::ui::stage::{named, placed, tint};

/// Flaps of a line: as many as an address can have.
const FLAPS: usize = 13;

#[derive(Properties, PartialEq)]
pub(super) struct BoardProps {
    pub(super) board: Rc<Board>,
    pub(super) place: Rect,
    pub(super) client: Option<String>,
    pub(super) controls: bool,
    pub(super) on_select: Callback<Option<Target>>,
    pub(super) on_act: Callback<Act>,
}

#[component]
pub(super) fn BoardCard(props: &BoardProps) -> Html {
    let words = use_words();
    let b = &props.board;
    let key = b.key.clone();
    let zone = format!("{}.{}.svc.cluster.local", b.key.name, b.key.ns);
    let select = props.on_select.reform(move |_: MouseEvent| Some(Target::Object(key.clone())));
    let narrow = props.place.w < 420;
    html! {
        <section class={classes!("board", narrow.then_some("narrow"))} ~style={placed(props.place)}
            aria-label={words.fill("board.label", &[("name", &b.key.name)])}>
            <button class="board-head" onclick={select}>
                <span title={zone.clone()}>{ format!("DNS · {zone}") }</span>
                <b>{ if b.headless { "HEADLESS".to_owned() } else { format!("ClusterIP → {}", words.fill("board.backends", &[("n", &b.backends.len().to_string())])) } }</b>
            </button>
            <div class="rows" role="table">
                { for b.rows.iter().map(|row| html! {
                    <Line key={row.name.as_str()} row={row.clone()} headless={b.headless}
                        client={props.client.clone()} controls={props.controls} on_act={props.on_act.clone()} />
                }) }
            </div>
            if b.more > 0 {
                <p class="more">{ words.fill("board.more", &[("n", &b.more.to_string())]) }</p>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    row: Row,
    headless: bool,
    client: Option<String>,
    controls: bool,
    on_act: Callback<Act>,
}

#[component]
fn Line(props: &LineProps) -> Html {
    let words = use_words();
    let row = &props.row;
    let first = row.ips.first();
    let shown = first.map_or("NXDOMAIN", |ip| ip.as_str());
    let act =
        Act::Lookup(props.client.clone().unwrap_or_else(|| CLIENT.into()), row.name.to_string());
    let hint = act.command();
    let ask = props.on_act.reform(move |_: MouseEvent| act.clone());
    let class = classes!(
        "row",
        row.tint.map(tint),
        row.dim.then_some("dim"),
        first.is_none().then_some("nx"),
        row.whole.then_some("whole"),
    );
    let answer = if row.ips.len() > 1 {
        words.fill("board.list", &[("n", &row.count.to_string()), ("ip", shown)])
    } else {
        shown.to_owned()
    };
    html! {
        <div {class} role="row">
            <span class="name" role="rowheader">{ named("", &row.name) }
                if props.controls {
                    <button class="ask" onclick={ask} title={hint} aria-label={words.fill("act.lookup", &[("name", &row.name)])}><Icon name="search" /></button>
                }
            </span>
            <span class="answer" role="cell" aria-label={answer}>
                if row.whole && row.ips.len() > 1 {
                    <span class="list" aria-hidden="true">{ words.fill("board.all", &[("n", &row.count.to_string())]) }</span>
                } else {
                    <Flaps text={shown.to_owned()} />
                }
            </span>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct FlapsProps {
    text: String,
}

/// Little flaps: one that changes is a new element, and turns.
#[component]
fn Flaps(props: &FlapsProps) -> Html {
    let letters: Vec<char> = props.text.chars().collect();
    let n = FLAPS.max(letters.len());
    html! {
        <span class="flaps" aria-hidden="true">
            { for (0..n).map(|i| {
                let c = letters.get(i).copied().unwrap_or(' ');
                html! { <i key={format!("{i}{c}")} ~style={format!("--i:{i}")}>{ c }</i> }
            }) }
        </span>
    }
}
