/** As much of a browser as the pages' modules touch: elements by id, and sockets that the test moves. */
import { vi } from "vitest";

/** Stands for every kind of element. */
export class StagedElement extends EventTarget {
  textContent = "";
  hidden = false;
  className = "";
  children: (StagedElement | string)[] = [];
  readonly dataset: Record<string, string> = {};
  readonly style = { setProperty() {} };
  readonly classList = { add() {}, remove() {}, toggle() {} };

  append(...children: (StagedElement | string)[]): void {
    this.children.push(...children);
  }

  replaceChildren(...children: (StagedElement | string)[]): void {
    this.children = children;
  }

  /** What stands in it, children included. */
  get text(): string {
    const inner = this.children.map((each) => (typeof each === "string" ? each : each.text));
    return [this.textContent, ...inner].join("");
  }

  setAttribute(): void {}
  focus(): void {}
  contains(): boolean {
    return false;
  }
  querySelector(): null {
    return null;
  }
  querySelectorAll(): never[] {
    return [];
  }
}

export class StagedSocket extends EventTarget {
  static readonly OPEN = 1;
  static readonly all: StagedSocket[] = [];
  readyState = 1;
  readonly sent: string[] = [];
  /** The line lives: signs of life are answered. */
  answersPings = false;

  constructor() {
    super();
    StagedSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
    const { ping } = JSON.parse(text);
    if (!ping || !this.answersPings) return;
    const pong = { id: ping.id, serverTime: new Date().toISOString() };
    setTimeout(() => this.says({ pong }), 0);
  }

  close(): void {
    this.readyState = 3;
  }

  says(frame: object): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(frame) }));
  }

  get pings(): { id: number }[] {
    return this.sent.map((text) => JSON.parse(text).ping).filter(Boolean);
  }
}

/** Puts a page and clocks in the place of the globals; the returned function finds elements by id. */
export function stagePage(): (id: string) => StagedElement {
  StagedSocket.all.length = 0;
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
  });
  const byId = new Map<string, StagedElement>();
  const find = (id: string) => {
    const found = byId.get(id) ?? new StagedElement();
    byId.set(id, found);
    return found;
  };
  const document = {
    visibilityState: "visible",
    activeElement: null,
    addEventListener() {},
    getElementById: find,
    createElement: () => new StagedElement(),
    querySelectorAll: () => [],
  };
  vi.stubGlobal("document", document);
  for (const kind of ["HTMLElement", "HTMLButtonElement", "HTMLAnchorElement"])
    vi.stubGlobal(kind, StagedElement);
  vi.stubGlobal("WebSocket", StagedSocket);
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("location", new URL("http://fanfare.test/"));
  return find;
}

export function strikePage(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
}
