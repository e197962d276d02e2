//! A lesson file in the page: what to do next, a question before it, hints, and whether the
//! goal is met. The format and the goals are [`podium_sim::lesson`]'s.

use std::rc::Rc;

use podium_sim::lesson::{Lesson, Question};
use podium_sim::timeline::Timeline;
use yew::prelude::*;

use crate::ui::acts::Act;
use crate::ui::folder::File;
use crate::ui::i18n::{Words, use_words};
use crate::ui::icons::Icon;
use crate::ui::options::Options;
use crate::ui::session::Handle;

/// The lessons of `static/lessons`, in the order of the menu; their titles are
/// `lesson.<id>` of the catalogues.
pub const LESSONS: &[&str] = &["one-after-the-other", "names-survive", "disk-stays"];

/// File that a lesson's manifest is applied from.
const FILE: &str = "lesson.yaml";

/// A lesson that was begun; equal by its number.
#[derive(Clone)]
pub struct Begun {
    /// Counts beginnings, so that the same lesson can be begun again.
    pub number: u32,
    /// The lesson.
    pub lesson: Rc<Lesson>,
}

impl PartialEq for Begun {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

/// A fresh cluster with the lesson's manifest applied.
pub fn begin(session: &Handle, options: &Options, lesson: &Lesson) {
    session.replace(Timeline::new(options.config()));
    session.open(vec![File { name: FILE.into(), text: lesson.manifest.to_string() }]);
    session.line(1, format!("kubectl apply -f {FILE}"));
    session.play();
}

#[derive(Properties, PartialEq)]
pub(crate) struct ExerciseProps {
    pub(crate) begun: Begun,
    pub(crate) session: Handle,
    /// Length of the log, so that the goal is looked at again.
    pub(crate) len: u64,
    pub(crate) resting: bool,
    pub(crate) on_end: Callback<()>,
}

/// How far the learner has come.
#[derive(Clone, PartialEq, Default)]
struct Progress {
    /// Length of the log when the cluster first came to rest: what happened before does not
    /// count for goals. Until then the lesson has not begun.
    begin: Option<u64>,
    step: usize,
    hints: usize,
    answer: Option<usize>,
    /// The step's own command was given.
    acted: bool,
    solution: bool,
}

#[component]
pub(crate) fn Exercise(props: &ExerciseProps) -> Html {
    let words = use_words();
    let progress = use_state(Progress::default);
    let lesson = props.begun.lesson.clone();
    {
        let progress = progress.clone();
        use_effect_with(props.begun.number, move |_| progress.set(Progress::default()));
    }
    let go_on = {
        let (progress, session, lesson) = (progress.clone(), props.session.clone(), lesson.clone());
        Callback::from(move |()| {
            let step = progress.step + 1;
            let detail = format!(
                "{{\"lesson\":{},\"step\":{step},\"of\":{}}}",
                serde_json::to_string(lesson.id.as_str()).unwrap_or_default(),
                lesson.steps.len()
            );
            progress.set(Progress { step, begin: progress.begin, ..Progress::default() });
            session.announce("goal", &detail);
            if step == lesson.steps.len() {
                session.announce("complete", &detail);
            }
        })
    };
    {
        let (progress, session, lesson) = (progress.clone(), props.session.clone(), lesson.clone());
        let go_on = go_on.clone();
        let seen = (props.len, props.resting, progress.step, progress.answer);
        use_effect_with(seen, move |(len, resting, ..)| {
            let mut now = (*progress).clone();
            let Some(step) = lesson.steps.get(now.step) else { return };
            if now.begin.is_none() && *resting && *len > 0 {
                now.begin = Some(*len);
            }
            let answered = now.answer.is_some() || step.question().is_none();
            let Some(begin) = now.begin else { return };
            if answered && !now.acted {
                now.acted = true;
                if let Some(line) = &step.act {
                    Act::Line(line.to_string()).run(&session);
                    session.play();
                }
            }
            let met = !step.goal.is_empty() && session.with_world(|w| step.met(w, begin));
            if now != *progress {
                progress.set(now);
            }
            if met && answered {
                go_on.emit(());
            }
        });
    }
    let Some(step) = lesson.steps.get(progress.step) else {
        return card(
            &words,
            &lesson,
            progress.step,
            props,
            html! {
                <p>{ words.get("lesson.complete") }</p>
            },
            html! { <span class="chip">{ words.get("story.done") }</span> },
        );
    };
    let text = |t: &podium_sim::lesson::Text| t.in_language(words.lang()).trim().to_owned();
    let change = |f: fn(&mut Progress)| {
        let progress = progress.clone();
        Callback::from(move |_: MouseEvent| {
            let mut now = (*progress).clone();
            f(&mut now);
            progress.set(now);
        })
    };
    let question = step.question();
    let body = html! {
        <>
            if progress.step == 0 { <p>{ text(&lesson.text) }</p> }
            <p class="task">{ text(&step.text) }</p>
            if let Some(q) = &question { { ask(&words, q, &progress) } }
            <ol class="hints">{ for step.hints.iter().take(progress.hints).enumerate().map(|(i, h)| html! {
                <li key={i}><code>{ text(h) }</code></li>
            }) }</ol>
            if progress.solution {
                <pre class="solution">{ lesson.solution.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n") }</pre>
            }
        </>
    };
    let acts = html! {
        <>
            if step.goal.is_empty() && (progress.answer.is_some() || question.is_none()) {
                <button class="btn main" onclick={go_on.reform(|_: MouseEvent| ())}>{ words.get("lesson.next") }</button>
            } else if progress.hints < step.hints.len() {
                <button class="btn" onclick={change(|p| p.hints += 1)}>{ words.get("lesson.hint") }</button>
            } else if !progress.solution {
                <button class="btn" onclick={change(|p| p.solution = true)}>{ words.get("lesson.solution") }</button>
            }
        </>
    };
    card(&words, &lesson, progress.step, props, body, acts)
}

/// The question, its choices, and what is said of the answer.
fn ask(words: &Words, q: &Question, progress: &UseStateHandle<Progress>) -> Html {
    let given = progress.answer;
    let why = q.why.in_language(words.lang()).to_owned();
    let verdict = given.map(|n| if n == q.answer { "lesson.right" } else { "lesson.wrong" });
    html! {
        <div class="ask-first" role="group" aria-label={q.text.in_language(words.lang()).to_owned()}>
            <p><b>{ q.text.in_language(words.lang()).to_owned() }</b></p>
            <div class="choices">{ for q.choices.iter().enumerate().map(|(i, choice)| {
                let progress = progress.clone();
                let onclick = Callback::from(move |_: MouseEvent| {
                    progress.set(Progress { answer: Some(i), ..(*progress).clone() });
                });
                let class = classes!("btn", "small", given.map(|n| match (i == q.answer, i == n) {
                    (true, _) => "right",
                    (false, true) => "wrong",
                    (false, false) => "other",
                }));
                html! {
                    <button key={i} {class} {onclick} disabled={given.is_some()}>{ choice.in_language(words.lang()).to_owned() }</button>
                }
            }) }</div>
            if let Some(verdict) = verdict {
                <p role="status"><b>{ words.get(verdict) }</b>{ " " }{ why }</p>
            }
        </div>
    }
}

/// The card around: title, progress, body, buttons.
fn card(
    words: &Words,
    lesson: &Lesson,
    step: usize,
    props: &ExerciseProps,
    body: Html,
    acts: Html,
) -> Html {
    let steps = lesson.steps.len();
    let shown = [("n", step.min(steps).to_string()), ("of", steps.to_string())];
    let shown: Vec<(&str, &str)> = shown.iter().map(|(k, v)| (*k, v.as_str())).collect();
    html! {
        <div class="story exercise" role="region" aria-label={words.get("lesson.label")}>
            <div class="story-words">
                <p class="story-title">
                    <b>{ lesson.title.in_language(words.lang()).to_owned() }</b>
                    <span class="progress" role="img" aria-label={words.fill("story.step", &shown)}>
                        { for (0..steps).map(|i| html! { <i key={i} class={classes!((i < step).then_some("done"))}></i> }) }
                    </span>
                </p>
                <div class="lesson-body">{ body }</div>
            </div>
            <div class="story-act">
                { acts }
                <button class="btn bare" onclick={props.on_end.reform(|_: MouseEvent| ())} aria-label={words.get("close")}><Icon name="close" /></button>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::i18n::LANGS;

    #[test]
    fn every_lesson_is_in_the_menu() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/static/lessons");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut known: Vec<String> = LESSONS.iter().map(ToString::to_string).collect();
        files.sort();
        known.sort();
        assert_eq!(files, known);
        for words in LANGS.map(Words::of) {
            assert!(
                LESSONS.iter().all(|id| words.has(&format!("lesson.{id}"))),
                "{}",
                words.lang()
            );
        }
    }
}
