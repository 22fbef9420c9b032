return done(load(arg(1)) and raw(arg(1)) or false)
