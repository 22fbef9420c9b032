-- The id of the access token of a generation: SHA-256 over session and generation, in base64url.
local function constants()
  return {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
  }
end
local B64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

local function token_id(session, generation)
  local K, band, bnot, bxor = constants(), bit.band, bit.bnot, bit.bxor
  local ror, shr, tobit = bit.ror, bit.rshift, bit.tobit
  local hex = string.gsub(session, '-', '')
  local w = {}
  for i = 1, 4 do w[i] = tobit(tonumber(string.sub(hex, i * 8 - 7, i * 8), 16)) end
  w[5], w[6] = tobit(generation), tobit(0x80000000)
  for i = 7, 15 do w[i] = 0 end
  w[16] = 160
  for i = 17, 64 do
    local a, b = w[i - 15], w[i - 2]
    local s0 = bxor(ror(a, 7), ror(a, 18), shr(a, 3))
    local s1 = bxor(ror(b, 17), ror(b, 19), shr(b, 10))
    w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
  end
  local h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
    0x5be0cd19}
  local v = {}
  for i = 1, 8 do v[i] = tobit(h[i]) end
  for i = 1, 64 do
    local s1 = bxor(ror(v[5], 6), ror(v[5], 11), ror(v[5], 25))
    local ch = bxor(band(v[5], v[6]), band(bnot(v[5]), v[7]))
    local t1 = tobit(v[8] + s1 + ch + tobit(K[i]) + w[i])
    local s0 = bxor(ror(v[1], 2), ror(v[1], 13), ror(v[1], 22))
    local maj = bxor(band(v[1], v[2]), band(v[1], v[3]), band(v[2], v[3]))
    v = {tobit(t1 + s0 + maj), v[1], v[2], v[3], tobit(v[4] + t1), v[5], v[6], v[7]}
  end
  local bytes = {}
  for i = 1, 8 do
    local word = tobit(v[i] + tobit(h[i]))
    for shift = 24, 0, -8 do bytes[#bytes + 1] = band(shr(word, shift), 255) end
  end
  bytes[33] = 0
  local out = {}
  for i = 1, 33, 3 do
    local n = bytes[i] * 65536 + bytes[i + 1] * 256 + bytes[i + 2]
    for shift = 18, 0, -6 do
      local at = band(shr(n, shift), 63) + 1
      out[#out + 1] = string.sub(B64, at, at)
    end
  end
  return table.concat(out, '', 1, 43)
end

-- The generations of a session whose access tokens may not have expired: r.lv is "1:exp,2:exp".
local function living(r, leeway)
  local out = {}
  for generation, exp in string.gmatch(r.lv, '(%d+):(%d+)') do
    if tonumber(exp) + leeway > now then out[#out + 1] = {tonumber(generation), tonumber(exp)} end
  end
  return out
end

local function blacklist(session, generation, exp)
  if ARGV[4] ~= '1' then return end
  local ms = math.ceil((exp + leeway() - now) / 1000)
  if ms > 0 then
    call('SET', 'blacklist:' .. token_id(session, generation), 'tower-jwt-session', 'PX', text(ms))
  end
end

local function blacklist_session(r)
  if ARGV[4] ~= '1' then return end
  for _, of in ipairs(living(r, leeway())) do blacklist(r.id, of[1], of[2]) end
end
