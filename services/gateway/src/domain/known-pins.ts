/**
 * PINs that are no secret at an address prefix: a host of their session, or a player of it, has come from
 * there. Told from there again they are no guess and spend no budget, so that a school behind one address
 * plays on however much one of its pupils guesses (docs/adr/0017).
 */
const KEPT_MS = 12 * 60 * 60 * 1_000;

export class KnownPins {
  readonly #until = new Map<string, number>();

  /** Is told where a host has come from for the first time. */
  onHostSeen: (prefix: string, pin: string) => void = () => {};

  constructor(private readonly keysMax = 50_000) {}

  /** A host of the PIN's session has come from there. */
  hostSeen(prefix: string, pin: string, now: number): void {
    if (this.note(prefix, pin, now)) this.onHostSeen(prefix, pin);
  }

  /** True where that is news. */
  note(prefix: string, pin: string, now: number): boolean {
    if (pin === "") return false;
    const key = `${prefix} ${pin}`;
    const isNew = (this.#until.get(key) ?? 0) <= now;
    this.#until.delete(key);
    this.#until.set(key, now + KEPT_MS);
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= this.keysMax) break;
      this.#until.delete(oldest);
    }
    return isNew;
  }

  knows(prefix: string, pin: string, now: number): boolean {
    return (this.#until.get(`${prefix} ${pin}`) ?? 0) > now;
  }

  /** The PIN leads nowhere any more. */
  forget(prefix: string, pin: string): void {
    this.#until.delete(`${prefix} ${pin}`);
  }
}
