/** Failures of NATS in the words of the brokers' contract. */
import { TailwireError, tailwireError } from "@tailwire/protocol";

/** Whatever goes wrong while a log is read, it can't be read now. */
export async function unavailableOr<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TailwireError && error.code === "unavailable") throw error;
    throw tailwireError("unavailable", error instanceof Error ? error.message : String(error));
  }
}
