-- retention, batch
purge()
local batch, before = arg(2), text(math.max(now - number(arg(1)), 0))
local ended, ids, waits = {}, {}, false
for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', text(now), 'LIMIT', 0, batch)) do
  local r = load(id)
  local reason = r and not r.ea and expired(r, now)
  if reason then
    end_over(r, reason, ids)
    ended[#ended + 1] = r
  elseif r and not r.ea then
    schedule(r)
    waits = waits or due(r) <= now
  else
    disregard(id, r and r.u)
  end
end
local out = raws(ended)
local old = call('ZRANGEBYSCORE', P .. 'ended', '-inf', '(' .. before, 'LIMIT', 0, batch)
for _, id in ipairs(old) do forget(id) end
-- Who is excused is still due, and would be for ever in this very sweep.
local more = not waits and call('ZCOUNT', P .. 'due', '-inf', text(now)) > 0
  or call('ZCOUNT', P .. 'ended', '-inf', '(' .. before) > 0
return done({out, #ids > 0 and committed(ids) or false, #old, more and 1 or 0})
