/**
 * A client on Node that receives a fixed number of publications, and prints the seconds and the
 * processor time: tailwire's, or a bare `ws` whose application parses each line.
 */
import { createClient } from "@tailwire/client";
import { WebSocket } from "ws";
import { CHANNEL } from "../payload.ts";
import { WARM_UP } from "./warm-up.ts";

const [, , kind = "tailwire", url = "", enough = "0"] = process.argv;

let taken = 0;
let began = 0;
let cpuBefore = process.cpuUsage();

function take(): void {
  taken += 1;
  if (taken === WARM_UP) {
    began = performance.now();
    cpuBefore = process.cpuUsage();
  } else if (taken === WARM_UP + Number(enough)) {
    const seconds = (performance.now() - began) / 1_000;
    const { user, system } = process.cpuUsage(cpuBefore);
    console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }));
  }
}

if (kind === "tailwire") {
  createClient(url).channel(CHANNEL).subscribe().on("message", take);
} else {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on("open", () => socket.send('{"type":"subscribe","id":"1"}'));
  socket.on("message", (data) => {
    for (const line of (data as Buffer).toString().split("\n")) {
      if (line !== "" && (JSON.parse(line) as { type: string }).type === "publication") take();
    }
  });
}
