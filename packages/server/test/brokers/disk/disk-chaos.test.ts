// The disk broker among power losses, kills and full disks at random: what was told stays true.
import assert from "node:assert/strict";
import { TailwireError } from "@tailwire/protocol";
import { expect, test } from "vitest";
import type { Publication } from "@tailwire/server/broker-contract";
import { Dice, SimulatedClock } from "@tailwire/simulation";
import { type DiskContext, diskContext, entry } from "./disk-context.ts";
import { FakeFolder } from "./fake-folder.ts";

const PAGE = { count: 1_000, bytes: 1_000_000 };
const RETENTIONS = {
  few: { count: 8, bytes: 1_000_000, maxAgeMs: 3_600_000 },
  young: { count: 1_000, bytes: 1_000_000, maxAgeMs: 20_000 },
  all: { count: 10_000, bytes: 10_000_000, maxAgeMs: Infinity },
} as const;
type Channel = keyof typeof RETENTIONS;
const CHANNELS = Object.keys(RETENTIONS) as readonly Channel[];

/** One history: a broker after another on a folder that goes through everything. */
class History {
  readonly #dice: Dice;
  readonly #clock = new SimulatedClock();
  #folder = new FakeFolder();
  #context: DiskContext;
  /** Ids that were acknowledged or pushed, by channel and offset. */
  readonly #told = new Map<Channel, Map<number, string>>(CHANNELS.map((one) => [one, new Map()]));
  readonly #epochs = new Map<Channel, string>();
  /** Logs with an append on its way. */
  readonly #busy = new Set<Channel>();
  #sequence = 0;
  losses = 0;
  acknowledged = 0;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    this.#context = diskContext(this.#folder, { clock: this.#clock });
  }

  async step(): Promise<void> {
    const luck = this.#dice.fraction();
    if (luck < 0.06) await this.#lose();
    else if (luck < 0.1) await this.#clock.advance(this.#dice.fraction() * 25_000);
    else if (luck < 0.12) this.#folder.room = this.#folder.bytes + this.#dice.fraction() * 2_000;
    else if (luck < 0.2) this.#folder.room = Infinity;
    else await this.#appendSome();
  }

  async #appendSome(): Promise<void> {
    // Some are still on their way when the next step comes. A node has one at a time in each log.
    const chosen = CHANNELS.filter((one) => this.#dice.fraction() < 0.6 && !this.#busy.has(one));
    const calls = chosen.map((one) => this.#append(one));
    if (this.#dice.fraction() < 0.7) await Promise.all(calls);
    else for (let turn = this.#dice.fraction() * 30; turn > 0; turn -= 1) await Promise.resolve();
  }

  async #append(channel: Channel): Promise<void> {
    const count = 1 + Math.floor(this.#dice.fraction() * 4);
    const batch = Array.from({ length: count }, () => entry(`m${(this.#sequence += 1)}`));
    const context = this.#context;
    this.#busy.add(channel);
    try {
      const results = await context.broker.log(channel, RETENTIONS[channel]).append(batch);
      if (context !== this.#context) return;
      for (const result of results) {
        if (result.kind === "refused") throw new Error(result.code);
        const { epoch, offset, id } = result.position;
        this.#tell(channel, epoch, offset, id);
        this.acknowledged += 1;
      }
    } catch (error) {
      assert.equal(error instanceof TailwireError && error.code, "unavailable");
    } finally {
      if (context === this.#context) this.#busy.delete(channel);
    }
  }

  #tell(channel: Channel, epoch: string, offset: number, id: string | null): void {
    const known = this.#epochs.get(channel) ?? epoch;
    this.#epochs.set(channel, known);
    assert.equal(epoch, known);
    assert.equal(this.#told.get(channel)?.get(offset) ?? id, id);
    this.#told.get(channel)?.set(offset, id ?? "");
  }

  /** A power loss or a kill, with whatever is on its way; and a look at what is left. */
  async #lose(): Promise<void> {
    this.losses += 1;
    const isKill = this.#dice.fraction() < 0.3;
    const next = isKill ? this.#folder.killed() : this.#folder.torn(() => this.#dice.fraction());
    // Nobody hears of the one before any more.
    const former = this.#context;
    this.#folder = next;
    this.#context = diskContext(next, { clock: this.#clock });
    this.#busy.clear();
    void former.broker.close();
    for (const channel of CHANNELS) await this.#look(channel);
  }

  async #look(channel: Channel): Promise<void> {
    const log = this.#context.broker.log(channel, RETENTIONS[channel]);
    const told = this.#told.get(channel) as Map<number, string>;
    if (told.size === 0) return;
    const start = await log.locate("earliest");
    assert.equal(start.epoch, this.#epochs.get(channel));
    const all: Publication[] = [];
    for (let after = start; ;) {
      const { publications } = await log.read(after, PAGE);
      if (publications.length === 0) break;
      all.push(...publications);
      after = { ...start, offset: publications.at(-1)?.offset ?? 0, id: null };
    }
    const last = await log.locate("latest");
    assert.ok(last.offset >= Math.max(...told.keys()));
    assert.deepEqual(
      all.map(({ offset }) => offset),
      all.map((_, index) => start.offset + 1 + index),
    );
    assert.equal(last.offset, start.offset + all.length);
    for (const { offset, id } of all) assert.equal(told.get(offset) ?? id, id);
    if (channel === "all") assert.equal(start.offset, 0);
    if (channel === "few") assert.ok(all.length >= Math.min(8, told.size));
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    // The next process must find what this one has shown.
    for (const { offset, id } of all) this.#tell(channel, start.epoch, offset, id);
  }
}

test.each(Array.from({ length: 6 }, (_, seed) => seed + 1))(
  "among losses of all kinds what was told stays true (seed %i)",
  async (seed) => {
    const history = new History(seed);
    for (let step = 0; step < 200; step += 1) await history.step();
    expect(history.losses).toBeGreaterThan(3);
    expect(history.acknowledged).toBeGreaterThan(100);
  },
);
