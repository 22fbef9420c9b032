-- user, from
local part, ids, last = call('XRANGE', P .. 'audit', arg(2), '+', 'COUNT', 1000), {}, false
for _, entry in ipairs(part) do
  last = entry[1]
  if entry[2][2] == arg(1) then ids[#ids + 1] = last end
end
if #ids > 0 then call('XDEL', P .. 'audit', unpack(ids)) end
return done(#part == 1000 and last)
