/** The NATS broker: it keeps the logs of channels in one JetStream stream, which several servers share. */
import type {
  Broker,
  BrokerHost,
  BrokerLog,
  BrokerState,
  OpenBroker,
  Retention,
} from "@tailwire/server/broker-contract";
import { Channel } from "./channel.ts";
import { unavailableOr } from "./failures.ts";
import { Link, type LinkState } from "./link.ts";
import { isStreamGone, KEPT_MS_MIN } from "./preparation.ts";
import { type NatsBrokerOptions, type Settings, settingsOf } from "./settings.ts";
import { tokenOf } from "./subjects.ts";

/** Milliseconds between two looks for pushes that were lost. */
const PROBE_MS = 1_000;

/** Channels that are probed at the same time. */
const PROBED_AT_ONCE = 64;

/** Milliseconds between two looks for channels that rest. */
const SWEEP_MS = 30_000;

/**
 * Opens a broker on NATS JetStream: one server of version 2.9.10 or later, or a cluster of 2.11 or later.
 * Its logs outlive nodes, and servers that keep their files.
 *
 * @throws TypeError for options that aren't {@link NatsBrokerOptions}. A server that can't be reached, or
 * doesn't do, isn't thrown: calls are `unavailable` until it does, and the log has the reason.
 */
export function natsBroker(options: NatsBrokerOptions): OpenBroker {
  const settings = settingsOf(options);
  return (host) => new NatsBroker(settings, host);
}

class NatsBroker implements Broker {
  readonly capabilities = { durable: true };
  readonly #host: BrokerHost;
  readonly #link: Link;
  readonly #channels = new Map<string, Channel>();
  #tell: (state: BrokerState) => void = () => undefined;
  #isDown = false;
  readonly #timers: (() => void)[] = [];
  /** The stream's last sequence when all channels were last compared with it. */
  #probedAt = -1;
  /** Milliseconds for which the stream has to keep records, for all logs that were asked for. */
  #keptMs = KEPT_MS_MIN;
  #closed = false;

  constructor(settings: Settings, host: BrokerHost) {
    this.#host = host;
    this.#link = new Link(settings, host, (state) => this.#enter(state));
    this.#every(PROBE_MS, () => this.#probe());
    this.#every(SWEEP_MS, () => this.#sweep());
  }

  log(channel: string, retention: Retention): BrokerLog {
    this.#keptMs = Math.max(this.#keptMs, retention.maxAgeMs + 2 * this.#host.dedupeMs);
    const its = (): Channel => this.#channel(channel);
    const reader = () => its().reader(retention);
    return {
      append: (batch) => its().append(batch, retention),
      read: (after, limit) => unavailableOr(async () => (await reader()).read(after, limit)),
      readBack: (before, limit) =>
        unavailableOr(async () => (await reader()).readBack(before, limit)),
      locate: (start) => unavailableOr(async () => (await reader()).locate(start)),
      tail: (listener) => unavailableOr(() => its().tail(listener, retention)),
    };
  }

  onState(listener: (state: BrokerState) => void): void {
    this.#tell = listener;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers.splice(0)) cancel();
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    await this.#link.close();
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = new Channel(tokenOf(name), this.#link, this.#host);
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #enter(state: LinkState): void {
    if (this.#closed) return;
    if (state.kind === "down") {
      // The node writes down why it went down, and not what else is found wrong before it is up.
      if (this.#isDown) this.#host.logger.warn({ reason: state.reason }, "NATS is still down");
      this.#isDown = true;
      this.#tell(state);
      return;
    }
    this.#isDown = false;
    this.#probedAt = -1;
    this.#tell({ kind: "up" });
    for (const channel of this.#channels.values()) channel.renewed();
  }

  /** Compares followed channels with the stream, where that has grown. */
  async #probe(): Promise<void> {
    const { current: stream } = this.#link;
    if (stream === null) return;
    const last = await stream.tend(this.#keptMs).catch((error: unknown) => {
      if (isStreamGone(error)) this.#link.renew();
      throw error;
    });
    if (last === this.#probedAt) return;
    const followed = [...this.#channels.values()].filter(({ isFollowed }) => isFollowed);
    for (let from = 0; from < followed.length; from += PROBED_AT_ONCE) {
      const some = followed.slice(from, from + PROBED_AT_ONCE);
      await Promise.all(some.map((channel) => channel.probe()));
    }
    this.#probedAt = last;
  }

  /** Keeps alive the logs that are followed, and forgets channels that nobody uses. */
  #sweep(): void {
    const old = this.#host.clock.now() - this.#keptMs / 2;
    for (const [name, channel] of this.#channels) {
      if (channel.isFollowed) channel.refresh(old).catch(() => undefined);
      if (!channel.isIdle()) continue;
      channel.close();
      this.#channels.delete(name);
    }
  }

  /** Again and again; a failure is left to the next time. */
  #every(ms: number, act: () => void | Promise<void>): void {
    const place = this.#timers.length;
    const wait = (): void => {
      if (this.#closed) return;
      this.#timers[place] = this.#host.clock.after(ms, () => {
        Promise.resolve().then(act).then(wait, wait);
      });
    };
    wait();
  }
}
