-- Moves a board above an epoch that was shown already, which the clock of a Redis that came back empty
-- may not have reached yet. Does nothing where the board is there by now, or is gone.
-- KEYS: position, board (both of one partition).
-- ARGV: prefix, epoch that was shown.
local position, board = KEYS[1], KEYS[2]
local shown = tonumber(ARGV[2])

local epoch = tonumber(redis.call('HGET', board, 'epoch') or shown)
if epoch >= shown then return end
local raised = math.max(shown, tonumber(redis.call('HGET', position, 'epoch') or 0)) + 1
redis.call('HSET', position, 'epoch', raised)
redis.call('HSET', board, 'epoch', raised)
