-- node, lease, cursor, history, probes. The lease is written before anything is read; without one,
-- what follows in a log that is too long for one answer.
ensure()
local is = history()
local known = arg(4) ~= '' and arg(4) or is
if arg(2) ~= '' then
  polled(number(arg(2)))
  call('HSET', P .. 'leases', arg(1), known .. ' ' .. text(plus(now, number(arg(2)))) .. ' ' .. arg(3))
  keep(P .. 'leases', number(arg(2)))
  purge()
end
local last = number(call('GET', P .. 'seq') or '0') or 0
local since = number(arg(3)) or 0
if known ~= is or since > last then since = 0 end
-- Nobody else is answered meanwhile, so a long log is told in pieces.
local PIECE = 2000
local new, more = {}, 0
if since < last then
  local ids = call('ZRANGEBYSCORE', P .. 'log', '(' .. text(since), '+inf', 'LIMIT', 0, PIECE)
  if #ids == PIECE then
    last, more = tonumber(call('ZSCORE', P .. 'log', ids[PIECE])), 1
  end
  new = lines(ids)
end
local missing = {}
for i = 5, #ARGV - 4 do
  if #lines({arg(i)}) == 0 then missing[#missing + 1] = arg(i) end
end
return done({text(now), is, text(last), new, missing, more})
