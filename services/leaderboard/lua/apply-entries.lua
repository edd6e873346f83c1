-- Applies log entries of one partition to its boards and moves the partition's place, all in one step.
-- Does nothing where the place is not the expected one, so a repeated or second reader does no harm.
-- Stops before what it can't place: scores behind the end of their session, which the caller passes over,
-- and whatever is about a session without a board, unless the caller says that it may begin one.
-- KEYS: position, sessions (both of the partition; session-keys.lua makes the others).
-- ARGV: prefix, generation, expected place, last sequence of this call, seconds that an ended board
--   stays, hidden scores that one call may reveal, sessions that may begin as JSON; then operations of
--   name, sequence, session, number of arguments, arguments:
--     created  live (1 or 0)
--     players  how many joined, then id and nickname of each, then ids of the removed
--     scores   round, lane (1 or 0), sum of points, player ids, packed scores: the last two as JSON,
--              since the client pays for each argument what reading ten scores costs here
--     closed   round
--     ended
-- Reply: place that holds (-1: another generation, or being dropped), unfinished (1: send again what
--   lies behind the place; 2: first say whether the named session may begin; 3: without the scores of the
--   named session, which has ended), lane scores counted, outside scores counted, duplicates,
--   {sequence, answers, points of the lanes for each closed round}, name of a session.
local position, sessions = KEYS[1], KEYS[2]
local generation, expected, last = ARGV[2], ARGV[3], ARGV[4]
local boardTtl, budget = ARGV[5], tonumber(ARGV[6])
local mayBegin = {}
for _, session in ipairs(cjson.decode(ARGV[7])) do mayBegin[session] = true end

-- Arguments of one command; Lua can't unpack more than some 8,000.
local CHUNK = 500

local held = redis.call('HMGET', position, 'generation', 'sequence', 'dropping')
if held[3] or (held[1] and held[1] ~= generation) then return { -1, 0, 0, 0, 0, {}, '' } end
local place = held[2] or '0'
if place ~= expected then return { place, 0, 0, 0, 0, {}, '' } end

local laneScores, outsideScores, duplicates = 0, 0, 0
local audits = {}
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
    { created = created ~= '0', live = live == '1', round = 0, finalRound = 0, ended = false,
      stale = false }
end

-- Nothing where there is none, and none may begin.
local function boardOf(session)
  if boards[session] then return boards[session] end
  local found = redis.call('HMGET', keyOf(session, 'board'),
    'created', 'live', 'round', 'finalRound', 'ended', 'stale')
  if not found[1] then
    if mayBegin[session] then begin(session, '0', '0') end
  else
    boards[session] = {
      created = found[1] ~= '0', live = found[2] == '1', round = tonumber(found[3]),
      finalRound = tonumber(found[4]), ended = found[5] == '1', stale = found[6] == '1',
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

-- Adds packed scores to the visible ones. Beyond 24 bits of points, which only outsiders can reach, a
-- double keeps the points exact and rounds the time: no score is refused here that PostgreSQL counts.
local function add(session, players, packed)
  local scores = keyOf(session, 'scores')
  for from = 1, #players, CHUNK do
    local to = math.min(from + CHUNK - 1, #players)
    local totals = redis.call('ZMSCORE', scores, unpack(players, from, to))
    local command = { 'ZADD', scores }
    for i = from, to do
      command[#command + 1] = (totals[i - from + 1] or 0) + packed[i]
      command[#command + 1] = players[i]
    end
    redis.call(unpack(command))
  end
end

-- Keeps scores of an open round apart, each with the total that will be the player's: the reveal, for
-- which everybody waits, has only to write it.
local function hide(session, round, players, packed)
  local hidden, scores = keyOf(session, 'hidden:' .. round), keyOf(session, 'scores')
  for from = 1, #players, CHUNK do
    local to = math.min(from + CHUNK - 1, #players)
    local totals = redis.call('ZMSCORE', scores, unpack(players, from, to))
    local command = { 'RPUSH', hidden }
    for i = from, to do
      command[#command + 1] = players[i]
      command[#command + 1] = packed[i]
      command[#command + 1] = (totals[i - from + 1] or 0) + packed[i]
    end
    redis.call(unpack(command))
  end
end

-- Marks who has a score in the round now; returns those who had none, with their packed scores.
local function firstScores(answered, givenPlayers, givenPacked)
  local players, packed = {}, {}
  for from = 1, #givenPlayers, CHUNK do
    local to = math.min(from + CHUNK - 1, #givenPlayers)
    local known = redis.call('SMISMEMBER', answered, unpack(givenPlayers, from, to))
    local command, seen = { 'SADD', answered }, {}
    for i = from, to do
      local player = givenPlayers[i]
      if known[i - from + 1] == 0 and not seen[player] then
        seen[player] = true
        command[#command + 1] = player
        players[#players + 1] = player
        packed[#packed + 1] = givenPacked[i]
      end
    end
    if #command > 2 then redis.call(unpack(command)) end
  end
  return players, packed
end

-- Writes totals as they were kept beside hidden scores: {player, packed score, total, player, ...}.
local function addKept(session, taken)
  for from = 1, #taken, 3 * CHUNK do
    local command = { 'ZADD', keyOf(session, 'scores') }
    for i = from, math.min(from + 3 * CHUNK - 1, #taken), 3 do
      command[#command + 1] = taken[i + 2]
      command[#command + 1] = taken[i]
    end
    redis.call(unpack(command))
  end
end

-- Moves hidden scores of a round to the visible ones; false when more are left than this call may
-- move. What was moved is no longer hidden, so after a crash the rest is moved, nothing twice.
local function reveal(session, round)
  local hidden = keyOf(session, 'hidden:' .. round)
  local left = redis.call('LLEN', hidden) / 3
  if left == 0 then return true end
  local count = math.min(left, budget)
  local taken = redis.call('LPOP', hidden, 3 * count)
  if boardOf(session).stale then
    local players, packed = {}, {}
    for i = 1, #taken, 3 do
      players[#players + 1] = taken[i]
      packed[#packed + 1] = tonumber(taken[i + 1])
    end
    add(session, players, packed)
  else
    addKept(session, taken)
  end
  budget = budget - count
  if count == left then return true end
  redis.call('HSET', keyOf(session, 'board'), 'closing', 1)
  return false
end

-- What an operation added to an ended board leaves with the rest of it.
local function leaveTogether(session)
  local left = redis.call('PTTL', keyOf(session, 'board'))
  if left <= 0 then return end
  for _, each in ipairs(keysOf(session)) do redis.call('PEXPIRE', each, left) end
end

-- Each returns false where it could not finish.
local operations = {}

function operations.created(sequence, session, at)
  forget(session)
  begin(session, sequence, ARGV[at])
  redis.call('HSET', keyOf(session, 'board'), 'version', sequence, 'scored', sequence)
end

function operations.players(sequence, session, at, count)
  local board, names = keyOf(session, 'board'), keyOf(session, 'names')
  local joined, firstRemoved = 0, at + 1 + 2 * tonumber(ARGV[at])
  for i = at + 1, firstRemoved - 1, 2 do
    joined = joined + redis.call('HSET', names, ARGV[i], ARGV[i + 1])
  end
  for i = firstRemoved, at + count - 1 do
    joined = joined - redis.call('HSETNX', board, 'removed:' .. ARGV[i], 1)
  end
  redis.call('HINCRBY', board, 'joined', joined)
  redis.call('HSET', board, 'version', sequence)
  if boardOf(session).ended then leaveTogether(session) end
end

function operations.scores(sequence, session, at)
  local round, lane, points = ARGV[at], ARGV[at + 1] == '1', ARGV[at + 2]
  local ids, scores = cjson.decode(ARGV[at + 3]), cjson.decode(ARGV[at + 4])
  local given = #ids
  local board, key = boardOf(session), keyOf(session, 'board')
  local players, packed = firstScores(keyOf(session, 'answered:' .. round), ids, scores)
  -- A created session's round is what its lanes say: an outsider can't move it.
  if lane or not board.created then see(session, tonumber(round)) end
  redis.call('HINCRBY', key, 'answers:' .. round, lane and given or 0)
  if lane then
    redis.call('HINCRBY', key, 'points:' .. round, points)
    laneScores = laneScores + #players
  else
    outsideScores = outsideScores + #players
  end
  duplicates = duplicates + given - #players
  if #players == 0 then return end
  redis.call('HSET', key, 'version', sequence)
  if board.live or not board.created or tonumber(round) <= board.finalRound then
    add(session, players, packed)
    redis.call('HSET', key, 'scored', sequence)
    if not board.live then outdateTotals(session) end
  else
    if tonumber(round) ~= board.round then outdateTotals(session) end
    hide(session, round, players, packed)
  end
end

function operations.closed(sequence, session, at)
  local round = tonumber(ARGV[at])
  local board, key = boardOf(session), keyOf(session, 'board')
  if not reveal(session, ARGV[at]) then return false end
  local lanes = redis.call('HMGET', key, 'answers:' .. ARGV[at], 'points:' .. ARGV[at])
  audits[#audits + 1] = sequence
  audits[#audits + 1] = lanes[1] or '0'
  audits[#audits + 1] = lanes[2] or '0'
  see(session, round)
  board.finalRound = math.max(board.finalRound, round)
  redis.call('HSET', key, 'finalRound', board.finalRound, 'version', sequence, 'scored', sequence)
  redis.call('HDEL', key, 'closing')
end

-- What outsiders sent for rounds that were never asked counts at the end.
function operations.ended(sequence, session)
  local board, key = boardOf(session), keyOf(session, 'board')
  for _, round in ipairs(roundsOf(session)) do
    if not reveal(session, round) then return false end
  end
  board.ended = true
  redis.call('HSET', key, 'ended', 1, 'version', sequence, 'scored', sequence)
  redis.call('HDEL', key, 'closing')
  for _, each in ipairs(keysOf(session)) do redis.call('EXPIRE', each, boardTtl) end
end

local unfinished, asked = 0, ''
local at = 8
while ARGV[at] and unfinished == 0 do
  local name, sequence, session = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local count = tonumber(ARGV[at + 3])
  local board = name == 'created' or boardOf(session)
  if not board then
    unfinished, asked = 2, session
  elseif name == 'scores' and board.ended then
    unfinished, asked = 3, session
  elseif operations[name](sequence, session, at + 4, count) == false then
    unfinished = 1
  else
    place = sequence
    at = at + 4 + count
  end
end
if unfinished == 0 then place = last end
redis.call('HSET', position, 'generation', generation, 'sequence', place)
return { place, unfinished, laneScores, outsideScores, duplicates, audits, asked }
