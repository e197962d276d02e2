//! Time: transport, speed, branches, and a lane for everything that has a history.

use std::rc::Rc;

use podium_scene::lanes::{Lane, LaneKind};
use web_sys::{Element, HtmlInputElement, HtmlSelectElement, PointerEvent};
use yew::prelude::*;

use crate::ui::i18n::use_words;
use crate::ui::icons::Icon;
use crate::ui::options::clock;
use crate::ui::session::{Frame, Handle, SPEEDS};
use crate::ui::sight::{use_growing, use_sight, use_size};

#[derive(Properties, PartialEq)]
pub(crate) struct TimelineProps {
    pub(crate) frame: Rc<Frame>,
    pub(crate) session: Handle,
}

/// Spans that the lanes can show, seconds: a nice number that holds the whole history.
const SPANS: [u64; 16] =
    [10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1800, 3600, 7200];

/// Height of a lane, pixels, as in podium.css.
const LANE: i32 = 21;
/// How far the lanes are scrolled is looked at in steps of this many pixels.
const STRIDE: i32 = 4 * LANE;
/// Lanes that come into sight at once.
const AT_ONCE: usize = 8;

/// Height of so many lanes, pixels.
fn height_of(lanes: usize) -> i32 {
    lanes as i32 * LANE + 4
}

fn span(end: u64) -> u64 {
    let seconds = end / 1_000_000 + 1;
    SPANS.into_iter().find(|s| *s > seconds).unwrap_or(seconds * 5 / 4)
}

fn seconds(at: u64) -> f64 {
    at as f64 / 1e6
}

/// Between slow and fast on a log scale, 0 to 100.
fn slider(speed: u32) -> i32 {
    let (low, high) = (f64::from(SPEEDS.0).ln(), f64::from(SPEEDS.1).ln());
    ((f64::from(speed).ln() - low) / (high - low) * 100.0).round() as i32
}

fn from_slider(value: f64) -> u32 {
    let (low, high) = (f64::from(SPEEDS.0).ln(), f64::from(SPEEDS.1).ln());
    let raw = (low + value / 100.0 * (high - low)).exp();
    // nice numbers: 1, 2, 5 and tens of them
    let nice = [50u32, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];
    nice.into_iter()
        .min_by_key(|n| ((f64::from(*n).ln() - raw.ln()).abs() * 1e6) as i64)
        .unwrap_or(1000)
}

fn speed_text(speed: u32) -> String {
    if speed.is_multiple_of(1000) {
        format!("{}×", speed / 1000)
    } else {
        format!("{}×", f64::from(speed) / 1000.0)
    }
}

#[component]
pub(crate) fn TimelinePanel(props: &TimelineProps) -> Html {
    let words = use_words();
    let f = &props.frame;
    let span = span(f.end);
    let session = props.session.clone();
    let click = move |run: fn(&Handle)| {
        let session = session.clone();
        Callback::from(move |_: MouseEvent| run(&session))
    };
    let toggle = if f.playing { click(|s| s.pause()) } else { click(|s| s.play()) };
    let on_speed = {
        let session = props.session.clone();
        Callback::from(move |e: InputEvent| {
            let field: HtmlInputElement = e.target_unchecked_into();
            session.set_speed(from_slider(field.value_as_number()));
        })
    };
    let on_branch = {
        let session = props.session.clone();
        Callback::from(move |e: Event| {
            let select: HtmlSelectElement = e.target_unchecked_into();
            if let Ok(id) = select.value().parse() {
                session.switch(id);
            }
        })
    };
    let state = if !f.playing {
        "time.paused"
    } else if f.resting {
        "time.resting"
    } else {
        "time.playing"
    };
    html! {
        <section class="time panel" aria-label={words.get("panel.timeline")}>
            <div class="transport">
                <button class="btn" onclick={click(|s| { s.pause(); s.seek(0); })} aria-label={words.get("time.first")} title={words.get("time.first")}><Icon name="first" /></button>
                <button class="btn" onclick={click(|s| s.step(-1))} title={words.get("time.back.hint")}><Icon name="back" /><span>{ words.get("time.event") }</span></button>
                <button class={classes!("btn", "main", "play")} onclick={toggle} aria-label={words.get(if f.playing { "time.pause" } else { "time.play" })} title={words.get(if f.playing { "time.pause" } else { "time.play" })}>
                    <Icon name={if f.playing { "pause" } else { "play" }} />
                </button>
                <button class="btn" onclick={click(|s| s.step(1))} title={words.get("time.forth.hint")}><span>{ words.get("time.event") }</span><Icon name="forth" /></button>
                <button class="btn" onclick={click(|s| { s.pause(); s.settle(); })} aria-label={words.get("time.settle")} title={words.get("time.settle")}><Icon name="last" /></button>
                <output class="now">{ clock(f.at) }</output>
                <span class={classes!("chip", "state", state.strip_prefix("time."))}>{ words.get(state) }</span>
                <label class="speed">
                    <span>{ words.get("time.speed") }</span>
                    <input type="range" min="0" max="100" step="1" value={slider(f.speed).to_string()} oninput={on_speed} aria-valuetext={speed_text(f.speed)} />
                    <b>{ speed_text(f.speed) }</b>
                </label>
                if f.branches.len() > 1 {
                    <label class="pick branch">
                        <span class="sr">{ words.get("time.branch") }</span>
                        <select onchange={on_branch}>
                            { for f.branches.iter().map(|b| html! {
                                <option key={b.id} value={b.id.to_string()} selected={Some(b.id) == f.branches.first().map(|b| b.id)}>
                                    { if b.id == 0 { words.get("time.main") } else { words.fill("time.branch.n", &[("n", &b.id.to_string())]) } }
                                </option>
                            }) }
                        </select>
                    </label>
                }
            </div>
            <Track lanes={f.lanes.clone()} at={f.at} end={f.end} {span} session={props.session.clone()} />
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct TrackProps {
    lanes: Rc<Vec<Rc<Lane>>>,
    at: u64,
    end: u64,
    span: u64,
    session: Handle,
}

#[component]
fn Track(props: &TrackProps) -> Html {
    let words = use_words();
    let node = use_node_ref();
    let (_, height) = use_size(&node);
    let (sight, onscroll) = use_sight(&node, height, STRIDE);
    let ground = use_node_ref();
    let held = use_mut_ref(|| false);
    let go = {
        let (session, ground, span) = (props.session.clone(), ground.clone(), props.span);
        move |x: f64| {
            let Some(ground) = ground.cast::<Element>() else { return };
            let r = ground.get_bounding_client_rect();
            let part = ((x - r.left()) / r.width().max(1.0)).clamp(0.0, 1.0);
            session.seek((part * span as f64 * 1e6) as u64);
        }
    };
    let onpointerdown = {
        let (go, held, ground) = (go.clone(), held.clone(), ground.clone());
        let session = props.session.clone();
        Callback::from(move |e: PointerEvent| {
            if e.button() != 0 {
                return;
            }
            *held.borrow_mut() = true;
            if let Some(ground) = ground.cast::<Element>() {
                let _ = ground.set_pointer_capture(e.pointer_id());
            }
            session.pause();
            go(f64::from(e.client_x()));
        })
    };
    let onpointermove = {
        let held = held.clone();
        Callback::from(move |e: PointerEvent| {
            if *held.borrow() {
                go(f64::from(e.client_x()));
            }
        })
    };
    let onpointerup = Callback::from(move |_: PointerEvent| *held.borrow_mut() = false);
    let onkeydown = {
        let (session, at, end) = (props.session.clone(), props.at, props.end);
        Callback::from(move |e: KeyboardEvent| {
            match e.key().as_str() {
                "ArrowLeft" | "ArrowDown" => session.step(-1),
                "ArrowRight" | "ArrowUp" => session.step(1),
                "PageDown" => session.seek(at.saturating_sub(1_000_000)),
                "PageUp" => session.seek(at + 1_000_000),
                "Home" => session.seek(0),
                "End" => session.seek(end),
                " " => {
                    if session.playing() {
                        session.pause();
                    } else {
                        session.play();
                    }
                }
                _ => return,
            }
            e.prevent_default();
        })
    };
    let style = format!("--span:{}", props.span);
    // only these two change with every frame: nothing else has to be laid out again
    let now = format!("--at:{:.3}", seconds(props.at));
    let end = format!("--end:{:.3}", seconds(props.end));
    let step = [1u64, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800]
        .into_iter()
        .find(|s| props.span / s <= 6)
        .unwrap_or(3600);
    let ticks: Vec<u64> = (0..=props.span / step).map(|i| i * step).collect();
    html! {
        <div class="track" ~style={style}>
            <div class="lanes" ref={node} {onscroll}>
                <Rows lanes={props.lanes.clone()} {sight} />
                <div class="ground" ~style={format!("height:{}px", height_of(props.lanes.len()))} ref={ground} {onpointerdown} {onpointermove} {onpointerup}>
                    <div class="beyond" ~style={end}></div>
                    <div class="ticks">
                        { for ticks.iter().map(|t| html! { <i key={*t} ~style={format!("--f:{t}")}></i> }) }
                    </div>
                    <div class="cursor" ~style={now} role="slider" tabindex="0" {onkeydown}
                        aria-label={words.get("time.cursor")} aria-valuemin="0"
                        aria-valuemax={(props.end / 1_000_000).to_string()}
                        aria-valuenow={(props.at / 1_000_000).to_string()} aria-valuetext={clock(props.at)}></div>
                </div>
            </div>
            <div class="scale" aria-hidden="true">
                { for ticks.iter().map(|t| html! { <span key={*t} class={(*t == props.span).then_some("end")} ~style={format!("--f:{t}")}>{ tick(*t) }</span> }) }
            </div>
        </div>
    }
}

fn tick(seconds: u64) -> String {
    if seconds >= 60 && seconds.is_multiple_of(60) {
        format!("{} min", seconds / 60)
    } else if seconds > 60 {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    } else {
        format!("{seconds} s")
    }
}

/// A long name loses its middle: what tells it from others is at its end.
fn short(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= 14 {
        return name.to_owned();
    }
    let (head, tail) = (&letters[..6], &letters[letters.len() - 7..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

fn lane_id(lane: &Lane) -> String {
    lane.key
        .as_ref()
        .map_or_else(|| format!("{:?}", lane.kind), |k| format!("{:?}/{}/{}", k.kind, k.ns, k.name))
}

#[derive(Properties, PartialEq)]
struct RowsProps {
    lanes: Rc<Vec<Rc<Lane>>>,
    sight: (i32, i32),
}

/// The lanes that are in sight, and room for the others.
#[component]
fn Rows(props: &RowsProps) -> Html {
    let words = use_words();
    let count = props.lanes.len() as i32;
    let first = (props.sight.0 / LANE).clamp(0, count);
    let last = (props.sight.1 / LANE + 1).clamp(first, count);
    let shown = use_growing((last - first) as usize, AT_ONCE);
    let style = format!("padding-top:{}px;height:{}px", first * LANE, height_of(props.lanes.len()));
    html! {
        <div class="rows" ~style={style}>
            { for props.lanes.iter().take(last as usize).skip(first as usize).take(shown).map(|lane| html! {
                <LaneRow key={lane_id(lane)} lane={lane.clone()} />
            }) }
            if props.lanes.is_empty() {
                <p class="soft none">{ words.get("time.nothing") }</p>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct LaneProps {
    lane: Rc<Lane>,
}

#[component]
fn LaneRow(props: &LaneProps) -> Html {
    let words = use_words();
    let lane = &props.lane;
    let label = match (&lane.key, lane.kind) {
        (Some(key), _) => short(&key.name),
        (None, LaneKind::You) => words.get("lane.you"),
        (None, _) => words.get("lane.dns"),
    };
    html! {
        <div class={classes!("lane", format!("k-{:?}", lane.kind).to_lowercase())}>
            <span class="lane-name" title={lane.key.as_ref().map(|k| k.name.to_string())}>{ label }</span>
            <div class="lane-track">
                <div class="segments">
                    { for lane.segments.iter().map(|s| {
                        let until = s.until.map(|u| format!(";--u:{:.3}", seconds(u))).unwrap_or_default();
                        html! {
                            <i key={s.from} class={classes!("seg", format!("s-{}", s.state), s.until.is_none().then_some("open"))}
                                ~style={format!("--f:{:.3}{until}", seconds(s.from))}
                                title={words.get(&format!("state.{}", s.state))}></i>
                        }
                    }) }
                </div>
                <div class="marks">
                    { for lane.marks.iter().enumerate().map(|(i, m)| html! {
                        <i key={i} class={classes!("mark", m.bad.then_some("bad"))} ~style={format!("--f:{:.3}", seconds(m.at))} title={m.text.to_string()}></i>
                    }) }
                </div>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_slider_gives_nice_numbers_back() {
        for speed in [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000] {
            assert_eq!(from_slider(f64::from(slider(speed))), speed);
        }
    }

    #[test]
    fn spans_hold_the_history() {
        assert_eq!(span(0), 10);
        assert_eq!(span(14_900_000), 20);
        assert!(span(9_000_000_000) > 9000);
    }
}
