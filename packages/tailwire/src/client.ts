/** tailwire/client, for a page or a program: all of @tailwire/client. */
export * from "@tailwire/client";
