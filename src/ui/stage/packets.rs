//! What travels: placed by simulated time, so that pause, speed and scrubbing are exact.

use std::rc::Rc;

use podium_scene::layout::{Layout, place, way};
use podium_scene::{PacketKind, Scene};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct PacketsProps {
    pub(super) scene: Rc<Scene>,
    pub(super) layout: Rc<Layout>,
    pub(super) at: u64,
}

#[component]
pub(super) fn Packets(props: &PacketsProps) -> Html {
    let PacketsProps { scene, layout, at } = props;
    html! {
        <svg class="packets" width={layout.width.to_string()} height={layout.height.to_string()} aria-hidden="true">
            { for scene.packets.iter().filter_map(|packet| {
                let way = way(scene, layout, packet);
                let (x, y) = place(&way, packet, *at)?;
                let (from, to) = (way.first()?, way.get(1)?);
                let half = packet.from + (packet.until - packet.from) / 2;
                let back = *at > half && packet.kind != PacketKind::Lost;
                let class = classes!("packet", (packet.bad && (back || packet.kind == PacketKind::Lost)).then_some("bad"));
                let sign = match (packet.kind, back, packet.bad) {
                    (PacketKind::Lookup, false, _) => "?",
                    (PacketKind::Lookup, true, true) => "✕",
                    (PacketKind::Lookup, true, false) => "!",
                    (PacketKind::Request, false, _) => "→",
                    (PacketKind::Request, true, _) => "✓",
                    (PacketKind::Lost, ..) => "→",
                };
                Some(html! {
                    <g key={packet.seq} {class}>
                        <path class="way" d={format!("M{} {}L{} {}", from.0, from.1, to.0, to.1)} />
                        <g transform={format!("translate({x} {y})")}>
                            <circle r="10" />
                            <text dy="4" text-anchor="middle">{ sign }</text>
                        </g>
                    </g>
                })
            }) }
        </svg>
    }
}
