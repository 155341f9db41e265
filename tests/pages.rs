//! What the pages of `arm diff` show of a review, looked at whole.

use arm_tests::reviews;
use generator::diagnostic::Colour;
use generator::review::{
    COMMENT_MAX, Detail, Links, MARKER, Review, github, human, json, markdown, mermaid, sarif,
};
use insta::assert_snapshot;

fn plain(review: &Review, detail: Detail) -> String {
    human(review, detail, Colour::Plain)
}

fn links() -> Links {
    let at = |commit: &str| format!("https://github.com/example/stores/blob/{commit}/");
    Links { head: at("1111111111"), base: Some(at("2222222222")) }
}

fn comment(review: &Review) -> String {
    markdown(review, COMMENT_MAX, Some(&links()))
}

#[test]
fn a_threshold_that_1000_stores_share_takes_less_than_a_page() {
    let text = plain(&reviews::threshold(), Detail::Summary);
    assert!(text.lines().count() <= 30, "{text}");
    assert_snapshot!(text);
    let text = comment(&reviews::threshold());
    assert!(text.len() < 4_000, "{}", text.len());
    assert_snapshot!(text);
}

#[test]
fn a_busy_day_tells_risk_first_then_cost_then_resources() {
    assert_snapshot!(plain(&reviews::mixed(), Detail::Summary));
    assert_snapshot!(comment(&reviews::mixed()));
    assert_snapshot!(github(&reviews::mixed()));
}

#[test]
fn nothing_is_no_change_and_what_is_unknown_is_said() {
    assert_snapshot!(plain(&reviews::empty(), Detail::Summary), @"no change");
    assert_snapshot!(plain(&reviews::unknown(), Detail::Summary));
    assert_snapshot!(comment(&reviews::unknown()));
}

#[test]
fn every_line_of_the_terminal_fits_it() {
    for (name, review) in reviews::all() {
        // What is made to harm has words that cannot be broken.
        if name == "harmful" {
            continue;
        }
        for line in plain(&review, Detail::Summary).lines() {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
    }
}

#[test]
fn colour_only_repeats_what_is_said() {
    for (name, review) in reviews::all() {
        let mut text = human(&review, Detail::All, Colour::Ansi);
        for code in ["0", "1", "2", "32", "33", "1;31"] {
            text = text.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(text, plain(&review, Detail::All), "{name}");
    }
}

#[test]
fn everything_is_shown_where_asked() {
    let review = reviews::huge();
    let text = plain(&review, Detail::All);
    assert!(!text.contains(" more"), "nothing is left out");
    assert_eq!(text.matches("DataRetentionInHours").count(), 50_004);
    assert!(text.contains("Evidence of open cases can still be taken from the old stream"));
}

#[test]
fn no_control_character_and_no_turned_text_reaches_a_page() {
    let review = reviews::harmful();
    let pages = [
        plain(&review, Detail::Summary),
        plain(&review, Detail::All),
        comment(&review),
        github(&review),
        mermaid(&review),
    ];
    for page in pages {
        assert!(
            page.chars().all(|it| it == '\n' || !it.is_control() && it != '\u{202e}'),
            "{page}"
        );
    }
}

#[test]
fn a_comment_is_never_too_long_and_says_what_is_cut() {
    let review = reviews::huge();
    let whole = comment(&review);
    assert!(whole.len() <= COMMENT_MAX && whole.len() > COMMENT_MAX * 3 / 4, "{}", whole.len());
    // The risks, the cost and the picture survive; the resources are cut first.
    for kept in [
        "### Data loss",
        "### Access",
        "### Rules",
        "| **together** |",
        "```mermaid",
        "of these, cut here",
        "entries, cut here",
    ] {
        assert!(whole.contains(kept), "{kept}");
    }
    for limit in [4_000, 8_000, 20_000, COMMENT_MAX] {
        for (name, review) in reviews::all().into_iter().chain([("huge", reviews::huge())]) {
            let text = markdown(&review, limit, Some(&links()));
            assert!(text.len() <= limit, "{name}: {} of {limit}", text.len());
            assert!(text.starts_with(&format!("{MARKER}\n")), "{name}");
            // Names that look like tags stand in code, and do not count.
            let tags = |tag: &str| text.lines().filter(|it| it.starts_with(tag)).count();
            assert_eq!(tags("<details"), tags("</details>"), "{name}");
        }
    }
}

#[test]
fn a_comment_counts_exactly_what_it_leaves_out() {
    let whole = comment(&reviews::huge());
    let shown = whole.matches("> - **camera `camera-").count();
    let cut =
        whole.lines().filter(|it| it.contains("more of these, cut here") && it.starts_with('>'));
    let cut: usize = cut.map(|it| it.split(' ').nth(3).unwrap().parse::<usize>().unwrap()).sum();
    // 2,000 findings and the loud ones of a busy day, of which one begins with another camera.
    let others = whole.matches("> - **").count() - shown;
    assert_eq!(shown + others + cut, 2_004);
}

#[test]
fn what_is_made_to_harm_stays_text() {
    assert_snapshot!(comment(&reviews::harmful()));
    assert_snapshot!(github(&reviews::harmful()));
    assert_snapshot!(mermaid(&reviews::harmful()));
}

#[test]
fn a_picture_has_few_nodes_however_much_changes() {
    for (_, review) in reviews::all().into_iter().chain([("huge", reviews::huge())]) {
        let picture = mermaid(&review);
        let nodes = picture.lines().filter(|it| it.contains("[\"")).count();
        assert!(nodes <= 30, "{picture}");
    }
    assert_snapshot!(mermaid(&reviews::mixed()));
}

#[test]
fn programs_get_every_finding_and_every_resource() {
    let review = reviews::mixed();
    let all = json(&review);
    assert_eq!(all["schema"], "arm.diff/1");
    assert_eq!(all["findings"].as_array().unwrap().len(), review.findings.len());
    assert_eq!(all["changes"].as_array().unwrap().len(), review.changes.len());
    assert_snapshot!(format!("{:#}", json(&reviews::threshold())["findings"][0]["causes"]));
    let log = sarif(&review);
    let results = log["runs"][0]["results"].as_array().unwrap();
    // A result for each cause: one finding has two, the line of the earlier side and that of the later.
    assert_eq!(results.len(), review.findings.len() + 1);
    assert_snapshot!(format!("{:#}", results[0]));
}
