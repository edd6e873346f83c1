-- The boards that apply-entries.lua works on, before whose text this is put: what is known of each, read
-- once a call. KEYS and ARGV are those of apply-entries.lua.
local position, sessions = KEYS[1], KEYS[2]
local mayBegin = {}
for _, session in ipairs(cjson.decode(ARGV[7])) do mayBegin[session] = true end

-- Arguments of one command; Lua can't unpack more than some 8,000.
local CHUNK = 500

local boards = {}

-- Begins a board. Its epoch is greater than all that this partition gave out.
local function begin(session, created, live)
  for _, other in ipairs(redis.call('SRANDMEMBER', sessions, 5)) do
    if redis.call('EXISTS', keyOf(other, 'board')) == 0 then redis.call('SREM', sessions, other) end
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local epoch = math.max(now, (redis.call('HGET', position, 'epoch') or 0) + 1)
  redis.call('HSET', position, 'epoch', epoch)
  redis.call('HSET', keyOf(session, 'board'), 'epoch', epoch, 'version', 0, 'scored', 0,
    'created', created, 'live', live, 'round', 0, 'finalRound', 0, 'joined', 0, 'ended', 0)
  redis.call('SADD', sessions, session)
  boards[session] =
    { begun = created, created = created ~= '0', live = live == '1', round = 0, finalRound = 0, ended = false,
      stale = false, bans = false }
end

-- Nothing where there is none, and none may begin.
local function boardOf(session)
  if boards[session] then return boards[session] end
  local found = redis.call('HMGET', keyOf(session, 'board'),
    'created', 'live', 'round', 'finalRound', 'ended', 'stale', 'bans')
  if not found[1] then
    if mayBegin[session] then begin(session, '0', '0') end
  else
    boards[session] = {
      begun = found[1], created = found[1] ~= '0', live = found[2] == '1', round = tonumber(found[3]),
      finalRound = tonumber(found[4]), ended = found[5] == '1', stale = found[6] == '1',
      bans = found[7] == '1',
    }
  end
  return boards[session]
end

-- From now on the totals beside this board's hidden scores are not what the players will have: visible
-- scores have moved, or will move, otherwise than by the reveal of the one round that is hidden. Only
-- scores from outside do that.
local function outdateTotals(session)
  local board = boardOf(session)
  if board.stale then return end
  board.stale = true
  redis.call('HSET', keyOf(session, 'board'), 'stale', 1)
end

local function see(session, round)
  local board = boardOf(session)
  if round > board.round then
    if redis.call('EXISTS', keyOf(session, 'hidden:' .. board.round)) == 1 then
      outdateTotals(session)
    end
    board.round = round
    redis.call('HSET', keyOf(session, 'board'), 'round', round)
  end
end

-- What an operation added to an ended board leaves with the rest of it.
local function leaveTogether(session)
  local left = redis.call('PTTL', keyOf(session, 'board'))
  if left <= 0 then return end
  for _, each in ipairs(keysOf(session)) do redis.call('PEXPIRE', each, left) end
end
