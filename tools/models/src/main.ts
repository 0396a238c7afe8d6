/** The models' program: `npm run models -- [--large] [--json]`. */
import { run } from "./command.ts";

process.exitCode = await run(process.argv.slice(2), process.env, {
  print: (text) => console.log(text),
  progress: (text) => void process.stderr.write(`${text}\n`),
});
