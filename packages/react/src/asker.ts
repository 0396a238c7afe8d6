/** Requests of one name, of which the last one is shown. It doesn't know React. */
import type { Client, RequestOptions, TailwireError } from "@tailwire/client";
import { Observed } from "./observed.ts";
import type { RequestState } from "./types.ts";

/** Before the first request, and on a server. */
export const NOT_ASKED: RequestState = { data: undefined, error: null, isAsking: false };

export class Asker {
  readonly #client: Client;
  readonly #name: string;
  readonly #observed = new Observed(NOT_ASKED);
  readonly get = this.#observed.get;
  readonly listen = this.#observed.listen;
  #last: Promise<unknown> | null = null;

  constructor(client: Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  readonly ask = (input?: unknown, options: RequestOptions = {}): Promise<unknown> => {
    const answer = this.#client.request(this.#name, input, options);
    this.#last = answer;
    this.#observed.change({ isAsking: true, error: null });
    const settle = (part: Partial<RequestState>): void => {
      if (this.#last === answer) this.#observed.change({ isAsking: false, ...part });
    };
    answer.then(
      (data) => settle({ data }),
      (error: TailwireError) => settle({ error: options.signal?.aborted === true ? null : error }),
    );
    return answer;
  };
}
