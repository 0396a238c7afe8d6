/** `npm run bench`. */
import { run } from "./command.ts";

process.exitCode = await run(
  process.argv.slice(2),
  (text) => console.log(text),
  (line) => console.error(line),
);
