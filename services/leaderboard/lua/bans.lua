-- Who is off a board for good, and by which names; put before the text of apply-entries.lua, behind
-- boards.lua. Off are banned players, and whoever goes or went by a banned name: players, and outsiders.
-- Their scores stay in the log and count in its audits; only boards do not show them.

-- Which of these scorers no board shows, as keys of a table.
local function bannedAmong(session, scorers)
  local banned = {}
  if not boardOf(session).bans then return banned end
  for from = 1, #scorers, CHUNK do
    local to = math.min(from + CHUNK - 1, #scorers)
    local found = redis.call('SMISMEMBER', keyOf(session, 'banned'), unpack(scorers, from, to))
    for i = from, to do
      if found[i - from + 1] == 1 then banned[scorers[i]] = true end
    end
  end
  return banned
end

-- Takes scorers off the board, for good: answers of theirs that are still to come stay unseen, too.
local function takeOff(session, scorers)
  redis.call('SADD', keyOf(session, 'banned'), unpack(scorers))
  redis.call('ZREM', keyOf(session, 'scores'), unpack(scorers))
end

-- Bans a player and the name, and with it whoever else goes or went by it.
local function ban(session, player, name)
  boardOf(session).bans = true
  redis.call('HSET', keyOf(session, 'board'), 'bans', 1)
  takeOff(session, { player })
  if name == '' then return end
  redis.call('SADD', keyOf(session, 'banned'), 'name:' .. name)
  for each in string.gmatch(redis.call('HGET', keyOf(session, 'namesakes'), name) or '', '%S+') do
    takeOff(session, { each })
  end
end

-- Notes who goes by a name, for a ban of it; for one that is banned already at once.
local function noteNamesake(session, scorer, name)
  local key = keyOf(session, 'namesakes')
  local known = redis.call('HGET', key, name)
  if not known then
    redis.call('HSET', key, name, scorer)
  elseif not string.find(' ' .. known .. ' ', ' ' .. scorer .. ' ', 1, true) then
    redis.call('HSET', key, name, known .. ' ' .. scorer)
  end
  if boardOf(session).bans
    and redis.call('SISMEMBER', keyOf(session, 'banned'), 'name:' .. name) == 1
  then
    takeOff(session, { scorer })
  end
end

-- Scores without those of scorers whom no board shows.
local function shownScores(session, givenPlayers, givenPacked)
  local players, packed, banned = {}, {}, bannedAmong(session, givenPlayers)
  for i, player in ipairs(givenPlayers) do
    if not banned[player] then
      players[#players + 1] = player
      packed[#packed + 1] = givenPacked[i]
    end
  end
  return players, packed
end

-- Hidden scores, {scorer, packed score, total, scorer, ...}, without those whom no board shows.
local function withoutBanned(session, taken)
  if not boardOf(session).bans then return taken end
  local scorers, left = {}, {}
  for i = 1, #taken, 3 do scorers[#scorers + 1] = taken[i] end
  local banned = bannedAmong(session, scorers)
  for i = 1, #taken, 3 do
    if not banned[taken[i]] then
      for part = i, i + 2 do left[#left + 1] = taken[part] end
    end
  end
  return left
end
