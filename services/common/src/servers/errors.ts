/**
 * What can go wrong when a server is found, installed or started. Each error says in its message
 * what the reader can do; callers tell them apart by class, never by text.
 */
export type ServerName = "NATS" | "Redis" | "PostgreSQL";

/** The variable by which a person names a server that already runs. */
export const urlVariables: Record<ServerName, string> = {
  NATS: "NATS_URL",
  Redis: "REDIS_URL",
  PostgreSQL: "POSTGRES_URL",
};

export class ServerError extends Error {
  constructor(
    readonly server: ServerName,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No good enough server is there and none could be installed. One line: what to install. */
export class ServerUnavailableError extends ServerError {}

/** Somebody else listens on the port. */
export class PortInUseError extends ServerError {
  constructor(
    server: ServerName,
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(
      server,
      `port ${port}, wanted for ${server}, is in use: free it, choose another one (option ` +
        `"port"), or name the server that runs there in ${urlVariables[server]}`,
      options,
    );
  }
}

/** A server that somebody still owns works in this directory. */
export class DirectoryInUseError extends ServerError {
  constructor(
    server: ServerName,
    readonly directory: string,
    readonly pid: number,
  ) {
    super(server, `${server} already runs in ${directory} (process ${pid}): stop that one first`);
  }
}

/** The disk that holds the directory is full. */
export class DiskFullError extends ServerError {
  constructor(
    server: ServerName,
    readonly directory: string,
    options?: ErrorOptions,
  ) {
    super(
      server,
      `no space left for ${server} in ${directory}: free some and start again`,
      options,
    );
  }
}

/** The data were written by another major version, which this one cannot read. */
export class VersionMismatchError extends ServerError {
  constructor(
    server: ServerName,
    readonly directory: string,
    readonly directoryMajor: string,
    readonly binaryVersion: string,
  ) {
    super(
      server,
      `${directory} was written by ${server} ${directoryMajor}, but the one found here is ` +
        `${binaryVersion}: install ${server} ${directoryMajor}, or move that folder away to start empty`,
    );
  }
}

/** The server ended early, or was not ready in time. The message ends with its last log lines. */
export class ServerStartError extends ServerError {
  constructor(
    server: ServerName,
    what: string,
    readonly logLines: readonly string[],
    options?: ErrorOptions,
  ) {
    super(server, [`${server} ${what}`, ...logLines].join("\n  "), options);
  }
}

/** True for the two ways in which a file system says that it is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOSPC" || code === "EDQUOT";
}
