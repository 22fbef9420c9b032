return done(committed({}))
