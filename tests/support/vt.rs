//! A terminal of a few rows that understands the control sequences of the console, and refuses all others.

/// What a terminal of this size shows after it was fed some bytes. Rows that scroll off are kept.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    pub(crate) scrolled: Vec<String>,
    screen: Vec<Vec<char>>,
    columns: usize,
    row: usize,
    column: usize,
    wraps: bool,
    saved: (usize, usize),
}

impl Terminal {
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        Self {
            scrolled: Vec::new(),
            screen: vec![vec![' '; columns]; rows],
            columns,
            row: 0,
            column: 0,
            wraps: true,
            saved: (0, 0),
        }
    }

    pub(crate) fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    /// The rows that are not blank at the end, without trailing blanks.
    pub(crate) fn screen(&self) -> String {
        let rows: Vec<String> = self.screen.iter().map(|row| text(row)).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Everything from the first line ever written.
    pub(crate) fn transcript(&self) -> String {
        let mut all = self.scrolled.clone();
        all.extend(self.screen.iter().map(|row| text(row)));
        all.join("\n").trim_end().to_owned()
    }

    pub(crate) fn feed(&mut self, bytes: &str) {
        let mut rest = bytes.chars();
        while let Some(c) = rest.next() {
            match c {
                '\r' => self.column = 0,
                '\n' => {
                    self.down();
                    // What the line discipline of a terminal makes of it.
                    self.column = 0;
                }
                '\x1b' => self.escape(&mut rest),
                c if c.is_control() => panic!("the console sent {c:?}"),
                c => self.print(c),
            }
        }
    }

    fn print(&mut self, c: char) {
        if self.column == self.columns {
            if self.wraps {
                self.column = 0;
                self.down();
            } else {
                self.column -= 1;
            }
        }
        self.screen[self.row][self.column] = c;
        self.column += 1;
    }

    fn down(&mut self) {
        if self.row + 1 < self.screen.len() {
            self.row += 1;
        } else {
            let first = self.screen.remove(0);
            self.scrolled.push(text(&first));
            self.screen.push(vec![' '; self.columns]);
        }
    }

    fn escape(&mut self, rest: &mut std::str::Chars<'_>) {
        match rest.next() {
            Some('7') => self.saved = (self.row, self.column),
            Some('8') => (self.row, self.column) = self.saved,
            Some('D') => self.down(),
            Some('[') => {
                let mut arguments = String::new();
                let command = loop {
                    match rest.next() {
                        Some(c @ ('0'..='9' | ';' | '?')) => arguments.push(c),
                        Some(c) => break c,
                        None => panic!("a sequence without end"),
                    }
                };
                self.control(&arguments, command);
            }
            other => panic!("the console sent ESC {other:?}"),
        }
    }

    fn control(&mut self, arguments: &str, command: char) {
        match (arguments, command) {
            (n, 'A') => self.row = self.row.saturating_sub(n.parse().expect("a number")),
            ("", 'K') => self.erase_right(),
            ("", 'J') => {
                self.erase_right();
                for row in &mut self.screen[self.row + 1..] {
                    row.fill(' ');
                }
            }
            ("?7", 'h') => self.wraps = true,
            ("?7", 'l') => self.wraps = false,
            ("?2026", 'h' | 'l') | (_, 'm') => {}
            other => panic!("the console sent CSI {other:?}"),
        }
    }

    fn erase_right(&mut self) {
        let from = self.column.min(self.columns);
        self.screen[self.row][from..].fill(' ');
    }
}

fn text(row: &[char]) -> String {
    row.iter().collect::<String>().trim_end().to_owned()
}
