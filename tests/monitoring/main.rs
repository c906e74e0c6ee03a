//! What watches the processes, compared with what they show and with what is written about it: scraping, rules, dashboard,
//! runbook. promtool judges what is `PromQL`.

mod component;
mod dashboard;
mod exposed;
mod fleet;
mod names;
mod promtool;
mod rules;
