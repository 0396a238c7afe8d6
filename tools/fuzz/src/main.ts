/** The fuzzer's program: `npm run fuzz -- --inputs 1000000 [--seed S] [--json]`. */
import { run } from "./command.ts";

process.exitCode = await run(process.argv.slice(2), (text) => console.log(text));
