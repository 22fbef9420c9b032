-- which, from, how many of that instant were read, limit
local limit, out, ids = number(arg(4)), {}, {}
local from, read = arg(2), number(arg(3))
if arg(1) == 'open' then
  ids = call('ZRANGEBYLEX', P .. 'open', from == '' and '-' or '(' .. from, '+', 'LIMIT', 0, limit)
  from = ids[#ids] or ''
else
  local start = from == '' and '-inf' or from
  local flat = call('ZRANGEBYSCORE', P .. 'ended', start, '+inf', 'WITHSCORES', 'LIMIT', read, limit)
  for i = 1, #flat, 2 do
    ids[#ids + 1] = flat[i]
    local at = text(tonumber(flat[i + 1]))
    if at == from then read = read + 1 else from, read = at, 1 end
  end
end
for _, id in ipairs(ids) do
  local r = load(id)
  if r then
    local revoked, roles = counters(r.u)
    out[#out + 1] = {raw(r), text(revoked), text(roles)}
  end
end
return done({out, #ids < limit and 1 or 0, from, text(read), #bad})
