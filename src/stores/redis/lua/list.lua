-- user, which
local user, out = arg(1), {}
if arg(2) == 'ended' then
  for _, id in ipairs(call('ZREVRANGE', P .. 'past:' .. user, 0, -1)) do
    local r = load(id)
    if r then out[#out + 1] = raw(r) end
  end
else
  for _, r in ipairs(live_of(user, (counters(user)))) do out[#out + 1] = raw(r) end
end
return done(out)
