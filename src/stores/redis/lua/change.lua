-- session, user, then fields and values; an empty value is none
local r = load(arg(1))
if not r or r.u ~= arg(2) or over(r, (counters(r.u)), now) then return done(false) end
for i = 3, #ARGV - 4, 2 do
  if arg(i + 1) == '' then
    call('HDEL', P .. 's:' .. r.id, arg(i))
  else
    call('HSET', P .. 's:' .. r.id, arg(i), arg(i + 1))
  end
end
return done(raw(load(r.id)))
