//! The stores of a commit are read as they were committed, and what keeps them from it is told.

use std::path::Path;

use generator::load;
use insta::assert_snapshot;

use arm_tests::repository::Repository;
use arm_tests::{FLEET, STORE};

/// The fleet in a folder as a commit has it: its problems, or how many stores it has.
fn load_at(repository: &Repository, reference: &str, folder: &str) -> String {
    let today = "2026-11-22".parse().unwrap();
    let loaded = load::load_at(reference, Path::new(&repository.path(folder)), today);
    let text = match loaded {
        Err(error) => error.to_string(),
        Ok(input) => {
            let plain = generator::diagnostic::Colour::Plain;
            let problems = generator::diagnostic::render(&input.sources, &input.problems, plain);
            let names = input.store_configs.iter().map(|(stem, _)| stem.as_str());
            format!("{}\n{problems}", names.collect::<Vec<_>>().join(" "))
        }
    };
    repository.plain(&text)
}

#[test]
fn a_commit_gives_its_files_whatever_the_folder_holds_now() {
    let files = [("deep/stores/fleet.yaml", FLEET), ("deep/stores/renton-007.yaml", STORE)];
    let repository = Repository::new(&files);
    repository.git(&["tag", "first"]);
    let second = STORE.replace("renton-007", "kent-008");
    repository.commit(&[("deep/stores/kent-008.yaml", &second)]);
    repository.write("deep/stores/renton-007.yaml", "not: [committed");
    repository.write("deep/stores/.hidden.yaml", "nobody's");
    repository.write("deep/stores/more/deeper.yaml", "nobody's");
    let before = repository.git(&["status", "--porcelain"]);
    assert_eq!(load_at(&repository, "first", "deep/stores"), "renton-007\n");
    assert_eq!(load_at(&repository, "HEAD~1", "deep/stores"), "renton-007\n");
    assert_eq!(load_at(&repository, "main", "deep/stores"), "kent-008 renton-007\n");
    assert_eq!(repository.git(&["status", "--porcelain"]), before);
}

#[test]
#[cfg(unix)]
fn a_link_of_a_commit_is_followed_and_what_is_no_file_is_told() {
    let files = [("stores/fleet.yaml", FLEET), ("shared/renton.yaml", STORE)];
    let repository = Repository::new(&files);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, repository.path(name));
    link("../shared/renton.yaml", "stores/renton-007.yaml").unwrap();
    link("../shared/gone.yaml", "stores/gone.yaml").unwrap();
    repository.write("stores/folder.yaml/x", "");
    repository.write("stores/wrong.yml", STORE);
    repository.commit(&[]);
    assert_snapshot!(load_at(&repository, "main", "stores"), @"
    renton-007
    error[not-a-file]: this is no file that can be read
    --> stores/folder.yaml@main
     = note: in the store `folder`
     = help: delete the folder, link or pipe, or rename it

    error[not-a-file]: this is no file that can be read
    --> stores/gone.yaml@main
     = note: in the store `gone`
     = help: delete the folder, link or pipe, or rename it

    error[not-yaml-suffix]: a store's file ends in `.yaml`, in these letters
    --> stores/wrong.yml@main
     = help: rename it, or delete it if the store has a `.yaml`
    ");
}

#[test]
fn a_mistake_of_a_commit_names_the_commit_beside_the_file() {
    let wrong = STORE.replace("aisle: aisle-5", "aisle: aisle-6");
    let files = [("stores/fleet.yaml", FLEET), ("stores/renton-007.yaml", wrong.as_str())];
    assert_snapshot!(load_at(&Repository::new(&files), "main", "stores"), @"
    renton-007
    error[unknown-aisle]: the camera `aisle-5-a` names the aisle `aisle-6`, which this store lacks
     --> stores/renton-007.yaml@main:4:35
      |
    4 | cameras: [{ id: aisle-5-a, aisle: aisle-6 }]
      |                                   ^^^^^^^ not known here
      |
      = note: in the store `renton-007`
      = help: did you mean `aisle-5`?
    ");
}

#[test]
fn a_file_that_is_too_large_is_told_and_those_after_it_are_read() {
    let large = format!("{STORE}# {}", "x".repeat(5 << 20));
    let second = STORE.replace("renton-007", "zillah-009");
    let repository = Repository::new(&[
        ("stores/fleet.yaml", FLEET),
        ("stores/renton-007.yaml", &large),
        ("stores/zillah-009.yaml", &second),
    ]);
    assert_snapshot!(load_at(&repository, "main", "stores"), @"
    zillah-009
    error[file-too-large]: the file is over the 4194304 bytes that are read
    --> stores/renton-007.yaml@main
     = note: in the store `renton-007`
     = help: split the store, or look what made the file so large
    ");
}

#[test]
fn a_commit_that_is_not_there_is_told_with_what_to_do() {
    let repository = Repository::new(&[("stores/fleet.yaml", FLEET)]);
    repository.commit(&[("stores/renton-007.yaml", STORE), ("later/x.yaml", "")]);
    assert_snapshot!(load_at(&repository, "mian", "stores"), @"
    there is no commit `mian` in this repository
      help: name a branch, a tag or a commit that `git log` shows; `git fetch` brings new ones
    ");
    assert_snapshot!(load_at(&repository, "--all", "stores"), @"
    there is no commit `--all` in this repository
      help: name a branch, a tag or a commit that `git log` shows; `git fetch` brings new ones
    ");
    assert_snapshot!(load_at(&repository, "HEAD~1", "later"), @"
    there is no later in the commit `HEAD~1` (HASH)
      help: name a later commit, or with `--stores DIR` the folder as that commit has it
    ");
    assert_snapshot!(load_at(&repository, "HEAD", "later"), @"
    there is no later/fleet.yaml in the commit `HEAD` (HASH)
      help: name a later commit, or with `--stores DIR` the folder as that commit has it
    ");
    repository.git(&["update-ref", "refs/remotes/origin/release", "HEAD"]);
    assert_snapshot!(load_at(&repository, "release", "stores"), @"
    there is no commit `release` in this repository
      help: did you mean `origin/release`? The branch is not checked out here
    ");

    let shallow = Repository::shallow(&repository);
    assert_eq!(load_at(&shallow, "main", "stores"), "renton-007\n");
    assert_snapshot!(load_at(&shallow, "HEAD~1", "stores"), @"
    this checkout is shallow and lacks the commit `HEAD~1`
      help: fetch it with `git fetch --unshallow`; in GitHub Actions give `actions/checkout` a `fetch-depth: 0`
    ");
}

/// What git says of it is the one help there is.
#[test]
fn a_commit_whose_objects_are_broken_is_told_in_the_words_of_git() {
    let repository =
        Repository::new(&[("stores/fleet.yaml", FLEET), ("stores/renton-007.yaml", STORE)]);
    let hash = repository.git(&["rev-parse", "main:stores/renton-007.yaml"]);
    let object = repository.path(&format!(".git/objects/{}/{}", &hash[..2], hash[2..].trim()));
    std::fs::remove_file(&object).unwrap();
    let today = "2026-11-22".parse().unwrap();
    let load = || {
        let loaded = load::load_at("main", Path::new(&repository.path("stores")), today);
        let error = loaded.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        format!("{error}: {source}").replace(hash.trim(), "OBJECT")
    };
    assert_snapshot!(load(), @"cannot talk to git: an object is not there: OBJECT missing");
    std::fs::write(&object, "no object").unwrap();
    let text = load();
    assert!(text.starts_with("git cannot read the files of the commit `main`: "), "{text}");
    assert!(text.contains("OBJECT") || text.contains("header"), "{text}");
}

#[test]
fn a_repository_that_git_does_not_read_is_not_said_to_be_none() {
    let repository = Repository::new(&[("stores/fleet.yaml", FLEET)]);
    repository.write(".git/config", "[broken");
    let loaded =
        load::load_at("main", Path::new(&repository.path("stores")), "2026-11-22".parse().unwrap());
    let error = loaded.unwrap_err();
    assert!(error.to_string().starts_with("git does not read the repository of "), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("bad config line"), "{source}");
}

#[test]
fn a_folder_outside_of_any_repository_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = load::load_at("main", folder.path(), "2026-11-22".parse().unwrap());
    let text = loaded.unwrap_err().to_string();
    let root = folder.path().canonicalize().unwrap().display().to_string();
    assert_snapshot!(text.replace(&root, "FOLDER"), @"
    FOLDER is in no git repository
      help: name the folder of a checkout with `--stores DIR`
    ");
}
