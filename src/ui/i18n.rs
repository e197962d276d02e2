//! Words in the reader's language. The catalogues of both are part of the program: switching
//! costs nothing and works offline. What a first look does not show is in a catalogue of its
//! own, which an optimised build has in its second module.

use std::cell::OnceCell;
use std::rc::Rc;

use podium_scene::Msg;
use yew::prelude::*;

/// Languages, by the code of `lang`.
pub const LANGS: [&str; 2] = ["en", "zh"];
const CATALOGUES: [&str; 2] =
    [include_str!("../../static/i18n/en.json"), include_str!("../../static/i18n/zh.json")];
const LATE: [&str; 2] = [
    include_str!("../../static/i18n/late/en.json"),
    include_str!("../../static/i18n/late/zh.json"),
];

type Texts = serde_json::Map<String, serde_json::Value>;

/// The words that are needed when something has happened. Not inlined: who calls it needs the
/// second module.
#[inline(never)]
fn late(lang: &str) -> Texts {
    let i = LANGS.iter().position(|l| *l == lang).unwrap_or(0);
    serde_json::from_slice(LATE[i].as_bytes()).unwrap_or_default()
}

/// A catalogue.
#[derive(Clone)]
pub struct Words {
    lang: &'static str,
    texts: Rc<Texts>,
    late: Rc<OnceCell<Texts>>,
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.lang == other.lang
    }
}

impl Words {
    /// The catalogue of a language; English for an unknown one.
    pub fn of(lang: &str) -> Self {
        let says = |l: &&str| lang.get(..l.len()).is_some_and(|p| p.eq_ignore_ascii_case(l));
        let i = LANGS.iter().position(says).unwrap_or(0);
        let texts = serde_json::from_slice(CATALOGUES[i].as_bytes()).unwrap_or_default();
        Self { lang: LANGS[i], texts: Rc::new(texts), late: Rc::default() }
    }

    /// Code of the language.
    pub fn lang(&self) -> &'static str {
        self.lang
    }

    fn find(&self, key: &str) -> Option<&str> {
        let text = match self.texts.get(key) {
            None => self.late.get_or_init(|| late(self.lang)).get(key),
            text => text,
        };
        text?.as_str()
    }

    /// The words of a key; the key itself, made readable, if there are none.
    pub fn get(&self, key: &str) -> String {
        self.find(key).map_or_else(|| readable(key), ToOwned::to_owned)
    }

    /// The words of a key with its placeholders filled in.
    pub fn fill(&self, key: &str, args: &[(&str, &str)]) -> String {
        let template = self.get(key);
        if args.is_empty() {
            return template;
        }
        let mut out = String::with_capacity(template.len() + 16);
        let mut rest = template.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                rest = after;
                break;
            };
            if let Some((_, word)) = args.iter().find(|(n, _)| *n == name) {
                match word.strip_prefix('@') {
                    Some(key) => out.push_str(&self.get(key)),
                    None => out.push_str(word),
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// A sentence of the scene.
    pub fn say(&self, msg: &Msg) -> String {
        let args: Vec<(&str, &str)> = msg.args.iter().map(|(k, v)| (*k, v.as_str())).collect();
        self.fill(&msg.key, &args)
    }

    /// The sentence of a controller's rule.
    pub fn rule(&self, rule: &str) -> String {
        self.get(&format!("rule.{rule}"))
    }

    /// Is there a text for this key?
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }
}

/// `rule.sts.create-pod` reads as `sts: create pod`.
fn readable(key: &str) -> String {
    let tail = key.strip_prefix("rule.").or_else(|| key.strip_prefix("wait.")).unwrap_or(key);
    tail.replace('.', ": ").replace('-', " ")
}

/// The catalogue in use: it changes rarely, so it is a context.
#[hook]
pub fn use_words() -> Words {
    use_context::<Words>().unwrap_or_else(|| Words::of("en"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        let [en, zh] = [0, 1].map(|i| {
            let [soon, late] = [CATALOGUES[i], LATE[i]].map(|c| {
                serde_json::from_str::<std::collections::BTreeMap<String, String>>(c).unwrap()
            });
            assert!(!soon.keys().any(|k| late.contains_key(k)), "a key is in both");
            soon.into_iter().chain(late).collect::<std::collections::BTreeMap<_, _>>()
        });
        let missing: Vec<&String> = en.keys().filter(|k| !zh.contains_key(*k)).collect();
        let extra: Vec<&String> = zh.keys().filter(|k| !en.contains_key(*k)).collect();
        assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, extra {extra:?}");
        for (key, text) in &en {
            assert_eq!(holes(text), holes(&zh[key]), "placeholders of {key}");
            assert!(!text.is_empty() && !zh[key].is_empty(), "{key} is empty");
        }
    }

    fn holes(text: &str) -> std::collections::BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|t| t.split_once('}').map(|(n, _)| n)).collect()
    }

    #[test]
    fn unknown_rules_stay_readable() {
        assert_eq!(Words::of("en").rule("xyz.some-rule"), "xyz: some rule");
    }

    #[test]
    fn words_that_are_keys_are_translated() {
        let words = Words::of("en");
        let msg = Msg::new("spoken.pod").with("name", "web-0").with("state", "@state.ready");
        assert_eq!(words.say(&msg), "web-0: Ready");
    }
}
