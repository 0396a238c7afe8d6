/**
 * The options of `createClient` as a subject: an odd one is refused in words when the client is made,
 * or the client does what it is for, or says why it doesn't.
 */
import type { ClientOptions } from "@tailwire/client";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { alarmsRung } from "./alarms.ts";
import { alarmText } from "./hook-subject.ts";
import { nearlyRight } from "./nearly-right.ts";
import { oddValue } from "./odd-values.ts";
import { refusalFaults } from "./server-options.ts";
import { TOKENS } from "./stage.ts";
import type { Played, Subject } from "./subject.ts";

export const clientOptions: Subject = {
  name: "createClient",
  share: 4,
  play: async (number, dice, house) => {
    const { createClient, alarms, patience } = house;
    const { port } = await house.stage("kept log");
    const right = {
      getToken: () => `${TOKENS.right}u${number}`,
      codec: msgpackCodec,
    };
    const isUrl = dice.below(3) === 0;
    const odd = isUrl || dice.below(4) === 0 ? oddValue(dice) : nearlyRight(dice, right, 1);
    const url = isUrl ? odd.make() : `ws://127.0.0.1:${port}/tailwire`;
    const words = `${isUrl ? "url" : "options"}: ${odd.name}`;
    let client;
    try {
      client = createClient(url as string, (isUrl ? right : odd.make()) as ClientOptions);
    } catch (error) {
      return { words, ending: "refused", faults: refusalFaults(error) } satisfies Played;
    }
    const abort = new AbortController();
    let ending: string | null = null;
    const published = (async () =>
      client.channel("room:{id}", { id: "1" }).publish("e", 1, { signal: abort.signal }))().then(
      () => void (ending = "served"),
      () => void (ending = "told"),
    );
    const { status } = client;
    await patience.until(
      () => ending !== null || client.status.reason !== null,
      (look) => {
        void published.then(look);
        client.onStatus(look);
      },
    );
    const said = ending ?? client.status.reason;
    abort.abort(new Error("enough"));
    client.close().catch(() => undefined);
    await alarmsRung();
    const rang = alarms.take().map(alarmText);
    const faults = [
      ...rang,
      ...(said === null && rang.length === 0 ? [`it says nothing, and is ${status.state}`] : []),
    ];
    return { words, ending: ending ?? "waits, and says why", faults };
  },
};
