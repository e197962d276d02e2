//! What of a large element is in sight: the rest of it need not be in the page.

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, ResizeObserver};
use yew::prelude::*;

/// The inner width and height of an element, kept up to date.
#[hook]
pub(crate) fn use_size(node: &NodeRef) -> (i32, i32) {
    let size = use_state(|| (760, 0));
    let (node, set) = (node.clone(), size.clone());
    use_effect_with((), move |()| {
        let element = node.cast::<Element>();
        let measured = element.clone();
        let closure = Closure::<dyn FnMut()>::new(move || {
            let now = measured.as_ref().map_or((0, 0), |e| (e.client_width(), e.client_height()));
            if now.0 > 0 && now != *set {
                set.set(now);
            }
        });
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref()).ok();
        if let (Some(o), Some(e)) = (&observer, &element) {
            o.observe(e);
        }
        move || {
            if let Some(o) = observer {
                o.disconnect();
            }
            drop(closure);
        }
    });
    *size
}

/// The part of a scrolled element that is in sight, with a stride above and below: of a thousand
/// things, only those in it need be in the page. It is looked at in strides of so many pixels,
/// so that not every turn of a wheel draws anew. The callback hears of scrolling.
#[hook]
pub(crate) fn use_sight(node: &NodeRef, height: i32, stride: i32) -> ((i32, i32), Callback<Event>) {
    let step = use_state_eq(|| 0);
    let onscroll = {
        let (node, step) = (node.clone(), step.clone());
        Callback::from(move |_: Event| {
            let top = node.cast::<Element>().map_or(0, |e| e.scroll_top());
            step.set(top / stride);
        })
    };
    // not measured yet: a whole page
    let height = if height > 0 { height } else { 900 };
    let top = *step * stride;
    ((top - stride, top + height + 2 * stride), onscroll)
}

/// Milliseconds between two lots of [`use_growing`]: a frame of the display has at most one.
const LOT: u32 = 20;

/// How many of `count` things are shown now: so many at once, and as many more in each of the
/// next frames, so that none has to make all of them.
#[hook]
pub(crate) fn use_growing(count: usize, at_once: usize) -> usize {
    let shown = use_state_eq(|| at_once);
    let set = shown.setter();
    use_effect_with((*shown, count > *shown), move |(shown, more)| {
        let next = *shown + at_once;
        let timer = more.then(|| Timeout::new(LOT, move || set.set(next)));
        move || drop(timer)
    });
    *shown
}

/// A number that changes all the time, as it was lately: at most one change in `every`
/// milliseconds, the first one at once.
#[hook]
pub(crate) fn use_calm(value: u64, every: u32) -> u64 {
    let shown = use_state_eq(|| value);
    let last = use_mut_ref(|| 0.0_f64);
    let (set, now) = (shown.setter(), *shown);
    use_effect_with((value, now), move |(value, now)| {
        let value = *value;
        let wait = if value == *now {
            None
        } else {
            let since = crate::ui::playback::now() - *last.borrow();
            Some((f64::from(every) - since).max(0.0) as u32)
        };
        let timer = wait.map(|wait| {
            Timeout::new(wait, move || {
                *last.borrow_mut() = crate::ui::playback::now();
                set.set(value);
            })
        });
        move || drop(timer)
    });
    now
}
