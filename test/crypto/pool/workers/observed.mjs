// A pool's worker that writes down what becomes of it, and fails as often as a member's name asks for:
// sip:fault-exit-1@... ends the thread the first time that it is to be sealed for.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { openSealing } from "../../../../dist/bindings/pool/seal-session.js";
import { serve } from "../../../../dist/bindings/pool/serve.js";

const folder = process.env.POOL_TEST_FOLDER;
const delay = Number(process.env.POOL_TEST_DELAY ?? 0);
/** A chunk is at work as long as this file is there. */
const isHeld = () => existsSync(join(folder, "gate"));

const note = (event, details = {}) =>
  appendFileSync(join(folder, "log"), `${JSON.stringify({ event, thread: threadId, ...details })}\n`);
const isClear = (bytes) => bytes.every((octet) => octet === 0);

const FAULTS = {
  exit: () => process.exit(7),
  // When the job is over.
  later: () => void setTimeout(() => process.exit(7), 200),
  error: () => {
    throw new Error("broken");
  },
  uncaught: () =>
    new Promise(() => {
      setTimeout(() => {
        throw new Error("nobody caught this");
      });
    }),
  trap: () => {
    throw new WebAssembly.RuntimeError("unreachable");
  },
  // Leaves no room for the chunk.
  memory: (core) => core.arena.alloc(core.ownBytes - core.usedBytes - 100_000),
  hang: () => {
    for (;;);
  },
};

/** How often this was asked, all workers together. */
function strike(uri) {
  const file = join(folder, encodeURIComponent(uri));
  const count = (existsSync(file) ? Number(readFileSync(file, "utf8")) : 0) + 1;
  writeFileSync(file, `${count}`);
  return count;
}

serve((core, job) => {
  const { key } = job.plan;
  const { ssk, rsk } = job.keySet;
  const before = { key: !isClear(key), ssk: !isClear(ssk), rsk: rsk.length };
  const session = openSealing(core, job);
  note("open", { before });
  return {
    async run(chunk) {
      note("run", { first: chunk.members[0].uri, members: chunk.members.length });
      for (const { uri } of chunk.members) {
        const [, fault, times] = /^sip:fault-([a-z]+)-(\d+)@/.exec(uri) ?? [];
        if (fault !== undefined && strike(uri) <= Number(times)) await FAULTS[fault](core);
      }
      while (isHeld()) await new Promise((resolve) => setTimeout(resolve, 10));
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      return session.run(chunk);
    },
    destroy() {
      session.destroy();
      note("close", { cleared: { key: isClear(key), ssk: isClear(ssk) } });
    },
  };
});
