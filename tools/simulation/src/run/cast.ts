/**
 * The cast: all players of a run, and what they and the server's own application do at each step.
 */
import type { Position, Start } from "@tailwire/protocol";
import type { Host } from "../host.ts";
import { codeOf, Player } from "./player.ts";
import { CHANNELS, NOWHERE, type Stage } from "./stage.ts";
import { dataOf, EVENT } from "./witness.ts";

const USERS = ["ada", "bob", "cyd"] as const;

/** Subscriptions of one player at once. */
const FOLLOWING_MAX = 5;

export { USERS };

export class Cast {
  readonly players: Player[] = [];
  readonly #stage: Stage;
  /** Tags of nodes' own publications without an outcome, with the node's host. */
  readonly #pending = new Map<string, Host>();
  /** Places that somebody was at earlier. */
  readonly #memories: { readonly channel: string; readonly position: Position }[] = [];
  #count = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    for (let index = 0; index < stage.regime.players; index += 1) this.#enter(index);
  }

  /** One thing that somebody does. */
  act(): void {
    const { dice } = this.#stage;
    const turn = dice.below(100);
    const player = this.#one();
    if (player.isOut) return void this.replace(player);
    if (turn < 38) player.publish(this.#channel(), {});
    else if (turn < 40) player.publish(this.#channel(), { ttlMs: 1 + dice.below(3_000) });
    else if (turn < 41) player.publish(this.#channel(), { takeBackMs: dice.below(500) });
    else if (turn < 49) this.publishAsServer(this.#channel());
    else if (turn < 55) this.#follow(player);
    else if (turn < 57) player.unfollow(dice.below(10));
    else if (turn < 59) this.#read(player);
    else if (turn < 61) player.request(["echo", "refuse", "unknown"][dice.below(3)] ?? "echo");
    else if (turn < 62) this.#begin(player);
  }

  /** Publishes as the server, on some node; true when there was one. */
  publishAsServer(channel: string, padding = 0): boolean {
    const { world, witness, dice } = this.#stage;
    const up = world.hosts.filter(({ isUp, device }) => isUp && !device.isAsleep);
    const host = up[dice.below(Math.max(1, up.length))];
    if (host === undefined) return false;
    this.#count += 1;
    const tag = `server.${this.#count}`;
    const data = dataOf(tag, padding, false);
    witness.notePublish({ tag, channel, publisher: host.node.id, as: null, ttlMs: null }, data);
    this.#pending.set(tag, host);
    host.node.publish(channel, EVENT, data).then(
      (position) => {
        if (this.#pending.delete(tag)) witness.note({ type: "published", tag, position });
      },
      (error: unknown) => this.#unpublished(tag, codeOf(error)),
    );
    return true;
  }

  /** A node is gone, and whoever published on it. */
  bereave(host: Host): void {
    for (const [tag, one] of this.#pending) if (one === host) this.#unpublished(tag, "killed");
  }

  /** An application starts anew, without any memory. */
  replace(player: Player, kept: readonly { channel: string; position: Position }[] = []): Player {
    player.kill();
    const successor = this.#enter(this.players.indexOf(player));
    for (const { channel, position } of kept) this.#followFrom(successor, channel, position);
    return successor;
  }

  /** Another player of the same session, as a duplicated tab is. */
  clone(player: Player): void {
    this.#count += 1;
    const { name, user, session } = player;
    this.players.push(new Player(this.#stage, `${name}c${this.#count}`, user, session));
  }

  /** Somebody who belongs to nobody, and comes and goes. */
  intrude(): Player {
    this.#count += 1;
    return new Player(this.#stage, `intruder${this.#count}`, "bob");
  }

  /** Somebody, and never nobody. */
  one(): Player {
    return this.#one();
  }

  /** Positions of an hour ago, or as old as there are. */
  memories(): readonly { channel: string; position: Position }[] {
    return this.#memories.slice(0, 2);
  }

  remember(): void {
    if (this.#memories.length < 40) this.#memories.push(...this.#one().positions());
  }

  #unpublished(tag: string, code: string): void {
    if (!this.#pending.delete(tag)) return;
    const may = code === "indeterminate" || code === "killed";
    const { witness, world } = this.#stage;
    witness.note({ type: "unpublished", tag, code, may, at: world.clock.monotonic() });
  }

  #one(): Player {
    return this.players[this.#stage.dice.below(this.players.length)] as Player;
  }

  #enter(index: number): Player {
    this.#count += 1;
    const user = USERS[index % USERS.length] ?? "ada";
    const player = new Player(this.#stage, `p${index}n${this.#count}`, user);
    this.players[index] = player;
    return player;
  }

  #channel(): string {
    const { dice } = this.#stage;
    if (dice.below(100) === 0) return NOWHERE;
    return CHANNELS[dice.below(CHANNELS.length)] ?? "room:1";
  }

  #follow(player: Player): void {
    if (player.following >= FOLLOWING_MAX) return player.unfollow(this.#stage.dice.below(10));
    const known = this.#memories[this.#stage.dice.below(this.#memories.length + 30)];
    if (
      known !== undefined &&
      player.positions().every(({ channel }) => channel !== known.channel)
    ) {
      // A place that nobody was ever given.
      const beyond = { ...known.position, offset: known.position.offset + 1_000, id: null };
      return this.#followFrom(player, known.channel, beyond);
    }
    this.#followFrom(player, this.#channel(), this.#start());
  }

  #followFrom(player: Player, channel: string, start: Start): void {
    const { dice } = this.#stage;
    const echo = dice.below(5) > 0 || this.#stage.regime.rates.has("clone");
    player.follow(channel, start, dice.below(2) === 0 ? "on" : "iterate", echo);
  }

  #start(): Start {
    const { dice } = this.#stage;
    const starts: readonly Start[] = [
      "latest",
      "latest",
      "earliest",
      { rewind: { count: dice.below(12) } },
      { rewind: { ageMs: dice.below(30_000) } },
    ];
    return starts[dice.below(starts.length)] ?? "latest";
  }

  #read(player: Player): void {
    const { dice } = this.#stage;
    const known = player.positions();
    const place = known[dice.below(Math.max(1, known.length))];
    if (place === undefined || dice.below(4) === 0) return player.read(this.#channel(), {});
    const { channel, position } = place;
    player.read(channel, dice.below(2) === 0 ? { after: position } : { before: position });
  }

  #begin({ user }: Player): void {
    const { dice, world } = this.#stage;
    const host = world.hosts[dice.below(world.hosts.length)];
    if (host === undefined || !host.isUp || host.device.isAsleep) return;
    if (dice.below(3) > 0) return host.node.subscribe(user, "begun:1");
    this.#stage.witness.note({ type: "removed", user, channel: "begun:1" });
    host.node.unsubscribe(user, "begun:1");
  }
}
