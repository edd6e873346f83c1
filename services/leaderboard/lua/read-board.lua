-- Reads a board and some of its rows at one moment.
-- KEYS: board, scores, names (of one session; session-keys.lua makes the others).
-- ARGV: prefix, session, number of rows, where they begin: "top"; "after", rank of the row before;
--   or "around", player id, rows before that player.
-- Reply: nothing where there is no board; else epoch, version, scored, finalRound, round, joined,
--   ended, closing (1 while a round's scores are half revealed), answers of the round, players, index
--   of the first row (-1: no such player), {player, packed score of each row}, {their nicknames},
--   sequence of the session's first entry (0: nobody created it).
local board, scores, names = KEYS[1], KEYS[2], KEYS[3]
local session, size, from = ARGV[2], tonumber(ARGV[3]), ARGV[4]

local head = redis.call('HMGET', board,
  'epoch', 'version', 'scored', 'finalRound', 'round', 'joined', 'ended', 'closing')
if not head[1] then return false end
head[8] = head[8] or '0'
head[9] = redis.call('SCARD', keyOf(session, 'answered:' .. head[5]))
head[10] = redis.call('ZCARD', scores)

local start = 0
if from == 'after' then
  start = tonumber(ARGV[5])
elseif from == 'around' then
  local rank = redis.call('ZRANK', scores, ARGV[5])
  start = rank and math.max(0, rank - ARGV[6]) or -1
end
head[11] = start
local rows = start < 0 and {} or redis.call('ZRANGE', scores, start, start + size - 1, 'WITHSCORES')
local players = {}
for i = 1, #rows, 2 do players[#players + 1] = rows[i] end
head[12] = rows
head[14] = redis.call('HGET', board, 'created') or '0'
head[13] = #players > 0 and redis.call('HMGET', names, unpack(players)) or {}
return head
