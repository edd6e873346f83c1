/**
 * Errors as the log shows them: what failed and where, never what players wrote. Clients of stores hang
 * a command's arguments or the row onto their errors, and some messages quote the value that was wrong.
 */

/** Facts of the system, not of its users. */
const FACTS = [
  "code",
  "syscall",
  "address",
  "port",
  "hostname",
  "severity",
  "schema_name",
  "table_name",
  "column_name",
  "constraint_name",
  "routine",
] as const;

/** Causes of causes, beyond which nobody reads. */
const DEPTH_MAX = 8;

/** For pino: name, message, stack, known facts and causes; of what is no error only its type. */
export function loggedError(thrown: unknown, depth = 0): object {
  if (!(thrown instanceof Error)) return { type: typeof thrown };
  const message = safeMessage(thrown);
  const facts = thrown as unknown as Record<string, unknown>;
  const logged: Record<string, unknown> = {
    type: thrown.name,
    message,
    stack: safeStack(thrown, message),
  };
  for (const fact of FACTS) {
    const value = facts[fact];
    if (typeof value === "string" || typeof value === "number") logged[fact] = value;
  }
  if (depth === DEPTH_MAX) return logged;
  if (thrown.cause !== undefined) logged.cause = loggedError(thrown.cause, depth + 1);
  if (thrown instanceof AggregateError)
    logged.errors = thrown.errors.slice(0, DEPTH_MAX).map((each) => loggedError(each, depth + 1));
  return logged;
}

function safeMessage(error: Error): string {
  const { code } = error as { code?: unknown };
  // Class 22 quotes the value that does not fit its column.
  if (error.name === "PostgresError" && typeof code === "string" && code.startsWith("22"))
    return `PostgreSQL can't hold a value (${code})`;
  if (error instanceof SyntaxError) return error.message.replace(/["'`].*$/s, "…");
  return error.message.replace(/( from JSON):.*$/s, "$1");
}

/** The frames alone where the message had to be changed: a stack begins with it. */
function safeStack({ name, message, stack = "" }: Error, safe: string): string {
  if (safe === message) return stack;
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return [`${name}: ${safe}`, ...frames].join("\n");
}
