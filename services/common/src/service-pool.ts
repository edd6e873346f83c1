/**
 * Clients of all pods of a service. A key is served by the pod that rendezvous hashing names, the
 * next in order where that one is out of reach; without a key the pods take turns.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { status } from "@grpc/grpc-js";
import { GivenUpError, ServiceError, unavailable } from "./errors.js";
import { type Connection, createClient, type ServiceClient } from "./grpc-client.js";
import type { Lifecycle } from "./lifecycle.js";
import { pause } from "./lifecycle.js";
import { repeat } from "./loops.js";
import type { Metrics } from "./metrics.js";
import type { MutualTls } from "./mutual-tls.js";
import { rendezvousOrder } from "./rendezvous.js";

/** How often names are looked up again: a scaled-up pod gets work within this time. */
const RESOLVE_EVERY_MS = 5_000;
/** The same while no pod is known. */
const RESOLVE_AGAIN_MS = 500;
/** How often somebody who waits for the first pod looks. */
const LOOK_EVERY_MS = 50;
/** Pods that one request is offered to. */
const PODS_TRIED_MAX = 3;
/** After this time no further pod is tried: the caller has waited for long enough. */
const TRY_WITHIN_MS = 5_000;
/** How long a pod that was out of reach is asked last. */
const AVOID_MS = 1_000;
/** A pod that let a call run into its deadline is more likely to be stuck than busy. */
const AVOID_SILENT_MS = 10_000;

export interface PoolOptions {
  /** Asked once per call. */
  token(): string;
  /** Each pod must show a certificate of its host's name then, whatever its address. */
  tls?: MutualTls | undefined;
  /** Where calls count. */
  metrics?: Metrics | undefined;
}

export class ServicePool<S extends DescService> {
  readonly #clients = new Map<string, ServiceClient<S> & Connection>();
  /** Addresses by target, as its name resolved last. */
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #avoidUntil = new Map<string, number>();
  #turn = 0;

  private constructor(
    private readonly service: S,
    private readonly targets: readonly string[],
    private readonly options: PoolOptions,
  ) {}

  /**
   * Whether a connection to a pod stands within `limitMs`; the signal ends the waiting. A call before
   * that would fail while the connection is in its back-off, as a pod that is not up yet refused it.
   */
  async isConnectedWithin(limitMs: number, signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    // Not `some`: each one without a connection begins one.
    const isConnected = () =>
      [...this.#clients.values()].filter((client) => client.isConnected()).length > 0;
    while (!isConnected()) {
      if (performance.now() >= deadline || signal.aborted) return false;
      await pause(LOOK_EVERY_MS, signal);
    }
    return true;
  }

  /**
   * `url` is one or more `host:port`, comma-separated; a host with several addresses is several pods.
   */
  static async connect<S extends DescService>(
    service: S,
    url: string,
    options: PoolOptions,
    lifecycle: Lifecycle,
  ): Promise<ServicePool<S>> {
    const targets = url.split(",").map((each) => each.trim());
    const pool = new ServicePool(service, targets, options);
    await pool.#resolve();
    if (pool.#clients.size === 0) lifecycle.log.warn({ url }, "no pod is known; looking again");
    const refresh = async () => {
      await pool.#resolve();
      return pool.#clients.size === 0 ? RESOLVE_AGAIN_MS : RESOLVE_EVERY_MS;
    };
    const retry = { firstMs: RESOLVE_AGAIN_MS, maxMs: RESOLVE_EVERY_MS };
    const everyMs = RESOLVE_EVERY_MS;
    void repeat(`${service.typeName} addresses`, refresh, { everyMs, retry }, lifecycle);
    lifecycle.push(`${service.typeName} clients`, () => {
      for (const client of pool.#clients.values()) client.close();
    });
    return pool;
  }

  /**
   * Calls the pod that `key` belongs to, or any. Where that pod is out of reach the next is asked,
   * so `call` must be safe to repeat. Throws what the last one said. A deadline that passes ends the
   * request: there is no time left for another pod, and that pod is avoided for a while.
   */
  async request<T>(
    key: string | undefined,
    call: (client: ServiceClient<S>) => Promise<T>,
  ): Promise<T> {
    const startedAt = performance.now();
    let last: unknown;
    for (const address of this.#order(key).slice(0, PODS_TRIED_MAX)) {
      const client = this.#clients.get(address);
      if (!client) continue;
      if (last !== undefined && performance.now() - startedAt > TRY_WITHIN_MS) break;
      const askedAt = performance.now();
      try {
        return await call(client);
      } catch (error) {
        last = error;
        if (!isOutOfReach(error)) throw error;
        const isSilent = hasRunOut(error);
        this.#avoid(address, isSilent, performance.now() - askedAt);
        if (isSilent) throw error;
      }
    }
    throw last ?? unavailable(this.service.typeName);
  }

  /** The address of the pod that `key` is asked of first; requests of equal ones may travel together. */
  ownerOf(key: string): string | undefined {
    return this.#order(key)[0];
  }

  /**
   * A client for streams and other calls that must not be repeated: of a pod to which a connection
   * stands, as nobody asks another pod where this one is gone.
   */
  any(): ServiceClient<S> {
    const clients = this.#order(undefined).flatMap((address) => this.#clients.get(address) ?? []);
    const [first] = clients;
    if (!first) throw unavailable(this.service.typeName);
    // All are asked, so that each one without a connection begins one.
    const [connected] = clients.filter((client) => client.isConnected());
    return connected ?? first;
  }

  /** A deadline of some milliseconds says nothing of the pod. */
  #avoid(address: string, isSilent: boolean, waitedMs: number): void {
    if (isSilent && waitedMs < AVOID_MS) return;
    const untilMs = performance.now() + (isSilent ? AVOID_SILENT_MS : AVOID_MS);
    this.#avoidUntil.set(address, untilMs);
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
    /** The name under which each address was found. */
    const found = new Map<string, string>();
    for (const target of this.targets)
      for (const address of await this.#addressesOf(target)) found.set(address, hostOf(target));
    for (const [address, serverName] of found)
      if (!this.#clients.has(address))
        this.#clients.set(address, this.#connectTo(address, serverName));
    for (const [address, client] of this.#clients)
      if (!found.has(address)) {
        this.#clients.delete(address);
        this.#avoidUntil.delete(address);
        client.close();
      }
  }

  #connectTo(address: string, serverName: string): ServiceClient<S> & Connection {
    const { token, tls, metrics } = this.options;
    const options = tls ? { tls, serverName, metrics } : { metrics };
    const client = createClient(this.service, address, token, options);
    // Asked, it begins a connection: the first crowd does not wait for it.
    client.isConnected();
    return client;
  }

  async #addressesOf(target: string): Promise<readonly string[]> {
    const host = hostOf(target);
    const port = target.slice(host.length + 1);
    if (isIP(host)) return [target];
    try {
      const found = await lookup(host, { all: true, family: 4 });
      this.#addresses.set(
        target,
        found.map(({ address }) => `${address}:${port}`),
      );
    } catch {
      // The name does not resolve now: what is known of it is kept.
    }
    return this.#addresses.get(target) ?? [];
  }
}

function hostOf(target: string): string {
  return target.slice(0, target.lastIndexOf(":"));
}

/** Whether it is the pod, or what it needs, that failed to answer: neither a verdict nor our own wish. */
function isOutOfReach(error: unknown): error is ServiceError {
  return (
    error instanceof ServiceError &&
    error.reason === ErrorReason.UNAVAILABLE &&
    !(error instanceof GivenUpError)
  );
}

/** Whether the call's deadline has passed. */
function hasRunOut({ cause }: ServiceError): boolean {
  return (cause as { code?: unknown } | undefined)?.code === status.DEADLINE_EXCEEDED;
}

function rotate(list: readonly string[], by: number): string[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
