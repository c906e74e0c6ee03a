//! Where each value comes from, before anything is parsed: environment, then file, then profile.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    config_file::ConfigFile,
    definitions::{CONFIG, DEFINITIONS, GRPC_META, PROFILE, PROFILE_FILE, REFUSED, definition},
    problem::{Problem, Source},
    profile::Profile,
    secret::Secret,
};

/// How the environment is read; injected, so that tests never touch that of the test process.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Marks a value that cannot be used. The problem itself is already noted.
#[derive(Debug)]
pub(super) struct Noted;

/// What is set, by name, and what turned out to be wrong so far.
#[derive(Debug)]
pub(super) struct Values {
    found: BTreeMap<&'static str, (String, Source)>,
    headers: BTreeMap<String, (Secret, Source)>,
    in_pod: bool,
    problems: Vec<Problem>,
}

/// Set by Kubernetes in every container.
const IN_POD: &str = "KUBERNETES_SERVICE_HOST";

impl Values {
    /// Looks every setting up once.
    pub(super) fn collect(config: Option<&Path>, env: Lookup<'_>) -> Self {
        let mut problems = Vec::new();
        let layers = Layers::read(config, env, &mut problems);
        let found = DEFINITIONS.iter().filter_map(|definition| {
            Some((
                definition.name,
                layers.find(definition.name, &mut problems)?,
            ))
        });
        let found = found.collect();
        let headers = layers.headers(&mut problems);
        layers.refuse(&mut problems);
        Self {
            found,
            headers,
            in_pod: env(IN_POD).is_some(),
            problems,
        }
    }

    /// Returns whether the process runs in a pod.
    pub(super) fn in_pod(&self) -> bool {
        self.in_pod
    }

    /// Returns the value of `name` and its source, if something sets it.
    pub(super) fn get(&self, name: &str) -> Option<(&str, &Source)> {
        self.found
            .get(name)
            .map(|(value, source)| (value.as_str(), source))
    }

    /// Returns whether something sets `name`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// Returns the gRPC headers and their sources, by name.
    pub(super) fn headers(&self) -> &BTreeMap<String, (Secret, Source)> {
        &self.headers
    }

    /// Parses `name`, or else its default.
    pub(super) fn parse<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Noted> {
        let default = definition(name)
            .default
            .expect("a setting read with `parse` has a default");
        let text = self.get(name).map_or(default, |(value, _)| value);
        match parse(text) {
            Some(parsed) => Ok(parsed),
            None => Err(self.reject(name)),
        }
    }

    /// Parses `name` if something sets it.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Noted> {
        self.optional_or(name, |value| {
            parse(value).ok_or_else(|| definition(name).domain.to_owned())
        })
    }

    /// Parses `name` if something sets it, with a parser that says itself what it expects.
    pub(super) fn optional_or<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Noted> {
        match self.get(name).map(|(value, _)| parse(value)) {
            None => Ok(None),
            Some(Ok(parsed)) => Ok(Some(parsed)),
            Some(Err(expected)) => Err(self.reject_as(name, expected)),
        }
    }

    /// Notes that the value of `name` is outside its domain.
    pub(super) fn reject(&mut self, name: &'static str) -> Noted {
        self.reject_as(name, definition(name).domain)
    }

    /// Notes that the value of `name` is not what the other settings make necessary.
    pub(super) fn reject_as(&mut self, name: &'static str, expected: impl Into<String>) -> Noted {
        let definition = definition(name);
        let default = (definition.default.unwrap_or_default(), &Source::Default);
        let (value, source) = self.get(name).unwrap_or(default);
        let problem = Problem::invalid(definition, value, source.clone(), expected);
        self.note(problem)
    }

    /// Notes that `name` should have been set.
    pub(super) fn miss(&mut self, name: &'static str, expected: impl Into<String>) -> Noted {
        self.note(Problem::Missing {
            name,
            expected: expected.into(),
        })
    }

    /// Notes `first` and `second` if both are set.
    pub(super) fn exclude(
        &mut self,
        first: &'static str,
        second: &'static str,
    ) -> Result<(), Noted> {
        if self.is_set(first) && self.is_set(second) {
            return Err(self.note(Problem::Both { first, second }));
        }
        Ok(())
    }

    /// Notes the one of `first` and `second` that is missing beside the other.
    pub(super) fn pair(&mut self, first: &'static str, second: &'static str) -> Result<(), Noted> {
        let (present, absent) = match (self.is_set(first), self.is_set(second)) {
            (true, false) => (first, second),
            (false, true) => (second, first),
            _ => return Ok(()),
        };
        Err(self.miss(
            absent,
            format!("{} because {present} is set", definition(absent).domain),
        ))
    }

    /// Notes any other problem, once: two pieces of the settings may share a value.
    pub(super) fn note(&mut self, problem: Problem) -> Noted {
        let text = problem.to_string();
        if !self.problems.iter().any(|known| known.to_string() == text) {
            self.problems.push(problem);
        }
        Noted
    }

    /// Returns everything that was noted.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// The three places that can set something.
struct Layers<'a> {
    env: Lookup<'a>,
    file: ConfigFile,
    profile: Profile,
}

impl<'a> Layers<'a> {
    fn read(config: Option<&Path>, env: Lookup<'a>, problems: &mut Vec<Problem>) -> Self {
        let mut layers = Self {
            env,
            file: ConfigFile::default(),
            profile: Profile::default(),
        };
        let named = || {
            layers
                .find(CONFIG, &mut Vec::new())
                .map(|(path, _)| PathBuf::from(path))
        };
        if let Some(path) = config.map(Path::to_owned).or_else(named) {
            layers.file = ConfigFile::read(&path, problems);
        }
        // Whatever is wrong with these two as text is noted when all settings are looked up.
        let file = layers.find(PROFILE_FILE, &mut Vec::new());
        let name = layers.find(PROFILE, &mut Vec::new());
        layers.profile = Profile::load(file, name, problems);
        layers
    }

    /// Returns the value of `name` from the first place that has it.
    ///
    /// An empty value counts as "not set" and hides what later places say, so that
    /// `NAME= program` runs without a value from the file.
    fn find(&self, name: &str, problems: &mut Vec<Problem>) -> Option<(String, Source)> {
        let found = match (self.env)(name).map(OsString::into_string) {
            Some(Ok(value)) => Some((value, Source::Environment)),
            Some(Err(_)) => {
                problems.push(Problem::NotText {
                    name: name.to_owned(),
                });
                None
            }
            None => self.file.find(name).or_else(|| self.profile.find(name)),
        };
        found.filter(|(value, _)| !value.is_empty())
    }

    fn headers(&self, problems: &mut Vec<Problem>) -> BTreeMap<String, (Secret, Source)> {
        let mut headers = self.profile.headers();
        for variable in self.header_variables() {
            let name = variable[GRPC_META.len()..]
                .to_ascii_lowercase()
                .replace('_', "-");
            match self.find(&variable, problems) {
                Some((value, source)) => headers.insert(name, (Secret::new(value), source)),
                None => headers.remove(&name),
            };
        }
        for (name, (value, _)) in &headers {
            if !is_header(name, value.expose()) {
                problems.push(Problem::Header { name: name.clone() });
            }
        }
        headers
    }

    /// Lists the variables that set a header. Their names are free, so they are enumerated; the
    /// values still come from the injected lookup alone, and a name it does not know is left out.
    fn header_variables(&self) -> BTreeSet<String> {
        let process = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let process = process.filter(|name| (self.env)(name).is_some());
        let file = self.file.names().map(ToOwned::to_owned);
        process
            .chain(file)
            .filter(|name| name.starts_with(GRPC_META))
            .collect()
    }

    fn refuse(&self, problems: &mut Vec<Problem>) {
        for (name, reason) in REFUSED {
            let found = self.find(name, problems);
            if let Some((_, at)) = found.filter(|(value, _)| !is_off(value)) {
                problems.push(Problem::Refused { name, at, reason });
            }
        }
    }
}

/// Whether a value says in so many words that the refused thing is not wanted.
fn is_off(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "false" | "0")
}

fn is_header(name: &str, value: &str) -> bool {
    let is_name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'.');
    !name.is_empty()
        && name.bytes().all(is_name)
        && value.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
}
