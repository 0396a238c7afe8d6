/**
 * The lock of a folder: one process at a time keeps its logs there.
 *
 * Each process puts down a file that names it, and then looks whether there is another's. So of two that
 * come at the same time both may be refused, and never both let in. The file of a process that is gone is
 * nobody's: its number may be another's by now, which its time of start tells.
 */
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { directoryError } from "./directory-error.ts";

const LOCK = /^lock\.(\d+)\.(\d+)\.[\w-]+$/;

/** Whether a file is a lock. */
export function isLock(name: string): boolean {
  return LOCK.test(name);
}

/** Takes the lock of a folder; the result releases it. @throws `directory_in_use`. */
export function takeLock(folder: string, token: string): () => void {
  const own = `lock.${process.pid}.${startOf(process.pid) ?? 0}.${token}`;
  const release = (): void => unlinkSync(join(folder, own));
  writeFileSync(join(folder, own), "", { flag: "wx" });
  for (const name of readdirSync(folder)) {
    if (name === own || !isLock(name)) continue;
    const [pid = 0, start = 0] = (LOCK.exec(name) ?? []).slice(1).map(Number);
    if (isRunning(pid, start)) {
      release();
      const whose = pid === process.pid ? "Another broker of this process" : `Process ${pid}`;
      throw directoryError(
        "directory_in_use",
        `${whose} uses ${folder}. Stop that one, or give another directory.`,
      );
    }
    unlinkSync(join(folder, name));
  }
  return release;
}

/** Whether the process that started then still runs. Where starts can't be known, any of that number counts. */
function isRunning(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process is there, too.
    if ((error as { readonly code?: unknown }).code !== "EPERM") return false;
  }
  return (startOf(pid) ?? start) === start;
}

/** When a process was started, in ticks since the machine was; null where the platform doesn't say. */
function startOf(pid: number): number | null {
  try {
    // The second field is the program's name in brackets, which may have spaces and brackets in it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[19]);
  } catch {
    return null;
  }
}
