//! Findings as a list for people.

use crate::{
    cli::error::one_line,
    doctor::{Finding, Status},
};

/// Returns a line for each finding, and one below it for what helps.
pub(super) fn of(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max();
    let width = width.unwrap_or_default();
    let lines = findings.iter().map(|finding| line(finding, width));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(finding: &Finding, width: usize) -> String {
    let word = match finding.status {
        Status::Pass => "pass",
        Status::Skipped => "skipped",
        Status::Warn => "warn",
        Status::Fail => "FAIL",
    };
    // Part of it is in the words of servers.
    let (check, detail) = (finding.check, one_line(&finding.detail));
    let line = format!("{word:7}  {check:width$}  {detail}");
    match &finding.remedy {
        Some(remedy) => format!("{line}\n{:9}{:width$}  -> {}", "", "", one_line(remedy)),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::doctor::{Finding, Status};

    #[test]
    fn each_finding_is_a_line_and_each_remedy_one_below_it() {
        let finding = |check, status, detail: &str, remedy: Option<&str>| Finding {
            check,
            status,
            detail: detail.to_owned(),
            remedy: remedy.map(str::to_owned),
            code: 0,
        };

        let text = of(&[
            finding("settings", Status::Pass, "can be used", None),
            finding(
                "vault-list",
                Status::Fail,
                "no\r\nrole\u{1b}[2J",
                Some("assign it"),
            ),
        ]);

        assert_eq!(
            text,
            "pass     settings    can be used\n\
             FAIL     vault-list  no role [2J\n                     -> assign it"
        );
    }
}
