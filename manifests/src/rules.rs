//! All rules, by subject.

use crate::{accepted, rule::Rule};

mod autoscaling;
mod disruption;
mod exposure;
mod host;
mod identity;
mod images;
mod infrastructure;
mod keda;
mod monitoring;
mod network;
mod objects;
mod pod_security;
mod probes;
mod processes;
mod references;
mod resources;
mod secrets;
mod services;
mod settings;
mod tenancy;
mod text;
mod versioned;

/// The rules of each subject, in the order in which they are listed.
static SUBJECTS: &[&[Rule]] = &[
    text::RULES,
    objects::RULES,
    references::RULES,
    pod_security::RULES,
    host::RULES,
    images::RULES,
    resources::RULES,
    probes::RULES,
    disruption::RULES,
    processes::RULES,
    settings::RULES,
    secrets::RULES,
    identity::RULES,
    tenancy::RULES,
    services::RULES,
    network::RULES,
    exposure::RULES,
    autoscaling::RULES,
    keda::RULES,
    versioned::RULES,
    monitoring::RULES,
    infrastructure::RULES,
];

/// Returns every rule there is.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let subjects = SUBJECTS.iter().flat_map(|it| it.iter());
    subjects.chain(std::iter::once(&accepted::UNUSED))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::rules;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_says_what_helps() {
        let mut seen = BTreeSet::new();
        for rule in rules() {
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(rule.slug.chars().all(is_kebab), "{}", rule.slug);
            assert!(seen.insert(rule.slug), "{} is there twice", rule.slug);
            for text in [rule.meaning, rule.remedy] {
                assert!(
                    text.len() > 10 && !text.ends_with('.'),
                    "{}: {text}",
                    rule.slug
                );
                assert!(
                    !text.contains(['|', '\n']),
                    "{}: a row of a table is one line",
                    rule.slug
                );
            }
        }
    }
}
