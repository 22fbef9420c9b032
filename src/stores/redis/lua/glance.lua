-- history, cursor: what is new, read without a write.
local new = {}
if fleet[2] and history() == arg(1) then
  new = lines(call('ZRANGEBYSCORE', P .. 'log', '(' .. text(number(arg(2)) or 0), '+inf'))
end
return done({text(now), new})
