-- user, after, limit
local limit, out = number(arg(3)), {}
local key = arg(1) == '' and P .. 'open' or P .. 'live:' .. arg(1)
local from = arg(2) == '' and '-' or '(' .. arg(2)
repeat
  local ids = call('ZRANGEBYLEX', key, from, '+', 'LIMIT', 0, limit + 1)
  for _, id in ipairs(ids) do
    local r = load(id)
    if r and not over(r, (counters(r.u)), now) then out[#out + 1] = raw(r) end
    from = '(' .. id
    if #out > limit then break end
  end
until #out > limit or #ids <= limit
return done(out)
