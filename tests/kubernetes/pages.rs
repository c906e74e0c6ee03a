//! docs/aks.md knows every name that a script or a check may print, and names nothing that is not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{commands, programs::root, renderings, yaml_blocks};

const PAGES: [&str; 5] = ["aks", "hosting", "kubernetes", "infrastructure", "costs"];
const SCRIPTS: [&str; 4] = ["deploy", "destroy", "reap", "validate"];

/// What ends a script, each taking the name as its first argument, or as the one given.
const ENDINGS: [(&str, usize); 9] = [
    ("fail", 0),
    ("usage_error", 0),
    ("lacking", 0),
    ("refuse", 0),
    ("stuck", 0),
    ("terraform_failed", 0),
    ("ensure_applied", 0),
    ("give_up", 1),
    ("live_says", 2),
];

#[test]
fn every_finding_of_the_check_has_one_row() -> anyhow::Result<()> {
    let page = page("aks")?;
    let (_, section) = page
        .split_once("### `sealane manifests check`")
        .context("the section")?;
    let (section, _) = section.split_once("\n### ").context("the section ends")?;
    let rows = rows(section);
    let mut missing = Vec::new();
    for rule in sealane_manifests::rules() {
        let expected = format!("| `{}` | {} | {} |", rule.slug, rule.meaning, rule.remedy);
        if rows.get(rule.slug).map(Vec::as_slice) != Some(&[expected.as_str()]) {
            missing.push(expected);
        }
    }
    assert!(
        missing.is_empty(),
        "docs/aks.md lacks, or says twice or otherwise:\n{}",
        missing.join("\n")
    );
    let known: BTreeSet<_> = sealane_manifests::rules().map(|it| it.slug).collect();
    let unknown: Vec<_> = rows.keys().filter(|it| !known.contains(*it)).collect();
    assert!(unknown.is_empty(), "nothing is called {unknown:?}");
    Ok(())
}

#[test]
fn every_failure_of_the_scripts_has_one_row() -> anyhow::Result<()> {
    let page = page("aks")?;
    let (_, section) = page.split_once("### The scripts").context("the section")?;
    let (section, _) = section.split_once("\n### ").context("the section ends")?;
    let rows = rows(section);
    let slugs = slugs()?;
    assert!(slugs.len() > 100, "{} names are too few", slugs.len());

    let missing: Vec<_> = slugs
        .iter()
        .filter(|it| !rows.contains_key(it.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/aks.md lacks {missing:?}");
    let twice: Vec<_> = rows.iter().filter(|(_, rows)| rows.len() > 1).collect();
    assert!(twice.is_empty(), "more than one row: {twice:?}");
    let unknown: Vec<_> = rows.keys().filter(|it| !slugs.contains(**it)).collect();
    assert!(unknown.is_empty(), "no script says {unknown:?}");
    Ok(())
}

#[test]
fn the_least_versions_are_those_that_the_scripts_ask_for() -> anyhow::Result<()> {
    let source = fs::read_to_string(scripts().join("lib/prerequisites.sh"))?;
    let (_, list) = source.split_once("LEAST_VERSION=(").context("the list")?;
    let (list, _) = list.split_once(')').context("the list ends")?;
    let page = page("aks")?;
    let (_, table) = page.split_once("## What you need").context("the section")?;
    let rows = rows(table.split_once("\n## ").context("the section ends")?.0);
    assert!(
        source.contains("BASH_VERSINFO[1] < 404"),
        "bash has another least version"
    );
    let mut programs = 1;
    for entry in list.split_whitespace() {
        let (program, version) = entry.split_once('=').context("PROGRAM=VERSION")?;
        let program = program.trim_matches(['[', ']']);
        let row = rows
            .get(program)
            .with_context(|| format!("no row for {program}"))?;
        assert!(
            row[0].contains(&format!("| {version} |")),
            "{program} needs {version}: {row:?}"
        );
        programs += 1;
    }
    assert_eq!(
        programs,
        rows.len(),
        "a program is listed that no script asks for"
    );
    Ok(())
}

#[test]
fn the_checklist_is_the_one_that_is_executed() -> anyhow::Result<()> {
    let source = fs::read_to_string(scripts().join("lib/checklist.sh"))?;
    let (_, list) = source.split_once("CHECKLIST=(\n").context("the list")?;
    let (list, _) = list.split_once("\n)").context("the list ends")?;
    let unquoted = |line: &str| line.trim().trim_matches('\'').replace("'\\''", "'");
    let executed: Vec<_> = list.lines().map(unquoted).collect();
    let page = page("aks")?;
    let written: Vec<_> = page
        .lines()
        .filter_map(|it| it.strip_prefix("- [ ] "))
        .collect();
    assert_eq!(written, executed);
    assert_eq!(written.len(), 20);
    Ok(())
}

#[test]
fn every_command_in_the_pages_can_be_typed() -> anyhow::Result<()> {
    let mut checked = 0;
    for name in PAGES {
        let page = page(name)?;
        for command in commands::of(&page) {
            checked += usize::from(
                commands::check(&command)
                    .with_context(|| format!("docs/{name}.md: `{command}`"))?,
            );
        }
    }
    assert!(checked > 30, "{checked} commands are too few");
    Ok(())
}

/// Components, overlays and paths by their names.
#[test]
fn every_path_in_the_pages_is_there() -> anyhow::Result<()> {
    let mut checked = 0;
    for name in PAGES {
        let page = page(name)?;
        for path in paths(&page) {
            assert!(root().join(&path).exists(), "docs/{name}.md: {path}");
            checked += 1;
        }
        for (target, anchor) in links(&page) {
            let file = root().join("docs").join(&target);
            let text = match target.is_empty() {
                true => page.clone(),
                false => fs::read_to_string(&file)
                    .with_context(|| format!("docs/{name}.md: {target}"))?,
            };
            assert!(
                anchor.is_empty() || anchors(&text).contains(&anchor),
                "docs/{name}.md: {target}#{anchor}"
            );
        }
    }
    assert!(checked > 20, "{checked} paths are too few");
    Ok(())
}

#[test]
fn every_component_is_in_the_page_about_them() -> anyhow::Result<()> {
    let page = page("kubernetes")?;
    for component in &crate::combinations::COMPONENTS {
        let row = format!(
            "
| `{}` |",
            component.name
        );
        assert!(page.contains(&row), "docs/kubernetes.md: {component:?}");
    }
    Ok(())
}

/// What people copy from a page has to be what a cluster takes.
#[test]
fn every_object_in_the_pages_is_valid() -> anyhow::Result<()> {
    let mut objects = Vec::new();
    for name in PAGES {
        for block in yaml_blocks::of(&page(name)?) {
            let parsed =
                renderings::objects(&block).with_context(|| format!("docs/{name}.md: {block}"))?;
            objects.extend(parsed.into_iter().map(|it| (name, it)));
        }
    }
    let ours = [
        "kustomize.config.k8s.io",
        "kustomize.toolkit.fluxcd.io",
        "source.toolkit.fluxcd.io",
        "argoproj.io",
    ];
    let judged: Vec<_> = objects
        .iter()
        .filter(|(_, it)| !it.kind().is_empty() && !ours.iter().any(|group| it.api_version().starts_with(group)))
        .map(|(page, it)| serde_json::json!({"at": format!("docs/{page}.md: {it}"), "object": it.value()}))
        .collect();
    assert!(!judged.is_empty());
    let wrong =
        crate::programs::validate(&serde_json::json!({"versions": ["1.36"], "objects": judged}))?;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn page(name: &str) -> anyhow::Result<String> {
    Ok(fs::read_to_string(root().join(format!("docs/{name}.md")))?)
}

fn scripts() -> PathBuf {
    root().join("infra/scripts")
}

/// Rows of tables whose first cell is one word of code, by that word.
fn rows(section: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in section.lines() {
        let cell = line.strip_prefix("| ").and_then(|it| it.split(" |").next());
        let word = cell
            .map(|it| it.trim_matches('`'))
            .filter(|it| !it.contains([' ', '-']) || it.chars().all(is_slug));
        if let Some(word) = word.filter(|it| !["name", "program", "---"].contains(it)) {
            rows.entry(word).or_default().push(line);
        }
    }
    rows
}

fn is_slug(it: char) -> bool {
    it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-'
}

/// Every name that a script may print in brackets.
fn slugs() -> anyhow::Result<BTreeSet<String>> {
    let mut files: Vec<PathBuf> = SCRIPTS.iter().map(|it| scripts().join(it)).collect();
    for entry in fs::read_dir(scripts().join("lib"))? {
        files.push(entry?.path());
    }
    let mut found = BTreeSet::new();
    for file in files {
        collect(&file, &mut found)?;
    }
    Ok(found)
}

fn collect(file: &Path, found: &mut BTreeSet<String>) -> anyhow::Result<()> {
    let source = fs::read_to_string(file)?.replace("\\\n", " ");
    let code = source
        .lines()
        .filter(|it| !it.trim_start().starts_with('#'));
    for line in code {
        for (ending, before) in ENDINGS {
            for (at, _) in line.match_indices(ending) {
                let is_word = !line[..at]
                    .ends_with(|it: char| it.is_alphanumeric() || it == '_' || it == '-');
                let mut rest = line[at + ending.len()..].split_whitespace().skip(before);
                let is_call = line[at + ending.len()..].starts_with(' ');
                let slug = rest
                    .next()
                    .filter(|it| it.chars().all(is_slug) && !it.starts_with('-'));
                if let Some(slug) = slug.filter(|_| is_word && is_call) {
                    found.insert(slug.to_owned());
                }
            }
        }
    }
    Ok(())
}

/// Paths of the repository in code of a page.
fn paths(page: &str) -> BTreeSet<String> {
    let words = page.split([' ', '`', '\n', '|', '(', ')', ',', ';']);
    let ours = words.filter(|it| {
        [
            "infra/",
            "k8s/",
            "docs/",
            "manifests/",
            "tests/",
            ".github/",
        ]
        .iter()
        .any(|start| it.starts_with(start))
    });
    let paths = ours.map(|it| it.trim_end_matches(['.', ':', '/', '…']));
    // Names to fill in, and names of names.
    let invented = |it: &&str| {
        ["NAME", "trial", "*", "…", "{", "$", "migration-to"]
            .iter()
            .any(|mark| it.contains(mark))
    };
    paths
        .filter(|it| !invented(it))
        .map(str::to_owned)
        .collect()
}

/// Targets of links to files beside the page, each with its anchor.
fn links(page: &str) -> Vec<(String, String)> {
    let targets = page
        .split("](")
        .skip(1)
        .filter_map(|it| it.split(')').next());
    let ours = targets.filter(|it| !it.contains("://"));
    ours.map(|it| {
        let (file, anchor) = it.split_once('#').unwrap_or((it, ""));
        (file.to_owned(), anchor.to_owned())
    })
    .collect()
}

/// Anchors of headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|it| it.starts_with('#'));
    let slug = |it: &str| -> String {
        let text = it.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
        kept.map(|it| if it == ' ' { '-' } else { it }).collect()
    };
    headings.map(slug).collect()
}
