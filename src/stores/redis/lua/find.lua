local r = load(arg(1))
return done(r and raw(r) or false)
