//! Which of many tokens come, as those of real users do.

/// Numbers below `tokens`, the n-th most frequent as often as 1/n says.
pub fn zipf(tokens: usize, draws: usize) -> Vec<u32> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=tokens)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(7);
    // Neighbours in rank are not to be neighbours in memory.
    let mut places: Vec<u32> = (0..tokens as u32).collect();
    random.shuffle(&mut places);
    (0..draws)
        .map(|_| {
            let drawn = random.f64() * sum;
            places[sums.partition_point(|at| *at < drawn).min(tokens - 1)]
        })
        .collect()
}
