-- Drops all boards of a partition and its place, a few sessions a call. From the first call to the
-- last nothing can be applied (`dropping`), so a reader that was quicker loses nothing of its work.
-- KEYS: position, sessions (both of the partition; session-keys.lua makes the others).
-- ARGV: prefix, how ("begin", or "continue" where a drop has begun), sessions that one call may drop,
--   generation that needs no drop (empty: drop whatever is held).
-- Reply: 1 while there is more to drop, 0 when all is done or nothing was to do.
local position, sessions = KEYS[1], KEYS[2]
local how, sessionsMax, wanted = ARGV[2], ARGV[3], ARGV[4]

local held = redis.call('HMGET', position, 'generation', 'dropping')
if not held[2] then
  if how ~= 'begin' or (wanted ~= '' and (not held[1] or held[1] == wanted)) then return 0 end
  redis.call('HSET', position, 'dropping', 1)
end
-- The epoch stays: boards that are built anew get greater ones.
redis.call('HDEL', position, 'generation', 'sequence')
for _, session in ipairs(redis.call('SRANDMEMBER', sessions, sessionsMax)) do
  forget(session)
  redis.call('SREM', sessions, session)
end
if redis.call('EXISTS', sessions) == 1 then return 1 end
redis.call('HDEL', position, 'dropping')
return 0
