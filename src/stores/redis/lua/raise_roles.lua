-- user, entry
local user, entry = arg(1), arg(2)
purge()
local before = committed_before(entry)
if before then return done(before) end
local _, roles = counters(user)
local below = math.max(roles + 1, now)
raise(user, 'roles', below)
put_now(entry, {'roles', 'user:' .. user, '', user, '', text(below), '', 'roles_changed'})
return done(committed({entry}))
