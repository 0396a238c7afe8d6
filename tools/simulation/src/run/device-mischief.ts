/**
 * Mischief with the machines of clients and nodes: they sleep, lose their network, end in order, and
 * belong to strangers.
 */
import type { Device } from "../device.ts";
import { Dice } from "../dice.ts";
import type { Host } from "../host.ts";
import type { Cast } from "./cast.ts";
import type { EndLater } from "./line-mischief.ts";
import type { FaultClass } from "./regime.ts";
import type { Stage } from "./stage.ts";
import { Stranger } from "./stranger.ts";

/** How long it lasts at most, in milliseconds. */
const SLEEP_MS = 90_000;
const AWAY_MS = 40_000;
const CLOSE_MS = 6_000;
const STRANGER_MS = 15_000;

export class DeviceMischief {
  readonly #stage: Stage;
  readonly #cast: Cast;
  readonly #endLater: EndLater;

  constructor(stage: Stage, cast: Cast, endLater: EndLater) {
    this.#stage = stage;
    this.#cast = cast;
    this.#endLater = endLater;
  }

  /** False: it is no mischief of this kind. */
  make(name: FaultClass, dice: Dice): boolean {
    switch (name) {
      case "client sleep":
        this.#sleep(dice);
        return true;
      case "network away":
        this.#leave(dice, "offline", "online");
        return true;
      case "page left":
        this.#leave(dice, "pagehide", "pageshow");
        return true;
      case "stranger":
        this.#intrude(dice);
        return true;
      case "node closes":
        this.#close(dice);
        return true;
      default:
        return false;
    }
  }

  /** Not every platform tells that it goes on. */
  #sleep(dice: Dice): void {
    const { device } = this.#cast.one();
    const tells = dice.below(2) === 0;
    device.sleep();
    this.#endLater(dice.below(SLEEP_MS), () => {
      device.wake();
      if (tells) device.tell("wake");
    });
  }

  #leave(dice: Dice, away: "offline" | "pagehide", back: "online" | "pageshow"): void {
    const { device } = this.#cast.one();
    device.tell(away);
    if (away === "offline") device.hasNetwork = false;
    if (dice.below(2) === 0) for (const link of this.#linksFrom(device)) link.vanish();
    this.#endLater(dice.below(AWAY_MS), () => {
      device.hasNetwork = true;
      device.tell(back);
    });
  }

  #intrude(dice: Dice): void {
    const stranger = new Stranger(this.#stage.world, new Dice(dice.below(2 ** 31)));
    this.#endLater(dice.below(STRANGER_MS), () => stranger.leave());
  }

  /** A node that is to end says so to everybody, and another takes its place. */
  #close(dice: Dice): void {
    const { hosts } = this.#stage.world;
    const host = hosts[dice.below(hosts.length)];
    if (host === undefined || !host.isUp || host.device.isAsleep) return;
    host.close();
    this.#endLater(dice.below(CLOSE_MS), () => this.#replace(host));
  }

  #replace(host: Host): void {
    const { lines, world } = this.#stage;
    const links = world.linksOf(host);
    this.#stage.lineOf(host).end();
    lines.delete(host.device);
    host.crash();
    this.#cast.bereave(host);
    for (const link of links) link.cut();
    host.start();
  }

  #linksFrom(device: Device): ReturnType<Stage["world"]["linksFrom"]> {
    return this.#stage.world.linksFrom(device).filter(({ isUp }) => isUp);
  }
}
