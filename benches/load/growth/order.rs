//! What the figures of a curve say of its order of growth.

use crate::plot::Curve;

/// A sentence for each curve, made of its figures alone, and what each step does as the reason.
pub fn sentences(curves: &[Curve], of: &str, steps: &[&str]) -> String {
    let sentence = |(curve, step): (&Curve, &&str)| {
        let order = order(&curve.points)?;
        Some(format!("- {}, by {of}: {order} {step}", curve.name))
    };
    let sentences: Vec<String> = curves.iter().zip(steps).filter_map(sentence).collect();
    sentences.join("\n")
}

/// How a curve grows; `None` where there are not two points.
fn order(points: &[(f64, f64)]) -> Option<String> {
    let (first, last) = (points.first()?, points.last()?);
    let before = points.len().checked_sub(2).map(|at| points[at])?;
    let times = last.1 / first.1;
    let within = format!(
        "{times:.2} times from {} to {}",
        told(first.0),
        told(last.0)
    );
    // At first what each call costs anyway hides how the rest grows.
    let power = (last.1 / before.1).ln() / (last.0 / before.0).ln();
    let values = || points.iter().map(|point| point.1);
    let apart = values().fold(f64::MIN, f64::max) / values().fold(f64::MAX, f64::min);
    let order = if apart <= CONSTANT {
        "constant within what is noise here".to_owned()
    } else if times <= 1.0 / CONSTANT {
        "less with more of them".to_owned()
    } else if times <= CONSTANT {
        format!(
            "no more at the end than in the beginning, but the points are {apart:.2} times apart, which no order of growth explains"
        )
    } else if power >= MORE {
        format!("more than linear at the end (as its power {power:.2} over the last step)")
    } else if power >= LINEAR {
        format!("linear at the end (as its power {power:.2} over the last step)")
    } else if power >= LOGARITHMIC {
        format!("less than linear (as its power {power:.2} over the last step)")
    } else {
        format!("no more than logarithmic at the end (as its power {power:.2} over the last step)")
    };
    Some(format!("{within}: {order}."))
}

fn told(number: f64) -> String {
    match number {
        ..1e3 => format!("{number:.0}"),
        ..1e6 => format!("{:.0},000", number / 1e3),
        _ => format!("{:.0} million", number / 1e6),
    }
}

/// Twice the same differs by so much on a machine that others use, too.
const CONSTANT: f64 = 1.5;
const LINEAR: f64 = 0.75;
const MORE: f64 = 1.2;
/// From a tree of a million to one of ten it is 0.07.
const LOGARITHMIC: f64 = 0.15;
