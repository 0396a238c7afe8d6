/**
 * The clauses of PROTOCOL.md, in its order, and those that only a client or an insider can keep or
 * break. A test compares the list with the document: the judge itself reads no file.
 */

const CLIENTS = "binds clients";
const NO_STATE = "needs an application that keeps a channel's state";

/** Every clause that isn't planned. */
export const CLAUSES: readonly string[] = `
  CONN-1 CONN-2 CONN-3 CONN-4 CONN-5 CONN-6
  VER-1 VER-2 VER-5 VER-6
  AUTH-1 AUTH-2 AUTH-3 AUTH-4 AUTH-5 AUTH-6 AUTH-7 AUTH-8 AUTH-9 AUTH-10 AUTH-13 AUTH-11 AUTH-12
  CONN-7 CONN-8 CONN-9
  ENC-1 ENC-2 ENC-3 ENC-4 ENC-5 ENC-6 ENC-7 ENC-8 ENC-9 ENC-12 ENC-10 ENC-11
  CHAN-1
  MSG-1 MSG-2 MSG-3 MSG-4 MSG-5 MSG-6 MSG-7
  VER-3 VER-4
  SUB-1 SUB-2 SUB-3 SUB-4 SUB-5 SUB-6 SUB-7 SUB-8
  READ-1 READ-2 READ-3
  REQ-1 REQ-2 REQ-3 REQ-4
  ERR-1
  STATE-1 STATE-2 STATE-3 STATE-4
  SUB-10 SUB-9
  DEL-1 DEL-2 DEL-3 DEL-4 DEL-5 DEL-6 DEL-7 DEL-8
  PUB-1 PUB-2 PUB-3 PUB-4 PUB-5 PUB-6 PUB-7 PUB-8 PUB-9 PUB-10 PUB-11 PUB-12 PUB-13 PUB-14 PUB-15
  LIVE-1 LIVE-2 LIVE-3 LIVE-4
  FLOW-1 FLOW-2 FLOW-3 FLOW-5 FLOW-6 FLOW-7 FLOW-8
  CLOSE-1 CLOSE-2 CLOSE-3 CLOSE-4 CLOSE-5 CLOSE-6
`
  .trim()
  .split(/\s+/);

/** Why a clause has no check. */
export const UNJUDGED: Readonly<Record<string, string>> = {
  "CONN-9": "takes as long as the server gives a message",
  "AUTH-5": CLIENTS,
  "AUTH-9": "needs a token that ends",
  "AUTH-10": "a server may switch it off",
  "AUTH-11": "needs to know what the application allows",
  "AUTH-12": "needs a token that takes permission away",
  "AUTH-13": "needs a ticket, which the application hands out",
  "ENC-12": "concerns values before they are sent",
  "MSG-2": CLIENTS,
  "VER-3": CLIENTS,
  "VER-4": CLIENTS,
  "ERR-1": `${CLIENTS}; that codes come with their fault and retry is watched`,
  "REQ-2": "needs a request that the application doesn't answer",
  "REQ-3": "needs a request that takes a while",
  "REQ-4": CLIENTS,
  "SUB-9": "needs a token that takes permission away",
  "SUB-10": "needs an application that subscribes its users",
  "STATE-1": CLIENTS,
  "STATE-2": NO_STATE,
  "STATE-3": NO_STATE,
  "STATE-4": NO_STATE,
  "DEL-7": "needs a log that goes on under a new epoch",
  "PUB-6": CLIENTS,
  "PUB-9": CLIENTS,
  "PUB-10": "needs a broker that says nothing",
  "PUB-11": CLIENTS,
  "PUB-12": "needs a broker that refuses for now",
  "PUB-13": "needs an application that changes or refuses publications",
  "PUB-15": CLIENTS,
  "LIVE-3": CLIENTS,
  "FLOW-2": "a close doesn't arrive on a socket that takes nothing",
  "FLOW-3": "what the server holds in memory isn't seen from outside",
  "FLOW-5": "needs to know the configured rates",
  "FLOW-6": "needs to know the configured rates",
  "FLOW-7": "needs to know the configured rates",
  "FLOW-8": "when others are served isn't seen from outside",
  "CLOSE-1": CLIENTS,
  "CLOSE-4": CLIENTS,
  "CLOSE-5": "needs a server that stops",
  "CLOSE-6": CLIENTS,
};
