//! Podium in the browser.

use wasm_bindgen::prelude::*;
use yew::prelude::*;

/// The page.
#[component]
pub fn App() -> Html {
    html! {
        <p>{ podium_sim::about() }</p>
    }
}

/// Called once by the page when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    yew::Renderer::<App>::new().render();
}
