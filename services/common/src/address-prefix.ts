/** What of an address one customer holds: limits by address count by it. */
import { isIP } from "node:net";

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;
const GROUPS = 8;
/** Groups of an IPv6 address that make up a /64. */
const PREFIX_GROUPS = 4;

/** /24 of IPv4, also where it is written as IPv6; /64 of IPv6; what is no address is its own prefix. */
export function addressPrefix(address: string): string {
  return prefixOf(address, (v4) => `${v4.split(".").slice(0, 3).join(".")}.0/24`);
}

/** The same, but every IPv4 address for itself: many customers of a provider may share one of these. */
export function addressKey(address: string): string {
  return prefixOf(address, (v4) => v4);
}

function prefixOf(address: string, ofV4: (v4: string) => string): string {
  const bare = address.replace(/%.*$/, "").toLowerCase();
  const version = isIP(bare);
  if (version === 4) return ofV4(bare);
  if (version !== 6) return address.slice(0, 64);
  const groups = groupsOf(bare);
  const mapped = IPV4_IN_IPV6.exec(compressMapped(groups))?.[1];
  if (mapped) return ofV4(mapped);
  return `${groups.slice(0, PREFIX_GROUPS).join(":")}::/64`;
}

/** All eight, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = withoutDots(address).split("::");
  const split = (part: string) => (part === "" ? [] : part.split(":"));
  const front = split(head);
  const back = tail === undefined ? [] : split(tail);
  const gap = Array.from({ length: GROUPS - front.length - back.length }, () => "0");
  const groups = tail === undefined ? front : [...front, ...gap, ...back];
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}

/** The last 32 bits may be written as IPv4. */
function withoutDots(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
}

function compressMapped(groups: readonly string[]): string {
  if (groups.slice(0, 5).some((group) => group !== "0") || groups[5] !== "ffff") return "";
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
