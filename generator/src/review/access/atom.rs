//! The smallest pieces of policies: one effect, principal, action, resource and condition each.
//!
//! Owns when one piece covers another: what is covered is no news. The rule: where it cannot be
//! told, a piece is not covered, so that a change is told once too often and never too seldom.
//! Pure. Source: IAM user guide, "IAM JSON policy element reference".

use std::collections::BTreeSet;

use super::condition::Condition;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// What a statement names: this, or all but these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Only(String),
    /// `NotAction`, `NotResource` or `NotPrincipal`.
    AllBut(BTreeSet<String>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Atom {
    pub(super) effect: Effect,
    pub(super) principal: Scope,
    pub(super) action: Scope,
    pub(super) resource: Scope,
    pub(super) condition: Condition,
}

impl Atom {
    /// Whether `self` says all that `other` says.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.is_as_wide(other) && other.condition.implies(&self.condition)
    }

    /// The same but for the conditions.
    pub(super) fn is_as_wide(&self, other: &Self) -> bool {
        self.effect == other.effect
            && scope_covers(&self.action, &other.action, covers_action)
            && scope_covers(&self.resource, &other.resource, covers_resource)
            && scope_covers(&self.principal, &other.principal, covers_principal)
    }
}

/// Whether these atoms say together all that `atom` says.
pub(super) fn is_covered(atom: &Atom, by: &[&Atom]) -> bool {
    if by.iter().any(|it| it.covers(atom)) {
        return true;
    }
    let wide: Vec<_> = by.iter().copied().filter(|it| it.is_as_wide(atom)).collect();
    let Some(parts) = atom.condition.split().filter(|_| !wide.is_empty()) else { return false };
    parts.into_iter().all(|condition| is_covered(&Atom { condition, ..atom.clone() }, &wide))
}

fn scope_covers(wide: &Scope, narrow: &Scope, covers: fn(&str, &str) -> bool) -> bool {
    match (wide, narrow) {
        (Scope::Only(wide), Scope::Only(narrow)) => covers(wide, narrow),
        (Scope::Only(wide), Scope::AllBut(_)) => wide == "*",
        (Scope::AllBut(these), Scope::Only(narrow)) => these.iter().all(|it| !meets(it, narrow)),
        // The fewer are left out, the more is said.
        (Scope::AllBut(these), Scope::AllBut(others)) => {
            these.iter().all(|it| others.iter().any(|other| covers(other, it)))
        }
    }
}

fn covers_action(pattern: &str, text: &str) -> bool {
    covers_text(&pattern.to_lowercase(), &text.to_lowercase())
}

/// A wildcard in an ARN stays within its part; in the last part it goes on to the end.
fn covers_resource(pattern: &str, text: &str) -> bool {
    /// Parts of an ARN, divided by colons.
    const PARTS: usize = 6;
    if pattern == "*" {
        return true;
    }
    let (wide, narrow): (Vec<_>, Vec<_>) =
        (pattern.splitn(PARTS, ':').collect(), text.splitn(PARTS, ':').collect());
    if wide.len() == PARTS && narrow.len() == PARTS {
        return wide.iter().zip(&narrow).all(|(wide, narrow)| covers_text(wide, narrow));
    }
    covers_text(pattern, text)
}

/// Principals know no wildcard but "everybody".
fn covers_principal(wide: &str, narrow: &str) -> bool {
    wide == "*" || wide == narrow
}

/// Whether a pattern with `*` and `?` matches every text that the other pattern matches.
pub(super) fn covers_text(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    matches(&pattern, &text, |pattern, text| pattern == text || pattern == '?' && text != '*')
}

/// Whether some text may match both patterns.
fn meets(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) =
        (one.to_lowercase().chars().collect(), other.to_lowercase().chars().collect());
    // Ends that can still be reached in `other`, after so much of `one`.
    let closed = |mut ends: Vec<bool>| {
        for at in 0..other.len() {
            let is_star = other.get(at) == Some(&'*');
            if is_star
                && ends.get(at) == Some(&true)
                && let Some(next) = ends.get_mut(at + 1)
            {
                *next = true;
            }
        }
        ends
    };
    let mut ends = vec![false; other.len() + 1];
    if let Some(first) = ends.first_mut() {
        *first = true;
    }
    ends = closed(ends);
    for letter in &one {
        let has = |at: usize| ends.get(at) == Some(&true);
        let step = (0..=other.len()).map(|at| {
            let before = at.checked_sub(1);
            let passed = before.and_then(|it| other.get(it));
            let same = |it: &char| it == letter || *it == '?' || *letter == '?';
            let stays = *letter == '*' && has(at) || other.get(at) == Some(&'*') && has(at);
            let moves = passed.is_some_and(same) && before.is_some_and(has);
            stays || moves
        });
        let mut next: Vec<_> = step.collect();
        if *letter == '*' {
            // It takes in anything from where it began.
            let first = next.iter().position(|it| *it).unwrap_or(next.len());
            next = (0..next.len()).map(|at| at >= first).collect();
        }
        ends = closed(next);
    }
    ends.last() == Some(&true)
}

/// Classic matching with `*`; `same` says whether a letter of the pattern takes one of the text.
fn matches(pattern: &[char], text: &[char], same: impl Fn(char, char) -> bool) -> bool {
    let (mut at, mut in_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(in_text) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(it) if same(*it, *letter) => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((star_at, began)) = star else { return false };
                star = Some((star_at, began + 1));
                at = star_at + 1;
                in_text = began + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|it| *it == '*')
}
