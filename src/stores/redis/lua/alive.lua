-- What is asked most, before anything else is made ready: a session that stands, of whose user nothing is
-- in the log. Whatever is not as plain as that is for the whole script to judge, which follows.
local function plainly_alive()
  local P, call = string.sub(KEYS[1], 1, -6), redis.call
  local user, session, token = ARGV[6], ARGV[7], ARGV[8]
  local roles_gen, LIMIT = tonumber(ARGV[11]) or 0, 9007199254740991
  local about = P .. 'about:'
  if call('EXISTS', about .. 'user:' .. user, about .. 'session:' .. session, about .. 'token:' .. token) > 0 then
    return false
  end
  if ARGV[5] == 'log' then return true end
  local key = P .. 's:' .. session
  if session == '' then return false end
  local s = redis.pcall('HMGET', key, 'st', 'u', 'seed', 'so', 'ea')
  if not s[1] or s[2] ~= user or not s[3] or not s[4] or s[5] then return false end
  local was = {string.match(s[1], '^' .. string.rep('(%d+) ', 17) .. '%d+ ([%d-]+) [%d:,]+$')}
  if not was[18] or #was[18] > 16 then return false end
  for i = 1, 17 do
    was[i] = tonumber(was[i])
    if was[i] > LIMIT then return false end
  end
  local gen = call('HMGET', P .. 'gen:' .. user, 'revoked', 'roles')
  for i = 1, 2 do
    local value = gen[i] or '0'
    if #value > 16 or not string.match(value, '^%d+$') then return false end
    gen[i] = tonumber(value)
  end
  local now = tonumber(ARGV[1])
  if not now then
    local t = call('TIME')
    now = t[1] * 1000000 + t[2]
  end
  local idle = was[18] == '-' and LIMIT or was[2] + (tonumber(was[18]) or 0)
  -- The counters; the ends; that its use is noted.
  return gen[1] <= math.max(was[3], was[4]) and (ARGV[11] == '' or roles_gen >= gen[2])
    and now < was[12] and now < was[16] and now < idle
    and was[9] == 1 and (was[8] == 1 or ARGV[9] ~= string.format('%d', was[5]))
end
if plainly_alive() then return {{'alive'}, {}} end

