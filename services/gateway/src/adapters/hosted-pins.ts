/** Gateways tell each other where hosts come from: a class spreads over all of them. */
import type { Bus } from "@fanfare/common/bus";
import { HOSTED_PINS } from "@fanfare/proto/addresses";
import type { KnownPins } from "../domain/known-pins.js";

export function shareHostedPins(bus: Bus, knownPins: KnownPins): void {
  bus.listen(HOSTED_PINS, (message) => {
    const [prefix = "", pin = ""] = message.string().split(" ");
    knownPins.note(prefix, pin, performance.now());
  });
  knownPins.onHostSeen = (prefix, pin) => bus.nc.publish(HOSTED_PINS, `${prefix} ${pin}`);
}
