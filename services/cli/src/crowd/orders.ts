/** What a crowd process can be told to do, and what it says back. */
import type { CastPlan, CastProgress, CastReport } from "../load/cast-plan.js";
import type { Drill, DrillReport } from "./drills.js";

export type Order = Drill | { do: "play"; plan: CastPlan };

export type ReportOf<O extends Order> = O extends Drill ? DrillReport : CastReport;

/** To a crowd process: an order, or the wish that one in progress ends early. */
export type ToCrowd = { id: number; order: Order } | { id: number; stop: true };

/** From a crowd process: when it is up, once a second while it plays, and at the end of every order. */
export type FromCrowd =
  | { ready: true }
  | { id: number; progress: CastProgress }
  | { id: number; report: DrillReport | CastReport }
  | { id: number; fault: string };
