-- For each: how many there are of its own, this included, then user, id, revoked_gen, seed, operation,
-- iat, exp, refresh, absolute, idle, max, policy, then the fields that are only kept
local function sign_in()
  local count = number(arg(1))
  local user, id, operation = arg(2), arg(3), arg(6)
  local session, live_of_user, operations = P .. 's:' .. id, P .. 'live:' .. user, P .. 'ops:' .. user
  local revoked = counters(user)
  local made = call('HGET', operations, operation)
  local before = made and load(made)
  if before then
    if over(before, revoked, now) then return {'superseded'} end
    return {'repeated', raw(before)}
  end
  if revoked ~= number(arg(4)) then return {'outdated'} end
  if call('EXISTS', session) == 1 then return {'taken'} end
  local first = call('EXISTS', live_of_user, P .. 'past:' .. user) == 0

  local live, ended, ids = {}, {}, {}
  for _, r in ipairs(first and {} or open_of(user)) do
    local reason = expired(r, now)
    if reason then
      writing().end_over(r, reason, ids)
      ended[#ended + 1] = r
    elseif not over(r, revoked, now) then
      live[#live + 1] = r
    end
  end
  local max = number(arg(12))
  local excess = max > 0 and #live - (max - 1) or 0
  if excess > 0 then
    if arg(13) == 'reject' then
      return {'limit', raws(ended), #ids > 0 and writing().committed(ids) or false}
    end
    table.sort(live, function(a, b)
      if a.eu ~= b.eu then return a.eu < b.eu end
      if a.la ~= b.la then return a.la < b.la end
      if a.c ~= b.c then return a.c < b.c end
      return a.id < b.id
    end)
    for i = 1, excess do
      writing().end_over(live[i], 'evicted', ids)
      ended[#ended + 1] = live[i]
    end
  end

  local absolute = plus(now, number(arg(10)))
  local access = text(math.min(number(arg(8)), absolute))
  local expires = math.min(plus(now, number(arg(9))), absolute)
  local idle = number(arg(11))
  -- As NUMBERS has it, from "c" to "n", and what follows.
  local state = table.concat({text(now), text(now), text(revoked), '0 1 0', arg(7), '0 0', arg(7),
    access, text(expires), '0 0 0', text(absolute), '0 0', idle and arg(11) or '-', '1:' .. access}, ' ')
  call('HSET', session, 'st', state, 'u', user, 'seed', arg(5), 'so', operation, 'aa', text(now),
    unpack(ARGV, base + 14, base + count))
  call('ZADD', P .. 'due', text(math.min(expires, idle and plus(now, idle) or LIMIT)), id)
  call('ZADD', P .. 'open', 0, id)
  call('ZADD', live_of_user, 0, id)
  local is_back = first or call('ZCARD', live_of_user) == 1
  if is_back then call('INCR', P .. 'came') end
  call('HSET', operations, operation, id)
  local life = plus(absolute - now, KEEP)
  keep_new(session, life)
  -- Both have the same members.
  if call('PTTL', P .. 'due') < plus(life, MARGIN / 2) / 1000 then
    keep_new(P .. 'due', life)
    keep_new(P .. 'open', life)
  end
  local keep_of_user = first and keep_new or keep
  keep_of_user(live_of_user, life)
  keep_of_user(operations, life)
  if is_back then keep(P .. 'came', life) end
  return {'created', text(now), raws(ended), #ids > 0 and writing().committed(ids) or false, first and '1' or '0'}
end

return done(each(sign_in))
