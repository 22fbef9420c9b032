-- Sessions -------------------------------------------------------------------------------------

local bad = {}
local NUMBERS = {'c', 'la', 'aa', 'rg', 'sp', 'g', 'p', 'ra', 'us', 'eu', 'ia', 'ax', 'ex', 'px',
  'rp', 'rs', 'ab', 'n'}

local function load(id)
  local flat = redis.pcall('HGETALL', P .. 's:' .. id)
  if not flat.err and #flat == 0 then return nil end
  local r = {}
  if not flat.err then
    for i = 1, #flat, 2 do r[flat[i]] = flat[i + 1] end
  end
  local sound = r.u and r.seed and r.op and r.so and r.lv and (not r.ea or r.er)
  for _, name in ipairs(NUMBERS) do
    r[name] = number(r[name])
    sound = sound and r[name]
  end
  for _, name in ipairs({'il', 'ea'}) do
    if r[name] then
      r[name] = number(r[name])
      sound = sound and r[name]
    end
  end
  if not sound then
    bad[#bad + 1] = id
    return nil
  end
  r.id = id
  return r
end

local function raw(id) return {id, call('HGETALL', P .. 's:' .. id)} end

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

local function set(r, changes)
  local flat = {}
  for name, value in pairs(changes) do
    r[name] = value
    flat[#flat + 1] = name
    flat[#flat + 1] = type(value) == 'number' and text(value) or value
  end
  call('HSET', P .. 's:' .. r.id, unpack(flat))
end

local function schedule(r) call('ZADD', P .. 'due', text(due(r)), r.id) end

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

local function finish(r, reason, by, entry)
  local change = {ea = now, er = reason, ee = entry}
  if by ~= '' then change.eb = by end
  set(r, change)
  disregard(r.id, r.u)
  call('ZADD', P .. 'ended', text(now), r.id)
  call('ZADD', P .. 'past:' .. r.u, text(now), r.id)
  local life = plus(math.max(r.ab - now, 0), KEEP)
  keep(P .. 'ended', life)
  keep(P .. 'past:' .. r.u, life)
  blacklist_session(r)
end

local function forget(id)
  local of = call('HMGET', P .. 's:' .. id, 'u', 'so')
  call('ZREM', P .. 'ended', id)
  disregard(id, of[1])
  if of[1] then
    call('ZREM', P .. 'past:' .. of[1], id)
    if of[2] then call('HDEL', P .. 'ops:' .. of[1], of[2]) end
  end
  call('DEL', P .. 's:' .. id)
end

-- Ends what is over or gives way by lines of its own; their names.
local function end_over(r, reason, ids)
  local id = mint()
  finish(r, reason, '', id)
  put_session(id, r, reason)
  ids[#ids + 1] = id
end

local function raise_and_put_out(user, below, except, reason, by, entry)
  raise(user, 'revoked', below)
  local out = {}
  for _, r in ipairs(open_of(user)) do
    if r.id == except then
      set(r, {sp = math.max(r.sp, below)})
    elseif r.rg < below then
      local why = expired(r, now) or reason
      finish(r, why, why == reason and by or '', entry)
      out[#out + 1] = r.id
    end
  end
  return out
end

local function raws(ids)
  local out = {}
  for i, id in ipairs(ids) do out[i] = raw(id) end
  return out
end

local function done(answer)
  if grew then call('PUBLISH', P .. 'news', '') end
  return {answer, bad}
end
