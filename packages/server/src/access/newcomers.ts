/**
 * Newcomers: those who have asked for a connection and haven't said hello, counted by network.
 *
 * Nobody knows yet who they are, so what one network can hold that way is bounded.
 */
export class Newcomers {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  /** `max` per network: {@link networkOf}. */
  constructor(max: number) {
    this.#max = max;
  }

  /** One more. Null: there are too many from there; else call it once, when it is known or gone. */
  enter(address: string): (() => void) | null {
    const network = networkOf(address);
    const count = this.#counts.get(network) ?? 0;
    if (count >= this.#max) return null;
    this.#counts.set(network, count + 1);
    let here = true;
    return () => {
      if (here) this.#leave(network);
      here = false;
    };
  }

  #leave(network: string): void {
    const count = (this.#counts.get(network) ?? 0) - 1;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
  }
}

/** Groups of an IPv6 address, and how many of them name its network. */
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * The network that an address is counted by: of IPv6 the /64, which is the least that anybody is given,
 * of IPv4 the address itself, also where it comes as `::ffff:192.0.2.1`. Other text is its own network.
 */
export function networkOf(address: string): string {
  const [text = ""] = address.split("%", 1);
  const ipv4 = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(text)?.[1];
  if (ipv4 !== undefined) return ipv4;
  if (!/^[\da-f:]*:[\da-f:.]*$/i.test(text)) return address;
  const [before = "", after] = text.split("::", 2);
  const groups = before === "" ? [] : before.split(":");
  if (after !== undefined) {
    const rest = after === "" ? [] : after.split(":");
    while (groups.length + rest.length < GROUPS) groups.push("0");
    groups.push(...rest);
  }
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => Number.parseInt(group, 16));
  return `${network.map((group) => group.toString(16)).join(":")}::/64`;
}
