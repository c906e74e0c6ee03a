//! The document as a list of things to do.

const DOCUMENT: &str = include_str!("../../../../docs/key-rotation.md");

/// Begins and ends what only the test sees.
const EVENT: (&str, &str) = ("<!-- test: ", " -->");

/// One thing to do, or that happens.
pub(super) enum Step {
    /// Something is typed.
    Command(Command),
    /// Something happens meanwhile.
    Event(&'static str),
}

/// A command line and what it prints.
pub(super) struct Command {
    pub(super) line: &'static str,
    pub(super) prints: Vec<&'static str>,
}

/// Returns the sections in which something is typed.
pub(super) fn executable() -> Vec<&'static str> {
    let sections = sections().into_iter();
    let typed = sections.filter(|(_, body)| body.contains("```console"));
    typed.map(|(title, _)| title).collect()
}

/// Returns what is to be done in the section called `title`.
///
/// # Panics
///
/// If there is none.
pub(super) fn steps(title: &str) -> Vec<Step> {
    let mut sections = sections().into_iter();
    let section = sections.find(|(found, _)| *found == title);
    let (_, body) = section.unwrap_or_else(|| panic!("no section {title:?}"));
    let (mut steps, mut typing) = (Vec::new(), false);
    for line in body.lines() {
        match line {
            "```console" => typing = true,
            "```" => typing = false,
            _ if typing => console(&mut steps, line),
            _ => steps.extend(event(line).map(Step::Event)),
        }
    }
    steps
}

/// Titles and bodies.
fn sections() -> Vec<(&'static str, &'static str)> {
    let sections = DOCUMENT.split("\n## ").skip(1);
    sections.filter_map(|it| it.split_once('\n')).collect()
}

fn console(steps: &mut Vec<Step>, line: &'static str) {
    match (line.strip_prefix("$ "), steps.last_mut()) {
        (Some(line), _) => steps.push(Step::Command(Command {
            line,
            prints: Vec::new(),
        })),
        (None, Some(Step::Command(command))) => command.prints.push(line),
        (None, _) => panic!("printed by nothing: {line}"),
    }
}

fn event(line: &'static str) -> Option<&'static str> {
    line.strip_prefix(EVENT.0)?.strip_suffix(EVENT.1)
}
