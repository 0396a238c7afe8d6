/** Errors of a directory that can't be used, each with a stable code. */
import { TailwireError, wordsOf } from "@tailwire/protocol";

type DirectoryCode =
  | "directory_in_use"
  | "directory_foreign"
  | "directory_damaged"
  | "directory_unknown"
  | "directory_failed";

/** An error with a code. The words say what to do. */
export function directoryError(code: DirectoryCode, description: string): TailwireError {
  return new TailwireError({ code, description, fault: "server", retry: false });
}

/** The error for a record that was written and synced, and isn't what it was. */
export function damageAt(file: string, at: number): TailwireError {
  return directoryError(
    "directory_damaged",
    `${file} is damaged at byte ${at}: what was written there has changed. Restore the directory ` +
      "from a copy, or move it away to begin anew.",
  );
}

/** An error of the file system, in words. Others stay what they are. */
export function explained(error: unknown, path: string): unknown {
  if (error instanceof TailwireError || !(error instanceof Error && "code" in error)) return error;
  return directoryError("directory_failed", `${path} can't be used: ${wordsOf(error)}.`);
}
