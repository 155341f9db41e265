//! Compares pairs of templates, so that others can hold our comparison against theirs.
//!
//! `compare` reads one `{"before": .., "after": ..}` a line and prints one object a line: of each
//! resource that is not the same its action, and the effect of each of its properties.
//! `compare BEFORE AFTER` does so with two files. `compare rate SECONDS` reads such lines, and prints
//! how many resources a second it compares. To change what is told, look at `tests/replacements.py` too.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "shell: a tool of the tests")]

use std::io::{self, BufRead as _, Write as _};
use std::time::{Duration, Instant};

use generator::change::{self, PropertyChange, ResourceChange};
use generator::template::Template;
use serde_json::{Map, Value, json};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            for pair in pairs() {
                let [before, after] = pair?;
                writeln!(out, "{}", told(&before, &after))?;
            }
            out.flush()
        }
        ["rate", seconds] => rate(seconds.parse().map_err(io::Error::other)?),
        [before, after] => {
            let template = |path: &str| parse(&std::fs::read_to_string(path)?);
            println!("{:#}", told(&template(before)?, &template(after)?));
            Ok(())
        }
        _ => Err(io::Error::other("usage: compare [BEFORE AFTER | rate SECONDS]")),
    }
}

fn parse(text: &str) -> io::Result<Template> {
    Template::parse(text).map_err(io::Error::other)
}

fn pairs() -> impl Iterator<Item = io::Result<[Template; 2]>> {
    io::stdin().lock().lines().map(|line| {
        let pair: Value = serde_json::from_str(&line?)?;
        let side = |name| parse(&pair.get(name).unwrap_or(&Value::Null).to_string());
        Ok([side("before")?, side("after")?])
    })
}

fn told(before: &Template, after: &Template) -> Value {
    let one = |change: ResourceChange| {
        let properties = change.properties.iter().map(property).collect::<Vec<_>>();
        let fate = change.fate().map(|fate| format!("{fate:?}"));
        let conflict = change.name_conflict().map(|it| it.property.join("/"));
        let action = format!("{:?}", change.action);
        let told = json!({
            "action": action, "properties": properties, "fate": fate, "name_conflict": conflict,
        });
        (change.logical_id, told)
    };
    Value::Object(change::compare(before, after).into_iter().map(one).collect::<Map<_, _>>())
}

fn property(change: &PropertyChange) -> Value {
    json!({
        "path": change.path.join("/"),
        "before": change.before,
        "after": change.after,
        "effect": format!("{:?}", change.effect),
        "followed": change.is_followed(),
    })
}

fn rate(seconds: f64) -> io::Result<()> {
    let pairs = pairs().collect::<io::Result<Vec<_>>>()?;
    let resources: usize = pairs.iter().map(|[_, after]| after.resources().count()).sum();
    let (begin, wanted) = (Instant::now(), Duration::from_secs_f64(seconds));
    let (mut rounds, mut found) = (0_u32, 0_usize);
    while begin.elapsed() < wanted {
        found = pairs.iter().map(|[before, after]| change::compare(before, after).len()).sum();
        rounds = rounds.wrapping_add(1);
    }
    let seconds = begin.elapsed().as_secs_f64() / f64::from(rounds);
    println!("{seconds:.4} s for {} pairs, {resources} resources, {found} changes", pairs.len());
    Ok(())
}
