//! Findings that somebody has looked at and wants to live with.

use std::{fmt, str::FromStr};

use crate::{
    check::Finding,
    rule::{Check, Rule},
    rules::rules,
};

/// A rule that may be broken, everywhere or by one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    slug: &'static str,
    object: Option<String>,
}

/// Text that accepts nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptedError {
    /// No rule is called that.
    #[error(
        "{0:?} is no finding, expected a slug as `sealane manifests check` prints them, such as image-latest"
    )]
    Unknown(String),
    /// What follows the slug is no object.
    #[error("{0:?} is no object, expected KIND/NAME, such as Deployment/sealane-worker")]
    Object(String),
}

/// Found if something is accepted that is not there.
pub(crate) static UNUSED: Rule = Rule::new(
    "accept-unused",
    "something is accepted that was not found",
    "take the --accept away, or correct its slug and object",
    Check::Whole(|_| Vec::new()),
);

impl Accepted {
    pub(crate) fn covers(&self, finding: &Finding) -> bool {
        self.slug == finding.slug && self.object.as_ref().is_none_or(|it| *it == finding.object)
    }
}

impl FromStr for Accepted {
    type Err = AcceptedError;

    /// Accepts `SLUG` and `SLUG=KIND/NAME`.
    fn from_str(text: &str) -> Result<Self, AcceptedError> {
        let (slug, object) = text
            .split_once('=')
            .map_or((text, None), |(slug, object)| (slug, Some(object)));
        let rule = rules().find(|rule| rule.slug == slug);
        let rule = rule.ok_or_else(|| AcceptedError::Unknown(slug.to_owned()))?;
        let is_object = |it: &str| {
            it.split_once('/')
                .is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty())
        };
        match object.filter(|it| !is_object(it)) {
            Some(object) => Err(AcceptedError::Object(object.to_owned())),
            None => Ok(Self {
                slug: rule.slug,
                object: object.map(ToOwned::to_owned),
            }),
        }
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)?;
        self.object
            .as_ref()
            .map_or(Ok(()), |object| write!(f, "={object}"))
    }
}
