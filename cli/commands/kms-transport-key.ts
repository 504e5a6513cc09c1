/** `kms transport-key`: a TrK, an InK or both for a user, as files to be brought to the user's device. */
import type { Command } from "commander";
import { wipe } from "../../base/bytes.ts";
import { type KeyKind, writeNamedKey } from "../files/named-key.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { requireAbsent } from "../terminal/files.ts";
import { uriOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface Options {
  dataDir: string;
  config?: string;
  user: string;
  trk?: string;
  ink?: string;
  replace?: boolean;
  force?: boolean;
}

export function registerKmsTransportKey(kms: Command, runner: Runner): void {
  runner.define<[], Options>(
    kms,
    "transport-key",
    {
      summary: "make the TrK or InK of a user",
      description:
        "Make a TrK, which wraps the user's keys on the way, an InK, which signs requests and answers, or both. They " +
        "are files to be brought to the user's device in secret. Keys that the user has serve until a request names " +
        "the new ones; with --replace they end at once.",
      example: "mikey-sakke kms transport-key --user sip:alice@example.org --trk alice.trk --ink alice.ink",
    },
    (command) =>
      folderOptions(command)
        .requiredOption("--user <uri>", "whose keys")
        .option("--trk <file>", "make a TrK, and write it to this file (mode 0600)")
        .option("--ink <file>", "make an InK, and write it to this file (mode 0600)")
        .option("--replace", "end the present keys at once: they are lost, or known to others")
        .option("--force", "replace files that exist"),
    transportKey,
  );
}

async function transportKey({ output }: Context, options: Options): Promise<ExitStatus> {
  const user = uriOption(options.user, "--user");
  const files = new Map<KeyKind, string>();
  if (options.trk !== undefined) files.set("TrK", options.trk);
  if (options.ink !== undefined) files.set("InK", options.ink);
  if (files.size === 0) throw usageError("NO_OUTPUT", "give --trk FILE, --ink FILE or both");
  await requireAbsent([...files.values()], options.force === true);
  const { withAdmin } = await import("../kms/with-admin.ts");
  const made = await withAdmin(folderOf(options), async (admin, { config: { kmsUri } }) => {
    const request = { kinds: [...files.keys()], ...(options.replace && { replace: true }) };
    const keys = await admin.newTransportKeys(user, request);
    try {
      for (const key of keys) await writeNamedKey(files.get(key.kind)!, { ...key, kmsUri });
    } finally {
      for (const { key } of keys) wipe(key);
    }
    return keys;
  });
  const keys = made.map(({ kind, id, state }) => ({ kind, id, state, file: files.get(kind)! }));
  output.result({ status: "ok", user, keys }, () =>
    keys.map(({ kind, id, state, file }) => {
      const note = state === "pending" ? "  (in use from the first request that names it)" : "";
      return `${kind} ${id}  ${file}${note}`;
    }),
  );
  return EXIT.accepted;
}
