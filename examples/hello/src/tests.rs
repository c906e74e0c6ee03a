use sealane_tests::{TestWorker, World, orders::patiently};
use temporalio_client::{WorkflowGetResultOptions, WorkflowStartOptions};

use super::{HelloWorkflow, register};

#[tokio::test]
async fn the_smallest_worker_says_hello() {
    let world = World::new().await;
    let worker = TestWorker::start(world.settings(), register);
    let client = world.client().await;

    let options = WorkflowStartOptions::new(world.task_queue(), world.id("hello")).build();
    let handle = client
        .start_workflow(HelloWorkflow::run, "Ada".to_owned(), options)
        .await
        .unwrap();
    let result = handle.get_result(WorkflowGetResultOptions::default());

    assert_eq!(
        patiently("the result", result).await.unwrap(),
        "Hello, Ada!"
    );
    worker.stop().await.unwrap();
}

#[test]
fn the_readme_shows_this_program_and_what_it_depends_on() {
    let readme = include_str!("../../../README.md");
    let program = include_str!("main.rs");
    let shown = program.split("\n#[cfg(test)]").next().unwrap();
    assert!(readme.contains(shown), "the README shows another program");

    let manifest = include_str!("../Cargo.toml");
    let needed = manifest.split("[dependencies]").nth(1).unwrap();
    let needed = needed.split("[dev-dependencies]").next().unwrap();
    for line in needed.lines().filter(|line| line.contains(".workspace")) {
        let name = line.split('.').next().unwrap();
        assert!(
            readme.contains(&format!("\n{name} = ")),
            "the README does not depend on {name}"
        );
    }
}
