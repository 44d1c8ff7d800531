//! What the chapters, README.md and CONTRIBUTING.md say of the outside and of the workbook is so: their
//! links are well formed and lead somewhere, their code comes from programs that are compiled and run,
//! and each `cargo test` that they name runs something.
//!
//! No other host is asked: of a link to elsewhere only the form is checked. What leads to the
//! documentation of Rust is looked up where `rustup component add rust-docs` has put it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use named::pages::{
    Typed, commands_in_comments, commands_of_tables, nothing_is_wrong, pages, workbook,
};
use named::scratch::files_in;
use regex::Regex;
use workbook::workbook::Workbook;

/// The hosts that a page may lead to: documentation that is kept, and who keeps it.
const HOSTS: &[&str] = &[
    "aws.amazon.com",
    "bugs.openjdk.org",
    "bugs.python.org",
    "cloud.google.com",
    "doc.rust-lang.org",
    "docs.aws.amazon.com",
    "docs.docker.com",
    "docs.fluentbit.io",
    "docs.kernel.org",
    "docs.oracle.com",
    "docs.python.org",
    "docs.rs",
    "fedoraproject.org",
    "github.com",
    "kafka.apache.org",
    "kubernetes.io",
    "man7.org",
    "marabos.nl",
    "openssl-library.org",
    "peps.python.org",
    "prometheus.io",
    "pubs.opengroup.org",
    "redis.io",
    "research.google",
    "rust-lang.github.io",
    "vector.dev",
    "wiki.postgresql.org",
    "www.freedesktop.org",
    "www.rfc-editor.org",
    "www.sqlite.org",
];

/// The words that may stand after an opening fence.
const FENCES: &[&str] = &[
    "rust,noplayground",
    "cpp",
    "python",
    "console",
    "text",
    "toml",
    "promise",
    "measured",
    "outcomes",
    "exam",
];

/// Rust and Python code that stands in a page itself, so that nothing compiles or runs it: the page, the
/// block's first line of that kind, and why it cannot be a part of a program. Only ever make this list shorter.
const PASTED: &[(&str, &str, &str)] = &[];

#[test]
fn links_to_elsewhere_are_well_formed() {
    let mut wrong = Vec::new();
    let mut hosts: BTreeSet<&str> = BTreeSet::new();
    let docs = rust_docs();
    for page in pages() {
        for link in page.links() {
            let Some((scheme, rest)) = link.to.split_once("://") else { continue };
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let fault = match HOSTS.iter().find(|known| **known == host) {
                _ if scheme != "https" => Some("write https".to_owned()),
                None => Some(format!(
                    "`{host}` is not among the known hosts; is it where this is documented? Then add \
                     it to HOSTS in tests/named/text.rs"
                )),
                Some(known) => {
                    hosts.insert(known);
                    fault_of(host, path, docs.as_deref())
                }
            };
            wrong.extend(fault.map(|fault| format!("{}: {}: {fault}", link.place, link.to)));
        }
    }
    let unused = HOSTS.iter().filter(|host| !hosts.contains(*host));
    wrong.extend(unused.map(|host| {
        format!("tests/named/text.rs: no link leads to `{host}` any more; take it out of HOSTS")
    }));
    nothing_is_wrong(&wrong);
}

/// What is wrong with the path of a link to a known host.
fn fault_of(host: &str, path: &str, docs: Option<&Path>) -> Option<String> {
    if path.contains(['?', ' ', '"']) || path.contains("//") {
        return Some("write the address of the page alone, without what tracks or queries".into());
    }
    let is =
        |pattern: &str| Regex::new(&format!("^(?:{pattern})$")).expect("a pattern").is_match(path);
    match host {
        "doc.rust-lang.org" => {
            let item =
                "(?:struct|enum|trait|fn|macro|type|constant|keyword|primitive|union|derive|attr)";
            if path.starts_with("std/")
                && !is(&format!(r"std/(?:[a-z0-9_]+/)*(?:index|{item}\.\w+)\.html(?:#[\w.-]+)?"))
            {
                return Some(
                    "rustdoc has no such page; it is `std/<module>/<kind>.<name>.html`".into(),
                );
            }
            docs.and_then(|docs| missing(docs, path))
        }
        "docs.rs" => fault_of_docs_rs(path),
        "man7.org" => {
            let found = Regex::new(r"^linux/man-pages/man(\d)/[A-Za-z0-9_.-]+\.(\d)\w*\.html$");
            let sections = found.expect("a pattern").captures(path);
            let agree = sections.is_some_and(|sections| sections[1] == sections[2]);
            (!agree).then(|| "a page is `linux/man-pages/man2/name.2.html`".into())
        }
        "docs.python.org" if !is(r"3/[\w./-]+\.html(?:#[\w.-]+)?") => {
            Some("write `3/…html`, the current Python 3".into())
        }
        "github.com" if is(r"[^/]+/[^/]+/(?:blob|tree)/(?:main|master|HEAD)/.*") => {
            Some("name a release or a commit: lines move on a branch".into())
        }
        _ => None,
    }
}

/// Where this Rust has its documentation, if it is installed.
fn rust_docs() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let docs = Path::new(sysroot.trim()).join("share/doc/rust/html");
    docs.is_dir().then_some(docs)
}

/// What the installed documentation lacks of a page.
fn missing(docs: &Path, path: &str) -> Option<String> {
    let (page, anchor) = path.split_once('#').unwrap_or((path, ""));
    let page = if page.ends_with('/') { format!("{page}index.html") } else { page.to_owned() };
    match fs::read_to_string(docs.join(&page)) {
        Err(_) => Some("the documentation of this Rust has no such page".into()),
        Ok(html) if anchor.is_empty() || html.contains(&format!("id=\"{anchor}\"")) => None,
        Ok(_) => {
            Some(format!("the page has no place `#{anchor}` in the documentation of this Rust"))
        }
    }
}

/// A crate is `docs.rs/<crate>`, a page of it `docs.rs/<crate>/<version>/<crate>/…`: what `latest` leads
/// to changes. What the workbook depends on has the version that the workspace names.
fn fault_of_docs_rs(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let (name, version) = match parts[..] {
        [name] if !name.is_empty() => (name, None),
        [name, version, module, ref rest @ ..]
            if module == name.replace('-', "_")
                && rest.last().is_some_and(|last| last.is_empty() || last.contains(".html"))
                || module == "src" && rest.len() > 1 =>
        {
            (name, Some(version))
        }
        _ => {
            return Some(
                "write `docs.rs/<crate>` for a crate, and for a page of it \
                 `docs.rs/<crate>/<version>/<crate>/…html`, or `…/` for its first page"
                    .into(),
            );
        }
    };
    let version = version?;
    let manifest = fs::read_to_string(Workbook::home().join("Cargo.toml")).expect("the manifest");
    let ours = format!(r#"(?m)^{} = (?:\{{ version = )?"=?([0-9.]+)""#, regex::escape(name));
    match Regex::new(&ours).expect("a pattern").captures(&manifest) {
        Some(found) if &found[1] != version => {
            Some(format!("the workbook depends on {name} {}", &found[1]))
        }
        None if !version.starts_with(|letter: char| letter.is_ascii_digit()) => {
            Some(format!("name a version: what `{version}` leads to changes"))
        }
        _ => None,
    }
}

#[test]
fn links_to_files_of_the_workbook_lead_to_one() {
    let mut wrong = Vec::new();
    for page in pages() {
        wrong.extend(page.loose_labels().iter().map(|(place, what)| format!("{place}: {what}")));
        // Those of the chapters are held in the rendered book: `cargo test -p named --test book`.
        if page.path.starts_with("book") {
            continue;
        }
        for link in page.links().iter().filter(|link| !link.to.contains("://")) {
            if !Workbook::home().join(&link.to).is_file() {
                wrong.push(format!("{}: there is no file `{}`", link.place, link.to));
            }
        }
    }
    nothing_is_wrong(&wrong);
}

#[test]
fn fences_have_a_known_language() {
    let mut wrong = Vec::new();
    for fence in pages().iter().flat_map(|page| page.fences()) {
        if !FENCES.contains(&&*fence.info) {
            let known = FENCES.join("`, `");
            let what = match &*fence.info {
                "" => "a block without a language".to_owned(),
                info => format!("` ```{info}` is not known here"),
            };
            wrong.push(format!("{}: {what}; write one of `{known}`", fence.place));
        }
    }
    nothing_is_wrong(&wrong);
}

/// A row whose words the command does not find is read by nobody who has begun with the command.
#[test]
fn the_command_of_the_checklist_finds_the_words_of_its_rows() {
    let page = Workbook::home().join("book/chapters/review-checklist.md");
    let page = fs::read_to_string(page).expect("the checklist");
    let (_, command) = page.split_once("grep -inE '").expect("the page has its command");
    let (expression, _) = command.split_once('\'').expect("its expression ends");
    let finds = Regex::new(&format!("(?i){expression}")).expect("an expression");
    let mut wrong = Vec::new();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Look"));
    for row in rows {
        let words = row.split(" | ").next().unwrap_or_default().split('`').skip(1).step_by(2);
        for word in words.filter(|word| !finds.is_match(&format!("+    {word} "))) {
            wrong.push(format!("review-checklist.md: its command does not find `{word}`"));
        }
    }
    nothing_is_wrong(&wrong);
}

#[test]
fn rust_and_python_code_comes_from_programs() {
    // All programs of a lesson are compiled, or held in what the compiler says of them; all its twins
    // are run by promises: the self-check does not start otherwise. What is in `trace/` is run by
    // `cargo test -p named --test trace`.
    let programs = [
        ("rust,noplayground", r"(?:(?:[\w-]+/)?src/(?:bin/)?|compile-fail/|tests/)[\w-]+\.rs"),
        ("cpp", r"[\w-]+/[\w-]+\.cpp"),
        ("python", r"(?:trace/)?[\w-]+\.py"),
    ];
    let programs = programs.map(|(language, files)| {
        let include =
            format!(r"^\{{\{{#include \.\./\.\./(lessons/[\w-]+/{files})(?::[\w-]+)?\}}\}}$");
        (language, Regex::new(&include).expect("a pattern"))
    });
    let mut wrong = Vec::new();
    let mut pasted = BTreeSet::new();
    for fence in pages().iter().flat_map(|page| page.fences()) {
        let Some((_, include)) = programs.iter().find(|(language, _)| *language == fence.info)
        else {
            continue;
        };
        let lines: Vec<&str> = fence.body.lines().filter(|line| !line.trim().is_empty()).collect();
        // That the file and its anchor are there is held by the rendered book.
        let Some(first) = lines.iter().find(|line| !include.is_match(line)) else { continue };
        let page = fence.place.path.to_string_lossy().into_owned();
        let first = first.trim().to_owned();
        let is_listed = PASTED.iter().any(|(known, line, _)| *known == page && *line == first);
        if !is_listed {
            wrong.push(format!(
                "{}: `{first}` is code that nothing compiles or runs; include it from a program with \
                 `{{{{#include ../../lessons/…}}}}`, or list it with a reason in PASTED in tests/named/text.rs",
                fence.place
            ));
        }
        pasted.insert((page, first));
    }
    let gone = PASTED
        .iter()
        .filter(|(page, first, _)| !pasted.contains(&((*page).to_owned(), (*first).to_owned())));
    wrong.extend(gone.map(|(page, first, _)| {
        format!(
            "tests/named/text.rs: {page} has no pasted block `{first}` any more; take it out of PASTED"
        )
    }));
    nothing_is_wrong(&wrong);
}

/// The tests themselves are not run here: their names are asked for once.
#[test]
fn every_cargo_test_selects_something() {
    let workbook = workbook();
    let mut lessons = names_of_tests();
    // No test, but a word of its own: it lists the exercises.
    lessons.push("progress".to_owned());
    let patches =
        fs::read_to_string(Workbook::home().join("tests/named/depth.toml")).expect("a file");
    let patches: toml::Table = patches.parse().expect("a list");
    let patches = patches["patch"].as_array().expect("the patches").iter();
    let depth: Vec<_> =
        patches.filter_map(|patch| patch["lesson"].as_str().map(str::to_owned)).collect();
    let repairs = fs::read_dir(workbook.root.join("tests/named/repairs")).expect("the repairs");
    let repairs: Vec<_> = repairs
        .map(|entry| entry.expect("a directory").file_name().to_string_lossy().into_owned())
        .collect();
    let measured: Vec<_> = workbook
        .chapters
        .iter()
        .flat_map(|chapter| {
            chapter.measured().map(|block| format!("{}::{}", chapter.name, block.says.name))
        })
        .collect();
    let targets = |package: &str| -> BTreeSet<String> {
        let manifest = manifest(package);
        let targets = manifest["test"].as_array().expect("the targets").iter();
        targets.filter_map(|target| Some(target["name"].as_str()?.to_owned())).collect()
    };
    // Of the package that plain `cargo test` tests, and of the one that has to be named.
    let (own, named) = (targets("tests"), targets("tests/named"));
    // What a lesson shows of tests has a target of its own there.
    let lessons_with_tests = workbook.chapters.iter().filter(|chapter| {
        let manifest = manifest(&chapter.directory.to_string_lossy());
        manifest.contains_key("test")
    });
    let lesson_targets: BTreeMap<_, _> = lessons_with_tests
        .map(|chapter| (chapter.name.as_str(), targets(&chapter.directory.to_string_lossy())))
        .collect();
    let manifest = manifest("tests");
    let features = manifest["features"].as_table().expect("the features");

    let mut wrong = Vec::new();
    let typed = pages().iter().flat_map(|page| page.commands()).collect::<Vec<_>>();
    let comments = commands_in_comments(&workbook);
    for Typed { place, line } in
        typed.into_iter().chain(comments).chain(commands_of_tables(&workbook))
    {
        let Some((_, arguments)) = line.split_once("cargo test") else { continue };
        let mut words = arguments.split_whitespace();
        let (mut package, mut target, mut filter) = (None, None, None);
        let mut fault = None;
        while let Some(word) = words.next() {
            match word {
                "--test" => {
                    target = words.next();
                    let known = match package {
                        Some("named") => &named,
                        Some(package) if lesson_targets.contains_key(package) => {
                            &lesson_targets[package]
                        }
                        _ => &own,
                    };
                    if !target.is_some_and(|name| known.contains(name)) {
                        let package = package.unwrap_or("self-check");
                        fault = Some(format!("the package `{package}` has no such target"));
                    }
                }
                "--lib" => {}
                "--features"
                    if words.next().is_some_and(|name| {
                        let feature = name.strip_prefix("self-check/");
                        feature.is_some_and(|feature| features.contains_key(feature))
                    }) => {}
                "--features" => fault = Some("tests/Cargo.toml has no such feature".to_owned()),
                "-p" | "--package" => {
                    package = words.next();
                    let known = [
                        "self-check",
                        "named",
                        "workbook",
                        "workshop",
                        "own-program",
                        "lesson-log",
                    ];
                    let is_known =
                        |name: &str| known.contains(&name) || lesson_targets.contains_key(name);
                    if !package.is_some_and(is_known) {
                        fault = Some("no package of this name has tests".to_owned());
                    }
                }
                word if word.starts_with('-') => {
                    fault = Some(format!("tests/named/text.rs does not know what `{word}` does"));
                }
                word => filter = Some(word),
            }
        }
        let names = match target {
            None | Some("self-check") => &lessons,
            Some("measured") => &measured,
            Some("depth") => &depth,
            Some("repairs") => &repairs,
            Some(_) => &Vec::new(),
        };
        if let Some(filter) = filter
            && !names.iter().any(|name| name.contains(filter))
        {
            fault = fault.or_else(|| Some(format!("no test's name has `{filter}` in it")));
        }
        wrong.extend(fault.map(|fault| format!("{place}: `{line}`: {fault}")));
    }
    nothing_is_wrong(&wrong);
}

/// A reader's `cargo test` starts one program. What only runs when it is named has `test = false`, its
/// names come from cargo, and `.ci/run` holds each to its entry in the list.
#[test]
fn plain_cargo_test_is_one_program_and_every_other_is_named() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(Workbook::home())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let default: Vec<_> =
        metadata["workspace_default_members"].as_array().expect("a list").to_vec();
    let (mut wrong, mut plain, mut named) = (Vec::new(), Vec::new(), BTreeSet::new());
    for package in metadata["packages"].as_array().expect("the packages") {
        let name = package["name"].as_str().expect("a name");
        let is_default = default.contains(&package["id"]);
        for target in package["targets"].as_array().expect("the targets") {
            let title = target["name"].as_str().expect("a name");
            let (kind, is_tested) = (target["kind"][0].as_str(), target["test"] == true);
            match kind {
                // With a name as filter cargo runs the tests of a default member's library all the same.
                Some("lib") if is_default => wrong.push(format!("{name} has a library")),
                Some("lib") if is_tested || target["doctest"] == true => {
                    wrong.push(format!("the library of {name} needs `test` and `doctest = false`"));
                }
                Some("test") if name == "named" => {
                    named.insert(title.to_owned());
                    if is_tested {
                        wrong.push(format!("{name}: {title} needs `test = false`"));
                    }
                }
                _ if is_default && is_tested => plain.push(title.to_owned()),
                _ => {}
            }
        }
    }
    nothing_is_wrong(&wrong);
    assert_eq!(plain, ["self-check"]);

    let read = |path: &str| fs::read_to_string(Workbook::home().join(path)).expect(path);
    let list: toml::Table = read("tests/named/targets.toml").parse().expect("a list");
    assert_eq!(list.keys().cloned().collect::<BTreeSet<_>>(), named);
    for (name, target) in &list {
        let least = target["least"].as_integer().unwrap_or_default();
        assert!(least > 0 && target["seconds"].is_integer(), "{name} in tests/named/targets.toml");
    }
    let (run, script) = (read(".ci/run"), read(".ci/named.py"));
    assert!(run.contains("named.py run") && run.contains("--test '*'"), ".ci/run");
    assert!(script.contains("\"metadata\"") && script.contains("least"), ".ci/named.py");
}

/// What a maintainer forgot to make known is only told to readers, who may have put it there.
#[test]
fn nothing_is_left_out_of_the_workbook() {
    let workbook = Workbook::load(&Workbook::home()).expect("a workbook without problems");
    let notices = workbook.notices.iter().map(ToString::to_string);
    nothing_is_wrong(&notices.collect::<Vec<_>>());
}

/// What a module of the engine imports, it does not serve: otherwise neither can be read alone.
#[test]
fn the_modules_of_the_engine_import_one_another_in_one_direction() {
    let source = Workbook::home().join("book/workbook/src");
    let uses = Regex::new(r"\bcrate::(\w+)").expect("a pattern");
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files_in(&source) {
        let below = path.strip_prefix(&source).expect("below the sources").with_extension("");
        let module = below.iter().next().expect("a module").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a source");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found: BTreeSet<_> = code
            .flat_map(|line| uses.captures_iter(line))
            .map(|found| found[1].to_owned())
            .filter(|other| *other != module)
            .collect();
        imports.entry(module).or_default().extend(found);
    }
    assert!(imports["promise"].is_empty(), "promise imports {:?}", imports["promise"]);
    // What imports nothing that is still there is taken out, until nothing is left or a circle.
    while let Some(leaf) = imports.iter().find(|(_, uses)| uses.is_empty()).map(|(name, _)| name) {
        let leaf = leaf.clone();
        imports.remove(&leaf);
        for uses in imports.values_mut() {
            uses.remove(&leaf);
        }
    }
    assert!(imports.is_empty(), "a circle: {imports:?}");
    let manifest = manifest("book/workbook");
    let dependencies = manifest["dependencies"].as_table().expect("the dependencies");
    for heavy in ["mdbook-driver", "mdbook-preprocessor", "axum", "clap", "workshop"] {
        assert!(!dependencies.contains_key(heavy), "the engine depends on {heavy}");
    }
}

/// The manifest in a directory of the workbook.
fn manifest(directory: &str) -> toml::Table {
    let path = Workbook::home().join(directory).join("Cargo.toml");
    fs::read_to_string(path).expect("a file").parse().expect("a manifest")
}

/// The names of the self-check's tests, as it lists them.
fn names_of_tests() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--test", "self-check", "--", "--list"])
        .current_dir(Workbook::home())
        .output()
        .expect("cargo runs");
    let listed = String::from_utf8_lossy(&output.stdout);
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let names: Vec<_> = names.map(str::to_owned).collect();
    assert!(!names.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    names
}
