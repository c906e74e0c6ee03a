//! A Dockerfile, read as far as these tests ask.

use anyhow::Context;

/// A Dockerfile in parts.
#[derive(Debug)]
pub(crate) struct Recipe {
    stages: Vec<Stage>,
}

/// One `FROM` and what follows.
#[derive(Debug)]
pub(crate) struct Stage {
    /// What is after `FROM`, without flags and name.
    pub(crate) base: String,
    /// What is after `AS`.
    pub(crate) name: Option<String>,
    /// Keyword in capitals, and the rest in one line.
    instructions: Vec<(String, String)>,
}

impl Recipe {
    /// Reads the text of a Dockerfile.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut stages: Vec<Stage> = Vec::new();
        for line in joined(text) {
            let (keyword, rest) = line.split_once(' ').context("an instruction alone")?;
            if keyword == "FROM" {
                stages.push(Stage::from(rest)?);
                continue;
            }
            let stage = stages.last_mut().context("instructions before FROM")?;
            let instruction = (keyword.to_owned(), rest.trim().to_owned());
            stage.instructions.push(instruction);
        }
        Ok(Self { stages })
    }

    /// Returns the stages, the image itself last.
    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Returns the stage that becomes the image.
    pub(crate) fn image(&self) -> anyhow::Result<&Stage> {
        self.stages.last().context("no stage")
    }

    /// Returns the bases that are images, and not earlier stages.
    pub(crate) fn base_images(&self) -> Vec<&str> {
        let names: Vec<_> = self
            .stages
            .iter()
            .filter_map(|it| it.name.clone())
            .collect();
        let bases = self.stages.iter().map(|it| it.base.as_str());
        bases
            .filter(|base| !names.iter().any(|name| name == base))
            .collect()
    }
}

impl Stage {
    fn from(text: &str) -> anyhow::Result<Self> {
        let mut words = text.split_whitespace().filter(|it| !it.starts_with("--"));
        let base = words.next().context("FROM names no image")?.to_owned();
        let name = words.nth(1).map(str::to_owned);
        Ok(Self {
            base,
            name,
            instructions: Vec::new(),
        })
    }

    /// Returns what is after each instruction of that keyword.
    pub(crate) fn all(&self, keyword: &str) -> Vec<&str> {
        let mine = self.instructions.iter().filter(|it| it.0 == keyword);
        mine.map(|it| it.1.as_str()).collect()
    }
}

/// Returns the instructions, each in one line, without comments.
fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(part) => open.push_str(part),
            None => lines.push(std::mem::take(&mut open) + line),
        }
    }
    lines
}
