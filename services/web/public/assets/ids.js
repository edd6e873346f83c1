// @ts-check
/** Ids that this client draws. */

/**
 * A token of 22 characters, 132 bits. Made of random bytes, because crypto.randomUUID does not
 * exist on a page that a phone opens by plain http in the local network.
 */
export function drawId() {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const bytes = crypto.getRandomValues(new Uint8Array(22));
  return Array.from(bytes, (byte) => alphabet[byte & 63]).join("");
}
