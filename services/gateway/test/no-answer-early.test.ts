/** P8: nothing that tells the right answer leaves before the reveal, to whomever it goes. */
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { rows } from "./backstage.js";
import { settled, type TestClient, until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

/** Names of fields that may only come with a reveal or after it. */
const TELLING = new Set([
  "reveal",
  "ownResult",
  "correct",
  "distribution",
  "explanation",
  "streak",
  "penalty",
]);

/** Field names in a frame, as paths: `question.question.options.choice`. */
function paths(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => paths(each, path));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    paths(inner, path ? `${path}.${key}` : key),
  );
}

test("a recorder of every frame before the reveal finds no telling field, for anybody", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const host = suite.use(await gateway.host(backstage.token("host", "anna", sessionId)));
  const watcher = suite.use(await gateway.watch(sessionId));
  const board = suite.use(gateway.connect(`/livescore/${sessionId}`));
  const right = suite.use(await gateway.join(sessionId, "right"));
  const wrong = suite.use(await gateway.join(sessionId, "wrong"));
  await backstage.openRound(sessionId, 1, 20, {
    phase: Phase.READING,
    question: { type: 1, text: "Capital?", options: [], points: 1_000 },
  });
  await right.next("question");
  await backstage.openRound(sessionId, 1);
  await right.next("question");
  right.answer(1, "A", "r1");
  wrong.answer(1, "B", "w1");
  await Promise.all([right.next("accepted"), wrong.next("accepted")]);
  await backstage.publishBoard(sessionId, { round: 1, answers: 2, joined: 2 });
  await until("the count", () => host.all("progress").at(-1)?.answers === 2);
  const back = suite.use(await gateway.resume(right.resumeToken));
  back.answer(1, "A", "r1");
  await back.next("accepted");
  await backstage.putSession(sessionId, { phase: Phase.CLOSING });
  const everybody: TestClient[] = [host, watcher, right, wrong, back];
  for (const client of everybody) if (client.socket.readyState === 1) await settled(client);
  for (const frame of everybody.flatMap(({ frames }) => frames)) {
    for (const path of paths(frame))
      expect(TELLING.has(path.split(".").at(-1) ?? ""), `${path} came before the reveal`).toBe(
        false,
      );
    // The only answer that anybody is shown is one's own, as it was sent.
    if ("joined" in frame && frame.joined.answer)
      expect(Object.keys(frame.joined.answer).sort()).toEqual(["choices", "round", "submissionId"]);
  }
  expect(new Set(board.texts)).toEqual(new Set(["[]"]));
  await backstage.reveal(sessionId, 1);
  expect(await back.next("ownResult")).toMatchObject({ correct: true });
});

test("an acknowledgement has the same form and length whether the answer was right or wrong", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const right = suite.use(await gateway.join(sessionId, "right"));
  const wrong = suite.use(await gateway.join(sessionId, "wrong"));
  await backstage.openRound(sessionId, 1);
  await Promise.all([right.next("question"), wrong.next("question")]);
  right.answer(1, "A", "same");
  wrong.answer(1, "B", "same");
  await Promise.all([right.next("accepted"), wrong.next("accepted")]);
  const acknowledged = (client: TestClient) =>
    client.texts.find((text) => text.startsWith('{"accepted"'));
  expect(acknowledged(right)).toBe(acknowledged(wrong));
});

test("names in a board are whatever they are: JSON is not broken by them", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const watcher = suite.use(await gateway.watch(sessionId));
  const [row] = rows(1, '"}]</script>\u2028');
  await backstage.publishBoard(sessionId, { standings: row ? [row] : [] });
  expect((await watcher.next("board")).standings[0].nickname).toBe('"}]</script>\u20280');
});
