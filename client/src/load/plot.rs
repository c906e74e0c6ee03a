//! A picture of a load, as SVG.

use std::fmt::Write;

use super::LoadReport;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 620.0;
/// Left and right edge of both plots.
const LEFT: f64 = 70.0;
const RIGHT: f64 = WIDTH - 30.0;
/// Percentiles with a name; those beyond the measured ones stay empty.
const TICKS: [f64; 6] = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99];

/// Draws latency by percentile and right results by second. Returns an SVG document.
///
/// The axis of percentiles is that of `HdrHistogram`'s plots: each step from 90 to 99 to 99.9 % is as wide
/// as the last, since that is where loads differ.
pub fn plot(report: &LoadReport) -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
"##
    );
    text(&mut svg, LEFT, 24.0, "start", &title(report));
    latency(&mut svg, report);
    throughput(&mut svg, report);
    svg.push_str("</svg>\n");
    svg
}

fn title(report: &LoadReport) -> String {
    let pace = match report.rate {
        Some(rate) => format!("{rate}/s due"),
        None => format!("{} in flight", report.concurrency),
    };
    format!(
        "{}, {pace}: {} right, {:.1}/s, p50 {:.1} ms, p99 {:.1} ms, {} wrong",
        escaped(&report.workflow_type),
        report.completed,
        report.throughput,
        report.latency.p50,
        report.latency.p99,
        report.due - report.completed,
    )
}

fn latency(svg: &mut String, report: &LoadReport) {
    let plot = Plot {
        top: 50.0,
        bottom: 300.0,
        greatest: report.latency.max,
    };
    plot.frame(svg, "ms");
    let furthest = furthest(report);
    let x = |percentile| LEFT + (RIGHT - LEFT) * nines(percentile) / furthest;
    for tick in TICKS.into_iter().filter(|it| nines(*it) <= furthest) {
        line(svg, x(tick), plot.top, plot.bottom);
        text(
            svg,
            x(tick),
            plot.bottom + 16.0,
            "middle",
            &format!("{tick} %"),
        );
    }
    let points = report.distribution.iter();
    let points = points.map(|(percentile, ms)| (x(percentile.min(99.9999)).min(RIGHT), *ms));
    plot.polyline(svg, points);
}

fn throughput(svg: &mut String, report: &LoadReport) {
    let counts = report.timeline.iter().map(|it| to_f64(it.completed));
    let plot = Plot {
        top: 350.0,
        bottom: 580.0,
        greatest: counts.clone().fold(0.0, f64::max),
    };
    plot.frame(svg, "right results in each second");
    let last = to_f64(report.timeline.len() as u64).max(2.0) - 1.0;
    let x = |second: f64| LEFT + (RIGHT - LEFT) * second / last;
    for second in [0.0, (last / 2.0).floor(), last] {
        text(
            svg,
            x(second),
            plot.bottom + 16.0,
            "middle",
            &format!("{second} s"),
        );
    }
    let points = counts
        .enumerate()
        .map(|(second, count)| (x(to_f64(second as u64)), count));
    plot.polyline(svg, points);
}

/// How far right the distribution goes: as many nines as there were measurements for.
fn furthest(report: &LoadReport) -> f64 {
    to_f64(report.completed.max(10)).log10().min(6.0)
}

/// Where a percentile lies: 90 % at 1, 99 % at 2, and so on.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

/// One of the two plots.
struct Plot {
    top: f64,
    bottom: f64,
    greatest: f64,
}

impl Plot {
    fn y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * value / self.greatest.max(f64::MIN_POSITIVE)
    }

    fn frame(&self, svg: &mut String, unit: &str) {
        text(svg, LEFT, self.top - 8.0, "start", unit);
        for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let value = self.greatest * part;
            let y = self.bottom - (self.bottom - self.top) * part;
            element(
                svg,
                format_args!(r##"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="#ddd" fill="none"/>"##),
            );
            text(svg, LEFT - 6.0, y + 4.0, "end", &format!("{value:.1}"));
        }
    }

    fn polyline(&self, svg: &mut String, points: impl Iterator<Item = (f64, f64)>) {
        let mut path = String::new();
        for (x, value) in points {
            let command = if path.is_empty() { 'M' } else { 'L' };
            element(
                &mut path,
                format_args!("{command}{x:.1} {:.1}", self.y(value)),
            );
        }
        element(
            svg,
            format_args!(
                r##"<path d="{}" stroke="#06c" stroke-width="2" fill="none"/>"##,
                path.replace('\n', " ")
            ),
        );
    }
}

fn line(svg: &mut String, x: f64, top: f64, bottom: f64) {
    element(
        svg,
        format_args!(r##"<path d="M{x:.1} {top}V{bottom}" stroke="#ddd" fill="none"/>"##),
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    element(
        svg,
        format_args!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#),
    );
}

fn element(svg: &mut String, element: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "{element}");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "pixels are coarser than the 53 bits that are left"
)]
fn to_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::{nines, plot};
    use crate::load::{Latency, LoadReport, Second};

    fn report(workflow_type: &str) -> LoadReport {
        let latency = Latency {
            min: 1.0,
            mean: 2.0,
            p50: 2.0,
            p90: 3.0,
            p99: 4.0,
            p999: 4.0,
            max: 4.0,
        };
        LoadReport {
            workflow_type: workflow_type.to_owned(),
            pace: "closed",
            rate: None,
            concurrency: 5,
            due: 100,
            started: 100,
            completed: 100,
            unfinished: 0,
            seconds: 2.0,
            throughput: 50.0,
            latency,
            start_latency: latency,
            errors: Vec::new(),
            timeline: [(0, 40), (1, 60)]
                .map(|(second, completed)| Second { second, completed })
                .into(),
            distribution: vec![(0.0, 1.0), (50.0, 2.0), (99.0, 4.0), (100.0, 4.0)],
        }
    }

    #[test]
    fn each_nine_is_as_far_from_the_last_as_that_from_the_one_before() {
        assert!((nines(90.0) - 1.0).abs() < 1e-9);
        assert!((nines(99.0) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_plot_is_one_document_without_impossible_numbers() {
        let mut empty = report("T");
        (empty.completed, empty.timeline, empty.distribution) = (0, Vec::new(), Vec::new());
        for report in [report("A<&B"), empty] {
            let svg = plot(&report);

            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(!svg.contains("A<&B"));
        }
    }

    #[test]
    fn the_slowest_is_at_the_top_and_the_curve_stays_inside() {
        let svg = plot(&report("T"));

        // The maximum of 4 ms at the right end of the upper plot, at its top edge.
        assert!(svg.contains("L830.0 50.0"), "{svg}");
    }
}
