/** All that a handler can reach: the rooms, and ports to what acts. */

import type { GuessBudget } from "@fanfare/common/guess-budget";
import type { KeyedRateLimit, RateLimit } from "@fanfare/common/rate-limit";
import type { Config } from "../config.js";
import type { FrameEncoder } from "../domain/frame-codec.js";
import type { KnownPins } from "../domain/known-pins.js";
import type { Clock, RoomFeed } from "../domain/ports.js";
import type { RoomRegistry } from "../domain/room-registry.js";
import type {
  Admissions,
  Answers,
  Boards,
  Commands,
  Identities,
  Pins,
} from "../domain/service-ports.js";
import type { GatewayMetrics } from "../metrics.js";
import type { PinFinder } from "./find-session.js";
import type { OwedResults } from "./owed-results.js";
import type { UndecidedAnswers } from "./undecided-answers.js";

export interface Rates {
  frames: RateLimit;
  answers: RateLimit;
  boards: RateLimit;
  /** By address, or by a token's bearer. */
  joins: KeyedRateLimit;
  wrongIds: KeyedRateLimit;
}

export interface Gateway {
  config: Config;
  rooms: RoomRegistry;
  feed: RoomFeed;
  encoder: FrameEncoder;
  clock: Clock;
  identities: Identities;
  pins: Pins;
  finder: PinFinder;
  guesses: GuessBudget;
  knownPins: KnownPins;
  admissions: Admissions;
  answers: Answers;
  commands: Commands;
  boards: Boards;
  rates: Rates;
  /** Of who came back: answers that may be on their way. */
  undecided: UndecidedAnswers;
  /** Results that could not be told whole. */
  owed: OwedResults;
  metrics: GatewayMetrics;
  /** A name for a player's connection that is greater than all before it. */
  nextConnection(): string;
  /** Notes a fault that nobody is told of otherwise. */
  onFault(error: unknown, what: string): void;
}
