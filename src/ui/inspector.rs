//! Why: what is selected, what made it so, and why the next thing has not happened yet.

use std::rc::Rc;

use podium_scene::Target;
use podium_scene::history::{self, Step};
use podium_scene::why::Why;
use podium_sim::api::{Key, Kind};
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::i18n::{Words, use_words};
use crate::ui::icons::Icon;
use crate::ui::options::clock;
use crate::ui::session::Handle;
use crate::ui::sight::use_calm;

#[derive(Properties, PartialEq)]
pub(crate) struct InspectorProps {
    pub(crate) why: Option<Rc<Why>>,
    pub(crate) target: Option<Target>,
    pub(crate) session: Handle,
    pub(crate) len: u64,
    pub(crate) controls: bool,
    pub(crate) on_select: Callback<Option<Target>>,
    pub(crate) on_act: Callback<Act>,
}

#[component]
pub(crate) fn Inspector(props: &InspectorProps) -> Html {
    let words = use_words();
    let tab = use_state(|| "why");
    let Some(why) = &props.why else {
        return html! {
            <aside class="why panel" aria-label={words.get("panel.why")}>
                <h2>{ words.get("log.title") }</h2>
                <p class="soft">{ words.get("why.none") }</p>
                <Recent session={props.session.clone()} len={props.len} on_select={props.on_select.clone()} />
            </aside>
        };
    };
    let close = props.on_select.reform(|_: MouseEvent| None);
    let tabs = ["why", "history", "events", "yaml"];
    html! {
        <aside class="why panel" aria-label={words.get("panel.why")}>
            <div class="why-head">
                <h2>{ why.title.to_string() }</h2>
                <button class="btn bare" onclick={close} aria-label={words.get("close")}><Icon name="close" /></button>
            </div>
            <p class="soft">{ words.say(&why.subtitle) }</p>
            <div class="subtabs" role="tablist">
                { for tabs.iter().filter(|t| **t != "yaml" || why.object.is_some()).map(|name| {
                    let (name, set) = (*name, tab.clone());
                    html! {
                        <button key={name} role="tab" aria-selected={(*tab == name).to_string()}
                            onclick={Callback::from(move |_: MouseEvent| set.set(name))}>{ words.get(&format!("why.tab.{name}")) }</button>
                    }
                }) }
            </div>
            <div class="why-body">
                { match *tab {
                    "yaml" => html! { <Yaml session={props.session.clone()} of={why.object.clone()} len={props.len} /> },
                    "events" => events(&words, why),
                    "history" => html! { <Steps steps={why.history.clone()} rules={true} on_select={props.on_select.clone()} /> },
                    _ => because(&words, why, props),
                } }
            </div>
        </aside>
    }
}

/// The answer, the acts and the chain of causes.
fn because(words: &Words, why: &Why, props: &InspectorProps) -> Html {
    html! {
        <div class="because">
            if !why.because.is_empty() {
                <div class="answer-card">
                    <p class="question">{ words.get(&why.question) }</p>
                    <div>{ for why.because.iter().enumerate().map(|(i, m)| html! { <p key={i} class={m.key.starts_with("wait.").then_some("cap")}>{ words.say(m) }</p> }) }</div>
                </div>
            }
            if props.controls {
                <Acts of={why.object.clone()} on_act={props.on_act.clone()} />
            }
            if !why.chain.is_empty() {
                <h3>{ words.get("why.chain") }</h3>
                <Steps steps={why.chain.clone()} rules={true} on_select={props.on_select.clone()} />
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ActsProps {
    of: Option<Key>,
    on_act: Callback<Act>,
}

/// Buttons for the selected thing, with the command that each of them is.
#[component]
fn Acts(props: &ActsProps) -> Html {
    let words = use_words();
    let acts: Vec<(&str, Act)> = match &props.of {
        Some(key) => match key.kind {
            Kind::Pod => vec![
                ("act.delete", Act::delete(key)),
                (
                    "act.describe",
                    Act::Line(format!("kubectl describe pod {} -n {}", key.name, key.ns)),
                ),
            ],
            Kind::StatefulSet | Kind::Deployment | Kind::PersistentVolumeClaim | Kind::Service => {
                vec![
                    ("act.delete", Act::delete(key)),
                    (
                        "act.describe",
                        Act::Line(format!(
                            "kubectl describe {} {} -n {}",
                            key.kind.info().plural,
                            key.name,
                            key.ns
                        )),
                    ),
                ]
            }
            Kind::Node => vec![
                (
                    "act.drain",
                    Act::Line(format!(
                        "kubectl drain {} --ignore-daemonsets --delete-emptydir-data",
                        key.name
                    )),
                ),
                ("act.uncordon", Act::Line(format!("kubectl uncordon {}", key.name))),
            ],
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    html! {
        <div class="acts">
            { for acts.into_iter().map(|(name, act)| {
                let command = act.command();
                let onclick = props.on_act.reform(move |_: MouseEvent| act.clone());
                html! { <button key={name} class="btn small" {onclick} title={command}>{ words.get(name) }</button> }
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct StepsProps {
    steps: Vec<Step>,
    rules: bool,
    on_select: Callback<Option<Target>>,
}

/// Steps along a line.
#[component]
fn Steps(props: &StepsProps) -> Html {
    let words = use_words();
    html! {
        <ol class="steps">
            { for props.steps.iter().map(|s| {
                let user = s.by == "user" && s.rule.is_empty();
                let about = s.about.clone();
                let onclick = props.on_select.reform(move |_: MouseEvent| about.clone().map(Target::Object));
                let rule = (props.rules && !s.rule.is_empty()).then(|| format!("rule.{}", s.rule)).filter(|k| words.has(k));
                html! {
                    <li key={s.seq} class={classes!(user.then_some("user"))}>
                        <button class="step" {onclick} disabled={s.about.is_none()}>
                            <span class="step-what">{ words.say(&s.what) }</span>
                            <span class="step-meta">{ format!("{} · {}", clock(s.at), words.get(&format!("who.{}", s.by))) }</span>
                            if let Some(rule) = rule { <span class="step-rule">{ words.get(&rule) }</span> }
                        </button>
                    </li>
                }
            }) }
        </ol>
    }
}

/// Kubernetes' own events, in its own words.
fn events(words: &Words, why: &Why) -> Html {
    html! {
        <ul class="told">
            { for why.events.iter().enumerate().map(|(i, e)| html! {
                <li key={i} class={classes!(e.warning.then_some("warn"))}>
                    <b>{ e.reason.to_string() }</b>
                    if e.count > 1 { <small>{ format!(" ×{}", e.count) }</small> }
                    <p>{ e.message.to_string() }</p>
                </li>
            }) }
            if why.events.is_empty() { <li class="soft">{ words.get("why.no-events") }</li> }
        </ul>
    }
}

#[derive(Properties, PartialEq)]
struct YamlProps {
    session: Handle,
    of: Option<Key>,
    len: u64,
}

/// The live object.
#[component]
fn Yaml(props: &YamlProps) -> Html {
    let text = use_memo((props.of.clone(), props.len), |(key, _)| {
        let key = key.as_ref();
        props.session.with_world(|w| {
            key.and_then(|k| w.store.by_key(k)).map_or_else(String::new, |o| yaml(&o.value))
        })
    });
    html! {
        <pre class="live-yaml" tabindex="0">
            { for text.lines().enumerate().map(|(i, l)| html! {
                <div key={i}>{ for crate::ui::highlight::line(l).iter().enumerate().map(|(j, (p, t))| html! { <span key={j} class={p.class()}>{ *t }</span> }) }</div>
            }) }
        </pre>
    }
}

/// An object as YAML, without what only programs read.
fn yaml(value: &podium_sim::Value) -> String {
    let mut value = value.clone();
    if let Some(meta) = value.map_mut().get_mut("metadata") {
        meta.remove("managedFields");
    }
    podium_sim::manifest::print::to_yaml(&value)
}

#[derive(Properties, PartialEq)]
struct RecentProps {
    session: Handle,
    len: u64,
    on_select: Callback<Option<Target>>,
}

/// Nobody reads a list that changes more often, milliseconds.
const CALM: u32 = 150;

/// What happened lately, to anything.
#[component]
fn Recent(props: &RecentProps) -> Html {
    let len = use_calm(props.len, CALM);
    let steps = use_memo(len, |_| props.session.with_world(|w| history::recent(w, 40)));
    html! { <Steps steps={(*steps).clone()} rules={false} on_select={props.on_select.clone()} /> }
}
