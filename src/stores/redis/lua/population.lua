local function people(of) return number(call('GET', P .. of) or '0') end
local live = call('ZCOUNT', P .. 'due', '(' .. text(now), '+inf')
return done({text(live), text(math.max(people('came') - people('went'), 0))})
