//! The terminal while `top` has it.

use std::io::{self, Write};

use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, queue};

use super::keys::Keys;
use super::table::{By, HEADS, Instances, Line};
use crate::cli::output::one_line;

/// The terminal with another picture and without a cursor, until this is dropped.
pub(super) struct Screen;

impl Screen {
    pub(super) fn begin() -> io::Result<Screen> {
        terminal::enable_raw_mode()?;
        let screen = Screen; // from here on it is set back
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    /// Draws all: one write, so that nothing flickers.
    pub(super) fn draw(&mut self, instances: &Instances, keys: &Keys) -> io::Result<()> {
        let (width, height) = match terminal::size() {
            Ok((width, height)) if width > 0 && height > 0 => (usize::from(width), usize::from(height)),
            _ => (80, 24),
        };
        let mut picture = Vec::new();
        queue!(picture, cursor::MoveTo(0, 0))?;
        for (number, (look, text)) in picture_of(instances, keys, width, height).into_iter().enumerate() {
            if number > 0 {
                queue!(picture, Print("\r\n"))?;
            }
            queue!(picture, SetAttribute(look), Print(text), SetAttribute(Attribute::Reset))?;
            queue!(picture, Clear(ClearType::UntilNewLine))?;
        }
        queue!(picture, Clear(ClearType::FromCursorDown))?;
        let mut out = io::stdout().lock();
        out.write_all(&picture)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), cursor::Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

/// The lines of the screen, each with its look.
fn picture_of(instances: &Instances, keys: &Keys, width: usize, height: usize) -> Vec<(Attribute, String)> {
    let lines = instances.lines();
    let (all, running) = instances.counts();
    let by = match instances.by {
        By::Cpu => "CPU",
        By::Memory => "memory",
        By::Disk => "disk",
        By::Network => "network",
    };
    let filter = match instances.filter.as_str() {
        "" => String::new(),
        filter => format!(", filter: {filter}"),
    };
    let mut picture = vec![(Attribute::Bold, format!("{all} instances, {running} running, by {by}{filter}"))];
    picture.extend(instances.troubles().into_iter().map(|trouble| (Attribute::Dim, trouble)));
    let cells: Vec<[String; HEADS.len()]> = lines.iter().map(Line::cells).collect();
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| {
            cells
                .iter()
                .map(|cells| cells[column].chars().count())
                .chain([HEADS[column].len()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let row = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", one_line(cell)));
        cells.collect::<Vec<_>>().join("  ")
    };
    picture.push((Attribute::Bold, row(HEADS.to_vec())));
    let room = height.saturating_sub(picture.len() + 1).max(1);
    let selected = instances.selected(&lines);
    let first = selected.saturating_sub(room - 1);
    for (number, (line, cells)) in lines.iter().zip(&cells).enumerate().skip(first).take(room) {
        let look = match (number == selected, line.stale) {
            (true, _) => Attribute::Reverse,
            (false, true) => Attribute::Dim,
            (false, false) => Attribute::Reset,
        };
        picture.push((look, row(cells.iter().map(String::as_str).collect())));
    }
    picture.truncate(height.saturating_sub(1).max(1));
    picture.resize(height.saturating_sub(1).max(picture.len()), (Attribute::Reset, String::new()));
    let help = if keys.typing {
        format!("filter: {}_  (Enter keeps it, Esc clears it)", instances.filter)
    } else {
        // What a narrow terminal has no room for stands last.
        "q quit  / filter  Enter shell  sort: c CPU  m memory  d disk  n network".to_owned()
    };
    picture.push((Attribute::Dim, help));
    for (_, text) in &mut picture {
        *text = one_line(text).chars().take(width).collect();
    }
    picture
}
