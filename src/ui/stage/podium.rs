//! A workload: its title, its slots, pods and disks, and the cables between them.

use std::rc::Rc;

use podium_scene::layout::{GroupBox, SlotBox};
use podium_scene::{Disk, Group, Plug, Pod, PodState, Slot, Target};
use podium_sim::api::Kind;
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::i18n::{Words, use_words};
use crate::ui::icons::Icon;
use crate::ui::sight::use_growing;
use crate::ui::stage::{named, tint};

#[derive(Properties, PartialEq)]
pub(super) struct PodiumProps {
    pub(super) group: Rc<Group>,
    pub(super) place: GroupBox,
    /// The part of the stage that is in sight: from where to where down.
    pub(super) sight: (i32, i32),
    pub(super) target: Option<Target>,
    pub(super) controls: bool,
    pub(super) on_select: Callback<Option<Target>>,
    pub(super) on_act: Callback<Act>,
}

/// Places that come into sight at once; more follow in the next frames, so that none has to make
/// all of them.
const AT_ONCE: usize = 16;

#[component]
pub(super) fn Podium(props: &PodiumProps) -> Html {
    let PodiumProps { group, place, target, sight, .. } = props;
    let seen = |b: &SlotBox| !place.compact || b.all.y < sight.1 && b.all.y + b.all.h > sight.0;
    let chosen = |slot: &Slot| match target {
        Some(Target::Slot(set, n)) => *set == slot.set && Some(*n) == slot.ordinal,
        Some(Target::Object(key)) => {
            key.ns == slot.set.ns && key.kind == Kind::Pod && key.name == slot.name
        }
        None => false,
    };
    let disk = |slot: &Slot| match target {
        Some(Target::Object(key)) => slot.disks.iter().position(|d| d.key == *key),
        _ => None,
    };
    let count = group.slots.iter().zip(&place.slots).filter(|(_, b)| seen(b)).count();
    let shown = use_growing(count, AT_ONCE);
    html! {
        <section class={classes!("podium", group.leaving.then_some("leaving"), place.compact.then_some("compact"))}
            aria-label={format!("{} {}", group.key.kind.info().kind, group.key.name)}>
            <Title group={group.clone()} place={place.all} controls={props.controls}
                chosen={matches!(target, Some(Target::Object(k)) if *k == group.key)}
                on_select={props.on_select.clone()} on_act={props.on_act.clone()} />
            <div class="slots">
                { for group.slots.iter().zip(&place.slots).filter(|(_, b)| seen(b)).take(shown).map(|(slot, place_of)| html! {
                    <SlotCard key={slot.id.as_str()} slot={slot.clone()} place={place_of.clone()} compact={place.compact}
                        disks={group.disks} chosen={chosen(slot)} disk={disk(slot)} on_select={props.on_select.clone()} />
                }) }
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct TitleProps {
    group: Rc<Group>,
    place: podium_scene::layout::Rect,
    controls: bool,
    chosen: bool,
    on_select: Callback<Option<Target>>,
    on_act: Callback<Act>,
}

/// Name and state of the workload, and what can be done with it.
#[component]
fn Title(props: &TitleProps) -> Html {
    let words = use_words();
    let g = &props.group;
    let (x, y, w) = (props.place.x, props.place.y, props.place.w);
    let style = format!("transform:translate({x}px,{y}px);width:{w}px");
    if !g.exists {
        return html! {
            <div class="title" ~style={style}>
                <span class="title-name"><b>{ g.key.name.to_string() }</b></span>
                <span class="title-state">{ words.get("group.left") }</span>
            </div>
        };
    }
    let key = g.key.clone();
    let select = props.on_select.reform(move |_: MouseEvent| Some(Target::Object(key.clone())));
    let scale = |by: i64| {
        let act = Act::scale(&g.key, g.replicas + by);
        let command = act.command();
        (props.on_act.reform(move |_: MouseEvent| act.clone()), command)
    };
    let ((less, less_hint), (more, more_hint)) = (scale(-1), scale(1));
    let image = other_image(g);
    let roll = Act::image(&g.key, &image);
    let roll_hint = roll.command();
    let roll = props.on_act.reform(move |_: MouseEvent| roll.clone());
    let policy = if g.policy.is_empty() {
        String::new()
    } else {
        words.get(&format!("policy.{}", g.policy))
    };
    html! {
        <div class="title" ~style={style}>
            <button class={classes!("title-name", props.chosen.then_some("chosen"))} onclick={select}>
                <small>{ g.key.kind.info().kind }</small><b title={g.key.name.to_string()}>{ g.key.name.to_string() }</b>
            </button>
            <span class="title-state">
                <span class={classes!("count", (g.ready == g.replicas).then_some("full"))}>
                    { words.fill("group.ready", &[("ready", &g.ready.to_string()), ("n", &g.replicas.to_string())]) }
                </span>
                if g.updating { <span class="chip">{ words.get("group.updating") }</span> }
                if g.leaving { <span class="chip">{ words.get("state.terminating") }</span> }
                if !policy.is_empty() { <span class="wide">{ policy }</span> }
            </span>
            if props.controls && !g.leaving {
                <span class="title-acts">
                    <button class="btn small" onclick={less} disabled={g.replicas == 0} title={less_hint} aria-label={words.get("act.less")}><Icon name="minus" /></button>
                    <span class="replicas" aria-label={words.get("act.replicas")}>{ g.replicas }</span>
                    <button class="btn small" onclick={more} title={more_hint} aria-label={words.get("act.more")}><Icon name="plus" /></button>
                    <button class="btn small" onclick={roll} title={roll_hint}><Icon name="roll" /><span class="wide">{ words.get("act.roll") }</span></button>
                </span>
            }
        </div>
    }
}

/// An image; where there is no room for all of it, its tag is what is still read.
fn image(image: &str) -> Html {
    let (name, tag) = match image.rfind([':', '/']) {
        Some(at) if image[at..].starts_with(':') => image.split_at(at),
        _ => (image, ""),
    };
    html! { <code class="image" title={image.to_owned()}><span>{ name.to_owned() }</span><span>{ tag.to_owned() }</span></code> }
}

/// The image to update to: another version of the one that runs.
fn other_image(group: &Group) -> String {
    let now =
        group.slots.iter().filter_map(|s| s.pod.as_ref()).map(|p| p.image.as_str()).next_back();
    let image = now.unwrap_or("nginx-slim:0.24");
    let (name, tag) = image.split_once(':').unwrap_or((image, ""));
    let next = match tag {
        "0.24" => "0.27",
        "0.27" => "0.24",
        _ => "latest-2",
    };
    let prefix = if name == "nginx-slim" { "registry.k8s.io/" } else { "" };
    format!("{prefix}{name}:{next}")
}

#[derive(Properties, PartialEq)]
struct SlotProps {
    slot: Rc<Slot>,
    place: SlotBox,
    compact: bool,
    disks: usize,
    chosen: bool,
    /// Which of its disks is chosen.
    disk: Option<usize>,
    on_select: Callback<Option<Target>>,
}

/// One place: ordinal and name, pod or ghost, cable, disks.
#[component]
fn SlotCard(props: &SlotProps) -> Html {
    let words = use_words();
    let (slot, place) = (&props.slot, &props.place);
    let all = place.all;
    let style = format!(
        "transform:translate({}px,{}px);width:{}px;height:{}px",
        all.x, all.y, all.w, all.h
    );
    let hue = slot.ordinal.map(tint);
    let target = match (&slot.pod, slot.ordinal) {
        (Some(pod), _) => Some(Target::Object(pod.key.clone())),
        (None, Some(n)) => Some(Target::Slot(slot.set.clone(), n)),
        (None, None) => None,
    };
    let select = props.on_select.reform(move |_: MouseEvent| target.clone());
    let pod_style = format!("top:{}px;height:{}px", place.pod.y - all.y, place.pod.h);
    let class = classes!(
        "slot",
        hue,
        props.chosen.then_some("chosen"),
        (!slot.wanted).then_some("unwanted")
    );
    html! {
        <div {class} ~style={style}>
            <div class="slot-head" aria-hidden="true">
                if let Some(n) = slot.ordinal { <span class="ordinal">{ n }</span> }
                { named("slot-name", &slot.name) }
            </div>
            <div class="pod-place" ~style={pod_style}>
                if let Some(pod) = &slot.pod {
                    <PodCard key={pod.uid.as_str()} pod={pod.clone()} compact={props.compact} on_click={select} />
                } else {
                    <button key="ghost" class="ghost" onclick={select}>
                        if !props.compact {
                            <b>{ words.get(if slot.wanted { "slot.empty" } else { "slot.left" }) }</b>
                        }
                        if let Some(wait) = slot.wait.as_ref().filter(|_| !props.compact) { <span>{ words.say(wait) }</span> }
                        <span class="sr">{ slot.name.to_string() }</span>
                    </button>
                }
            </div>
            if !place.disks.is_empty() {
                <Cables slot={slot.clone()} place={place.clone()} />
                <div class="disks">
                    { for place.disks.iter().enumerate().map(|(i, rect)| {
                        let style = format!("top:{}px;height:{}px", rect.y - all.y, rect.h);
                        match slot.disks.get(i) {
                            Some(disk) => html! {
                                <DiskCard key={disk.uid.as_str()} disk={disk.clone()} {style} compact={props.compact} chosen={props.disk == Some(i)} on_select={props.on_select.clone()} />
                            },
                            None => html! {
                                <div key={format!("none-{i}")} class="disk none" ~style={style}>
                                    if !props.compact { <span>{ words.get("slot.no-claim") }</span> }
                                </div>
                            },
                        }
                    }) }
                </div>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct PodProps {
    pod: Rc<Pod>,
    compact: bool,
    on_click: Callback<MouseEvent>,
}

/// What a card says instead of a state when there is a technical word for it.
fn word_of(words: &Words, pod: &Pod) -> String {
    let known =
        pod.reason.is_empty() || matches!(pod.state, PodState::Succeeded | PodState::Unschedulable);
    if known { words.get(&format!("state.{}", pod.state.name())) } else { pod.reason.to_string() }
}

#[component]
fn PodCard(props: &PodProps) -> Html {
    let words = use_words();
    let pod = &props.pod;
    let state = pod.state.name();
    let word = word_of(&words, pod);
    let class = classes!(
        "pod",
        format!("s-{state}"),
        pod.outdated.then_some("old"),
        pod.node_down.then_some("dark")
    );
    if props.compact {
        return html! {
            <button {class} onclick={props.on_click.clone()} title={format!("{} · {word}", pod.key.name)}
                aria-label={format!("{}: {word}", pod.key.name)}>
                <Icon name={state} />
            </button>
        };
    }
    let dash = |s: &str| if s.is_empty() { "–".to_owned() } else { s.to_owned() };
    let busy = matches!(
        pod.state,
        PodState::Scheduled
            | PodState::Attaching
            | PodState::Pulling
            | PodState::Starting
            | PodState::Terminating
    );
    html! {
        <button {class} onclick={props.on_click.clone()} aria-label={format!("{}: {word}", pod.key.name)}>
            <span class="pod-top">
                <span class={classes!("badge", format!("s-{state}"))}><Icon name={state} />{ word }</span>
                if pod.restarts > 0 { <span class="restarts" title={words.get("pod.restarts")}>{ format!("↻ {}", pod.restarts) }</span> }
            </span>
            <span class="fact"><i>{ "IP" }</i><code>{ dash(&pod.ip) }</code></span>
            <span class="fact"><i>{ words.get("pod.node") }</i><code>{ dash(&pod.node) }</code>
                if pod.node_down { <em>{ words.get("node.lost") }</em> }
            </span>
            <span class="fact"><i>{ words.get("pod.image") }</i>{ image(&pod.image) }
                if pod.outdated { <em>{ words.get("pod.old") }</em> }
            </span>
            <span class={classes!("bar", busy.then_some("busy"))}></span>
        </button>
    }
}

#[derive(Properties, PartialEq)]
struct DiskProps {
    disk: Rc<Disk>,
    style: String,
    compact: bool,
    chosen: bool,
    on_select: Callback<Option<Target>>,
}

#[component]
fn DiskCard(props: &DiskProps) -> Html {
    let words = use_words();
    let d = &props.disk;
    let key = d.key.clone();
    let onclick = props.on_select.reform(move |_: MouseEvent| Some(Target::Object(key.clone())));
    let class = classes!(
        "disk",
        tint(d.tint),
        format!("p-{}", d.plug.name()),
        (d.phase != "Bound").then_some("unbound"),
        props.chosen.then_some("chosen")
    );
    let on = if d.plug == Plug::In && !d.node.is_empty() { ".on" } else { "" };
    let state = words.fill(&format!("plug.{}{on}", d.plug.name()), &[("node", &d.node)]);
    // a claim without a volume has no size yet
    let size = if d.phase == "Bound" { &d.size } else { &d.phase }.to_string();
    if props.compact {
        return html! {
            <button {class} ~style={props.style.clone()} {onclick} aria-label={format!("{}: {state}", d.key.name)} title={format!("{} · {state}", d.key.name)}>
                <span class="pattern"></span>
            </button>
        };
    }
    html! {
        <button {class} ~style={props.style.clone()} {onclick} aria-label={format!("{}: {} {state}", d.key.name, d.phase)}>
            <span class="pattern"></span>
            <span class="disk-top">{ named("disk-name", &d.key.name) }<span class="disk-size">{ size }</span></span>
            if d.files.is_empty() {
                <span class="file-line none">{ words.get(if d.volume.is_empty() { "disk.no-volume" } else { "disk.blank" }) }</span>
            }
            <span class="disk-files">
                { for d.files.iter().map(|(name, text)| html! {
                    <span class="file-line" key={name.as_str()}><code>{ name.trim_start_matches('/').to_owned() }</code>{ format!(" “{text}”") }</span>
                }) }
            </span>
            <span class="disk-state">{ state }</span>
        </button>
    }
}

#[derive(Properties, PartialEq)]
struct CablesProps {
    slot: Rc<Slot>,
    place: SlotBox,
}

/// A cable for each disk: plugged in, on its way, pulled out.
#[component]
fn Cables(props: &CablesProps) -> Html {
    let all = props.place.all;
    let n = props.place.disks.len() as i32;
    let top = props.place.pod.y + props.place.pod.h - all.y;
    html! {
        <svg class="cables" width={all.w.to_string()} height={all.h.to_string()} aria-hidden="true">
            { for props.slot.disks.iter().enumerate().filter_map(|(i, d)| {
                let rect = props.place.disks.get(i)?;
                // several disks: cables side by side, past the disks above
                let x = if i == 0 { all.w / 2 } else { all.w - 16 - 14 * (n - 1 - i as i32) };
                let bottom = rect.y - all.y + if i == 0 { 0 } else { rect.h / 2 };
                let length = bottom - top;
                let loose = match d.plug {
                    Plug::In => 0,
                    Plug::Going | Plug::Leaving => length * 2 / 5,
                    Plug::Out | Plug::Empty => length * 3 / 5,
                };
                let end = top + loose;
                Some(html! {
                    <g key={d.uid.as_str()} class={classes!("cable", format!("p-{}", d.plug.name()))}>
                        <circle class="socket" cx={x.to_string()} cy={top.to_string()} r="5" />
                        <path class="wire" d={format!("M{x} {bottom}V{top}")} ~style={format!("stroke-dasharray:{} {length}", length - loose)} />
                        <path class="dots" d={format!("M{x} {end}V{top}")} />
                        <circle class="plug" cx={x.to_string()} cy="0" r="6" ~style={format!("transform:translateY({end}px)")} />
                    </g>
                })
            }) }
        </svg>
    }
}
