/** `kms token`: an access token for trying out a KMS that takes development tokens. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption, uriOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface Options {
  dataDir: string;
  config?: string;
  user?: string;
  clientId?: string;
  lifetime: string;
}

/** Ten years. */
const MAX_LIFETIME = 315_360_000;

export function registerKmsToken(kms: Command, runner: Runner): void {
  runner.define<[], Options>(
    kms,
    "token",
    {
      summary: "make a development token",
      description:
        "Make an access token of the development issuer, for trying out a KMS whose configuration names no other. " +
        "Anyone who has it gets the keys of the user, or of the server with that client_id.",
      example: "mikey-sakke kms token --user sip:alice@example.org > alice.token",
    },
    (command) =>
      folderOptions(command)
        .option("--user <uri>", "identity that it proves")
        .option("--client-id <id>", "client_id; without --user it proves the identity of that server")
        .option("--lifetime <seconds>", "how long it is good for", "3600"),
    token,
  );
}

async function token({ output }: Context, options: Options): Promise<ExitStatus> {
  const { user, clientId } = options;
  if (user === undefined && clientId === undefined) {
    throw usageError("BAD_CALL", "--user or --client-id is needed");
  }
  const userUri = user === undefined ? undefined : uriOption(user, "--user");
  const lifetime = integerOption(options.lifetime, "--lifetime", 1, MAX_LIFETIME);
  const { developmentToken } = await import("../server/development-tokens.ts");
  const text = await developmentToken(folderOf(options), {
    lifetime,
    ...defined({ userUri, clientId }),
  });
  const whose = {
    ...defined({ user: userUri, clientId }),
  };
  output.result({ status: "ok", ...whose, lifetime, token: text }, () => [text]);
  return EXIT.accepted;
}
