//! Printing: tables for people, JSON and YAML for programs.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences.
    Table,
    /// JSON; where things come one after the other, an object a line.
    Json,
    /// YAML; where things come one after the other, a document each.
    Yaml,
}

/// Where results go.
pub(crate) struct Out {
    pub(crate) format: Format,
    pub(crate) colours: bool,
}

impl Out {
    pub(crate) fn new(format: Format) -> Out {
        Out { format, colours: super::colours(&io::stdout()) }
    }

    /// Prints a result.
    pub(crate) fn print(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
        let text = match self.format {
            Format::Table => shown(&text()),
            Format::Json => serde_json::to_string_pretty(value).map_err(io::Error::other)? + "\n",
            Format::Yaml => crate::config::to_text(value),
        };
        write(&text)
    }

    /// Prints one of several things that come one after the other.
    pub(crate) fn print_one(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
        match self.format {
            Format::Table => write(&(one_line(&text()) + "\n")),
            Format::Json => write(&(serde_json::to_string(value).map_err(io::Error::other)? + "\n")),
            Format::Yaml => write(&format!("---\n{}", crate::config::to_text(value))),
        }
    }

    /// A text in green, yellow or red, on a terminal.
    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        format!("\x1b[{}m{text}\x1b[0m", colour as u8)
    }
}

/// A colour, by its number for terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Colour {
    const ALL: [Colour; 3] = [Colour::Red, Colour::Green, Colour::Yellow];
}

/// Prints a line for people to standard error. Parts of it may come from servers and other nodes.
pub(crate) fn report(text: &impl std::fmt::Display) {
    eprintln!("{}", shown(&text.to_string()));
}

/// A text for a terminal: what would steer it, other than this program's own colours, is spelt out.
#[must_use]
pub fn shown(text: &str) -> String {
    spelt_out(text, |c| c == '\n')
}

/// The same in one line.
pub(crate) fn one_line(text: &str) -> String {
    spelt_out(text, |_| false)
}

fn spelt_out(text: &str, kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let colour = colours().find(|colour| rest.starts_with(colour.as_str()));
        if let Some(colour) = colour {
            shown.push_str(&colour);
            rest = &rest[colour.len()..];
            continue;
        }
        if steers(character) && !kept(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        rest = &rest[character.len_utf8()..];
    }
    shown
}

/// What [`Out::paint`] puts around a text.
fn colours() -> impl Iterator<Item = String> {
    Colour::ALL.into_iter().map(|colour| colour as u8).chain([0]).map(|number| format!("\x1b[{number}m"))
}

/// Whether a terminal does something else with a character than showing it; the others turn the text's direction.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A reader that goes away is no error: `status | head -n 1`.
fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Whether standard error is a terminal, on which progress is shown.
pub(crate) fn watched() -> bool {
    io::stderr().is_terminal()
}

/// A table: columns as wide as they need to be, two spaces between them.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Table {
        Table { rows: vec![heads.iter().map(|&head| head.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cell = |cell: String| if cell.is_empty() { "-".to_owned() } else { one_line(&cell) };
        self.rows.push(cells.into_iter().map(cell).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| visible(cell))
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - visible(cell) + 2));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// The width on a terminal: colours take none.
fn visible(cell: &str) -> usize {
    let mut width = 0;
    let mut characters = cell.chars();
    while let Some(character) = characters.next() {
        if character == '\x1b' {
            characters.by_ref().find(|c| *c == 'm');
        } else {
            width += 1;
        }
    }
    width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_spelt_out() {
        for (raw, told) in [
            ("a\x1b[2Jb\x1b]0;title\x07", r"a\u{1b}[2Jb\u{1b}]0;title\u{7}"),
            ("\rover", r"\rover"),
            ("\u{9b}31mC1", r"\u{9b}31mC1"),
            ("\u{202e}txt.exe", r"\u{202e}txt.exe"),
            ("a\tb\x7f", r"a\tb\u{7f}"),
            ("Grüße 東京 👋", "Grüße 東京 👋"),
        ] {
            assert_eq!((shown(raw), one_line(raw)), (told.to_owned(), told.to_owned()));
        }
        assert_eq!((shown("a\nb"), one_line("a\nb")), ("a\nb".to_owned(), r"a\nb".to_owned()));
        let painted = Out { format: Format::Table, colours: true }.paint(Colour::Red, "down");
        assert_eq!(shown(&painted), painted);
    }

    #[test]
    fn a_name_with_a_line_in_it_adds_no_row() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["c1\nfake  Running".to_owned(), "\x1b[32mup\x1b[0m".to_owned()]);
        assert_eq!(table.to_string().lines().count(), 2);
        assert!(table.to_string().contains("\x1b[32mup\x1b[0m"));
    }

    #[test]
    fn columns_line_up_with_and_without_colours() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["a".to_owned(), "\x1b[32mup\x1b[0m".to_owned()]);
        table.row(["longer".to_owned(), String::new()]);
        assert_eq!(table.to_string(), "NAME    STATE\na       \x1b[32mup\x1b[0m\nlonger  -\n");
    }
}
