/**
 * The environment that servers and commands go by. A variable that holds a secret may be given by a file, as container runtimes
 * and systemd's credentials have it: NAME_FILE names the file with the value of NAME.
 */
import { readFileSync, statSync } from "node:fs";
import { fileError } from "../../base/file-error.ts";
import { usageError } from "../terminal/usage.ts";

export const STORE_KEY_VARIABLE = "MIKEY_SAKKE_STORE_KEY";
/** Holds the PIN of the PKCS#11 token that wraps the store key. */
export const PIN_VARIABLE = "MIKEY_SAKKE_PKCS11_PIN";

const SERVERS = ["KMS", "GMS", "MCX"];

/** A database's URL may have a password. */
export const SECRET_VARIABLES: readonly string[] = [
  STORE_KEY_VARIABLE,
  PIN_VARIABLE,
  ...SERVERS.flatMap((server) =>
    ["DATABASE_URL", "DATABASE_LISTEN_URL"].map((key) => `MIKEY_SAKKE_${server}_${key}`),
  ),
];

const MOST_OCTETS = 64 << 10;

/** With the values of files in place of their names. Usage error BAD_ENVIRONMENT, which never quotes a value. */
export function environmentOf(given: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const environment = { ...given };
  for (const name of SECRET_VARIABLES) {
    const variable = `${name}_FILE`;
    const file = environment[variable];
    if (file === undefined) continue;
    delete environment[variable];
    if (file === "") continue;
    if (environment[name])
      throw usageError("BAD_ENVIRONMENT", `${name} and ${variable}: only one of them may be set`);
    environment[name] = contentOf(variable, file);
  }
  return environment;
}

/** Editors and `echo` put one line end behind it. */
function contentOf(variable: string, file: string): string {
  try {
    if (statSync(file).size > MOST_OCTETS)
      throw usageError("FILE_TOO_LARGE", `${file}: larger than ${MOST_OCTETS} octets`);
    const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    if (text === "") throw usageError("BAD_ENVIRONMENT", `${file}: is empty`);
    return text;
  } catch (cause) {
    throw usageError("BAD_ENVIRONMENT", `${variable}: ${fileError(file, cause).message}`, cause);
  }
}
