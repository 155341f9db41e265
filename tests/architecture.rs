//! Each crate's `lib.rs` is its map: a module uses only modules that stand above it.

use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Item, UseTree};

use arm_tests::root;

/// The names of a crate's modules, in the order of its `lib.rs`.
fn modules(source: &Path) -> Vec<String> {
    let file = syn::parse_file(&fs::read_to_string(source.join("lib.rs")).unwrap()).unwrap();
    let names = file.items.iter().filter_map(|item| match item {
        Item::Mod(it) => Some(it.ident.to_string()),
        _ => None,
    });
    names.collect()
}

/// The first name after `crate` of every path and import in a file.
#[derive(Default)]
struct Used(Vec<String>);

impl<'a> Visit<'a> for Used {
    fn visit_path(&mut self, path: &'a syn::Path) {
        let mut segments = path.segments.iter().map(|it| it.ident.to_string());
        if segments.next().as_deref() == Some("crate") {
            self.0.extend(segments.next());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_use_tree(&mut self, tree: &'a UseTree) {
        if let UseTree::Path(path) = tree
            && path.ident == "crate"
        {
            self.0.extend(heads(&path.tree));
        }
    }
}

fn heads(tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(it) => vec![it.ident.to_string()],
        UseTree::Name(it) => vec![it.ident.to_string()],
        UseTree::Rename(it) => vec![it.ident.to_string()],
        UseTree::Group(it) => it.items.iter().flat_map(heads).collect(),
        UseTree::Glob(_) => vec![],
    }
}

/// A module's files: `x.rs`, and everything in `x/`.
fn files(source: &Path, module: &str) -> Vec<PathBuf> {
    let mut found = vec![source.join(format!("{module}.rs"))];
    let mut waiting = vec![source.join(module)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// Every use of a module that stands below its user.
fn upward_uses(source: &Path) -> Vec<String> {
    let modules = modules(source);
    assert!(modules.len() > 3, "{} lists its modules", source.display());
    let mut wrong = Vec::new();
    for (place, module) in modules.iter().enumerate() {
        for file in files(source, module) {
            let mut used = Used::default();
            used.visit_file(&syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap());
            let below = |name: &String| {
                modules.iter().position(|it| it == name).is_some_and(|it| it > place)
            };
            let file = file.strip_prefix(root()).unwrap().display().to_string();
            wrong
                .extend(used.0.into_iter().filter(below).map(|name| format!("{file} uses {name}")));
        }
    }
    wrong.dedup();
    wrong
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let crates = [
        "generator/src",
        "generator/local-aws/src",
        "runtime/src",
        "runtime/casework/src",
        "runtime/contract/src",
    ];
    let wrong: Vec<_> = crates.iter().flat_map(|it| upward_uses(&root().join(it))).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn sdk_types_stay_under_aws() {
    let mut outside = Vec::new();
    for source in ["generator/src", "runtime/src", "runtime/casework/src"].map(|it| root().join(it))
    {
        for module in modules(&source).iter().filter(|it| *it != "aws") {
            for file in files(&source, module) {
                let text = fs::read_to_string(&file).unwrap();
                if text.contains("aws_sdk_") {
                    outside.push(file.strip_prefix(root()).unwrap().display().to_string());
                }
            }
        }
    }
    assert_eq!(outside, Vec::<String>::new());
}
