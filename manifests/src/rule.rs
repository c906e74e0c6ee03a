//! What one rule is.

use std::fmt;

use crate::{
    object::Object,
    scene::Scene,
    workload::{Container, Process, Workload},
};

/// One kind of mistake: its name, what it means, what helps.
pub struct Rule {
    /// Its name, the same in every version.
    pub slug: &'static str,
    /// What is wrong, in one sentence without its end.
    pub meaning: &'static str,
    /// What helps, in the imperative.
    pub remedy: &'static str,
    pub(crate) check: Check,
}

/// Something found: the object to look at, and what was seen there.
pub(crate) type Found<'a> = (&'a Object, String);

/// How a rule looks. Each returns what it saw, if anything is wrong.
pub(crate) enum Check {
    Objects(for<'a> fn(&'a Object, &Scene<'a>) -> Option<String>),
    Workloads(for<'a> fn(Workload<'a>, &Scene<'a>) -> Option<String>),
    /// The message is preceded by the container's name.
    Containers(for<'a> fn(Container<'a>, &Scene<'a>) -> Option<String>),
    /// As `Containers`, for those that run a process of ours.
    Processes(for<'a> fn(Container<'a>, Process, &Scene<'a>) -> Option<String>),
    Whole(for<'a> fn(&Scene<'a>) -> Vec<Found<'a>>),
}

impl Rule {
    pub(crate) const fn new(
        slug: &'static str,
        meaning: &'static str,
        remedy: &'static str,
        check: Check,
    ) -> Self {
        Self {
            slug,
            meaning,
            remedy,
            check,
        }
    }

    /// Returns everything that breaks this rule.
    pub(crate) fn apply<'a>(&self, scene: &Scene<'a>) -> Vec<Found<'a>> {
        match self.check {
            Check::Objects(check) => {
                let objects = scene.objects.iter();
                objects
                    .filter_map(|it| Some((it, check(it, scene)?)))
                    .collect()
            }
            Check::Workloads(check) => {
                let workloads = scene.workloads();
                workloads
                    .filter_map(|it| Some((it.object, check(it, scene)?)))
                    .collect()
            }
            Check::Containers(check) => {
                let containers = scene.workloads().flat_map(Workload::all_containers);
                containers
                    .filter_map(|it| found(it, check(it, scene)))
                    .collect()
            }
            Check::Processes(check) => {
                let processes = scene.processes();
                processes
                    .filter_map(|(it, process)| found(it, check(it, process, scene)))
                    .collect()
            }
            Check::Whole(check) => check(scene),
        }
    }
}

/// Says of which container a message speaks.
pub(crate) fn in_container(container: Container<'_>, message: &str) -> String {
    format!("container {}: {message}", container.name())
}

fn found<'a>(container: Container<'a>, message: Option<String>) -> Option<Found<'a>> {
    Some((
        container.workload.object,
        in_container(container, &message?),
    ))
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.slug).finish()
    }
}
