//! Figures as text.

use crate::{contender::Contender, round::Round};

/// One figure of a round: how it is called, how it is read, and in how many digits it is shown.
struct Figure {
    name: &'static str,
    of: fn(&Round) -> f64,
    digits: usize,
}

const FIGURES: [Figure; 6] = [
    Figure {
        name: "CPU s / 1,000",
        of: |it| it.cpu_per_thousand,
        digits: 2,
    },
    Figure {
        name: "resident MB",
        of: |it| it.resident,
        digits: 1,
    },
    Figure {
        name: "workflows / s",
        of: |it| it.throughput,
        digits: 0,
    },
    Figure {
        name: "p50 ms",
        of: |it| it.p50,
        digits: 1,
    },
    Figure {
        name: "p99 ms",
        of: |it| it.p99,
        digits: 1,
    },
    Figure {
        name: "p99 / p50",
        of: |it| it.p99 / it.p50,
        digits: 2,
    },
];

/// Returns one round in one line.
pub(crate) fn line(round: &Round) -> String {
    let figures = FIGURES
        .iter()
        .map(|figure| format!("{} {:.*}", figure.name, figure.digits, (figure.of)(round)));
    format!(
        "{}: {}",
        round.contender,
        figures.collect::<Vec<_>>().join(", ")
    )
}

/// Returns the medians of all contenders, and ours over each peer's, as a Markdown table.
pub(crate) fn of(contenders: &[Contender], rounds: &[Round]) -> String {
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
                median_of(rounds, contender.name, figure)
            )
        });
        lines.push(row(contender.name, cells));
    }
    for peer in contenders.iter().filter(|it| it.name != "sealane") {
        let cells = FIGURES.iter().map(|figure| {
            let ours = median_of(rounds, "sealane", figure);
            format!("{:.3}", ours / median_of(rounds, peer.name, figure))
        });
        lines.push(row(&format!("sealane / {}", peer.name), cells));
    }
    lines.join("\n")
}

fn row(name: &str, cells: impl Iterator<Item = impl AsRef<str>>) -> String {
    let cells: Vec<String> = cells.map(|cell| cell.as_ref().to_owned()).collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn median_of(rounds: &[Round], contender: &str, figure: &Figure) -> f64 {
    let mine = rounds.iter().filter(|round| round.contender == contender);
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
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
