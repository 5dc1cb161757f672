import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Whether a process is there, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * When the process started, in a form that tells it from another with the same id, earlier or later in this boot of the machine.
 *
 * @returns undefined if there is none, or only its exit status still waits to be read
 */
export function startOfProcess(pid: number): string | undefined {
  return process.platform === "linux" ? startInProc(pid) : startByPs(pid);
}

function startInProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name, in brackets, may hold anything; state is the field behind it, the start time in clock ticks 19 further.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function startByPs(pid: number): string | undefined {
  try {
    const line = execFileSync("ps", ["-o", "stat=", "-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
    });
    const [, state, started] = /^\s*(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    return state?.startsWith("Z") ? undefined : started;
  } catch {
    return undefined;
  }
}
