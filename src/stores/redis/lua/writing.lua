-- The fleet ------------------------------------------------------------------------------------

local function ensure()
  if fleet[1] and fleet[2] then return end
  call('HSET', KEYS[1], 'version', '1', 'deployment', ARGV[3], 'history', ARGV[2])
  fleet[1], fleet[2] = ARGV[3], ARGV[2]
end

-- Another run of the server is another history: only the server that said "written" can say
-- that it still has everything.
local function history()
  local run = string.match(call('INFO', 'server'), 'run_id:(%x+)')
  return string.sub(redis.sha1hex(fleet[2] .. run), 1, 32)
end

local function polled(lease)
  if now >= highest then
    highest = plus(now, AHEAD)
    call('HSET', KEYS[1], 'highest', text(highest))
  end
  if lapsed() then
    settles = plus(now, SETTLING)
  elseif covered >= plus(now, math.floor(lease / 2)) then
    return
  end
  covered = plus(now, lease)
  call('HSET', KEYS[1], 'covered', text(covered), 'settles', text(settles))
end

local function entry_lifetime()
  local access, leeway, skew = number(fleet[3]), number(fleet[4]), number(fleet[5])
  if access and leeway and skew then return access + leeway + 4 * skew end
  return DAY + 300000000
end

local function until_when() return plus(math.max(now, highest), entry_lifetime()) end

local function leases()
  local out, flat = {}, call('HGETALL', P .. 'leases')
  for i = 1, #flat, 2 do
    local till = number(string.match(flat[i + 1], '^%x+ (%d+) '))
    if till and till > now then
      out[#out + 1] = flat[i]
      out[#out + 1] = flat[i + 1]
    else
      call('HDEL', P .. 'leases', flat[i])
    end
  end
  return out
end

-- The log --------------------------------------------------------------------------------------

local minted = 0

local function mint()
  minted = minted + 1
  return string.sub(ARGV[2], 1, 24) .. string.format('%08x', minted)
end

-- A line is nine texts, and until when it must be known: who reads many need not ask `until`. Where it
-- says that it is over, or says nothing, `until` decides; where that has nothing, the line does.
local LINE = '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n(%d+)$'

local function about(line)
  return line and string.match(line, '^[^\n]*\n([^\n]*)')
end

local function subject_of(id)
  return about(call('HGET', P .. 'entries', id))
end

local function drop(id)
  local subject = subject_of(id)
  if subject then call('ZREM', P .. 'about:' .. subject, id) end
  call('HDEL', P .. 'entries', id)
  call('ZREM', P .. 'log', id)
  call('ZREM', P .. 'until', id)
end

local function purge()
  local over = call('ZRANGEBYSCORE', P .. 'until', '-inf', text(now), 'LIMIT', 0, 100)
  for _, id in ipairs(over) do drop(id) end
end

-- Until when an entry must be known; nothing where that is over.
local function stands(id)
  local till = call('ZSCORE', P .. 'until', id)
  if till then
    till = tonumber(till)
  else
    local line = call('HGET', P .. 'entries', id)
    till = line and number(string.match(line, LINE))
  end
  return till and till > now and till
end

local function keep_log(subject, till)
  local life = math.max(till - now, 0)
  for _, name in ipairs({'entries', 'log', 'until', 'about:' .. subject}) do keep(P .. name, life) end
end

-- Writes a line, or prolongs the one of the same name; one that has lost a part is written anew.
local function put(id, fields, till)
  local subject = fields[2]
  local old = stands(id)
  if old then
    local line, place = call('HGET', P .. 'entries', id), call('ZSCORE', P .. 'log', id)
    if line and place then
      if old < till then
        call('ZADD', P .. 'until', text(till), id)
        local said = string.match(line, LINE)
        if said then
          call('HSET', P .. 'entries', id, string.sub(line, 1, -1 - #said) .. text(till))
        end
        keep_log(about(line) or subject, till)
      end
      return
    end
    till = math.max(old, till)
  end
  drop(id)
  local place = call('INCR', P .. 'seq')
  call('ZADD', P .. 'log', place, id)
  call('ZADD', P .. 'until', text(till), id)
  call('HSET', P .. 'entries', id, table.concat(fields, '\n') .. '\n' .. text(till))
  call('ZADD', P .. 'about:' .. subject, place, id)
  keep_log(subject, till)
  grew = true
end

local function put_now(id, fields)
  fields[9] = text(now)
  put(id, fields, until_when())
end

local function put_session(id, r, reason)
  put_now(id, {'session', 'session:' .. r.id, r.id, r.u, '', '', '', reason})
end

-- Lines as they stand, a batch at a time.
local function lines(ids)
  local out = {}
  for from = 1, #ids, 1000 do
    local part = {unpack(ids, from, math.min(from + 999, #ids))}
    local places = call('ZMSCORE', P .. 'log', unpack(part))
    local texts = call('HMGET', P .. 'entries', unpack(part))
    for i, id in ipairs(part) do
      local till = texts[i] and number(string.match(texts[i], LINE))
      if texts[i] and not (till and till > now) then till = stands(id) end
      if till and places[i] then
        out[#out + 1] = {id, text(tonumber(places[i])), text(till), texts[i]}
      end
    end
  end
  return out
end

-- What a writer learns of lines that the log holds, and the word to everybody that it grew.
local function committed(ids)
  ensure()
  return {text(now), history(), lines(ids), leases()}
end

local function committed_before(id)
  return stands(id) and committed({id}) or false
end

-- Ends -----------------------------------------------------------------------------------------

local function raise(user, name, to)
  local revoked, roles = counters(user)
  local old = name == 'revoked' and revoked or roles
  local key = P .. 'gen:' .. user
  if to > old then call('HSET', key, name, text(to)) end
  keep(key, plus(entry_lifetime(), KEEP))
end

local function finish(r, reason, by, entry)
  local change = {'ea', text(now), 'er', reason, 'ee', entry}
  if by ~= '' then change[7], change[8] = 'eb', by end
  call('HSET', P .. 's:' .. r.id, unpack(change))
  for _, part in ipairs(change) do r.flat[#r.flat + 1] = part end
  r.ea, r.er, r.ee = now, reason, entry
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
  if #ids == 0 then purge() end
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
      r.sp = math.max(r.sp, below)
      save(r)
    elseif r.rg < below then
      local why = expired(r, now) or reason
      finish(r, why, why == reason and by or '', entry)
      out[#out + 1] = r
    end
  end
  return out
end
