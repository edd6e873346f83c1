/**
 * Who may call what: one row for each RPC, read by every service and by the gateway's JSON door. What
 * does not stand here is refused: a role that a row does not name, and a method without a row does not
 * compile.
 */
import type { DescService } from "@bufbuild/protobuf";
import type { LeaderboardService } from "./gen/leaderboard/v1/leaderboard_service_pb.js";
import type { QuizService } from "./gen/quiz/v1/quiz_service_pb.js";
import type { QuizMasterService } from "./gen/quizmaster/v1/quiz_master_service_pb.js";

export const ROLES = ["player", "host", "author", "spectator", "admin", "service"] as const;
export type Role = (typeof ROLES)[number];

/**
 * What the bearer of a token must be to what the call names. A token may be bound to one session: it
 * then acts on that session alone, so every relation but `any` also asks that.
 */
export const RELATIONS = {
  any: "any token of the role",
  unbound: "a token that is bound to no session",
  self: "a token that is bound to no session; sees what is its bearer's own",
  session: "a token that is bound to no session, or to the one that is named",
  owner: "the session's host: who created it, or a token that is bound to this very session",
  historyOwner: "the same of a session that may be over, or replaced by the next one of its id",
  quizOwner: "the quiz's author, with a token that is bound to no session",
} as const;
export type Relation = keyof typeof RELATIONS;

/** For each role that may call: the relation that it needs. */
export type AccessRow = Readonly<Partial<Record<Role, Relation>>>;
export type AccessTable<S extends DescService> = { readonly [K in keyof S["method"]]: AccessRow };

const all = (relation: Relation): AccessRow => ({
  player: relation,
  host: relation,
  author: relation,
  spectator: relation,
  admin: relation,
  service: relation,
});

/** Commands to a session. */
const hosts = { host: "owner", author: "owner", admin: "session" } as const;
/** What gateways do for players. */
const services = { service: "session", admin: "session" } as const;
/** Lists of what is one's own. */
const own = { host: "self", author: "self", admin: "unbound" } as const;
/** The bank as it is read, right answers included, and as it is written. */
const readers = { author: "unbound", host: "unbound", admin: "unbound" } as const;
const writers = { author: "unbound", admin: "unbound" } as const;
const quizOwners = { author: "quizOwner", admin: "unbound" } as const;

export const QUIZ_ACCESS: AccessTable<typeof QuizService> = {
  createSession: { host: "unbound", author: "unbound", admin: "unbound" },
  getSession: all("session"),
  listSessions: own,
  resolvePin: all("unbound"),
  watchSession: all("session"),
  startSession: hosts,
  nextRound: hosts,
  pauseSession: hosts,
  continueSession: hosts,
  extendRound: hosts,
  skipRound: hosts,
  endSession: hosts,
  lockSession: hosts,
  kickPlayer: hosts,
  banPlayer: hosts,
  listPlayers: { ...hosts, service: "session" },
  joinSession: services,
  resumeSession: services,
  findAnswers: services,
  submitAnswers: { service: "unbound" },
  listHistory: own,
  exportHistory: { host: "historyOwner", author: "historyOwner", admin: "session" },
  exportQuiz: hosts,
};

export const LEADERBOARD_ACCESS: AccessTable<typeof LeaderboardService> = {
  getLeaderboard: all("session"),
  getStandings: { host: "session", ...services },
  getGlobalLeaderboard: all("any"),
  rebuildLeaderboard: { admin: "session" },
};

export const QUIZ_MASTER_ACCESS: AccessTable<typeof QuizMasterService> = {
  createQuiz: writers,
  getQuiz: { ...readers, service: "unbound" },
  updateQuiz: quizOwners,
  deleteQuiz: quizOwners,
  listQuizzes: readers,
  importQuiz: writers,
  exportQuiz: writers,
  drawQuestions: { ...readers, service: "unbound" },
};
