-- keep, most, batch
local stream, batch = P .. 'audit', number(arg(3))
local function remove(to, many)
  local ids = {}
  for _, entry in ipairs(call('XRANGE', stream, '-', to, 'COUNT', many)) do
    ids[#ids + 1] = entry[1]
  end
  if #ids > 0 then call('XDEL', stream, unpack(ids)) end
  return #ids
end
local before = math.floor(math.max(now - number(arg(1)), 0) / 1000)
local removed = remove('(' .. text(before) .. '-0', batch)
local over = math.min(call('XLEN', stream) - number(arg(2)), batch)
if over > 0 then removed = removed + remove('+', text(over)) end
return done(removed >= batch and 1 or 0)
