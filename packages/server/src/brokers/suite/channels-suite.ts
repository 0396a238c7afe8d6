/**
 * Cases of several channels: that logs don't mix, whatever their names.
 *
 * All others use one channel, or a second only to show that it isn't concerned.
 */
import { LogUnderTest, expectPushes } from "./log-under-test.ts";
import type { BrokerCase } from "./case.ts";
import { equal } from "./expect.ts";

/** Several channels beside each other. */
export const CHANNEL_CASES: readonly BrokerCase[] = [
  {
    name: "channels don't mix: entries, ids, pushes and positions are of one",
    async run(context) {
      const [one, two] = [new LogUnderTest(context), new LogUnderTest(context, {}, "room:2")];
      const tail = await one.follow();
      await one.add("a");
      equal(await two.outcome("a", { event: "else" }), "new", "the id on another channel");
      await two.add("b", "c");
      await one.add("d");
      equal(
        [await one.ids(), await two.ids()],
        [
          ["a", "d"],
          ["a", "b", "c"],
        ],
        "the logs",
      );
      await expectPushes(context, tail, ["a", "d"]);
    },
  },
  {
    name: "[CHAN-1] names that mean something elsewhere are just names",
    async run(context) {
      const words = "__proto__ constructor hasOwnProperty toString a:b a/b a.b a,b a=3Ab A:b ...";
      const long = "x".repeat(199);
      const names = [...words.split(" "), `${long}1`, `${long}2`, "!", "~", "a:!", "a:~"];
      for (const name of names) await new LogUnderTest(context, {}, name).add(`in ${name}`);
      for (const name of names) {
        equal(
          await new LogUnderTest(context, {}, name).ids(),
          [`in ${name}`],
          `the log of ${name}`,
        );
      }
    },
  },
];
