/**
 * Ends a server when this process ends without having done so, even by SIGKILL. A shell waits on
 * a pipe whose other end only this process holds; when the kernel closes it, the shell asks the
 * server to stop, and after ten seconds ends it. The same on Linux and macOS.
 */
import { spawn } from "node:child_process";

const SCRIPT = `
read -r line
kill -s "$2" "$1" 2>/dev/null || exit 0
for second in 1 2 3 4 5 6 7 8 9 10; do
  kill -0 "$1" 2>/dev/null || exit 0
  sleep 1
done
kill -s KILL "$1"
`;

/** Watches over `pid` until the returned function is called; call it once the server has ended. */
export function watchOver(pid: number, stopSignal: NodeJS.Signals): () => void {
  const name = stopSignal.replace(/^SIG/, "");
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "fanfare-watchdog", String(pid), name], {
    cwd: "/",
    // A group of its own: Ctrl-C in the terminal must not end it before us.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell the pid file is the only guard; that is no reason not to serve.
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  shell.unref();
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
  return () => {
    shell.kill("SIGKILL");
    shell.stdin.destroy();
  };
}
