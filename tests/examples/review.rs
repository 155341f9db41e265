//! Prints a made-up review in one of the formats of `arm diff`, for what judges these.
//!
//! Usage: review NAME FORMAT; NAME is one of `arm_tests::reviews::all`, or `huge`.
#![expect(clippy::print_stdout, reason = "its answer goes to standard output")]

use arm_tests::reviews;
use generator::diagnostic::Colour;
use generator::review::{
    COMMENT_MAX, Detail, JSON_SCHEMA, Links, github, human, json, markdown, mermaid, sarif,
};

fn main() {
    let mut args = std::env::args().skip(1);
    let (name, format) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    let known = reviews::all().into_iter().find(|(it, _)| *it == name).map(|(_, review)| review);
    let review = known.unwrap_or_else(reviews::huge);
    let at = |commit: &str| format!("https://github.com/example/stores/blob/{commit}/");
    let links = Links { head: at("1111111111"), base: Some(at("2222222222")) };
    match format.as_str() {
        "human" => print!("{}", human(&review, Detail::Summary, Colour::Ansi)),
        "all" => print!("{}", human(&review, Detail::All, Colour::Plain)),
        "markdown" => print!("{}", markdown(&review, COMMENT_MAX, Some(&links))),
        "mermaid" => print!("{}", mermaid(&review)),
        "json" => println!("{:#}", json(&review)),
        "schema" => print!("{JSON_SCHEMA}"),
        "sarif" => println!("{:#}", sarif(&review)),
        _ => print!("{}", github(&review)),
    }
}
