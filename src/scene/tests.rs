//! Scenes as text, at telling moments.

use podium_sim::recording::Input;
use podium_sim::timeline::Timeline;
use podium_sim::{Config, Latency};

use crate::lanes::{LaneKind, Lanes};
use crate::layout::{layout, place, way};
use crate::text::describe;
use crate::{Director, PodState, Target};

const WEB: &str = include_str!("../../static/examples/web.yaml");
const SECOND: u64 = 1_000_000;

fn start() -> Timeline {
    let mut timeline = Timeline::new(Config { latency: Latency::Recording, ..Config::default() });
    timeline.input(Input::File { name: "web.yaml".into(), text: WEB.into() });
    line(&mut timeline, "kubectl apply -f web.yaml");
    timeline
}

fn line(timeline: &mut Timeline, text: &str) {
    timeline.input(Input::Line { term: 1, text: text.into() });
}

fn shown(timeline: &Timeline) -> String {
    describe(&Director::default().scene(timeline.world()))
}

#[test]
fn a_set_fills_in_order() {
    let mut t = start();
    t.advance(SECOND / 5);
    let text = shown(&t);
    assert!(text.contains("StatefulSet web 0/3 OrderedReady"), "{text}");
    assert!(text.contains("web-1 ghost wait.sts.wait-ready(on=web-0)"), "{text}");
    assert!(text.contains("web-2 ghost wait.place(on=web-1)"), "{text}");
    t.settle(60 * SECOND);
    let text = shown(&t);
    assert!(text.contains("StatefulSet web 3/3 OrderedReady"), "{text}");
    assert_eq!(text.matches(" ready worker").count(), 3, "{text}");
    assert_eq!(text.matches("1Gi Bound in").count(), 3, "{text}");
    assert!(text.contains("board nginx headless"), "{text}");
    assert!(!text.contains("NXDOMAIN"), "{text}");
}

#[test]
fn what_is_written_is_seen_at_once() {
    let mut t = start();
    t.settle(60 * SECOND);
    let mut director = Director::default();
    let files = |scene: &crate::Scene| scene.groups[0].slots[0].disks[0].files.clone();
    for (command, there) in [
        ("sh -c 'echo hi > /usr/share/nginx/html/index.html'", true),
        ("rm /usr/share/nginx/html/index.html", false),
    ] {
        line(&mut t, &format!("kubectl exec web-0 -- {command}"));
        // a scene from between the command and what it does
        director.scene(t.world());
        t.settle(60 * SECOND);
        assert_eq!(!files(&director.scene(t.world())).is_empty(), there, "{command}");
    }
}

#[test]
fn disks_outlive_their_pods() {
    let mut t = start();
    t.settle(60 * SECOND);
    line(&mut t, "kubectl scale sts web --replicas=1");
    t.settle(60 * SECOND);
    let text = shown(&t);
    assert!(text.contains("web-2 empty unwanted | www-web-2 1Gi Bound out"), "{text}");
    line(&mut t, "kubectl delete sts web");
    t.settle(60 * SECOND);
    let text = shown(&t);
    assert!(text.contains("web-0 empty unwanted | www-web-0 1Gi Bound out"), "{text}");
}

#[test]
fn a_pod_without_its_image_has_its_disk() {
    let mut t = start();
    t.settle(60 * SECOND);
    line(&mut t, "kubectl set image sts/web nginx=nginx:broken");
    t.settle(60 * SECOND);
    let text = shown(&t);
    assert!(text.contains("web-2 backoff"), "{text}");
    assert_eq!(text.matches("1Gi Bound in").count(), 3, "{text}");
}

#[test]
fn a_pod_that_is_refused_is_not_about_to_be_created() {
    let mut t = Timeline::new(Config { latency: Latency::Recording, ..Config::default() });
    let long = "a".repeat(61);
    let yaml = WEB.replace("  name: web\n", &format!("  name: {long}\n"));
    t.input(Input::File { name: "web.yaml".into(), text: yaml });
    line(&mut t, "kubectl apply -f web.yaml");
    t.settle(60 * SECOND);
    let text = shown(&t);
    assert!(text.contains("-0 ghost wait.refused(detail="), "{text}");
    assert!(!text.contains("wait.soon"), "{text}");
}

#[test]
fn unchanged_items_stay_the_same() {
    let mut t = start();
    t.settle(60 * SECOND);
    let mut director = Director::default();
    let before = director.scene(t.world());
    line(&mut t, "kubectl delete pod web-1 --wait=false");
    t.advance(SECOND / 10);
    let after = director.scene(t.world());
    let slot = |s: &crate::Scene, i: usize| s.groups[0].slots[i].clone();
    assert!(std::rc::Rc::ptr_eq(&slot(&before, 0), &slot(&after, 0)));
    assert!(!std::rc::Rc::ptr_eq(&slot(&before, 1), &slot(&after, 1)));
    assert_eq!(slot(&after, 1).pod.as_ref().unwrap().state, PodState::Terminating);
}

#[test]
fn lanes_tell_each_pod_apart_from_its_namesake() {
    let mut t = start();
    t.settle(60 * SECOND);
    line(&mut t, "kubectl delete pod web-1 --wait=false");
    t.settle(60 * SECOND);
    let mut lanes = Lanes::default();
    let lanes = lanes.update(t.tip(), 0);
    let lane = lanes
        .iter()
        .find(|l| l.kind == LaneKind::Pod && l.key.as_ref().is_some_and(|k| k.name == "web-1"))
        .unwrap();
    let states: Vec<&str> = lane.segments.iter().map(|s| s.state.as_str()).collect();
    assert!(states.windows(2).any(|w| w == ["ready", "terminating"]), "{states:?}");
    assert_eq!(lane.segments.last().unwrap().state, "ready");
    let uids: std::collections::BTreeSet<_> = lane.segments.iter().map(|s| s.uid.clone()).collect();
    assert_eq!(uids.len(), 2);
    assert!(lane.segments.windows(2).all(|w| w[0].until.unwrap() <= w[1].from));
}

#[test]
fn a_client_asks_and_remembers() {
    let mut t = start();
    t.settle(60 * SECOND);
    let ask = || Input::Lookup { client: "client".into(), name: "web-0.nginx".into() };
    t.input(ask());
    t.advance(5 * SECOND);
    t.input(ask());
    let mut director = Director::default();
    let scene = director.scene(t.world());
    let packet = scene.packets.first().expect("a question is under way").clone();
    let layout = layout(&scene, 800, 0);
    let way = way(&scene, &layout, &packet);
    assert_eq!(place(&way, &packet, packet.from), Some(way[0]));
    let half = packet.from + (packet.until - packet.from) / 2;
    assert_eq!(place(&way, &packet, half), Some(way[1]));
    t.advance(SECOND);
    let scene = director.scene(t.world());
    assert!(scene.packets.is_empty());
    let client = scene.clients.first().unwrap();
    let (ip, name) = client.remembers.clone().unwrap();
    assert_eq!((ip.as_str().starts_with("10.244."), name.as_str()), (true, "web-0.nginx"));
}

#[test]
fn why_leads_back_to_the_user() {
    let mut t = start();
    t.advance(SECOND / 5);
    let scene = Director::default().scene(t.world());
    let set = scene.groups[0].key.clone();
    let why = crate::why::why(t.world(), &scene, &Target::Slot(set, 2));
    assert_eq!(why.question, "why.not-here");
    assert_eq!(why.because[0].key, "wait.place");
    assert_eq!(why.chain.first().unwrap().by, "user");
    assert!(why.chain.len() > 2);
}

#[test]
fn a_layout_has_no_overlaps() {
    let mut t = start();
    line(&mut t, "kubectl scale sts web --replicas=7");
    t.settle(60 * SECOND);
    t.input(Input::Lookup { client: "client".into(), name: "nginx".into() });
    t.settle(60 * SECOND);
    let scene = Director::default().scene(t.world());
    for width in [320, 360, 600, 760, 1200] {
        let l = layout(&scene, width, 900);
        let mut rects: Vec<_> =
            l.groups.iter().flat_map(|g| g.slots.iter().map(|s| s.all)).collect();
        rects.extend(l.boards.iter().chain(&l.clients).chain(&l.nodes));
        for (i, a) in rects.iter().enumerate() {
            assert!(a.x >= 0 && a.x + a.w <= width, "{a:?} leaves a stage of {width}");
            for b in &rects[i + 1..] {
                let apart =
                    a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
                assert!(apart, "{a:?} and {b:?} overlap at {width}");
            }
        }
    }
}
