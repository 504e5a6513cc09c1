/** `login`: access tokens of a person from an identity management server. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import { type Context, collect, type Runner } from "../terminal/command.ts";
import { durationOption } from "../terminal/durations.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption } from "../terminal/options.ts";

interface Options {
  issuer: string;
  clientId: string;
  tokenFile: string;
  scope?: string[];
  resource?: string;
  port: string;
  timeout: string;
  ca?: string;
  keep?: boolean;
}

/** Scopes of KMS, GMS and MCX server (TS 33.180 B.4.2.2), and the scope for a refresh token (OpenID Connect 1.0 11). */
const SCOPES = [
  "openid",
  "offline_access",
  "3gpp:mc:ptt_key_management_service",
  "3gpp:mc:ptt_group_management_service",
  "3gpp:mc:ptt_service",
];

export function registerLogin(program: Command, runner: Runner): void {
  runner.define<[], Options>(
    program,
    "login",
    {
      summary: "log in at an identity management server, for the token file of other commands",
      description:
        "Log in at an OpenID Connect server with a browser (TS 33.180 5.1.3: authorization code with PKCE), and write the access " +
        "token into a file that --token-file of other commands names. A refresh token goes beside it, into FILE.refresh, and " +
        "makes the browser unnecessary the next time. With --keep the token is renewed until Ctrl-C.",
      example:
        "mikey-sakke login --issuer https://idms.example.org --client-id mcptt_client --token-file alice.token",
    },
    (command) =>
      command
        .requiredOption("--issuer <url>", "the server, by its issuer identifier")
        .requiredOption("--client-id <id>", "client_id that the server knows this client by")
        .requiredOption("--token-file <file>", "where the access token goes")
        .option(
          "--scope <scope>",
          "scope to request; may be repeated (default: the three MCPTT services)",
          collect,
        )
        .option("--resource <uri>", "resource that the token is for, if the server requires it (RFC 8707)")
        .option(
          "--port <n>",
          "port of the redirect URI http://127.0.0.1:PORT/callback; 0 takes any free port",
          "0",
        )
        .option("--timeout <span>", "how long to wait for the user", "5m")
        .option("--ca <file>", "certificates to trust, in place of the system's")
        .option("--keep", "renew the token until Ctrl-C"),
    loginCommand,
  );
}

async function loginCommand({ output }: Context, options: Options): Promise<ExitStatus> {
  const { keepLogin, login } = await import("../device/login.ts");
  const { httpsFetch } = await import("../server/https.ts");
  const { issuer, clientId, tokenFile, resource, scope = SCOPES, keep = false } = options;
  const port = integerOption(options.port, "--port", 0, 65_535);
  const timeoutMs = durationOption(options.timeout, "--timeout");
  const { fetch, close } = await httpsFetch(options.ca);
  const given = {
    issuer,
    clientId,
    scopes: scope,
    ...defined({ resource }),
    tokenFile,
    port,
    timeoutMs,
    fetch,
    show: (url: string) => output.ready({ event: "browse", url }, () => [`Open in a browser: ${url}`]),
  };
  try {
    const { expiresIn, scope: granted } = await login(given);
    const seconds = expiresIn === undefined ? "" : `, for ${expiresIn} s`;
    output.ready({ event: "token", tokenFile, expiresIn, scope: granted }, () => [
      `the access token is in ${tokenFile}${seconds}`,
    ]);
    if (keep) await keepLogin(given, expiresIn, (text) => output.note(text));
    return EXIT.accepted;
  } finally {
    await close();
  }
}
