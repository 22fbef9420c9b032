-- retention, batch
purge()
local batch, before = arg(2), text(math.max(now - number(arg(1)), 0))
local over_now, ended, ids, waits = {}, {}, {}, false
for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', text(now), 'LIMIT', 0, batch)) do
  local r = load(id)
  local reason = r and not r.ea and expired(r, now)
  if reason then
    r.why = reason
    over_now[#over_now + 1] = r
  elseif r and not r.ea then
    schedule(r)
    waits = waits or due(r) <= now
  else
    disregard(id, r and r.u)
  end
end
-- In the order in which their time was over, which is not that of the places where they waited.
table.sort(over_now, function(a, b)
  if due(a) ~= due(b) then return due(a) < due(b) end
  return a.id < b.id
end)
for _, r in ipairs(over_now) do
  end_over(r, r.why, ids)
  ended[#ended + 1] = r
end
local out = raws(ended)
local old = call('ZRANGEBYSCORE', P .. 'ended', '-inf', '(' .. before, 'LIMIT', 0, batch)
for _, id in ipairs(old) do forget(id) end
-- Who is excused is still due, and would be for ever in this very sweep.
local more = not waits and call('ZCOUNT', P .. 'due', '-inf', text(now)) > 0
  or call('ZCOUNT', P .. 'ended', '-inf', '(' .. before) > 0
return done({out, #ids > 0 and committed(ids) or false, #old, more and 1 or 0})
