/** What is read off the gateway's sockets and rooms at the moment when somebody reads the page. */
import { Gauge, type Registry } from "prom-client";

/** Where the numbers come from. Asked once a page: it may go through all sockets. */
export interface SocketState {
  /** Open sockets by role; new ones have not said hello. */
  sockets(): { byRole: ReadonlyMap<string, number>; bufferedBytes: number };
  /** Sessions followed, players in them, and how many show a board that is marked stale. */
  rooms(): { count: number; players: number; stale: number };
}

const NOTHING: SocketState = {
  sockets: () => ({ byRole: new Map(), bufferedBytes: 0 }),
  rooms: () => ({ count: 0, players: 0, stale: 0 }),
};

export class SocketGauges {
  #state = NOTHING;

  constructor(registry: Registry) {
    const registers = [registry];
    const read = () => this.#state;
    const buffered = gauge("quiz_ws_buffered_bytes", "Bytes that wait for slow sockets");
    const players = gauge("quiz_players_active", "Players who are in a session here");
    const stale = gauge("quiz_leaderboard_stale", "Rooms whose board is marked stale");
    new Gauge({
      name: "quiz_ws_connections",
      help: "Open sockets by role; new ones have not said hello",
      labelNames: ["role"],
      registers,
      collect() {
        const { byRole, bufferedBytes } = read().sockets();
        this.reset();
        for (const [role, count] of byRole) this.set({ role }, count);
        buffered.set(bufferedBytes);
      },
    });
    new Gauge({
      name: "quiz_ws_rooms",
      help: "Sessions followed",
      registers,
      collect() {
        const rooms = read().rooms();
        this.set(rooms.count);
        players.set(rooms.players);
        stale.set(rooms.stale);
      },
    });
    // Behind the two whose reading sets them.
    for (const each of [buffered, players, stale]) registry.registerMetric(each);
  }

  /** From now on the numbers are those of this state. */
  watch(state: SocketState): void {
    this.#state = state;
  }
}

function gauge(name: string, help: string): Gauge {
  return new Gauge({ name, help, registers: [] });
}
