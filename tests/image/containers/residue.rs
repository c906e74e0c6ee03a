//! Nothing of all this is left on the machine: no mount, no process, no control group.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;

use super::{
    gate,
    sandbox::{Sandbox, say},
};

/// How long the end of a sandbox may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Program that waits for ever, and needs nothing: the init of podman.
const PAUSE: &str = "/usr/bin/catatonit";

/// Tells [`held_until_killed`] that it is meant.
const HELD: &str = "SEALANE_IMAGE_TESTS_HELD";

/// What containers could leave behind, apart from what other tests are just doing in sandboxes of their own.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    mounts: BTreeSet<String>,
    links: BTreeSet<String>,
    runtimes: BTreeSet<String>,
}

/// A sandbox with a container in it, and by what they would be found later.
struct Occupied {
    sandbox: Sandbox,
    marks: Marks,
}

/// By what a sandbox and its container are found.
#[derive(Debug)]
struct Marks {
    namespaces: Vec<PathBuf>,
    container: String,
}

impl Traces {
    fn now() -> anyhow::Result<Self> {
        let network = fs::read_dir("/sys/class/net")?;
        let network = network.map(|it| Ok(it?.file_name().to_string_lossy().into_owned()));
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        Ok(Self {
            mounts: mounts.lines().map(str::to_owned).collect(),
            links: network.collect::<anyhow::Result<_>>()?,
            runtimes: runtimes()?,
        })
    }
}

/// Returns processes of containers that are in no sandbox.
fn runtimes() -> anyhow::Result<BTreeSet<String>> {
    let names = ["buildah", "catatonit", "conmon", "podman", "runc"];
    let here = fs::read_link("/proc/self/ns/pid")?;
    let mut found = BTreeSet::new();
    for process in processes()? {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        let is_here = fs::read_link(process.join("ns/pid")).is_ok_and(|it| it == here);
        if is_here && names.contains(&name.trim()) {
            found.insert(format!("{} {}", process.display(), name.trim()));
        }
    }
    Ok(found)
}

fn processes() -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().parse::<u32>().is_ok() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Returns the processes that are in one of `namespaces`.
fn inhabitants(namespaces: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let lives_there = |process: &PathBuf| {
        ["mnt", "pid"].iter().any(|name| {
            fs::read_link(process.join("ns").join(name)).is_ok_and(|it| namespaces.contains(&it))
        })
    };
    Ok(processes()?.into_iter().filter(lives_there).collect())
}

/// Returns the control groups of `container`, with version 1, version 2, and both.
fn control_groups(container: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
    folders.extend(fs::read_dir("/sys/fs/cgroup")?.filter_map(|it| Some(it.ok()?.path())));
    let groups = folders
        .iter()
        .map(|it| it.join("libpod_parent").join(format!("libpod-{container}")));
    Ok(groups.filter(|it| it.is_dir()).collect())
}

impl Occupied {
    /// Opens a sandbox with a container that runs for ever.
    fn open() -> anyhow::Result<Self> {
        let pause = fs::canonicalize(PAUSE)?.display().to_string();
        let sandbox = Sandbox::open("image-residue")?;
        let container = sandbox.run("buildah", &["from", "scratch"])?;
        sandbox.run("buildah", &["copy", &container, &pause, "/pause"])?;
        sandbox.run(
            "buildah",
            &["commit", "--rm", &container, "localhost/pause"],
        )?;
        let container = sandbox.run(
            "podman",
            &[
                "run",
                "--detach",
                "--network=host",
                "localhost/pause",
                "/pause",
                "-P",
            ],
        )?;
        let marks = Marks {
            namespaces: sandbox.namespaces()?.to_vec(),
            container,
        };
        Ok(Self { sandbox, marks })
    }
}

/// Checks that what is looked for below is there as long as the container runs.
fn assert_traces(marks: &Marks) -> anyhow::Result<()> {
    let inhabitants = inhabitants(&marks.namespaces)?;
    assert!(
        inhabitants.len() >= 4,
        "the holder, its cat, conmon and the container: {inhabitants:?}"
    );
    assert!(!control_groups(&marks.container)?.is_empty());
    Ok(())
}

fn assert_no_traces(before: &Traces, marks: &Marks) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = inhabitants(&marks.namespaces)?;
        let groups = control_groups(&marks.container)?;
        let now = Traces::now()?;
        if left.is_empty() && groups.is_empty() && now == *before {
            return Ok(());
        }
        assert!(
            Instant::now() < deadline,
            "left: {left:?} {groups:?}\nbefore: {before:#?}\nnow: {now:#?}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn nothing_is_left_after_an_end_nor_after_a_kill() -> anyhow::Result<()> {
    if gate::wanted("nothing_is_left_after_an_end_nor_after_a_kill").is_none() {
        return Ok(());
    }
    let before = Traces::now()?;
    let Occupied { sandbox, marks } = Occupied::open()?;
    assert_traces(&marks)?;
    drop(sandbox);
    assert_no_traces(&before, &marks)?;

    let mut held = Held::start()?;
    assert_traces(&held.marks)?;
    held.process.kill()?;
    held.process.wait()?;
    assert_no_traces(&before, &held.marks)
}

/// This program once more, with a sandbox of its own.
struct Held {
    process: Child,
    marks: Marks,
}

impl Held {
    fn start() -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["held_until_killed", "--ignored", "--nocapture"])
            .env(HELD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = process.stderr.take().context("piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let said = lines.find_map(|it| Some(it.ok()?.split_once("held: ")?.1.to_owned()));
        let said = said.context("no sandbox was opened")?;
        let mut words = said.split(' ');
        let container = words.next().context("no container")?.to_owned();
        let namespaces = words.map(PathBuf::from).collect();
        Ok(Self {
            process,
            marks: Marks {
                namespaces,
                container,
            },
        })
    }
}

#[test]
#[ignore = "is started and killed by the test above"]
fn held_until_killed() -> anyhow::Result<()> {
    if std::env::var_os(HELD).is_none() {
        return Ok(());
    }
    let Occupied { sandbox, marks } = Occupied::open()?;
    let namespaces: Vec<_> = marks
        .namespaces
        .iter()
        .map(|it| it.display().to_string())
        .collect();
    say(&format!(
        "held: {} {}",
        marks.container,
        namespaces.join(" ")
    ));
    thread::sleep(Duration::from_secs(600));
    drop(sandbox);
    Ok(())
}
