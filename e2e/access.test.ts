/** The whole table of proto/access.ts: every call, by every role and relation, at both doors. */
import type { DescService } from "@bufbuild/protobuf";
import { openDoor } from "@fanfare/cli/door";
import { ServiceError } from "@fanfare/common/errors";
import { createClient } from "@fanfare/common/grpc-client";
import { type Identity, Tokens } from "@fanfare/common/tokens";
import {
  type AccessRow,
  LEADERBOARD_ACCESS,
  QUIZ_ACCESS,
  QUIZ_MASTER_ACCESS,
  type Relation,
  ROLES,
  type Role,
} from "@fanfare/proto/access";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { numberedQuestions, type Stage, startStage, until } from "./stage.js";

const SESSION = "mine";
const ELSEWHERE = "another";
const QUIZ = "alices";
const CALL_MS = 10_000;

/** Whose token it is, seen from alice's session and quiz. */
const BEARERS = ["owner", "stranger", "bound", "bound elsewhere", "bound before"] as const;
type Bearer = (typeof BEARERS)[number];

/** What each relation lets in. */
const LETS_IN: Record<Relation, readonly Bearer[]> = {
  any: BEARERS,
  unbound: ["owner", "stranger"],
  self: ["owner", "stranger"],
  session: ["owner", "stranger", "bound", "bound before"],
  owner: ["owner", "bound"],
  // The session that it was bound to is in PostgreSQL.
  historyOwner: ["owner", "bound", "bound before"],
  quizOwner: ["owner"],
};

const session = { sessionId: SESSION };
const ofQuiz = { title: "Numbers", questions: numberedQuestions(2) };

/** One request for each call, which changes nothing that the others need. */
const REQUESTS = {
  quiz: {
    createSession: {},
    getSession: session,
    listSessions: {},
    resolvePin: { pin: "000000" },
    watchSession: session,
    startSession: session,
    nextRound: { ...session, expectedPhase: Phase.ENDED, expectedRound: 99 },
    pauseSession: session,
    continueSession: session,
    extendRound: session,
    skipRound: { ...session, expectedRound: 99 },
    endSession: session,
    lockSession: session,
    kickPlayer: { ...session, player: { case: "nickname", value: "nobody" } },
    banPlayer: { ...session, player: { case: "nickname", value: "nobody" } },
    listPlayers: session,
    joinSession: session,
    resumeSession: session,
    findAnswers: session,
    submitAnswers: {},
    listHistory: {},
    exportHistory: session,
    exportQuiz: session,
  } satisfies Record<keyof typeof QUIZ_ACCESS, object>,
  leaderboard: {
    getLeaderboard: session,
    getStandings: session,
    getGlobalLeaderboard: {},
    rebuildLeaderboard: session,
  } satisfies Record<keyof typeof LEADERBOARD_ACCESS, object>,
  quizMaster: {
    createQuiz: {},
    getQuiz: { quizId: QUIZ },
    updateQuiz: { quiz: { ...ofQuiz, quizId: QUIZ, version: 99n } },
    deleteQuiz: { quizId: QUIZ, version: 99n },
    listQuizzes: {},
    importQuiz: {},
    exportQuiz: { quizId: QUIZ },
    drawQuestions: { count: 1 },
  } satisfies Record<keyof typeof QUIZ_MASTER_ACCESS, object>,
};

const SERVICES = [
  { service: QuizService, access: QUIZ_ACCESS, requests: REQUESTS.quiz, at: "quizUrls" },
  {
    service: LeaderboardService,
    access: LEADERBOARD_ACCESS,
    requests: REQUESTS.leaderboard,
    at: "leaderboardUrls",
  },
  {
    service: QuizMasterService,
    access: QUIZ_MASTER_ACCESS,
    requests: REQUESTS.quizMaster,
    at: "quizMasterUrls",
  },
] as const;

let stage: Stage;
let tokens: Tokens;
let startBefore = 0n;

const tokenOf = (identity: Identity) => tokens.issue(identity, 600);
const doorOf = <S extends DescService>(service: S, identity: Identity) =>
  openDoor(service, stage.stack.gatewayUrls, tokenOf(identity));

beforeAll(async () => {
  stage = await startStage();
  tokens = new Tokens([stage.stack.tokenSecret]);
  const alice = doorOf(QuizService, { role: "host", subject: "alice" });
  const source = { case: "quiz", value: ofQuiz } as const;
  const before = await alice.createSession({ sessionId: SESSION, source });
  startBefore = before.session?.logStart ?? 0n;
  await alice.endSession({ sessionId: SESSION });
  await alice.createSession({ sessionId: SESSION, source, replaceEnded: true });
  const bob = doorOf(QuizService, { role: "host", subject: "bob" });
  await bob.createSession({ sessionId: ELSEWHERE, source });
  const author = doorOf(QuizMasterService, { role: "author", subject: "alice" });
  await author.createQuiz({ quiz: { ...ofQuiz, quizId: QUIZ } });
  await until(async () => (await alice.listHistory({ sessionId: SESSION })).sessions.length === 2);
}, 60_000);

afterAll(() => stage?.[Symbol.asyncDispose]());

function identityOf(role: Role, bearer: Bearer): Identity {
  const mallory = { role, subject: "mallory" };
  switch (bearer) {
    case "owner":
      return { role, subject: "alice" };
    case "stranger":
      return mallory;
    case "bound":
      return { ...mallory, sessionId: SESSION };
    case "bound elsewhere":
      return { ...mallory, sessionId: ELSEWHERE };
    case "bound before":
      return { ...mallory, sessionId: SESSION, sessionStart: startBefore };
  }
}

/** A client, called by names. */
type Calls = Record<string, (request: object, options?: object) => Promise<unknown>>;
type Ask = (token: string, method: string, request: object) => Promise<string>;

/** "in", or the reason why not. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "in";
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const turnedAway = [ErrorReason.FORBIDDEN, ErrorReason.UNAUTHENTICATED];
    return turnedAway.includes(error.reason) ? ErrorReason[error.reason] : "in";
  }
}

function byJson(service: DescService): Ask {
  return (token, method, request) => {
    const door = openDoor(service, stage.stack.gatewayUrls, token) as unknown as Calls;
    return outcomeOf(callOf(door, method)(request));
  };
}

function byGrpc(service: DescService, address: string): Ask & { close(): void } {
  let bearer = "";
  const client = createClient(service, address, () => bearer) as unknown as Calls;
  const ask = async (token: string, method: string, request: object) => {
    bearer = token;
    const abort = new AbortController();
    const call = callOf(client, method)(request, { signal: abort.signal, timeoutMs: CALL_MS });
    if (service.method[method]?.methodKind === "unary") return outcomeOf(call);
    // The first message of a stream, or its end, says it all.
    const first = (async () => {
      for await (const _ of call as unknown as AsyncIterable<object>) return abort.abort();
    })();
    return outcomeOf(first);
  };
  return Object.assign(ask, { close: () => void callOf(client, "close")({}) });
}

function callOf(client: Calls, method: string): Calls[string] {
  const call = client[method];
  if (!call) throw new Error(`there is no ${method}`);
  return call.bind(client);
}

/** What the table says of a method, as a list of who may come in. */
function saidBy(row: AccessRow): string[] {
  return ROLES.flatMap((role) => {
    const relation = row[role];
    return relation ? LETS_IN[relation].map((bearer) => `${role}, ${bearer}`) : [];
  });
}

async function whoComesIn(ask: Ask, method: string, request: object): Promise<string[]> {
  const came: string[] = [];
  for (const role of ROLES)
    for (const bearer of BEARERS) {
      const outcome = await ask(tokenOf(identityOf(role, bearer)), method, request);
      if (outcome === "in") came.push(`${role}, ${bearer}`);
      else expect(outcome).toBe("FORBIDDEN");
    }
  return came;
}

describe.each(SERVICES)("$service.typeName", ({ service, access, requests, at }) => {
  const rows = Object.entries<AccessRow>(access);
  const requestOf = (method: string) => (requests as Record<string, object>)[method];

  test("has a row and a case for each call, and no other", () => {
    const methods = service.methods.map(({ localName }) => localName).sort();
    expect(Object.keys(access).sort()).toEqual(methods);
    expect(Object.keys(requests).sort()).toEqual(methods);
  });

  test.each(rows)(
    "%s by gRPC lets in whom its row names",
    async (method, row) => {
      const ask = byGrpc(service, stage.stack[at][0] ?? "");
      try {
        expect(await whoComesIn(ask, method, requestOf(method) as object)).toEqual(saidBy(row));
        for (const token of ["", "forged"])
          expect(await ask(token, method, requestOf(method) as object)).toBe("UNAUTHENTICATED");
      } finally {
        ask.close();
      }
    },
    60_000,
  );

  const unary = rows.filter(([name]) => {
    const methods: Record<string, { methodKind: string }> = service.method;
    return methods[name]?.methodKind === "unary";
  });

  test.each(unary)(
    "%s as JSON lets in whom its row names",
    async (method, row) => {
      const ask = byJson(service);
      expect(await whoComesIn(ask, method, requestOf(method) as object)).toEqual(saidBy(row));
      for (const token of ["", "forged"])
        expect(await ask(token, method, requestOf(method) as object)).toBe("UNAUTHENTICATED");
    },
    60_000,
  );
});

describe("in words", () => {
  const refused = async (call: Promise<unknown>) => expect(await outcomeOf(call)).toBe("FORBIDDEN");
  const source = { case: "quiz", value: ofQuiz } as const;

  test("a host's token for one session makes no other, and reads nothing of the bank", async () => {
    const alice = doorOf(QuizService, { role: "host", subject: "alice" });
    const { hostToken } = await alice.createSession({ source });
    const quiz = openDoor(QuizService, stage.stack.gatewayUrls, hostToken);
    const bank = openDoor(QuizMasterService, stage.stack.gatewayUrls, hostToken);
    await refused(quiz.createSession({ source }));
    await refused(bank.getQuiz({ quizId: QUIZ }));
    await refused(bank.listQuizzes({}));
    await refused(bank.drawQuestions({ count: 5 }));
  });

  test("nobody replaces another's ended session, and her history stays hers", async () => {
    const alice = doorOf(QuizService, { role: "host", subject: "alice" });
    const bob = doorOf(QuizService, { role: "author", subject: "bob" });
    const admin = doorOf(QuizService, { role: "admin", subject: "root" });
    await alice.createSession({ sessionId: "kept", source });
    await alice.endSession({ sessionId: "kept" });
    await refused(bob.createSession({ sessionId: "kept", source, replaceEnded: true }));
    await admin.createSession({ sessionId: "kept", source, replaceEnded: true });
    const { sessions } = await until(async () => {
      const listed = await admin.listHistory({ sessionId: "kept" });
      return listed.sessions.length === 2 && listed;
    });
    expect(sessions.map(({ host }) => host)).toEqual(["root", "alice"]);
    const ask = byGrpc(QuizService, stage.stack.quizUrls[0] ?? "");
    const asked = (subject: string, place = 0n) =>
      ask(tokenOf({ role: "host", subject }), "exportHistory", { sessionId: "kept", place });
    expect(await asked("alice")).toBe("in");
    expect(await asked("alice", sessions[1]?.place)).toBe("in");
    expect(await asked("alice", sessions[0]?.place)).toBe("FORBIDDEN");
    expect(await asked("bob")).toBe("FORBIDDEN");
    ask.close();
  });

  test("hosts list their own sessions, page by page, and admins all", async () => {
    const carol = doorOf(QuizService, { role: "host", subject: "carol" });
    for (const sessionId of ["c1", "c2", "c3"]) await carol.createSession({ sessionId, source });
    const first = await carol.listSessions({ pageSize: 2 });
    expect(first.sessions.map(({ sessionId }) => sessionId)).toEqual(["c3", "c2"]);
    expect(first.sessions[0]?.pin).toMatch(/^\d+$/);
    const { nextPageToken: pageToken } = first;
    const second = await carol.listSessions({ pageSize: 2, pageToken });
    expect(second.sessions.map(({ sessionId }) => sessionId)).toEqual(["c1"]);
    expect(second.nextPageToken).toBe("");
    const admin = doorOf(QuizService, { role: "admin", subject: "root" });
    const all = (await admin.listSessions({})).sessions.map(({ sessionId }) => sessionId);
    expect(all).toEqual(expect.arrayContaining(["c1", "c2", "c3", ELSEWHERE]));
  });

  test("the PIN is its host's, admins' and services' alone", async () => {
    const pinFor = async (identity: Identity) =>
      (await doorOf(QuizService, identity).getSession({ sessionId: ELSEWHERE })).session?.pin;
    const pin = await pinFor({ role: "host", subject: "bob" });
    expect(pin).toMatch(/^\d+$/);
    expect(await pinFor({ role: "host", subject: "x", sessionId: ELSEWHERE })).toBe(pin);
    expect(await pinFor({ role: "admin", subject: "root" })).toBe(pin);
    expect(await pinFor({ role: "service", subject: "gateway-0" })).toBe(pin);
    expect(await pinFor({ role: "host", subject: "alice" })).toBe("");
    expect(await pinFor({ role: "player", subject: "p", sessionId: ELSEWHERE })).toBe("");
    expect(await pinFor({ role: "spectator", subject: "bob" })).toBe("");
    const watched = createClient(QuizService, stage.stack.quizUrls[0] ?? "", () =>
      tokenOf({ role: "spectator", subject: "eve" }),
    );
    for await (const { session } of watched.watchSession({ sessionId: ELSEWHERE })) {
      expect(session?.pin).toBe("");
      break;
    }
    watched.close();
  });
});
