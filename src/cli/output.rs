//! Printing: tables for people, csv, JSON and YAML for programs.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences; `lxc` calls this one compact.
    #[value(alias = "compact")]
    Table,
    /// Of lists: a line each, quoted as `lxc` does, without a head.
    Csv,
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
        Out { format, colours: format == Format::Table && super::colours(&io::stdout()) }
    }

    /// Prints a list: the values for JSON and YAML, the table for people and as csv. `nothing` is what people read where it
    /// has no row, such as `no instances`.
    pub(crate) fn list(&self, values: &impl Serialize, table: &Table, nothing: &str) -> io::Result<()> {
        match self.format {
            Format::Csv => write(&table.csv()),
            _ if table.is_empty() => self.print(values, || format!("{nothing}\n")),
            _ => self.print(values, || table.to_string()),
        }
    }

    /// Prints a result.
    pub(crate) fn print(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
        let text = match self.format {
            Format::Table | Format::Csv => return write(&shown(&text())),
            Format::Json => serde_json::to_string_pretty(value).map_err(io::Error::other)? + "\n",
            Format::Yaml => crate::config::to_text(value),
        };
        write(&text)
    }

    /// Prints one of several things that come one after the other. Once the reader has gone this is an error, which ends the
    /// command and is not shown ([`is_unread`]).
    pub(crate) fn print_one(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
        let text = match self.format {
            Format::Table | Format::Csv => one_line(&text()).into_owned() + "\n",
            Format::Json => serde_json::to_string(value).map_err(io::Error::other)? + "\n",
            Format::Yaml => format!("---\n{}", crate::config::to_text(value)),
        };
        write_all(text.as_bytes()).map_err(unread)
    }

    /// A text in a colour, on a terminal.
    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        format!("\x1b[{}m{}\x1b[0m", colour as u8, one_line(text))
    }
}

/// A colour, by its number for terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Fainter than other texts.
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Colour {
    const ALL: [Colour; 4] = [Colour::Dim, Colour::Red, Colour::Green, Colour::Yellow];
}

/// Prints a line for people to standard error. Parts of it may come from servers and other nodes.
pub(crate) fn report(text: &impl std::fmt::Display) {
    let text = text.to_string();
    let _ = writeln!(io::stderr().lock(), "{}", shown(&text)); // nobody may read it any more
}

/// A text for a terminal: what would steer it, other than this program's own colours, is spelt out.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    spelt_out(text, |c| c == '\n')
}

/// The same in one line.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    spelt_out(text, |_| false)
}

fn spelt_out(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let next = |text: &str| text.char_indices().find(|(_, c)| steers(*c) && !kept(*c));
    // Lists are long, and few of their texts have a character that needs a look.
    let Some(mut found) = next(text) else { return Cow::Borrowed(text) };
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let (plain, character) = found;
        shown.push_str(&rest[..plain]);
        rest = &rest[plain..];
        match painted(rest) {
            Some(painted) => {
                shown.push_str(painted);
                rest = &rest[painted.len()..];
            }
            None => {
                shown.extend(character.escape_default());
                rest = &rest[character.len_utf8()..];
            }
        }
        match next(rest) {
            Some(further) => found = further,
            None => return Cow::Owned(shown + rest),
        }
    }
}

/// The beginning of a text that is one that [`Out::paint`] gave, with its colour and the end of that. A server that sends a
/// colour without its end does not colour what follows.
fn painted(text: &str) -> Option<&str> {
    const END: &str = "\x1b[0m";
    let colours = Colour::ALL.into_iter().map(|colour| format!("\x1b[{}m", colour as u8));
    let inside = colours.filter_map(|colour| text.strip_prefix(colour.as_str())).next()?;
    let (inside, rest) = inside.split_once(END)?;
    (!inside.chars().any(steers)).then(|| &text[..text.len() - rest.len()])
}

/// Whether a terminal does something else with a character than showing it; the others turn the text's direction.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The reader of the standard output has gone: `lxd events | head -n 1`.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the standard output any more")]
struct Unread;

/// Whether a command ended because nobody reads what it prints any more.
pub(crate) fn is_unread(error: &anyhow::Error) -> bool {
    let io_errors = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    io_errors.filter_map(io::Error::get_ref).any(|inner| inner.is::<Unread>())
}

fn unread(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::new(io::ErrorKind::BrokenPipe, Unread),
        _ => error,
    }
}

fn write_all(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// Prints a part of what a server sends, such as a log. On a terminal, what would steer it is spelt out. Once the reader has
/// gone this is an error, as of [`Out::print_one`].
pub(crate) fn write_part(bytes: &[u8]) -> io::Result<()> {
    if !io::stdout().is_terminal() {
        return write_all(bytes).map_err(unread);
    }
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    write_all(shown(&text).as_bytes()).map_err(unread)
}

/// Prints a text as it is. A reader that goes away is no error: `status | head -n 1`.
pub(crate) fn write(text: &str) -> io::Result<()> {
    match write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Set by `--quiet`.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Shows no progress from now on.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether progress is shown: standard error is a terminal, and `--quiet` was not given.
pub(crate) fn watched() -> bool {
    io::stderr().is_terminal() && !QUIET.load(Ordering::Relaxed)
}

/// A table: columns as wide as they need to be, two spaces between them. An empty cell is shown as `-`.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Table {
        Table { rows: vec![heads.iter().map(|&head| head.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The rows without the heads, as Go's `encoding/csv` writes them, of which `lxc` prints its lists.
    fn csv(&self) -> String {
        let line =
            |row: &Vec<String>| row.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",") + "\n";
        self.rows.iter().skip(1).map(line).collect()
    }
}

fn csv_cell(cell: &str) -> String {
    let cell = shown(cell);
    let quoted = cell == r"\." || cell.starts_with(' ') || cell.contains([',', '"', '\n']);
    if quoted { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.into_owned() }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn told(cell: &str) -> Cow<'_, str> {
            if cell.is_empty() { Cow::Borrowed("-") } else { one_line(cell) }
        }
        let mut widths = vec![0; self.rows.iter().map(Vec::len).max().unwrap_or_default()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = visible(&told(cell)).max(*width);
            }
        }
        let mut line = String::new();
        for row in &self.rows {
            line.clear();
            for (cell, width) in row.iter().zip(&widths) {
                let cell = told(cell);
                line.push_str(&cell);
                line.extend(std::iter::repeat_n(' ', width - visible(&cell) + 2));
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
            ("\x1b[31mall that follows", r"\u{1b}[31mall that follows"),
            ("over\x1b[0m", r"over\u{1b}[0m"),
            ("Grüße 東京 👋", "Grüße 東京 👋"),
        ] {
            assert_eq!((&*shown(raw), &*one_line(raw)), (told, told));
        }
        assert_eq!((&*shown("a\nb"), &*one_line("a\nb")), ("a\nb", r"a\nb"));
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
    fn csv_is_quoted_as_lxc_quotes_it() {
        let mut table = Table::new(&["NAME", "DESCRIPTION", "IPV4"]);
        for (cell, quoted) in [
            ("", ""),
            ("plain", "plain"),
            ("a b", "a b"),
            (" a", "\" a\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            (r"\.", r#""\.""#),
            ("Grüße", "Grüße"),
            ("\x1b[2J", r"\u{1b}[2J"),
        ] {
            table.row(["c1".to_owned(), cell.to_owned(), String::new()]);
            assert_eq!(table.csv().strip_prefix("c1,"), Some(&*format!("{quoted},\n")));
            table.rows.pop();
        }
        assert_eq!(table.csv(), "");
    }

    #[test]
    fn a_reader_that_has_gone_is_told_from_another_broken_pipe() {
        let unread = io::Error::new(io::ErrorKind::BrokenPipe, Unread);
        assert!(is_unread(&anyhow::Error::from(unread).context("events")));
        assert!(!is_unread(&anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe))));
    }

    #[test]
    fn columns_line_up_with_and_without_colours() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["a".to_owned(), "\x1b[32mup\x1b[0m".to_owned()]);
        table.row(["longer".to_owned(), String::new()]);
        assert_eq!(table.to_string(), "NAME    STATE\na       \x1b[32mup\x1b[0m\nlonger  -\n");
    }
}
