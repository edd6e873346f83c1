/** Times what a process asks of Redis or PostgreSQL: once a call, whatever the call holds. */
import type { Histogram } from "prom-client";

type Times = Histogram<"db_system_name" | "db_operation_name" | "error_type">;

export class OperationTimes {
  constructor(
    private readonly system: "redis" | "postgresql",
    private readonly histogram: Times,
  ) {}

  /** Runs the work and notes how long it took, under a name from a small set; passes on what it throws. */
  async time<T>(operation: string, work: () => PromiseLike<T>): Promise<T> {
    const startedAt = performance.now();
    let errorType = "OK";
    try {
      return await work();
    } catch (error) {
      errorType = errorTypeOf(error);
      throw error;
    } finally {
      this.histogram.observe(
        {
          db_system_name: this.system,
          db_operation_name: operation,
          error_type: errorType,
        },
        (performance.now() - startedAt) / 1_000,
      );
    }
  }
}

/**
 * The SQLSTATE or the socket's error code, the first word of what Redis replied, or the error's name:
 * each from a set that does not grow with use.
 */
function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return "other";
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && /^[A-Z0-9_]{2,40}$/.test(code)) return code;
  if (error.name === "ReplyError") return /^[A-Z]{2,20}/.exec(error.message)?.[0] ?? "ReplyError";
  return error.name;
}
