/**
 * The commands `subscribe` and `unsubscribe`, and the application's own subscribing of its users: may
 * they, where does it begin, then a cursor.
 */
import {
  isPosition,
  type Position,
  type Start,
  type Subscribe,
  tailwireError,
  type Unsubscribe,
} from "@tailwire/protocol";
import type { Channel } from "../delivery/channel.ts";
import type { Connection } from "../connection/connection.ts";
import { REQUEST_BYTES } from "../connection/lanes.ts";
import { Cursor } from "../delivery/cursor.ts";
import type { Started } from "../log/log.ts";
import type { ControlMessage } from "../connection/output.ts";
import { type Snapshot, snapshotMessage } from "../delivery/snapshots.ts";
import type { Services } from "./services.ts";

export function subscribe(node: Services, connection: Connection, message: Subscribe): void {
  connection.lanes.request(message.channel, REQUEST_BYTES, async (release) => {
    await subscribeNow(node, connection, message);
    release();
  });
}

export function unsubscribe(_: Services, connection: Connection, message: Unsubscribe): void {
  connection.lanes.request(message.channel, REQUEST_BYTES, (release) => {
    release();
    if (!connection.subscriptions.end(message.channel)) {
      return connection.refuse(message.id, tailwireError("not_subscribed"));
    }
    connection.say({ type: "ack", re: message.id });
  });
}

/**
 * Subscribes a connection as the application wants it, from what is there now. One that follows the
 * channel already goes on as it is.
 */
export function subscribeByServer(node: Services, connection: Connection, channel: string): void {
  connection.lanes.request(channel, REQUEST_BYTES, async (release) => {
    await subscribeByServerNow(node, connection, channel);
    release();
  });
}

/**
 * Ends a subscription as the application wants it: the one that there is, and one that is under way
 * as soon as it has begun.
 */
export function unsubscribeByServer(connection: Connection, channel: string): void {
  const end = (): void => connection.endSubscription(channel, tailwireError("removed"));
  end();
  connection.lanes.run(channel, end);
}

async function subscribeNow(
  node: Services,
  connection: Connection,
  message: Subscribe,
): Promise<void> {
  const { subscriptions } = connection;
  const name = message.channel;
  if (!connection.isOpen) return;
  subscriptions.handOver(name);
  if (subscriptions.has(name)) {
    return connection.refuse(message.id, tailwireError("already_subscribed"));
  }
  if (subscriptions.size >= node.limits.subscriptionsMax) {
    return connection.refuse(message.id, tailwireError("limit_exceeded"));
  }
  subscriptions.reserve(name);
  try {
    await connection.access.require("subscribe", name);
    const channel = node.channel(name);
    await startAt(connection, channel, message.start, async (started) => {
      // A fresh token may allow less than the one that was there when this began.
      await connection.access.require("subscribe", name);
      const { position, recovered } = started;
      const { id: re } = message;
      const known = isPosition(message.start) ? { recovered } : {};
      return { type: "ack", re, position, ...known };
    });
  } catch (error) {
    subscriptions.release(name);
    connection.refuse(message.id, node.report(error));
  }
}

async function subscribeByServerNow(
  node: Services,
  connection: Connection,
  name: string,
): Promise<void> {
  const { subscriptions } = connection;
  if (!connection.isOpen || subscriptions.has(name)) return;
  if (subscriptions.size >= node.limits.subscriptionsMax) return;
  subscriptions.reserve(name);
  try {
    const channel = node.channel(name);
    await startAt(connection, channel, "latest", async ({ position }) => {
      subscriptions.markByServer(name);
      return { type: "subscribed", channel: name, position };
    });
  } catch (error) {
    subscriptions.release(name);
    // The client hasn't asked: there is nobody to answer.
    node.report(error);
  }
}

interface StartedWithState extends Started {
  /** The channel's state as of there, where it is owed. */
  readonly snapshot: Snapshot | null;
}

/** Finds where to begin, says so in the words that are given for it, and follows from there. */
async function startAt(
  connection: Connection,
  channel: Channel,
  start: Start,
  wordFor: (started: StartedWithState) => Promise<ControlMessage>,
): Promise<void> {
  const startNow = async (): Promise<void> => {
    if (!connection.isOpen) return;
    const started = await startedAt(channel, start);
    const word = await wordFor(started);
    if (connection.isOpen) follow(connection, channel, started, word);
  };
  const { lanes } = connection;
  await channel.use(() => (owesState(channel, start) ? lanes.oneByOne(startNow) : startNow()));
}

function owesState({ snapshots }: Channel, start: Start): boolean {
  return start === "latest" && snapshots !== null;
}

/** Where a subscription begins [SUB-2]: with what is there now, which is a state if there is one. */
async function startedAt(channel: Channel, start: Start): Promise<StartedWithState> {
  await channel.open();
  if (start === "latest" && channel.snapshots !== null) {
    const snapshot = await channel.snapshots.fetch();
    return { position: snapshot.position, recovered: false, snapshot };
  }
  // A client's position keeps its three fields and nothing else.
  const started = await channel.log.start(isPosition(start) ? positionOf(start) : start);
  return { ...started, snapshot: null };
}

/** Says how it begins, together with the state that is owed, and follows the channel from there. */
function follow(
  connection: Connection,
  channel: Channel,
  { position, snapshot, gap }: StartedWithState,
  word: ControlMessage,
): void {
  connection.say(word, ...(snapshot === null ? [] : [snapshotMessage(channel.name, snapshot)]));
  const cursor = new Cursor(channel, connection, position);
  if (gap !== undefined) cursor.beginWith(channel.gapStep(gap, connection.codec));
  connection.subscriptions.begin(channel.name, cursor);
  channel.join(cursor);
  connection.mark(cursor);
}

export function positionOf({ epoch, offset, id }: Position): Position {
  return { epoch, offset, id };
}
