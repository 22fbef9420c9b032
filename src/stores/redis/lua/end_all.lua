-- user, except, reason, by, entry, erase
local user, except, reason, entry = arg(1), arg(2), arg(3), arg(5)
purge()
local before = committed_before(entry)
if before then
  local ended = {}
  for _, id in ipairs(call('ZREVRANGE', P .. 'past:' .. user, 0, -1)) do
    local r = load(id)
    if r and r.ee == entry then ended[#ended + 1] = raw(r) end
  end
  return done({'ended', ended, before})
end
local revoked = counters(user)
if except ~= '' then
  local stays = load(except)
  if not stays or stays.u ~= user or over(stays, revoked, now) then return done({'dead'}) end
end
local below = math.max(revoked + 1, now)
local out = raws(raise_and_put_out(user, below, except, reason, arg(4), entry))
put_now(entry, {'user', 'user:' .. user, '', user, '', text(below), except, reason})
local written = committed({entry})
if arg(6) == '1' then
  for _, id in ipairs(call('ZRANGE', P .. 'past:' .. user, 0, -1)) do
    forget(id)
    call('ZREM', P .. 'past:' .. user, id)
  end
end
return done({'ended', out, written})
