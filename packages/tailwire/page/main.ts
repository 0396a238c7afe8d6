/** The page, joined: two people with a phone each, the load between them, and the feed. */
import { Counters } from "./counters.ts";
import { find, setText } from "./dom.ts";
import { Headline } from "./headline.ts";
import { Journal } from "./journal.ts";
import { Load } from "./load.ts";
import { showMachine } from "./machine.ts";
import { Person, type Stage } from "./person.ts";
import { Phone } from "./phone.ts";
import { Script } from "./script.ts";

/** Countdowns and counters change by themselves. */
const DRAW_MS = 100;

/** Four characters that tell this page's users and channels from those of other tabs. */
function randomTag(): string {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return number.toString(36).padStart(4, "0").slice(-4);
}

function start(): void {
  const websocket = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/tailwire`;
  const journal = new Journal(find(document, "#journal", HTMLElement));
  const counters = new Counters();
  const stage: Stage = { websocket, tag: randomTag(), counters, journal };
  const ada = new Person("Ada", stage);
  const grace = new Person("Grace", stage);

  const script = new Script();
  const room = `room:${stage.tag}`;
  const phones = {
    Ada: new Phone(ada, room, () => script.stop()),
    Grace: new Phone(grace, room, () => script.stop()),
    page: null,
  };
  // Both screens show the same words, so one of them is read out.
  find(phones.Ada.element, ".bubbles", HTMLElement).ariaLive = "polite";
  find(document, "#phones", HTMLElement).append(phones.Ada.element, phones.Grace.element);

  const panel = find(document, "#load", HTMLElement);
  const load = { panel, sender: ada, receiver: grace, channel: `demo:load-${stage.tag}`, journal };
  void new Load(load);
  showMachine(find(document, "#machine", HTMLElement), new Person("page", stage));

  setText(find(document, "#websocket", HTMLElement), websocket);
  const headline = new Headline(find(document, "#headline", HTMLElement), counters);
  setInterval(() => {
    headline.draw();
    phones.Ada.draw();
    phones.Grace.draw();
  }, DRAW_MS);
  script.start((who, text) => phones[who]?.say(text));
}

start();
