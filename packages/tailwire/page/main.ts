/** The page, joined: two people with a phone each, the load between them, its readers, the feed. */
import { command } from "./command.ts";
import { Counters } from "./counters.ts";
import { find, setText } from "./dom.ts";
import { Headline } from "./headline.ts";
import { Journal } from "./journal.ts";
import { Load } from "./load.ts";
import { showMachine } from "./machine.ts";
import { Person, type Stage } from "./person.ts";
import { Phone } from "./phone.ts";
import { randomTag, roomTag } from "./room.ts";
import { Script } from "./script.ts";
import { Third } from "./third.ts";

/** Countdowns and counters change by themselves. */
const DRAW_MS = 100;

function start(): void {
  const websocket = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/tailwire`;
  const journal = new Journal(find(document, "#journal ol", HTMLElement));
  const counters = new Counters();
  const stage: Stage = { websocket, tag: randomTag(), counters, journal };
  const ada = new Person("Ada", stage);
  const grace = new Person("Grace", stage);

  const script = new Script();
  const room = `room:${roomTag()}`;
  const phones = {
    Ada: new Phone(ada, room, () => script.stop()),
    Grace: new Phone(grace, room, () => script.stop()),
    page: null,
  };
  // Both screens show the same words, so one of them is read out.
  find(phones.Ada.element, ".bubbles", HTMLElement).ariaLive = "polite";
  find(document, "#phones", HTMLElement).append(phones.Ada.element, phones.Grace.element);

  const panel = find(document, "#load", HTMLElement);
  const channel = `demo:load-${stage.tag}`;
  const load = new Load({ panel, sender: ada, receiver: grace, channel, journal });
  const viewer = new Person("page", stage);
  showMachine(find(document, "#machine", HTMLElement), viewer);
  const third = new Third({
    panel: find(document, "#third", HTMLElement),
    viewer,
    channel,
    lastOffset: () => load.lastOffset,
    counters,
    journal,
  });

  setText(find(document, "#websocket", HTMLElement), websocket);
  find(document, "#second-tab", HTMLAnchorElement).href = location.hash;
  find(document, ".restart", HTMLButtonElement).addEventListener(
    "click",
    () => void restart(journal),
  );
  const headline = new Headline(find(document, "#headline", HTMLElement), counters);
  setInterval(() => {
    headline.draw();
    phones.Ada.draw();
    phones.Grace.draw();
    third.draw();
  }, DRAW_MS);
  // A conversation that there is already needs nobody to begin it.
  void phones.Ada.hasConversation().then((has) => {
    if (!has) script.start((who, text) => phones[who]?.say(text));
  });
}

async function restart(journal: Journal): Promise<void> {
  journal.write("server", "drops every socket, and listens again in a second");
  const failure = await command("restart");
  if (failure !== null) journal.write("server", `couldn't be restarted: ${failure}`, "bad");
}

start();
