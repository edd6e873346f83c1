/** Options of a session: bounds, and defaults for what was left out. Bounds as documented in session.proto. */
import { clone, create } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  Pacing,
  ScoringFormula,
  type SessionOptions,
  SessionOptionsSchema,
} from "@fanfare/proto/quiz/v1/session";
import { type Refusal, refuse } from "./refusal.js";

type NumberField =
  | "streakBonusStep"
  | "streakBonusMax"
  | "roundSeconds"
  | "readingSeconds"
  | "revealSeconds"
  | "playersMax"
  | "lanes"
  | "boardSize";

/** field → [lowest, highest, default for 0]; where the default is 0, 0 itself is in bounds. */
const BOUNDS: Record<NumberField, readonly [number, number, number]> = {
  streakBonusStep: [0, 1_000, 0],
  streakBonusMax: [0, 10_000, 0],
  roundSeconds: [5, 240, 20],
  readingSeconds: [0, 30, 0],
  revealSeconds: [1, 60, 5],
  playersMax: [1, 1_000_000, 20_000],
  lanes: [1, 64, 1],
  boardSize: [3, 100, 10],
};

/** A filled-in copy, or what is out of bounds. */
export function fillOptions(given: SessionOptions | undefined): SessionOptions | Refusal {
  const options = given ? clone(SessionOptionsSchema, given) : create(SessionOptionsSchema);
  for (const [name, [lowest, highest, fallback]] of Object.entries(BOUNDS)) {
    const field = name as NumberField;
    const value = options[field] || fallback;
    if (value < lowest || value > highest) {
      const bounds = `${lowest}..${highest}`;
      const field = `options.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
      return refuse(ErrorReason.INVALID_FIELD, `${field} must be ${bounds}`, { field, bounds });
    }
    options[field] = value;
  }
  if (!(options.scoring in ScoringFormula)) return unknown("options.scoring");
  if (!(options.pacing in Pacing)) return unknown("options.pacing");
  options.scoring ||= ScoringFormula.SPEED;
  options.pacing ||= Pacing.HOST;
  options.closeWhenAllAnswered ??= true;
  options.giveBackOutages ??= options.pacing === Pacing.HOST;
  return options;
}

function unknown(field: string): Refusal {
  return refuse(ErrorReason.INVALID_FIELD, `${field} is not one of the known values`, { field });
}
