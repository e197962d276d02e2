//! What is told to a screen reader: changes of state, in bursts.

use podium_sim::collections::BTreeMap;

use podium_sim::World;
use podium_sim::api::{Key, Kind};
use podium_sim::log::{ChangeType, Seq, What};

use crate::model::Msg;
use crate::pods;

/// Most things said in one go; the rest is counted.
const MOST: usize = 6;

/// What happened from `since` up to the world's moment, the last word about each thing.
pub fn spoken(w: &World, since: Seq) -> Vec<Msg> {
    let mut last: BTreeMap<Key, (Seq, Msg)> = BTreeMap::new();
    let mut said: Vec<(Seq, Msg)> = Vec::new();
    for (seq, record) in w.log.since(since) {
        match &record.what {
            What::Change { change, new, .. } if new.kind == Kind::Pod => {
                let state = if *change == ChangeType::Deleted {
                    "@state.gone".to_owned()
                } else {
                    format!("@state.{}", pods::state(new, None).0.name())
                };
                let msg = Msg::new("spoken.pod").with("name", new.name()).with("state", state);
                last.insert(new.key(), (seq, msg));
            }
            What::Lookup { client, name, answer, .. } => {
                let answer = answer.first().map_or("NXDOMAIN".into(), Clone::clone);
                let msg = Msg::new("spoken.lookup")
                    .with("name", client.name.clone())
                    .with("dns", name.clone())
                    .with("answer", answer);
                said.push((seq, msg));
            }
            What::Connect { client, ip, server, .. } => {
                let key = if server.is_some() { "spoken.answered" } else { "spoken.dead" };
                let msg = Msg::new(key)
                    .with("name", client.name.clone())
                    .with("ip", ip.clone())
                    .with("server", server.as_ref().map_or("".into(), |s| s.name.clone()));
                said.push((seq, msg));
            }
            What::Change { .. } | What::Act(_) => {}
        }
    }
    said.extend(last.into_values());
    said.sort_by_key(|(seq, _)| *seq);
    let more = said.len().saturating_sub(MOST);
    let mut words: Vec<Msg> = said.into_iter().map(|(_, m)| m).skip(more).collect();
    if more > 0 {
        words.insert(0, Msg::new("spoken.more").with("n", more.to_string()));
    }
    words
}
