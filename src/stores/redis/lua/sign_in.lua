-- user, id, revoked_gen, seed, operation, iat, exp, refresh, absolute, idle, max, policy, then
-- the fields that are only kept
local user, id, operation = arg(1), arg(2), arg(5)
local revoked = counters(user)
local made = call('HGET', P .. 'ops:' .. user, operation)
local before = made and load(made)
if before then
  if over(before, revoked, now) then return done({'superseded'}) end
  return done({'repeated', raw(made)})
end
if revoked ~= number(arg(3)) then return done({'outdated'}) end
if call('EXISTS', P .. 's:' .. id) == 1 then return done({'taken'}) end
purge()
local first = call('EXISTS', P .. 'live:' .. user, P .. 'past:' .. user) == 0

local live, ended, ids = {}, {}, {}
for _, r in ipairs(open_of(user)) do
  local reason = expired(r, now)
  if reason then
    end_over(r, reason, ids)
    ended[#ended + 1] = r.id
  elseif not over(r, revoked, now) then
    live[#live + 1] = r
  end
end
local max = number(arg(11))
local excess = max > 0 and #live - (max - 1) or 0
if excess > 0 then
  if arg(12) == 'reject' then
    return done({'limit', raws(ended), #ids > 0 and committed(ids) or false})
  end
  table.sort(live, function(a, b)
    if a.eu ~= b.eu then return a.eu < b.eu end
    if a.la ~= b.la then return a.la < b.la end
    if a.c ~= b.c then return a.c < b.c end
    return a.id < b.id
  end)
  for i = 1, excess do
    end_over(live[i], 'evicted', ids)
    ended[#ended + 1] = live[i].id
  end
end

local absolute = plus(now, number(arg(9)))
local access = math.min(number(arg(7)), absolute)
local r = {id = id}
local fields = {
  u = user, seed = arg(4), so = operation, c = now, la = now, aa = now, rg = revoked, sp = 0,
  g = 1, p = 0, ra = number(arg(6)), us = 0, eu = 0, ia = number(arg(6)), ax = access,
  ex = math.min(plus(now, number(arg(8))), absolute), px = 0, op = '0', rp = 0, rs = 0,
  ab = absolute, n = 0, lv = '1:' .. text(access),
}
if arg(10) ~= '' then fields.il = number(arg(10)) end
for i = 13, #ARGV - 4, 2 do fields[arg(i)] = arg(i + 1) end
set(r, fields)
schedule(r)
call('ZADD', P .. 'open', 0, id)
if call('EXISTS', P .. 'live:' .. user) == 0 then call('INCR', P .. 'came') end
call('ZADD', P .. 'live:' .. user, 0, id)
call('HSET', P .. 'ops:' .. user, operation, id)
local life = plus(absolute - now, KEEP)
for _, name in ipairs({'s:' .. id, 'due', 'open', 'live:' .. user, 'ops:' .. user, 'came'}) do
  keep(P .. name, life)
end
return done({'created', raw(id), raws(ended), #ids > 0 and committed(ids) or false, first and '1' or '0'})
