//! Whether every workflow ran once, as the server has it.

use std::collections::BTreeMap;

use sealane_client::workflow::Listed;

/// Returns what is wrong with the runs on the list, on which each of `wanted` should be once, and ended.
pub(crate) fn each_ran_once(listed: &[Listed], wanted: &[String]) -> Vec<String> {
    let mut runs: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for run in listed {
        runs.entry(&run.workflow_id).or_default().push(run);
    }
    let mut objections = Vec::new();
    for id in wanted {
        match runs.remove(id.as_str()).as_deref() {
            None => objections.push(format!("{id} is not on the server")),
            Some([run]) if run.is_running() => objections.push(format!("{id} has not ended")),
            Some([_]) => {}
            Some(several) => objections.push(format!("{id} ran {} times", several.len())),
        }
    }
    let unknown = runs.keys().map(|id| format!("nobody started {id}"));
    objections.extend(unknown);
    objections
}

#[cfg(test)]
mod tests {
    use sealane_client::workflow::Listed;

    use super::each_ran_once;

    fn run(id: &str, status: &str) -> Listed {
        Listed {
            status: status.to_owned(),
            workflow_id: id.to_owned(),
            workflow_type: "OrderWorkflow".to_owned(),
            start_time: None,
            close_time: None,
            task_queue: None,
            run_id: String::new(),
        }
    }

    fn objections(listed: &[Listed]) -> Vec<String> {
        each_ran_once(listed, &["a".to_owned(), "b".to_owned()])
    }

    #[test]
    fn one_ended_run_each_is_fine() {
        let listed = [run("a", "COMPLETED"), run("b", "FAILED")];
        assert_eq!(objections(&listed), [""; 0]);
    }

    #[test]
    fn a_workflow_that_is_missing_unfinished_or_ran_twice_is_seen() {
        let a = run("a", "COMPLETED");
        for (listed, wrong) in [
            (vec![a.clone()], "b is not on the server"),
            (vec![a.clone(), run("b", "RUNNING")], "b has not ended"),
            (
                vec![a.clone(), run("b", "FAILED"), run("b", "COMPLETED")],
                "b ran 2 times",
            ),
            (
                vec![a, run("b", "FAILED"), run("c", "FAILED")],
                "nobody started c",
            ),
        ] {
            assert_eq!(objections(&listed), [wrong]);
        }
    }
}
