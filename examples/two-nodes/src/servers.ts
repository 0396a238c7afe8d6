/** The two servers, as processes that can be killed. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Balancer } from "./balancer.ts";

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

export class Servers {
  readonly #brokerUrl: string;
  readonly #balancer: Balancer;
  readonly #running: Running[] = [];
  kills = 0;

  constructor(brokerUrl: string, balancer: Balancer) {
    this.#brokerUrl = brokerUrl;
    this.#balancer = balancer;
  }

  async start(): Promise<void> {
    const child = fork(new URL("node.js", import.meta.url), [this.#brokerUrl], { execArgv: [] });
    const [port] = (await once(child, "message")) as [number];
    this.#running.push({ child, port });
    this.#balancer.ports.add(port);
  }

  /** Kills the one that has run for longer, without a warning, and starts another in its place. */
  async killOne(): Promise<void> {
    this.kills += 1;
    await this.#kill();
    await this.start();
  }

  async killAll(): Promise<void> {
    while (this.#running.length > 0) await this.#kill();
  }

  async #kill(): Promise<void> {
    const oldest = this.#running.shift();
    if (oldest === undefined) return;
    this.#balancer.ports.delete(oldest.port);
    const gone = once(oldest.child, "exit");
    oldest.child.kill("SIGKILL");
    await gone;
  }
}
