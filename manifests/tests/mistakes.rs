//! One broken fixture for each finding: `mistakes/SLUG.yaml` says what somebody changed in `good.yaml`, and that is what is
//! found, by that name and nothing else.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use sealane_manifests::{Finding, Infrastructure, Options, check, parse, rules};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What somebody did to the good manifests.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Mistake {
    /// What is found, for those that are not files of that name; empty if nothing is.
    slug: String,
    /// By object (`KIND/NAME`), values by path. Null takes a value away; a `-` at the end adds to a list.
    change: Map<String, Value>,
    /// Objects that are gone.
    remove: Vec<String>,
    /// Objects that are new.
    add: Vec<Value>,
    /// Outputs of Terraform, by name.
    infrastructure: Option<Map<String, Value>>,
    kubernetes_version: Option<String>,
    accept: Vec<String>,
    /// Findings that belong to it, beside the one it is named for.
    also: BTreeSet<String>,
    /// What the message has to say, so that somebody can act on it.
    says: String,
}

fn tests() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"))
}

static GOOD: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let text = fs::read_to_string(tests().join("good.yaml")).expect("it is there");
    let objects = parse("good.yaml", &text).expect("it is YAML");
    objects.iter().map(|it| it.value().clone()).collect()
});

fn mistake(slug: &str) -> Mistake {
    let path = tests().join("mistakes").join(format!("{slug}.yaml"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{slug}: {error}"))
}

impl Mistake {
    fn objects(&self) -> Vec<Value> {
        let mut objects = GOOD.clone();
        for (name, changes) in &self.change {
            let object = objects.iter_mut().find(|it| called(it) == *name);
            let object = object.unwrap_or_else(|| panic!("good.yaml has no {name}"));
            for (path, value) in changes.as_object().expect("paths and values") {
                set(object, path, value);
            }
        }
        let there = objects.len();
        objects.retain(|it| !self.remove.contains(&called(it)));
        assert_eq!(
            there - objects.len(),
            self.remove.len(),
            "{:?} are not all in good.yaml",
            self.remove
        );
        objects.extend(self.add.iter().cloned());
        objects
    }

    fn findings(&self) -> Vec<Finding> {
        let documents: Vec<String> = self.objects().iter().map(ToString::to_string).collect();
        let objects = parse("broken.yaml", &documents.join("\n---\n")).expect("they are objects");
        check(&objects, &self.options())
    }

    /// Says what is found otherwise than it should be.
    fn disagreement(&self) -> Option<String> {
        let findings = self.findings();
        let found: BTreeSet<&str> = findings.iter().map(|it| it.slug).collect();
        let mut expected: BTreeSet<&str> = self.also.iter().map(String::as_str).collect();
        expected.extend(Some(self.slug.as_str()).filter(|it| !it.is_empty()));
        let said = |it: &Finding| it.slug == self.slug && it.message.contains(&self.says);
        let is_said = self.slug.is_empty() || !self.says.is_empty() && findings.iter().any(said);
        let is_secret = format!("{findings:?}").contains("hunter2");
        (found != expected || !is_said || is_secret)
            .then(|| format!("{findings:#?}, expected {expected:?} and {:?}", self.says))
    }

    fn options(&self) -> Options {
        Options {
            infrastructure: self.infrastructure.as_ref().map(infrastructure),
            kubernetes_version: self
                .kubernetes_version
                .as_ref()
                .map(|it| it.parse().expect("a version")),
            accepted: self
                .accept
                .iter()
                .map(|it| it.parse().expect("a slug"))
                .collect(),
            arguments: Some(|words| match words {
                [_, "serve"] | [_, "trigger", ..] => Ok(()),
                words => Err(format!("unexpected argument {:?}", words[1..].join(" "))),
            }),
        }
    }
}

fn called(object: &Value) -> String {
    format!(
        "{}/{}",
        object["kind"].as_str().expect("a kind"),
        object["metadata"]["name"].as_str().expect("a name")
    )
}

/// What Terraform made for the good manifests, with `changed` over it.
fn infrastructure(changed: &Map<String, Value>) -> Infrastructure {
    let path = tests().join("outputs.json");
    let mut outputs: Map<String, Value> =
        serde_json::from_str(&fs::read_to_string(path).expect("it is there")).expect("it is JSON");
    for (name, value) in changed {
        outputs.insert(name.clone(), serde_json::json!({ "value": value }));
    }
    Infrastructure::parse(&Value::Object(outputs).to_string()).expect("they are outputs")
}

/// Sets what is at `path`, making the maps that lead there.
fn set(value: &mut Value, path: &str, new: &Value) {
    let (parent, last) = path.rsplit_once('/').expect("a path");
    let mut at = value;
    for step in parent.split('/').skip(1).map(unescaped) {
        at = match at {
            Value::Array(items) => &mut items[index(&step)],
            other => {
                if other.is_null() {
                    *other = Value::Object(Map::new());
                }
                other
                    .as_object_mut()
                    .expect("a map")
                    .entry(step)
                    .or_insert(Value::Null)
            }
        };
    }
    let last = unescaped(last);
    match at {
        Value::Array(items) if last == "-" => items.push(new.clone()),
        Value::Array(items) if new.is_null() => drop(items.remove(index(&last))),
        Value::Array(items) => items[index(&last)] = new.clone(),
        Value::Null => *at = serde_json::json!({ last: new }),
        other if new.is_null() => {
            let gone = other.as_object_mut().and_then(|it| it.remove(&last));
            assert!(gone.is_some(), "there is no {path} to take away");
        }
        other => other[last] = new.clone(),
    }
}

fn index(step: &str) -> usize {
    step.parse().expect("the place in a list")
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/")
}

#[test]
fn nothing_is_wrong_with_the_good_manifests() {
    let plain = Mistake::default();
    let with_infrastructure = Mistake {
        infrastructure: Some(Map::new()),
        ..Mistake::default()
    };

    assert_eq!(plain.findings(), []);
    assert_eq!(with_infrastructure.findings(), []);
}

#[test]
fn every_mistake_is_found_by_its_name_and_as_nothing_else() {
    let mut wrong = Vec::new();
    for rule in rules() {
        let mistake = mistake(rule.slug);
        let findings = mistake.findings();

        let found: BTreeSet<String> = findings.iter().map(|it| it.slug.to_owned()).collect();
        let expected: BTreeSet<String> = mistake
            .also
            .iter()
            .cloned()
            .chain([rule.slug.to_owned()])
            .collect();
        if found != expected {
            wrong.push(format!(
                "{}: found {findings:#?}, expected {expected:?}",
                rule.slug
            ));
            continue;
        }
        let said = |it: &Finding| it.slug == rule.slug && it.message.contains(&mistake.says);
        if mistake.says.is_empty() || !findings.iter().any(said) {
            wrong.push(format!(
                "{}: nothing says {:?} in {findings:#?}",
                rule.slug, mistake.says
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same mistakes in other forms, and what only looks like one.
#[test]
fn a_mistake_is_found_in_every_form() {
    let text = fs::read_to_string(tests().join("variants.yaml")).expect("it is there");
    let variants: Vec<Mistake> = serde_saphyr::from_str(&text).expect("they are mistakes");
    assert!(variants.len() > 35, "{}", variants.len());
    let wrong: Vec<String> = variants
        .iter()
        .enumerate()
        .filter_map(|(index, it)| Some(format!("variant {index}: {}", it.disagreement()?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fixture_is_that_of_a_rule() {
    let slugs: BTreeSet<String> = rules().map(|it| it.slug.to_owned()).collect();
    let files = fs::read_dir(tests().join("mistakes")).unwrap();
    let files = files.map(|it| {
        it.unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    });

    assert_eq!(files.collect::<BTreeSet<_>>(), slugs);
}

#[test]
fn what_is_accepted_is_not_found_and_nothing_else_is_hidden() {
    let broken = || mistake("image-latest");
    let findings = |accept: &str| {
        let accept = vec![accept.to_owned()];
        let findings = Mistake { accept, ..broken() }.findings();
        findings.iter().map(|it| it.slug).collect::<Vec<_>>()
    };

    assert_eq!(findings("image-latest"), ["image-not-pinned"]);
    assert_eq!(
        findings("image-latest=Deployment/sealane-worker"),
        ["image-not-pinned"]
    );
    let elsewhere = findings("image-latest=Deployment/sealane-api");
    assert_eq!(
        elsewhere,
        ["image-latest", "image-not-pinned", "accept-unused"]
    );
}

#[test]
fn what_cannot_be_accepted_is_refused_with_what_is_expected() {
    let refusal = |text: &str| {
        text.parse::<sealane_manifests::Accepted>()
            .unwrap_err()
            .to_string()
    };

    assert!(refusal("image-lastest").starts_with("\"image-lastest\" is no finding"));
    assert!(refusal("image-latest=sealane-worker").starts_with("\"sealane-worker\" is no object"));
}

#[test]
fn no_finding_shows_a_secret() {
    for slug in ["secret-in-config", "secret-rendered", "client-secret"] {
        let findings = mistake(slug).findings();
        let text = format!("{findings:?}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
