/** `kms rotate-master` and `kms rotate-store-key`. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import type { FolderOptions } from "../server/data-folder.ts";
import { folderOf, folderOptions } from "../server/folder-options.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { integerOption } from "../terminal/options.ts";
import { usageError } from "../terminal/usage.ts";

interface FolderArgs {
  dataDir: string;
  config?: string;
}

interface StoreKeyOptions extends FolderArgs {
  pkcs11?: string;
}

interface MasterOptions extends FolderArgs {
  fromPeriod?: string;
  atOnce?: boolean;
}

export function registerKmsRotate(kms: Command, runner: Runner): void {
  runner.define<[], MasterOptions>(
    kms,
    "rotate-master",
    {
      summary: "make new master keys and their certificate",
      description:
        "Make new master keys and their certificate, from a key period on: by default the first that no keys were " +
        "issued for. Both certificates are given out, so that clients have the new one in time. With --at-once the " +
        "new keys begin now, where the old ones are known to others: keys of this period must be fetched again.",
      example: "mikey-sakke kms rotate-master",
    },
    (command) =>
      folderOptions(command)
        .option("--from-period <n>", "first key period of the new master")
        .option("--at-once", "from the present key period on; keys that were issued are dropped"),
    rotateMaster,
  );
  runner.define<[], StoreKeyOptions>(
    kms,
    "rotate-store-key",
    {
      summary: "put the database under a new store key",
      description:
        "Draw a new store key, wrap the database's data keys with it, and replace the key file of the folder, which " +
        "may also be that of a GMS alone. Older backups still need the old key: its file is kept under a name with " +
        "the check value that `restore` asks for. Other processes on the database need the new file at their next " +
        "start. With --pkcs11 the key file has the new key wrapped by a key " +
        "of a PKCS#11 token, whose PIN is in MIKEY_SAKKE_PKCS11_PIN; later rotations stay with that token.",
      example: "mikey-sakke kms rotate-store-key",
    },
    (command) =>
      folderOptions(command).option(
        "--pkcs11 <uri>",
        "AES key of a token, as pkcs11:token=T;object=K?module-path=/usr/lib/softhsm/libsofthsm2.so",
      ),
    rotateStoreKey,
  );
}

async function rotateMaster({ output }: Context, options: MasterOptions): Promise<ExitStatus> {
  if (options.fromPeriod !== undefined && options.atOnce) {
    throw usageError("BAD_CALL", "--from-period and --at-once exclude each other");
  }
  const fromPeriod =
    options.fromPeriod === undefined
      ? undefined
      : integerOption(options.fromPeriod, "--from-period", 0, 0xffffffff);
  const { withAdmin } = await import("../kms/with-admin.ts");
  const master = await withAdmin(folderOf(options), (admin) =>
    admin.rotateMaster({
      ...defined({ fromPeriod }),
      ...(options.atOnce && { atOnce: true }),
    }),
  );
  const { certUri, validFrom } = master.certificate;
  const from = validFrom === undefined ? undefined : new Date(validFrom).toISOString();
  output.result({ status: "ok", certUri, fromPeriod: master.fromPeriod, validFrom: from }, () => [
    `new master keys from key period ${master.fromPeriod} on${from ? ` (${from})` : ""}`,
    ...(certUri === undefined ? [] : [`certificate  ${certUri}`]),
  ]);
  return EXIT.accepted;
}

async function rotateStoreKey({ output }: Context, options: StoreKeyOptions): Promise<ExitStatus> {
  const { environmentOf } = await import("../server/environment.ts");
  const { rotateKeyFile } = await import("../server/store-key.ts");
  const { requireTokenUri } = await import("../server/token-key.ts");
  const { systemRandom } = await import("../../base/random.ts");
  const tokenUri = options.pkcs11 === undefined ? undefined : requireTokenUri(options.pkcs11);
  const { storeKey, kept } = await withStoreKeyOwner(folderOf(options), async (file, rotate) => {
    const source = { file, environment: environmentOf() };
    return { storeKey: file, kept: await rotateKeyFile(source, systemRandom, rotate, tokenUri) };
  });
  output.result({ status: "ok", storeKey, kept }, () => [
    `new store key  ${storeKey}: other processes on the database need it at their next start`,
    `old store key  ${kept}: for older backups; delete it with the last of them`,
  ]);
  return EXIT.accepted;
}

/** Hands over the key file of the folder, and what puts its database under another key: KMS, or database of a GMS alone. */
async function withStoreKeyOwner<T>(
  options: FolderOptions,
  use: (file: string, rotate: (key: Uint8Array) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { readFolder } = await import("../server/data-folder.ts");
  const { kms, gms } = (await readFolder(options)).read;
  if (kms !== undefined || gms === undefined) {
    const { withAdmin } = await import("../kms/with-admin.ts");
    return withAdmin(options, (admin, { files }) => use(files.storeKey, (key) => admin.rotateStoreKey(key)));
  }
  const { openGmsFolder } = await import("../gms/gms-folder.ts");
  const { environmentOf } = await import("../server/environment.ts");
  const { openSealedDatabase } = await import("../server/open-store.ts");
  const { config, files } = await openGmsFolder(options);
  const { envelope, close } = await openSealedDatabase({ database: config.database, files }, environmentOf());
  try {
    return await use(files.storeKey, (key) => envelope.rotate(key));
  } finally {
    await close();
  }
}
