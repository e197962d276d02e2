//! The display's clock.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Longest time between two frames that counts, milliseconds: tabs in the background do not
/// catch up.
const LONGEST: f64 = 100.0;

type Tick = Closure<dyn FnMut(f64)>;

struct State {
    tick: Box<dyn Fn(f64) -> bool>,
    closure: RefCell<Option<Tick>>,
    request: Cell<Option<i32>>,
    last: Cell<Option<f64>>,
}

/// Calls back on each frame of the display while it runs; the callback says whether to go on.
pub struct Clock(Rc<State>);

impl Clock {
    /// A clock that stands still. The callback gets the milliseconds since the last frame.
    pub fn new(tick: impl Fn(f64) -> bool + 'static) -> Self {
        let state = Rc::new(State {
            tick: Box::new(tick),
            closure: RefCell::new(None),
            request: Cell::new(None),
            last: Cell::new(None),
        });
        // a closure of the browser cannot be made where there is no browser
        if cfg!(target_arch = "wasm32") {
            let weak = Rc::downgrade(&state);
            let closure = Tick::new(move |time: f64| {
                let Some(state) = weak.upgrade() else { return };
                state.request.set(None);
                let last = state.last.replace(Some(time)).unwrap_or(time);
                if (state.tick)((time - last).clamp(0.0, LONGEST)) {
                    state.ask();
                } else {
                    state.last.set(None);
                }
            });
            *state.closure.borrow_mut() = Some(closure);
        }
        Self(state)
    }

    /// Lets it run.
    pub fn start(&self) {
        self.0.ask();
    }

    /// Stops it.
    pub fn stop(&self) {
        self.0.last.set(None);
        if let (Some(id), Some(window)) = (self.0.request.take(), web_sys::window()) {
            let _ = window.cancel_animation_frame(id);
        }
    }
}

impl State {
    fn ask(&self) {
        if self.request.get().is_some() {
            return;
        }
        let closure = self.closure.borrow();
        if let (Some(closure), Some(window)) = (closure.as_ref(), web_sys::window()) {
            self.request.set(window.request_animation_frame(closure.as_ref().unchecked_ref()).ok());
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Milliseconds of the display's clock.
pub fn now() -> f64 {
    web_sys::window().and_then(|w| w.performance()).map_or(0.0, |p| p.now())
}
