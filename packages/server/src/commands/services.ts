/** Dependencies of commands on their node: the application's side, channels and sessions. */
import type { Access } from "../access/access.ts";
import type { Application, CallHook } from "../application.ts";
import type { ConnectionHost } from "../connection/connection.ts";
import type { Sessions } from "../connection/sessions.ts";
import type { Channel } from "../delivery/channel.ts";

export interface Services extends ConnectionHost {
  /** The node's name: new with each process. */
  readonly id: string;
  readonly application: Application;
  readonly sessions: Sessions;
  /** Calls a function of the application, with its deadline. */
  readonly callHook: CallHook;
  /** Tells the application something, and logs what its listener throws. */
  tell(name: string, listener: () => unknown): void;
  /** Judges a token on a live connection; null refuses. @throws `unavailable`, `internal`. */
  authenticate(token: string): Promise<Access | null>;
  /** The channel of a name that is declared. It lives while it is used. @throws `forbidden`. */
  channel(name: string): Channel;
}
