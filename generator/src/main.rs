//! The command `arm`; see `cli`.

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::process::ExitCode;

use generator::cli;
use generator::console::Console;
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
    let mut console = Console { out: &mut out, err: &mut err, out_colour, colour, input };
    ExitCode::from(cli::run_in(std::env::args_os(), &mut console))
}
