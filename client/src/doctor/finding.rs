//! What a check came to.

use sealane_service::exit;
use serde::Serialize;

/// What a check came to, in one word. Later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// As it should be.
    Pass,
    /// Not checked, because nothing uses it or because an earlier check failed.
    Skipped,
    /// A worker can start like this, and somebody should look at it.
    Warn,
    /// A worker cannot start or cannot work like this.
    Fail,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check, the same in every version.
    pub check: &'static str,
    /// What it came to.
    pub status: Status,
    /// What was seen.
    pub detail: String,
    /// What helps, if anything has to be done.
    pub remedy: Option<String>,
    /// Exit code that tells the kind of remedy; 0 unless it failed.
    #[serde(skip)]
    pub code: u8,
}

impl Finding {
    pub(super) fn pass(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            status: Status::Pass,
            detail: detail.into(),
            remedy: None,
            code: exit::OK,
        }
    }

    pub(super) fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self {
            status: Status::Skipped,
            ..Self::pass(check, why)
        }
    }

    /// Skips what cannot be checked unless `needed` is as it should be.
    pub(super) fn needs(check: &'static str, needed: &str) -> Self {
        Self::skipped(check, format!("cannot be checked before {needed} passes"))
    }

    pub(super) fn warn(
        check: &'static str,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Warn,
            remedy: Some(remedy.into()).filter(|remedy| !remedy.is_empty()),
            ..Self::pass(check, detail)
        }
    }

    /// `code` is one of [`exit`], by what has to be done.
    pub(super) fn fail(
        check: &'static str,
        code: u8,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Fail,
            code,
            ..Self::warn(check, detail, remedy)
        }
    }

    /// Whether what depends on it can be checked.
    pub(super) fn allows(&self) -> bool {
        matches!(self.status, Status::Pass | Status::Warn)
    }

    /// Puts `remedy` before what helps otherwise, if anything is amiss.
    pub(super) fn begin_with(&mut self, remedy: &str) {
        if let Some(others) = &mut self.remedy {
            *others = format!("{remedy}; otherwise {others}");
        }
    }

    /// Blanks what somebody else may have quoted.
    pub(super) fn hide(&mut self, secrets: &[String]) {
        for secret in secrets {
            self.detail = self.detail.replace(secret, "<redacted>");
        }
    }
}

/// Returns the exit code of the worst finding: settings before refusals before what cannot be
/// reached, and 0 if nothing failed.
pub fn exit_code(findings: &[Finding]) -> u8 {
    // sysexits.h happens to number them in this order.
    const { assert!(exit::SETTINGS > exit::REFUSED && exit::REFUSED > exit::UNAVAILABLE) };
    let codes = findings.iter().map(|finding| finding.code);
    codes.max().unwrap_or(exit::OK)
}

#[cfg(test)]
mod tests {
    use sealane_service::exit;

    use super::{Finding, Status, exit_code};

    fn failed(code: u8) -> Finding {
        Finding::fail("c", code, "detail", "remedy")
    }

    #[test]
    fn the_exit_code_is_that_of_the_worst_finding() {
        let (refused, unreachable) = (failed(exit::REFUSED), failed(exit::UNAVAILABLE));
        let fine = [Finding::pass("a", ""), Finding::warn("b", "", "")];

        assert_eq!(exit_code(&fine), 0);
        assert_eq!(exit_code(std::slice::from_ref(&unreachable)), 69);
        assert_eq!(exit_code(&[unreachable.clone(), refused.clone()]), 77);
        assert_eq!(
            exit_code(&[refused, failed(exit::SETTINGS), unreachable]),
            78
        );
    }

    #[test]
    fn statuses_are_ordered_from_good_to_bad() {
        let mut statuses = [Status::Fail, Status::Warn, Status::Pass, Status::Skipped];
        statuses.sort();

        let expected = [Status::Pass, Status::Skipped, Status::Warn, Status::Fail];
        assert_eq!(statuses, expected);
    }

    #[test]
    fn a_secret_that_somebody_quotes_is_blanked() {
        let mut finding = Finding::fail("c", 77, "no such key: hunter22", "");

        finding.hide(&["hunter22".to_owned()]);

        assert_eq!(finding.detail, "no such key: <redacted>");
        assert_eq!(finding.remedy, None);
    }
}
