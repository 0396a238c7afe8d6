/**
 * Mischief: each step makes at most one fault of each class that the seed enables. A fault ends by itself
 * after a while, or by `heal`.
 */
import type { Host } from "../host.ts";
import type { Link } from "../link.ts";
import type { Device } from "../device.ts";
import { Dice } from "../dice.ts";
import type { Cast } from "./cast.ts";
import { DeviceMischief } from "./device-mischief.ts";
import { LineMischief } from "./line-mischief.ts";
import { FAULT_CLASSES, type FaultClass } from "./regime.ts";
import { CHANNELS, type Stage } from "./stage.ts";
import { WeatherMischief } from "./weather-mischief.ts";

/** Until a publication is in its log, mostly. */
const LAST_MS = 200;

export class Mischief {
  /** Faults so far. */
  count = 0;
  readonly #stage: Stage;
  readonly #cast: Cast;
  /** One for each class, so that a class more or less doesn't change the others' faults. */
  readonly #dices = new Map<FaultClass, Dice>();
  /** The dice of the fault class that is being made. */
  #dice: Dice;
  readonly #lines: LineMischief;
  readonly #weather: WeatherMischief;
  readonly #devices: DeviceMischief;
  /** Functions that end the faults that are going on. */
  readonly #undos = new Set<() => void>();

  constructor(stage: Stage, cast: Cast) {
    this.#stage = stage;
    this.#cast = cast;
    for (const [index, name] of FAULT_CLASSES.entries()) {
      this.#dices.set(name, new Dice(stage.regime.seed * 15_485_863 + index * 7_919));
    }
    this.#dice = new Dice(stage.regime.seed);
    const endLater = (ms: number, undo: () => void): void => this.#endLater(ms, undo);
    this.#lines = new LineMischief(stage, endLater);
    this.#weather = new WeatherMischief(stage.weather, endLater);
    this.#devices = new DeviceMischief(stage, cast, endLater);
  }

  /** Makes the faults of one step. */
  step(): void {
    for (const [name, rate] of this.#stage.regime.rates) {
      this.#dice = this.#dices.get(name) ?? this.#dice;
      if (this.#dice.fraction() >= rate) continue;
      this.count += 1;
      this.#stage.witness.see(`fault: ${name}`);
      this.#stage.witness.mix(name);
      this.#make(name);
    }
  }

  /**
   * Where nodes may miss something, they miss the last publications before all is healed: of some channels
   * the very last, of the others the one before it.
   */
  async loseLastPushes(): Promise<void> {
    if (!this.#stage.mayBeStale) return;
    const { world, lines } = this.#stage;
    this.#lines.losePushes();
    for (const channel of CHANNELS) this.#cast.publishAsServer(channel);
    await world.advance(LAST_MS);
    for (const line of lines.values()) line.calm();
    for (const channel of CHANNELS.slice(0, 3)) this.#cast.publishAsServer(channel);
    await world.advance(LAST_MS);
  }

  /** Ends all faults. */
  heal(): void {
    for (const undo of this.#undos) undo();
    this.#undos.clear();
    const { weather, world, brokerDevice } = this.#stage;
    weather.calm();
    for (const host of world.hosts) {
      if (!host.isUp) host.start();
      host.device.wake();
      setRight(host.device);
      this.#stage.lineOf(host).mend();
    }
    for (const player of this.#cast.players) {
      player.device.wake();
      setRight(player.device);
      player.client.goOnline();
    }
    setRight(brokerDevice);
    for (const link of world.links) link.startReading();
    this.#stage.allowAll();
  }

  #make(name: FaultClass): void {
    const kinds = [this.#weather, this.#lines, this.#devices];
    if (kinds.some((kind) => kind.make(name, this.#dice))) return;
    const link = this.#link();
    switch (name) {
      case "half-open to server":
        return link?.silence("toServer");
      case "half-open to client":
        return link?.silence("toClient");
      case "late bytes":
        return this.#haunt(link);
      case "consumer stops":
        link?.stopReading();
        return this.#endLater(this.#dice.below(25_000), () => link?.startReading());
      case "clock jump":
        return this.#jump();
      case "node crash":
        return this.#crash();
      case "node pause":
        return this.#pause();
      default:
        return this.#makeForPlayers(name, this.#stage.world.hosts);
    }
  }

  #makeForPlayers(name: FaultClass, hosts: readonly Host[]): void {
    const player = this.#cast.one();
    switch (name) {
      case "offline":
        player.client.goOffline();
        return this.#endLater(this.#dice.below(60_000), () => player.client.goOnline());
      case "clone":
        if (this.#cast.players.length < 8) this.#cast.clone(player);
        return;
      case "restart with kept position":
        return void this.#cast.replace(player, player.positions());
      case "restart with lost position":
        return void this.#cast.replace(player);
      case "restart with old position":
        return void this.#cast.replace(player, this.#cast.memories());
      case "revocation": {
        const { user } = player;
        this.#stage.forbid(user, "room:2", true);
        // Long enough that tokens are renewed meanwhile, and what they don't allow any more ends.
        return this.#endLater(this.#dice.below(180_000), () =>
          this.#stage.forbid(user, "room:2", false),
        );
      }
      case "removal":
        this.#stage.witness.note({ type: "removed", user: player.user, channel: "room:1" });
        for (const host of hosts)
          this.#awake(host, ({ node }) => node.unsubscribe(player.user, "room:1"));
        return;
      case "disconnect":
        this.#stage.witness.note({ type: "removed", user: player.user, channel: null });
        return this.#awake(this.#host(), ({ node }) => node.disconnect(player.user));
      default:
        throw new Error(`nobody knows how to make "${name}"`);
    }
  }

  /**
   * The client's last publications come when it is long back, and has sent them again: the first was refused
   * then, and the next appended. Only a fence keeps the first from its place behind the next.
   */
  #haunt(link: Link | undefined): void {
    if (link === undefined) return;
    link.hold("toServer", this.#dice.below(40_000));
    const { world, weather } = this.#stage;
    const device = world.deviceOf(link);
    const player = this.#cast.players.find((one) => one.device === device);
    if (player !== undefined) {
      weather.refused.add(player.publish("room:1", {}));
      player.publish("room:1", {});
    }
    world.clock.after(this.#dice.below(1_500), () => link.haunt());
  }

  #jump(): void {
    const { world, brokerDevice } = this.#stage;
    const devices: readonly Device[] = [
      ...world.hosts.map(({ device }) => device),
      ...this.#cast.players.map(({ device }) => device),
      brokerDevice,
    ];
    const size = 10 ** (2 + this.#dice.fraction() * 4.5);
    const ms = Math.round(this.#dice.below(2) === 0 ? size : -size);
    const device = devices[this.#dice.below(devices.length)];
    device?.jump(ms);
    this.#endLater(this.#dice.below(40_000), () => device?.jump(-ms));
  }

  #crash(): void {
    const host = this.#host();
    if (!host.isUp) return;
    const { world } = this.#stage;
    const links = world.linksOf(host);
    this.#stage.lineOf(host).end();
    this.#stage.lines.delete(host.device);
    host.crash();
    this.#cast.bereave(host);
    const isSilent = this.#dice.below(3) === 0;
    for (const link of links) {
      if (isSilent) link.vanish();
      else link.cut();
    }
    this.#endLater(this.#dice.below(20_000), () => {
      if (!host.isUp) host.start();
    });
  }

  #awake(host: Host, deed: (host: Host) => void): void {
    if (host.isUp && !host.device.isAsleep) deed(host);
  }

  #pause(): void {
    const { device } = this.#host();
    device.sleep();
    // Long ones are rare: what a node holds for a client ends after dedupeMs, paused or not.
    const ms = this.#dice.below(6) === 0 ? 45_000 : 8_000;
    this.#endLater(this.#dice.below(ms), () => device.wake());
  }

  #endLater(ms: number, undo: () => void): void {
    const once = (): void => {
      if (this.#undos.delete(once)) undo();
    };
    this.#undos.add(once);
    this.#stage.world.clock.after(ms, once);
  }

  #host(): Host {
    const { hosts } = this.#stage.world;
    return hosts[this.#dice.below(hosts.length)] as Host;
  }

  #link(): Link | undefined {
    const up = this.#stage.world.links.filter(({ isUp }) => isUp);
    return up[this.#dice.below(Math.max(1, up.length))];
  }
}

/** Its wall clock goes right again. */
function setRight(device: Device): void {
  device.jump(-device.skewMs);
}
