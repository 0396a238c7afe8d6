/** An application that asks nothing, answers nothing and lets everybody in: any token is a user. */
import type { Application } from "@tailwire/server/core";

const ignore = (): void => undefined;

export function openApplication(changes: Partial<Application> = {}): Application {
  return {
    authorize: null,
    requests: new Map(),
    authenticate: async (token) => ({ user: { id: token } }),
    onConnect: ignore,
    onDisconnect: ignore,
    ...changes,
  };
}
