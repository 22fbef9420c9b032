-- history, cursor: what is new, read without a write, and up to where that is all.
local new, last = {}, false
if fleet[2] and history() == arg(1) then
  local since = number(arg(2)) or 0
  last = number(call('GET', P .. 'seq') or '0') or 0
  -- Nobody else is answered meanwhile: of a long log the poll reads the rest.
  local PIECE = 2000
  local ids = call('ZRANGEBYSCORE', P .. 'log', '(' .. text(since), '+inf', 'LIMIT', 0, PIECE)
  if #ids == PIECE then last = tonumber(call('ZSCORE', P .. 'log', ids[PIECE])) end
  -- A log that ends before has lost something, which is for the poll to find.
  if since > last then last = false end
  new = lines(ids)
end
return done({text(now), new, last and text(last)})
