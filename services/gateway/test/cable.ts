/** A cable between a gateway and a server, to be cut and mended. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Cable {
  readonly #ends = new Set<Socket>();
  #isCut = false;

  private constructor(
    private readonly server: Server,
    targetPort: number,
  ) {
    server.on("connection", (near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connect(targetPort, "127.0.0.1");
      for (const [end, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#ends.add(end);
        end.on("error", () => other.destroy());
        end.on("close", () => {
          this.#ends.delete(end);
          other.destroy();
        });
        end.pipe(other);
      }
    });
  }

  static async open(targetPort: number): Promise<Cable> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Cable(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const end of this.#ends) end.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
