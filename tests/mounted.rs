//! The page itself, mounted into a document, as `<podium-lab>` mounts it: what a reader sees.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Promise, Reflect};
use podium::element::Lab;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Document, Element};

use crate::stories::MANIFEST;

/// Waits for so many milliseconds.
async fn pause(ms: i32) {
    let timer = Promise::new(&mut |done, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&done, ms);
        }
    });
    let _ = JsFuture::from(timer).await;
}

/// A lab in the document, and the pods and claims that it told of: `ADDED Pod web-0`.
struct Mounted {
    lab: Lab,
    root: Element,
    told: Rc<RefCell<Vec<String>>>,
    _listener: Closure<dyn FnMut(JsValue)>,
}

fn document() -> Document {
    web_sys::window().and_then(|w| w.document()).expect("a browser")
}

fn mount(views: &str) -> Mounted {
    let (host, root) = (new_element(), new_element());
    root.set_attribute("class", "root").expect("an attribute");
    host.append_child(&root).expect("a child");
    document().body().expect("a body").append_child(&host).expect("a child");
    let told = Rc::new(RefCell::new(Vec::new()));
    let list = told.clone();
    let listener = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        let get = |of: &JsValue, key: &str| Reflect::get(of, &key.into()).unwrap_or(JsValue::NULL);
        let detail = get(&event, "detail");
        let word = |key| get(&detail, key).as_string().unwrap_or_default();
        list.borrow_mut().push(format!("{} {} {}", word("type"), word("kind"), word("name")));
    });
    host.add_event_listener_with_callback("podium-event", listener.as_ref().unchecked_ref())
        .expect("a listener");
    let lab = Lab::new(host.into(), root.clone());
    lab.set("lang", "en").expect("a language");
    lab.set("views", views).expect("views");
    lab.show().expect("a lab");
    Mounted { lab, root, told, _listener: listener }
}

fn new_element() -> Element {
    document().create_element("div").expect("an element")
}

impl Mounted {
    fn text(&self) -> String {
        self.root.text_content().unwrap_or_default()
    }

    /// Waits until the page shows it; fails after 20 seconds with what it shows.
    async fn shows(&self, wanted: &str) {
        for _ in 0..400 {
            if self.text().contains(wanted) {
                return;
            }
            pause(50).await;
        }
        panic!("the page never shows {wanted:?}, but:\n{}", self.text());
    }

    /// Waits until the lab has told of it; gives its place among all that was told.
    async fn told(&self, what: &str) -> usize {
        for _ in 0..400 {
            let place = self.told.borrow().iter().position(|t| t == what);
            if let Some(place) = place {
                return place;
            }
            pause(50).await;
        }
        panic!("{what} was never told");
    }

    /// The address behind a name on the board.
    fn address(&self, name: &str) -> String {
        let rows = self.root.query_selector_all(".board .row").expect("a selector");
        for i in 0..rows.length() {
            let Some(row) = rows.get(i).and_then(|r| r.dyn_into::<Element>().ok()) else {
                continue;
            };
            let part = |class: &str| row.query_selector(class).ok().flatten();
            if part(".name").and_then(|n| n.text_content()).is_some_and(|n| n.trim() == name) {
                let answer = part(".answer").and_then(|a| a.get_attribute("aria-label"));
                return answer.unwrap_or_default();
            }
        }
        panic!("the board has no {name}: {}", self.text());
    }
}

/// A new pod of the same name, with another address and the same disk.
#[wasm_bindgen_test]
async fn the_page_keeps_the_three_promises() {
    let page = mount("stage terminal");
    page.shows("The stage is empty").await;
    page.lab.set_speed(4.0);
    page.lab.apply(MANIFEST);
    page.shows("waits for web-0 to be Ready").await;
    assert!(!page.text().contains("waits for web-2"), "{}", page.text());
    page.shows("waits for web-1 to be Ready").await;
    page.lab.set_speed(40.0);
    page.shows("3 of 3 ready").await;
    for (before, after) in [("web-0", "web-1"), ("web-1", "web-2")] {
        let (a, b) = (format!("ADDED Pod {before}"), format!("ADDED Pod {after}"));
        assert!(page.told(&a).await < page.told(&b).await, "{after} came before {before}");
    }

    page.lab.kubectl("exec web-0 -- sh -c 'echo kept by web-0 > /usr/share/nginx/html/index.html'");
    page.shows("index.html").await;
    let old = page.address("web-0.nginx");
    assert!(old.starts_with("10.244."), "{old}");
    page.lab.set_speed(1.0);
    page.lab.kubectl("delete pod web-0 --wait=false");
    page.shows("NXDOMAIN").await;
    page.lab.set_speed(10.0);
    page.told("DELETED Pod web-0").await;
    while page.address("web-0.nginx") == "NXDOMAIN" {
        pause(50).await;
    }
    page.shows("3 of 3 ready").await;
    let new = page.address("web-0.nginx");
    assert!(new.starts_with("10.244.") && new != old, "{old} and then {new}");
    page.lab.kubectl("exec web-0 -- cat /usr/share/nginx/html/index.html");
    page.shows("kept by web-0").await;

    page.lab.pause();
    page.lab.seek("0");
    page.shows("The stage is empty").await;
    page.lab.hide();
}

/// A lesson tells of its goals; its file is read as `podium check` reads it.
#[wasm_bindgen_test]
async fn a_lesson_is_learned() {
    let page = mount("stage terminal");
    page.lab.set_speed(60.0);
    assert!(page.lab.learn("id: x").is_err(), "half a lesson is none");
    page.lab.learn(include_str!("../static/lessons/one-after-the-other.yaml")).expect("a lesson");
    page.shows("Scale to four pods").await;
    page.shows("2 of 2 ready").await;
    pause(500).await;
    page.lab.kubectl("scale sts web --replicas=4");
    page.shows("Scale back to two").await;
    page.lab.kubectl("scale sts web --replicas=2");
    page.shows("All goals are met").await;
    page.lab.hide();
}
