// Seeded chaos: clients publish and follow while links are cut, silenced and stuck, and nodes crash.
// Afterwards everything is healed, and every promise is checked against the log itself.
import { expect, test } from "vitest";
import { Dice, Follower, type Link, World } from "@tailwire/simulation";

const SEEDS = 150;
const STEPS = 120;
const USERS = ["ada", "bob", "cyd"];

type Client = ReturnType<World["client"]>;

interface Published {
  readonly user: string;
  readonly number: number;
  outcome: "pending" | "lost" | { readonly epoch: string; readonly offset: number };
}

/** The faults that a seed enables. Not always all: together they would hide the effect of each. */
interface Faults {
  readonly cuts: boolean;
  readonly silence: boolean;
  readonly stuck: boolean;
  readonly crashes: boolean;
  readonly offline: boolean;
  readonly tinyLog: boolean;
  readonly mutedAcks: boolean;
}

class Chaos {
  readonly dice: Dice;
  readonly faults: Faults;
  readonly world: World;
  readonly published: Published[] = [];
  readonly followers: Follower[] = [];
  readonly #clients: Readonly<Record<string, Client>>;
  #number = 0;

  constructor(seed: number) {
    this.dice = new Dice(seed * 7_919);
    const chance = (share: number): boolean => this.dice.fraction() < share;
    this.faults = {
      cuts: chance(0.7),
      silence: chance(0.3),
      stuck: chance(0.3),
      crashes: chance(0.2),
      offline: chance(0.3),
      tinyLog: chance(0.3),
      mutedAcks: chance(0.3),
    };
    this.world = new World({
      seed,
      delayMs: 1 + this.dice.below(50),
      kernelBytes: chance(0.3) ? 300 : 65_536,
      channels: {
        "room:{id}": { retention: this.faults.tinyLog ? { count: 8 } : { count: 100_000 } },
      },
      limits: chance(0.3) ? { flushBytesMax: 400, tailBytesMax: 1_000 } : {},
    });
    this.world.tap = (direction, text) => {
      const losesAck = direction === "toClient" && text.includes('"ack"');
      return this.faults.mutedAcks && losesAck && chance(0.1) ? "cut before" : "arrives";
    };
    this.#clients = Object.fromEntries(USERS.map((user) => [user, this.world.client(user)]));
    for (const user of USERS) this.#follow(user);
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      this.#act();
      await this.world.advance(this.dice.below(this.dice.fraction() < 0.1 ? 8_000 : 120));
    }
  }

  /** Ends all faults, and waits until everybody has everything and every publish its answer. */
  async heal(): Promise<void> {
    this.world.tap = () => "arrives";
    for (const link of this.world.links) link.startReading();
    for (const client of Object.values(this.#clients)) client.goOnline();
    await this.world.advance(300_000);
    await this.world.node.publish("room:1", "message", "the end");
    await this.world.until(
      () => this.followers.every((one) => one.publications.at(-1)?.data === "the end"),
      300_000,
    );
  }

  #act(): void {
    const user = USERS[this.dice.below(USERS.length)] ?? "ada";
    const turn = this.dice.below(20);
    if (turn < 12) this.#publish(user);
    else if (turn === 12) this.#follow(user);
    else this.#fault(user, turn);
  }

  #fault(user: string, turn: number): void {
    const client = this.#clients[user];
    const link = this.#linkOf(user);
    if (turn < 15 && this.faults.cuts) link?.cut();
    if (turn === 15 && this.faults.silence) {
      link?.silence(this.dice.below(2) === 0 ? "toServer" : "toClient");
    }
    if (turn === 16 && this.faults.stuck) link?.stopReading();
    if (turn === 17 && this.faults.stuck) link?.startReading();
    if (turn === 18 && this.faults.offline) client?.goOffline();
    if (turn === 19 && this.faults.offline) client?.goOnline();
    if (turn === 19 && this.faults.crashes && this.dice.below(3) === 0) this.world.crash();
  }

  #publish(user: string): void {
    this.#number += 1;
    const published: Published = { user, number: this.#number, outcome: "pending" };
    this.published.push(published);
    this.#clients[user]
      ?.channel("room:1")
      .publish("message", `${user} ${this.#number}`)
      .then(
        ({ position }) => {
          published.outcome = position;
        },
        (error: { code: string }) => {
          published.outcome = error.code === "indeterminate" ? "lost" : "pending";
        },
      );
  }

  #follow(user: string): void {
    const start = this.followers.length % 2 === 0 ? "earliest" : "latest";
    const subscription = this.#clients[user]?.channel("room:1").subscribe({ start });
    if (subscription !== undefined) this.followers.push(new Follower(subscription));
  }

  #linkOf(user: string): Link | undefined {
    return this.world.links.findLast(
      (link) => link.isUp && link.connection?.access.user.id === user,
    );
  }
}

async function runSeed(seed: number): Promise<Chaos> {
  const chaos = new Chaos(seed);
  await chaos.run();
  await chaos.heal();
  return chaos;
}

/** Publications by position, and positions at which two followers got different ones. */
function placesOf({ followers }: Chaos): {
  places: ReadonlyMap<string, string>;
  clashes: string[];
} {
  const places = new Map<string, string>();
  const clashes: string[] = [];
  for (const { epoch, offset, id } of followers.flatMap(({ publications }) => publications)) {
    const place = `${epoch} ${offset}`;
    if ((places.get(place) ?? id) !== id) clashes.push(`two publications at ${place}`);
    places.set(place, id);
  }
  return { places, clashes };
}

/** Numbers of one user's publications, in the order in which a follower was handed them. */
function numbersOf(follower: Follower, user: string, epoch: string): readonly number[] {
  return follower.publications
    .filter((one) => one.epoch === epoch && String(one.data).startsWith(`${user} `))
    .map(({ data }) => Number(String(data).split(" ")[1]));
}

/** Broken promises, in words: there should be none. */
function violationsOf(chaos: Chaos): readonly string[] {
  const { world, followers, published, faults } = chaos;
  const found = followers.flatMap(({ violations }) => violations);
  const expectNone = (what: string, count: number): void => {
    if (count > 0) found.push(`${count} ${what}`);
  };
  const outcomes = (outcome: string): number =>
    published.filter((one) => one.outcome === outcome).length;
  expectNone("publications without an answer", outcomes("pending"));
  expectNone("errors of the server", world.errors.length);

  const { places, clashes } = placesOf(chaos);
  found.push(...clashes);
  const newest = followers[0]?.publications.at(-1)?.epoch ?? "";
  const ids = [...places].filter(([place]) => place.startsWith(newest)).map(([, id]) => id);
  expectNone("ids at two places", ids.length - new Set(ids).size);

  // Without a crash nobody is told "indeterminate", and with a whole log nothing is missed.
  const whole = !faults.crashes && !faults.tinyLog;
  if (!faults.crashes) expectNone("doubts without a crash", outcomes("lost"));
  if (whole) {
    expectNone("gaps in a whole log", followers.flatMap(({ gaps }) => gaps).length);
    const handed = followers[0]?.publications.length ?? 0;
    expectNone("publications lost", published.length + 1 - handed);
  }
  for (const follower of followers) {
    for (const user of USERS) {
      const numbers = numbersOf(follower, user, newest);
      const disorder = numbers.filter((number, index) => number < (numbers[index - 1] ?? 0));
      expectNone(`publications of ${user} out of order`, disorder.length);
    }
  }
  return found;
}

for (let first = 1; first <= SEEDS; first += 25) {
  test(`[DEL-2, DEL-3, DEL-4, PUB-4, PUB-8] seeds ${first} to ${first + 24} keep every promise`, async () => {
    for (let seed = first; seed < first + 25; seed += 1) {
      const chaos = await runSeed(seed);
      const { faults } = chaos;
      expect({ seed, faults, violations: violationsOf(chaos) }).toEqual({
        seed,
        faults,
        violations: [],
      });
    }
  }, 120_000);
}
