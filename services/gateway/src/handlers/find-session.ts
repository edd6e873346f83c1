/** From a PIN to its session, for the socket and for the JSON door: one budget of guesses for both. */
import { setTimeout as pause } from "node:timers/promises";
import { ServiceError } from "@fanfare/common/errors";
import { plainPin } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { Gateway } from "./gateway.js";
import { slowDown } from "./refuse.js";

export interface PinCaller {
  /** Of the address that it comes from. */
  prefix: string;
  /** A token's bearer, or a name. */
  caller: string;
}

/** Guesses that are being looked up. */
export class PinFinder {
  readonly #underWay = new Map<string, Promise<string | undefined>>();

  constructor(private readonly gateway: () => Gateway) {}

  /** Throws SESSION_NOT_FOUND, SLOW_DOWN, or UNAVAILABLE. */
  async find(typed: string, of: PinCaller): Promise<string> {
    // What is no PIN finds none: trying it is no guess.
    const pin = plainPin(typed);
    const sessionId = pin && (await this.#find(pin, of));
    if (sessionId) return sessionId;
    throw new ServiceError(
      ErrorReason.SESSION_NOT_FOUND,
      "no session has this PIN; look at the host's screen again",
    );
  }

  /** One PIN told many times at once from one place is one guess: a class that comes in together. */
  #find(pin: string, of: PinCaller): Promise<string | undefined> {
    const key = `${of.prefix} ${pin}`;
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const found = this.#lookUp(pin, of).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, found);
    return found;
  }

  async #lookUp(pin: string, of: PinCaller): Promise<string | undefined> {
    const { knownPins, pins, metrics } = this.gateway();
    if (knownPins.knows(of.prefix, pin, performance.now())) {
      const sessionId = await pins.resolve(pin);
      metrics.pins.inc({ result: "known" });
      if (!sessionId) knownPins.forget(of.prefix, pin);
      return sessionId;
    }
    const giveBack = await this.#reserve(of);
    const sessionId = await pins.resolve(pin).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    metrics.pins.inc({ result: sessionId ? "right" : "wrong" });
    if (!sessionId) return undefined;
    giveBack();
    knownPins.note(of.prefix, pin, performance.now());
    return sessionId;
  }

  /** Before anybody looks, so that many guesses at once are as few as one after the other. */
  async #reserve(of: PinCaller): Promise<() => void> {
    const gateway = this.gateway();
    const guess = gateway.guesses.reserve(of, performance.now());
    if (guess.kind === "spent") {
      gateway.metrics.pins.inc({ result: "refused" });
      throw slowDown(gateway, guess.limit, guess.waitMs);
    }
    if (guess.waitMs > 0) {
      gateway.metrics.limitHit("PINS_PER_MINUTE");
      await pause(guess.waitMs);
    }
    return guess.giveBack;
  }
}
