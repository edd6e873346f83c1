/** The frame around a file of tests: one backstage, gateways that stop, clients that leave. */
import { afterAll, afterEach, beforeAll } from "vitest";
import { Backstage } from "./backstage.js";
import { type TestClient, TestGateway } from "./gateway.js";

export interface Suite {
  readonly backstage: Backstage;
  /** The gateway of the whole file. */
  readonly gateway: TestGateway;
  /** Another gateway, until the end of the test. */
  startGateway(overrides?: Record<string, string>): Promise<TestGateway>;
  /** A session id that no other test uses. */
  newSession(): Promise<string>;
  /** Lets a client go at the end of the test. */
  use<T extends TestClient>(client: T): T;
}

let sessionCount = 0;

export function openSuite(overrides: Record<string, string> = {}): Suite {
  let backstage: Backstage;
  let gateway: TestGateway;
  const gateways: TestGateway[] = [];
  const clients: TestClient[] = [];
  beforeAll(async () => {
    backstage = await Backstage.open();
    gateway = await TestGateway.start(backstage, overrides);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const each of gateways.splice(0)) await each.stop();
  });
  afterAll(async () => {
    await gateway?.stop();
    await backstage?.close();
  });
  return {
    get backstage() {
      return backstage;
    },
    get gateway() {
      return gateway;
    },
    async startGateway(more = {}) {
      const started = await TestGateway.start(backstage, { ...overrides, ...more });
      gateways.push(started);
      return started;
    },
    async newSession() {
      const sessionId = `session_${++sessionCount}`;
      await backstage.putSession(sessionId);
      return sessionId;
    },
    use(client) {
      clients.push(client);
      return client;
    },
  };
}
