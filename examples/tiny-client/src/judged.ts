/** The tiny client's program for the judge: orders on standard input, news on standard output. */
import { createInterface } from "node:readline";
import { type Order, startTiny } from "./program.ts";

const tiny = startTiny(process.argv[2] ?? "", (news) => console.log(JSON.stringify(news)));
createInterface({ input: process.stdin })
  .on("line", (line) => tiny.order(JSON.parse(line) as Order))
  .on("close", () => tiny.stop());
