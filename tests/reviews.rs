//! Reviews as a pull request makes them: small, alike in many stores, huge, and made to harm.
//!
//! They are what every page is looked at with. `examples/review.rs` prints them for other programs;
//! to look at one more, add it to [`all`].

use generator::change::{Action, Effect, PropertyChange, ResourceChange};
use generator::review::{
    Cause, Class, Costs, Finding, Group, Omission, Review, STORE, Subject, Tally, Weight,
};
use serde_json::{Value, json};

/// Every review with its name, but the huge one.
pub fn all() -> Vec<(&'static str, Review)> {
    vec![
        ("threshold", threshold()),
        ("mixed", mixed()),
        ("harmful", harmful()),
        ("nothing", empty()),
        ("unknown", unknown()),
    ]
}

/// The same on both sides.
pub fn empty() -> Review {
    Review {
        base: "main".into(),
        head: "stores".into(),
        stacks: Tally { unchanged: 1_001, ..Tally::default() },
        resources: Tally { unchanged: 61_240, ..Tally::default() },
        findings: Vec::new(),
        changes: Vec::new(),
        costs: None,
        omissions: Vec::new(),
    }
}

/// The same as far as one knows.
pub fn unknown() -> Review {
    let text =
        "the stack `arm-us-west-store-renton-007` is not deployed by `arm`: it has no template";
    Review { omissions: vec![Omission::gap(text)], ..empty() }
}

/// One threshold in a format that 1,000 stores share.
pub fn threshold() -> Review {
    let stores = stores(1_000);
    let causes = vec![cause("stores/fleet.yaml", 41, "min_confidence: 0.7 -> 0.8")];
    let text = "`concealment` at confidence 0.7 to 0.8 is now unrouted: logged as a case of priority low, told to nobody (was: priority medium, told to floor)";
    let path = ["Properties", "EventPattern", "detail", "confidence", "0", "numeric", "1"];
    let rule = |id: &str, path: &[&str], before: Value, after: Value| {
        let property = property(path, Some(before), Some(after), Effect::None);
        Group {
            what: change(Action::Update, "AWS::Events::Rule", id, vec![property]),
            subjects: stores.clone(),
            causes: causes.clone(),
        }
    };
    let unrouted =
        ["Properties", "EventPattern", "detail", "$or", "3", "confidence", "0", "numeric", "1"];
    Review {
        stacks: Tally { changed: 1_000, unchanged: 1, ..Tally::default() },
        resources: Tally { changed: 2_000, unchanged: 59_240, ..Tally::default() },
        findings: vec![finding(Class::Rules, Weight::Loud, text, &stores, &causes)],
        changes: vec![
            rule("RuleConcealment", &path, json!(0.7), json!(0.8)),
            rule("RuleUnrouted", &unrouted, json!(0.7), json!(0.8)),
        ],
        ..empty()
    }
}

/// What a pull request of a busy day does.
pub fn mixed() -> Review {
    let on = Day::new();
    Review {
        stacks: Tally { added: 1, changed: 214, unchanged: 786, ..Tally::default() },
        resources: Tally { added: 56, changed: 850, removed: 1, replaced: 1, unchanged: 60_000 },
        findings: [losses(&on), others(&on)].concat(),
        changes: [mixed_changes(&on), new_store(&on)].concat(),
        costs: Some(mixed_costs(&on)),
        ..empty()
    }
}

/// The stacks and the lines of that day.
struct Day {
    seattle: Vec<Subject>,
    many: Vec<Subject>,
    new: Vec<Subject>,
    platform: Vec<Subject>,
    renamed: Vec<Cause>,
    retention: Vec<Cause>,
    hook: Vec<Cause>,
    added: Vec<Cause>,
}

impl Day {
    fn new() -> Self {
        let id = cause("stores/seattle-001.yaml", 17, "id: aisle-5-a");
        let hook = "https: https://hooks.example.com/floor -> https://hooks.example.com/v2/floor";
        Self {
            seattle: vec![store("seattle-001")],
            many: stores(212),
            new: vec![store("portland-301")],
            platform: vec![Subject::Platform("us-west".into())],
            renamed: vec![
                Cause { is_before: true, ..id },
                cause("stores/seattle-001.yaml", 17, "id: aisle-5-a -> aisle-5-north"),
            ],
            retention: vec![cause("stores/fleet.yaml", 23, "retention: 48h -> 24h")],
            hook: vec![cause("stores/seattle-001.yaml", 58, hook)],
            added: vec![cause("stores/portland-301.yaml", 1, "the file is new")],
        }
    }
}

fn losses(
    Day { seattle, many, platform, renamed, retention, hook, .. }: &Day,
) -> Vec<Group<Finding>> {
    let cell = [cause("stores/fleet.yaml", 6, "log_retention: 90d -> 30d")];
    let mut lost = finding(
        Class::DataLoss,
        Weight::Loud,
        "camera `aisle-5-a` is now `aisle-5-north`: a new, empty stream; the old one, with up to 24 h of video, stays outside every stack, and nobody deletes it",
        seattle,
        renamed,
    );
    lost.what.details = vec!["Evidence of open cases can still be taken from the old stream `arm-us-west-<store>-gw-aisle-5-a`".into()];
    vec![
        lost,
        finding(
            Class::DataLoss,
            Weight::Loud,
            "video of 4 cameras older than 24 h is deleted: 24 h less than before",
            many,
            retention,
        ),
        finding(
            Class::DataLoss,
            Weight::Quiet,
            "logs of the functions older than 30 days are deleted: 60 days less than before",
            platform,
            &cell,
        ),
        finding(
            Class::Replacement,
            Weight::Quiet,
            "the subscription of `https://hooks.example.com/floor` is made anew, because its `Endpoint` changes",
            seattle,
            hook,
        ),
    ]
}

fn others(
    Day { seattle, many, new, platform, retention, hook, added, .. }: &Day,
) -> Vec<Group<Finding>> {
    vec![
        finding(
            Class::Access,
            Weight::Loud,
            "the role of `respond` may now also `sqs:SendMessage` on `*`",
            platform,
            &[cause("stores/fleet.yaml", 9, "ops_email: [+ ops@example.com]")],
        ),
        finding(Class::Access, Weight::Quiet, "the usual rights of a store", new, added),
        finding(
            Class::People,
            Weight::Loud,
            "https `https://hooks.example.com/v2/floor` (floor) hears nothing until somebody confirms the subscription by the link that AWS sends",
            seattle,
            hook,
        ),
        finding(
            Class::People,
            Weight::Quiet,
            "4 addresses of loss-prevention and floor are told of this store's cases; 2 of them must confirm by e-mail",
            new,
            added,
        ),
        finding(
            Class::Cost,
            Weight::Quiet,
            "video storage -$61 a month: 24 h less of 848 cameras",
            many,
            retention,
        ),
        finding(
            Class::Quota,
            Weight::Quiet,
            "`kinesis_video_streams` of account 123456789012 us-west-2: 9,214 of 10,000, 92 %",
            &[Subject::Home("123456789012 us-west-2".into())],
            added,
        ),
    ]
}

fn mixed_costs(Day { many, .. }: &Day) -> Costs {
    Costs {
        before_cents: 1_204_310,
        after_cents: 1_245_502,
        by_subject: vec![
            (store("portland-301"), 0, 47_302),
            (Subject::Platform("us-west".into()), 210_000, 210_000 + 12),
            (store("seattle-001"), 61_201, 61_199),
        ]
        .into_iter()
        .chain(many.iter().map(|it| (it.clone(), 4_400, 4_371)))
        .collect(),
        assumptions: vec![
            "list prices of us-west-2 as of 2026-11-01, in US dollars, without tax and discounts"
                .into(),
            "4 incidents a day and store".into(),
        ],
    }
}

fn mixed_changes(
    Day { seattle, many, platform, renamed, retention, hook, .. }: &Day,
) -> Vec<Group<ResourceChange>> {
    let hours = || {
        property(
            &["Properties", "DataRetentionInHours"],
            Some(json!(48)),
            Some(json!(24)),
            Effect::None,
        )
    };
    let endpoint = property(
        &["Properties", "Endpoint"],
        Some(json!("https://hooks.example.com/floor")),
        Some(json!("https://hooks.example.com/v2/floor")),
        Effect::Replace,
    );
    let input = property(
        &["Properties", "Target", "Input", "cameras", "0", "camera"],
        Some(json!("aisle-5-a")),
        Some(json!("aisle-5-north")),
        Effect::None,
    );
    let policy = ["Properties", "Policies", "0", "PolicyDocument", "Statement", "3"];
    let statement = json!({ "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Sid": "SendAnything" });
    let stream = "AWS::KinesisVideo::Stream";
    let mut schedule = change(Action::Update, "AWS::Scheduler::Schedule", "Watch", vec![input]);
    schedule.refers_to = vec!["CameraAisle5A".into()];
    let mut changes = vec![
        group(
            change(Action::Remove, stream, "CameraAisle5A", vec![]),
            seattle,
            renamed.split_at(1).1,
        ),
        group(
            change(Action::Add, stream, "CameraAisle5North", vec![]),
            seattle,
            renamed.split_at(1).1,
        ),
        group(schedule, seattle, renamed.split_at(1).1),
        group(
            change(Action::Replace, "AWS::SNS::Subscription", "SubscriptionFloor3", vec![endpoint]),
            seattle,
            hook,
        ),
        group(
            change(
                Action::Update,
                "AWS::IAM::Role",
                "RespondRole",
                vec![property(&policy, None, Some(statement), Effect::None)],
            ),
            platform,
            &[],
        ),
    ];
    for id in ["CameraAisle5A", "CameraAisle5B", "CameraEntrance", "CameraTills"] {
        changes.push(group(change(Action::Update, stream, id, vec![hours()]), many, retention));
    }
    changes
}

/// A store that was not there: every resource of it is added.
fn new_store(Day { new, added, .. }: &Day) -> Vec<Group<ResourceChange>> {
    let stream = "AWS::KinesisVideo::Stream";
    let mut changes = Vec::new();
    let kinds = [
        (stream, 42),
        ("AWS::Events::Rule", 6),
        ("AWS::SNS::Subscription", 4),
        ("AWS::Events::EventBus", 1),
        ("AWS::SNS::Topic", 1),
        ("AWS::Scheduler::Schedule", 1),
    ];
    for (kind, number) in kinds {
        for index in 0..number {
            let id = format!("{}{index}", kind.rsplit(':').next().unwrap());
            changes.push(group(change(Action::Add, kind, &id, vec![]), new, added));
        }
    }
    changes
}

fn group(what: ResourceChange, subjects: &[Subject], causes: &[Cause]) -> Group<ResourceChange> {
    Group { what, subjects: subjects.to_vec(), causes: causes.to_vec() }
}

/// Names and texts that would be more than text, were they not escaped.
pub fn harmful() -> Review {
    let names = [
        "@octo-org/everyone",
        "<img src=x onerror=alert(1)>",
        "[free](javascript:alert(1))",
        "# not a title",
        "| a | b |",
        "</details><h1>approved</h1>",
        "``` end",
        "\u{202e}drawkcab",
        "\u{1b}[2J\u{1b}[1mgone",
        "a\n\n- b",
        "\"]:::x --> evil[\"<b>c</b>\"] %% end",
        "closes #1",
        "$\\href{https://evil.example}{x}$",
        "<!-- arm diff -->",
        "https://evil.example/a_b",
        "deadbeefcafe",
        ":shipit:",
        "--><script>",
    ];
    let subjects: Vec<_> = names.iter().map(|it| store(it)).collect();
    let causes: Vec<_> =
        names.iter().map(|it| cause(&format!("stores/{it}.yaml"), 3, it)).collect();
    let findings = names.iter().flat_map(|it| {
        let mut loud = finding(
            Class::People,
            Weight::Loud,
            &format!("`{it}` is told of {it}"),
            &[store(it)],
            &causes,
        );
        loud.what.details = vec![format!("more on {it}")];
        [loud, finding(Class::Other, Weight::Quiet, it, &subjects, &causes)]
    });
    let findings = findings.collect();
    let changes = names.iter().map(|it| Group {
        what: change(
            Action::Replace,
            it,
            it,
            vec![property(&[it], Some(json!(it)), Some(json!({ *it: it })), Effect::Replace)],
        ),
        subjects: vec![store(it)],
        causes: causes.clone(),
    });
    Review {
        base: names[0].into(),
        head: names[1].into(),
        stacks: Tally { changed: names.len(), ..Tally::default() },
        resources: Tally { replaced: names.len(), ..Tally::default() },
        findings,
        changes: changes.collect(),
        costs: Some(Costs {
            before_cents: 0,
            after_cents: 5,
            by_subject: subjects.iter().map(|it| (it.clone(), 0, 1)).collect(),
            assumptions: names.iter().map(|it| (*it).into()).collect(),
        }),
        omissions: names.iter().map(|it| Omission::known(*it)).collect(),
    }
}

/// 1,000 stores in which nothing is alike: 50,000 resources, 3,000 findings.
pub fn huge() -> Review {
    let stores = stores(1_000);
    let mut review = mixed();
    for (index, subject) in stores.iter().enumerate() {
        let Subject::Store(id) = subject else { continue };
        let line = [cause(
            &format!("stores/{id}.yaml"),
            17,
            &format!("id: camera-{index} -> camera-{index}-b"),
        )];
        let of = |class, weight| {
            let text =
                format!("camera `camera-{index}` is now `camera-{index}-b`: a new, empty stream");
            finding(class, weight, &text, std::slice::from_ref(subject), &line)
        };
        review.findings.extend([
            of(Class::DataLoss, Weight::Loud),
            of(Class::Access, Weight::Loud),
            of(Class::Rules, Weight::Quiet),
        ]);
        for number in 0..50 {
            let value = property(
                &["Properties", "DataRetentionInHours"],
                Some(json!(index)),
                Some(json!(number)),
                Effect::None,
            );
            review.changes.push(Group {
                what: change(
                    Action::Update,
                    "AWS::KinesisVideo::Stream",
                    &format!("Camera{number}"),
                    vec![value],
                ),
                subjects: vec![subject.clone()],
                causes: line.to_vec(),
            });
        }
    }
    review
}

fn store(id: &str) -> Subject {
    Subject::Store(id.to_owned())
}

fn stores(number: usize) -> Vec<Subject> {
    let cities = ["auburn", "bellevue", "everett", "kent", "renton", "tacoma"];
    let mut stores: Vec<_> = (1..=number)
        .zip(cities.iter().cycle())
        .map(|(number, city)| store(&format!("{city}-{number:03}")))
        .collect();
    stores.sort();
    stores
}

fn cause(file: &str, line: usize, text: &str) -> Cause {
    Cause { file: file.to_owned(), line, is_before: false, text: text.to_owned() }
}

fn finding(
    class: Class,
    weight: Weight,
    text: &str,
    subjects: &[Subject],
    causes: &[Cause],
) -> Group<Finding> {
    let about = vec![vec!["cameras".to_owned(), STORE.to_owned()]];
    Group {
        what: Finding { class, weight, text: text.to_owned(), details: Vec::new(), about },
        subjects: subjects.to_vec(),
        causes: causes.to_vec(),
    }
}

fn change(action: Action, kind: &str, id: &str, properties: Vec<PropertyChange>) -> ResourceChange {
    let whole = Some(json!({ "Type": kind }));
    ResourceChange {
        logical_id: id.to_owned(),
        resource_type: kind.to_owned(),
        action,
        properties,
        before: whole.clone().filter(|_| action != Action::Add),
        after: whole.filter(|_| action != Action::Remove),
        refers_to: Vec::new(),
    }
}

fn property(
    path: &[&str],
    before: Option<Value>,
    after: Option<Value>,
    effect: Effect,
) -> PropertyChange {
    PropertyChange { path: path.iter().map(|it| (*it).to_owned()).collect(), before, after, effect }
}
