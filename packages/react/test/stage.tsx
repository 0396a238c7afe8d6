/** React on a page, with a real client in a simulated world: what both do counts as one act. */
import { afterEach } from "vitest";
import { type ReactNode, StrictMode, act } from "react";
import { createRoot, type Root } from "react-dom/client";
import type { Client } from "@tailwire/client";
import { World, type WorldOptions } from "@tailwire/simulation";
import { createHooks } from "../src/index.ts";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

export const hooks = createHooks();

const roots = new Set<Root>();
afterEach(async () => {
  for (const root of roots) await act(async () => root.unmount());
  roots.clear();
});

export class Stage {
  readonly world: World;
  readonly client: Client;
  readonly page = document.createElement("main");
  /** Messages that reached the server, by their types. */
  readonly sent: string[] = [];
  #root: Root | null = null;

  constructor(options: WorldOptions = {}) {
    this.world = new World(options);
    this.client = this.world.client("ada");
    this.world.tap = (direction, text) => {
      const types = [...text.matchAll(/"type":"(\w+)"/g)].map(([, type = ""]) => type);
      if (direction === "toServer") this.sent.push(...types);
      return "arrives";
    };
    document.body.append(this.page);
  }

  /** Shows this instead of what there was. */
  async show(content: ReactNode, { strict = false } = {}): Promise<void> {
    if (!this.#root) {
      this.#root = createRoot(this.page);
      roots.add(this.#root);
    }
    const all = <hooks.TailwireProvider client={this.client}>{content}</hooks.TailwireProvider>;
    const root = this.#root;
    await act(async () => root.render(strict ? <StrictMode>{all}</StrictMode> : all));
  }

  async advance(ms: number): Promise<void> {
    await act(async () => this.world.advance(ms));
  }

  /** Does something, and leaves it at that. */
  async at(deed: () => unknown): Promise<void> {
    await act(async () => void deed());
  }

  /** Does something, and gives it a second. */
  async after(deed: () => unknown): Promise<void> {
    await act(async () => {
      deed();
      await this.world.advance(1_000);
    });
  }

  /** Has the server publish numbers to a room. */
  async says(room: string, ...numbers: readonly number[]): Promise<void> {
    await this.after(async () => {
      for (const number of numbers) await this.world.node.publish(room, "said", number);
    });
  }

  get text(): string {
    return this.page.textContent ?? "";
  }

  sentOf(type: string): number {
    return this.sent.filter((one) => one === type).length;
  }
}
