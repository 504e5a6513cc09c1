/** `user`: what concerns a user at all servers at once. */
import type { Command } from "commander";
import { deadline } from "../../base/deadline.ts";
import { formatKeyId } from "../../bindings/identity/index.ts";
import type { GmsAdmin, LostUser } from "../../roles/gms/common/ports.ts";
import type { KmsAdmin } from "../../roles/kms/admin/admin.ts";
import { type AdminArgs, adminAccess, adminOptions } from "../gms/admin-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { durationOption } from "../terminal/durations.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { uriOption } from "../terminal/options.ts";
import { counted } from "../terminal/output.ts";

interface LostArgs extends AdminArgs {
  reason: string;
  timeout: string;
}

/** Members that are named; their number is told in full. */
const NAMED = 1000;

export function registerUser(program: Command, runner: Runner): void {
  const user = program
    .command("user")
    .summary("act on a user at all servers")
    .description("Act on a user at KMS and GMS at once.");
  runner.define<[string], LostArgs>(
    user,
    "lost",
    {
      summary: "shut out a user whose radio was lost",
      description:
        "Shut out a user whose radio was lost: revoke them at the KMS, remove them from all groups, give these groups " +
        "new keys and revoke the old ones, and wait until every other member has confirmed. Names those who have not; they " +
        "get the keys when they return. A second run continues where the first ended.",
      example:
        "mikey-sakke user lost sip:alice@example.org\n" +
        "mikey-sakke user lost sip:alice@example.org --gms-admin http://127.0.0.1:8446 --gms-admin-token gms.token \\\n" +
        "  --kms-admin http://127.0.0.1:8444 --kms-admin-token kms.token",
    },
    (command) =>
      adminOptions(command.argument("<uri>", "user"))
        .option("--reason <text>", "for the audit log", "radio lost")
        .option("--timeout <span>", "how long to wait for the others", "5m"),
    lost,
  );
}

async function lost({ output }: Context, options: LostArgs, text: string): Promise<ExitStatus> {
  const userUri = uriOption(text, "URI");
  const timeoutMs = durationOption(options.timeout, "--timeout");
  const { OPERATOR } = await import("../gms/with-admin.ts");
  const { loseUserEverywhere } = await import("../../roles/gms/admin/lost-user.ts");
  const { refusedKeys } = await import("../../roles/gms/common/refused-keys.ts");
  const { listenForStop } = await import("../server/stop.ts");
  return adminAccess(options, async (kms: KmsAdmin, gms: GmsAdmin) => {
    const stop = listenForStop();
    const end = deadline(timeoutMs, stop.signal);
    const status = output.status();
    const began = performance.now();
    let last: LostUser | undefined;
    try {
      const { signal } = end;
      const { reason } = options;
      for await (last of loseUserEverywhere({ userUri, caller: OPERATOR, reason, kms, gms, signal })) {
        status.show(progressLine(last));
      }
    } finally {
      end.release();
      status.end();
      stop.release();
    }
    const seconds = (performance.now() - began) / 1000;
    const ended = last!;
    output.result(
      {
        status: ended.done ? "ok" : "incomplete",
        user: userUri,
        groups: [...ended.groups],
        gmks: ended.gmks.map(({ gmkId, state, groups }) => ({
          gmkId: formatKeyId(gmkId),
          state,
          groups: [...groups],
        })),
        withoutKey: ended.withoutKey.slice(0, NAMED),
        unaware: ended.unaware.slice(0, NAMED),
        outstanding: outstandingOf(ended).length,
        seconds: Math.round(seconds * 10) / 10,
      },
      () => endLines(ended, refusedKeys(ended.gmks.length), seconds),
    );
    return ended.done ? EXIT.accepted : EXIT.refused;
  });
}

const outstandingOf = ({ withoutKey, unaware }: LostUser) => [...new Set([...withoutKey, ...unaware])].sort();

const openOf = ({ gmks }: LostUser) => gmks.filter(({ state }) => state !== "revoked");

function progressLine(lost: LostUser): string {
  const open = openOf(lost).length;
  return [
    `${lost.withoutKey.length} without the new key`,
    open > 0 ? `${counted(open, "old key")} in grace time` : `${lost.unaware.length} unaware of a revocation`,
  ].join(", ");
}

function endLines(lost: LostUser, keys: string, seconds: number): string[] {
  const { user, gmks } = lost;
  const took = `${seconds.toFixed(1)} s`;
  if (lost.done) {
    return [`${user} is revoked and in no group; ${keys} (${took})`];
  }
  const open = openOf(lost).length;
  const outstanding = outstandingOf(lost);
  return [
    `${user} is revoked; not every other member has confirmed that it refuses the keys that this user held (${took})`,
    ...(open > 0 ? [`${open} of ${gmks.length} old keys are still in their grace time`] : []),
    ...(outstanding.length > 0 ? ["", `${outstanding.length} have not answered:`, ""] : []),
    ...outstanding.slice(0, NAMED),
    "",
    "They get it when they return. Run the command again to see the progress.",
  ];
}
