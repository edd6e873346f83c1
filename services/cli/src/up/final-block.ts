/** What `make up` says once all is ready: every door, and how to stop. Pure. */

export interface FinalBlock {
  gatewayUrl: string;
  /** The same for phones of this network; none where it listens on this machine only. */
  lanUrls: readonly string[];
  pin: string;
  demoSession: string;
  hostToken: string;
  adminToken: string;
  addresses: Readonly<Record<"quiz" | "leaderboard" | "quiz-master", string>>;
  /** By process, the base of its admin port. */
  adminUrls: Readonly<Record<string, string>>;
  natsMonitorUrl: string | undefined;
  data: string;
  logs: string;
  seconds: number;
}

export function finalBlock(facts: FinalBlock): string {
  const { gatewayUrl, demoSession, addresses } = facts;
  const rows: [string, string][] = [
    ["Join", `${gatewayUrl}/   PIN ${facts.pin || "…"} (the demo game; each game has a new one)`],
    ...facts.lanUrls.map((url): [string, string] => ["", `${url}/   from phones of this network`]),
    ["Host", `${gatewayUrl}/host#token=${facts.hostToken}`],
    ["Board", `${gatewayUrl}/livescore/${demoSession}`],
    ["Simulate", "npx fanfare simulate -name quiz_1 -rounds 30 -players 10"],
    ["", ""],
    [
      "gRPC",
      Object.entries(addresses)
        .map(([name, at]) => `${name} ${at}`)
        .join("   "),
    ],
    ["Admin token", `${facts.adminToken}`],
    ["", "(for development only; another one: npx fanfare token -role host)"],
    [
      "Metrics",
      Object.entries(facts.adminUrls)
        .map(([name, url]) => `${url}/metrics  ${name}`)
        .join("\n"),
    ],
    ...(facts.natsMonitorUrl ? ([["NATS", facts.natsMonitorUrl]] as [string, string][]) : []),
    ["Data", facts.data],
    ["Logs", facts.logs],
    ["Stop", "Ctrl-C, or make down; with CLEAN=1 it also removes the data"],
  ];
  const lines = rows.map(([name, text]) =>
    `  ${name.padEnd(13)}${text.replaceAll("\n", `\n${" ".repeat(15)}`)}`.trimEnd(),
  );
  return [`Fanfare is ready (${facts.seconds.toFixed(1)} s)`, "", ...lines, ""].join("\n");
}
