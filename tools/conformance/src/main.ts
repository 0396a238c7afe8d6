/** The judge's program: `npm run conformance -- ws://127.0.0.1:3000/tailwire`. */
import { run } from "./command.ts";

process.exitCode = await run(process.argv.slice(2), (text) => console.log(text));
