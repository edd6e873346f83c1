/** Guessing PINs is slow, at every door, and hits nobody else: a school behind one address plays on. */
import { expect, test } from "vitest";
import type { FrameJson, TestGateway } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite({ TRUSTED_PROXIES: "1" });

const SCHOOL = { "x-forwarded-for": "203.0.113.7" };
let submissions = 0;

/** "in", or the reason why not. */
async function hello(gateway: TestGateway, hello: object, headers: object = SCHOOL) {
  const client = suite.use(gateway.connect("/v1/socket", { ...headers }));
  // Heard as it comes: hundreds of clients that poll would hold up the gateway, which lives in this process.
  const heard = new Promise<string>((resolve, reject) => {
    client.socket.on("message", (data) => {
      const { joined, refused } = JSON.parse(String(data)) as FrameJson;
      if (joined) resolve("in");
      if (refused) resolve(String(refused.reason).replace("ERROR_REASON_", ""));
    });
    client.socket.on("close", (code) => reject(new Error(`closed with ${code}, unheard`)));
  });
  client.send({ hello: { protocolVersion: 1, ...hello } });
  return { heard: await heard, client };
}

const told = async (...of: Parameters<typeof hello>) => (await hello(...of)).heard;

function join(pin: string, nickname: string) {
  return { join: { pin, nickname, submissionId: `s${++submissions}` } };
}

async function resolve(gateway: TestGateway, pin: string, subject: string, headers: object) {
  const token = suite.backstage.token("spectator", subject);
  const response = await fetch(`${gateway.url}/quiz.v1.QuizService/ResolvePin`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({ pin }),
  });
  return response.status;
}

const wrongPin = (index: number) => String(700_000 + index);
/** A minute's worth, and what comes back while the test runs. */
const about = (least: number) => expect.toSatisfy((n: number) => n >= least && n <= least + 8);
const count = (list: readonly unknown[], what: unknown) =>
  list.filter((each) => each === what).length;
const lookedUp = () =>
  suite.backstage.director.calls.filter((call) => call === "resolvePin").length;

async function sessionWithPin(pin: string) {
  const sessionId = await suite.newSession();
  await suite.backstage.putSession(sessionId, { pin });
  return sessionId;
}

test("of 400 wrong PINs at once a minute's worth is looked up, whatever names they come with", async () => {
  const gateway = await suite.startGateway();
  const before = lookedUp();
  const heard = await Promise.all(
    Array.from({ length: 400 }, (_, i) => told(gateway, join(wrongPin(i), `eve${i}`))),
  );
  expect(count(heard, "SESSION_NOT_FOUND")).toEqual(about(60));
  expect(count(heard, "SLOW_DOWN")).toBe(400 - count(heard, "SESSION_NOT_FOUND"));
  expect(lookedUp() - before).toEqual(about(60));
  expect(await gateway.metric('quiz_pins_total{result="refused"')).toBe(count(heard, "SLOW_DOWN"));
  expect(await gateway.metric('quiz_limit_hits_total{limit="PINS_PER_MINUTE_PER_IP"')).toBe(
    count(heard, "SLOW_DOWN"),
  );
});

test("the JSON door has the same budget: a token has its share, and an address all of it", async () => {
  const gateway = await suite.startGateway();
  const one = await Promise.all(
    Array.from({ length: 100 }, (_, i) => resolve(gateway, wrongPin(i), "eve", SCHOOL)),
  );
  expect(count(one, 404)).toEqual(about(10));
  expect(count(one, 429)).toBe(100 - count(one, 404));
  const many = await Promise.all(
    Array.from({ length: 200 }, (_, i) => resolve(gateway, wrongPin(i), `eve${i}`, SCHOOL)),
  );
  expect(count(many, 404)).toEqual(about(50));
  const neighbour = { "x-forwarded-for": "203.0.113.200" };
  const near = await Promise.all(
    Array.from({ length: 20 }, (_, i) => told(gateway, join(wrongPin(i), "mal"), neighbour)),
  );
  expect(count(near, "SLOW_DOWN")).toBeGreaterThan(10);
  const elsewhere = { "x-forwarded-for": "198.51.100.1" };
  expect(await told(gateway, join(wrongPin(1), "mal"), elsewhere)).toBe("SESSION_NOT_FOUND");
});

test("an IPv6 line has one budget for all its addresses", async () => {
  const gateway = await suite.startGateway();
  const heard = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      told(gateway, join(wrongPin(i), `eve${i}`), { "x-forwarded-for": `2001:db8:0:1::${i}` }),
    ),
  );
  expect(count(heard, "SESSION_NOT_FOUND")).toEqual(about(60));
});

test("a hostile pupil locks nobody out: right PINs, returns, hosts and watchers of the same school come in", async () => {
  const { backstage } = suite;
  const pin = "424242";
  const sessionId = await sessionWithPin(pin);
  const [gateway, other] = [await suite.startGateway(), await suite.startGateway()];
  const host = { token: backstage.token("host", "anna"), sessionId };
  expect(await told(gateway, host)).toBe("in");
  for (const each of [gateway, other]) {
    const flood = await Promise.all(
      Array.from({ length: 300 }, (_, i) => told(each, join(wrongPin(i), `eve${i}`))),
    );
    expect(count(flood, "SLOW_DOWN")).toBeGreaterThan(200);
    const ids = await Promise.all(
      Array.from({ length: 100 }, (_, i) => told(each, { watch: `no_such_${i}` })),
    );
    expect(count(ids, "SESSION_NOT_FOUND")).toEqual(about(60));
    const pupils = await Promise.all(
      Array.from({ length: 100 }, (_, i) => hello(each, join(pin, `${each.httpPort} ann${i}`))),
    );
    expect(pupils.map(({ heard }) => heard)).toEqual(Array(100).fill("in"));
    const resumeToken = pupils[0]?.client.all("joined")[0].resumeToken;
    expect(await told(each, { resumeToken })).toBe("in");
    expect(await told(each, host)).toBe("in");
    expect(await told(each, { watch: sessionId })).toBe("in");
    expect(await resolve(each, pin, "a spectator", SCHOOL)).toBe(200);
  }
});

test("a host who comes through the JSON door alone makes the PIN known as well", async () => {
  const { backstage } = suite;
  const gateway = await suite.startGateway();
  const pin = "535353";
  const sessionId = await sessionWithPin(pin);
  const response = await fetch(`${gateway.url}/quiz.v1.QuizService/StartSession`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${backstage.token("host", "anna")}`,
      ...SCHOOL,
    },
    body: JSON.stringify({ sessionId }),
  });
  expect(response.status).toBe(200);
  for (let i = 0; i < 70; i++) await told(gateway, join(wrongPin(i), `eve${i}`));
  expect(await told(gateway, join(pin, "ann"))).toBe("in");
});

test("a pupil who guesses under one name takes nothing from the others", async () => {
  const gateway = await suite.startGateway();
  const pin = "646464";
  await sessionWithPin(pin);
  const eve = await Promise.all(
    Array.from({ length: 200 }, (_, i) => told(gateway, join(wrongPin(i), "eve"))),
  );
  expect(count(eve, "SESSION_NOT_FOUND")).toEqual(about(10));
  expect(await told(gateway, join(pin, "ann"))).toBe("in");
});

test("right PINs are not spent: a crowd and its slips of the finger come in from one address", async () => {
  const gateway = await suite.startGateway();
  const pin = "757575";
  await sessionWithPin(pin);
  const heard = await Promise.all(
    Array.from({ length: 200 }, (_, i) => told(gateway, join(pin, `ann${i}`))),
  );
  expect(count(heard, "in")).toBe(200);
  expect(await told(gateway, join("757576", "bob"))).toBe("SESSION_NOT_FOUND");
});

test("guesses of very many addresses are slowed down together", async () => {
  const gateway = await suite.startGateway({ PINS_PER_MINUTE: "60" });
  const startedAt = performance.now();
  const heard = await Promise.all(
    Array.from({ length: 120 }, (_, i) =>
      told(gateway, join(wrongPin(i), "eve"), { "x-forwarded-for": `10.0.${i}.1` }),
    ),
  );
  const tookMs = performance.now() - startedAt;
  expect(count(heard, "SESSION_NOT_FOUND")).toEqual(about(63));
  expect(count(heard, "SLOW_DOWN")).toBe(120 - count(heard, "SESSION_NOT_FOUND"));
  expect(tookMs).toBeGreaterThan(2_500);
  expect(await gateway.metric('quiz_limit_hits_total{limit="PINS_PER_MINUTE"')).toEqual(
    expect.toSatisfy((n: number) => n > 50 && n <= 60),
  );
});
