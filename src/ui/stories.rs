//! Guided examples: a manifest and acts that are worth watching, one after the other.
//! Their texts are `story.<id>.title`, `.text` and `.<step>` of the catalogues.

use crate::ui::acts::{Act, CLIENT};

/// A guided example.
#[derive(PartialEq, Eq, Debug)]
pub struct Story {
    /// Its id, also the `lesson` attribute's word.
    pub id: &'static str,
    /// Files of the editor; the first is applied when the story begins.
    pub files: &'static [(&'static str, &'static str)],
    /// What to do next.
    pub steps: &'static [Step],
}

/// One suggested act.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    /// Lines typed into a terminal, one after the other.
    Lines(&'static [&'static str]),
    /// A file of the story is applied.
    Apply(&'static str),
    /// The client looks a name up.
    Lookup(&'static str),
    /// The client dials the address that it remembers.
    Remembered,
}

const WEB: &str = include_str!("../../static/examples/web.yaml");
const APP: &str = include_str!("../../static/examples/app.yaml");
const PARALLEL: &str = include_str!("../../static/examples/parallel.yaml");
const ASKER: &str = include_str!("../../static/examples/client.yaml");

/// The stories in the order of the menu.
pub static STORIES: &[Story] = &[
    Story {
        id: "order",
        files: &[("web.yaml", WEB), ("parallel.yaml", PARALLEL)],
        steps: &[
            Step::Lines(&["kubectl scale sts web --replicas=5"]),
            Step::Lines(&["kubectl scale sts web --replicas=2"]),
            Step::Lines(&["kubectl set image sts/web nginx=registry.k8s.io/nginx-slim:0.27"]),
            Step::Lines(&["kubectl set image sts/web nginx=registry.k8s.io/nginx-slim:broken"]),
        ],
    },
    Story {
        id: "disk",
        files: &[("web.yaml", WEB), ("app.yaml", APP)],
        steps: &[
            Step::Lines(&[
                "kubectl rollout status sts/web && for i in 0 1 2; do kubectl exec web-$i -- sh -c 'echo \"I am web-'$i'\" > /usr/share/nginx/html/index.html'; done",
            ]),
            Step::Lines(&["kubectl delete pod web-1 --wait=false"]),
            Step::Lines(&["kubectl scale sts web --replicas=1"]),
            Step::Lines(&["kubectl scale sts web --replicas=3"]),
            Step::Apply("app.yaml"),
            Step::Lines(&["kubectl delete pod -l app=app --wait=false"]),
        ],
    },
    Story {
        id: "name",
        files: &[("web.yaml", WEB), ("client.yaml", ASKER), ("app.yaml", APP)],
        steps: &[
            Step::Apply("client.yaml"),
            Step::Lookup("web-0.nginx"),
            Step::Lines(&["kubectl delete pod web-0 --wait=false"]),
            Step::Lookup("web-0.nginx"),
            Step::Remembered,
            Step::Apply("app.yaml"),
            Step::Lines(&["kubectl exec client -- wget -qO- http://app/"]),
        ],
    },
];

impl Story {
    /// The story of that id.
    pub fn of(id: &str) -> Option<&'static Self> {
        STORIES.iter().find(|s| s.id == id)
    }

    /// A file's text.
    pub fn file(&self, name: &str) -> &'static str {
        self.files.iter().find(|(n, _)| *n == name).map_or("", |(_, text)| text)
    }
}

impl Step {
    /// The acts of this step.
    ///
    /// `remembered` is the address that the client keeps.
    pub fn acts(&self, story: &Story, remembered: &str) -> Vec<Act> {
        match self {
            Self::Lines(lines) => lines.iter().map(|l| Act::Line((*l).into())).collect(),
            Self::Apply(file) => vec![Act::Apply((*file).into(), story.file(file).into())],
            Self::Lookup(name) => vec![Act::Lookup(CLIENT.into(), (*name).into())],
            Self::Remembered => vec![Act::Remembered(CLIENT.into(), remembered.into())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::i18n::{LANGS, Words};

    #[test]
    fn every_story_has_its_words() {
        for words in LANGS.map(Words::of) {
            for story in STORIES {
                let keys = ["title", "text"].map(ToOwned::to_owned).into_iter();
                for key in keys.chain((1..=story.steps.len()).map(|n| n.to_string())) {
                    let key = format!("story.{}.{key}", story.id);
                    assert!(words.has(&key), "{key} in {}", words.lang());
                }
            }
        }
    }
}
