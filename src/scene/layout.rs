//! Where things stand: a pure function of the scene and the width of the stage, in pixels.
//! Places depend on ordinals only, so that a stable place teaches identity.

use podium_sim::Str;
use podium_sim::api::Key;

use crate::model::{Packet, PacketKind, Scene};

/// A rectangle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rect {
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

impl Rect {
    /// Its centre.
    pub fn centre(&self) -> (i32, i32) {
        (self.x + self.w / 2, self.y + self.h / 2)
    }
}

/// A slot's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotBox {
    /// [`crate::Slot::id`].
    pub id: Str,
    /// Ordinal and name, pod and disks together.
    pub all: Rect,
    /// The pod's card.
    pub pod: Rect,
    /// Its disks' cards.
    pub disks: Vec<Rect>,
}

/// A group's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupBox {
    /// The whole podium.
    pub all: Rect,
    /// Its slots, in order.
    pub slots: Vec<SlotBox>,
    /// Cards are small because there are many.
    pub compact: bool,
}

/// All places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// Width of the stage.
    pub width: i32,
    /// Height that it needs.
    pub height: i32,
    /// Same order as [`Scene::groups`].
    pub groups: Vec<GroupBox>,
    /// Same order as [`Scene::boards`].
    pub boards: Vec<Rect>,
    /// Same order as [`Scene::clients`].
    pub clients: Vec<Rect>,
    /// Same order as [`Scene::nodes`].
    pub nodes: Vec<Rect>,
}

/// Height of the line with ordinal and name above a pod.
pub const HEAD: i32 = 35;
/// Height of a group's title line.
pub const TITLE: i32 = 42;
/// Length of a cable.
pub const CABLE: i32 = 40;
/// Height of a line of the board, and of its heading.
pub const ROW: i32 = 26;

/// Height of the board's heading.
const BOARD: i32 = 38;

struct Measure {
    margin: i32,
    gap: i32,
    min: i32,
    max: i32,
    pod: i32,
    disk: i32,
    head: i32,
    cable: i32,
}

const FULL: Measure = Measure {
    margin: 28,
    gap: 20,
    min: 186,
    max: 264,
    pod: 118,
    disk: 80,
    head: HEAD,
    cable: CABLE,
};
const NARROW: Measure =
    Measure { margin: 14, gap: 12, min: 148, max: 236, pod: 114, disk: 78, head: HEAD, cable: 36 };
const SMALL: Measure =
    Measure { margin: 28, gap: 8, min: 74, max: 84, pod: 44, disk: 24, head: 20, cable: 14 };
/// From this many slots on, cards are small.
pub const MANY: usize = 25;

/// Lays the scene out for a stage of that width; the nodes stand at the bottom of a stage that
/// is higher than what is on it.
pub fn layout(scene: &Scene, width: i32, height: i32) -> Layout {
    let base = if width < 560 { &NARROW } else { &FULL };
    let mut out = Layout { width, ..Layout::default() };
    let mut y = 18;
    y = top(scene, width, base, y, &mut out);
    for group in &scene.groups {
        let (group_box, bottom) = podium(group, width, base, y);
        out.groups.push(group_box);
        y = bottom;
    }
    y = floor(scene, width, base, y, height, &mut out);
    out.height = y + base.margin / 2;
    out
}

/// Clients on the left, name boards on the right; above each other where it is narrow.
fn top(scene: &Scene, width: i32, m: &Measure, mut y: i32, out: &mut Layout) -> i32 {
    let inner = width - 2 * m.margin;
    let side = width >= 560 && !scene.clients.is_empty();
    let client_w = if side { (inner / 4).clamp(150, 190) } else { (inner - m.gap) / 2 };
    let client_h = 98;
    let start = y;
    let mut clients_bottom = y;
    for i in 0..scene.clients.len() as i32 {
        let rect = if side {
            Rect { x: m.margin, y: y + i * (client_h + 14), w: client_w, h: client_h }
        } else {
            Rect {
                x: m.margin + (i % 2) * (client_w + m.gap),
                y: y + (i / 2) * (client_h + 12),
                w: client_w,
                h: client_h,
            }
        };
        clients_bottom = rect.y + rect.h;
        out.clients.push(rect);
    }
    if !side && !scene.clients.is_empty() {
        y = clients_bottom + 34;
    }
    let left = if side { m.margin + client_w + 72 } else { m.margin };
    let board_w = (width - m.margin - left).min(560);
    let top = if side { start } else { y };
    // two columns where there is room; each board goes into the shorter one
    let two = scene.boards.len() > 1 && width - m.margin - left >= 2 * 310 + 16;
    let board_w = if two { (width - m.margin - left - 16) / 2 } else { board_w };
    let mut ends = vec![top; if two { 2 } else { 1 }];
    for board in &scene.boards {
        let more = i32::from(board.more > 0) * 22;
        let h = BOARD + board.rows.len() as i32 * ROW + more + 9;
        let column = (0..ends.len()).min_by_key(|i| ends[*i]).unwrap_or(0);
        let x = left + column as i32 * (board_w + 16);
        out.boards.push(Rect { x, y: ends[column], w: board_w, h });
        ends[column] += h + 16;
    }
    let bottom = ends.into_iter().max().unwrap_or(top).max(clients_bottom);
    if scene.boards.is_empty() && scene.clients.is_empty() { start } else { bottom + 4 }
}

fn podium(group: &crate::Group, width: i32, base: &Measure, y: i32) -> (GroupBox, i32) {
    let n = group.slots.len();
    let compact = n >= MANY;
    let small = Measure { margin: base.margin, ..SMALL };
    let m = if compact { &small } else { base };
    let inner = width - 2 * m.margin;
    let fit = ((inner + m.gap) / (m.min + m.gap)).max(1);
    let columns = fit.min(n.max(1) as i32);
    let w = ((inner - (columns - 1) * m.gap) / columns).clamp(m.min.min(inner), m.max.max(m.min));
    let disks = group.disks as i32;
    let row_h =
        m.head + m.pod + if disks > 0 { m.cable + disks * m.disk + (disks - 1) * 8 } else { 0 };
    let top = y + TITLE;
    let between = if compact { 12 } else { 26 };
    let slots = group
        .slots
        .iter()
        .enumerate()
        .map(|(i, slot)| {
            let (column, row) = (i as i32 % columns, i as i32 / columns);
            let x = m.margin + column * (w + m.gap);
            let y = top + row * (row_h + between);
            let pod = Rect { x, y: y + m.head, w, h: m.pod };
            let first = pod.y + pod.h + m.cable;
            SlotBox {
                id: slot.id.clone(),
                all: Rect { x, y, w, h: row_h },
                pod,
                disks: (0..disks)
                    .map(|d| Rect { x, y: first + d * (m.disk + 8), w, h: m.disk })
                    .collect(),
            }
        })
        .collect();
    let rows = (n as i32 + columns - 1) / columns;
    let h = TITLE + (rows * (row_h + between) - between).max(0);
    let all = Rect { x: m.margin, y, w: inner, h };
    (GroupBox { all, slots, compact }, y + h + 18)
}

/// The nodes stand in a row below everything.
fn floor(scene: &Scene, width: i32, m: &Measure, y: i32, height: i32, out: &mut Layout) -> i32 {
    let n = scene.nodes.len() as i32;
    if n == 0 {
        return y;
    }
    let inner = width - 2 * m.margin;
    let gap = 12;
    let columns = ((inner + gap) / (132 + gap)).clamp(1, n.min(6));
    let w = ((inner - (columns - 1) * gap) / columns).min(280);
    let h = 56;
    let rows = (n + columns - 1) / columns;
    let y = (y + 8).max(height - m.margin / 2 - rows * (h + 10));
    for i in 0..n {
        out.nodes.push(Rect {
            x: m.margin + (i % columns) * (w + gap),
            y: y + (i / columns) * (h + 10),
            w,
            h,
        });
    }
    y + rows * (h + 10)
}

/// Ways that a packet takes: points that it passes, in order, there and back.
pub fn way(scene: &Scene, layout: &Layout, packet: &Packet) -> Vec<(i32, i32)> {
    let client = scene.clients.iter().position(|c| c.pod.key == packet.client);
    let from = client.and_then(|i| layout.clients.get(i)).map(|r| (r.x + r.w, r.y + r.h / 2));
    let slot = |key: &Key| {
        scene.groups.iter().zip(&layout.groups).find_map(|(g, b)| {
            g.slots.iter().zip(&b.slots).find_map(|(s, sb)| {
                (s.name == key.name && s.set.ns == key.ns).then_some((sb.pod, sb.all))
            })
        })
    };
    // pods that talk without being clients on stage start from their own card
    let start = from.or_else(|| slot(&packet.client).map(|(pod, _)| pod.centre()));
    let Some(start) = start else { return Vec::new() };
    let there = match packet.kind {
        PacketKind::Lookup => board_row(scene, layout, &packet.label),
        PacketKind::Request | PacketKind::Lost => {
            packet.to.as_ref().and_then(slot).map(|(pod, _)| (pod.x + pod.w / 2, pod.y + 4))
        }
    };
    let fallback = layout.boards.first().map(|b| (b.x, b.y + 20));
    let there = there.or(fallback).unwrap_or((start.0 + 120, start.1));
    match packet.kind {
        PacketKind::Lookup | PacketKind::Request => vec![start, there, start],
        PacketKind::Lost => vec![start, there],
    }
}

fn board_row(scene: &Scene, layout: &Layout, name: &str) -> Option<(i32, i32)> {
    let wanted = name.trim_end_matches('.').split(".svc").next().unwrap_or(name);
    scene.boards.iter().zip(&layout.boards).find_map(|(board, rect)| {
        let full = |row: &str| format!("{row}.{}", board.key.ns);
        let i = board.rows.iter().position(|r| *r.name == *wanted || full(&r.name) == wanted)?;
        Some((rect.x, rect.y + BOARD + i as i32 * ROW + ROW / 2))
    })
}

/// Where a packet is at that moment: between 0 (leaving) and 1000 (over), and its place.
pub fn place(way: &[(i32, i32)], packet: &Packet, now: u64) -> Option<(i32, i32)> {
    if now < packet.from || now > packet.until {
        return None;
    }
    let total = packet.until.saturating_sub(packet.from).max(1);
    let done = now.saturating_sub(packet.from).min(total);
    let legs = way.len().checked_sub(1).filter(|l| *l > 0)? as u64;
    let along = done * legs * 1000 / total;
    let leg = (along / 1000).min(legs - 1) as usize;
    let part = (along - leg as u64 * 1000).min(1000) as i32;
    let (a, b) = (way.get(leg)?, way.get(leg + 1)?);
    Some((a.0 + (b.0 - a.0) * part / 1000, a.1 + (b.1 - a.1) * part / 1000))
}
