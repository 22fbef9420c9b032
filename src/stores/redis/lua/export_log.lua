-- The whole log, without a lease.
return done({text(now), lines(call('ZRANGE', P .. 'log', 0, -1))})
