/** The start command's options, and the versions of Node that it runs on. */
import { describe, expect, test } from "vitest";
import { judgeNode } from "../src/node-version.ts";
import { parseOptions } from "../src/options.ts";

describe("options", () => {
  const places = { port: null, host: "127.0.0.1", data: null, memory: false, broker: null };
  const defaults = { ...places, json: false, help: false };

  test("have defaults: the default port and directory, this machine only, words instead of JSON", () => {
    expect(parseOptions([])).toEqual(defaults);
  });

  test("are taken as given", () => {
    expect(parseOptions(["--port", "0", "--host=::1", "--json", "--data", "logs"])).toEqual({
      ...defaults,
      port: 0,
      host: "::1",
      broker: null,
      json: true,
      data: "logs",
    });
    expect(parseOptions(["--memory"])).toEqual({ ...defaults, memory: true });
    const url = "rediss://a:b@redis.example:6380/1";
    expect(parseOptions(["--broker", url]).broker).toBe(url);
    expect(parseOptions(["--broker", "nats://a:4222"]).broker).toBe("nats://a:4222");
    expect(parseOptions(["-h"]).help).toBe(true);
  });

  test.each([
    ["an unknown option", ["--prot", "80"], "--prot"],
    ["an argument that belongs to nothing", ["serve"], "serve"],
    ["a port that is missing", ["--port"], "--port"],
    ["a port that is no number", ["--port", "http"], '"http"'],
    ["a port beyond the last", ["--port", "65536"], '"65536"'],
    ["a port with a fraction", ["--port", "80.5"], '"80.5"'],
    ["a broker that isn't known", ["--broker", "http://localhost"], "--broker"],
    ["a broker and a directory", ["--broker", "redis://a", "--memory"], "--broker"],
    ["an empty host", ["--host", ""], "--host"],
    ["an empty directory", ["--data", ""], "--data"],
    ["two places for logs", ["--data", "logs", "--memory"], "--memory"],
    ["a value for a switch", ["--json=yes"], "--json"],
  ])("refuse %s, and name it", (_what, args, named) => {
    expect(() => parseOptions(args)).toThrow(
      expect.objectContaining({
        code: "bad_option",
        description: expect.stringContaining(named) as unknown,
      }),
    );
  });
});

describe("Node", () => {
  test.each([
    ["18.20.8", "refused"],
    ["20.18.3", "refused"],
    ["20.19.0", "outdated"],
    ["20.20.1", "outdated"],
    ["20.20.2", "fine"],
    ["20.21.0-nightly", "fine"],
    ["22.0.0", "fine"],
    ["100.1.1", "fine"],
  ])("%s is %s", (version, kind) => {
    expect(judgeNode(version).kind).toBe(kind);
  });
});
