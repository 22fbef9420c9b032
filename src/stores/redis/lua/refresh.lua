-- For each: session, seed, generation, operation, iat, exp, grace, lifetime, revoke_predecessor,
-- entry, whether there is no grace at all
local function refresh()
  local id, generation, operation, entry = arg(1), number(arg(3)), arg(4), arg(10)
  local grace, lifetime, strict = number(arg(7)), number(arg(8)), arg(11) == '1'
  local r = load(id)
  if not r or r.seed ~= arg(2) then return {'unknown'} end
  local before = due(r)

  if r.ea then
    local written = writing().committed_before(entry)
    if written and r.er == 'refresh_reused' then return {'reused', raw(r), written} end
    return {'over', r.er, written and raw(r) or false, written}
  end

  local function end_found(reason)
    writing().purge()
    writing().finish(r, reason, '', entry)
    writing().put_session(entry, r, reason)
    return writing().committed({entry})
  end

  local revoked, roles = counters(r.u)
  local why = over(r, revoked, now)
  if why then
    if not expired(r, now) then return {'over', why, false, false} end
    local written = end_found(why)
    return {'over', why, raw(r), written}
  end

  local function theft()
    local written = end_found('refresh_reused')
    return {'reused', raw(r), written}
  end

  local function within(start, window) return not strict and now < plus(start, window) end

  local function grant(how, written)
    return {'granted', raw(r), text(revoked), text(roles), how, written or false}
  end

  local function repeated(how)
    local since, count = r.rs, r.rp
    if not (since <= now and within(since, grace)) then since, count = now, 0 end
    if count >= 200 then return {'too_many'} end
    r.rs, r.rp = since, count + 1
    save_from(r, before)
    return grant(how, writing().committed_before(entry))
  end

  -- The tokens that live beside a new one, without the one that is put out.
  local function others(out)
    if not out then return r.lv end
    local kept = {}
    for _, of in ipairs(writing().living(r, leeway())) do
      if of[1] == out then writing().blacklist(id, out, of[2])
      else kept[#kept + 1] = of[1] .. ':' .. text(of[2]) end
    end
    return table.concat(kept, ',')
  end

  local function advance(how, after, skipped)
    if after >= 4294967295 then return theft() end
    local out = skipped or (arg(9) == '1' and generation) or nil
    if out then
      writing().purge()
      local token = writing().token_id(id, out)
      writing().put_now(entry, {'token', 'token:' .. token, '', r.u, token, '', '', 'replaced'})
    end
    r.g, r.ra, r.us, r.eu, r.op = after + 1, now, 0, 1, operation
    r.ia, r.ax = number(arg(5)), math.min(number(arg(6)), r.ab)
    r.ex = math.min(plus(now, lifetime), r.ab)
    r.n = math.min(r.n + 1, 4294967295)
    local live, own = others(out), text(r.g) .. ':' .. text(r.ax)
    r.lv = live == '' and own or trimmed(live .. ',' .. own, leeway())
    save_from(r, before)
    return grant(how, out and writing().committed({entry}))
  end

  if generation > r.g then
    r.p, r.px = generation, math.min(plus(now, lifetime), r.ab)
    return advance('forwarded', generation)
  end
  if generation == r.g then
    if r.p ~= 0 and within(r.ra, 2 * grace) then
      r.us, r.eu = 1, 1
      return repeated('hold_off')
    end
    r.p, r.px = r.g, r.ex
    return advance('rotated', r.g)
  end
  if generation == 0 or generation ~= r.p then return theft() end
  if operation ~= '0' and operation == r.op then return repeated('same_operation') end
  if now >= plus(r.px, grace) then return {'over', 'expired', false, false} end
  if strict then return theft() end
  if within(r.ra, grace) then
    if r.us == 0 then r.ra = now end
    return repeated('predecessor')
  end
  if r.us == 1 then return theft() end
  return advance('replaced', r.g, r.g)
end

return done(each(refresh, 11))
