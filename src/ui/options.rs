//! What an embedding page can ask for: the attributes of `<podium-lab>`.

use podium_sim::Config;

/// Attributes of the element, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// A story to begin with, by its id.
    pub lesson: String,
    /// Manifest to begin with.
    pub yaml: String,
    /// Panels to show; all if empty.
    pub views: Vec<String>,
    /// Speed in thousandths.
    pub speed: u32,
    /// Apply the manifest at once, and let time go on.
    pub autoplay: bool,
    /// Show the buttons that act.
    pub controls: bool,
    /// `light`, `dark` or empty.
    pub theme: String,
    /// `en` or `zh`.
    pub lang: String,
    /// Seed of the cluster.
    pub seed: u64,
    /// Where to begin, microseconds.
    pub start_at: u64,
    /// The manifest cannot be changed, terminals take no lines.
    pub readonly: bool,
    /// A permalink, or its fragment.
    pub recording: String,
    /// The element is a page of its own, not a part of one.
    pub page: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lesson: String::new(),
            yaml: String::new(),
            views: Vec::new(),
            speed: 1000,
            autoplay: false,
            controls: true,
            theme: String::new(),
            lang: "en".into(),
            seed: 1,
            start_at: 0,
            readonly: false,
            recording: String::new(),
            page: false,
        }
    }
}

/// Panels that `views` can name.
pub const VIEWS: [&str; 6] = ["header", "editor", "stage", "why", "timeline", "terminal"];

impl Options {
    /// Sets an attribute; unknown names and unreadable values are passed over.
    pub fn set(&mut self, name: &str, value: &str) {
        let yes = !matches!(value, "false" | "off" | "no" | "0" | "none");
        match name {
            "lesson" => self.lesson = value.into(),
            "yaml" => self.yaml = value.into(),
            "views" => {
                let words = value.split([',', ' ']).map(str::trim);
                // the timeline is called time in the first pages that embedded it
                let words = words.map(|w| if w == "time" { "timeline" } else { w });
                self.views = words.filter(|w| VIEWS.contains(w)).map(Into::into).collect();
            }
            "speed" => {
                let speed = value.trim_end_matches(['x', '×']).parse::<f64>().ok();
                if let Some(speed) = speed.filter(|s| !s.is_nan()) {
                    self.speed = (speed * 1000.0).clamp(50.0, 100_000.0) as u32;
                }
            }
            "autoplay" => self.autoplay = yes,
            "controls" => self.controls = yes,
            "theme" if matches!(value, "light" | "dark") => self.theme = value.into(),
            "theme" => self.theme.clear(),
            "lang" => self.lang = value.into(),
            "seed" => self.seed = value.parse().unwrap_or(self.seed),
            "start-at" => self.start_at = micros(value).unwrap_or(self.start_at),
            "readonly" => self.readonly = yes,
            "recording" => self.recording = value.into(),
            "page" => self.page = yes,
            _ => {}
        }
    }

    /// Is this panel to be shown?
    pub fn shows(&self, view: &str) -> bool {
        self.views.is_empty() || self.views.iter().any(|v| v == view)
    }

    /// The cluster to simulate.
    pub fn config(&self) -> Config {
        Config { seed: self.seed, ..Config::default() }
    }
}

/// `12`, `12s`, `1.5s`, `300ms`, `2m` in microseconds; a bare number is seconds.
pub fn micros(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = match text {
        t if t.ends_with("ms") => (t.strip_suffix("ms")?, 1e3),
        t if t.ends_with('s') => (t.strip_suffix('s')?, 1e6),
        t if t.ends_with('m') => (t.strip_suffix('m')?, 6e7),
        t => (t, 1e6),
    };
    let number: f64 = number.trim().parse().ok()?;
    (0.0..1e9).contains(&number).then_some((number * unit) as u64)
}

/// `3.20 s`, `1 min 05 s` for people.
pub fn clock(at: u64) -> String {
    let seconds = at / 1_000_000;
    if seconds < 60 {
        format!("{}.{:02} s", seconds, at / 10_000 % 100)
    } else {
        format!("{} min {:02}.{} s", seconds / 60, seconds % 60, at / 100_000 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        assert_eq!(micros("12"), Some(12_000_000));
        assert_eq!(micros("1.5s"), Some(1_500_000));
        assert_eq!(micros("300ms"), Some(300_000));
        assert_eq!(micros("2m"), Some(120_000_000));
        assert_eq!(micros("-1"), None);
        assert_eq!(micros("soon"), None);
    }

    #[test]
    fn moments_are_shown() {
        assert_eq!(clock(3_204_000), "3.20 s");
        assert_eq!(clock(65_900_000), "1 min 05.9 s");
    }

    #[test]
    fn attributes_are_read() {
        let mut o = Options::default();
        o.set("views", "stage, timeline nonsense");
        o.set("speed", "2.5x");
        o.set("controls", "false");
        assert_eq!(o.views, ["stage", "timeline"]);
        o.set("speed", "NaN");
        assert_eq!((o.speed, o.controls, o.shows("editor")), (2500, false, false));
    }
}
