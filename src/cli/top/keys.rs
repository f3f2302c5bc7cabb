//! The keys of `top`.

use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;

use super::table::{By, Instances};
use crate::inventory::InstanceKey;

/// What a key asks for.
pub(super) enum Ask {
    Draw,
    Quit,
    Shell(InstanceKey),
}

/// The keyboard.
pub(super) struct Keys {
    events: EventStream,
    /// Whether the keys are letters of the filter.
    pub(super) typing: bool,
}

/// Throws away what was typed and not yet taken: it was meant for whoever had the terminal until now.
pub(super) fn discard_typed() -> std::io::Result<()> {
    while crossterm::event::poll(Duration::ZERO)? {
        crossterm::event::read()?;
    }
    Ok(())
}

/// How many lines a page has.
const PAGE: isize = 10;

impl Keys {
    pub(super) fn new() -> Keys {
        Keys { events: EventStream::new(), typing: false }
    }

    /// What the next key asks for, once it has changed what it changes. Cancel safe.
    pub(super) async fn next(&mut self, instances: &mut Instances) -> std::io::Result<Ask> {
        match self.events.next().await {
            Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => Ok(self.press(key, instances)),
            Some(Ok(_)) => Ok(Ask::Draw), // such as another size
            Some(Err(error)) => Err(error),
            None => Ok(Ask::Quit),
        }
    }

    fn press(&mut self, key: KeyEvent, instances: &mut Instances) -> Ask {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Ask::Quit } else { Ask::Draw };
        }
        if self.typing {
            match key.code {
                KeyCode::Char(letter) => instances.filter.push(letter),
                KeyCode::Backspace => drop(instances.filter.pop()),
                KeyCode::Enter => self.typing = false,
                KeyCode::Esc => {
                    self.typing = false;
                    instances.filter.clear();
                }
                _ => {}
            }
            return Ask::Draw;
        }
        match key.code {
            KeyCode::Char('q') => return Ask::Quit,
            KeyCode::Char('c') => instances.by = By::Cpu,
            KeyCode::Char('m') => instances.by = By::Memory,
            KeyCode::Char('d') => instances.by = By::Disk,
            KeyCode::Char('n') => instances.by = By::Network,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Esc => instances.filter.clear(),
            KeyCode::Up | KeyCode::Char('k') => instances.move_by(-1),
            KeyCode::Down | KeyCode::Char('j') => instances.move_by(1),
            KeyCode::PageUp => instances.move_by(-PAGE),
            KeyCode::PageDown => instances.move_by(PAGE),
            KeyCode::Home => instances.move_by(isize::MIN),
            KeyCode::End => instances.move_by(isize::MAX),
            KeyCode::Enter | KeyCode::Char('s') => {
                return instances.chosen().map_or(Ask::Draw, Ask::Shell);
            }
            _ => {}
        }
        Ask::Draw
    }
}
