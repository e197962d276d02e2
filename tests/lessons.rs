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

#[test]
fn what_a_lesson_does_not_know_is_refused() {
    let lesson = |step: &str, more: &str| {
        let text = format!("id: x\ntitle: {{en: x}}\nmanifest: x\n{more}\nsteps:\n- {step}\n");
        Lesson::read(&text).map(|_| ()).unwrap_err()
    };
    let goal = |goal: &str| lesson(&format!("text: {{en: x}}\n  goal: {goal}"), "solution: [x]");
    for (found, wanted) in [
        (
            goal("{object: pod/a, happened: deleted, tiems: 0}"),
            "line 7: a goal with happened has no tiems",
        ),
        (
            goal("{object: pod/a, happened: deleted, times: no}"),
            "line 7: times must be a whole number",
        ),
        (goal("{lookup: a, answers: two}"), "line 7: answers must be a whole number"),
        (goal("{object: pod/a, exists: maybe}"), "line 7: exists must be true or false"),
        (goal("{before: [pod/a ready]}"), "line 7: before needs two moments"),
        (goal("{disk: www-a}"), "line 7: a goal with disk needs a file"),
        (goal("{object: pod/a, equals: 1}"), "line 7: a goal needs path and equals, exists"),
        (lesson("txet: {en: x}", "solution: [x]"), "line 6: a step has no txet"),
        (lesson("text: x", "solution: [x]"), "line 6: a step needs a text, a map by language"),
        (lesson("text: {en: x}", "solution: x"), "line 4: solution must be a list"),
    ] {
        assert!(found.starts_with(wanted), "{found}, not {wanted}");
    }
}

/// What works in a script works in an answer: other terminals, here-documents, and a command that
/// waits for ever does not swallow the next.
#[test]
fn an_answer_may_be_what_a_script_may_be() {
    let folder = std::env::temp_dir().join(format!("podium-answer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n";
    let goal = |name: &str| {
        format!("- text: {{en: {name}}}\n  goal: {{object: cm/{name}, exists: true}}\n")
    };
    let lesson = file(
        "lesson.yaml",
        &format!(
            "id: x\ntitle: {{en: x}}\nmanifest: |\n  {}\nsolution: [x]\nsteps:\n{}{}",
            map.replace("NAME", "first").trim_end().replace('\n', "\n  "),
            goal("second"),
            goal("third")
        ),
    );
    let answer = file(
        "answer.txt",
        &format!(
            "# mine\n@2 kubectl get cm -w\nkubectl apply -f - <<EOF\n{}EOF\n@2 ^C\nkubectl get cm -w\nsettle\nsleep 5\nkubectl create cm third\n",
            map.replace("NAME", "second")
        ),
    );
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_podium"))
        .arg("check")
        .args([lesson, answer])
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "met     second\nmet     third\n");
    assert_eq!(out.status.code(), Some(0));
}
