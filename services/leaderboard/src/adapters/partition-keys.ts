/** What scripts need to make the keys of a partition's sessions, taken from addresses.ts. */
import { redisKeys } from "@fanfare/proto/addresses";

/** `fanfare:{p7}:`, with which every key of partition 7 begins. */
export function prefixOf(partition: number): string {
  return redisKeys.position(partition).slice(0, -"position".length);
}

/** KEYS of the scripts that work on a whole partition. */
export function partitionKeys(partition: number): [position: string, sessions: string] {
  return [redisKeys.position(partition), redisKeys.sessions(partition)];
}
