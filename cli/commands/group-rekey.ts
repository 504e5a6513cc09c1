/** `group rekey` and `group revoke`: new keys, and the end of old ones. */
import type { Command } from "commander";
import { defined, ifDefined } from "../../base/defined.ts";
import type { GmsAdmin, RekeyOptions } from "../../roles/gms/common/ports.ts";
import type { RekeyRecord } from "../../store/gms/records.ts";
import { type GmsFolderArgs, gmsFolderOption } from "../server/folder-options.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { durationOption } from "../terminal/durations.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { timeOption, uriOption } from "../terminal/options.ts";
import type { Output } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";

interface WatchArgs extends GmsFolderArgs {
  watch?: boolean;
  timeout: string;
}

interface RekeyArgs extends WatchArgs {
  activation?: string;
  expiry?: string;
  text?: string;
  sharedWith?: string[];
  keep?: boolean;
  revokeOld?: boolean;
}

export function registerGroupRekey(group: Command, runner: Runner): void {
  runner.define<[string], RekeyArgs>(
    group,
    "rekey",
    {
      summary: "give a group a new GMK",
      description:
        "Give a group a new GMK. With --watch, show its delivery, and at the end the members who did not get it: " +
        "exit status 1 if there are any.",
      example:
        "mikey-sakke group rekey sip:fire@example.org --watch\n" +
        'mikey-sakke group rekey sip:fire@example.org --activation 2026-12-01T06:00:00Z --text "winter" --keep',
    },
    (command) =>
      watchOptions(gmsFolderOption(command.argument("<group>", "URI of the group")))
        .option("--activation <time>", "when senders may start to use it (default: at once)")
        .option("--expiry <time>", "when it expires (default: the group's setting)")
        .option("--text <text>", "text for the members")
        .option("--shared-with <group>", "another group that uses the same GMK; may be repeated", collect)
        .option("--keep", "keep the present GMKs in use beside it")
        .option("--revoke-old", "revoke the GMKs that it replaces, once the members have it"),
    rekey,
  );
  runner.define<[string], WatchArgs>(
    group,
    "revoke",
    {
      summary: "revoke a GMK",
      description: "Revoke a GMK: all who may have it are told that it must not be used any more.",
      example: "mikey-sakke group revoke 054aeba6 --watch",
    },
    (command) =>
      watchOptions(gmsFolderOption(command.argument("<gmk-id>", "GMK-ID, as group keys shows it"))),
    revoke,
  );
}

function watchOptions(command: Command): Command {
  return command
    .option("--watch", "follow it until all members have answered")
    .option("--timeout <span>", "how long to follow it", "5m");
}

async function rekey({ output }: Context, options: RekeyArgs, group: string): Promise<ExitStatus> {
  const uri = uriOption(group, "GROUP");
  const { activation, expiry, text, sharedWith, keep, revokeOld } = options;
  const wanted: RekeyOptions = {
    ...defined({
      activation: ifDefined(activation, timeOption, "--activation"),
      expiry: ifDefined(expiry, timeOption, "--expiry"),
      text,
      sharedWith: sharedWith?.map((one) => uriOption(one, "--shared-with")),
    }),
    ...defined({ keep, revokeOld }),
  };
  const { OPERATOR } = await import("../gms/with-admin.ts");
  return begun(output, options, (admin) => admin.rekey(OPERATOR, uri, wanted));
}

async function revoke({ output }: Context, options: WatchArgs, gmkId: string): Promise<ExitStatus> {
  if (!/^(?:0x)?[0-9a-f]{8}$/i.test(gmkId)) {
    throw usageError("BAD_KEY_ID", `GMK-ID: "${gmkId}" is not 8 hexadecimal digits`);
  }
  const id = Number.parseInt(gmkId, 16);
  const { OPERATOR } = await import("../gms/with-admin.ts");
  return begun(output, options, (admin) => admin.revokeGmk(OPERATOR, id));
}

async function begun(
  output: Output,
  options: WatchArgs,
  begin: (admin: GmsAdmin) => Promise<RekeyRecord>,
): Promise<ExitStatus> {
  const timeoutMs = durationOption(options.timeout, "--timeout");
  const { withGmsAdmin } = await import("../gms/with-admin.ts");
  const view = await import("../gms/view.ts");
  return withGmsAdmin(options, async (admin) => {
    const started = await begin(admin);
    if (!options.watch) {
      output.result({ status: "ok", ...view.rekeyJson(started) }, () => view.changeLine([started]));
      return EXIT.accepted;
    }
    const { listenForStop } = await import("../server/stop.ts");
    const { watchRekey } = await import("../gms/watch.ts");
    const stop = listenForStop();
    const watched = await watchRekey(admin, started.id, { timeoutMs, signal: stop.signal }, output).finally(
      stop.release,
    );
    const { rekey: ended, missing } = watched;
    const complete = ended.state === "done" && missing.length === 0;
    output.result(
      {
        status: complete ? "ok" : "incomplete",
        ...view.rekeyJson(ended),
        missing: missing.map(view.deliveryJson),
      },
      () => [...view.endLines(ended, missing)],
    );
    return complete ? EXIT.accepted : EXIT.refused;
  });
}
