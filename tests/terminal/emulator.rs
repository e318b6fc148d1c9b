//! A terminal emulator that tells what is on its screen, and what was sent that is not for a screen.

use std::num::NonZero;

/// What an application must not send to a terminal behind its user's back, if it does so.
#[derive(Debug, Default)]
pub(crate) struct Heard(pub(crate) Vec<String>);

impl vt100::Callbacks for Heard {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0.push("bell".to_owned());
    }
    fn resize(&mut self, _: &mut vt100::Screen, _: (u16, u16)) {
        self.0.push("resize".to_owned());
    }
    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("icon name".to_owned());
    }
    fn set_window_title(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("title".to_owned());
    }
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], _: &[u8]) {
        self.0.push("copy".to_owned());
    }
    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("paste".to_owned());
    }
    fn unhandled_char(&mut self, _: &mut vt100::Screen, c: char) {
        self.0.push(format!("character {c:?}"));
    }
    fn unhandled_control(&mut self, _: &mut vt100::Screen, b: u8) {
        self.0.push(format!("control {b:#x}"));
    }
    fn unhandled_escape(&mut self, _: &mut vt100::Screen, i1: Option<u8>, i2: Option<u8>, b: u8) {
        self.0.push(format!("ESC {i1:?} {i2:?} {b}"));
    }
    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        i1: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        // Wrapping on and off, and the marks of one update: the console's own, which this emulator does not know.
        let own = i1 == Some(b'?') && matches!(params, [[7] | [2026]]) && matches!(c, 'h' | 'l');
        if !own {
            self.0.push(format!("CSI {i1:?} {params:?} {c}"));
        }
    }
    fn unhandled_osc(&mut self, _: &mut vt100::Screen, params: &[&[u8]]) {
        self.0.push(format!("OSC {params:?}"));
    }
}

pub(crate) const ROWS: NonZero<u16> = NonZero::new(60).unwrap();

pub(crate) fn size(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

pub(crate) struct Emulator(pub(crate) vt100::Parser<Heard>);

impl Emulator {
    pub(crate) fn new(columns: u16) -> Self {
        Self(vt100::Parser::new_with_callbacks(
            ROWS,
            size(columns),
            0,
            Heard::default(),
        ))
    }

    pub(crate) fn feed(&mut self, bytes: &str) {
        // One row down in the same column, by the other name this emulator knows it by.
        self.0.process(bytes.replace("\x1bD", "\x0b").as_bytes());
    }

    /// What is on the screen. It fails if anything was heard that is not for a screen.
    pub(crate) fn screen(&self) -> String {
        assert_eq!(self.0.callbacks().0, Vec::<String>::new());
        let screen = self.0.screen();
        let rows: Vec<String> = screen.rows(0, screen.size().1.get()).collect();
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        rows.join("\n").trim_matches('\n').to_owned()
    }

    pub(crate) fn has_colour(&self) -> bool {
        let screen = self.0.screen();
        let (rows, columns) = screen.size();
        (0..rows.get()).any(|row| {
            (0..columns.get()).any(|column| {
                let cell = screen.cell(row, column).unwrap();
                cell.fgcolor() != vt100::Color::Default || cell.bold() || cell.dim()
            })
        })
    }
}
