//! Applies all rules.

use serde::Serialize;

use crate::{
    accepted::{Accepted, UNUSED},
    infrastructure::Infrastructure,
    object::Object,
    rules::rules,
    scene::Scene,
    version::KubernetesVersion,
};

/// Says what is wrong with a command line, the program's name first.
pub type ArgumentsCheck = fn(&[&str]) -> Result<(), String>;

/// What to check against.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The cluster, identities and vault that the manifests are for.
    pub infrastructure: Option<Infrastructure>,
    /// Version of the cluster; without it that of the infrastructure, or else that of a new one.
    pub kubernetes_version: Option<KubernetesVersion>,
    /// Findings that are no mistakes here.
    pub accepted: Vec<Accepted>,
    /// Says what is wrong with arguments of `sealane`, the program's name first.
    pub arguments: Option<ArgumentsCheck>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the rule, the same in every version.
    pub slug: &'static str,
    /// `KIND/NAME` of the object to look at.
    pub object: String,
    /// Its namespace, if it says any.
    pub namespace: Option<String>,
    /// Name of the text it was read from; empty if no object is to blame.
    pub file: String,
    /// Where its document starts in there, counted from 1.
    pub line: usize,
    /// What was seen. Holds no secret.
    pub message: String,
    /// What helps.
    pub remedy: &'static str,
}

/// Returns everything that is wrong with `objects`, in their order, without what is accepted.
pub fn check(objects: &[Object], options: &Options) -> Vec<Finding> {
    let scene = Scene { objects, options };
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    for rule in rules() {
        for (object, message) in rule.apply(&scene) {
            let place = objects.iter().position(|it| std::ptr::eq(it, object));
            findings.push((
                place.unwrap_or_default(),
                Finding::new(rule.slug, rule.remedy, object, message),
            ));
        }
    }
    // Stable, so that the rules keep their order within an object.
    findings.sort_by_key(|(place, _)| *place);
    without_accepted(
        findings.into_iter().map(|(_, finding)| finding).collect(),
        &options.accepted,
    )
}

impl Finding {
    fn new(slug: &'static str, remedy: &'static str, object: &Object, message: String) -> Self {
        Self {
            slug,
            object: object.to_string(),
            namespace: object.namespace().map(ToOwned::to_owned),
            file: object.file().to_owned(),
            line: object.line(),
            message,
            remedy,
        }
    }
}

/// A waiver that waives nothing would hide a mistake that is still to come.
fn without_accepted(findings: Vec<Finding>, accepted: &[Accepted]) -> Vec<Finding> {
    let unused: Vec<_> = accepted
        .iter()
        .filter(|it| !findings.iter().any(|finding| it.covers(finding)))
        .collect();
    let mut left = findings;
    left.retain(|finding| !accepted.iter().any(|it| it.covers(finding)));
    left.extend(unused.into_iter().map(|it| Finding {
        slug: UNUSED.slug,
        object: it.to_string(),
        namespace: None,
        file: String::new(),
        line: 0,
        message: format!("--accept {it} waives nothing"),
        remedy: UNUSED.remedy,
    }));
    left
}
