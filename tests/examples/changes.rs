//! Prints what a review says of every kind of change of `tests/changes`, one below the other.
//!
//! Usage: changes lines|human|json; each line of `json` is one kind.
#![expect(clippy::print_stdout, reason = "its answer goes to standard output")]

use arm_tests::kinds;
use generator::diagnostic::Colour;
use generator::review::{Detail, human, json};

fn main() {
    let format = std::env::args().nth(1).unwrap_or_default();
    let fleet = kinds::fleet();
    for kind in kinds::all() {
        let Some(after) = kind.made(&fleet) else {
            println!("# {}\nNOT APPLIED\n", kind.name);
            continue;
        };
        let Some(review) = kinds::compare(&fleet, &after) else {
            println!("# {}\nREFUSED\n", kind.name);
            continue;
        };
        match format.as_str() {
            "json" => println!("{}", json(&review)),
            "human" => {
                println!("# {}\n\n{}", kind.name, human(&review, Detail::Summary, Colour::Plain));
            }
            _ => println!("# {}\n{}\n", kind.name, kinds::told(&review).join("\n")),
        }
    }
}
