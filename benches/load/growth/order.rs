//! What the figures of a curve say of its order of growth.

use crate::plot::Curve;

/// A sentence for each curve, made of its figures alone, and the reason that is given for it.
pub fn sentences<R: AsRef<str>>(curves: &[Curve], of: &str, reasons: &[R]) -> String {
    let sentence = |(curve, reason): (&Curve, &R)| {
        let (order, reason) = (order(&curve.points)?, reason.as_ref());
        Some(format!("- {}, by {of}: {order} {reason}", curve.name))
    };
    let sentences: Vec<String> = curves.iter().zip(reasons).filter_map(sentence).collect();
    sentences.join("\n")
}

/// How a curve grows; `None` where there are not two points.
///
/// Points within [`CONSTANT`] of each other count as the same:
///
/// 1. All are the same: constant.
/// 2. The first and the last are, though others are not: as constant as such points can tell.
/// 3. The last is less than the first: it falls.
/// 4. The last is more: by its power at the end, which is over the last two steps. Noise makes less
///    of two than of one; and of all, what each call costs anyway would hide how the rest grows.
fn order(points: &[(f64, f64)]) -> Option<String> {
    let (first, rest) = points.split_first()?;
    let last = rest.last()?;
    let before = &points[points.len().saturating_sub(3)];
    let power = |from: &(f64, f64)| (last.1 / from.1).ln() / (last.0 / from.0).ln();
    let values = || points.iter().map(|point| point.1);
    let apart = values().fold(f64::MIN, f64::max) / values().fold(f64::MAX, f64::min);
    let times = last.1 / first.1;
    let order = if apart <= CONSTANT {
        format!("constant, all points being within {apart:.2} times")
    } else if (1.0 / CONSTANT..=CONSTANT).contains(&times) {
        format!("constant as far as these points tell, which are up to {apart:.2} times apart")
    } else if times < 1.0 {
        format!("it falls (its power is {:.2} over all)", power(first))
    } else {
        let power = power(before);
        let grows = match power {
            ..0.0 => "more than in the beginning, but it falls",
            ..LOGARITHMIC => "no more than logarithmic within noise",
            ..LINEAR => "less than linear",
            ..MORE => "linear",
            _ => "more than linear",
        };
        format!("{grows} at the end (its power is {power:.2} there)")
    };
    let (from, to) = (told(first.0), told(last.0));
    Some(format!("{times:.2} times from {from} to {to}: {order}."))
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
/// A logarithm has 0.07 from a hundred thousand to ten million, and 0.15 from a hundred to ten thousand;
/// what is noise adds 0.09 to it over a hundredfold.
const LOGARITHMIC: f64 = 0.2;
/// As far below one as [`MORE`] is above.
const LINEAR: f64 = 0.75;
const MORE: f64 = 1.25;
