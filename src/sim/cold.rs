//! Texts that a first look does not need.
//!
//! An optimised build moves them to the second module (scripts/split): marks stand around them,
//! by which they are found. Only functions that are called late may use one.

/// A file's text between the marks.
#[macro_export]
macro_rules! cold_text {
    ($file:expr) => {
        concat!("\u{1}podium late\u{1}", include_str!($file), "\u{1}podium soon\u{1}")
    };
}
pub use cold_text;

/// The text without its marks.
pub fn text(marked: &'static str) -> &'static str {
    // both marks have as many bytes
    const MARK: usize = "\u{1}podium late\u{1}".len();
    marked.get(MARK..marked.len().saturating_sub(MARK)).unwrap_or_default()
}
