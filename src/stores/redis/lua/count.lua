return done(#live_of(arg(1), (counters(arg(1)))))
