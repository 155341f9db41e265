//! What a text that is no YAML is told: place, message and help of each likely mistake.

use insta::assert_snapshot;

use crate::diagnostic::Sources;

use super::parse;

/// Place, code, message, related places and help of each problem of a text.
fn told(text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml".to_owned(), text.to_owned());
    let (_, problems) = parse(file, text);
    let shown = problems.iter().map(|it| {
        let (line, column) = sources.line_column(&it.place);
        let related = it.related.iter().map(|(place, label)| {
            let (line, column) = sources.line_column(place);
            format!(" ({line}:{column} {label})")
        });
        let related: String = related.collect();
        format!("{line}:{column} {}: {}{related}; {}\n", it.code, it.message, it.help)
    });
    shown.collect()
}

fn table(cases: &[&str]) -> String {
    let told: Vec<_> = cases.iter().map(|text| format!("{text:?}\n  {}", told(text))).collect();
    told.concat()
}

#[test]
fn merge_conflicts_are_named_where_they_begin() {
    assert_snapshot!(table(&[
        "<<<<<<< HEAD\nstore: a\n=======\nstore: b\n>>>>>>> b\nname: x\n",
        "store: a\n<<<<<<< HEAD\nname: x\n=======\nname: y\n>>>>>>> other\n",
        "aisles:\n<<<<<<< HEAD\n  - { id: a }\n=======\n  - { id: b }\n>>>>>>> other\n",
        "labels: [\n<<<<<<< HEAD\n  a\n=======\n  b\n>>>>>>> other\n]\n",
        "store: a\nname: x\n=======\nname: y\n>>>>>>> other\n",
    ]), @r#"
    "<<<<<<< HEAD\nstore: a\n=======\nstore: b\n>>>>>>> b\nname: x\n"
      1:1 syntax: a merge conflict is not resolved here; keep one of the two versions, and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`
    "store: a\n<<<<<<< HEAD\nname: x\n=======\nname: y\n>>>>>>> other\n"
      2:1 syntax: a merge conflict is not resolved here; keep one of the two versions, and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`
    "aisles:\n<<<<<<< HEAD\n  - { id: a }\n=======\n  - { id: b }\n>>>>>>> other\n"
      2:1 syntax: a merge conflict is not resolved here; keep one of the two versions, and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`
    "labels: [\n<<<<<<< HEAD\n  a\n=======\n  b\n>>>>>>> other\n]\n"
      2:1 syntax: a merge conflict is not resolved here; keep one of the two versions, and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`
    "store: a\nname: x\n=======\nname: y\n>>>>>>> other\n"
      3:1 syntax: a merge conflict is not resolved here; keep one of the two versions, and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`
    "#);
}

#[test]
fn tabs_and_odd_spaces_are_shown_where_they_stand() {
    assert_snapshot!(table(&[
        "camera:\n\tretention: 24h\n",
        "cameras:\n  - id: a\n    aisle: b\n\tretention: 24h\n",
        "camera:\n  bitrate:\t2Mbps\n",
        "name:\u{a0}Foo\nstore: a\n",
        "camera:\n\u{a0}\u{a0}retention: 24h\nstore: a\n",
        "store: a\nname：Foo\naisles: []\n",
    ]), @r#"
    "camera:\n\tretention: 24h\n"
      2:1 syntax: a tab stands in the indentation; write spaces in its place, two for each level
    "cameras:\n  - id: a\n    aisle: b\n\tretention: 24h\n"
      4:1 syntax: a tab stands in the indentation; write spaces in its place, two for each level
    "camera:\n  bitrate:\t2Mbps\n"
      2:11 syntax: a tab stands behind the colon; write a space in its place
    "name:\u{a0}Foo\nstore: a\n"
      1:6 syntax: this is a no-break space (U+00A0) and counts as a letter; write a plain space in its place
    "camera:\n\u{a0}\u{a0}retention: 24h\nstore: a\n"
      2:1 syntax: this is a no-break space (U+00A0) and counts as a letter; write a plain space in its place
    "store: a\nname：Foo\naisles: []\n"
      2:5 syntax: this is a full-width colon (U+FF1A) and counts as a letter; write `:` and a space
    "#);
}

#[test]
fn quotes_and_brackets_are_shown_where_they_open() {
    assert_snapshot!(table(&[
        "aisles:\n  - { id: aisle-1, name: Aisle 1 }\n  - { id: aisle-2, name: Aisle 2\n  - { id: aisle-3, name: Aisle 3 }\ncameras:\n  - { id: a }\n",
        "cameras:\n  - { id: a, aisle: b\n  - { id: c, aisle: d }\n",
        "labels: [a, b\naisles: []\n",
        "labels: [a, b",
        "labels: [a, b}\nname: x\n",
        "labels: [a, b]]\nname: x\n",
        "aisles:\n  - { id: a, name: Aisle #2 }\n  - { id: b }\n",
        "subscribers:\n  - { audience: floor, https: https://a.b/ #x }\n",
        "labels: [\n  - a\n  - b\n]\n",
        "name: \"Foo\nlabels: [a]\ntimezone: \"UTC\"\n",
        "name: 'Foo\nlabels: [a]\n",
        "aisles:\n  - { id: a, name: \"Foo }\n  - { id: b, name: \"Bar\" }\n",
        "name: 'Macy's'\n",
        "aisles: [{ id: a, name: 'Macy's' }]\n",
        "name: \"Foo \"Bar\" Baz\"\n",
        "name: \"Foo\" Bar\n",
        "name: \"A\\d\"\n",
        "name: \"A\\x\"\n",
    ]), @r#"
    "aisles:\n  - { id: aisle-1, name: Aisle 1 }\n  - { id: aisle-2, name: Aisle 2\n  - { id: aisle-3, name: Aisle 3 }\ncameras:\n  - { id: a }\n"
      3:5 syntax: the `{` here is not closed (4:3 this cannot stand inside it); write the `}` that belongs to it
    "cameras:\n  - { id: a, aisle: b\n  - { id: c, aisle: d }\n"
      2:5 syntax: the `{` here is not closed (3:3 this cannot stand inside it); write the `}` that belongs to it
    "labels: [a, b\naisles: []\n"
      1:9 syntax: the `[` here is not closed (2:1 this cannot stand inside it); write the `]` that belongs to it
    "labels: [a, b"
      1:9 syntax: the `[` here is not closed; write the `]` that belongs to it
    "labels: [a, b}\nname: x\n"
      1:9 syntax: the `[` here is not closed (1:14 this closes another kind of bracket); write the `]` that belongs to it
    "labels: [a, b]]\nname: x\n"
      1:15 syntax: no bracket is open that this `]` could close; delete it, or write the bracket that opens it
    "aisles:\n  - { id: a, name: Aisle #2 }\n  - { id: b }\n"
      2:5 syntax: the `{` here is not closed (2:26 a comment begins here) (3:3 this cannot stand inside it); put the text with the `#` in quotes: behind a space `#` begins a comment, and the `}` is part of it
    "subscribers:\n  - { audience: floor, https: https://a.b/ #x }\n"
      2:5 syntax: the `{` here is not closed (2:44 a comment begins here); put the text with the `#` in quotes: behind a space `#` begins a comment, and the `}` is part of it
    "labels: [\n  - a\n  - b\n]\n"
      2:3 syntax: an entry with `-` cannot stand inside `[` (1:9 inside what begins here); separate the entries by commas, or take the brackets away
    "name: \"Foo\nlabels: [a]\ntimezone: \"UTC\"\n"
      1:7 syntax: the `"` here is not closed; write the `"` that ends the text, on the same line
    "name: 'Foo\nlabels: [a]\n"
      1:7 syntax: the `'` here is not closed; write the `'` that ends the text, on the same line
    "aisles:\n  - { id: a, name: \"Foo }\n  - { id: b, name: \"Bar\" }\n"
      2:20 syntax: the `"` here is not closed (3:20 it runs on to here); write the `"` that ends the text, on the same line
    "name: 'Macy's'\n"
      1:13 syntax: the quoted text ends before this (1:7 the quoted text); double the `'` inside: `'Macy''s'`, or use double quotes: `"Macy's"`
    "aisles: [{ id: a, name: 'Macy's' }]\n"
      1:31 syntax: the quoted text ends before this (1:25 the quoted text); double the `'` inside: `'Macy''s'`, or use double quotes: `"Macy's"`
    "name: \"Foo \"Bar\" Baz\"\n"
      1:13 syntax: the quoted text ends before this (1:7 the quoted text); write `\"` for a quote inside the text, or put the text in single quotes
    "name: \"Foo\" Bar\n"
      1:13 syntax: the quoted text ends before this (1:7 the quoted text); let the quotes reach to the end of the value, or leave them away
    "name: \"A\\d\"\n"
      1:9 syntax: `\d` means nothing in double quotes; write `\\` for one `\`, or put the text in single quotes
    "name: \"A\\x\"\n"
      1:9 syntax: `\x` means nothing in double quotes; write `\\` for one `\`, or put the text in single quotes
    "#);
}

#[test]
fn a_line_without_a_colon_is_shown_and_not_the_next() {
    assert_snapshot!(table(&[
        "store: a\nname Marienplatz\naisles: []\n",
        "store: a\nname:Marienplatz\naisles: []\n",
        "store: a\ntimezone = UTC\naisles: []\n",
        "cells\n  us-west:\n    region: x\n",
        "store: a\n// comment\nname: x\n",
        "store: a\nname: x\n// comment",
        "rules:\n  -name: a\n    priority: low\n",
        "rules:\n  - name a\n    priority: low\n",
        "rules:\n  - name:a\n    priority: low\n",
        "cameras: [{ id:a, aisle: b, name:\"Foo\" }]\nid:x: y\n",
        "rules:\n  - name: a\n    when: Foo: Bar\n",
        "rules:\n  - name: a\n      when: Bar\n",
        "zones: [{ id: z, area:[0, 0, 1, 1] }]\n",
        "store: a\n name: x\n",
        "aisles:\n    - a\n  - b\n",
    ]), @r#"
    "store: a\nname Marienplatz\naisles: []\n"
      2:5 syntax: the colon behind `name` is missing; write `name: Marienplatz`
    "store: a\nname:Marienplatz\naisles: []\n"
      2:5 syntax: the colon has no space behind it; write `name: Marienplatz`
    "store: a\ntimezone = UTC\naisles: []\n"
      2:10 syntax: a value stands behind a colon, not behind `=`; write `timezone: UTC`
    "cells\n  us-west:\n    region: x\n"
      1:6 syntax: the colon behind `cells` is missing; write `cells:`
    "store: a\n// comment\nname: x\n"
      2:1 syntax: `//` begins no comment; begin a comment with `#`
    "store: a\nname: x\n// comment"
      3:1 syntax: `//` begins no comment; begin a comment with `#`
    "rules:\n  -name: a\n    priority: low\n"
      2:3 syntax: the `-` has no space behind it; write `- name: a`
    "rules:\n  - name a\n    priority: low\n"
      2:9 syntax: the colon behind `name` is missing; write `- name: a`
    "rules:\n  - name:a\n    priority: low\n"
      2:9 syntax: the colon has no space behind it; write `name: a`
    "cameras: [{ id:a, aisle: b, name:\"Foo\" }]\nid:x: y\n"
      1:15 syntax: the colon behind `id` has no space behind it; put a space after the colon: `id: a`
    1:33 syntax: the colon behind `name` has no space behind it; put a space after the colon: `name: "Foo"`
    "rules:\n  - name: a\n    when: Foo: Bar\n"
      3:11 syntax: a value without quotes cannot hold `: `; put it in quotes: `when: "Foo: Bar"`
    "rules:\n  - name: a\n      when: Bar\n"
      3:7 syntax: this line stands further right than the key above it, which has a value already; let it begin in the same column as the keys it belongs to
    "zones: [{ id: z, area:[0, 0, 1, 1] }]\n"
      1:22 syntax: the colon has no space behind it; write a space behind the colon
    "store: a\n name: x\n"
      2:2 syntax: this line stands further right than the key above it, which has a value already; let it begin in the same column as the keys it belongs to
    "aisles:\n    - a\n  - b\n"
      3:3 syntax: this line begins in no column of the lines that it belongs to; let it begin in the same column as its neighbours
    "#);
}

#[test]
fn a_value_that_needs_quotes_is_shown_with_them() {
    assert_snapshot!(table(&[
        "name: Foo: Bar\n",
        "aisles: [{ id: a, name: Foo: Bar }]\n",
        "name: @home\n",
        "name: %x\n",
        "name: `x`\n",
        "name: *x\n",
        "name: *\n",
        "camera:\n  <<: *shared\n",
        "labels: - a\n",
        "labels: [a, @b]\n",
        "ops_email:\n  - @b\n",
        "name: Say: \"hi\"\n",
    ]), @r#"
    "name: Foo: Bar\n"
      1:7 syntax: a value without quotes cannot hold `: `; put it in quotes: `name: "Foo: Bar"`
    "aisles: [{ id: a, name: Foo: Bar }]\n"
      1:25 syntax: a value without quotes cannot hold `: `; put it in quotes: `name: "Foo: Bar"`
    "name: @home\n"
      1:7 syntax: a value without quotes cannot begin with `@`; put it in quotes: `name: "@home"`
    "name: %x\n"
      1:7 syntax: a value without quotes cannot begin with `%`; put it in quotes: `name: "%x"`
    "name: `x`\n"
      1:7 syntax: a value without quotes cannot begin with a backtick; put it in quotes: `name: "`x`"`
    "name: *x\n"
      1:7 yaml-anchor: YAML anchors and aliases are not read; share settings through a format in fleet.yaml instead; put a value that begins with `*` in quotes
    "name: *\n"
      1:7 yaml-anchor: YAML anchors and aliases are not read; share settings through a format in fleet.yaml instead; put a value that begins with `*` in quotes
    "camera:\n  <<: *shared\n"
      2:7 yaml-anchor: YAML anchors and aliases are not read; share settings through a format in fleet.yaml instead; put a value that begins with `*` in quotes
    "labels: - a\n"
      1:9 syntax: a list cannot begin behind its key on the same line; write each entry on a line of its own, or the list in brackets: `[a, b]`
    "labels: [a, @b]\n"
      1:13 syntax: a value without quotes cannot begin with `@`; put it in quotes: `"@b"`
    "ops_email:\n  - @b\n"
      2:5 syntax: a value without quotes cannot begin with `@`; put it in quotes: `"@b"`
    "name: Say: \"hi\"\n"
      1:7 syntax: a value without quotes cannot hold `: `; put it in quotes: `name: 'Say: "hi"'`
    "#);
}

#[test]
fn a_file_of_nothing_but_slips_keeps_no_more_of_them_than_are_shown() {
    let slips: Vec<_> = (0..5_000).map(|n| format!("b:{n:x}")).collect();
    let text = format!("a: {{ {} }}\n", slips.join(", "));
    let mut sources = Sources::default();
    let file = sources.add("a.yaml".to_owned(), text.clone());
    assert_eq!(parse(file, &text).1.len(), 1_000);
}

#[test]
fn a_text_that_begins_with_a_placeholder_is_to_be_quoted() {
    assert_snapshot!(table(&[
        "alerts:\n  headline: {behaviour} at {place}\n",
        "alerts:\n  headline: {priority}: {behaviour}\n  sms: x\n",
        "alerts: { sms: {headline}. {case}, headline: x }\n",
    ]), @r#"
    "alerts:\n  headline: {behaviour} at {place}\n"
      2:13 syntax: a value without quotes cannot begin with `{`; put the text in quotes: `headline: "{behaviour} at {place}"`
    "alerts:\n  headline: {priority}: {behaviour}\n  sms: x\n"
      2:13 syntax: a value without quotes cannot begin with `{`; put the text in quotes: `headline: "{priority}: {behaviour}"`
    "alerts: { sms: {headline}. {case}, headline: x }\n"
      1:16 syntax: a value without quotes cannot begin with `{`; put the whole text in quotes
    "#);
}
