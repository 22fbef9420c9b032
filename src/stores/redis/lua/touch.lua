-- For each use: session, instant. Judged when it was: a flush that comes late ends no session that
-- was in use, and revives none that had been idle for too long by then.
for i = 1, #ARGV - 4, 2 do
  local r, at = load(arg(i)), math.min(number(arg(i + 1)), now)
  if r and not over(r, (counters(r.u)), at) then
    local before = due(r)
    r.la, r.eu = math.max(r.la, at), 1
    save_from(r, before)
  end
end
return done(true)
