/** `kms refresh`: GMS and MCX server ask their KMS now for certificates and keys. */
import type { Command } from "commander";
import { folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";

interface Args {
  dataDir: string;
}

export function registerKmsRefresh(kms: Command, runner: Runner): void {
  runner.define<[], Args>(
    kms,
    "refresh",
    {
      summary: "let GMS and MCX server ask their KMS now",
      description:
        "Let the GMS and the MCX server that run on the data folder ask their KMS now for keys and for the certificates of " +
        "all KMSs. They do so by themselves about once a day, and the GMS when a member of an unknown KMS is added. After " +
        "`kms certificate add`, `remove` or `revoke` this makes it known at once.",
      example: "mikey-sakke kms refresh",
    },
    (command) => folderOptions(command),
    refresh,
  );
}

async function refresh({ output }: Context, { dataDir }: Args): Promise<ExitStatus> {
  const { refreshServers } = await import("../serve/refresh-kms.ts");
  const servers = await refreshServers(dataDir);
  output.result({ status: "ok", ...servers }, () =>
    Object.entries(servers).map(([server, uris]) => `${server}  knows ${uris.join(", ")}`),
  );
  return EXIT.accepted;
}
