/**
 * Rendezvous hashing (Thaler, Ravishankar 1998): every member weighs every key, the heaviest is
 * responsible. A member that comes or goes moves only its own keys.
 */
import { fnv1a } from "@fanfare/proto/addresses";

/** The members in the order of responsibility for `key`. */
export function rendezvousOrder(key: string, members: readonly string[]): string[] {
  return members
    .map((member) => ({ member, weight: mix(fnv1a(`${member} ${key}`)) }))
    .sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1))
    .map(({ member }) => member);
}

/** FNV's high bits depend too little on the last bytes; this finaliser (murmur3) spreads them. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
