/** Makes the certificate and the access tokens that the client under test needs. */
import { join } from "node:path";
import { fromUtf8, toHex } from "../../../base/bytes.ts";
import { systemRandom } from "../../../base/random.ts";
import { replaceFile } from "../../files/durable.ts";
import { selfSigned } from "../../server/self-signed.ts";
import { requireCredentials } from "../../server/tls.ts";
import { makeFolders, readFile } from "../../terminal/files.ts";
import { usageError } from "../../terminal/usage.ts";

export interface PrepareOptions {
  readonly dir: string;
  readonly host: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tokenFile: string | undefined;
}

export interface Prepared {
  readonly tls: { readonly cert: string; readonly key: string };
  /** The access token that the client must show; any token is accepted when absent. */
  readonly token?: string;
  /** Files that were written for the client, by purpose. */
  readonly files: Readonly<Record<string, string>>;
}

const DAYS = 30;
const TOKEN_BYTES = 24;
const MAX_TOKEN = 64 << 10;

/** Usage errors BAD_TLS, and those of files. */
export async function prepareClientCheck(options: PrepareOptions): Promise<Prepared> {
  const { dir, host, cert, key, tokenFile } = options;
  if ((cert === undefined) !== (key === undefined))
    throw usageError("BAD_TLS", "--cert and --key go together");
  if (cert !== undefined && key !== undefined) {
    const tls = await requireCredentials({ certFile: cert, keyFile: key });
    return { tls, ...(await tokenOf(dir, tokenFile)) };
  }
  await makeFolders(dir, 0o700);
  const { certificate, key: made } = selfSigned([host, "localhost"], Date.now(), DAYS);
  const ca = join(dir, "ca.pem");
  await replaceFile(ca, certificate);
  const { files, ...token } = await tokenOf(dir, tokenFile);
  return { tls: { cert: certificate, key: made }, ...token, files: { ca, ...files } };
}

async function tokenOf(dir: string, tokenFile: string | undefined): Promise<Omit<Prepared, "tls">> {
  if (tokenFile !== undefined) {
    return { token: fromUtf8(await readFile(tokenFile, MAX_TOKEN), tokenFile).trim(), files: {} };
  }
  await makeFolders(dir, 0o700);
  const token = join(dir, "token");
  await replaceFile(token, `${toHex(systemRandom(TOKEN_BYTES))}\n`, { secret: true });
  return { files: { token } };
}
