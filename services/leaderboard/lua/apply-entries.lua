-- Applies log entries of one partition to its boards and moves the partition's place, all in one step.
-- Does nothing where the place is not the expected one, so a repeated or second reader does no harm.
-- Stops before what it can't place: scores behind the end of their session, which the caller passes over,
-- and whatever is about a session without a board, unless the caller says that it may begin one.
-- KEYS: position, sessions (both of the partition; session-keys.lua makes the others). Stands behind
--   boards.lua and bans.lua.
-- ARGV: prefix, generation, expected place, last sequence of this call, seconds that an ended board
--   stays, hidden scores that one call may reveal, sessions that may begin as JSON; then operations of
--   name, sequence, session, number of arguments, arguments:
--     created  live (1 or 0)
--     players  how many joined, then id, nickname and nickname key of each; then id, nickname key and
--              status (kicked or banned) and place of the session's beginning (0: any) of each that was removed
--     scores   round, lane (1 or 0), sum of points, scorer keys, packed scores, nickname key of an
--              outsider: lists as JSON, since the client pays for each argument what reading ten scores
--              costs here
--     closed   round
--     ended
-- Reply: place that holds (-1: another generation, or being dropped), unfinished (1: send again what
--   lies behind the place; 2: first say whether the named session may begin; 3: without the scores of the
--   named session, which has ended), lane scores counted, outside scores counted, duplicates,
--   {sequence, answers, points of the lanes for each closed round}, name of a session.
local generation, expected, last = ARGV[2], ARGV[3], ARGV[4]
local boardTtl, budget = ARGV[5], tonumber(ARGV[6])

local held = redis.call('HMGET', position, 'generation', 'sequence', 'dropping')
if held[3] or (held[1] and held[1] ~= generation) then return { -1, 0, 0, 0, 0, {}, '' } end
local place = held[2] or '0'
if place ~= expected then return { place, 0, 0, 0, 0, {}, '' } end

local laneScores, outsideScores, duplicates = 0, 0, 0
local audits = {}

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
  local taken = withoutBanned(session, redis.call('LPOP', hidden, 3 * count))
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

-- Each returns false where it could not finish.
local operations = {}

function operations.created(sequence, session, at)
  forget(session)
  begin(session, sequence, ARGV[at])
  redis.call('HSET', keyOf(session, 'board'), 'version', sequence, 'scored', sequence)
end

function operations.players(sequence, session, at, count)
  local board, names = keyOf(session, 'board'), keyOf(session, 'names')
  local joined, firstRemoved = 0, at + 1 + 3 * tonumber(ARGV[at])
  local hasNamesakes = redis.call('EXISTS', keyOf(session, 'namesakes')) == 1
  for i = at + 1, firstRemoved - 1, 3 do
    joined = joined + redis.call('HSET', names, ARGV[i], ARGV[i + 1])
    -- A name that somebody had before, who was kicked, or that an outsider has.
    if hasNamesakes and redis.call('HEXISTS', keyOf(session, 'namesakes'), ARGV[i + 2]) == 1 then
      noteNamesake(session, ARGV[i], ARGV[i + 2])
    end
  end
  local scored = nil
  for i = firstRemoved, at + count - 1, 4 do
    local player, name, begun = ARGV[i], ARGV[i + 1], ARGV[i + 3]
    -- Else it was held up, and is about a session of before.
    if begun == '0' or begun == boardOf(session).begun then
      joined = joined - redis.call('HSETNX', board, 'removed:' .. player, 1)
      if ARGV[i + 2] == 'banned' then
        ban(session, player, name)
        scored = sequence
      elseif name ~= '' then
        noteNamesake(session, player, name)
        hasNamesakes = true
      end
    end
  end
  redis.call('HINCRBY', board, 'joined', joined)
  redis.call('HSET', board, 'version', sequence)
  if scored then redis.call('HSET', board, 'scored', scored) end
  if boardOf(session).ended then leaveTogether(session) end
end

function operations.scores(sequence, session, at)
  local round, lane, points = ARGV[at], ARGV[at + 1] == '1', ARGV[at + 2]
  local ids, scores = cjson.decode(ARGV[at + 3]), cjson.decode(ARGV[at + 4])
  local given = #ids
  local board, key = boardOf(session), keyOf(session, 'board')
  if not lane and board.created then noteNamesake(session, ids[1], ARGV[at + 5]) end
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
  if board.bans then players, packed = shownScores(session, players, packed) end
  if #players == 0 then return end
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
  -- Outsiders alone scored in it until nothing came any more: what comes now is another session.
  if name == 'scores' and board and board.ended and not board.created then
    forget(session)
    begin(session, '0', '0')
    board = boards[session]
  end
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
