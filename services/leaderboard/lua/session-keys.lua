-- The keys of a session, for scripts that learn only from the store which rounds there are. It is put
-- before their text (redis-scripts.ts); spelled as in addresses.ts, which a test holds it to.
-- ARGV[1] is the prefix of the partition's keys, "fanfare:{p7}:". All keys made here begin with it, so
-- they share one hash tag and on a cluster one slot with the declared KEYS.
local prefix = ARGV[1]

local function keyOf(session, part)
  return prefix .. session .. ':' .. part
end

-- The rounds that may have keys: each has a field `answers:<round>` in the board.
local function roundsOf(session)
  local rounds = {}
  for _, field in ipairs(redis.call('HKEYS', keyOf(session, 'board'))) do
    local round = string.match(field, '^answers:(%d+)$')
    if round then rounds[#rounds + 1] = round end
  end
  return rounds
end

local function keysOf(session)
  local keys = {}
  for _, part in ipairs({ 'board', 'scores', 'names', 'namesakes', 'banned' }) do
    keys[#keys + 1] = keyOf(session, part)
  end
  for _, round in ipairs(roundsOf(session)) do
    keys[#keys + 1] = keyOf(session, 'answered:' .. round)
    keys[#keys + 1] = keyOf(session, 'hidden:' .. round)
  end
  return keys
end

local function forget(session)
  for _, key in ipairs(keysOf(session)) do redis.call('UNLINK', key) end
end
