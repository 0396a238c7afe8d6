/** Channel names, patterns, events, subprotocols and payloads, fed with text. */
import {
  bearerOffer,
  channelName,
  ChannelPattern,
  chooseSubprotocol,
  depthExceeds,
  isChannelName,
  isEventName,
  jsonCodec,
  JsonText,
  payloadText,
  payloadOf,
  TailwireError,
  utf8Length,
  utf8Truncate,
} from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { mutatedText } from "./mutate.ts";
import { hold, pick, type Target } from "./target.ts";

const NAMES = [
  "room:{id}",
  "org:{org}/doc:{doc}",
  "room:7",
  "a/b:c",
  "x",
  "room:.",
  "{a}:{a}",
  "{",
  "a".repeat(200),
  "tailwire.v1.json",
  "tailwire.bearer.YQ",
] as const;

export const names: Target = {
  name: "names, patterns and offers",
  share: 12,
  generate: (dice) => mutatedText(dice, pick(dice, NAMES)),
  decode: (input) => isChannelName(String(input)),
  check: (input) => {
    const text = String(input);
    hold(!isEventName(text) || text.length <= 64, "an event's name is too long");
    const isName = isChannelName(text);
    hold(!isName || /^[\w@+=,~!.:/-]{1,200}$/.test(text), "a name breaks the grammar");
    for (const params of [{}, { id: text, org: "o", doc: text, a: "a" }]) checkFilled(text, params);
    checkPattern(text);
    const offers = text.split(",");
    const chosen = chooseSubprotocol(offers, [jsonCodec, msgpackCodec]);
    hold(chosen === null || offers.includes(chosen.subprotocol), "nobody offered what was chosen");
    const bearer = bearerOffer(offers);
    hold(bearer === null || text.includes(`tailwire.bearer.${bearer}`), "nobody offered the token");
    const cut = utf8Truncate(text, 16);
    hold(utf8Length(cut) <= 16 && text.startsWith(cut), "cut at the wrong place");
  },
};

function checkFilled(pattern: string, params: Readonly<Record<string, string>>): void {
  try {
    hold(isChannelName(channelName(pattern, params)), "it gave a name that is none");
  } catch (error) {
    if (!(error instanceof TailwireError) || error.code !== "bad_channel") throw error;
  }
}

function checkPattern(text: string): void {
  let pattern;
  try {
    pattern = new ChannelPattern(text);
  } catch (error) {
    if (error instanceof RangeError) return;
    throw error;
  }
  hold(pattern.overlaps(pattern), "a pattern doesn't overlap with itself");
  for (const name of ["room:7", "org:a/doc:b", text]) {
    const params = pattern.match(name);
    if (params !== null) hold(pattern.fill(params) === name, "what matches isn't what was filled");
  }
}

export const payloads: Target = {
  name: "payloads",
  share: 8,
  generate: (dice) => mutatedText(dice),
  decode: (input) => depthExceeds(String(input), 64),
  check: (input) => {
    const text = String(input);
    depthExceeds(text, 64);
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch {
      // Then the text itself is the value.
    }
    try {
      const json = JsonText.of(value);
      hold(JsonText.of(json.parse()).text === json.text, "a payload has changed");
      hold(payloadText(payloadOf(value)) === json.text, "two ways give two texts");
      hold(json.bytes === utf8Length(json.text), "its bytes are counted wrongly");
    } catch (error) {
      if (!(error instanceof TailwireError) || error.code !== "invalid_data") throw error;
    }
  },
};
