//! Warnings about the words of alerts: they do not say where, or in which case.

use contract::wording::{Part, Placeholder, Wording, WordingKey, parse};

use crate::diagnostic::Diagnostic;

use super::Subject;

/// Of these, a headline and a text message should have one.
const WHERE: [Placeholder; 3] = [Placeholder::Place, Placeholder::Aisle, Placeholder::Camera];

pub(super) fn warn(subject: &mut Subject<'_, '_>) {
    let wording = &subject.store.wording;
    let headline = values(wording, WordingKey::Headline);
    let says_where = |values: &[Placeholder]| values.iter().any(|it| WHERE.contains(it));
    let lacks_place = !says_where(&headline);
    for (key, text) in subject.inherited.wording {
        let Some(text) = text else { continue };
        let values = values(wording, key);
        // What the headline in it lacks is told of the headline.
        let lacks_place = match key {
            WordingKey::Headline => lacks_place,
            WordingKey::Sms if values.contains(&Placeholder::Headline) => {
                !lacks_place && !says_where(&values)
            }
            WordingKey::Sms => !says_where(&values),
            WordingKey::EmailSubject | WordingKey::Email => false,
        };
        let lacks_case = matches!(key, WordingKey::Sms | WordingKey::Email)
            && !values.contains(&Placeholder::Case);
        let lacking = [
            (lacks_place, "where to look", "`{place}` into it, so that staff know where to go"),
            (lacks_case, "which case it is about", "`{case}` into it, so that staff find the clip"),
        ];
        for (_, what, help) in lacking.into_iter().filter(|(lacks, ..)| *lacks) {
            let name = key.as_str();
            let message = format!("`{name}` does not say {what}");
            let help = format!("put {help}");
            let problem = Diagnostic::warning("vague-wording", &text.place, message).help(help);
            subject.warn(problem, name);
        }
    }
}

/// The placeholders of a text, with those of the headline in it.
fn values(wording: &Wording, key: WordingKey) -> Vec<Placeholder> {
    let of = |key| parse(wording.text(key)).parts.into_iter();
    let value = |part: Part<'_>| match part {
        Part::Value(placeholder) => Some(placeholder),
        Part::Text(_) => None,
    };
    let own: Vec<_> = of(key).filter_map(value).collect();
    let headline = own.contains(&Placeholder::Headline);
    let inside = headline.then(|| of(WordingKey::Headline).filter_map(value));
    own.iter().copied().chain(inside.into_iter().flatten()).collect()
}
