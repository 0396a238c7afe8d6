/** Documents, followed to the letter: what they say to save and to run does what they say. */
import { join } from "node:path";
import { withChromium } from "../browser.ts";
import { type Case, expect } from "../case.ts";
import { freePort, save } from "../documents.ts";
import { Running, run } from "../processes.ts";
import { binaryIn, Skipped, type Stage, write } from "../stage.ts";

/** A server of a document, for as long as the work with it takes. */
async function withServer(
  [file, folder]: readonly [file: string, folder: string],
  work: () => Promise<void>,
): Promise<void> {
  const env = { NEXT_TELEMETRY_DISABLED: "1" };
  const server = new Running(process.execPath, [file], { cwd: folder, env });
  try {
    await server.says(/^(?:listening|http:.*)$/m);
    await work();
  } catch (error) {
    if (error instanceof Skipped) throw error;
    throw new Error(`${String(error)}\nThe server said:\n${server.said}`, { cause: error });
  } finally {
    await server.stop("SIGKILL");
  }
}

async function streams(stage: Stage): Promise<void> {
  const folder = await stage.project("plain");
  save(stage, "README.md", { folder, port: await freePort(), names: ["stream.mjs"] });
  const said = await run(process.execPath, ["stream.mjs"], { cwd: folder });
  expect(said === "read of 500: [ 500, 500, 500 ]\n", said);
}

async function chats(stage: Stage): Promise<void> {
  const folder = await stage.project("plain");
  const port = await freePort();
  save(stage, "README.md", { folder, port, names: ["chat.mjs"] });
  await withServer(["chat.mjs", folder], () =>
    withChromium(async (window) => {
      const [ada, grace] = [await window.newPage(), await window.newPage()];
      await ada.goto(`http://127.0.0.1:${port}/?name=ada`);
      await grace.goto(`http://127.0.0.1:${port}/?name=grace`);
      for (const [page, text] of [
        [ada, "Hello, Grace."],
        [grace, "Hello, Ada."],
      ] as const) {
        await page.getByRole("textbox").fill(text);
        await page.getByRole("button").click();
        await Promise.all([ada, grace].map((each) => each.getByText(text).waitFor()));
      }
      await grace.reload();
      await grace.getByText("grace: Hello, Ada.").waitFor();
      const lines = await grace.getByRole("listitem").allInnerTexts();
      expect(lines.join() === "ada: Hello, Grace.,grace: Hello, Ada.", lines.join());
    }),
  );
}

async function carriesCookies(stage: Stage): Promise<void> {
  const folder = join(await stage.project("plain"), "cookies");
  const port = await freePort();
  save(stage, "docs/recipes/cookies.md", { folder, port, names: ["server.mjs", "page.html"] });
  await withServer(["server.mjs", folder], () =>
    withChromium(async (window) => {
      const page = await window.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.getByText("Tea at four?").waitFor();
    }),
  );
}

const REACT_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  jsx: "react-jsx",
  target: "es2022",
  module: "esnext",
  moduleResolution: "bundler",
  lib: ["es2023", "dom"],
  types: [],
};

async function reacts(stage: Stage): Promise<void> {
  const packages = ["react", "react-dom", "@types/react", "@types/react-dom", "typescript", "vite"];
  const folder = await stage.project("react", packages as Parameters<Stage["project"]>[1]);
  const bin = new Running(binaryIn(folder, "tailwire"), ["--port", "0", "--json"], { cwd: folder });
  const [, port = ""] = await bin.says(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/);
  const names = ["use-room.ts", "page.tsx"];
  save(stage, "docs/recipes/react.md", { folder, port: Number(port), names });
  write(folder, {
    "tsconfig.json": JSON.stringify({ compilerOptions: REACT_OPTIONS, files: names }),
    "index.html":
      '<!doctype html><title>Room</title><script type="module" src="page.tsx"></script>',
  });
  await run(binaryIn(folder, "tsc"), ["--pretty", "false"], { cwd: folder });
  await run(binaryIn(folder, "vite"), ["build", "--logLevel", "warn"], { cwd: folder });
  const pagePort = String(await freePort());
  const preview = ["preview", "--host", "127.0.0.1", "--port", pagePort, "--strictPort"];
  const vite = new Running(binaryIn(folder, "vite"), preview, { cwd: folder });
  try {
    await vite.says(/127\.0\.0\.1/);
    await withChromium(async (window) => {
      const page = await window.newPage();
      await page.goto(`http://127.0.0.1:${pagePort}/`);
      await page.getByRole("textbox").fill("Tea?");
      await page.getByRole("button").click();
      await page.getByRole("listitem").waitFor();
      await page.getByText("connected, 0 to send").waitFor();
      expect((await page.getByRole("listitem").allInnerTexts()).join() === "Tea?", "it came twice");
    });
  } finally {
    await Promise.all([vite.stop("SIGKILL"), bin.stop()]);
  }
}

async function nexts(stage: Stage): Promise<void> {
  const folder = await stage.project("next", ["next", "react", "react-dom"]);
  const port = await freePort();
  const names = ["server.mjs", "app/news/route.js", "app/page.jsx", "app/layout.jsx"];
  save(stage, "docs/recipes/next.md", { folder, port, names });
  const url = `http://localhost:${port}`;
  await withServer(["server.mjs", folder], async () => {
    const body = JSON.stringify({ title: "High tide" });
    const posted = await fetch(`${url}/news`, { method: "POST", body });
    expect(posted.ok, `POST /news: ${posted.status} ${await posted.text()}`);
    await withChromium(async (window) => {
      const page = await window.newPage();
      await page.goto(url);
      await page.getByText("High tide").waitFor();
      await fetch(`${url}/news`, { method: "POST", body: JSON.stringify({ title: "Low tide" }) });
      await page.getByText("Low tide").waitFor();
    });
  });
}

export const DOCUMENT_CASES: readonly Case[] = [
  { name: "README: three readers of a stream get all of it", run: streams },
  { name: "README: two windows chat, and one reloads", run: chats },
  { name: "recipe: a session's cookie lets its page in", run: carriesCookies },
  { name: "recipe: React shows a room", run: reacts },
  { name: "recipe: Next serves pages and WebSockets", run: nexts },
];
