//! Podium in the browser: the custom element's class and the page inside it.
//!
//! Nothing happens when the module is loaded; `static/js/podium.js` defines the element
//! `<podium-lab>` and makes one [`element::Lab`] for each.

pub mod element;
pub mod ui;
