//! Every lesson's solution meets its goals; its wrong answers do not; no language is missing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

use podium_sim::lesson::{Lesson, Text};
use podium_sim::{Config, World};

fn lessons() -> Vec<Lesson> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../static/lessons");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
        .iter()
        .map(|f| {
            let text = std::fs::read_to_string(f).unwrap();
            Lesson::read(&text).unwrap_or_else(|why| panic!("{}: {why}", f.display()))
        })
        .collect()
}

#[test]
fn solutions_pass_and_wrong_answers_do_not() {
    for lesson in lessons() {
        for seed in [1, 2, 3] {
            let world = || World::new(Config { seed, ..Config::default() });
            let judged = lesson.judge(world(), &lesson.solution);
            assert!(judged.iter().all(|(_, met)| *met), "{}: {judged:?}", lesson.id);
            assert!(!lesson.wrong.is_empty(), "{} names no wrong answer", lesson.id);
            for wrong in &lesson.wrong {
                let judged = lesson.judge(world(), wrong);
                assert!(judged.iter().any(|(_, met)| !*met), "{}: {wrong:?} passes", lesson.id);
            }
            let judged = lesson.judge(world(), &[]);
            assert!(judged.iter().any(|(_, met)| !*met), "{}: doing nothing passes", lesson.id);
        }
    }
}

#[test]
fn every_text_has_every_language() {
    let both =
        |t: &Text| t.languages().map(ToString::to_string).collect::<Vec<_>>() == ["en", "zh"];
    for lesson in lessons() {
        assert!(both(&lesson.title) && both(&lesson.text), "{}", lesson.id);
        for step in &lesson.steps {
            assert!(both(&step.text) && step.hints.iter().all(both), "{}", lesson.id);
            if let Some(q) = step.question() {
                assert!(
                    both(&q.text) && both(&q.why) && q.choices.iter().all(both),
                    "{}",
                    lesson.id
                );
            }
        }
    }
}

#[test]
fn errors_name_the_line() {
    let text = "id: x\ntitle: {en: x}\nmanifest: x\nsolution: [x]\nsteps:\n- text: {en: x}\n  goal: {object: nothing}\n";
    let why = Lesson::read(text).unwrap_err();
    assert!(why.contains("line 7") || why.contains("line 6"), "{why}");
}

#[test]
fn an_answer_is_one_of_the_choices() {
    let text = "id: x\ntitle: {en: x}\nmanifest: x\nsolution: [x]\nsteps:\n- text: {en: x}\n  predict:\n    choices: [{en: a}]\n    answer: 1\n";
    assert!(Lesson::read(text).unwrap_err().starts_with("line 7: answer"));
}
