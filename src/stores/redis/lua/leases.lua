return done(leases())
