-- node, lease, cursor, history, probes. The lease is written before anything is read.
ensure()
polled(number(arg(2)))
local is = history()
local known = arg(4) ~= '' and arg(4) or is
call('HSET', P .. 'leases', arg(1), known .. ' ' .. text(plus(now, number(arg(2)))) .. ' ' .. arg(3))
keep(P .. 'leases', number(arg(2)))
purge()
local last = number(call('GET', P .. 'seq') or '0') or 0
local since = number(arg(3)) or 0
if known ~= is or since > last then since = 0 end
local new = {}
if since < last then
  new = lines(call('ZRANGEBYSCORE', P .. 'log', '(' .. text(since), '+inf'))
end
local missing = {}
for i = 5, #ARGV - 4 do
  if #lines({arg(i)}) == 0 then missing[#missing + 1] = arg(i) end
end
return done({text(now), is, text(last), new, missing})
