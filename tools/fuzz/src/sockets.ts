/**
 * A real server over loopback, fed with frames that are nearly right, while a witness goes on.
 *
 * The invariants: the process lives, the witness is served, and a peer that the server parts with is
 * told a code.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createTailwire } from "@tailwire/server";
import { Dice } from "@tailwire/simulation";
import { closeCode, frame, framesIn, type ServerFrame } from "./frames.ts";
import { mutatedText } from "./mutate.ts";
import { LINES } from "./seeds.ts";
import { pick } from "./target.ts";

export interface SocketReport {
  readonly connections: number;
  readonly failures: readonly string[];
  /** Close codes and HTTP statuses, with how often each came. */
  readonly closes: string;
}

/** Connections at once, and how long one may take in milliseconds. */
const AT_ONCE = 8;
const PATIENCE_MS = 10_000;

const HELLO =
  '{"type":"hello","id":"h","timestamp":0,"session":"SESSION","generation":1,"client":{"name":"f","version":"0"}}\n';

export async function runSockets(seed: number, connections: number): Promise<SocketReport> {
  const failures: string[] = [];
  const closes = new Map<string, number>();
  const crashed = (error: unknown): void => void failures.push(`crashed: ${String(error)}`);
  process.on("uncaughtException", crashed);
  process.on("unhandledRejection", crashed);
  const { web, tailwire, port } = await serve();
  try {
    let next = 0;
    const work = async (): Promise<void> => {
      for (let number = next++; number < connections; number = next++) {
        const { how, fault } = await strange(
          port,
          new Dice(seed ^ Math.imul(number + 1, 0x85eb_ca6b)),
        );
        closes.set(how, (closes.get(how) ?? 0) + 1);
        if (fault !== null) failures.push(`connection ${number}: ${fault}`);
        if (!(await witness(port)))
          failures.push(`connection ${number}: the witness wasn't served`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await tailwire.close();
    web.close();
    web.closeAllConnections();
    process.off("uncaughtException", crashed);
    process.off("unhandledRejection", crashed);
  }
  const counts = [...closes].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return {
    connections,
    failures: failures.slice(0, 10),
    closes: counts.map(([how, count]) => `${how} ${count}×`).join(", "),
  };
}

async function serve(): Promise<{
  web: Server;
  tailwire: ReturnType<typeof createTailwire>;
  port: number;
}> {
  const web = createServer();
  const silent = (): void => undefined;
  const tailwire = createTailwire({
    authenticate: (_request, token) =>
      token === null ? null : { user: { id: token.slice(0, 64) } },
    channels: { "room:{id}": {} },
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  tailwire.attach(web, { path: "/tailwire" });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  return { web, tailwire, port: (web.address() as AddressInfo).port };
}

/** A peer's news: `open`, a close code, an HTTP status, or that it was dropped. */
interface Heard {
  readonly how: string;
  readonly frames: readonly ServerFrame[];
  readonly ended: boolean;
}

/** Sends frames that are nearly right, or an upgrade that is; how it ended, and what was wrong. */
async function strange(port: number, dice: Dice): Promise<{ how: string; fault: string | null }> {
  const upgrade = upgradeOf(dice);
  const chunks: Buffer[] = [Buffer.from(upgrade)];
  const closesItself = dice.below(4) === 0;
  if (dice.below(8) > 0) chunks.push(frame(1, Buffer.from(hello()), {}, dice));
  for (let left = 1 + dice.below(12); left > 0; left -= 1) chunks.push(anyFrame(dice));
  chunks.push(
    closesItself
      ? frame(8, Buffer.from([3, 232]), {}, dice)
      : frame(9, Buffer.from("probe"), {}, dice),
  );
  const { how, ended } = await converse(port, chunks, (heard) =>
    heard.frames.some(({ opcode, payload }) => opcode === 10 && payload.toString() === "probe"),
  );
  return { how, fault: ended && how === "dropped" ? "it was dropped without a code" : null };
}

function upgradeOf(dice: Dice): string {
  const token = dice.below(4) === 0 ? headerText(mutatedText(dice, "Bearer a")) : "Bearer fuzz";
  const offers =
    dice.below(4) === 0
      ? headerText(mutatedText(dice, "tailwire.v1.json, tailwire.bearer.YQ"))
      : pick(dice, ["tailwire.v1.json", "tailwire.v1.msgpack, tailwire.v1.json"] as const);
  const query =
    dice.below(4) === 0
      ? `?${headerText(mutatedText(dice, "token=a&ticket=%41")).replaceAll(" ", "+")}`
      : "";
  return [
    `GET /tailwire${query} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    `Sec-WebSocket-Protocol: ${offers}`,
    `Authorization: ${token}`,
    "\r\n",
  ].join("\r\n");
}

/** Text that a header or a query can hold: the rest is Node's own parser's to refuse. */
function headerText(text: string): string {
  return text.replaceAll(/[^ -~]/g, "%").slice(0, 2_000);
}

function hello(): string {
  return HELLO.replace("SESSION", randomBytes(16).toString("hex"));
}

/** Mostly text that a server understands or refuses; now and then a frame that breaks the rules. */
function anyFrame(dice: Dice): Buffer {
  const text = dice.below(2) === 0 ? mutatedText(dice) : (pick(dice, LINES) ?? "");
  const payload = Buffer.from(text.slice(0, 8_000));
  switch (dice.below(16)) {
    case 0:
      return frame(1, payload, { first: dice.below(256) }, dice);
    case 1:
      return frame(1, payload, { mask: false }, dice);
    case 2:
      return frame(1, payload, { claims: pick(dice, [0, 5, 70_000, 2 ** 32, 2 ** 53]) }, dice);
    case 3:
      return frame(2, payload, {}, dice);
    case 4: {
      const at = dice.below(payload.length + 1);
      const pieces = [
        frame(1, payload.subarray(0, at), { first: 0x01 }, dice),
        frame(0, payload.subarray(at), {}, dice),
      ];
      if (dice.below(2) === 0) pieces.splice(1, 0, frame(9, Buffer.from("x"), {}, dice));
      return Buffer.concat(pieces);
    }
    case 5:
      return frame(pick(dice, [9, 10]), payload.subarray(0, dice.below(130)), {}, dice);
    case 6:
      return frame(
        8,
        Buffer.from([dice.below(256), dice.below(256), ...payload.subarray(0, 20)]).subarray(
          0,
          dice.below(22),
        ),
        {},
        dice,
      );
    case 7:
      return frame(1, Buffer.from([...payload.subarray(0, 30), 0xff, 0xc0, 0x80]), {}, dice);
    case 8:
      return Buffer.from(Array.from({ length: dice.below(40) }, () => dice.below(256)));
    default:
      return frame(1, payload, {}, dice);
  }
}

/** Another connection says hello, publishes, and hears that it was logged. */
async function witness(port: number): Promise<boolean> {
  const dice = new Dice(1);
  const publish =
    '{"type":"publish","id":"p","timestamp":0,"channel":"room:w","event":"e","sequence":1,"settled":0,"data":1}\n';
  const upgrade = upgradeOf({ below: () => 1 } as unknown as Dice);
  const heard =
    (text: string) =>
    ({ frames }: Heard): boolean =>
      frames.some(({ payload }) => payload.includes(text));
  const chunks = [Buffer.from(upgrade), frame(1, Buffer.from(hello() + publish), {}, dice)];
  // A connection of its own each time, in JSON, whatever was offered before.
  chunks[0] = Buffer.from(upgrade.replace("tailwire.v1.msgpack, ", ""));
  const { how } = await converse(port, chunks, heard('"re":"p"'));
  return how === "open";
}

/** Writes, and listens until the other end is done, or has said what was waited for. */
function converse(
  port: number,
  chunks: readonly Buffer[],
  done: (heard: Heard) => boolean,
): Promise<Heard> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1");
    let received = Buffer.alloc(0);
    let settled = false;
    let parted = false;
    const settle = (ended: boolean): void => {
      if (settled) return;
      settled = true;
      clearTimeout(patience);
      // A peer that goes first is told nothing.
      const heard = heardOf(received, ended && !parted);
      socket.destroy();
      resolve(heard);
    };
    const patience = setTimeout(() => settle(false), PATIENCE_MS);
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      if (done(heardOf(received, false))) settle(false);
    });
    socket.on("end", () => settle(true));
    socket.on("close", () => settle(true));
    socket.on("error", () => settle(true));
    for (const chunk of chunks) socket.write(chunk);
    // A frame that claims more than there is waits for the rest: it gets an end instead.
    setTimeout(() => {
      parted = true;
      socket.end();
    }, 300).unref();
  });
}

/** The received bytes, taken apart. */
function heardOf(received: Buffer, ended: boolean): Heard {
  const headEnd = received.indexOf("\r\n\r\n");
  const status = /^HTTP\/1\.1 (\d+)/.exec(received.toString("latin1", 0, 20))?.[1];
  if (headEnd < 0 || status === undefined) return { how: "dropped", frames: [], ended };
  if (status !== "101") return { how: `HTTP ${status}`, frames: [], ended };
  const { frames } = framesIn(received, headEnd + 4);
  return { how: closeCode(frames) ?? (ended ? "dropped" : "open"), frames, ended };
}
