/**
 * Clients of all pods of a service. A key is served by the pod that rendezvous hashing names, the
 * next in order where that one is out of reach; without a key the pods take turns.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { ServiceError, unavailable } from "./errors.js";
import { createClient, type ServiceClient } from "./grpc-client.js";
import type { Lifecycle } from "./lifecycle.js";
import { pause } from "./lifecycle.js";
import { rendezvousOrder } from "./rendezvous.js";

/** How often names are looked up again: a scaled-up pod gets work within this time. */
const RESOLVE_EVERY_MS = 5_000;
/** How long a pod that was out of reach is asked last. */
const AVOID_MS = 1_000;

export class ServicePool<S extends DescService> {
  readonly #clients = new Map<string, ServiceClient<S>>();
  readonly #avoidUntil = new Map<string, number>();
  #turn = 0;

  private constructor(
    private readonly service: S,
    private readonly targets: readonly string[],
    private readonly token: () => string,
  ) {}

  /** `url` is one or more `host:port`, comma-separated; a host with several addresses is several pods. */
  static async connect<S extends DescService>(
    service: S,
    url: string,
    token: () => string,
    lifecycle: Lifecycle,
  ): Promise<ServicePool<S>> {
    const pool = new ServicePool(
      service,
      url.split(",").map((each) => each.trim()),
      token,
    );
    await pool.#resolve();
    const refresh = async () => {
      while (!lifecycle.signal.aborted) {
        await pause(RESOLVE_EVERY_MS, lifecycle.signal);
        await pool.#resolve();
      }
    };
    void refresh();
    lifecycle.push(`${service.typeName} clients`, () => {
      for (const client of pool.#clients.values()) client.close();
    });
    return pool;
  }

  /**
   * Calls the pod that `key` belongs to, or any. Where that pod is out of reach the next is asked,
   * so `call` must be safe to repeat. Throws what the last one said.
   */
  async request<T>(
    key: string | undefined,
    call: (client: ServiceClient<S>) => Promise<T>,
  ): Promise<T> {
    let last: unknown;
    for (const address of this.#order(key).slice(0, 3)) {
      const client = this.#clients.get(address);
      if (!client) continue;
      try {
        return await call(client);
      } catch (error) {
        last = error;
        if (!(error instanceof ServiceError) || error.reason !== ErrorReason.UNAVAILABLE)
          throw error;
        this.#avoidUntil.set(address, performance.now() + AVOID_MS);
      }
    }
    throw last ?? unavailable(this.service.typeName);
  }

  /** A client for streams and other calls that must not be repeated. */
  any(): ServiceClient<S> {
    const [address] = this.#order(undefined);
    const client = address === undefined ? undefined : this.#clients.get(address);
    if (!client) throw unavailable(this.service.typeName);
    return client;
  }

  #order(key: string | undefined): string[] {
    const now = performance.now();
    const addresses = [...this.#clients.keys()];
    const order =
      key === undefined ? rotate(addresses, this.#turn++) : rendezvousOrder(key, addresses);
    const good = order.filter((address) => (this.#avoidUntil.get(address) ?? 0) <= now);
    return [...good, ...order.filter((address) => !good.includes(address))];
  }

  async #resolve(): Promise<void> {
    const found = new Set<string>();
    for (const target of this.targets) {
      const at = target.lastIndexOf(":");
      const [host, port] = [target.slice(0, at), target.slice(at + 1)];
      try {
        const addresses = isIP(host)
          ? [{ address: host }]
          : await lookup(host, { all: true, family: 4 });
        for (const { address } of addresses) found.add(`${address}:${port}`);
      } catch {
        // The name does not resolve now: keep what is known of it.
        for (const known of this.#clients.keys()) if (known.endsWith(`:${port}`)) found.add(known);
      }
    }
    for (const address of found)
      if (!this.#clients.has(address))
        this.#clients.set(address, createClient(this.service, address, this.token));
    for (const [address, client] of this.#clients)
      if (!found.has(address)) {
        this.#clients.delete(address);
        client.close();
      }
  }
}

function rotate(list: readonly string[], by: number): string[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
