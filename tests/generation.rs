//! The same input gives the same bytes, and a folder holds what was generated last.

use arm_tests::{Fleet, arm, example_stores};

const STORE: &str = "
store: renton-007
name: Renton
aisles: [{ id: aisle-1 }]
cameras: [{ id: a, aisle: aisle-1 }]
rules: [{ name: all, when: {}, priority: low, notify: [] }]
subscribers:
  - { audience: floor, email: floor@example.com }
  - { audience: loss-prevention, email: lp@example.com }
";

#[test]
fn the_example_stores_have_no_problems() {
    let outcome = arm(&["check", "--stores", &example_stores()]);
    assert_eq!(
        (outcome.out.as_str(), outcome.err.as_str(), outcome.code),
        ("no problems in 3 stores\n", "", 0)
    );
}

#[test]
fn generating_twice_gives_the_same_bytes() {
    let fleet = Fleet::new(&[("renton-007.yaml", STORE)]);
    let (first, second) = (fleet.path("one/out"), fleet.path("two/out"));
    assert_eq!(fleet.arm("generate", &["--out", &first]).code, 0);
    assert_eq!(fleet.arm("generate", &["--out", &second]).code, 0);
    let bytes = |below| fleet.files(below).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    assert_eq!(bytes("one").len(), 4);
    assert_eq!(bytes("one"), bytes("two"));
}

#[test]
fn a_template_of_a_store_that_is_gone_is_deleted_and_a_foreign_file_is_not() {
    let fleet = Fleet::new(&[("renton-007.yaml", STORE)]);
    let out = fleet.path("out");
    fleet.arm("generate", &["--out", &out]);
    std::fs::write(fleet.path("out/us-west/stores/notes.txt"), "mine").unwrap();
    std::fs::rename(fleet.path("stores/renton-007.yaml"), fleet.path("stores/renton-008.yaml"))
        .unwrap();
    let renamed = STORE.replace("renton-007", "renton-008");
    std::fs::write(fleet.path("stores/renton-008.yaml"), renamed).unwrap();
    fleet.arm("generate", &["--out", &out]);
    let names: Vec<_> = fleet
        .files("out/us-west/stores")
        .into_iter()
        .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["notes.txt", "renton-008.json"]);
}
