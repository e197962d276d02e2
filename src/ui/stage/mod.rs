//! The stage: cards on a computed layout, one layer for cables and packets.

mod board;
mod cards;
mod packets;
mod podium;

use std::rc::Rc;

use podium_scene::layout::layout;
use podium_scene::{Scene, Target};
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::i18n::use_words;
use crate::ui::icons::Icon;
use crate::ui::sight::{use_sight, use_size};
use crate::ui::stage::board::BoardCard;
use crate::ui::stage::cards::{ClientCard, NodeCard};
use crate::ui::stage::packets::Packets;
use crate::ui::stage::podium::Podium;
use crate::ui::stories::{STORIES, Step, Story};

/// `transform` and size of a card.
fn placed(r: podium_scene::layout::Rect) -> String {
    format!("transform:translate({}px,{}px);width:{}px;height:{}px", r.x, r.y, r.w, r.h)
}

/// Ordinals share eight hues and patterns in turn.
fn tint(n: i64) -> String {
    format!("tint-{}", n.rem_euclid(8))
}

/// A name; where there is no room for all of it, its number is what is still read.
fn named(class: &'static str, name: &str) -> Html {
    let host = name.find('.').unwrap_or(name.len());
    // a short name stays one piece of text
    let at = name[..host].rfind('-').filter(|_| host > 24).unwrap_or(name.len());
    let (front, number) = name.split_at(at);
    html! {
        <span class={classes!("named", class)} title={name.to_owned()}>
            <span>{ front.to_owned() }</span>
            if !number.is_empty() { <span>{ number.to_owned() }</span> }
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct StageProps {
    /// What this world is, where two stand side by side.
    #[prop_or_default]
    pub(crate) name: Option<String>,
    /// It stands beside the first, and is only looked at.
    #[prop_or_default]
    pub(crate) second: bool,
    pub(crate) scene: Rc<Scene>,
    pub(crate) at: u64,
    pub(crate) moving: bool,
    #[prop_or_default]
    pub(crate) target: Option<Target>,
    #[prop_or_default]
    pub(crate) controls: bool,
    #[prop_or_default]
    pub(crate) story: Option<(&'static Story, usize)>,
    /// What stands over the stage instead of a story.
    #[prop_or_default]
    pub(crate) guide: Option<Html>,
    #[prop_or_default]
    pub(crate) on_select: Callback<Option<Target>>,
    #[prop_or_default]
    pub(crate) on_act: Callback<Act>,
    #[prop_or_default]
    pub(crate) on_next: Callback<()>,
    #[prop_or_default]
    pub(crate) on_end: Callback<()>,
    #[prop_or_default]
    pub(crate) on_story: Callback<&'static Story>,
    /// Offer the stories while the stage is empty.
    #[prop_or_default]
    pub(crate) offers: bool,
    /// What to apply where there is no editor.
    #[prop_or_default]
    pub(crate) apply: Option<Act>,
}

/// How far the stage is scrolled is looked at in steps of this many pixels.
const STRIDE: i32 = 240;

#[component]
pub(crate) fn Stage(props: &StageProps) -> Html {
    let words = use_words();
    let node = use_node_ref();
    let (width, height) = use_size(&node);
    let (sight, onscroll) = use_sight(&node, height, STRIDE);
    let act = props.apply.clone();
    let apply = {
        let run = props.on_act.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(act) = &act {
                run.emit(act.clone());
            }
        })
    };
    let scene = &props.scene;
    let height = if scene.is_empty() { 0 } else { height };
    let layout = use_memo((scene.clone(), width, height), |(scene, width, height)| {
        layout(scene, *width, *height)
    });
    let size = format!("height:{}px", layout.height);
    let body = html! {
        <>
            if let Some(name) = &props.name {
                <p class="world-name">{ name.clone() }</p>
            }
            if let Some(guide) = &props.guide {
                { guide.clone() }
            } else if let Some((story, step)) = props.story {
                <StoryCard {story} {step} on_next={props.on_next.clone()} on_end={props.on_end.clone()} />
            }
            <div class={classes!("boards-scroll", (!props.moving).then_some("still"))} ref={node} {onscroll}>
                if scene.is_empty() {
                    <div class="nothing">
                        <p class="big">{ words.get("stage.empty") }</p>
                        if props.apply.is_some() {
                            <p><button class="btn main" onclick={apply}>{ words.get("edit.apply") }</button></p>
                        } else {
                            <p>{ words.get(if props.offers { "stage.empty.hint" } else { "stage.empty.apply" }) }</p>
                        }
                        <div class="offers" hidden={!props.offers}>
                            { for STORIES.iter().enumerate().map(|(i, story)| {
                                let onclick = props.on_story.reform(move |_: MouseEvent| story);
                                html! {
                                    <button key={story.id} class="offer" {onclick}>
                                        <b>{ i + 1 }</b>
                                        <strong>{ words.get(&format!("story.{}.title", story.id)) }</strong>
                                        <span>{ words.get(&format!("story.{}.about", story.id)) }</span>
                                    </button>
                                }
                            }) }
                        </div>
                    </div>
                }
                <div class="field" ~style={size}>
                    <div class="layer">
                        { for scene.clients.iter().zip(&layout.clients).map(|(client, place)| html! {
                            <ClientCard key={client.pod.uid.as_str()} client={client.clone()} place={*place}
                                chosen={is_chosen(props.target.as_ref(), &client.pod.key)}
                                controls={props.controls} on_select={props.on_select.clone()} on_act={props.on_act.clone()} />
                        }) }
                    </div>
                    <div class="layer">
                        { for scene.boards.iter().zip(&layout.boards).map(|(board, place)| html! {
                            <BoardCard key={board.uid.as_str()} board={board.clone()} place={*place}
                                client={scene.clients.first().map(|c| c.pod.key.name.to_string())}
                                controls={props.controls} on_select={props.on_select.clone()} on_act={props.on_act.clone()} />
                        }) }
                    </div>
                    <div class="layer">
                        { for scene.groups.iter().zip(&layout.groups).map(|(group, place)| html! {
                            <Podium key={group.uid.as_str()} group={group.clone()} place={place.clone()} sight={sight}
                                target={props.target.clone()} controls={props.controls}
                                on_select={props.on_select.clone()} on_act={props.on_act.clone()} />
                        }) }
                    </div>
                    <div class="layer">
                        { for scene.nodes.iter().zip(&layout.nodes).map(|(node, place)| html! {
                            <NodeCard key={node.key.name.as_str()} node={node.clone()} place={*place}
                                chosen={is_chosen(props.target.as_ref(), &node.key)}
                                controls={props.controls} on_select={props.on_select.clone()} on_act={props.on_act.clone()} />
                        }) }
                    </div>
                    <Packets scene={scene.clone()} layout={layout.clone()} at={if scene.packets.is_empty() { 0 } else { props.at }} />
                </div>
            </div>
        </>
    };
    let label = props.name.clone().unwrap_or_else(|| words.get("panel.stage"));
    // a page has one main part, and that of an article is not the lab
    if props.second || !props.offers {
        html! { <section class={classes!("stage", "panel", props.second.then_some("second"))} aria-label={label}>{ body }</section> }
    } else {
        html! { <main class="stage panel" aria-label={label}>{ body }</main> }
    }
}

fn is_chosen(target: Option<&Target>, key: &podium_sim::api::Key) -> bool {
    matches!(target, Some(Target::Object(k)) if k == key)
}

#[derive(Properties)]
struct StoryProps {
    story: &'static Story,
    step: usize,
    on_next: Callback<()>,
    on_end: Callback<()>,
}

impl PartialEq for StoryProps {
    fn eq(&self, other: &Self) -> bool {
        self.story.id == other.story.id && self.step == other.step
    }
}

/// The story's words and the button that does its next step.
#[component]
fn StoryCard(props: &StoryProps) -> Html {
    let words = use_words();
    let id = props.story.id;
    let steps = props.story.steps.len();
    let text = if props.step == 0 {
        words.get(&format!("story.{id}.text"))
    } else {
        words.get(&format!("story.{id}.{}.after", props.step))
    };
    let next = props.story.steps.get(props.step);
    let command = next.map(|s| match s {
        Step::Lines(lines) => lines.join("\n"),
        other => other.acts(props.story, "…").first().map(Act::command).unwrap_or_default(),
    });
    html! {
        <div class="story" role="region" aria-label={words.get("top.story")}>
            <div class="story-words">
                <p class="story-title">
                    <b>{ words.get(&format!("story.{id}.title")) }</b>
                    <span class="progress" role="img" aria-label={words.fill("story.step", &[("n", &props.step.to_string()), ("of", &steps.to_string())])}>
                        { for (0..steps).map(|i| html! { <i key={i} class={classes!((i < props.step).then_some("done"))}></i> }) }
                    </span>
                </p>
                <p aria-live="polite">{ text }</p>
            </div>
            <div class="story-act">
                if let Some(command) = command {
                    <button class="btn main" onclick={props.on_next.reform(|_| ())} title={command}>
                        { words.get(&format!("story.{id}.{}", props.step + 1)) }
                    </button>
                } else {
                    <span class="chip">{ words.get("story.done") }</span>
                }
                <button class="btn bare" onclick={props.on_end.reform(|_| ())} aria-label={words.get("close")}><Icon name="close" /></button>
            </div>
        </div>
    }
}
