-- Sessions -------------------------------------------------------------------------------------

local bad = {}
-- What decides, in one field "st" and in this order; then the operation, how long it may stay
-- unused (or "-"), and the generations that live.
local NUMBERS = {'c', 'la', 'rg', 'sp', 'g', 'p', 'ra', 'us', 'eu', 'ia', 'ax', 'ex', 'px', 'rp', 'rs',
  'ab', 'n'}
local STATE = '^' .. string.rep('(%d+) ', 17) .. '(%d+) ([%d-]+) ([%d:,]+)$'

local function unreadable(id)
  bad[#bad + 1] = id
  return nil
end

local function load(id)
  local flat = redis.pcall('HGETALL', P .. 's:' .. id)
  if flat.err then return unreadable(id) end
  if #flat == 0 then return nil end
  local r = {}
  for i = 1, #flat, 2 do
    r[flat[i]] = flat[i + 1]
    if flat[i] == 'st' then r.at = i + 1 end
  end
  local was = r.st and {string.match(r.st, STATE)}
  local sound = was and was[20] and r.u and r.seed and r.so and (not r.ea or r.er)
  if not sound then return unreadable(id) end
  for i, name in ipairs(NUMBERS) do
    local value = tonumber(was[i])
    if value > LIMIT then return unreadable(id) end
    r[name] = value
  end
  r.op, r.lv = was[18], was[20]
  if was[19] ~= '-' then
    r.il = number(was[19])
    sound = r.il
  end
  if r.ea then
    r.ea = number(r.ea)
    sound = sound and r.ea
  end
  if not sound then return unreadable(id) end
  r.id, r.flat, r.was = id, flat, was
  return r
end

-- A session as it is answered: as it stands by now.
local function raw(r) return {r.id, r.flat} end

local function raws(records)
  local out = {}
  for i, r in ipairs(records) do out[i] = raw(r) end
  return out
end

local function expired(r, at)
  if at >= r.ab or at >= r.ex then return 'expired' end
  if r.il and at >= plus(r.la, r.il) and not excused() then return 'idle' end
  return nil
end

local function over(r, revoked, at)
  if r.ea then return r.er end
  if revoked > math.max(r.rg, r.sp) then return 'user_revoked' end
  return expired(r, at)
end

local function due(r)
  local at = math.min(r.ab, r.ex)
  if r.il then at = math.min(at, plus(r.la, r.il)) end
  return at
end

-- Writes down what decides, as it has become.
local function save(r)
  local was = r.was
  for i, name in ipairs(NUMBERS) do
    if tonumber(was[i]) ~= r[name] then was[i] = text(r[name]) end
  end
  was[18], was[20] = r.op, r.lv
  local state = table.concat(was, ' ')
  r.flat[r.at] = state
  call('HSET', P .. 's:' .. r.id, 'st', state)
end

local function schedule(r) call('ZADD', P .. 'due', text(due(r)), r.id) end

-- The same where its time may have changed. What lasts longer is found out by the sweep, which
-- comes for it at its old time.
local function save_from(r, before)
  save(r)
  if due(r) < before then schedule(r) end
end

-- Takes an unreadable session out of every order that would meet it again and again.
local function disregard(id, user)
  call('ZREM', P .. 'due', id)
  call('ZREM', P .. 'open', id)
  if user and call('ZREM', P .. 'live:' .. user, id) == 1
    and call('EXISTS', P .. 'live:' .. user) == 0 then
    call('INCR', P .. 'went')
    keep(P .. 'went', KEEP)
  end
end

-- The sessions of a user that nobody ended, by id.
local function open_of(user)
  local out = {}
  for _, id in ipairs(call('ZRANGE', P .. 'live:' .. user, 0, -1)) do
    local r = load(id)
    if r and not r.ea and r.u == user then out[#out + 1] = r else disregard(id, user) end
  end
  return out
end

local function live_of(user, revoked)
  local out = {}
  for _, r in ipairs(open_of(user)) do
    if not over(r, revoked, now) then out[#out + 1] = r end
  end
  return out
end

local function leeway() return number(fleet[4]) or 60000000 end

-- Takes what has expired off the front, and what is more than 64 in all.
local function trimmed(living, leeway)
  while true do
    local exp, rest = string.match(living, '^%d+:(%d+),(.*)$')
    if not exp then return living end
    if tonumber(exp) + leeway > now then
      if #living < 576 or select(2, string.gsub(living, ',', '')) < 64 then return living end
    end
    living = rest
  end
end

-- Does what is asked for several times, each of `size` arguments or of as many as its first says.
-- Among others one that fails is left out: what the others did would not be undone.
local function each(step, size)
  local out, several = {}, false
  while base < #ARGV do
    local last = base + (size or number(arg(1)))
    several = several or last < #ARGV
    local well, answer = true, nil
    if several then well, answer = pcall(step) else answer = step() end
    out[#out + 1] = well and answer or {'failed'}
    base = last
  end
  return out
end

local function done(answer)
  if grew then call('PUBLISH', P .. 'news', '') end
  return {answer, bad}
end
