-- session, owner, reason, by, entry
local entry = arg(5)
local r = load(arg(1))
if not r or (arg(2) ~= '' and r.u ~= arg(2)) then return done({'unknown'}) end
purge()
if not r.ea then
  finish(r, arg(3), arg(4), entry)
  put_session(entry, r, arg(3))
  local written = committed({entry})
  return done({'ended', raw(r), '1', written})
end
-- Again: the entry by which it ended lives on; one that is forgotten is written anew.
local by = r.ee and stands(r.ee) and r.ee or entry
put_session(by, r, r.er)
return done({'ended', raw(r), r.ee == entry and '1' or '0', committed({by})})
