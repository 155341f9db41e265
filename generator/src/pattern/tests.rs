use super::*;
use serde_json::json;

/// Values of the field `x` that a list of operators takes, and values that it does not.
fn check(operators: &Value, taken: &[Value], left: &[Value]) {
    let pattern = Pattern::parse(&json!({ "detail": { "x": operators } })).unwrap();
    for (values, expected) in [(taken, true), (left, false)] {
        for value in values {
            let event = json!({ "detail": { "x": value } });
            assert_eq!(pattern.matches(&event), expected, "{operators} {event}");
        }
    }
}

fn refusal(pattern: &Value) -> String {
    Pattern::parse(pattern).map_or_else(|it| it.to_string(), |_| "taken".to_owned())
}

#[test]
fn values_equal_by_kind_and_numbers_by_value() {
    check(&json!(["a", "b"]), &[json!("b"), json!(["c", "a"])], &[json!("A"), json!(["ab"])]);
    check(&json!([1]), &[json!(1.0), json!([0, 1])], &[json!("1"), json!(true), json!(1.5)]);
    check(&json!([0]), &[json!(-0.0)], &[json!(null), json!(""), json!(false)]);
    check(&json!([null]), &[json!(null)], &[json!("null"), json!([]), json!({})]);
    check(&json!([true]), &[json!(true)], &[json!("true"), json!(1), json!(false)]);
    check(&json!([{ "exactly": "a" }]), &[json!("a")], &[json!("b")]);
}

#[test]
fn a_number_with_more_digits_than_a_double_holds_equals_itself_and_is_in_no_range() {
    let [odd, next] = [9_007_199_254_740_993_u64, 9_007_199_254_740_992];
    check(&json!([odd]), &[json!(odd)], &[json!(next)]);
    check(&json!([{ "numeric": [">", 0] }]), &[json!(next), json!(1e18)], &[json!(odd)]);
    check(&json!([{ "anything-but": [next] }]), &[json!(odd)], &[json!(next)]);
}

#[test]
fn beginnings_and_ends() {
    check(&json!([{ "prefix": "ab" }]), &[json!("abc"), json!("ab")], &[json!("Abc"), json!(5)]);
    check(&json!([{ "prefix": "" }]), &[json!("")], &[json!(5), json!(true), json!(null)]);
    check(&json!([{ "suffix": ".é" }]), &[json!("a.é"), json!(".é")], &[json!("é"), json!("a.É")]);
    check(&json!([{ "prefix": "ab\"" }]), &[json!("ab"), json!("ab\"c")], &[json!("abc")]);
    check(&json!([{ "suffix": "\"ab" }]), &[json!("ab"), json!("c\"ab")], &[json!("cab")]);
    let any = json!([{ "prefix": { "equals-ignore-case": "aß" } }]);
    check(&any, &[json!("Aß-"), json!("aSS")], &[json!("ass"), json!("a")]);
    let any = json!([{ "suffix": { "equals-ignore-case": "éb" } }]);
    check(&any, &[json!("xÉB"), json!("éB")], &[json!("eb"), json!("B")]);
    let quoted = json!([{ "prefix": { "equals-ignore-case": "a\"" } }]);
    check(&quoted, &[json!("A")], &[json!("ab")]);
}

#[test]
fn equal_but_for_the_case_of_letters() {
    let operator = json!([{ "equals-ignore-case": "Straße" }]);
    check(&operator, &[json!("STRASSE"), json!("straße")], &[json!("strasse"), json!("Straß")]);
    check(&json!([{ "equals-ignore-case": "" }]), &[json!("")], &[json!("a"), json!(null)]);
    check(&json!([{ "equals-ignore-case": "😀" }]), &[json!("??")], &[json!("😀")]);
}

#[test]
fn wildcards() {
    check(&json!([{ "wildcard": "*" }]), &[json!(""), json!("a")], &[json!(1), json!(null)]);
    check(
        &json!([{ "wildcard": "a*a" }]),
        &[json!("aa"), json!("aba")],
        &[json!("a"), json!("ab")],
    );
    let inner = json!([{ "wildcard": "*ab*b*" }]);
    check(&inner, &[json!("abb"), json!("xabxbx")], &[json!("ab"), json!("bab")]);
    check(&json!([{ "wildcard": r"\**\\" }]), &[json!(r"*x\")], &[json!("xx"), json!("*")]);
    check(&json!([{ "wildcard": "a?" }]), &[json!("a?")], &[json!("ab")]);
}

#[test]
fn anything_but() {
    let others = [json!(5), json!(null), json!(true), json!(["a", "c"])];
    check(&json!([{ "anything-but": ["a", "b"] }]), &others, &[json!("a"), json!(["b", "a"])]);
    check(&json!([{ "anything-but": "a" }]), &others, &[json!("a"), json!([]), json!({})]);
    check(&json!([{ "anything-but": [5] }]), &[json!("5"), json!(6)], &[json!(5.0)]);
    let inner = |name: &str, value: Value| json!([{ "anything-but": { name: value } }]);
    check(&inner("prefix", json!(["a", "b"])), &[json!("ca"), json!(1)], &[json!("bx")]);
    check(&inner("suffix", json!("a")), &[json!("ab")], &[json!("ba")]);
    check(&inner("equals-ignore-case", json!(["a"])), &[json!("b"), json!("aa")], &[json!("A")]);
    check(&inner("wildcard", json!("a*c")), &[json!("ab")], &[json!("abc")]);
    check(&json!([{ "anything-but": ["10.0.0.1"] }]), &[json!("10.0.0.01")], &[]);
}

#[test]
fn numeric_ranges() {
    let all = [json!(0.5), json!(0.8), json!("0.6"), json!(-1e300), json!(true)];
    let [half, most, text, least, truth] = all;
    let numeric = |list: Value| json!([{ "numeric": list }]);
    let [in_low, in_high] = [[half.clone(), json!(0.79)], [most.clone(), json!([0, 0.6])]];
    check(&numeric(json!([">=", 0.5, "<", 0.8])), &in_low, &[most.clone(), text.clone()]);
    check(&numeric(json!([">", 0.5, "<=", 0.8])), &in_high, &[half.clone(), truth]);
    check(&numeric(json!(["=", 0.5])), std::slice::from_ref(&half), &[json!(0.501), text]);
    check(&numeric(json!(["<", 0.5])), std::slice::from_ref(&least), &[half, json!(null)]);
    check(&numeric(json!(["<=", 0])), &[json!(0), json!(-0.0), least], &[json!(5e-324)]);
    check(&numeric(json!([">", 0])), &[json!(5e-324), json!(1e308)], &[json!(0), json!(-0.0)]);
}

#[test]
fn addresses() {
    let [first, last] = [json!("10.1.0.0"), json!("10.1.255.255")];
    let others = [json!("10.2.0.0"), json!("::ffff"), json!("10.1.0"), json!("10.1.0.256")];
    check(&json!([{ "cidr": "10.1.7.7/16" }]), &[first, last, json!("::ffff:a01:5")], &others);
    check(&json!([{ "cidr": "0.0.0.0/0" }]), &[json!("255.1.2.3"), json!("::")], &[json!(1)]);
    check(&json!([{ "cidr": "::/0" }]), &[json!("0.127.0.1")], &[json!("0.0.0.0"), json!("a")]);
    check(&json!([{ "cidr": "10.0.0.0/8" }]), &[json!("a00:1::"), json!("0000a00::")], &[]);
    let block = json!([{ "cidr": "2001:db8::/32" }]);
    check(&block, &[json!("2001:DB8:0::1")], &[json!("2001:db9::"), json!("10.0.0.1")]);
    check(&json!(["::1"]), &[json!("0:0:0:0:0:0:0:1")], &[json!("::2"), json!("::0.0.0.1")]);
    check(&json!(["10.0.0.1"]), &[json!("10.0.0.01")], &[json!("10.0.0.2")]);
}

#[test]
fn a_field_exists_if_a_value_can_be_reached() {
    let leaves = [json!(1), json!(null), json!(""), json!([0]), json!([[false]]), json!([{}, 1])];
    let none = [json!({}), json!({ "y": 1 }), json!([]), json!([[]]), json!([{ "y": 1 }])];
    check(&json!([{ "exists": true }]), &leaves, &none);
    check(&json!([{ "exists": false }]), &none, &leaves);
    check(&json!(["a", { "exists": false }]), &[json!("a"), json!([])], &[json!("b")]);
    assert!(matches(&json!({ "a": { "b": [{ "exists": false }] } }), &json!({ "a": 1 })).unwrap());
}

#[test]
fn fields_that_meet_in_a_list_must_be_in_the_same_element() {
    let pattern = Pattern::parse(&json!({ "a": { "x": [1], "y": [2] }, "b": [3] })).unwrap();
    let event = |a: Value| json!({ "a": a, "b": [4, 3] });
    assert!(pattern.matches(&event(json!([{ "x": 2 }, { "x": [0, 1], "y": 2 }]))));
    assert!(!pattern.matches(&event(json!([{ "x": 1 }, { "y": 2 }]))));
    assert!(!pattern.matches(&event(json!([[{ "x": 1 }], [{ "y": 2 }]]))));
    assert!(pattern.matches(&event(json!([[{ "x": 1 }, { "y": 2, "x": 1 }]]))));
    let missing =
        Pattern::parse(&json!({ "a": { "x": [1], "y": [{ "exists": false }] } })).unwrap();
    assert!(missing.matches(&json!({ "a": [{ "x": 1 }, { "y": 2 }] })));
    assert!(!missing.matches(&json!({ "a": [{ "x": 1, "y": 2 }, { "y": 2 }] })));
}

#[test]
fn a_name_with_dots_is_a_path() {
    let nested = json!({ "a": { "b": { "c": [1] } } });
    for event in [json!({ "a.b": { "c": 1 } }), json!({ "a": { "b.c": 1 } }), json!({ "a.b.c": 1 })]
    {
        assert!(matches(&nested, &event).unwrap(), "{event}");
        assert!(matches(&json!({ "a.b.c": [1] }), &event).unwrap(), "{event}");
    }
}

#[test]
fn of_the_branches_of_or_one_must_match_beside_the_other_fields() {
    let pattern = Pattern::parse(&json!({
        "s": ["s"],
        "d": { "$or": [{ "x": [1] }, { "y": [2], "$or": [{ "z": [3] }, { "z": [4] }] }] },
    }));
    let pattern = pattern.unwrap();
    let event = |d: Value| json!({ "s": "s", "d": d });
    assert!(pattern.matches(&event(json!({ "x": 1 }))));
    assert!(pattern.matches(&event(json!({ "y": 2, "z": 4 }))));
    assert!(!pattern.matches(&event(json!({ "y": 2 }))));
    assert!(!pattern.matches(&json!({ "d": { "x": 1 } })));
    // What stands last holds: the branch's `a` replaces the one before it.
    let twice = json!({ "a": [1], "$or": [{ "a": [2] }, { "b": [3] }] });
    assert!(matches(&twice, &json!({ "a": 2 })).unwrap());
    assert!(!matches(&twice, &json!({ "a": 1 })).unwrap());
}

#[test]
fn an_event_that_is_no_object_matches_nothing() {
    assert!(!matches(&json!({ "a": [{ "exists": false }] }), &json!([])).unwrap());
}

#[test]
fn what_eventbridge_would_not_take_is_refused_with_the_place_of_the_fault() {
    let x = |entry: Value| json!({ "detail": { "x": [entry] } });
    let or = |branches: Value| json!({ "detail": { "$or": branches } });
    let branches: Vec<Value> = (0..32).map(|_| json!({ "x": [1] })).collect();
    let patterns = [
        json!([]),
        json!({}),
        json!({ "detail": {} }),
        json!({ "detail": { "x": [] } }),
        json!({ "detail": { "x": "a" } }),
        json!({ "detail": { "": ["a"] } }),
        json!({ "detail": { "x": ["a".repeat(2_048)] } }),
        x(json!(["a"])),
        x(json!({})),
        x(json!({ "wildcrd": "a*" })),
        x(json!({ "prefix": "a", "suffix": "b" })),
        x(json!({ "prefix": 1 })),
        x(json!({ "suffix": { "prefix": "a" } })),
        x(json!({ "equals-ignore-case": ["a"] })),
        x(json!({ "wildcard": "a**" })),
        x(json!({ "wildcard": r"a\b" })),
        x(json!({ "exists": "true" })),
        x(json!({ "anything-but": [] })),
        x(json!({ "anything-but": [1, "a"] })),
        x(json!({ "anything-but": [null] })),
        x(json!({ "anything-but": { "prefix": "" } })),
        x(json!({ "anything-but": { "suffix": [1] } })),
        x(json!({ "anything-but": { "numeric": ["<", 1] } })),
        x(json!({ "anything-but": { "exactly": "a" } })),
        x(json!({ "numeric": [] })),
        x(json!({ "numeric": ["!", 1] })),
        x(json!({ "numeric": ["<", "1"] })),
        x(json!({ "numeric": ["<", 1, ">", 0] })),
        x(json!({ "numeric": [">", 1, "<", 1] })),
        x(json!({ "numeric": [">=", f64::MAX] })),
        x(json!({ "numeric": ["=", 9_007_199_254_740_993_u64] })),
        x(json!({ "cidr": "10.0.0.0" })),
        x(json!({ "cidr": "10.0.0/8" })),
        x(json!({ "cidr": "10.0.0.0/32" })),
        x(json!({ "cidr": "::/-1" })),
        or(json!([{ "x": [1] }])),
        or(json!([{ "x": [1] }, "y"])),
        or(json!([{ "x": [1] }, { "prefix": [1] }])),
        or(json!({ "x": [1] })),
        json!({ "a": { "$or": branches }, "b": { "$or": branches } }),
    ];
    let lines: Vec<String> = patterns.iter().map(refusal).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn long_lists_in_many_fields_are_looked_through_once_each() {
    let pattern = json!({ "detail": {
        "a": ["no", { "anything-but": ["x"] }], "b": [{ "exists": true }], "c": [{ "prefix": "x" }], "d": ["never"],
    } });
    let list = json!(vec!["xy"; 20_000]);
    let nested = json!(vec![json!(["xy"]); 20_000]);
    let event = json!({ "detail": { "a": list, "b": nested, "c": list, "d": nested } });
    // Each with each, they would be more than a machine looks through in years.
    assert_eq!(matches(&pattern, &event), Ok(false));
}
