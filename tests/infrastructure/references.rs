//! What `terraform validate` would say of names, without a provider.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};

use crate::directory::{Directory, attributes, label, module_names};

#[test]
fn every_reference_is_to_something_declared() -> anyhow::Result<()> {
    let outputs = outputs()?;
    for directory in Directory::all()? {
        let declared = Declared::of(&directory);
        for path in directory.references() {
            ensure!(
                declared.has(&path, &outputs),
                "infra/terraform/{}: {} is declared nowhere",
                directory.name,
                path.join(".")
            );
        }
    }
    Ok(())
}

#[test]
fn every_variable_and_local_is_used() -> anyhow::Result<()> {
    for directory in Directory::all()? {
        let used = directory.references();
        let unused: Vec<_> = directory
            .names("variable")
            .into_iter()
            .map(|it| ("var", it))
            .chain(directory.locals().into_iter().map(|it| ("local", it)))
            .filter(|(kind, name)| {
                !used
                    .iter()
                    .any(|it| it[0] == *kind && it.get(1) == Some(name))
            })
            .collect();
        ensure!(unused.is_empty(), "{}: {unused:?} unused", directory.name);
    }
    Ok(())
}

#[test]
fn every_output_of_a_module_is_used() -> anyhow::Result<()> {
    let used = Directory::read("")?.references();
    for (module, outputs) in outputs()? {
        for output in outputs {
            ensure!(
                used.iter().any(|it| it[0] == "module"
                    && it.get(1) == Some(&module)
                    && (it.get(2) == Some(&output) || it.len() == 2)),
                "module.{module}.{output} is used nowhere"
            );
        }
    }
    Ok(())
}

#[test]
fn a_module_is_given_all_its_variables_and_no_others() -> anyhow::Result<()> {
    let root = Directory::read("")?;
    for call in root.blocks("module") {
        let module = Directory::read(&directory_of(&label(call, 0)))?;
        let given: BTreeSet<_> = attributes(&call.body).into_keys().collect();
        let meta = BTreeSet::from(["count", "depends_on", "for_each", "source"].map(str::to_owned));
        let given: BTreeSet<_> = given.difference(&meta).cloned().collect();
        assert_eq!(given, module.names("variable"), "module {}", label(call, 0));
    }
    Ok(())
}

#[test]
fn a_modules_variables_have_no_defaults_that_would_hide_the_roots() -> anyhow::Result<()> {
    for module in &Directory::environment()?[1..] {
        for variable in module.blocks("variable") {
            ensure!(
                !variable.body.has_attribute("default"),
                "{}: {}",
                module.name,
                label(variable, 0)
            );
        }
    }
    Ok(())
}

#[test]
fn every_module_is_called_once_from_its_own_directory() -> anyhow::Result<()> {
    let root = Directory::read("")?;
    let called: Vec<_> = root.blocks("module").map(|it| label(it, 0)).collect();
    let sources: BTreeMap<_, _> = root
        .blocks("module")
        .map(|it| (label(it, 0), attributes(&it.body)["source"].clone()))
        .collect();

    let directories: BTreeSet<_> = called.iter().map(|it| it.replace('_', "-")).collect();
    assert_eq!(directories, module_names()?);
    assert_eq!(called.len(), directories.len(), "a module is called twice");
    for (name, source) in sources {
        assert_eq!(source, format!("\"./{}\"", directory_of(&name)));
    }
    Ok(())
}

#[test]
fn every_variable_and_output_says_what_it_is() -> anyhow::Result<()> {
    for directory in Directory::all()? {
        for block in directory
            .blocks("variable")
            .chain(directory.blocks("output"))
        {
            let said = attributes(&block.body);
            let said = said
                .get("description")
                .with_context(|| format!("{}: {}", directory.name, label(block, 0)))?;
            ensure!(said.ends_with(".\""), "{}: {said}", label(block, 0));
        }
    }
    Ok(())
}

/// What may be referred to in one directory.
struct Declared {
    variables: BTreeSet<String>,
    locals: BTreeSet<String>,
    modules: BTreeSet<String>,
    resources: BTreeSet<String>,
}

impl Declared {
    fn of(directory: &Directory) -> Self {
        Self {
            variables: directory.names("variable"),
            locals: directory.locals(),
            modules: directory.names("module"),
            resources: directory.resources(),
        }
    }

    fn has(&self, path: &[String], outputs: &BTreeMap<String, BTreeSet<String>>) -> bool {
        let second = path.get(1).cloned().unwrap_or_default();
        match path[0].as_str() {
            "var" => self.variables.contains(&second),
            "local" => self.locals.contains(&second),
            "module" => {
                let third = path.get(2).is_none_or(|it| outputs[&second].contains(it));
                self.modules.contains(&second) && third
            }
            "path" => second == "module",
            kind if kind.starts_with("azurerm_") || kind.starts_with("time_") => {
                self.resources.contains(&format!("{kind}.{second}"))
            }
            "data" => false,
            // Names bound by `for`, `dynamic` and `each`.
            _ => true,
        }
    }
}

/// The outputs of each module, by the name under which the root calls it.
fn outputs() -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let modules = module_names()?;
    modules
        .into_iter()
        .map(|it| {
            let module = Directory::read(&format!("modules/{it}"))?;
            Ok((it.replace('-', "_"), module.names("output")))
        })
        .collect()
}

fn directory_of(module: &str) -> String {
    format!("modules/{}", module.replace('_', "-"))
}
