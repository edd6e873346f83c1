/** A file system of a few megabytes, to be filled: for tests of what a full disk does. Needs root, on Linux. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CHUNKS = [1024 * 1024, 4096];

export class SmallDisk implements Disposable {
  private constructor(readonly path: string) {}

  static readonly isPossible = process.platform === "linux" && process.getuid?.() === 0;

  /** Mounted at `path`, which is made. */
  static mount(path: string, megabytes: number): SmallDisk {
    mkdirSync(path, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0777`, "tmpfs", path]);
    return new SmallDisk(path);
  }

  /** Takes all the room that there is. */
  fill(): void {
    for (const bytes of CHUNKS) {
      for (let n = 0; ; n++) {
        try {
          writeFileSync(join(this.path, `filling-${bytes}-${n}`), Buffer.alloc(bytes), {
            flag: "wx",
          });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          break;
        }
      }
    }
  }

  /** Gives the room back. */
  empty(): void {
    for (const name of readdirSync(this.path))
      if (name.startsWith("filling-")) rmSync(join(this.path, name));
  }

  [Symbol.dispose](): void {
    // Lazily: a server that still ends has files open there.
    execFileSync("umount", ["--lazy", this.path]);
  }
}
