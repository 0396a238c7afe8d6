/**
 * Rules about causes: nothing ends without one. A subscription that ends, a client that closes, a
 * publication that is given up: somebody asked for it, or a node refused it on the wire, for a reason
 * that there was. So "everybody catches up" can't be met by ending everybody. Rule 21 of the checker.
 */
import type {
  AccessEvent,
  DeedEvent,
  HistoryEvent,
  PublishingEvent,
  StatusEvent,
  SubscriberEvent,
  ToldEvent,
} from "./history.ts";
import type { Setting } from "./setting.ts";
import type { Publications } from "./publishing.ts";
import type { Exchange, Wire } from "./wire.ts";
import type { Report } from "./violation.ts";

type Unpublished = Extract<PublishingEvent, { type: "unpublished" }>;
type Publish = Extract<PublishingEvent, { type: "publish" }>;

interface Known {
  readonly publications: Publications;
  readonly wire: Wire;
}

interface Client {
  readonly user: string;
  readonly session: string;
  /** Whether anything was ever asked of it. */
  isUsed: boolean;
  quit: boolean;
  /** The fatal close that it has heard, for which a node had a reason; null for none. */
  endedBy: number | null;
  /** Closes for what it sent. */
  blames: number;
  /** When its wall clock was set last. */
  jumpedAt: number;
  /** Codes by which nodes have ended what it follows, by channel. */
  readonly told: Map<string, Set<string>>;
  /** Channels that it has ever followed. */
  readonly channels: Set<string>;
  /** Publications that have no outcome, and their bytes. */
  pending: number;
  pendingBytes: number;
}

/** Closes that end a client, as far as a node has a reason for them. */
const DISCONNECTED = 4504;
const SUPERSEDED: ReadonlySet<number> = new Set([4509, 4510]);
/** The same by the names by which a client calls them when it gives up what it was to do. */
const ENDS: ReadonlyMap<string, number> = new Map([
  ["disconnected", DISCONNECTED],
  ["superseded", 4509],
  ["session_in_use", 4510],
]);
/** Closes for what a client has sent. */
const BLAMES: ReadonlySet<number> = new Set([1007, 1009, 4400]);

/** The bytes around a payload in a message, generously. */
const ENVELOPE_BYTES = 1_024;

/** A client's outbox: more is refused. */
const OUTBOX_MAX = { count: 10_000, bytes: 4_194_304 };

export class Causes {
  readonly #publications: Publications;
  readonly #wire: Wire;
  readonly #setting: Setting;
  readonly #report: Report;
  readonly #clients = new Map<string, Client>();
  readonly #subs = new Map<string, Extract<SubscriberEvent, { type: "subscribe" }>>();
  /** Clients of a session. */
  readonly #sessions = new Map<string, number>();
  /** Users and channels where somebody wasn't allowed at some time, and where somebody was removed. */
  readonly #forbidden = new Set<string>();
  readonly #removed = new Set<string>();
  #hasFailed = false;
  #settled = false;
  /** Answers to subscribes, in the order in which they were written, and how many were. */
  readonly #answers: readonly Exchange[];
  #answered = 0;

  constructor({ publications, wire }: Known, setting: Setting, report: Report) {
    this.#publications = publications;
    this.#wire = wire;
    this.#setting = setting;
    this.#report = report;
    this.#answers = wire.exchanges
      .filter(({ request, answer }) => request.what === "subscribe" && answer !== null)
      .toSorted((one, other) => one.answeredAt - other.answeredAt);
  }

  take(event: HistoryEvent, turn: number): void {
    for (; (this.#answers[this.#answered]?.answeredAt ?? Infinity) <= turn; this.#answered += 1) {
      this.#answer(this.#answers[this.#answered] as Exchange);
    }
    switch (event.type) {
      case "client":
      case "quit":
      case "removed":
      case "failed":
        return this.#deed(event);
      case "policy":
        return this.#policy(event);
      case "told":
        return this.#told(event);
      case "cut":
        return this.#cut(this.#wire.clientOf(event.connection), event.code);
      case "jumped": {
        const client = this.#clients.get(event.device);
        if (client !== undefined) client.jumpedAt = event.at;
        return;
      }
      case "subscribe":
        this.#subs.set(event.sub, event);
        return this.#subscribe(event);
      case "ended":
        return this.#ended(event);
      case "publish":
      case "published":
      case "unpublished":
        return this.#published(event, turn);
      case "status":
        return this.#status(event);
      case "settled":
        this.#settled = true;
        return;
      default:
    }
  }

  // Done on purpose

  #deed(event: DeedEvent): void {
    switch (event.type) {
      case "client": {
        const { client, user, session } = event;
        this.#sessions.set(session, (this.#sessions.get(session) ?? 0) + 1);
        this.#clients.set(client, newClient(user, session));
        return;
      }
      case "quit": {
        const client = this.#clients.get(event.client);
        if (client !== undefined) client.quit = true;
        return;
      }
      case "removed":
        this.#removed.add(`${event.user} ${event.channel}`);
        return;
      case "failed":
        this.#hasFailed = true;
        return;
      default:
        event satisfies never;
    }
  }

  #policy({ user, channel, allowed }: Extract<AccessEvent, { type: "policy" }>): void {
    if (!allowed) this.#forbidden.add(`${user} ${channel}`);
  }

  // Nodes, and whether they had a reason

  #told({ what, connection, channel, code, retry }: ToldEvent): void {
    if (what !== "unsubscribed" || retry) return;
    this.#refuse(this.#wire.clientOf(connection), channel, code ?? "");
  }

  #answer({ request, answer }: Exchange): void {
    if (answer === null || answer.code === null || answer.retry) return;
    this.#refuse(this.#wire.clientOf(request.connection), request.channel ?? "", answer.code);
  }

  /** A node has ended or refused a subscription for good. */
  #refuse(name: string, channel: string, code: string): void {
    const client = this.#clients.get(name);
    if (client === undefined) return;
    const codes = client.told.get(channel) ?? new Set<string>();
    client.told.set(channel, codes);
    if (this.#hasReason(client, channel, code)) codes.add(code);
    else this.#report("R21", `${name} was told ${code} of ${channel}, for no reason`);
  }

  #hasReason({ user, channels }: Client, channel: string, code: string): boolean {
    switch (code) {
      case "forbidden":
        return this.#forbidden.has(`${user} ${channel}`);
      case "removed":
        return this.#removed.has(`${user} ${channel}`);
      case "limit_exceeded":
        return channels.size >= this.#setting.subscriptionsMax;
      case "internal":
        return this.#hasFailed;
      case "already_subscribed":
        // A correct client is never told that, which is another rule's concern.
        return true;
      default:
        // A refusal that may pass ends nothing, and nothing else is a fault of a client that is right.
        return false;
    }
  }

  #cut(name: string, code: number): void {
    const client = this.#clients.get(name);
    if (client === undefined) return;
    const { user, session } = client;
    const isOurs = code === DISCONNECTED && this.#removed.has(`${user} null`);
    const isCloned = SUPERSEDED.has(code) && (this.#sessions.get(session) ?? 0) > 1;
    if (isOurs || isCloned) client.endedBy = code;
    if (BLAMES.has(code)) client.blames += 1;
  }

  #subscribe({ client: name, channel }: Extract<SubscriberEvent, { type: "subscribe" }>): void {
    const client = this.#clients.get(name);
    if (client === undefined) return;
    client.isUsed = true;
    client.channels.add(channel);
  }

  // Endings

  #ended({ sub, asked, code }: Extract<SubscriberEvent, { type: "ended" }>): void {
    const told = this.#subs.get(sub);
    const client = this.#clients.get(told?.client ?? "");
    if (asked || told === undefined || client === undefined || isOut(client)) return;
    if (code !== null && client.told.get(told.channel)?.has(code) === true) return;
    this.#report("R21", `${sub} was ended with ${code}, and nobody wanted it`);
  }

  #published(event: PublishingEvent, turn: number): void {
    const publish = event.type === "publish" ? event : this.#publications.get(event.tag);
    if (publish === undefined) return;
    const client = this.#clients.get(publish.publisher);
    if (event.type === "unpublished" && !this.#mayGiveUp(event, publish, client, turn)) {
      this.#report("R21", `${event.tag} was given up with ${event.code}, for no reason`);
    }
    if (client === undefined) return;
    client.isUsed = true;
    const by = event.type === "publish" ? 1 : -1;
    client.pending += by;
    client.pendingBytes += by * publish.bytes;
  }

  #mayGiveUp(
    event: Unpublished,
    publish: Publish,
    client: Client | undefined,
    turn: number,
  ): boolean {
    const { tag, code } = event;
    // The server's own are refused when its broker can't be reached, which it can when all is healed.
    if (publish.as === null) return !this.#settled || code === "killed";
    const sends = this.#wire.sendsOf(tag).filter((send) => send.turn < turn);
    if (sends.some(({ exchange }) => exchange?.answer?.code === code)) return true;
    if (client === undefined) return false;
    switch (code) {
      case "taken back":
        return true;
      case "killed":
        return client.quit;
      case "closed":
      case "unauthenticated":
        return isOut(client);
      case "disconnected":
      case "superseded":
      case "session_in_use":
        return ENDS.get(code) === client.endedBy;
      case "ttl_expired":
        return sends.length === 0 && isTooOld(event, publish, client);
      case "indeterminate":
        return this.#mayBeForgotten(event, publish, client, sends[0]?.wrote.at ?? Infinity);
      case "too_large":
        return isLarge(publish, this.#setting.messageBytesMax) || client.blames > 1;
      case "invalid_data":
        return client.blames > 1;
      case "outbox_full":
        return client.pending > OUTBOX_MAX.count || client.pendingBytes > OUTBOX_MAX.bytes;
      default:
        return false;
    }
  }

  /** Whether nobody might know any more, by then, what was sent first at that time. */
  #mayBeForgotten({ at }: Unpublished, publish: Publish, client: Client, firstAt: number): boolean {
    if (firstAt === Infinity) return false;
    const { dedupeMs, appendMs, messageBytesMax } = this.#setting;
    // A server may take less than the one before, to which it was sent.
    if (isLarge(publish, messageBytesMax)) return true;
    return isOut(client) || client.jumpedAt >= firstAt || at - firstAt >= dedupeMs - appendMs;
  }

  /** How a client is when all is healed. */
  #status({ client: name, state, pending }: StatusEvent): void {
    const client = this.#clients.get(name);
    if (client === undefined || isOut(client)) return;
    // Nothing was ever asked of it, and so it hasn't connected.
    if (state === "idle" && !client.isUsed) return;
    if (state !== "connected") this.#report("R21", `${name} is ${state}, and nobody wanted it`);
    else if (pending > 0) this.#report("R21", `${name} still waits for ${pending} publications`);
  }
}

function newClient(user: string, session: string): Client {
  return {
    user,
    session,
    isUsed: false,
    quit: false,
    endedBy: null,
    blames: 0,
    jumpedAt: -Infinity,
    told: new Map(),
    channels: new Set(),
    pending: 0,
    pendingBytes: 0,
  };
}

function isOut({ quit, endedBy }: Client): boolean {
  return quit || endedBy !== null;
}

/** Bytes are a third longer in text. */
function isLarge({ bytes }: Publish, messageBytesMax: number): boolean {
  return (bytes * 4) / 3 + ENVELOPE_BYTES > messageBytesMax;
}

function isTooOld({ at }: Unpublished, publish: Publish, { jumpedAt }: Client): boolean {
  if (publish.ttlMs === null) return false;
  // Wall clocks show whole milliseconds.
  return jumpedAt >= publish.at || at - publish.at >= publish.ttlMs - 1;
}
