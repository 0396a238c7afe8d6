/** Mischief between nodes and their broker, and with the broker itself. */
import type { BrokerLine, LineFaults } from "../broker/broker-line.ts";
import type { StoredLog } from "../broker/stored-log.ts";
import { Dice } from "../dice.ts";
import type { FaultClass } from "./regime.ts";
import type { Stage } from "./stage.ts";

/** Ends something after so many milliseconds. */
export type EndLater = (ms: number, undo: () => void) => void;

export class LineMischief {
  readonly #stage: Stage;
  /** The dice of the fault class that is being made. */
  #dice = new Dice(0);
  readonly #endLater: EndLater;

  constructor(stage: Stage, endLater: EndLater) {
    this.#stage = stage;
    this.#endLater = endLater;
  }

  /** False: it is no mischief of this kind. */
  make(name: FaultClass, dice: Dice): boolean {
    this.#dice = dice;
    const line = this.#line();
    switch (name) {
      case "node cut from broker":
        line.cutOut = true;
        this.#mendLater(line);
        return true;
      case "broker cut from node":
        line.cutIn = true;
        this.#mendLater(line);
        return true;
      case "broker slow": {
        const ms = this.#dice.below(4) === 0 ? 9_000 : 400;
        this.#spoil(line, 15_000, { delayMs: () => dice.below(ms) });
        return true;
      }
      case "append answer lost":
        this.#spoilOnce(line, "losesAnswer");
        return true;
      case "append request lost":
        this.#spoilOnce(line, "losesRequest");
        return true;
      case "push doubled":
        this.#spoil(line, 5_000, { push: () => perhaps(dice, "comes twice") });
        return true;
      case "push late":
        this.#spoil(line, 5_000, { push: () => perhaps(dice, "is late") });
        return true;
      case "push lost":
        this.#spoil(line, 5_000, { push: () => perhaps(dice, "is lost") });
        return true;
      default:
        return this.#makeToBroker(name);
    }
  }

  /** From now on no push comes to any node. */
  losePushes(): void {
    for (const line of this.#stage.lines.values()) {
      line.faults = { ...line.faults, push: () => "is lost" };
    }
  }

  #makeToBroker(name: FaultClass): boolean {
    switch (name) {
      case "broker restart":
        this.#restart(() => undefined);
        return true;
      case "log loses its end":
        this.#restart(() => this.#log()?.lose(this.#dice.below(12)));
        return true;
      case "broker wiped":
        this.#restart(() => this.#stage.broker.wipe());
        return true;
      case "trim":
        this.#log()?.shed(1 + this.#dice.below(30));
        return true;
      default:
        return false;
    }
  }

  /** It is away for a moment, in which something happens to it. */
  #restart(meanwhile: () => void): void {
    const lines = [...this.#stage.lines.values()];
    for (const line of lines) line.down = true;
    meanwhile();
    this.#endLater(this.#dice.below(6_000), () => {
      for (const line of lines) line.down = false;
    });
  }

  #mendLater(line: BrokerLine): void {
    this.#endLater(this.#dice.below(40_000), () => line.mend());
  }

  #spoil(line: BrokerLine, ms: number, faults: Partial<LineFaults>): void {
    line.faults = { ...line.faults, ...faults };
    this.#endLater(this.#dice.below(ms), () => line.calm());
  }

  #spoilOnce(line: BrokerLine, what: "losesAnswer" | "losesRequest"): void {
    const before = line.faults;
    line.faults = {
      ...before,
      [what]: () => {
        line.faults = before;
        return true;
      },
    };
  }

  #line(): BrokerLine {
    const { hosts } = this.#stage.world;
    const host = hosts[this.#dice.below(hosts.length)];
    if (host === undefined) throw new Error("there is no host");
    return this.#stage.lineOf(host);
  }

  #log(): StoredLog | undefined {
    const { logs } = this.#stage.broker;
    return logs[this.#dice.below(Math.max(1, logs.length))];
  }
}

function perhaps<Fate extends string>(dice: Dice, fate: Fate): Fate | "arrives" {
  return dice.below(3) === 0 ? fate : "arrives";
}
