//! Judges pairs of a pattern and an event, so that others can hold our matcher against theirs.
//!
//! `judge` reads one `{"pattern": .., "event": ..}` a line and prints one word a line: `yes`, `no`,
//! or `refused: why`. `judge rate SECONDS` reads lines of `{"pattern": ..}` and `{"event": ..}`, and
//! prints how many events a second it holds against all the patterns. To change what is asked, look
//! at `tests/patterns.py` and `generator/benches/patterns.py` too.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "shell: a tool of the tests")]

use std::io::{self, BufRead as _, Write as _};
use std::time::{Duration, Instant};

use generator::pattern::{Pattern, matches};
use serde_json::Value;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let lines = io::stdin().lock().lines().map(|line| Ok(serde_json::from_str(&line?)?));
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => judge(lines),
        ["rate", seconds] => rate(lines, seconds.parse().map_err(io::Error::other)?),
        _ => Err(io::Error::other("usage: judge [rate SECONDS]")),
    }
}

fn judge(lines: impl Iterator<Item = io::Result<Value>>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for asked in lines {
        let asked = asked?;
        let [pattern, event] = ["pattern", "event"].map(|it| asked.get(it).unwrap_or(&Value::Null));
        match matches(pattern, event) {
            Ok(true) => writeln!(out, "yes")?,
            Ok(false) => writeln!(out, "no")?,
            Err(why) => writeln!(out, "refused: {why}")?,
        }
    }
    out.flush()
}

fn rate(lines: impl Iterator<Item = io::Result<Value>>, seconds: f64) -> io::Result<()> {
    let (mut patterns, mut events) = (Vec::new(), Vec::new());
    for asked in lines {
        let asked = asked?;
        if let Some(pattern) = asked.get("pattern") {
            patterns.push(Pattern::parse(pattern).map_err(io::Error::other)?);
        }
        events.extend(asked.get("event").cloned());
    }
    let (begin, wanted) = (Instant::now(), Duration::from_secs_f64(seconds));
    let (mut judged, mut hits) = (0_u32, 0_u32);
    while begin.elapsed() < wanted {
        for event in &events {
            let found = patterns.iter().filter(|it| it.matches(event)).count();
            hits = hits.wrapping_add(u32::try_from(found).unwrap_or(u32::MAX));
            judged = judged.wrapping_add(1);
        }
    }
    let rate = f64::from(judged) / begin.elapsed().as_secs_f64();
    let matches = f64::from(hits) / f64::from(judged);
    println!("{rate:.0} events/s, {matches:.3} matches/event");
    Ok(())
}
