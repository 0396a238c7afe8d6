/** The conversation of Ada and Grace until a visitor takes over. Words and pauses, no more. */
import type { Name } from "./person.ts";

interface Line {
  readonly who: Name;
  readonly text: string;
}

const LINES: readonly Line[] = [
  { who: "Ada", text: "Grace? Are we live?" },
  {
    who: "Grace",
    text: "Two sockets, one log. Your words are at an offset now; they aren't going anywhere.",
  },
  { who: "Ada", text: "And if somebody trips over my cable?" },
  { who: "Grace", text: "Then you come back and say “I've seen up to 3”. The rest follows." },
  { who: "Ada", text: "So it's tail -f. For conversations." },
  { who: "Grace", text: "Over the wire, yes. Hence the name." },
  { who: "Ada", text: "What if the cable goes between my sending and your acknowledging?" },
  {
    who: "Grace",
    text: "Send it again, same id. The log takes it once. I'd show you, but there's a button for that.",
  },
  { who: "Ada", text: "“Cut”. Tempting. And if the log itself can't keep up?" },
  {
    who: "Grace",
    text: "Then you're told what you missed, by number. I never found a moth by being told “mostly fine”.",
  },
  { who: "Ada", text: "I like a machine that says what it doesn't know." },
  { who: "Grace", text: "Over to whoever is watching. Type as either of us. Pull something out." },
];

const FIRST_PAUSE_MS = 500;
/** Long enough to read the line before. */
const PAUSE_MS = 900;
const PAUSE_PER_CHARACTER_MS = 28;

/** Speaks line by line until it is over, or stopped. */
export class Script {
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(speak: (who: Name, text: string) => void): void {
    const from = (index: number, pauseMs: number): void => {
      const line = LINES[index];
      if (line === undefined) return;
      this.#timer = setTimeout(() => {
        speak(line.who, line.text);
        from(index + 1, PAUSE_MS + PAUSE_PER_CHARACTER_MS * line.text.length);
      }, pauseMs);
    };
    from(0, FIRST_PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
