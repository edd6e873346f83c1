/** What the last lines of a service's log say to a person: the faults in words, else the lines. */

const LINES_MAX = 5;

interface LogLine {
  level: string;
  msg: string;
  err?: { message?: string; stack?: string };
}

/** The faults among JSON log lines as "message: cause"; where there are none, the last lines. */
export function explainLog(lines: readonly string[]): string[] {
  const faults = lines.flatMap((line) => {
    const read = readLine(line);
    if (!read || !["warn", "error", "fatal"].includes(read.level)) return [];
    return [[read.msg, read.err?.message].filter(Boolean).join(": ")];
  });
  // What is no JSON was not written by our logger: a crash of Node itself, say.
  const raw = lines.filter((line) => !readLine(line));
  const told = [...new Set([...faults, ...raw])];
  return (told.length > 0 ? told : [...lines]).slice(-LINES_MAX);
}

function readLine(line: string): LogLine | undefined {
  try {
    const read = JSON.parse(line) as Partial<LogLine>;
    if (typeof read.level !== "string" || typeof read.msg !== "string") return undefined;
    return { level: read.level, msg: read.msg, ...(read.err ? { err: read.err } : {}) };
  } catch {
    return undefined;
  }
}
