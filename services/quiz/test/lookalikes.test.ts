/** Names that look like another's: taken, banned and kicked with it, whichever pod is asked. */
import { randomUUID } from "node:crypto";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSession, type Pod, type Stores, startPod, startStores } from "./pods.js";

const LOOKALIKES = [
  "Ann\ufe0f",
  "Аnn",
  "Αnn",
  "Ａｎｎ",
  "𝐀𝐧𝐧",
  "ann",
  "A\u034fnn",
  "Ann\u3164",
  "Ann\u17b4",
];
const UNSEEN = ["\u3164", "\u2800", "\ufe0f", "\u034f", "\u180b", "\u17b4", "\u0301"];
const HONEST = [
  "Đặng Thị Ngọc",
  "山田",
  "Zoë",
  "Zoe",
  "O'Neil",
  "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
  "👩‍🚀",
  "مریم",
  "יוסף",
  "สมชาย",
  "क्षत्रिय",
];

let stores: Stores;
let pods: [Pod, Pod];

beforeAll(async () => {
  stores = await startStores();
  pods = [await startPod(stores), await startPod(stores)];
});
afterAll(async () => {
  await Promise.all((pods ?? []).map((pod) => pod.stop()));
  await stores?.[Symbol.asyncDispose]();
});

async function join(pod: Pod, sessionId: string, nicknames: string[]): Promise<string[]> {
  const joins = nicknames.map((nickname) => ({ nickname, submissionId: randomUUID() }));
  const service = pod.as({ role: "service", subject: "test" });
  const { results } = await service.joinSession({ sessionId, joins });
  return results.map(({ player, refused }) => (player ? "in" : ErrorReason[refused]));
}

const all = (outcome: string, of: string[]) => of.map(() => outcome);

test.each([1, 8])("with %i lanes a name is taken for all that look like it", async (lanes) => {
  const { sessionId } = await createSession(pods[0], { lanes });
  expect(await join(pods[0], sessionId, ["Ann"])).toEqual(["in"]);
  expect(await join(pods[1], sessionId, LOOKALIKES)).toEqual(all("NAME_TAKEN", LOOKALIKES));
  expect(await join(pods[0], sessionId, UNSEEN)).toEqual(all("NAME_INVALID", UNSEEN));
  expect(await join(pods[1], sessionId, HONEST)).toEqual(all("in", HONEST));
});

test("a ban of a name holds for all that look like it, and a host finds it by any of them", async () => {
  const { sessionId } = await createSession(pods[0], { lanes: 8 });
  expect(await join(pods[0], sessionId, ["Ann", "Zoe"])).toEqual(["in", "in"]);
  const player = { case: "nickname", value: "Аnn" } as const;
  expect((await pods[1].client.banPlayer({ sessionId, player })).player?.nickname).toBe("Ann");
  expect(await join(pods[1], sessionId, LOOKALIKES)).toEqual(all("BANNED", LOOKALIKES));
  expect(await join(pods[0], sessionId, ["Zoë"])).toEqual(["in"]);
});
