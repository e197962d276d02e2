//! Cards beside the podiums: clients and nodes.

use std::rc::Rc;

use podium_scene::layout::Rect;
use podium_scene::{Asked, Client, NodeItem, PodState, Target};
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::i18n::use_words;
use crate::ui::icons::Icon;
use crate::ui::stage::{placed, tint};

#[derive(Properties, PartialEq)]
pub(super) struct ClientProps {
    pub(super) client: Rc<Client>,
    pub(super) place: Rect,
    pub(super) chosen: bool,
    pub(super) controls: bool,
    pub(super) on_select: Callback<Option<Target>>,
    pub(super) on_act: Callback<Act>,
}

/// A pod that asks.
#[component]
pub(super) fn ClientCard(props: &ClientProps) -> Html {
    let words = use_words();
    let pod = &props.client.pod;
    let key = pod.key.clone();
    let select = props.on_select.reform(move |_: MouseEvent| Some(Target::Object(key.clone())));
    let state = pod.state.name();
    let (said, bad) = match &props.client.asked {
        None => (words.get("client.idle"), false),
        Some(Asked::Name(name, _, false)) => (format!("{name} ?"), false),
        Some(Asked::Name(name, answer, true)) if answer.is_empty() => {
            (format!("{name} → NXDOMAIN"), true)
        }
        Some(Asked::Name(name, answer, true)) => (format!("{name} → {answer}"), false),
        Some(Asked::Address(ip, _, false)) => (format!("→ {ip}"), false),
        Some(Asked::Address(ip, Some(server), true)) => (format!("{ip} → {server}"), false),
        Some(Asked::Address(ip, None, true)) => (words.fill("client.dead", &[("ip", ip)]), true),
    };
    let ip = props.client.remembers.as_ref().map_or_else(String::new, |(ip, _)| ip.to_string());
    let act = Act::Remembered(pod.key.name.to_string(), ip);
    let hint = act.command();
    let shoot = props.on_act.reform(move |_: MouseEvent| act.clone());
    html! {
        <div class={classes!("client", format!("s-{state}"), props.chosen.then_some("chosen"))} ~style={placed(props.place)}>
            <button class="client-main" onclick={select} aria-label={format!("{}: {said}", pod.key.name)}>
                <span class="client-name"><b>{ pod.key.name.to_string() }</b>
                    <span class={classes!("badge", "mini", format!("s-{state}"))} title={words.get(&format!("state.{state}"))}><Icon name={state} /></span>
                </span>
                <code class={classes!("said", bad.then_some("bad"))}>{ said }</code>
            </button>
            <div class="memory">
                if let Some((ip, _)) = &props.client.remembers {
                    <span>{ words.fill("client.remembers", &[("ip", ip)]) }</span>
                    if props.controls && pod.state == PodState::Ready {
                        <button class="btn small" onclick={shoot} title={hint} aria-label={words.get("act.remembered")}><Icon name="shot" /></button>
                    }
                } else {
                    <span class="soft">{ words.get("client.knows-nothing") }</span>
                }
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct NodeProps {
    pub(super) node: Rc<NodeItem>,
    pub(super) place: Rect,
    pub(super) chosen: bool,
    pub(super) controls: bool,
    pub(super) on_select: Callback<Option<Target>>,
    pub(super) on_act: Callback<Act>,
}

/// A node with the pods on it.
#[component]
pub(super) fn NodeCard(props: &NodeProps) -> Html {
    let words = use_words();
    let n = &props.node;
    let key = n.key.clone();
    let select = props.on_select.reform(move |_: MouseEvent| Some(Target::Object(key.clone())));
    let name = n.key.name.to_string();
    let act = if n.silent { Act::NodeUp(name.clone()) } else { Act::NodeDown(name.clone()) };
    let power = props.on_act.reform(move |_: MouseEvent| act.clone());
    let state = if !n.ready {
        "node.lost"
    } else if n.silent {
        "node.silent"
    } else if n.cordoned {
        "node.cordoned"
    } else {
        "node.ready"
    };
    let class = classes!(
        "node",
        (!n.ready).then_some("lost"),
        n.silent.then_some("silent"),
        n.cordoned.then_some("cordoned"),
        (n.pods.len() > 8).then_some("many"),
        props.chosen.then_some("chosen"),
    );
    html! {
        <div {class} ~style={placed(props.place)}>
            <button class="node-main" onclick={select} aria-label={format!("{name}: {}", words.get(state))}>
                <span class="node-top"><Icon name="node" /><b>{ name }</b><small>{ words.get(state) }</small></span>
                <span class="lodgers">
                    { for n.pods.iter().map(|(pod, ordinal, state)| html! {
                        <i key={pod.as_str()} class={classes!("lodger", ordinal.map(tint), format!("s-{}", state.name()))} title={pod.to_string()}>
                            { ordinal.map_or_else(|| "·".to_owned(), |n| n.to_string()) }
                        </i>
                    }) }
                </span>
            </button>
            if props.controls {
                <button class="btn small power" onclick={power} aria-pressed={n.silent.to_string()}
                    title={words.get(if n.silent { "act.node-up" } else { "act.node-down" })}
                    aria-label={words.fill(if n.silent { "act.node-up.of" } else { "act.node-down.of" }, &[("name", &n.key.name)])}>
                    <Icon name="power" />
                </button>
            }
        </div>
    }
}
