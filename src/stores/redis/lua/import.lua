-- For each session: id, revoked_gen, roles_gen, how many fields, and the fields with their values.
-- What becomes of one that is here is what `SessionRecord::brought` says.
local function further(a, b)
  if a.g ~= b.g then return a.g > b.g end
  if a.ra ~= b.ra then return a.ra > b.ra end
  return a.la > b.la
end

-- The fields as they are kept, with what decides in one.
local function packed(fields)
  local out, state = {}, {}
  for name, value in pairs(fields) do out[name] = value end
  for i, name in ipairs(NUMBERS) do state[i], out[name] = fields[name], nil end
  state[18], state[19], state[20] = fields.op, fields.il or '-', fields.lv
  out.op, out.il, out.lv = nil, nil, nil
  out.st = table.concat(state, ' ')
  return out
end

-- And those of a session that is here, each by its name.
local function named(r)
  local out = {}
  for i = 1, #r.flat, 2 do out[r.flat[i]] = r.flat[i + 1] end
  out.st = nil
  for _, name in ipairs(NUMBERS) do out[name] = text(r[name]) end
  out.op, out.lv, out.il = r.op, r.lv, r.il and text(r.il)
  return out
end

-- Puts a session into the orders in which it is looked for.
local function enter(id)
  local r = load(id)
  if not r then return end
  local life = plus(math.max(r.ab - now, 0), KEEP)
  disregard(id, r.u)
  local orders = {'due', 'open', 'live:' .. r.u}
  if r.ea then
    orders = {'ended', 'past:' .. r.u}
    for _, name in ipairs(orders) do call('ZADD', P .. name, text(r.ea), id) end
    blacklist_session(r)
  else
    schedule(r)
    call('ZADD', P .. 'open', 0, id)
    if call('EXISTS', P .. 'live:' .. r.u) == 0 then
      call('INCR', P .. 'came')
      orders[#orders + 1] = 'came'
    end
    call('ZADD', P .. 'live:' .. r.u, 0, id)
  end
  call('HSET', P .. 'ops:' .. r.u, r.so, id)
  orders[#orders + 1] = 's:' .. id
  orders[#orders + 1] = 'ops:' .. r.u
  for _, name in ipairs(orders) do keep(P .. name, life) end
end

-- Writes the fields that differ, and says whether there were any.
local function write(id, fields)
  local here, flat, gone = {}, {}, {}
  fields = packed(fields)
  local have = call('HGETALL', P .. 's:' .. id)
  for i = 1, #have, 2 do here[have[i]] = have[i + 1] end
  for name, value in pairs(fields) do
    if here[name] ~= value then
      flat[#flat + 1] = name
      flat[#flat + 1] = value
    end
  end
  for name in pairs(here) do
    if not fields[name] then gone[#gone + 1] = name end
  end
  if #flat > 0 then call('HSET', P .. 's:' .. id, unpack(flat)) end
  if #gone > 0 then call('HDEL', P .. 's:' .. id, unpack(gone)) end
  if #flat + #gone > 0 then enter(id) end
  return #flat + #gone > 0
end

local function bring(id, fields, old)
  local new = {g = number(fields.g), ra = number(fields.ra), la = number(fields.la)}
  local highest = function(name) return text(math.max(old[name], number(fields[name]))) end
  local sp, eu = highest('sp'), highest('eu')
  local us = new.g == old.g and highest('us')
  if not fields.ea and further(old, new) then
    fields = named(old)
  elseif new.g == old.g then
    fields.lv = old.lv
  end
  fields.sp, fields.eu, fields.us = sp, eu, us or fields.us
  return write(id, fields)
end

local made, changed, kept, i = 0, 0, 0, 1
while i <= #ARGV - 4 do
  local id, count, fields = arg(i), number(arg(i + 3)), {}
  for j = i + 4, i + 3 + 2 * count, 2 do fields[arg(j)] = arg(j + 1) end
  raise(fields.u, 'revoked', number(arg(i + 1)))
  raise(fields.u, 'roles', number(arg(i + 2)))
  i = i + 4 + 2 * count
  if call('EXISTS', P .. 's:' .. id) == 0 then
    write(id, fields)
    made = made + 1
  else
    local old = load(id)
    local differs = old and not old.ea and old.u == fields.u and bring(id, fields, old)
    if differs then changed = changed + 1 else kept = kept + 1 end
  end
end
return done({text(made), text(changed), text(kept)})
