//! Shows a run while it is carried out: a board at a terminal, lines elsewhere, events for programs.
//!
//! Owns the clock and the terminal; what is shown is decided in `board`, `lines`, `events` and
//! `conclusion`. A run is never given up because nobody reads its story any more: what cannot be
//! written is left unwritten. However a run ends, the terminal gets its cursor back when the
//! [`Shower`] goes. Who carries out a run begins at [`while_working`].

use std::cell::RefCell;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::board::Board;
use super::conclusion;
use super::course::Course;
use super::events::event;
use super::lines::{Lines, Reader};
use super::screen::Screen;
use crate::commands::AnswerFormat;
use crate::console::{Console, Place};
use crate::deploy::progress::{Progress, Summary};
use crate::error::CommandError;

/// Time between two pictures. Our choice: what looks alive, at next to no cost.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows one run.
pub struct Shower<'a, 'b> {
    console: &'a mut Console<'b>,
    way: Way,
}

enum Way {
    Board(Box<Board>, Screen),
    Lines(Box<Lines>),
    Events(Box<Course>),
}

impl<'a, 'b> Shower<'a, 'b> {
    /// Chooses the way: what the person asked for, and what there is to write to.
    pub fn new(format: AnswerFormat, console: &'a mut Console<'b>) -> Self {
        let lines = |reader| Way::Lines(Box::new(Lines::new(reader)));
        let way = match (format, console.place) {
            (AnswerFormat::Json, _) => Way::Events(Box::default()),
            (AnswerFormat::Human, Place::Terminal(_)) => {
                Way::Board(Box::new(Board::new(console.colour)), Screen::default())
            }
            (AnswerFormat::Human, Place::GithubActions) => lines(Reader::GithubActions),
            (AnswerFormat::Human, Place::Elsewhere) => lines(Reader::Anybody),
        };
        Self { console, way }
    }

    /// Takes in a piece of news.
    pub fn take(&mut self, progress: &Progress) {
        self.take_at(progress, Timestamp::now());
    }

    /// The same at a time that the caller knows.
    pub fn take_at(&mut self, progress: &Progress, now: Timestamp) {
        if let (Progress::Warning { cell, text }, Way::Board(..)) = (progress, &self.way) {
            self.say(&format!("warning: {cell}: {text}"));
        }
        match &mut self.way {
            // The next tick shows it: news comes faster than anybody looks.
            Way::Board(board, _) => board.take(progress, now),
            Way::Lines(lines) => {
                let text = lines.take(progress, now);
                drop(self.console.err.write_all(text.as_bytes()));
            }
            Way::Events(course) => {
                course.take(progress, now);
                drop(writeln!(self.console.out, "{}", event(progress, now)));
            }
        }
    }

    /// Lets time pass: redraws the board, or says that the run is still at it.
    pub fn tick(&mut self) {
        self.tick_at(Timestamp::now());
    }

    /// The same at a time that the caller knows.
    pub fn tick_at(&mut self, now: Timestamp) {
        let (columns, rows) = self.size();
        let text = match &mut self.way {
            // The last column and the last row stay free: in them, terminals break and scroll.
            Way::Board(board, screen) => {
                let picture = board.draw(now, columns.saturating_sub(1), rows.saturating_sub(1));
                screen.redraw(picture, columns)
            }
            Way::Lines(lines) => lines.tick(now),
            Way::Events(_) => return,
        };
        self.write(&text);
    }

    /// Says something that stays, such as what a further Ctrl-C would do; never for programs' events.
    pub fn say(&mut self, text: &str) {
        let (columns, _) = self.size();
        let cleared = match &mut self.way {
            Way::Board(_, screen) => screen.clear(columns),
            Way::Lines(_) | Way::Events(_) => String::new(),
        };
        self.write(&format!("{cleared}{text}\n"));
        if matches!(self.way, Way::Board(..)) {
            self.tick();
        }
    }

    /// Ends the story with what the run adds up to; `next` is the command that carries on with what
    /// is not done. An error says that not everything was done.
    pub fn conclude(mut self, summary: &Summary, next: Option<&str>) -> Result<(), CommandError> {
        self.clear();
        let course = match &self.way {
            Way::Board(board, _) => board.course(),
            Way::Lines(lines) => lines.course(),
            Way::Events(_) => return conclusion::outcome(summary),
        };
        let text = conclusion::text(summary, course, next);
        self.console.out.write_all(text.as_bytes())?;
        conclusion::outcome(summary)
    }

    fn clear(&mut self) {
        let (columns, _) = self.size();
        if let Way::Board(_, screen) = &mut self.way {
            let text = screen.clear(columns);
            self.write(&text);
        }
    }

    /// Columns and rows of the terminal, which may change at any time.
    fn size(&self) -> (usize, usize) {
        match self.console.place {
            Place::Terminal(size) => size(),
            Place::GithubActions | Place::Elsewhere => (0, 0),
        }
    }

    fn write(&mut self, text: &str) {
        if !text.is_empty() {
            drop(self.console.err.write_all(text.as_bytes()));
            drop(self.console.err.flush());
        }
    }
}

impl Drop for Shower<'_, '_> {
    fn drop(&mut self) {
        let text = match &mut self.way {
            // What a panic said stands below the picture, where nothing may be drawn.
            Way::Board(_, screen) if std::thread::panicking() => screen.leave(),
            _ => return self.clear(),
        };
        self.write(&text);
    }
}

/// Lets time pass for what is shown while the work goes on.
pub async fn while_working<T>(
    shower: &RefCell<Shower<'_, '_>>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    let mut ticks = interval(REDRAW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => shower.borrow_mut().tick(),
        }
    }
}

#[cfg(test)]
mod tests;
