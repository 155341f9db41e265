//! A review as a comment on a pull request, in GitHub's Markdown.
//!
//! It never grows beyond the limit that it is given. Room goes first to the headline, the risks and
//! the loud findings, then to the quiet ones, the cost and the picture, and last to the resources
//! and details; whatever is cut is counted. The first line is [`MARKER`], by which the next run finds
//! the comment again. Data goes through `markdown/safe.rs`, without exception.

mod budget;
mod safe;

use self::budget::Budget;
use super::bill::cost_rows;
use super::mermaid::mermaid;
use super::summed::{self, Entry};
use super::words::{
    self, Detail, count, difference, dollars, done, file, headline, is_empty, loud, meaning,
    of_class, outcome, path, place, places, stacks, text_for, thousands_of, title, values, verb,
};
use super::{Cause, Class, Finding, Group, Review, Weight};
use crate::change::Action;
use crate::paragraph::shortened;

/// The first line of the comment.
pub const MARKER: &str = "<!-- arm diff -->";
/// Longest comment that GitHub takes, in characters; bytes are counted here, of which there are never
/// fewer. Source: the answer of its API, "body is too long (maximum is 65536 characters)".
pub const COMMENT_MAX: usize = 65_536;
/// Lines of YAML that are named as causes of one thing. Our choice: more are alike.
const CAUSES_MAX: usize = 3;
/// Quiet findings of one class that are not folded away. Our choice: a screen holds all classes.
const UNFOLDED_MAX: usize = 5;
/// Stacks whose cost is shown for themselves. Our choice: as many as one looks at.
const COSTS_MAX: usize = 10;
/// Longest sentence that is not shortened, in characters. Our choice: five lines.
const SENTENCE_MAX: usize = 600;

/// Where the files of both sides are shown, such as `https://github.com/a/b/blob/COMMIT/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    pub head: String,
    /// `None` where the earlier side is shown nowhere.
    pub base: Option<String>,
}

/// The whole comment, in at most so many bytes.
pub fn markdown(review: &Review, limit: usize, links: Option<&Links>) -> String {
    let page = Page { review, links };
    let head = page.head();
    if is_empty(review) {
        let mut budget = Budget::new(limit.saturating_sub(head.len()));
        return head + &page.omissions(&mut budget);
    }
    let mut budget = Budget::new(limit.saturating_sub(head.len()));
    // Who comes first gets room first; the order on the page is another.
    let loud = budget
        .shared(2, |half| each(review, Weight::Loud, half, |class, room| page.loud(class, room)));
    let omissions = page.omissions(&mut budget);
    let quiet = budget
        .shared(2, |half| each(review, Weight::Quiet, half, |class, room| page.quiet(class, room)));
    let costs = page.costs(&mut budget);
    let picture = page.picture(&mut budget);
    let resources = page.resources(&mut budget);
    let details = page.details(&mut budget);
    let mut text = head;
    for ((class, loud), quiet) in Class::ALL.into_iter().zip(loud).zip(quiet) {
        let costs = if class == Class::Cost { costs.as_str() } else { "" };
        if !(loud.is_empty() && quiet.is_empty() && costs.is_empty()) {
            text.extend([format!("\n### {}\n", capital(title(class)))]);
            text.extend([format!("{loud}{quiet}{costs}")]);
        }
    }
    text + &omissions + &picture + &resources + &details
}

/// A part for each class, with as much room for one as for another of those that have anything to say.
fn each(
    review: &Review,
    weight: Weight,
    budget: &mut Budget,
    part: impl Fn(Class, &mut Budget) -> String,
) -> Vec<String> {
    let has =
        |class| review.findings.iter().any(|it| (it.what.class, it.what.weight) == (class, weight));
    let mut left = Class::ALL.into_iter().filter(|it| has(*it)).count();
    let parts = Class::ALL.into_iter().map(|class| {
        if !has(class) {
            return String::new();
        }
        let text = budget.shared(left, |room| part(class, room));
        left -= 1;
        text
    });
    parts.collect()
}

struct Page<'a> {
    review: &'a Review,
    links: Option<&'a Links>,
}

impl Page<'_> {
    /// The marker, what the change does, and on what there is something to say.
    fn head(&self) -> String {
        let review = self.review;
        let first = if is_empty(review) { headline(review) } else { stacks(review) };
        let mut text = format!("{MARKER}\n## {}\n", capital(&safe::text(&first)));
        if !is_empty(review) {
            text.extend([format!("\n**{}**\n", capital(&safe::text(&outcome(review))))]);
        }
        let sides =
            [&review.base, &review.head].map(|it| safe::code(&words::plain(&shortened(it, 80))));
        text.extend([format!("\n{} \u{2192} {}, by `arm diff`\n", sides[0], sides[1])]);
        if is_empty(review) {
            return text;
        }
        let (mut titles, mut lines, mut cells) = (String::new(), String::new(), String::new());
        for class in Class::ALL {
            titles.extend([format!("| {} ", title(class))]);
            lines.push_str("|:-:");
            cells.extend([format!("| {} ", self.cell(class))]);
        }
        text + &format!("\n{titles}|\n{lines}|\n{cells}|\n")
    }

    /// What there is of a class, in a word.
    fn cell(&self, class: Class) -> String {
        let findings = of_class(self.review, class);
        let loud = loud(&findings);
        let cost = self.review.costs.as_ref().filter(|_| class == Class::Cost);
        if let Some(costs) = cost.filter(|it| it.after_cents != it.before_cents && loud == 0) {
            return safe::text(&difference(costs.after_cents - costs.before_cents));
        }
        match (loud, findings.len() - loud) {
            (0, 0) if !self.review.compares(class) => "not compared".to_owned(),
            (0, 0) => "none".to_owned(),
            (0, quiet) => thousands_of(quiet),
            (loud, 0) => format!("**{} to look at**", thousands_of(loud)),
            (loud, quiet) => {
                format!("**{} to look at**, {} more", thousands_of(loud), thousands_of(quiet))
            }
        }
    }

    /// What must not be overlooked, in a box.
    fn loud(&self, class: Class, budget: &mut Budget) -> String {
        let findings = of_class(self.review, class);
        let loud = findings.into_iter().filter(|it| it.what.weight == Weight::Loud);
        let items: Vec<_> = loud.map(|it| self.finding(it, "> ")).collect();
        let kind = match class {
            Class::DataLoss | Class::Replacement => "CAUTION",
            _ => "WARNING",
        };
        let opening = format!("\n> [!{kind}]\n> {}\n>\n", capital(meaning(class)));
        budget
            .list(&opening, &items, "", |left| format!("> - and {left} more of these, cut here\n"))
    }

    /// The other findings: a list, folded where it is long.
    fn quiet(&self, class: Class, budget: &mut Budget) -> String {
        let findings = of_class(self.review, class);
        let quiet = findings.into_iter().filter(|it| it.what.weight == Weight::Quiet);
        let items: Vec<_> = quiet.map(|it| self.finding(it, "")).collect();
        let cut = |left| format!("- and {left} more of these, cut here\n");
        if items.len() <= UNFOLDED_MAX {
            return budget.list("\n", &items, "", cut);
        }
        let summary = format!("{} that change less", thousands_of(items.len()));
        budget.list(&folded(&summary), &items, "\n</details>\n", cut)
    }

    /// A list item: the sentence, where, and the lines that caused it.
    fn finding(&self, group: &Group<Finding>, indent: &str) -> String {
        let sentence = text_for(&group.what.text, &group.subjects);
        let sentence = safe::text(&shortened(&sentence, SENTENCE_MAX));
        let places = safe::text(&places(&group.subjects, Detail::Summary));
        let strong = if group.what.weight == Weight::Loud { "**" } else { "" };
        let mut text = format!("{indent}- {strong}{sentence}{strong}");
        if !places.is_empty() {
            text.extend([format!(" <br>{places}")]);
        }
        text.push_str(&self.causes(&group.causes));
        text.push('\n');
        text
    }

    fn causes(&self, causes: &[Cause]) -> String {
        let mut text = String::new();
        for cause in causes.iter().take(CAUSES_MAX) {
            let done = safe::code(&shortened(&done(cause), SENTENCE_MAX));
            text.extend([format!("<br>{} {done}", self.link(cause))]);
        }
        if causes.len() > CAUSES_MAX {
            text.extend([format!("<br>and {}", count(causes.len() - CAUSES_MAX, "more line"))]);
        }
        text.trim_end().to_owned()
    }

    /// `stores/seattle-001.yaml:17`, linked where the file is shown.
    fn link(&self, cause: &Cause) -> String {
        let place = safe::code(&place(cause));
        let prefix = match (self.links, cause.is_before) {
            (Some(links), false) => Some(&links.head),
            (Some(links), true) => links.base.as_ref(),
            (None, _) => None,
        };
        match prefix {
            Some(prefix) if !cause.file.starts_with('/') => {
                let path = address(&file(cause));
                format!("[{place}]({}{path}#L{})", address(prefix), cause.line)
            }
            _ => place,
        }
    }

    fn costs(&self, budget: &mut Budget) -> String {
        let Some(costs) = &self.review.costs else { return String::new() };
        if costs.by_subject.is_empty() {
            return String::new();
        }
        let opening =
            "\n| a month, in US dollars | before | after | difference |\n|:--|--:|--:|--:|\n";
        let rows = cost_rows(costs, COSTS_MAX).into_iter().map(|(name, before, after)| {
            let cells =
                [name, dollars(before), dollars(after), signed(after.saturating_sub(before))];
            let [name, before, after, difference] = cells.map(|it| safe::text(&it));
            let strong = if name == "together" { "**" } else { "" };
            format!("| {strong}{name}{strong} | {before} | {after} | {difference} |\n")
        });
        let rows: Vec<_> = rows.collect();
        let table = budget
            .list(opening, &rows, "", |left| format!("| {left} more rows, cut here | | | |\n"));
        let items =
            costs.assumptions.iter().map(|it| format!("- {}\n", safe::text(&words::plain(it))));
        let items: Vec<_> = items.collect();
        let opening = folded("What these numbers rest on");
        table
            + &budget.list(&opening, &items, "\n</details>\n", |left| {
                format!("- {left} more, cut here\n")
            })
    }

    fn picture(&self, budget: &mut Budget) -> String {
        let picture = mermaid(self.review);
        if picture.is_empty() {
            return String::new();
        }
        let opening = "\n<details open><summary>What is touched: red is replaced or removed, green is new</summary>\n\n";
        budget.whole(format!("{opening}{}\n</details>\n", safe::block("mermaid", &picture)))
    }

    /// Every resource that changes, as one block that GitHub colours as it does a diff.
    fn resources(&self, budget: &mut Budget) -> String {
        let entries = summed::entries(self.review, Detail::Summary);
        if entries.is_empty() {
            return String::new();
        }
        let summary = "Every resource that changes, property by property";
        let items: Vec<_> = entries.iter().map(resource).collect();
        // The fence is longer than any run of backticks in what it holds.
        let whole = items.concat();
        let fence = safe::block("diff", &whole);
        let fence: String = fence.chars().take_while(|it| *it == '`').collect();
        let opening = format!("{}{fence}diff\n", folded(summary));
        let closing = format!("{fence}\n\n</details>\n");
        budget.list(&opening, &items, &closing, |left| {
            format!("  and {left} more entries, cut here; `arm diff --all` shows them\n")
        })
    }

    /// More sentences of each finding, for those who look closer.
    fn details(&self, budget: &mut Budget) -> String {
        let mut items = Vec::new();
        for class in Class::ALL {
            for group in of_class(self.review, class) {
                if group.what.details.is_empty() {
                    continue;
                }
                let sentence = text_for(&group.what.text, &group.subjects);
                let mut item = format!("- {}\n", safe::text(&shortened(&sentence, SENTENCE_MAX)));
                for detail in &group.what.details {
                    let detail = shortened(&text_for(detail, &group.subjects), SENTENCE_MAX);
                    item.extend([format!("  - {}\n", safe::text(&detail))]);
                }
                items.push(item);
            }
        }
        budget.list(&folded("More on each finding"), &items, "\n</details>\n", |left| {
            format!("- and on {left} more, cut here\n")
        })
    }

    fn omissions(&self, budget: &mut Budget) -> String {
        let items = self.review.omissions.iter();
        let items = items.map(|it| {
            format!("- {}\n", safe::text(&shortened(&words::plain(&it.text), SENTENCE_MAX)))
        });
        let items: Vec<_> = items.collect();
        budget.list("\n### Not compared\n\n", &items, "", |left| {
            format!("- and {left} more, cut here\n")
        })
    }
}

/// The beginning of a part that is folded away.
fn folded(summary: &str) -> String {
    format!("\n<details><summary>{summary}</summary>\n\n")
}

fn signed(cents: i64) -> String {
    if cents > 0 { format!("+{}", dollars(cents)) } else { dollars(cents) }
}

/// An entry in a block of `diff`: `-` is red, `+` green and `!` yellow.
fn resource(entry: &Entry<'_>) -> String {
    let mark = match entry.action {
        Action::Replace | Action::MayReplace | Action::Remove => '-',
        Action::Update | Action::Attributes => '!',
        Action::Add => '+',
    };
    let (verb, what) = (verb(entry.action), entry.what(Detail::Summary));
    let mut text = format!("{mark} {verb}  {what}\n");
    let mut line = |indent: &str, line: &str| {
        text.extend([format!("{indent}{}\n", shortened(line, SENTENCE_MAX))]);
    };
    let places = entry.places(Detail::Summary);
    if !places.is_empty() {
        line("    ", &places);
    }
    for property in entry.properties {
        line("      ", &format!("{}  {}", path(property), values(property, Detail::Summary)));
    }
    for cause in entry.causes.iter().take(CAUSES_MAX) {
        line("    ", format!("{}  {}", place(cause), done(cause)).trim_end());
    }
    if entry.causes.len() > CAUSES_MAX {
        line("    ", &format!("and {}", count(entry.causes.len() - CAUSES_MAX, "more line")));
    }
    text
}

/// A path or prefix as part of an address that ends no link: RFC 3986, with `:` and `/` as they are.
fn address(text: &str) -> String {
    let is_kept = |it: u8| it.is_ascii_alphanumeric() || b"-._~/:".contains(&it);
    let parts = text
        .bytes()
        .map(|it| if is_kept(it) { char::from(it).to_string() } else { format!("%{it:02X}") });
    parts.collect()
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_uppercase().collect::<String>() + rest.as_str())
        .unwrap_or_default()
}
