/** Spans of calls to Redis and PostgreSQL, by OpenTelemetry's conventions for databases. */
import { inSpan, type Span, SpanKind, startSpan } from "./tracing.js";

export interface DbWork {
  system: "redis" | "postgresql";
  operation: string;
  /** The table, or the script: what the operation is about. */
  target: { table: string } | { script: string };
}

/** Does the work, in a span of its own where what it belongs to is traced. */
export async function inDbSpan<T>(
  parent: Span | undefined,
  { system, operation, target }: DbWork,
  work: () => Promise<T>,
): Promise<T> {
  if (!parent) return work();
  const [attribute, name] =
    "table" in target
      ? ["db.collection.name", target.table]
      : ["db.stored_procedure.name", target.script];
  const attributes = {
    "db.system.name": system,
    "db.operation.name": operation,
    [attribute]: name,
  };
  const span = startSpan(`${operation} ${name}`, { kind: SpanKind.CLIENT, attributes }, parent);
  return inSpan(span, work);
}
