/** The file of a data folder by which commands find its server: the address of its admin API, and the token for it. */
import { readFile, rm } from "node:fs/promises";
import { withTimeout } from "../../base/deadline.ts";
import { replaceFile } from "../files/durable.ts";

export interface AdminAccess {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

/** A server on a machine that is busy takes seconds; one that died is known by its process ID. */
const ANSWER_MS = 20_000;

export async function writeAdminFile(file: string, access: AdminAccess): Promise<void> {
  await replaceFile(file, `${JSON.stringify(access, null, 2)}\n`, { secret: true });
}

export async function removeAdminFile(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** Undefined when no server runs there; one that was killed leaves its file behind. */
export async function runningServer(
  file: string,
  fetch: typeof globalThis.fetch,
): Promise<AdminAccess | undefined> {
  const access = await readAdminFile(file);
  if (access === undefined || !isAlive(access.pid)) return undefined;
  try {
    return await withTimeout(ANSWER_MS, async (signal) => {
      const answer = await fetch(new URL("/health/live", access.url).href, { signal });
      await answer.arrayBuffer();
      return answer.ok ? access : undefined;
    });
  } catch {
    return undefined;
  }
}

/** Undefined where there is none, whether a server runs there or not. */
export async function readAdminFile(file: string): Promise<AdminAccess | undefined> {
  try {
    const { url, token, pid } = JSON.parse(await readFile(file, "utf8")) as Partial<AdminAccess>;
    return url === undefined || token === undefined || pid === undefined ? undefined : { url, token, pid };
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
