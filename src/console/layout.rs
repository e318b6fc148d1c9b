//! From rows to lines that fit.
//!
//! ```text
//! ✓ ◆ invoke_agent trip-planner  ━━━━━━━━━━━━━━━━  790 ms  2 calls · 2 tools · in 393 · out 70 · $0.0000817
//! ├─ ✓ ■ execute_tool search          ━━            41 ms
//! ```
//!
//! Promise: a line is never wider than told. What has no room goes in the order of its rank, and an error and a duration before
//! nothing but the end of a name; on a terminal that is wide enough times stand under each other.
//! Never: knows what a span is.

use std::borrow::Cow;

use super::line::{self, Line, Style};

/// From this width on, times are a column of their own.
const COLUMNS: usize = 100;
/// From this width on, there are bars too.
const BARS: usize = 120;
/// How long the bar of the whole run is.
const BAR: usize = 16;
/// Below this width a name is shown without what its mark says already.
const NARROW: usize = 60;
/// What is left of a name at least before facts beside it go.
const NAME: usize = 12;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Columns of a line; `None` is no limit.
    pub(super) width: Option<usize>,
    /// Whether things stand under each other where the width allows it.
    pub(super) aligned: bool,
}

/// How much a fact matters, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Detail,
    Stream,
    Count,
    Tokens,
    Cost,
    Time,
    Error,
}

#[derive(Debug)]
pub(super) struct Fact {
    pub(super) rank: Rank,
    pub(super) style: Style,
    pub(super) text: String,
}

/// When a span ran, as parts of its run: from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) style: Style,
}

/// One line in the making.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// The lines that lead to it.
    pub(super) guide: String,
    /// Marks before its name.
    pub(super) marks: Vec<(Style, String)>,
    pub(super) name: String,
    /// How many bytes at the name's beginning say what the marks say.
    pub(super) prefix: usize,
    pub(super) style: Option<Style>,
    /// Of its name the end matters.
    pub(super) end: bool,
    pub(super) facts: Vec<Fact>,
    /// How long it took: its last fact, or a column. Empty is not known yet.
    pub(super) time: Option<String>,
    pub(super) bar: Option<Bar>,
}

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
struct Table {
    name: usize,
    bars: bool,
    time: usize,
}

impl Table {
    fn of(rows: &[Row], room: Room) -> Option<Self> {
        let width = room
            .width
            .filter(|width| room.aligned && *width >= COLUMNS)?;
        let timed = || rows.iter().filter(|row| row.time.is_some());
        if timed().count() < 2 {
            return None;
        }
        let bars = width >= BARS && timed().any(|row| row.bar.is_some());
        let time = timed()
            .filter_map(|row| row.time.as_deref().map(line::columns))
            .max()?;
        let fixed = 4 + time + if bars { BAR + 2 } else { 0 };
        let facts = timed().map(|row| joined(&row.facts)).max()?;
        // Names may have what facts leave, and two fifths in any case.
        let most = (width * 2 / 5).max(width.saturating_sub(fixed + facts));
        let name = timed().map(Row::lead).max()?.min(most);
        Some(Self { name, bars, time })
    }

    fn width(self) -> usize {
        self.name + 2 + if self.bars { BAR + 2 } else { 0 } + self.time
    }
}

/// How wide facts are, with what is between them.
fn joined(facts: &[Fact]) -> usize {
    let texts: usize = facts.iter().map(|fact| line::columns(&fact.text)).sum();
    texts + 3 * facts.len().saturating_sub(1)
}

/// Lines of the rows, in their order.
pub(super) fn lines(mut rows: Vec<Row>, room: Room) -> Vec<Line> {
    for row in &mut rows {
        row.shorten(room.width);
    }
    let table = Table::of(&rows, room);
    rows.into_iter()
        .map(|row| match table {
            Some(table) if row.time.is_some() => row.in_table(table, room.width),
            _ => row.by_itself(room.width),
        })
        .collect()
}

/// The line of one row.
pub(super) fn line(mut row: Row, room: Room) -> Line {
    row.shorten(room.width);
    row.by_itself(room.width)
}

impl Row {
    /// Columns of everything up to the end of the name.
    fn lead(&self) -> usize {
        self.before_name() + line::columns(&self.name)
    }

    fn before_name(&self) -> usize {
        let marks: usize = self.marks.iter().map(|(_, mark)| line::columns(mark)).sum();
        line::columns(&self.guide) + marks
    }

    /// On narrow terminals names are short, and deep rows lead in with the last of their lines only.
    fn shorten(&mut self, width: Option<usize>) {
        let Some(width) = width else { return };
        if width < NARROW {
            self.name.drain(..std::mem::take(&mut self.prefix));
        }
        let most = (width / 3).max(6);
        if line::columns(&self.guide) > most {
            self.guide = line::cut_front(&self.guide, most).into_owned();
        }
    }

    /// Drops what matters least until the facts take at most `room` columns; not below `least`.
    fn fit(&mut self, room: usize, least: Rank) {
        while joined(&self.facts) > room {
            let Some(rank) = self.facts.iter().map(|fact| fact.rank).min() else {
                return;
            };
            if rank >= least {
                return;
            }
            // The last of those that matter as little: counts of tools go before counts of calls.
            if let Some(at) = self.facts.iter().rposition(|fact| fact.rank == rank) {
                self.facts.remove(at);
            }
        }
    }

    fn by_itself(mut self, width: Option<usize>) -> Line {
        if let Some(text) = self.time.take().filter(|time| !time.is_empty()) {
            self.facts.push(Fact {
                rank: Rank::Time,
                style: Style::Plain,
                text,
            });
        }
        let mut name = usize::MAX;
        if let Some(width) = width {
            let room = width.saturating_sub(2);
            self.fit(room.saturating_sub(self.lead()), Rank::Time);
            let rest = |row: &Self| room.saturating_sub(row.before_name() + joined(&row.facts));
            if rest(&self) < NAME.min(line::columns(&self.name)) {
                self.fit(room.saturating_sub(self.before_name() + NAME), Rank::Error);
            }
            name = if self.facts.is_empty() {
                width.saturating_sub(self.before_name())
            } else {
                rest(&self).max(NAME)
            };
        }
        let mut out = self.head(name);
        self.tail(&mut out);
        out
    }

    fn in_table(mut self, table: Table, width: Option<usize>) -> Line {
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(table.width() + 2));
        self.fit(room, Rank::Error);
        let mut out = self.head(table.name.saturating_sub(self.before_name()));
        let gap = table.name.saturating_sub(out.columns()) + 2;
        out.push(Style::Plain, " ".repeat(gap));
        if table.bars {
            let (before, bar, after) = self.bar.map_or((BAR, 0, 0), Bar::cells);
            let style = self.bar.map_or(Style::Plain, |bar| bar.style);
            out.push(Style::Plain, " ".repeat(before));
            out.push(style, "━".repeat(bar));
            out.push(Style::Plain, " ".repeat(after + 2));
        }
        let time = self.time.take().unwrap_or_default();
        let gap = table.time.saturating_sub(line::columns(&time));
        out.push(Style::Plain, format!("{}{time}", " ".repeat(gap)));
        self.tail(&mut out);
        out
    }

    /// Everything up to the name, which gets `room` columns.
    fn head(&mut self, room: usize) -> Line {
        let mut out = Line::default();
        out.push(Style::Dim, std::mem::take(&mut self.guide));
        for (style, mark) in self.marks.drain(..) {
            out.push(style, mark);
        }
        let name = if self.end {
            line::cut_front(&self.name, room)
        } else {
            line::cut(&self.name, room)
        };
        out.push(
            self.style.unwrap_or(Style::Plain),
            Cow::Owned(name.into_owned()),
        );
        out
    }

    fn tail(self, out: &mut Line) {
        for (at, fact) in self.facts.into_iter().enumerate() {
            out.push(Style::Dim, if at == 0 { "  " } else { " · " });
            out.push(fact.style, fact.text);
        }
    }
}

impl Bar {
    /// Cells before it, of it, and behind it; it has one at least.
    fn cells(self) -> (usize, usize, usize) {
        let place = |part: f64| part.clamp(0.0, 1.0) * BAR as f64;
        let from = (place(self.from) as usize).min(BAR - 1);
        let to = (place(self.to).ceil() as usize).clamp(from + 1, BAR);
        (from, to - from, BAR - to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(guide: &str, name: &str, facts: &[(Rank, &str)], time: &str) -> Row {
        Row {
            guide: guide.to_owned(),
            marks: vec![(Style::Green, "✓ ".to_owned())],
            name: name.to_owned(),
            facts: facts
                .iter()
                .map(|(rank, text)| Fact {
                    rank: *rank,
                    style: Style::Plain,
                    text: (*text).to_owned(),
                })
                .collect(),
            time: Some(time.to_owned()),
            ..Row::default()
        }
    }

    fn shown(width: usize) -> String {
        let facts = [
            (Rank::Error, "timeout"),
            (Rank::Count, "2 calls"),
            (Rank::Count, "1 tool"),
            (Rank::Tokens, "in 1,352"),
            (Rank::Cost, "$0.12"),
            (Rank::Stream, "ttfc 120 ms"),
            (Rank::Detail, "83/s"),
        ];
        let row = row("├─ ", "invoke_agent 東京-planner", &facts, "1.2 s");
        let room = Room {
            width: Some(width),
            aligned: false,
        };
        line(row, room).text(false, Some(width))
    }

    #[test]
    fn what_matters_least_goes_first_and_error_and_time_stay() {
        for (width, expected) in [
            (
                106,
                "├─ ✓ invoke_agent 東京-planner  timeout · 2 calls · 1 tool · in 1,352 · $0.12 · ttfc 120 ms · 83/s · 1.2 s",
            ),
            (
                99,
                "├─ ✓ invoke_agent 東京-planner  timeout · 2 calls · 1 tool · in 1,352 · $0.12 · ttfc 120 ms · 1.2 s",
            ),
            (
                85,
                "├─ ✓ invoke_agent 東京-planner  timeout · 2 calls · 1 tool · in 1,352 · $0.12 · 1.2 s",
            ),
            (
                76,
                "├─ ✓ invoke_agent 東京-planner  timeout · 2 calls · in 1,352 · $0.12 · 1.2 s",
            ),
            (
                66,
                "├─ ✓ invoke_agent 東京-planner  timeout · in 1,352 · $0.12 · 1.2 s",
            ),
            (
                55,
                "├─ ✓ invoke_agent 東京-planner  timeout · $0.12 · 1.2 s",
            ),
            (47, "├─ ✓ invoke_agent 東京-planner  timeout · 1.2 s"),
            (46, "├─ ✓ invoke_agent 東京-plann…  timeout · 1.2 s"),
            (40, "├─ ✓ invoke_agent 東京…  timeout · 1.2 s"),
            (34, "├─ ✓ invoke_agen…  timeout · 1.2 s"),
            (30, "├─ ✓ invoke_agent 東…  timeout"),
        ] {
            assert_eq!(shown(width), expected, "{width}");
        }
    }

    #[test]
    fn no_width_is_ever_exceeded() {
        for width in 20..130 {
            assert!(line::columns(&shown(width)) <= width, "{width}");
        }
    }

    #[test]
    fn wide_terminals_have_columns_and_wider_ones_bars() {
        let rows = |from: f64| {
            let mut first = row("", "invoke_agent a", &[(Rank::Tokens, "in 5")], "1.2 s");
            let mut second = row("└─ ", "東京", &[(Rank::Error, "timeout")], "12 ms");
            first.bar = Some(Bar {
                from: 0.0,
                to: 1.0,
                style: Style::Green,
            });
            second.bar = Some(Bar {
                from,
                to: 0.0,
                style: Style::Red,
            });
            vec![first, second]
        };
        let shown = |width, from| -> Vec<String> {
            let room = Room {
                width: Some(width),
                aligned: true,
            };
            let lines = lines(rows(from), room);
            lines
                .iter()
                .map(|line| line.text(false, Some(width)))
                .collect()
        };
        assert_eq!(
            shown(99, 0.5),
            [
                "✓ invoke_agent a  in 5 · 1.2 s",
                "└─ ✓ 東京  timeout · 12 ms"
            ]
        );
        assert_eq!(
            shown(100, 0.5),
            [
                "✓ invoke_agent a  1.2 s  in 5",
                "└─ ✓ 東京         12 ms  timeout"
            ]
        );
        assert_eq!(
            shown(120, 0.5),
            [
                "✓ invoke_agent a  ━━━━━━━━━━━━━━━━  1.2 s  in 5",
                "└─ ✓ 東京                 ━         12 ms  timeout"
            ]
        );
        for from in [-1.0, 0.999, 7.0, f64::NAN, f64::INFINITY] {
            assert_eq!(shown(120, from)[1].matches('━').count(), 1, "{from}");
        }
    }

    #[test]
    fn deep_rows_keep_the_end_of_their_guide() {
        let deep = row(&"│  ".repeat(30), "leaf", &[], "1 ms");
        let room = Room {
            width: Some(40),
            aligned: false,
        };
        let shown = lines(vec![deep], room).remove(0).text(false, Some(40));
        assert_eq!(shown, "…│  │  │  │  ✓ leaf  1 ms");
    }
}
