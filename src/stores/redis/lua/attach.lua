-- access, leeway, skew, and whether it is only looked
local version = call('HGET', KEYS[1], 'version')
if version and version ~= '1' then return redis.error_reply('NEWER layout') end
if arg(4) == '1' then
  return done({fleet[1] or '', fleet[3] or '', fleet[4] or '', fleet[5] or ''})
end
ensure()
if not (number(fleet[3]) and number(fleet[4]) and number(fleet[5])) then
  fleet[3], fleet[4], fleet[5] = arg(1), arg(2), arg(3)
  call('HSET', KEYS[1], 'access', fleet[3], 'leeway', fleet[4], 'skew', fleet[5])
end
return done({fleet[1], fleet[3], fleet[4], fleet[5]})
