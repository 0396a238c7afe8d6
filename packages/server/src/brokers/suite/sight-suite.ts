/**
 * Cases of sight: a broker object's own later answers have all that it has acknowledged or pushed.
 *
 * A log may be asked at several places, some behind the others; a node must not notice.
 */
import type { Position } from "@tailwire/protocol";
import { LogUnderTest } from "./log-under-test.ts";
import type { BrokerCase } from "./case.ts";
import { equal } from "./expect.ts";

/** Where the log ends, as each way of asking says it, by offset. */
async function endsOf(tested: LogUnderTest, before: Position): Promise<readonly number[]> {
  const [latest, tail, read, back] = await Promise.all([
    tested.log.locate("latest"),
    tested.follow(),
    tested.idsAfter(before),
    tested.idsBefore(null),
  ]);
  tail.close();
  return [latest.offset, tail.position.offset, before.offset + read.length, back.length];
}

const each = (offset: number): readonly number[] => [offset, offset, offset, offset];

export const SIGHT_CASES: readonly BrokerCase[] = [
  {
    name: "read, locate and tail see what was acknowledged",
    async run(context) {
      const tested = new LogUnderTest(context);
      let before = await tested.log.locate("latest");
      for (const id of ["a", "b", "c"]) {
        const [position] = (await tested.add(id)) as [Position];
        equal(await endsOf(tested, before), each(position.offset), "the log's end");
        before = position;
      }
    },
  },
  {
    name: "read, locate and tail see what was pushed",
    async run(context) {
      const tested = new LogUnderTest(context);
      const elsewhere = new LogUnderTest({ ...context, broker: context.other });
      const start = await tested.log.locate("latest");
      const seen: Promise<readonly number[]>[] = [];
      const tail = await tested.log.tail({
        push: (_epoch, pushed) => {
          for (const { offset } of pushed)
            if (offset > seen.length) seen.push(endsOf(tested, start));
        },
        suspect: () => undefined,
      });
      for (const [index, id] of ["a", "b", "c"].entries()) {
        await elsewhere.add(id);
        await context.until(() => seen.length > index);
        equal(await seen[index], each(index + 1), `the log's end when ${id} is pushed`);
      }
      tail.close();
    },
  },
];
