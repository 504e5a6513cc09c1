/**
 * `npm run play`: servers, a group, two pages and the console, until Ctrl-C. `--port`, `--no-open` where nothing is to be
 * opened, and `--empty` for a system without a group, whose console has a tour.
 */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { GROUP, MEMBERS, play } from "./servers.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8450" },
    "no-open": { type: "boolean", default: false },
    empty: { type: "boolean", default: false },
  },
});

/** The browser of the desktop, where there is one. */
function open(url: string): void {
  const hasDesktop =
    process.platform !== "linux" ||
    process.env.DISPLAY !== undefined ||
    process.env.WAYLAND_DISPLAY !== undefined;
  if (values["no-open"] || !hasDesktop) return;
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", "", url]
        : ["xdg-open", url];
  spawn(command!, args, { stdio: "ignore", detached: true })
    .on("error", () => undefined)
    .unref();
}

/** Says why, without the stack of a fault that is not of this program. */
function giveUp(error: Error & { readonly code?: string }): never {
  const isTaken = error.code === "EADDRINUSE";
  const advice = isTaken ? `: another program has port ${values.port}; choose one with -- --port N` : "";
  console.error(`npm run play: ${error.message}${advice}`);
  process.exit(1);
}

console.log("starting KMS, GMS and MCX server …");
const started = performance.now();
const {
  site,
  folder,
  console: signedIn,
  died,
  close,
} = await play({ port: Number(values.port), isEmpty: values.empty }).catch(giveUp);
const ofConsole = await signedIn();
const took = `ready after ${((performance.now() - started) / 1000).toFixed(1)} s`;
const pages = values.empty
  ? []
  : MEMBERS.slice(0, 2).map((user) => `${site.origin}/?user=${encodeURIComponent(user)}`);
const emptyText = `${took}. The operators' console has a tour (the link signs in once, within 15 minutes):

  ${ofConsole}

Ctrl-C ends all of it and leaves nothing behind.`;
const groupText = `${took}. Open these two pages, join in each, and hold the button or the space bar:

  ${pages.join("\n  ")}

The operators' console, to watch the keys go out (the link signs in once, within 15 minutes):

  ${ofConsole}

The group is ${GROUP}. A third member hears it on the command line:

  node dist/cli/main.js listen ${GROUP} --local ${folder} --user ${MEMBERS[2]} --out heard.wav

A new key, and one member less:

  node dist/cli/main.js group rekey ${GROUP} --data-dir ${folder}
  node dist/cli/main.js group remove ${GROUP} ${MEMBERS[1]} --data-dir ${folder}

Ctrl-C ends all of it and leaves nothing behind.`;
console.log(values.empty ? emptyText : groupText);
for (const page of [...pages, ofConsole]) open(page);
const stop = async (status: number) => {
  await close();
  process.exit(status);
};
process.once("SIGINT", () => void stop(0));
process.once("SIGTERM", () => void stop(0));
void died.then((why) => {
  console.error(`\nnpm run play ends, as the servers are gone: ${why}`);
  return stop(1);
});
