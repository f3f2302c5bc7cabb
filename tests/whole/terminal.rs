//! A pseudo-terminal with a program on it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::program::HANG;

pub(crate) struct Terminal {
    keyboard: File,
    pieces: Receiver<Vec<u8>>,
    shown: String,
    pub(crate) program: Child,
}

impl Terminal {
    /// Runs the program on a terminal of this size.
    pub(crate) fn of(program: &mut Command, rows: u16, columns: u16) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(&ours, size(rows, columns)).unwrap();
        program.stdin(theirs.try_clone().unwrap()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
        let program = program.env("TERM", "vt220").spawn().unwrap();
        let keyboard = File::from(ours);
        let mut screen = keyboard.try_clone().unwrap();
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // An error once nobody has the other end any more.
            while let Ok(n) = screen.read(&mut piece) {
                if sender.send(piece[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { keyboard, pieces, shown: String::new(), program }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resizes(&self, rows: u16, columns: u16) {
        tcsetwinsize(&self.keyboard, size(rows, columns)).unwrap();
        // Only those for whom it is the controlling terminal are told by the kernel.
        self.signals("WINCH");
    }

    /// Sends a signal to the program.
    pub(crate) fn signals(&self, name: &str) {
        let pid = self.program.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Whether it is as a shell leaves it: it echoes what is typed, and Ctrl-C interrupts.
    pub(crate) fn is_sane(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Types these keys again and again until it shows this.
    pub(crate) fn answers(&mut self, keys: &str, text: &str) {
        self.shows_once(|terminal| terminal.types(keys), text);
    }

    /// Does something again and again until it shows this.
    pub(crate) fn shows_once(&mut self, mut cause: impl FnMut(&mut Terminal), text: &str) {
        let deadline = Instant::now() + HANG;
        while !self.shown.contains(text) {
            assert!(Instant::now() < deadline, "no {text:?} in {:?}", self.shown);
            cause(self);
            while let Ok(piece) = self.pieces.recv_timeout(Duration::from_secs(1)) {
                self.shown.push_str(&String::from_utf8_lossy(&piece));
            }
        }
        self.shows(text);
    }

    /// Waits until it shows this, after what was waited for before.
    pub(crate) fn shows(&mut self, text: &str) {
        let deadline = Instant::now() + HANG;
        while !self.shown.contains(text) {
            let piece = self.pieces.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let piece = piece.unwrap_or_else(|e| panic!("{e}: no {text:?} in {:?}", self.shown));
            self.shown.push_str(&String::from_utf8_lossy(&piece));
        }
        let end = self.shown.find(text).unwrap() + text.len();
        self.shown.drain(..end);
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
