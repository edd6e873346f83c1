import { describe, expect, test } from "vitest";
import { newPin, pinDigits } from "./ids.js";

describe("PINs", () => {
  test.each([0, 1, 89, 90, 91, 900, 901, 9_000, 9_001, 90_000, 400_000])(
    "are long enough with %i live sessions that a guess hits one in ten thousand at most",
    (live) => {
      const digits = pinDigits(live);
      expect(live / (9 * 10 ** (digits - 1))).toBeLessThanOrEqual(1e-4);
      expect(digits).toBeLessThanOrEqual(10);
      if (digits > 6) expect(live / (9 * 10 ** (digits - 2))).toBeGreaterThan(1e-4);
    },
  );

  test.each([6, 7, 8, 9, 10])("of %i digits begin with none that people swallow", (digits) => {
    for (let i = 0; i < 1_000; i++)
      expect(newPin(digits)).toMatch(new RegExp(`^[1-9]\\d{${digits - 1}}$`));
  });
});
