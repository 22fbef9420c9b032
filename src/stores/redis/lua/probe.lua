-- Tries what the other scripts do, on a key of its own; answers what is not permitted.
local key, denied = P .. 'probe', {}
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    denied[#denied + 1] = ({...})[1] .. ': ' .. answer.err
  end
end
try('TIME')
try('INFO', 'server')
try('HSET', key, 'a', '1')
try('HGET', key, 'a')
try('HMGET', key, 'a')
try('HGETALL', key)
try('HDEL', key, 'a')
try('ZADD', key, 1, 'a')
for _, command in ipairs({'ZSCORE', 'ZMSCORE'}) do try(command, key, 'a') end
for _, command in ipairs({'ZRANGE', 'ZREVRANGE'}) do try(command, key, 0, -1) end
for _, command in ipairs({'ZCOUNT', 'ZRANGEBYSCORE'}) do try(command, key, '-inf', '+inf') end
try('ZRANGEBYLEX', key, '-', '+')
try('ZREM', key, 'a')
try('INCR', key)
try('GET', key)
try('EXISTS', key)
try('PTTL', key)
try('PEXPIRE', key, 1000)
try('DEL', key)
try('PUBLISH', P .. 'news', '')
if ARGV[4] == '1' then
  try('SET', 'blacklist:probe', 'tower-jwt-session', 'PX', 1000)
  try('DEL', 'blacklist:probe')
end
return done(denied)
