/** Mischief with the weather: what is slow, what is lost on its way, and how others' code behaves. */
import type { Dice } from "../dice.ts";
import type { EndLater } from "./line-mischief.ts";
import type { FaultClass } from "./regime.ts";
import type { Weather } from "./weather.ts";

/** For how long it lasts at most, in milliseconds, and what it is. */
interface Spell {
  readonly ms: number;
  readonly begin: (weather: Weather, dice: Dice) => void;
  readonly end: (weather: Weather) => void;
}

const SPELLS: Readonly<Partial<Record<FaultClass, Spell>>> = {
  "connect refused": {
    ms: 20_000,
    begin: (weather) => (weather.refuses = true),
    end: (weather) => (weather.refuses = false),
  },
  "connect slow": {
    ms: 30_000,
    begin: (weather, dice) => (weather.connectMs = dice.below(6_000)),
    end: (weather) => (weather.connectMs = 0),
  },
  delay: {
    ms: 20_000,
    begin: (weather, dice) => (weather.delayMs = dice.below(1_500)),
    end: (weather) => weather.calmDelay(),
  },
  jitter: {
    ms: 30_000,
    begin: (weather, dice) => (weather.jitterMs = dice.below(400)),
    end: (weather) => (weather.jitterMs = 0),
  },
  bandwidth: {
    ms: 30_000,
    begin: (weather, dice) => (weather.bandwidth = 0.5 + dice.fraction() * 20),
    end: (weather) => (weather.bandwidth = Infinity),
  },
  "consumer drips": {
    ms: 20_000,
    begin: (weather, dice) => (weather.dripMs = 1 + dice.below(500)),
    end: (weather) => (weather.dripMs = 0),
  },
  "auth slow": {
    ms: 15_000,
    begin: (weather) => (weather.auth = "slow"),
    end: (weather) => (weather.auth = "well"),
  },
  "auth fails": {
    ms: 10_000,
    begin: (weather) => (weather.auth = "fails"),
    end: (weather) => (weather.auth = "well"),
  },
  "hook throws": {
    ms: 5_000,
    begin: (weather) => (weather.hooks = "fails"),
    end: (weather) => (weather.hooks = "well"),
  },
  "hook hangs": {
    ms: 8_000,
    begin: (weather, dice) => (weather.hooks = dice.below(2) === 0 ? "hangs" : "slow"),
    end: (weather) => (weather.hooks = "well"),
  },
  "token hangs": {
    ms: 20_000,
    begin: (weather, dice) => (weather.tokens = dice.below(3) === 0 ? "fails" : "hangs"),
    end: (weather) => (weather.tokens = "well"),
  },
  "token expiry": {
    ms: 60_000,
    begin: (weather, dice) => (weather.tokenMs = 2_000 + dice.below(60_000)),
    end: (weather) => (weather.tokenMs = null),
  },
};

export class WeatherMischief {
  readonly #weather: Weather;
  readonly #endLater: EndLater;

  constructor(weather: Weather, endLater: EndLater) {
    this.#weather = weather;
    this.#endLater = endLater;
  }

  /** False: it is no mischief of this kind. */
  make(name: FaultClass, dice: Dice): boolean {
    const spell = SPELLS[name];
    if (spell === undefined) return this.#lieInWait(name, dice);
    spell.begin(this.#weather, dice);
    this.#endLater(dice.below(spell.ms), () => spell.end(this.#weather));
    return true;
  }

  #lieInWait(name: FaultClass, dice: Dice): boolean {
    switch (name) {
      case "drop mid-message": {
        const to = dice.below(2) === 0 ? "toServer" : "toClient";
        this.#weather.ambush = { to, word: "", fate: "cut before" };
        return true;
      }
      case "drop after send":
        this.#weather.ambush = { to: "toServer", word: "publish", fate: "cut after" };
        return true;
      case "drop after answer": {
        const word = dice.below(2) === 0 ? "ack" : "error";
        this.#weather.ambush = { to: "toClient", word, fate: "cut before" };
        return true;
      }
      default:
        return false;
    }
  }
}
