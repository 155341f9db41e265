//! The command `arm`; see `cli`.

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::process::ExitCode;

use generator::cli;
use generator::console::{Console, Place};
use generator::diagnostic::Colour;

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "https://no-color.org is asked once, here")]
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = |terminal| if terminal && !no_color { Colour::Ansi } else { Colour::Plain };
    let (out_colour, colour) =
        (colour(io::stdout().is_terminal()), colour(io::stderr().is_terminal()));
    let (mut out, mut err) = (io::stdout(), io::stderr());
    // At the end of a pipe is nobody to ask; a command may still read it, so nothing holds it here.
    let terminal = io::stdin().is_terminal();
    let mut stdin = BufReader::new(io::stdin());
    let stdin: &mut dyn BufRead = &mut stdin;
    let input = terminal.then_some(stdin);
    let mut console =
        Console { out: &mut out, err: &mut err, out_colour, colour, place: place(), input };
    ExitCode::from(cli::run_in(std::env::args_os(), &mut console))
}

/// What the standard error stream is: a board is drawn only where it can be drawn over, and nobody
/// reads it later.
#[expect(clippy::disallowed_methods, reason = "the surroundings are asked once, here")]
fn place() -> Place {
    let is = |name, wanted: &str| std::env::var_os(name).is_some_and(|value| value == wanted);
    if is("GITHUB_ACTIONS", "true") {
        return Place::GithubActions;
    }
    // Some CI servers lend their jobs a terminal, and keep all that is drawn as a log.
    if !io::stderr().is_terminal() || is("CI", "true") || is("TERM", "dumb") {
        return Place::Elsewhere;
    }
    Place::Terminal(size)
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    /// Of a terminal that does not say. Source: the VT100, after which they all are made.
    const USUAL: (usize, usize) = (80, 24);
    let size = terminal_size::terminal_size_of(io::stderr());
    size.map_or(USUAL, |(width, height)| (usize::from(width.0), usize::from(height.0)))
}
