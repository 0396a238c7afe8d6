/** tailwire, for a server: all of @tailwire/server under the name that is typed first. */
export * from "@tailwire/server";
