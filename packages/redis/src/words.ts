/** Errors of Redis and of its client library: which prove that nothing ran, and what a person is told. */
import { ClientClosedError, ClientOfflineError, ErrorReply } from "redis";

/** First words of errors with which Redis refuses a script before it runs. */
const REFUSALS =
  /^(?:NOSCRIPT|READONLY|LOADING|MASTERDOWN|OOM|MISCONF|NOREPLICAS|BUSY|NOAUTH|NOPERM|CLUSTERDOWN|MOVED)\b/;

/** Whether the error proves that the script didn't run. */
export function isUnsent(error: unknown): boolean {
  if (error instanceof ClientOfflineError || error instanceof ClientClosedError) return true;
  return error instanceof ErrorReply && REFUSALS.test(error.message);
}

export function isMissingScript(error: unknown): boolean {
  return error instanceof ErrorReply && error.message.startsWith("NOSCRIPT");
}

/** Whether the server was a primary and isn't any more. */
export function isDemoted(error: unknown): boolean {
  return error instanceof ErrorReply && /^(?:READONLY|MASTERDOWN)\b/.test(error.message);
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /WRONGPASS|NOAUTH|without any password|invalid username-password/,
    "it refuses the user or the password. Put the right ones into the url: redis://user:password@host",
  ],
  [
    /NOPERM/,
    "the user lacks a permission. It needs +@all on its keys and channels, or at least EVAL, EVALSHA, " +
      "SCRIPT, INFO, PUBLISH, SUBSCRIBE and what the script calls: ACL SETUSER <user> ~<prefix>:* &<prefix>:* +@all",
  ],
  [/unknown command.*HELLO|NOPROTO/i, "it is older than Redis 6, and Redis 7 or Valkey is needed"],
  [/ECONNREFUSED/, "nothing listens there. Is Redis running, and is the address right?"],
  [/ENOTFOUND|EAI_AGAIN/, "the host's name is unknown. Is the address right?"],
  [/LOADING/, "it is still loading its data"],
  [
    /timeout|ETIMEDOUT/i,
    "it doesn't answer. Is the address right, and does a firewall let it pass?",
  ],
  [
    /Unknown RESP type/i,
    "it doesn't speak Redis's protocol. Is it another service, or TLS (rediss:)?",
  ],
];

/** The cause in words, and the library's own behind it. */
export function causeOf(error: unknown): string {
  const message = messageOf(error);
  const words = WORDS.find(([pattern]) => pattern.test(message))?.[1];
  return words === undefined ? message : `${words} (${message})`;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}

export function isReplica(info: string): boolean {
  return fieldOf(info, "role") === "slave";
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
}

/** The reason why a server with this INFO can't keep logs; null where it can. */
export function unfitness(info: string): string | null {
  const field = (name: string): string => fieldOf(info, name);
  const version = field("redis_version");
  if (Number.parseInt(version, 10) < 7) {
    return `it is Redis ${version}, and Redis 7 or Valkey is needed: older ones don't refuse a script as a whole`;
  }
  if (isReplica(info)) return "it is a replica. Give the address of the primary";
  if (field("cluster_enabled") === "1")
    return "it is a cluster, which this version doesn't support";
  if (field("master_replid") === "") {
    return "its INFO has no master_replid, by which a lost history is noticed";
  }
  const policy = field("maxmemory_policy");
  if (policy !== "noeviction" && policy !== "") {
    return (
      `its maxmemory-policy is ${policy}, so that it may throw parts of a log away. ` +
      "Set it to noeviction, or use another server for other data"
    );
  }
  return null;
}
