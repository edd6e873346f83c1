/** The pid files of a stack's folder: of its services in `run`, of each server beside its data. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface PidFile {
  /** As in the file's name: `gateway-1`, `nats`. */
  name: string;
  path: string;
  /** Undefined where the file names none. The process may have ended long ago. */
  pid: number | undefined;
}

/** Where the stack in this folder keeps the pid files of its services. */
export function servicesFolder(directory: string): string {
  return join(directory, "run");
}

/** Where NATS, Redis and PostgreSQL of the stack in this folder keep theirs. */
export async function serverFolders(directory: string): Promise<string[]> {
  const data = join(directory, "data");
  return (await readdir(data).catch(() => [])).map((name) => join(data, name));
}

/** The pid files of one folder; none where there is no folder. */
export async function readPidFiles(folder: string): Promise<PidFile[]> {
  const files = (await readdir(folder).catch(() => [])).filter(
    // PostgreSQL's own lock file has its own rules.
    (name) => name.endsWith(".pid") && name !== "postmaster.pid",
  );
  return Promise.all(
    files.map(async (file) => {
      const path = join(folder, file);
      const pid = Number((await readFile(path, "utf8")).split(/\s/)[0]);
      return { name: file.slice(0, -".pid".length), path, pid: pid > 0 ? pid : undefined };
    }),
  );
}
