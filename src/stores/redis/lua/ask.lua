-- about, user, session, token, generation, revoked_gen, roles_gen, iat
local user, session, token = arg(2), arg(3), arg(4)
local generation, revoked_gen, roles_gen = number(arg(5)), number(arg(6)), number(arg(7))
local issued = number(arg(8))
local skew = number(fleet[5]) or 0

local function parse(line)
  local out = {}
  for part in string.gmatch(line .. '\n', '([^\n]*)\n') do out[#out + 1] = part end
  return out
end

-- A line that cannot be read, or that is not about the subject that it stands under, puts out all of that.
local function effect(line, subject)
  local f = line and parse(line) or {}
  local kind, below, at = f[1], number(f[6]), number(f[9])
  local function falls(own)
    if own then return own < below end
    return not issued or issued <= plus(at, 2 * skew)
  end
  if #f < 9 or #f > 10 or not at or f[2] ~= subject then return 'admin_revoked' end
  local named = kind == 'session' and 'session:' .. f[3] or kind == 'token' and 'token:' .. f[5] or 'user:' .. f[4]
  if named ~= subject then return 'admin_revoked' end
  if kind == 'session' or kind == 'token' then
    local same = kind == 'session' and f[3] == session or kind == 'token' and f[5] == token
    return same and (f[4] == '' or f[4] == user) and f[8] or nil
  end
  if not below then return 'admin_revoked' end
  if f[4] ~= user then return nil end
  if kind == 'roles' then return falls(roles_gen) and 'stale' or nil end
  if kind ~= 'user' then return 'admin_revoked' end
  if f[7] ~= '' and f[7] == session then return nil end
  return falls(revoked_gen) and f[8] or nil
end

local function logged()
  local subjects, answer = {}, nil
  if session ~= '' then subjects[#subjects + 1] = 'session:' .. session end
  if token ~= '' then subjects[#subjects + 1] = 'token:' .. token end
  subjects[#subjects + 1] = 'user:' .. user
  for _, subject in ipairs(subjects) do
    for _, id in ipairs(call('ZRANGE', P .. 'about:' .. subject, 0, -1)) do
      local what = stands(id) and effect(call('HGET', P .. 'entries', id), subject)
      if what and what ~= 'stale' then return what end
      answer = answer or what
    end
  end
  return answer
end

local what = logged()
if what == 'stale' then return done({'stale'}) end
if what then return done({'revoked', what}) end
if arg(1) == 'log' then return done({'alive'}) end

local r = session ~= '' and load(session)
if not r or r.u ~= user then return done({'unknown'}) end
local revoked, roles = counters(user)
local why = over(r, revoked, now)
if why then return done({'revoked', why}) end
if roles_gen and roles_gen < roles then return done({'stale'}) end
local used = generation == r.g and 1 or r.us
if r.eu == 0 or r.us ~= used then
  r.eu, r.us = 1, used
  save(r)
end
return done({'alive'})
