-- For each entry: id, user, session, text.
local ids, stream = P .. 'audit:ids', P .. 'audit'
local place = text(math.floor(now / 1000)) .. '-*'
for i = 1, #ARGV - 4, 4 do
  if not call('ZSCORE', ids, arg(i)) then
    local fields = {'user', arg(i + 1), 'session', arg(i + 2), 'entry', arg(i + 3)}
    -- A clock that was set back gives no place after the last.
    local added = redis.pcall('XADD', stream, place, unpack(fields))
    if type(added) == 'table' and added.err then call('XADD', stream, '*', unpack(fields)) end
    -- Known only once it is there.
    call('ZADD', ids, text(now), arg(i))
  end
end
-- Whoever repeats a write does so soon.
call('ZREMRANGEBYRANK', ids, 0, -10001)
keep(stream, KEEP)
keep(ids, KEEP)
return done(1)
