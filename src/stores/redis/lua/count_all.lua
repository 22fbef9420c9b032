return done(call('ZCARD', P .. 'open'))
