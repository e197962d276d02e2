//! The line at the top: what this is, stories, sharing, language, theme, help.

use podium_sim::compare::Other;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::ui::exercise::LESSONS;
use crate::ui::i18n::use_words;
use crate::ui::icons::Icon;
use crate::ui::stories::{STORIES, Story};

#[derive(Properties, PartialEq)]
pub(crate) struct HeaderProps {
    pub(crate) nodes: usize,
    /// Id of the story or lesson.
    pub(crate) story: Option<String>,
    pub(crate) theme: String,
    pub(crate) on_story: Callback<&'static Story>,
    pub(crate) on_lesson: Callback<String>,
    /// The world that stands beside this one.
    pub(crate) other: Option<Other>,
    pub(crate) on_compare: Callback<Option<Other>>,
    /// Only a page of its own reads links.
    pub(crate) share: bool,
    pub(crate) on_share: Callback<()>,
    pub(crate) on_pref: Callback<(&'static str, String)>,
    pub(crate) on_help: Callback<bool>,
}

#[component]
pub(crate) fn Header(props: &HeaderProps) -> Html {
    let words = use_words();
    let onchange = {
        let (tell, teach) = (props.on_story.clone(), props.on_lesson.clone());
        Callback::from(move |e: Event| {
            let select: HtmlSelectElement = e.target_unchecked_into();
            match Story::of(&select.value()) {
                Some(story) => tell.emit(story),
                None => teach.emit(select.value()),
            }
        })
    };
    let on_compare = props
        .on_compare
        .reform(|e: Event| Other::of(&e.target_unchecked_into::<HtmlSelectElement>().value()));
    let other = if words.lang() == "en" { "zh" } else { "en" };
    let on_lang = props.on_pref.reform(move |_: MouseEvent| ("lang", other.to_owned()));
    let theme = match props.theme.as_str() {
        "" => "dark",
        "dark" => "light",
        _ => "",
    };
    let on_theme = props.on_pref.reform(move |_: MouseEvent| ("theme", theme.to_owned()));
    let theme_key = format!("theme.{}", if props.theme.is_empty() { "auto" } else { &props.theme });
    html! {
        <header class="top">
            <svg class="logo" viewBox="0 0 26 26" aria-hidden="true">
                <rect x="1" y="13" width="7" height="12" rx="1.5" />
                <rect x="9.5" y="2" width="7" height="23" rx="1.5" />
                <rect x="18" y="8" width="7" height="17" rx="1.5" />
            </svg>
            <h1>{ "Podium" }</h1>
            <span class="chip wide">{ "Kubernetes 1.36" }</span>
            <span class="chip wide">{ words.fill("top.nodes", &[("n", &props.nodes.to_string())]) }</span>
            <span class="grow"></span>
            <label class="pick">
                <Icon name="book" />
                <span class="sr">{ words.get("top.story") }</span>
                <select {onchange}>
                    <option value="" selected={props.story.is_none()}>{ words.get("top.pick") }</option>
                    <optgroup label={words.get("top.story")}>{ for STORIES.iter().enumerate().map(|(i, s)| html! {
                        <option key={s.id} value={s.id} selected={props.story.as_deref() == Some(s.id)}>
                            { format!("{} · {}", i + 1, words.get(&format!("story.{}.title", s.id))) }
                        </option>
                    }) }</optgroup>
                    <optgroup label={words.get("lesson.label")}>{ for LESSONS.iter().map(|id| html! {
                        <option key={*id} value={*id} selected={props.story.as_deref() == Some(*id)}>{ words.get(&format!("lesson.{id}")) }</option>
                    }) }</optgroup>
                </select>
            </label>
            <label class="pick wide">
                <Icon name="beside" />
                <span class="sr">{ words.get("top.compare") }</span>
                <select onchange={on_compare}>
                    <option value="" selected={props.other.is_none()}>{ words.get(if props.other.is_none() { "top.compare" } else { "top.compare.end" }) }</option>
                    { for Other::ALL.iter().map(|o| html! {
                        <option key={o.name()} value={o.name()} selected={props.other == Some(*o)}>{ words.get(&format!("compare.{}", o.name())) }</option>
                    }) }
                </select>
            </label>
            <button class="btn" hidden={!props.share} onclick={props.on_share.reform(|_| ())} title={words.get("top.share.hint")}>
                <Icon name="share" /><span class="wide">{ words.get("top.share") }</span>
            </button>
            <button class="btn" onclick={on_lang} lang={other}>{ if other == "zh" { "中文" } else { "English" } }</button>
            <button class="btn wide" onclick={on_theme}>{ words.get(&theme_key) }</button>
            <button class="btn" onclick={props.on_help.reform(|_| true)} aria-label={words.get("top.help")}>
                <Icon name="help" />
            </button>
        </header>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct HelpProps {
    pub(crate) on_close: Callback<()>,
}

/// What one sees and what one can do.
#[component]
pub(crate) fn Help(props: &HelpProps) -> Html {
    let words = use_words();
    let close = use_node_ref();
    {
        let close = close.clone();
        use_effect_with((), move |()| {
            if let Some(button) = close.cast::<web_sys::HtmlElement>() {
                let _ = button.focus();
            }
        });
    }
    let onkeydown = {
        let done = props.on_close.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Escape" {
                done.emit(());
            }
        })
    };
    html! {
        <div class="veil" {onkeydown}>
            <div class="dialog" role="dialog" aria-modal="true" aria-label={words.get("top.help")}>
                <div class="dialog-head">
                    <h2>{ words.get("help.title") }</h2>
                    <button ref={close} class="btn bare" onclick={props.on_close.reform(|_| ())} aria-label={words.get("close")}>
                        <Icon name="close" />
                    </button>
                </div>
                <ul class="help">
                    { for (1..=9).map(|n| html! { <li key={n}>{ words.get(&format!("help.{n}")) }</li> }) }
                </ul>
                <h3>{ words.get("help.states") }</h3>
                <ul class="legend">
                    { for ["pending", "scheduled", "attaching", "pulling", "starting", "running", "ready", "terminating", "backoff", "failed"].iter().map(|s| html! {
                        <li key={*s}><span class={classes!("badge", format!("s-{s}"))}><Icon name={*s} />{ words.get(&format!("state.{s}")) }</span></li>
                    }) }
                </ul>
            </div>
        </div>
    }
}
