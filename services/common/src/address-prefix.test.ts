import { describe, expect, test } from "vitest";
import { addressKey, addressPrefix } from "./address-prefix.js";

describe("what one customer holds", () => {
  test.each([
    ["203.0.113.77", "203.0.113.0/24", "203.0.113.77"],
    ["::ffff:203.0.113.77", "203.0.113.0/24", "203.0.113.77"],
    ["0000:0000:0000:0000:0000:ffff:cb00:714d", "203.0.113.0/24", "203.0.113.77"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64", "0:0:0:0::/64"],
    ["64:ff9b::203.0.113.77", "64:ff9b:0:0::/64", "64:ff9b:0:0::/64"],
    ["unknown", "unknown", "unknown"],
    ["", "", ""],
  ])("of %s", (address, prefix, key) => {
    expect(addressPrefix(address)).toBe(prefix);
    expect(addressKey(address)).toBe(key);
  });

  test("an address of any length is a short key", () => {
    expect(addressPrefix("x".repeat(10_000)).length).toBe(64);
  });
});
