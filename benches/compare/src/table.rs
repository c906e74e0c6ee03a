//! Figures as text.

use crate::{contender::Contender, round::Round};

/// One figure of a round: how it is called, how it is read, and in how many digits it is shown.
struct Figure {
    name: &'static str,
    of: fn(&Round) -> f64,
    /// Whether it counts at the end of a run only, as what is kept adds up.
    at_the_end: bool,
    digits: usize,
}

const FIGURES: [Figure; 6] = [
    Figure {
        name: "CPU s / 1,000",
        of: |it| it.cpu_per_thousand,
        at_the_end: false,
        digits: 2,
    },
    Figure {
        name: "resident MB",
        of: |it| it.resident,
        at_the_end: true,
        digits: 1,
    },
    Figure {
        name: "workflows / s",
        of: |it| it.throughput,
        at_the_end: false,
        digits: 0,
    },
    Figure {
        name: "p50 ms",
        of: |it| it.p50,
        at_the_end: false,
        digits: 1,
    },
    Figure {
        name: "p99 ms",
        of: |it| it.p99,
        at_the_end: false,
        digits: 1,
    },
    Figure {
        name: "p99 / p50",
        of: |it| it.p99 / it.p50,
        at_the_end: false,
        digits: 2,
    },
];

/// Returns one part of a round in one line.
pub(crate) fn line(round: &Round) -> String {
    let figures = FIGURES
        .iter()
        .map(|figure| format!("{} {:.*}", figure.name, figure.digits, (figure.of)(round)));
    format!(
        "round {}, part {}, {}: {}",
        round.number,
        round.part,
        round.contender,
        figures.collect::<Vec<_>>().join(", ")
    )
}

/// Returns the medians of all contenders, and ours over each peer's, as a Markdown table. Runs have `parts` parts.
pub(crate) fn of(contenders: &[Contender], rounds: &[Round], parts: u32) -> String {
    let names = FIGURES.iter().map(|figure| figure.name);
    let mut lines = vec![
        row("worker", names),
        row("---", FIGURES.iter().map(|_| "---:")),
    ];
    for contender in contenders {
        let cells = FIGURES.iter().map(|figure| {
            format!(
                "{:.*}",
                figure.digits,
                median_of(rounds, parts, contender.name, figure)
            )
        });
        lines.push(row(contender.name, cells));
    }
    for peer in contenders.iter().filter(|it| it.name != "sealane") {
        let cells = FIGURES.iter().map(|figure| {
            let ours = median_of(rounds, parts, "sealane", figure);
            format!("{:.3}", ours / median_of(rounds, parts, peer.name, figure))
        });
        lines.push(row(&format!("sealane / {}", peer.name), cells));
    }
    lines.join("\n")
}

fn row(name: &str, cells: impl Iterator<Item = impl AsRef<str>>) -> String {
    let cells: Vec<String> = cells.map(|cell| cell.as_ref().to_owned()).collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn median_of(rounds: &[Round], parts: u32, contender: &str, figure: &Figure) -> f64 {
    let mine = rounds.iter().filter(|round| {
        round.contender == contender && (!figure.at_the_end || round.part == parts)
    });
    median(mine.map(figure.of).collect())
}

/// The middle one, or the mean of the middle two; no number if there is none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::{FIGURES, Round, median, median_of};

    #[test]
    fn of_memory_the_last_part_of_a_run_counts_and_of_all_else_every_part() {
        let part = |part: u32, value: f64| Round {
            number: 1,
            part,
            contender: "sealane".to_owned(),
            cpu_per_thousand: value,
            resident: value,
            throughput: value,
            p50: 1.0,
            p99: value,
        };
        let rounds = [part(1, 5.0), part(2, 6.0), part(3, 9.0)];
        let median = |figure| median_of(&rounds, 3, "sealane", figure);

        for figure in &FIGURES {
            let expected = match figure.name {
                "resident MB" => 9.0,
                "p50 ms" => 1.0,
                _ => 6.0,
            };
            assert!(
                (median(figure) - expected).abs() < f64::EPSILON,
                "{}",
                figure.name
            );
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
