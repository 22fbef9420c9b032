-- user, session, before, limit, how many to look at
local user, session, limit, look = arg(1), arg(2), number(arg(4)), number(arg(5))
local out, seen, last, all = {}, 0, arg(3), false
while #out < limit and seen < look and not all do
  local part = call('XREVRANGE', P .. 'audit', last, '-', 'COUNT', 500)
  all = #part < 500
  for _, entry in ipairs(part) do
    local f = entry[2]
    last, seen = '(' .. entry[1], seen + 1
    if (user == '' or f[2] == user) and (session == '' or f[4] == session) then
      out[#out + 1] = {entry[1], f[6] or ''}
      if #out == limit then
        all = false
        break
      end
    end
  end
end
return done({out, not all and seen > 0 and string.sub(last, 2)})
