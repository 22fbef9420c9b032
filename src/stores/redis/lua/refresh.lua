-- session, seed, generation, operation, iat, exp, grace, lifetime, revoke_predecessor, entry,
-- whether there is no grace at all
local id, generation, operation, entry = arg(1), number(arg(3)), arg(4), arg(10)
local grace, lifetime, strict = number(arg(7)), number(arg(8)), arg(11) == '1'
local r = load(id)
if not r or r.seed ~= arg(2) then return done({'unknown'}) end
purge()

if r.ea then
  local before = committed_before(entry)
  if before and r.er == 'refresh_reused' then return done({'reused', raw(id), before}) end
  return done({'over', r.er, before and raw(id) or false, before})
end

local function end_found(reason)
  finish(r, reason, '', entry)
  put_session(entry, r, reason)
  return committed({entry})
end

local revoked, roles = counters(r.u)
local why = over(r, revoked, now)
if why then
  if not expired(r, now) then return done({'over', why, false, false}) end
  local written = end_found(why)
  return done({'over', why, raw(id), written})
end

local function theft()
  local written = end_found('refresh_reused')
  return done({'reused', raw(id), written})
end

local function within(start, window) return not strict and now < plus(start, window) end

local function grant(how, written)
  return done({'granted', raw(id), text(revoked), text(roles), how, written or false})
end

local function repeated(how, changes)
  local since, count = r.rs, r.rp
  if not (since <= now and within(since, grace)) then since, count = now, 0 end
  if count >= 200 then return done({'too_many'}) end
  changes.rs, changes.rp = since, count + 1
  set(r, changes)
  schedule(r)
  return grant(how, committed_before(entry))
end

local function advance(how, after, changes, skipped)
  if after >= 4294967295 then return theft() end
  local out = skipped or (arg(9) == '1' and generation) or nil
  if out then
    local token = token_id(id, out)
    put_now(entry, {'token', 'token:' .. token, '', r.u, token, '', '', 'replaced'})
  end
  local kept = {}
  for _, of in ipairs(living(r, leeway())) do
    if of[1] == out then blacklist(id, out, of[2])
    elseif of[1] <= after then kept[#kept + 1] = of[1] .. ':' .. text(of[2]) end
  end
  changes.g, changes.ra, changes.us, changes.eu, changes.op = after + 1, now, 0, 1, operation
  changes.ia, changes.ax = number(arg(5)), math.min(number(arg(6)), r.ab)
  changes.ex = math.min(plus(now, lifetime), r.ab)
  changes.n = math.min(r.n + 1, 4294967295)
  kept[#kept + 1] = text(after + 1) .. ':' .. text(changes.ax)
  changes.lv = table.concat(kept, ',', math.max(1, #kept - 63))
  set(r, changes)
  schedule(r)
  return grant(how, out and committed({entry}))
end

if generation > r.g then
  return advance('forwarded', generation,
    {p = generation, px = math.min(plus(now, lifetime), r.ab)})
end
if generation == r.g then
  if r.p ~= 0 and within(r.ra, 2 * grace) then return repeated('hold_off', {us = 1, eu = 1}) end
  return advance('rotated', r.g, {p = r.g, px = r.ex})
end
if generation == 0 or generation ~= r.p then return theft() end
if operation ~= '0' and operation == r.op then return repeated('same_operation', {}) end
if now >= plus(r.px, grace) then return done({'over', 'expired', false, false}) end
if strict then return theft() end
if within(r.ra, grace) then
  return repeated('predecessor', r.us == 0 and {ra = now} or {})
end
if r.us == 1 then return theft() end
return advance('replaced', r.g, {}, r.g)
