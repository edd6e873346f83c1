-- Takes sessions whose boards have expired out of a partition's set of sessions; looks at some, drawn
-- anew each time.
-- KEYS: sessions (session-keys.lua makes the boards').
-- ARGV: prefix, sessions to look at.
-- Reply: how many were taken out.
local gone = 0
for _, session in ipairs(redis.call('SRANDMEMBER', KEYS[1], ARGV[2])) do
  if redis.call('EXISTS', keyOf(session, 'board')) == 0 then
    gone = gone + redis.call('SREM', KEYS[1], session)
  end
end
return gone
