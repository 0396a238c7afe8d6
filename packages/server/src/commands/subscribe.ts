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
import { Cursor } from "../delivery/cursor.ts";
import type { Started } from "../log/log.ts";
import type { ControlMessage } from "../connection/output.ts";
import { type Snapshot, snapshotMessage } from "../delivery/snapshots.ts";
import { inLane, oneByOne, REQUEST_BYTES } from "./lane.ts";

export function subscribe(connection: Connection, message: Subscribe): void {
  inLane(connection, message.channel, REQUEST_BYTES, async (release) => {
    await subscribeNow(connection, message);
    release();
  });
}

/**
 * Subscribes a connection as the application wants it, from what is there now. One that follows the
 * channel already goes on as it is.
 */
export function begin(connection: Connection, channel: string): void {
  inLane(connection, channel, REQUEST_BYTES, async (release) => {
    await beginNow(connection, channel);
    release();
  });
}

/**
 * Ends a subscription as the application wants it: the one that there is, and one that is under way
 * as soon as it has begun.
 */
export function remove(connection: Connection, channel: string): void {
  const end = (): void => connection.endSubscription(channel, tailwireError("removed"));
  end();
  connection.lanes.run(channel, end);
}

export function unsubscribe(connection: Connection, message: Unsubscribe): void {
  inLane(connection, message.channel, REQUEST_BYTES, (release) => {
    release();
    if (!end(connection, message.channel)) {
      return connection.refuse(message.id, tailwireError("not_subscribed"));
    }
    connection.say({ type: "ack", re: message.id });
  });
}

async function subscribeNow(connection: Connection, message: Subscribe): Promise<void> {
  const { node, subscriptions, begun } = connection;
  const name = message.channel;
  if (!connection.isOpen) return;
  // A subscription that the server began is the client's to take over, from wherever it wants [SUB-10].
  if (begun.delete(name)) end(connection, name);
  if (subscriptions.has(name)) {
    return connection.refuse(message.id, tailwireError("already_subscribed"));
  }
  if (subscriptions.size >= node.limits.subscriptionsMax) {
    return connection.refuse(message.id, tailwireError("limit_exceeded"));
  }
  subscriptions.set(name, null);
  try {
    await connection.access.require("subscribe", name);
    const channel = node.channel(name);
    await beginAt(connection, channel, message.start, async (beginning) => {
      // A fresh token may allow less than the one that was there when this began.
      await connection.access.require("subscribe", name);
      const { position, recovered } = beginning;
      const { id: re } = message;
      const known = isPosition(message.start) ? { recovered } : {};
      return { type: "ack", re, position, ...known };
    });
  } catch (error) {
    subscriptions.delete(name);
    connection.refuse(message.id, node.asTailwireError(error));
  }
}

async function beginNow(connection: Connection, name: string): Promise<void> {
  const { node, subscriptions, begun } = connection;
  if (!connection.isOpen || subscriptions.has(name)) return;
  if (subscriptions.size >= node.limits.subscriptionsMax) return;
  subscriptions.set(name, null);
  try {
    const channel = node.channel(name);
    await beginAt(connection, channel, "latest", async ({ position }) => {
      begun.add(name);
      return { type: "subscribed", channel: name, position };
    });
  } catch (error) {
    subscriptions.delete(name);
    // The client hasn't asked: there is nobody to answer.
    node.asTailwireError(error);
  }
}

interface Beginning extends Started {
  /** The channel's state as of there, where it is owed. */
  readonly snapshot: Snapshot | null;
  /** Whether a gap comes first. */
  readonly isCut: boolean;
}

/** Finds where to begin, says so in the words that are given for it, and follows from there. */
async function beginAt(
  connection: Connection,
  channel: Channel,
  start: Start,
  wordFor: (beginning: Beginning) => Promise<ControlMessage>,
): Promise<void> {
  const begins = async (): Promise<void> => {
    if (!connection.isOpen) return;
    const beginning = await beginningOf(channel, start);
    const word = await wordFor(beginning);
    if (connection.isOpen) follow(connection, channel, beginning, word);
  };
  await channel.use(() => (owesState(channel, start) ? oneByOne(connection, begins) : begins()));
}

function owesState({ snapshots }: Channel, start: Start): boolean {
  return start === "latest" && snapshots !== null;
}

/** Where a subscription begins [SUB-2]: with what is there now, which is a state if there is one. */
async function beginningOf(channel: Channel, start: Start): Promise<Beginning> {
  await channel.open();
  if (start === "latest" && channel.snapshots !== null) {
    const snapshot = await channel.snapshots.take();
    return { position: snapshot.position, recovered: false, snapshot, isCut: false };
  }
  // A client's position keeps its three fields and nothing else.
  const started = await channel.log.start(isPosition(start) ? positionOf(start) : start);
  return { ...started, snapshot: null, isCut: isPosition(start) && !started.recovered };
}

/** Says how it begins, together with the state that is owed, and follows the channel from there. */
function follow(
  connection: Connection,
  channel: Channel,
  { position, snapshot, isCut }: Beginning,
  word: ControlMessage,
): void {
  connection.say(word, ...(snapshot === null ? [] : [snapshotMessage(channel.name, snapshot)]));
  const cursor = new Cursor(channel, connection, position);
  if (isCut) cursor.expectGap();
  connection.subscriptions.set(channel.name, cursor);
  channel.join(cursor);
  connection.mark(cursor);
}

/** Ends a subscription. False: there is none. */
function end({ subscriptions, begun }: Connection, channel: string): boolean {
  const cursor = subscriptions.get(channel);
  if (cursor === undefined || cursor === null) return false;
  subscriptions.delete(channel);
  begun.delete(channel);
  cursor.close();
  return true;
}

export function positionOf({ epoch, offset, id }: Position): Position {
  return { epoch, offset, id };
}
