/** docs/access.md says what proto/access.ts does. */
import { expect, test } from "vitest";
import { accessPage } from "./access-page.js";

test("the page of access is that of the table", async () => {
  await expect(accessPage()).toMatchFileSnapshot("./access.md");
});
