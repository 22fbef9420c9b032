-- What every script begins with. Everything is read and judged before the first write, since
-- nothing is undone when a script fails.
--
-- KEYS[1]  the fleet's hash, whose name ends in "fleet"
-- KEYS[2]  a key of the same part that is never there: while a cluster moves the part, it lets no
--          script begin, on either side
-- ARGV     1 an instant instead of the server's, 2 a fresh id, 3 the deployment,
--          4 whether ended tokens are listed under "blacklist:", from 5 on what the verb takes;
--          where that is taken several times, `base` moves on
local P = string.sub(KEYS[1], 1, -6)
local call = redis.call
local LIMIT = 9007199254740991
local DAY = 86400000000
-- What no sweep came for goes by itself so long after its session's absolute end.
local KEEP = 400 * DAY
local MARGIN = DAY / 24
local SETTLING = 30000000
local AHEAD = 10000000

local base = 4
local function arg(i) return ARGV[base + i] end
local function text(v) return string.format('%d', v) end
local function plus(a, b) return math.min(a + b, LIMIT) end
local function number(s)
  if type(s) ~= 'string' or #s > 16 or not string.match(s, '^%d+$') then return nil end
  return tonumber(s)
end

local now = number(ARGV[1])
if not now then
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end

local function keep_new(key, life)
  call('PEXPIRE', key, text(math.ceil(plus(life, MARGIN) / 1000)))
end

-- A margin of which half may be used up: not every write has to move the end.
local function keep(key, life)
  if call('PTTL', key) < plus(life, MARGIN / 2) / 1000 then keep_new(key, life) end
end

-- The fleet ------------------------------------------------------------------------------------

local fleet = call('HMGET', KEYS[1], 'deployment', 'history', 'access', 'leeway', 'skew',
  'covered', 'settles', 'highest')

-- Being unused is excused in a time that no lease covered, and until the uses of that time were
-- written down.
local covered, settles = number(fleet[6]) or 0, number(fleet[7]) or 0

-- No less than what the clock has shown to any poll: from there an entry lives, which else would be
-- over at once when a clock that was behind is set right. Written down ahead, and so seldom.
local highest = number(fleet[8]) or 0

local function lapsed() return covered > 0 and now >= covered end

local function excused() return lapsed() or now < settles end

-- Users ----------------------------------------------------------------------------------------

-- A counter that cannot be read puts everything out.
local function counters(user)
  local c = call('HMGET', P .. 'gen:' .. user, 'revoked', 'roles')
  local function read(v)
    if not v then return 0 end
    return number(v) or LIMIT
  end
  return read(c[1]), read(c[2])
end

-- Whether the log has grown, of which everybody is told.
local grew = false
