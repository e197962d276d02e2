//! Podium in the browser.

use yew::prelude::*;

/// The page.
#[component]
pub fn App() -> Html {
    html! {
        <p>{ podium_sim::about() }</p>
    }
}
