//! A directory of Terraform, parsed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use hcl_edit::{
    expr::{Expression, FuncCall, Traversal, TraversalOperator},
    structure::{Block, Body},
    visit::{Visit, visit_expr, visit_func_call, visit_traversal},
};

/// All blocks of all `.tf` files of one directory.
pub(crate) struct Directory {
    /// Its path below infra/terraform, empty for the root.
    pub(crate) name: String,
    bodies: Vec<Body>,
}

impl Directory {
    /// Reads one below infra/terraform.
    pub(crate) fn read(name: &str) -> anyhow::Result<Self> {
        let place = repository().join("infra/terraform").join(name);
        let files = files(&place, ".tf")?;
        ensure!(!files.is_empty(), "{} has no .tf file", place.display());
        let bodies = files
            .iter()
            .map(|it| parsed(it))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            name: name.to_owned(),
            bodies,
        })
    }

    /// Returns the root and what it calls. The first is the root.
    pub(crate) fn environment() -> anyhow::Result<Vec<Self>> {
        let mut all = vec![Self::read("")?];
        for name in module_names()? {
            all.push(Self::read(&format!("modules/{name}"))?);
        }
        Ok(all)
    }

    /// Returns these and bootstrap/.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        let mut all = Self::environment()?;
        all.push(Self::read("bootstrap")?);
        Ok(all)
    }

    /// Returns the blocks of one kind: `variable`, `resource`, ….
    pub(crate) fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.bodies.iter().flat_map(move |it| it.get_blocks(kind))
    }

    /// Returns the first labels of the blocks of one kind.
    pub(crate) fn names(&self, kind: &str) -> BTreeSet<String> {
        self.blocks(kind).map(|it| label(it, 0)).collect()
    }

    /// Returns `type.name` of all resources.
    pub(crate) fn resources(&self) -> BTreeSet<String> {
        self.blocks("resource").map(address).collect()
    }

    /// Returns the names in `locals`.
    pub(crate) fn locals(&self) -> BTreeSet<String> {
        let attributes = self.blocks("locals").flat_map(|it| it.body.attributes());
        attributes.map(|it| it.key.as_str().to_owned()).collect()
    }

    /// Returns all that is referred to, as paths: `["var", "name"]`, `["module", "cluster", "id"]`.
    pub(crate) fn references(&self) -> BTreeSet<Vec<String>> {
        self.seen().references
    }

    /// Returns the names of all functions that are called.
    pub(crate) fn functions(&self) -> BTreeSet<String> {
        self.seen().functions
    }

    fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for body in &self.bodies {
            seen.visit_body(body);
        }
        seen
    }
}

/// References and functions, as they are met.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) references: BTreeSet<Vec<String>>,
    functions: BTreeSet<String>,
}

impl Visit for Seen {
    fn visit_traversal(&mut self, node: &Traversal) {
        if let Expression::Variable(first) = &node.expr {
            let mut path = vec![first.as_str().to_owned()];
            for operator in &node.operators {
                let TraversalOperator::GetAttr(name) = operator.value() else {
                    break;
                };
                path.push(name.as_str().to_owned());
            }
            self.references.insert(path);
        }
        visit_traversal(self, node);
    }

    fn visit_func_call(&mut self, node: &FuncCall) {
        self.functions.insert(node.name.name.as_str().to_owned());
        visit_func_call(self, node);
    }
}

/// Returns what an expression refers to.
pub(crate) fn references_of(expression: &Expression) -> BTreeSet<Vec<String>> {
    let mut seen = Seen::default();
    visit_expr(&mut seen, expression);
    if let Expression::Traversal(it) = expression {
        seen.visit_traversal(it);
    }
    seen.references
}

/// Returns a block's attributes as they are written, without the white space around them.
pub(crate) fn attributes(body: &Body) -> BTreeMap<String, String> {
    body.attributes()
        .map(|it| (it.key.as_str().to_owned(), text(&it.value)))
        .collect()
}

/// Returns an expression as it is written.
pub(crate) fn text(expression: &Expression) -> String {
    expression.to_string().trim().to_owned()
}

/// Returns the text that an attribute is, without quotes.
pub(crate) fn string(body: &Body, key: &str) -> anyhow::Result<String> {
    let found = body.get_attribute(key).and_then(|it| it.value.as_str());
    Ok(found
        .with_context(|| format!("{key} is no text"))?
        .to_owned())
}

/// Returns a label of a block, by its position.
pub(crate) fn label(block: &Block, position: usize) -> String {
    block
        .labels
        .get(position)
        .map_or_else(String::new, |it| it.as_str().to_owned())
}

/// Returns `type.name` of a resource.
pub(crate) fn address(resource: &Block) -> String {
    format!("{}.{}", label(resource, 0), label(resource, 1))
}

/// Returns the names of all directories in infra/terraform/modules.
pub(crate) fn module_names() -> anyhow::Result<BTreeSet<String>> {
    directories("infra/terraform/modules")
}

/// Returns the names of the directories in one, by its path from the root of the repository.
pub(crate) fn directories(path: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(repository().join(path)).with_context(|| path.to_owned())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Returns the files of a directory whose names end so, in order.
pub(crate) fn files(directory: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a file of HCL.
pub(crate) fn parsed(file: &Path) -> anyhow::Result<Body> {
    let content = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    content
        .parse()
        .with_context(|| format!("{} is no HCL", file.display()))
}

/// Reads a file, by its path from the root of the repository.
pub(crate) fn content(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(repository().join(path)).with_context(|| path.to_owned())
}

/// Returns where this repository is.
pub(crate) fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("this crate is in the workspace").to_owned()
}
