/** What every server offers, whether we started it or only were told its address. */

export interface ServerOptions {
  /** A server that runs already: it is checked and used, never started, stopped or killed. */
  url?: string | undefined;
  /** 0 or none: a free port. */
  port?: number | undefined;
  /** Holds data, configuration, log and pid file. None: a temporary one, gone after disposal. */
  directory?: string | undefined;
  /** Where the server's output goes; else into a file in the directory. */
  stdioLog?: string | undefined;
  /** Is told, in a line, of steps that take long or surprise. */
  onProgress?: ((line: string) => void) | undefined;
  /** Is called when a server that was ready ends without `stop` or `restart`. */
  onExit?:
    | ((code: number | null, signal: NodeJS.Signals | null, lastLogLines: string[]) => void)
    | undefined;
  /** How long a start may take until the server answers; 60 s if not given. */
  readyWithinMs?: number | undefined;
  /** Where binaries are kept that we install; `<repo>/.fanfare/bin` if not given. */
  cacheDirectory?: string | undefined;
}

export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Undefined while it does not run, and for a server that is not ours. */
  readonly pid: number | undefined;
  readonly version: string;
  /** Undefined for a server that is not ours. */
  readonly directory: string | undefined;
  /** True if it was started here, false if only its address was given. */
  readonly ours: boolean;
  /** Sends a signal as a fault would. After SIGKILL it resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops it cleanly, after 10 s by force. Safe to repeat; `restart` may follow. */
  stop(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
}
