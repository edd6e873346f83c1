/** What the tests of servers share: a folder of their own, and the end of all that they open. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";

export interface ServerRoom {
  /** What is to be closed after the test, last first. */
  readonly opened: AsyncDisposable[];
  /** Notes a server, so that it is stopped after the test. */
  open<T extends AsyncDisposable>(starting: Promise<T>): Promise<T>;
  /** A folder that is gone after the last test. */
  newFolder(): Promise<string>;
}

/** Call it at the top of a test file. */
export function useServers(): ServerRoom {
  const opened: AsyncDisposable[] = [];
  let folder: string;
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "fanfare-servers-test-")));
  });
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return {
    opened,
    async open(starting) {
      const server = await starting;
      opened.push(server);
      return server;
    },
    newFolder: () => mkdtemp(join(folder, "server-")),
  };
}
