//! Diagnostics in the formats that code review reads: SARIF 2.1.0 for any of them, and workflow
//! commands for GitHub Actions. Each is one function from what was read and found to text.
//!
//! The pictures for people and programs stand in `diagnostic`. To add a format, add it beside these
//! two, and its word in `commands::check`.

pub(crate) mod github;
pub(crate) mod sarif;

pub use github::github;
pub use sarif::sarif;

use crate::diagnostic::{Diagnostic, Place, Sources};

/// The name of a place's file; a folder given as `./stores` makes no other file.
fn file<'a>(sources: &'a Sources, place: &Place) -> &'a str {
    let name = sources.name(place.file);
    name.strip_prefix("./").unwrap_or(name)
}

/// What is wrong, and on a line of its own what to do.
fn text(diagnostic: &Diagnostic) -> String {
    match diagnostic.help.as_str() {
        "" => diagnostic.message.clone(),
        help => format!("{}\nhelp: {help}", diagnostic.message),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    /// Two files, with an error that has a related place in the other one, a warning that shows
    /// twice, and an error over two lines.
    fn found(head: &str) -> (Sources, Vec<Diagnostic>) {
        let mut sources = Sources::default();
        let store = format!("{head}store: é, 100 %\nid: a\nid: b\nlast:\n  line\n");
        let fleet = sources.add("stores/fleet.yaml".to_owned(), "defaults: {}\n".to_owned());
        let file = sources.add("./stores/a b.yaml".to_owned(), store.clone());
        let at = |text: &str| {
            let start = store.find(text).unwrap();
            Place { file, span: start..start + text.len() }
        };
        let first = Diagnostic::error("unknown-format", &at("é, 100 %"), "no `é, 100 %`")
            .label("not known here")
            .related(&Place { file: fleet, span: 0..8 }, "defaults: here")
            .help("write another");
        let twice =
            |text| Diagnostic::warning("unreachable-rule", &at(text), "never").about("a", "sweep");
        let over_lines = Diagnostic::error("wrong-type", &at("last:\n  line"), "a, b: c");
        (sources, vec![first, twice("id: a"), twice("id: b"), over_lines])
    }

    #[test]
    fn github_gets_one_command_per_problem() {
        let (sources, problems) = found("");
        assert_snapshot!(github(&sources, &problems), @"
        ::error file=stores/a b.yaml,line=1,endLine=1,col=8,endColumn=16,title=unknown-format::no `é, 100 %25`%0Ahelp: write another
        ::warning file=stores/a b.yaml,line=2,endLine=2,col=1,endColumn=6,title=unreachable-rule::never
        ::warning file=stores/a b.yaml,line=3,endLine=3,col=1,endColumn=6,title=unreachable-rule::never
        ::error file=stores/a b.yaml,line=4,endLine=5,title=wrong-type::a, b: c
        ");
    }

    #[test]
    fn sarif_holds_rules_results_and_places() {
        let (sources, problems) = found("");
        let mut log = sarif(&sources, &problems);
        for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
            rule["help"] = "from its explanation".into();
        }
        log["runs"][0]["tool"]["driver"]["version"] = "of arm".into();
        assert_snapshot!(format!("{log:#}"));
    }

    #[test]
    fn fingerprints_differ_and_stay_when_lines_move() {
        let fingerprints = |head| {
            let (sources, problems) = found(head);
            let log = sarif(&sources, &problems);
            let results = log["runs"][0]["results"].as_array().unwrap().clone();
            results.iter().map(|it| it["partialFingerprints"].to_string()).collect::<Vec<_>>()
        };
        let (here, moved) = (fingerprints(""), fingerprints("# A line.\n\n# Another.\n"));
        assert_eq!(here, moved);
        let all: std::collections::BTreeSet<_> = here.iter().collect();
        assert_eq!(all.len(), 4);
    }
}
