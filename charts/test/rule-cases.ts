/**
 * What each alert must wake up for, and what it must sleep through: series a minute apart in promtool's
 * notation (`0+5x60`: sixty steps of 5), the time at which it is asked, and all that fires then.
 */
import type { Series } from "./prometheus.js";

export interface RuleCase {
  alert: string;
  what: string;
  series: Series;
  at: string;
  /** `<alert> <severity>` of everything that fires: of this alert, and no other. */
  firing: readonly string[];
}

interface ServiceLevel {
  alert: string;
  /** The part that may be bad. */
  budget: number;
  series(events: string, bad: string, good: string): Series;
}

const LEVELS: readonly ServiceLevel[] = [
  {
    alert: "AnswersFailing",
    budget: 0.001,
    series: (_events, bad, good) => ({
      'quiz_answers_total{namespace="games",result="accepted"}': good,
      'quiz_answers_total{namespace="games",result="UNAVAILABLE"}': bad,
      // As many as were good come too late, which is the game.
      'quiz_answers_total{namespace="games",result="ROUND_CLOSED"}': good,
    }),
  },
  {
    alert: "AnswersSlow",
    budget: 0.01,
    series: (events, _bad, good) => ({
      'quiz_answer_ack_duration_seconds_count{namespace="games"}': events,
      'quiz_answer_ack_duration_seconds_bucket{namespace="games",le="0.25"}': good,
    }),
  },
  {
    alert: "BoardsLate",
    budget: 0.01,
    series: (events, _bad, good) => ({
      'quiz_leaderboard_freshness_seconds_count{namespace="games"}': events,
      'quiz_leaderboard_freshness_seconds_bucket{namespace="games",le="1"}': good,
    }),
  },
  {
    alert: "JoinsFailing",
    budget: 0.001,
    series: (_events, bad, good) => ({
      'quiz_ws_joins_total{namespace="games",result="joined"}': good,
      'quiz_ws_joins_total{namespace="games",result="INTERNAL"}': bad,
      'quiz_ws_joins_total{namespace="games",result="NAME_TAKEN"}': good,
    }),
  },
];

const EVENTS = 10_000;

/** `minutes` in which `times` the allowance is used up, then `after` in which all is well. */
function burning({ budget, series }: ServiceLevel, times: number, minutes: number, after = 0) {
  const bad = EVENTS * budget * times;
  const line = (per: number, then = per) =>
    `0+${per}x${minutes}${after ? ` ${per * minutes + then}+${then}x${after}` : ""}`;
  return series(line(EVENTS), line(bad, 0), line(EVENTS - bad, EVENTS));
}

function levelCases(level: ServiceLevel): RuleCase[] {
  const { alert } = level;
  const page = [`${alert} page`, `${alert} ticket`];
  const ticket = [`${alert} ticket`];
  const aFew = level.series("0x9 20x50", "0x9 9x50", "0x9 11x50");
  return [
    { what: "20 times", series: burning(level, 20, 30), at: "30m", firing: page },
    { what: "8 times, for hours", series: burning(level, 8, 420), at: "7h", firing: page },
    { what: "twice, for hours", series: burning(level, 2, 420), at: "7h", firing: ticket },
    { what: "20 times, but over", series: burning(level, 20, 20, 40), at: "1h", firing: ticket },
    { what: "half of it", series: burning(level, 0.5, 420), at: "7h", firing: [] },
    { what: "nine in a quiet night", series: aFew, at: "15m", firing: [] },
  ].map((each) => ({ alert, ...each, what: `uses its allowance: ${each.what}` }));
}

const GAMES = 'namespace="games"';
const QUIZ = `${GAMES},component="quiz"`;
const READER = `${GAMES},component="leaderboard",instance="leaderboard-1"`;
const HISTORY = `${GAMES},component="history",instance="history-1"`;
const refused = `quiz_events_dead_lettered_total{${GAMES},component="history",reason="refused"}`;
const content = `quiz_events_dead_lettered_total{${GAMES},component="history",reason="content"}`;
const lag = `quiz_event_consumer_lag_seconds{${READER}}`;
const stored = `quiz_events_published_total{${QUIZ},result="stored"}`;
const fence = `quiz_session_fence_lost_total{${QUIZ}}`;
const turnedAway = `quiz_ws_admission_rejected_total{${GAMES},reason="sockets"}`;
const pins = (result: string) => `quiz_pins_total{${GAMES},result="${result}"}`;
const limit = (name: string) =>
  `quiz_limit_hits_total{${GAMES},component="gateway",limit="${name}"}`;
const certificate = `quiz_tls_certificate_expiry_timestamp_seconds{${QUIZ},instance="quiz-1"}`;
const DAY = 86_400;

type CauseCase = [alert: string, severity: string, what: string, series: Series, at: string];

const FIRE: readonly CauseCase[] = [
  [
    "AuditMismatch",
    "page",
    "one round",
    { [`quiz_audit_mismatches_total{${GAMES},component="history"}`]: "0x9 1x30" },
    "12m",
  ],
  ["ScoresRefused", "page", "a counter that moves", { [refused]: "3x9 4x30" }, "12m"],
  ["ScoresRefused", "page", "a counter that is new", { [refused]: "_x69 1x30" }, "75m"],
  ["DeadLetters", "ticket", "a counter that moves", { [content]: "3x9 4x30" }, "12m"],
  ["DeadLetters", "ticket", "a counter that is new", { [content]: "_x69 1x30" }, "75m"],
  ["BoardsStale", "page", "for minutes", { [`quiz_leaderboard_stale{${GAMES}}`]: "0 1x9" }, "4m"],
  ["LagGrowing", "page", "a reader that stands", { [lag]: "0 0+60x20" }, "15m"],
  ["LanesContested", "ticket", "a third", { [stored]: "0+600x30", [fence]: "0+200x30" }, "20m"],
  ["ClockStepped", "ticket", "once", { [`quiz_clock_steps_total{${QUIZ}}`]: "0x9 1x30" }, "12m"],
  [
    "LoopEnded",
    "page",
    "the purge",
    { [`quiz_loop_ended{${HISTORY},loop="purge"}`]: "0x9 1x30" },
    "12m",
  ],
  [
    "NothingStored",
    "page",
    "a full disk",
    { [`quiz_nats_storage_fault{${QUIZ},fault="full"}`]: "0x9 1x30" },
    "12m",
  ],
  [
    "LogFilling",
    "page",
    "over four fifths",
    { [`quiz_log_bytes{${HISTORY}}`]: "850x20", [`quiz_log_limit_bytes{${HISTORY}}`]: "1000x20" },
    "10m",
  ],
  ["PlayersTurnedAway", "page", "two a second", { [turnedAway]: "0+120x20" }, "10m"],
  ["PinGuessing", "ticket", "two a second", { [pins("refused")]: "0+120x20" }, "15m"],
  ["LimitHit", "ticket", "a limit of ours", { [limit("ANSWERS_PENDING_MAX")]: "0+2x20" }, "15m"],
  [
    "EventLoopLate",
    "ticket",
    "for long",
    { [`quiz_event_loop_lag_seconds{${READER},quantile="0.99"}`]: "0.2x20" },
    "10m",
  ],
  ["PodNotScraped", "ticket", "gone", { 'up{job="fanfare",namespace="games"}': "0x20" }, "10m"],
  [
    "ComponentMissing",
    "page",
    "was here",
    { [`quiz_build_info{${QUIZ}}`]: "1x9 stale _x30" },
    "20m",
  ],
  ["CertificateExpiring", "ticket", "in 13 days", { [certificate]: `${13 * DAY}x90` }, "80m"],
];

const SLEEP: readonly CauseCase[] = [
  [
    "AuditMismatch",
    "",
    "rounds that agree",
    { [`quiz_audit_mismatches_total{${GAMES},component="history"}`]: "0x30" },
    "20m",
  ],
  ["ScoresRefused", "", "those of last week", { [refused]: "3x90" }, "80m"],
  ["DeadLetters", "", "those of last week", { [content]: "3x90" }, "80m"],
  ["BoardsStale", "", "a moment", { [`quiz_leaderboard_stale{${GAMES}}`]: "0x3 1 0x9" }, "5m"],
  ["LagGrowing", "", "one that catches up", { [lag]: "600-60x9 0x20" }, "8m"],
  ["LanesContested", "", "pods that start", { [stored]: "0+600x30", [fence]: "0 40x30" }, "20m"],
  [
    "LoopEnded",
    "",
    "all go round",
    { [`quiz_loop_ended{${HISTORY},loop="purge"}`]: "0x30" },
    "20m",
  ],
  ["ClockStepped", "", "never", { [`quiz_clock_steps_total{${QUIZ}}`]: "0x30" }, "20m"],
  [
    "NothingStored",
    "",
    "all is stored",
    { [`quiz_nats_storage_fault{${QUIZ},fault="full"}`]: "0x30" },
    "12m",
  ],
  [
    "LogFilling",
    "",
    "half full",
    { [`quiz_log_bytes{${HISTORY}}`]: "500x20", [`quiz_log_limit_bytes{${HISTORY}}`]: "1000x20" },
    "10m",
  ],
  [
    "LogFilling",
    "",
    "without a limit",
    { [`quiz_log_bytes{${HISTORY}}`]: "500x20", [`quiz_log_limit_bytes{${HISTORY}}`]: "0x20" },
    "10m",
  ],
  ["PlayersTurnedAway", "", "now and then", { [turnedAway]: "0+6x20" }, "10m"],
  [
    "PlayersTurnedAway",
    "",
    "who guess PINs",
    { [turnedAway.replace("sockets", "pins")]: "0+600x20" },
    "10m",
  ],
  ["PinGuessing", "", "a slip now and then", { [pins("wrong")]: "0+30x20" }, "15m"],
  ["PinGuessing", "", "a crowd with the right one", { [pins("right")]: "0+6000x20" }, "15m"],
  [
    "LimitHit",
    "",
    "what one client reaches",
    { [limit("FRAMES_PER_SECOND_MAX")]: "0+600x20" },
    "15m",
  ],
  ["LimitHit", "", "guesses", { [limit("PINS_PER_MINUTE_PER_IP")]: "0+600x20" }, "15m"],
  [
    "EventLoopLate",
    "",
    "a burst",
    { [`quiz_event_loop_lag_seconds{${READER},quantile="0.99"}`]: "0.01x9 0.3x2 0.01x20" },
    "12m",
  ],
  ["PodNotScraped", "", "there", { 'up{job="fanfare",namespace="games"}': "1x20" }, "10m"],
  ["ComponentMissing", "", "there", { [`quiz_build_info{${QUIZ}}`]: "1x30" }, "20m"],
  ["CertificateExpiring", "", "in 15 days", { [certificate]: `${15 * DAY}x90` }, "80m"],
];

/** Something of Fanfare is seen in all of these, and in the one after them nothing is. */
const PRESENT: Series = { [`quiz_build_info{${GAMES},component="gateway"}`]: "1x500" };

export const RULE_CASES: readonly RuleCase[] = [
  ...[...LEVELS.flatMap(levelCases), ...[...FIRE, ...SLEEP].map(causeCase)].map((each) => ({
    ...each,
    series: { ...PRESENT, ...each.series },
  })),
  {
    alert: "BoardsLate",
    what: "sleeps where Prometheus 3 writes the bound of 1 s as 1.0",
    series: {
      ...PRESENT,
      'quiz_leaderboard_freshness_seconds_count{namespace="games"}': "0+1000x30",
      'quiz_leaderboard_freshness_seconds_bucket{namespace="games",le="1.0"}': "0+1000x30",
    },
    at: "30m",
    firing: [],
  },
  {
    alert: "ComponentMissing",
    what: "nothing is seen at all",
    series: {},
    at: "10m",
    firing: ["ComponentMissing page"],
  },
];

function causeCase([alert, severity, what, series, at]: CauseCase): RuleCase {
  return { alert, what, series, at, firing: severity ? [`${alert} ${severity}`] : [] };
}
