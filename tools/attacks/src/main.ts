/** The attacks' program: `npm run test:attacks -- [--rows B] [--json]`. */
import { run } from "./command.ts";

process.exitCode = await run(process.argv.slice(2), (text) => console.log(text));
