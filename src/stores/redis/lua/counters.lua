local revoked, roles = counters(arg(1))
return done({text(revoked), text(roles)})
