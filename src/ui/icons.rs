//! Small pictures, drawn as paths: no fonts are loaded, and each state has its own shape.

use yew::prelude::*;

/// Strokes of an icon in a field of 16 by 16.
fn strokes(name: &str) -> &'static str {
    match name {
        "pending" => "M8 1.8a6.2 6.2 0 1 1-.01 0M8 4.6V8l2.4 1.6",
        "unschedulable" => "M8 1.8 14.4 13.4H1.6zM8 6.2v3.4M8 11.6v.1",
        "scheduled" => {
            "M8 14.2c3-3.6 4.6-5.8 4.6-8a4.6 4.6 0 1 0-9.2 0c0 2.2 1.6 4.4 4.6 8zM8 7.4a1.4 1.4 0 1 1 .01 0"
        }
        "attaching" => "M5.4 1.8v3M10.6 1.8v3M3.6 4.8h8.8v2.6a4.4 4.4 0 0 1-8.8 0zM8 11.8v2.6",
        "pulling" => "M8 1.8v8M4.8 6.8 8 10l3.2-3.2M2.4 13.8h11.2",
        "starting" => "M8 1.8a6.2 6.2 0 1 1-6.2 6.2M1.8 3.2v3.4h3.4",
        "running" => "M8 1.8a6.2 6.2 0 1 1-.01 0M6 8h4",
        "ready" => "M2.6 8.6 6.2 12.2 13.4 4",
        "terminating" => "M3 3.2h10M4 3.2v2.4L8 8l4-2.4V3.2M3 12.8h10M4 12.8v-2.4L8 8l4 2.4v2.4",
        "backoff" => "M13.4 6A5.8 5.8 0 1 0 14 9.4M13.8 2.4V6h-3.6M8 5.4v3.2M8 11v.1",
        "succeeded" => "M2 2h12v12H2zM4.8 8.4 7 10.6 11.2 5.8",
        "failed" => "M3.2 3.2 12.8 12.8M12.8 3.2 3.2 12.8",
        "play" => "M4.4 2.6 13 8l-8.6 5.4z",
        "pause" => "M5 2.8v10.4M11 2.8v10.4",
        "first" => "M3.4 2.8v10.4M13 2.8 5.6 8l7.4 5.2z",
        "back" => "M10.8 2.8 4 8l6.8 5.2z",
        "forth" => "M5.2 2.8 12 8l-6.8 5.2z",
        "last" => "M12.6 2.8v10.4M3 2.8 10.4 8 3 13.2z",
        "close" => "M3.6 3.6 12.4 12.4M12.4 3.6 3.6 12.4",
        "disk" => {
            "M2.4 4c0-1.4 2.5-2.2 5.6-2.2s5.6.8 5.6 2.2v8c0 1.4-2.5 2.2-5.6 2.2S2.4 13.4 2.4 12zM2.4 4c0 1.4 2.5 2.2 5.6 2.2s5.6-.8 5.6-2.2"
        }
        "node" => "M2 2.6h12v4.2H2zM2 9.2h12v4.2H2zM4.4 4.7h.1M4.4 11.3h.1",
        "plus" => "M8 3v10M3 8h10",
        "minus" => "M3 8h10",
        "trash" => "M2.8 4.2h10.4M6 4.2V2.4h4v1.8M4.2 4.2l.6 9.4h6.4l.6-9.4",
        "pen" => "M2.4 13.6l.7-3.2 8-8 2.5 2.5-8 8zM9.6 3.9l2.5 2.5",
        "tall" => "M3.4 10.4 8 5.8l4.6 4.6",
        "search" => "M7 2.2a4.8 4.8 0 1 1-.01 0M10.6 10.6 14 14",
        "shot" => "M2 8h10M8.6 4.4 12.2 8l-3.6 3.6",
        "roll" => {
            "M2.2 6.4a6 6 0 0 1 11-1.4M13.6 1.8V5.4H10M13.8 9.6a6 6 0 0 1-11 1.4M2.4 14.2v-3.6H6"
        }
        "power" => "M8 1.8V8M4.4 4a5.4 5.4 0 1 0 7.2 0",
        "book" => {
            "M2.2 2.8h4.2c1 0 1.6.6 1.6 1.6 0-1 .6-1.6 1.6-1.6h4.2v9.6H9.6c-1 0-1.6.4-1.6 1.2 0-.8-.6-1.2-1.6-1.2H2.2zM8 4.4v9"
        }
        "beside" => "M2 3h5v10H2zM9 3h5v10H9z",
        "share" => "M8 9.8V2M5 4.8 8 1.8l3 3M3 8v5.8h10V8",
        "help" => "M5.6 5.8a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2.9-1.2 1.9M8 12.6v.1",
        _ => "M8 3v10",
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct IconProps {
    pub(crate) name: AttrValue,
}

/// An icon; words beside it say the same, so it is hidden from screen readers.
#[component]
pub(crate) fn Icon(props: &IconProps) -> Html {
    let fill = matches!(props.name.as_str(), "play" | "first" | "back" | "forth" | "last");
    html! {
        <svg class={classes!("icon", fill.then_some("solid"))} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d={strokes(&props.name)} />
        </svg>
    }
}
