//! What fields are for, in our own words, for `kubectl explain`: the fields that people who
//! learn StatefulSets meet.

/// A line of a type begins with its name, which has a capital; lines of its fields follow.
/// The first block, `*`, has the fields that all kinds share.
const TEXT: &str = include_str!("help.txt");

/// What a type is.
pub fn of_type(name: &str) -> Option<&'static str> {
    block(name)?.lines().next()?.split_once(' ').map(|(_, text)| text)
}

/// What a field of a type is for.
pub fn of_field(owner: &str, field: &str) -> Option<&'static str> {
    [block(owner), block("*")]
        .into_iter()
        .flatten()
        .find_map(|b| b.lines().skip(1).find_map(|l| l.strip_prefix(field)?.strip_prefix(' ')))
}

/// The lines of a type.
fn block(name: &str) -> Option<&'static str> {
    let head = |line: &str| !line.starts_with(|c: char| c.is_ascii_lowercase());
    let mut at = 0;
    let mut from = None;
    for line in TEXT.split_inclusive('\n') {
        if head(line) {
            match from {
                Some(from) => return TEXT.get(from..at),
                None if line.split([' ', '\n']).next() == Some(name) => from = Some(at),
                None => {}
            }
        }
        at += line.len();
    }
    TEXT.get(from?..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::fields;

    #[test]
    fn words_are_found() {
        assert!(of_type("StatefulSet").is_some_and(|t| t.starts_with("Runs pods")));
        assert!(of_field("StatefulSetSpec", "replicas").is_some_and(|t| t.starts_with("How many")));
        assert!(of_field("StatefulSet", "spec").is_some());
        assert!(of_field("Event", "kind").is_some());
        assert_eq!(of_type("*"), None);
        assert_eq!(of_type("Statefulset"), None);
        assert_eq!(of_field("Service", "replicas"), None);
    }

    #[test]
    fn they_are_about_fields_that_there_are() {
        let mut owner = "";
        for line in TEXT.lines().skip(1) {
            let word = line.split(' ').next().unwrap_or_default();
            if word.starts_with(|c: char| c.is_ascii_uppercase()) {
                assert!(fields(word).is_some(), "{word}");
                owner = word;
            } else if !owner.is_empty() {
                let known = fields(owner).is_some_and(|l| l.iter().any(|f| f.name == word));
                assert!(known, "{owner}.{word}");
            }
            assert!(line.is_ascii(), "{line}");
        }
    }
}
