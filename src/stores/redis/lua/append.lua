-- For each entry: id, kind, subject, session, user, token, below, except, reason, at, until.
purge()
local ids = {}
for i = 1, #ARGV - 4, 11 do
  local id, kind, session, user = arg(i), arg(i + 1), arg(i + 3), arg(i + 4)
  local below, reason = number(arg(i + 6)), arg(i + 8)
  if not stands(id) then
    if kind == 'roles' then
      raise(user, 'roles', below)
    elseif kind == 'user' then
      raise_and_put_out(user, below, arg(i + 7), reason, '', id)
    elseif kind == 'session' then
      local r = load(session)
      if r and not r.ea and (user == '' or r.u == user) then finish(r, reason, '', id) end
    end
  end
  local fields = {}
  for j = 1, 8 do fields[j] = arg(i + j) end
  fields[9] = arg(i + 9) == '0' and text(now) or arg(i + 9)
  local till = number(arg(i + 10))
  put(id, fields, till == 0 and until_when() or till)
  ids[#ids + 1] = id
end
return done(committed(ids))
