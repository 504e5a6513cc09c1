/** `kms token`: an access token for trying out servers that take development tokens. */
import { type Command, Option } from "commander";
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
  for: "kms" | "gms" | "mcx";
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
        "Make an access token of the development issuer, for trying out servers whose configuration names no other. " +
        "Anyone who has it gets the keys of the user, or of the server with that client_id.",
      example:
        "mikey-sakke kms token --user sip:alice@example.org > alice.token\n" +
        "mikey-sakke kms token --for gms --user sip:alice@example.org > alice.gms.token",
    },
    (command) =>
      folderOptions(command)
        .option("--user <uri>", "identity that it proves")
        .option("--client-id <id>", "client_id; without --user it proves the identity of that server")
        .addOption(
          new Option("--for <server>", "server of the folder that takes it")
            .choices(["kms", "gms", "mcx"])
            .default("kms"),
        )
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
  const text =
    options.for === "kms"
      ? await kmsToken(options, { lifetime, ...defined({ userUri, clientId }) })
      : await memberToken(options.for, options, userUri, lifetime);
  const whose = defined({ user: userUri, clientId });
  output.result({ status: "ok", for: options.for, ...whose, lifetime, token: text }, () => [text]);
  return EXIT.accepted;
}

async function kmsToken(
  options: Options,
  wanted: { readonly lifetime: number; readonly userUri?: string; readonly clientId?: string },
): Promise<string> {
  const { developmentToken } = await import("../server/folder-tokens.ts");
  return developmentToken(folderOf(options), wanted);
}

/** GMS and MCX server know users only. */
async function memberToken(
  server: "gms" | "mcx",
  { dataDir, clientId }: Options,
  userUri: string | undefined,
  lifetime: number,
): Promise<string> {
  if (userUri === undefined || clientId !== undefined) {
    throw usageError("BAD_CALL", `--for ${server} takes --user, without --client-id`);
  }
  if (server === "gms") {
    const { gmsDevelopmentToken } = await import("../gms/gms-token.ts");
    return gmsDevelopmentToken(dataDir, userUri, lifetime);
  }
  const { mcxDevelopmentToken } = await import("../mcx/mcx-token.ts");
  return mcxDevelopmentToken(dataDir, userUri, lifetime);
}
