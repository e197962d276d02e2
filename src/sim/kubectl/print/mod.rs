//! Tables as kubectl prints them (behaviour/kubectl.md 1 and 2): the server's columns, the
//! client's padding.

pub mod batch;
pub mod net;
pub mod pods;
pub mod rows;
pub mod scale;

use std::fmt::Write as _;

/// Least width of a column, padding included.
const MIN: usize = 6;
/// Blanks between columns.
const PADDING: usize = 3;

/// Widths of columns that were printed already; a watch's columns only grow.
#[derive(Clone, Debug, Default)]
pub struct Widths(Vec<usize>);

impl Widths {
    /// Pads rows so that their columns stand below each other; the last cell is not padded.
    pub fn render(&mut self, rows: &[Vec<String>]) -> String {
        for row in rows {
            for (i, cell) in row.iter().enumerate().take(row.len().saturating_sub(1)) {
                let width = (cell.chars().count() + PADDING).max(MIN);
                match self.0.get_mut(i) {
                    Some(w) => *w = (*w).max(width),
                    None => self.0.push(width),
                }
            }
        }
        let mut out = String::new();
        for row in rows {
            for (i, cell) in row.iter().enumerate() {
                if i + 1 == row.len() {
                    out.push_str(cell);
                } else {
                    let width = self.0.get(i).copied().unwrap_or(0);
                    let _ = write!(out, "{cell:width$}");
                }
            }
            out.push('\n');
        }
        out
    }
}

/// A cell ends at its first line break.
pub fn one_line(cell: &str) -> String {
    match cell.split_once(['\n', '\r']) {
        Some((first, _)) => format!("{first}..."),
        None => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|c| (*c).to_owned()).collect()
    }

    #[test]
    fn columns_grow_while_watching() {
        let mut w = Widths::default();
        assert_eq!(
            w.render(&[row(&["NAME", "STATUS", "AGE"]), row(&["web-0", "Pending", "0s"])]),
            "NAME    STATUS    AGE\nweb-0   Pending   0s\n"
        );
        assert_eq!(
            w.render(&[row(&["web-0", "ContainerCreating", "0s"])]),
            "web-0   ContainerCreating   0s\n"
        );
        assert_eq!(
            w.render(&[row(&["web-0", "Running", "1s"])]),
            "web-0   Running             1s\n"
        );
    }
}
