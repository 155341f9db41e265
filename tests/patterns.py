"""Our event patterns against two engines that we did not write: MiniStack's, and AWS's own.

Usage: PYTHON tests/patterns.py JUDGE [--pairs 105000] [--seed 1] [--event-ruler CLASSPATH]

PYTHON is the one that the rehearsal's MiniStack runs in; JUDGE is generator/examples/judge.rs, built.
CLASSPATH has event-ruler's classes (https://github.com/aws/event-ruler, javac over src/main), and those
of Jackson that it needs; then tests/EventRuler.java asks it the same, by a JDK from 17 on. Prints
pairs, matching pairs and disagreements for each operator, and fails at a disagreement that is not
among `DEVIATIONS`, or at one of those that does not occur any more. Where AWS's engine differs from
us, we are wrong: what is listed of it are its accidents, not its meaning.
"""

import argparse
import collections
import copy
import json
import logging
import pathlib
import random
import re
import subprocess
import sys

from ministack.services import eventbridge

# Few letters, so that texts often meet: both cases, cases of unequal length, letters of two UTF-16
# units, and what means something in JSON, in a wildcard or in a regular expression.
LETTERS = 'abcAB1.*?\\"éÉßſİıKkΣσςǆǅ日😀🎥'
GREATEST = 1.7976931348623157e308
ODD = [None, True, False, 0, -0.0, 1, 1e300, -1e300, 2**53 + 1, "", "null", "true", "0", "a", [], {}, [[]], [{}],
       {"x": 1}, [None], ["a", 1], [["a"], [0, ["b"]]], [{"x": "a"}, "b"], " a", "a\n", "10.0.0.1", "::1"]  # fmt: skip
NUMBERS = [0, 1, -1, 2, 0.1, 0.2, 0.3, 0.30000000000000004, 0.5, 0.7, 0.9999999999999999, 1e-9, 5e9, -5e9, 5e9 + 0.5,
           1e10, 1e300, -1e300, GREATEST, -GREATEST, 2**53, 2**53 + 2, 1e15, 0.000001, 123456789012]  # fmt: skip
BOUNDS = [number for number in NUMBERS if abs(number) < GREATEST]
LONG = [2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**64 - 1, 999999999999999999]  # no doubles: texts to EventBridge
FIELDS = ["x", "y", "x.z", "z"]


def text(rng, most=3):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, most)))


def odd(rng):
    return copy.deepcopy(rng.choice(ODD))


def cased(rng, letters):
    """The text with each letter in some case."""
    return "".join(rng.choice([str.upper, str.lower, str])(letter) for letter in letters)


def near(rng, number):
    """A number at, or just beside, another; at times of another kind."""
    other = [number, float(number), number + 1, number - 1, number * (1 + 2**-52), number * (1 - 2**-52), -number]
    value = rng.choice(other)
    # 1.8e308 has no JSON. Beyond 2^53 a float's whole text is another number than its shortest: see LONG.
    if value in (float("inf"), float("-inf")):
        return number
    return int(value) if rng.random() < 0.2 and abs(value) < 2**53 else value


def address(rng):
    if rng.random() < 0.5:
        return ".".join(str(rng.choice([0, 1, 10, 127, 128, 255])) for _ in range(4))
    groups = [rng.choice(["0", "1", "a", "ffff", "2001", "db8"]) for _ in range(8)]
    cut = rng.randint(0, 6)
    return rng.choice([":".join(groups), ":".join(groups[:cut]) + "::" + ":".join(groups[cut + 2 :]), "::1", "::"])


def spelled(rng, one):
    """The same address, perhaps in other letters; or its neighbour, or what is none."""
    if ":" not in one:
        head, _, last = one.rpartition(".")
        beside = f"{head}.{min(255, max(0, int(last) + rng.choice([-1, 1])))}"
        return rng.choice([one, one, beside, f"{head}.0{last}", f"{head}.256", f"::ffff:{one}", one + " "])
    return rng.choice([one, one.upper(), one.replace(":1", ":0001"), one.replace("::", ":0:"), one + "1", "[" + one + "]"])


def entry(rng, kind):
    """An entry of a field's list by this operator, and a value that it may well take."""
    word = text(rng)
    if kind == "text":
        return word, rng.choice([word, word, word + text(rng, 1)])
    if kind == "number":
        number = rng.choice(NUMBERS + LONG)
        return number, number if number in LONG else near(rng, number)
    if kind == "literal":
        value = rng.choice([None, True, False])
        return value, rng.choice([value, value, None, True, str(value).lower()])
    if kind == "address":
        one = address(rng)
        return one, spelled(rng, one)
    if kind == "exactly":
        one = address(rng)
        return {kind: rng.choice([word, one])}, rng.choice([word, one, spelled(rng, one)])
    if kind == "prefix":
        return {kind: word}, rng.choice([word + text(rng), word.strip('"'), text(rng)])
    if kind == "suffix":
        return {kind: word}, rng.choice([text(rng) + word, word.strip('"'), text(rng)])
    if kind == "prefix, any case":
        return {"prefix": {"equals-ignore-case": word}}, cased(rng, rng.choice([word, word.strip('"')])) + text(rng, 1)
    if kind == "suffix, any case":
        return {"suffix": {"equals-ignore-case": word}}, text(rng, 1) + cased(rng, rng.choice([word, word.strip('"')]))
    if kind == "equals-ignore-case":
        return {kind: word}, cased(rng, word) + rng.choice(["", "", "", "a"])
    if kind == "wildcard":
        return wildcard(rng)
    if kind == "numeric":
        return numeric(rng)
    if kind == "cidr":
        one = address(rng)
        mask = rng.choice([0, 1, 8, 15, 16, 24, 31] + [32, 64, 127] * (":" in one))
        return {kind: f"{one}/{mask}"}, rng.choice([spelled(rng, one), spelled(rng, one), address(rng)])
    if kind == "exists":
        return {kind: rng.random() < 0.5}, odd(rng)
    return anything_but(rng, kind.removeprefix("anything-but").strip(", "))


def wildcard(rng):
    pieces, value = [], []
    for _ in range(rng.randint(1, 5)):
        if rng.random() < 0.4 and pieces[-1:] != ["*"]:
            pieces.append("*")
            value.append(text(rng, 2))
        else:
            letter = rng.choice(LETTERS)
            pieces.append("\\" + letter if letter in "*\\" else letter)
            value.append(letter)
    return {"wildcard": "".join(pieces)}, "".join(value) + rng.choice(["", "", "", "a"])


def numeric(rng):
    low, high = sorted(rng.sample(BOUNDS, 2))
    value = near(rng, rng.choice([low, high]))
    middle = rng.choice([value, value, low / 2 + high / 2])
    if rng.random() < 0.4:
        return {"numeric": [rng.choice([">", ">="]), low, rng.choice(["<", "<="]), high]}, middle
    return {"numeric": [rng.choice(["=", "<", "<=", ">", ">="]), rng.choice([low, high])]}, rng.choice([value, rng.choice(LONG)])


def anything_but(rng, inner):
    if inner == "numbers":
        numbers = rng.sample(NUMBERS, rng.randint(1, 3))
        return {"anything-but": numbers if rng.random() < 0.7 else numbers[0]}, near(rng, numbers[0])
    if inner == "":
        words = [text(rng) for _ in range(rng.randint(1, 3))] + ["10.0.0.1"] * (rng.random() < 0.1)
        return {"anything-but": words if rng.random() < 0.7 else words[0]}, rng.choice([words[0], text(rng)])
    entries = [wildcard(rng) if inner == "wildcard" else entry(rng, inner) for _ in range(rng.randint(1, 2))]
    words = [next(iter(one.values())) for one, _ in entries]
    if inner in ("prefix", "suffix"):
        words = [word or "a" for word in words]
    return {"anything-but": {inner: words if rng.random() < 0.5 else words[0]}}, entries[0][1]


def refused(rng):
    """A pattern's list that no engine takes."""
    word = text(rng)
    return rng.choice([
        [], [[word]], [{}], [{"wildcrd": word}], [{"prefix": word, "suffix": word}], [{"prefix": 1}], [{"suffix": [word]}],
        [{"prefix": {"suffix": word}}], [{"equals-ignore-case": None}], [{"wildcard": word + "**"}], [{"wildcard": "\\a"}],
        [{"exists": 1}], [{"exists": word}], [{"anything-but": []}], [{"anything-but": [1, word]}], [{"anything-but": None}],
        [{"anything-but": {"prefix": ""}}], [{"anything-but": {"suffix": [word + "a", ""]}}], [{"anything-but": {"cidr": "::/0"}}],
        [{"anything-but": {"wildcard": ["a**"]}}], [{"numeric": []}], [{"numeric": 1}], [{"numeric": ["!", 1]}],
        [{"numeric": ["<", word]}], [{"numeric": ["<", 1, ">", 0]}], [{"numeric": [">", 1, "<", rng.choice([0, 1])]}],
        [{"numeric": [">=", GREATEST]}], [{"numeric": ["<", -GREATEST]}],
        [{"numeric": ["=", rng.choice(LONG)]}], [{"anything-but": [rng.choice(LONG)]}], [{"cidr": word}], [{"cidr": "1.2.3.4"}],
        [{"cidr": "1.2.3.256/8"}], [{"cidr": "1.2.3.4/32"}], [{"cidr": "::1/128"}], [{"cidr": "::/-1"}], [{"cidr": "1.2.3.4/a"}],
        word, 1, None, {},
    ])  # fmt: skip


OPERATORS = [
    "text", "number", "literal", "address", "exactly", "prefix", "suffix", "prefix, any case", "suffix, any case",
    "equals-ignore-case", "wildcard", "numeric", "cidr", "exists", "anything-but", "anything-but, numbers",
    "anything-but, prefix", "anything-but, suffix", "anything-but, equals-ignore-case", "anything-but, wildcard",
]  # fmt: skip


def field(rng, kind):
    """A field's list with an operator, perhaps among others, and a value for it."""
    one, value = entry(rng, kind)
    entries = [one]
    while rng.random() < 0.2:
        other, taken = entry(rng, rng.choice(OPERATORS))
        # event-ruler compares the end of a text with the bytes of a number, if one list asks for both.
        if {"numeric", "suffix"} <= {key for it in [*entries, other] if isinstance(it, dict) for key in it}:
            continue
        entries.append(other)
        value = rng.choice([value, taken])
    rng.shuffle(entries)
    if rng.random() < 0.15:
        value = odd(rng)
    if rng.random() < 0.15:
        value = rng.choice([[value], [odd(rng), value], [[value]], [value, odd(rng)]])
    return entries, value


def put(target, path, value):
    """Sets a value at a path of an object, in an object at each step; gives up where something is in the way."""
    *steps, last = path.split(".")
    for step in steps:
        target = target.setdefault(step, {})
        if not isinstance(target, dict):
            return
    target[last] = value


def pair(rng, kind):
    """A pattern and an event for `detail`."""
    pattern, event = {}, {}
    if kind == "refused":
        inside = {"x": refused(rng)}
        branches = rng.choice([[], [inside], [inside, 1], inside, [{"a": [1]}, {}], [{"a": [1]}, {"prefix": ["a"]}]])
        return rng.choice([inside, {"y": inside}, {"$or": branches}]), {"x": 1}
    if kind == "$or":
        return either(rng)
    if kind in ("several fields", "lists of objects", "dotted names"):
        paths = rng.sample(FIELDS, rng.randint(2, 3))
        for path in paths:
            entries, value = field(rng, rng.choice(OPERATORS))
            put(pattern, path, entries)
            put(event, path, value)
        if kind == "lists of objects":
            return spread(rng, pattern, event)
        if kind == "dotted names":
            return dotted(rng, pattern), dotted(rng, event)
        return pattern, {name: value for name, value in event.items() if rng.random() < 0.95}
    path = rng.choice(FIELDS)
    entries, value = field(rng, kind)
    put(pattern, path, entries)
    if rng.random() < 0.95:
        put(event, path, value)
    return pattern, event


def either(rng):
    """A pattern with `$or`, perhaps in a branch of one, perhaps beside the same field."""
    event = {}

    def branch(depth):
        inside = {}
        for path in rng.sample(FIELDS, rng.randint(1, 2)):
            entries, value = field(rng, rng.choice(OPERATORS))
            put(inside, path, entries)
            if rng.random() < 0.6:
                put(event, path, value)
        if depth and rng.random() < 0.4:
            inside["$or"] = [branch(depth - 1) for _ in range(rng.randint(2, 3))]
        return dict(rng.sample(list(inside.items()), len(inside)))

    pattern = {"$or": [branch(1) for _ in range(rng.randint(2, 3))]}
    if rng.random() < 0.4:
        pattern = {**branch(0), **pattern} if rng.random() < 0.5 else {**pattern, **branch(0)}
    return pattern, event


def spread(rng, pattern, event):
    """The event's fields in a list of objects: in one element, in several, in lists of lists."""
    names = list(event)
    first = {name: event[name] for name in names if rng.random() < 0.8}
    second = {name: event[name] for name in names if rng.random() < 0.4}
    elements = [first, second, *(odd(rng) for _ in range(rng.randint(0, 1)))]
    rng.shuffle(elements)
    if rng.random() < 0.2:
        elements = [elements, [dict(event)] if rng.random() < 0.3 else second]
    if rng.random() < 0.2:
        elements = [{"l": elements}, {"l": [second]}]
        pattern = {"l": pattern}
    return {"l": pattern}, {"l": elements}


def dotted(rng, tree):
    """The same tree with some objects of one step written as a name with a dot."""
    out = {}
    for name, value in tree.items():
        if isinstance(value, dict) and value and rng.random() < 0.5:
            out |= {f"{name}.{inner}": rest for inner, rest in value.items()}
        else:
            out[name] = value
    return out


KINDS = [*OPERATORS, "several fields", "lists of objects", "dotted names", "$or", "refused"]


def pairs(number, seed):
    """The pairs as text: a tree would lose how a number is written."""
    rng = random.Random(seed)
    for index in range(number):
        kind = KINDS[index % len(KINDS)]
        pattern, event = pair(rng, kind)
        prefix = {"source": [{"prefix": "arm."}], "nobody": [{"exists": False}]}
        source = rng.choice([{}, {}, {"source": ["arm.detector"]}, prefix])
        yield kind, json.dumps({**source, "detail": pattern}, ensure_ascii=False), json.dumps(event, ensure_ascii=False)


def leaves(pattern):
    """The entries of all lists of a pattern."""
    for name, value in pattern.items() if isinstance(pattern, dict) else ():
        if isinstance(value, list) and name == "$or":
            for branch in value:
                yield from leaves(branch)
        elif isinstance(value, list):
            yield from value
        else:
            yield from leaves(value)


def operands(pattern, *names):
    """The texts that these operators are given, inside others too."""
    for one in leaves(pattern):
        waiting = [one] if isinstance(one, dict) else []
        while waiting:
            name, operand = next(iter(waiting.pop().items()), ("", None))
            if isinstance(operand, dict):
                # What stands inside `prefix` or `suffix` is one, too.
                waiting.append({f"{name} {inner}": value for inner, value in operand.items()})
            elif {*name.split()} & {*names}:
                yield from operand if isinstance(operand, list) else [operand]


def values(event):
    """All values in an event that are neither lists nor objects."""
    inner = event.values() if isinstance(event, dict) else event if isinstance(event, list) else None
    if inner is None:
        yield event
    else:
        for one in inner:
            yield from values(one)


def names(event):
    if isinstance(event, dict):
        yield from event
    for one in event.values() if isinstance(event, dict) else event if isinstance(event, list) else ():
        yield from names(one)


def parts(tree):
    """A tree and all lists and objects in it."""
    yield tree
    for one in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from parts(one)


def fields(pattern, before=""):
    """The paths of all fields that a pattern asks for, with what it asks."""
    for name, value in pattern.items():
        if name == "$or" and isinstance(value, list):
            for branch in value:
                yield from fields(branch, before) if isinstance(branch, dict) else ()
        elif isinstance(value, dict):
            yield from fields(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield before + name, value


def address_of(value):
    """How a text looks to event-ruler: 4 or 6, or None."""
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value):
        return 4
    return 6 if re.fullmatch(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", value) else None


def two_units(pattern, _):
    return any(ord(letter) > 0xFFFF for word in operands(pattern, "equals-ignore-case") for letter in word)


def quote_at_the_end(pattern, _):
    words = [*operands(pattern, "prefix"), *(word[::-1] for word in operands(pattern, "suffix"))]
    return any(word.endswith('"') for word in words)


def address_as_text(pattern, event):
    wanted = {address_of(one) for one in leaves(pattern)} | {None}
    return len(wanted) > 1 and any(address_of(value) for value in values(event))


def block(pattern, event):
    return any(operands(pattern, "cidr")) and any(address_of(value) for value in values(event))


def long_number(pattern, event):
    ranges = any(isinstance(one, dict) and "numeric" in one for one in leaves(pattern))
    return ranges and any(isinstance(value, int) and abs(value) >= 2**53 for value in values(event))


def name_with_dot(_, event):
    return any("." in name for name in names(event))


def missing_in_a_list(pattern, event):
    absent = any(isinstance(one, dict) and one.get("exists") is False for one in leaves(pattern.get("detail")))
    return absent and any(isinstance(one, list) for one in parts(event))


def field_of_a_field(pattern, _):
    asked = {path for path, _ in fields(pattern)}
    return any(other.startswith(path + ".") for path in asked for other in asked)


def beyond_all_doubles(pattern, _):
    return any(isinstance(one, (int, float)) and abs(one) == GREATEST for one in operands(pattern, "numeric"))


def number_and_address(pattern, event):
    wanted = any(operands(pattern, "cidr")) or any(address_of(one) for one in leaves(pattern))
    return wanted and any(type(value) in (int, float) for value in values(event))


def wildcard_beside(pattern, _):
    """A field with a wildcard and another operator on texts, or two wildcards, perhaps in branches of `$or`."""
    asked = collections.defaultdict(list)
    for path, entries in fields(pattern):
        asked[path] += entries
    texts = ("wildcard", "prefix", "suffix", "equals-ignore-case", "exactly", "anything-but")
    return any(
        any(operands({"x": entries}, "wildcard"))
        and len([*operands({"x": entries}, *texts)]) + sum(isinstance(one, str) for one in entries) > 1
        for entries in asked.values()
    )


# What an engine does, why we do not, and when it may show: each must occur. What is said of event-ruler here was
# seen by this very test, which asks it for the same pairs.
DEVIATIONS = {
    "MiniStack": [
        ("takes a letter of two UTF-16 units for itself, in any case", "event-ruler looks for a `?` for each unit", two_units),
        ("does not count the quotes to a text", "event-ruler compares texts in their quotes", quote_at_the_end),
        ("compares an exact address as text", "event-ruler compares the address, however it is written", address_as_text),
        ("keeps blocks of IPv4 and of IPv6 apart", "event-ruler compares digits until the shorter ends", block),
        ("has a whole number that is no double in a range", "event-ruler has it in none", long_number),
        ("finds no name with a dot in an event", "event-ruler joins names by dots on both sides", name_with_dot),
        ("misses a field if one element of a list does", "event-ruler misses it if all do", missing_in_a_list),
        ("never matches a field beside a field of it", "event-ruler holds both against the event", field_of_a_field),
        ("takes a range above or below all doubles", "event-ruler fails on it, so there is no rule", beyond_all_doubles),
    ],
    "event-ruler": [
        ("takes the digits of a number for those of an address", "no address is a number", number_and_address),
        ("mixes up a wildcard with other operators of its field", "alone each is judged as we do", wildcard_beside),
    ],
}


def ministack(pattern, detail):
    if eventbridge._compiled_pattern(pattern) is None:
        return "refused"
    event = {"Source": "arm.detector", "DetailType": "BehaviourDetected", "Detail": detail}
    return "yes" if eventbridge._matches_pattern(pattern, event) else "no"


def ask(command, asked):
    """The words that a judge prints, one for each pair."""
    done = subprocess.run(command, input="\n".join(asked) + "\n", capture_output=True, text=True, encoding="utf-8")
    words = done.stdout.splitlines()
    if done.returncode or len(words) != len(asked):
        sys.exit(f"{command[0]} ended with {done.returncode} after {len(words)} of {len(asked)} pairs: {done.stderr[-500:]}")
    return [word.partition(":")[0] for word in words]


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("judge")
    options.add_argument("--pairs", type=int, default=105_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--event-ruler", metavar="CLASSPATH")
    options = options.parse_args()
    logging.disable()
    drawn = list(pairs(options.pairs, options.seed))
    envelope = '{"source":"arm.detector","detail-type":"BehaviourDetected","detail":%s}'
    asked = ['{"pattern":%s,"event":%s}' % (pattern, envelope % event) for _, pattern, event in drawn]
    ours = ask([options.judge], asked)
    engines = {"MiniStack": [ministack(pattern, event) for _, pattern, event in drawn]}
    if options.event_ruler:
        java = pathlib.Path(__file__).with_name("EventRuler.java")
        engines["event-ruler"] = ask(["java", "-cp", options.event_ruler, str(java)], asked)
    sys.exit(report(drawn, ours, engines))


def report(drawn, ours, engines):
    """Prints the table; returns how the program ends."""
    table = collections.defaultdict(collections.Counter)
    known = collections.Counter()
    unknown = []
    for index, ((kind, pattern, event), our) in enumerate(zip(drawn, ours)):
        row = table[kind]
        row["pairs"] += 1
        row["matching"] += our == "yes"
        for engine, words in engines.items():
            if words[index] == our:
                continue
            row[engine] += 1
            trees = json.loads(pattern), json.loads(event)
            why = next((name for name, _, may_show in DEVIATIONS[engine] if may_show(*trees)), None)
            if why:
                known[engine, why] += 1
                row["known"] += 1
            else:
                unknown.append(f"{engine} says {words[index]}, we say {our}: {kind}: {pattern} {event}")
    columns = ["pairs", "matching", *engines, "known"]
    print(f"{'operator':34}" + "".join(f"{name:>13}" for name in columns))
    for kind in [*KINDS, "all"]:
        row = table[kind] if kind != "all" else sum(table.values(), collections.Counter())
        print(f"{kind:34}" + "".join(f"{row[name]:13}" for name in columns))
    gone = []
    for engine in engines:
        for name, reason, _ in DEVIATIONS[engine]:
            print(f"{engine} {name}: {known[engine, name]} pairs; {reason}")
            if not known[engine, name]:
                gone.append(f"{engine} no longer {name}: take it off the list")
    print(*unknown[:20], *gone, sep="\n")
    matching = sum(row["matching"] for row in table.values()) / len(drawn)
    print(f"{len(drawn)} pairs, {matching:.0%} matching, {len(unknown)} disagreements that are not known")
    return 1 if unknown or gone or matching < 1 / 3 else 0


if __name__ == "__main__":
    main()
