/**
 * A store key that a PKCS#11 token wraps. The key file has two lines: the token's key as a PKCS#11 URI (RFC 7512), and the store
 * key encrypted under it with AES-GCM, in the token. The token's key never leaves it; the store key is in this process while the
 * data keys are unwrapped.
 */
import { fromHex, toHex, utf8, wipe } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";
import { usageError } from "../terminal/usage.ts";
import { PIN_VARIABLE } from "./environment.ts";

const SCHEME = "pkcs11:";
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Ties the ciphertext to its purpose. */
const LABEL = utf8("mikey-sakke store key");

type Pkcs11 = typeof import("pkcs11js");

interface TokenUri {
  readonly text: string;
  /** Shared library of the token. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  /** Label of the AES key. */
  readonly object: string;
}

/** Returns whether a key file is one of these. */
export function isTokenKey(text: string): boolean {
  return text.startsWith(SCHEME);
}

/** Usage error BAD_PKCS11_URI, naming what is missing. */
export function requireTokenUri(text: string): string {
  return uriOf(text).text;
}

/** The two lines of a key file. */
export async function wrapByToken(
  uri: string,
  storeKey: Uint8Array,
  environment: NodeJS.ProcessEnv,
  random: RandomSource,
): Promise<string> {
  const iv = random(IV_BYTES);
  const sealed = await withTokenKey(uriOf(uri), environment, ({ module, session, key, api }) => {
    module.C_EncryptInit(session, gcm(api, iv), key);
    const copy = Buffer.from(storeKey);
    try {
      return module.C_Encrypt(session, copy, Buffer.alloc(KEY_BYTES + TAG_BYTES));
    } finally {
      wipe(copy);
    }
  });
  return `${uri}\n${toHex(iv)}${toHex(sealed)}\n`;
}

/** The store key of such a file, which `file` names in errors. The caller wipes it. */
export async function unwrapByToken(
  text: string,
  file: string,
  environment: NodeJS.ProcessEnv,
): Promise<Uint8Array> {
  const [uri, hex = "", ...rest] = text.trimEnd().split("\n");
  const length = 2 * (IV_BYTES + KEY_BYTES + TAG_BYTES);
  if (rest.length > 0 || hex.length !== length || !/^[0-9a-f]*$/i.test(hex)) {
    throw usageError("BAD_KEY_FILE", `${file}: the second line is not a store key wrapped by a token`);
  }
  const wrapped = fromHex(hex);
  const [iv, sealed] = [wrapped.subarray(0, IV_BYTES), wrapped.subarray(IV_BYTES)];
  return withTokenKey(uriOf(uri!), environment, ({ module, session, key, api }) => {
    module.C_DecryptInit(session, gcm(api, iv), key);
    // Some tokens ask for room for the tag as well.
    const room = Buffer.alloc(KEY_BYTES + TAG_BYTES);
    try {
      return new Uint8Array(module.C_Decrypt(session, Buffer.from(sealed), room));
    } finally {
      wipe(room);
    }
  });
}

function gcm(api: Pkcs11, iv: Uint8Array) {
  const parameter = {
    type: api.CK_PARAMS_AES_GCM,
    iv: Buffer.from(iv),
    ivBits: IV_BYTES * 8,
    aad: Buffer.from(LABEL),
    tagBits: TAG_BYTES * 8,
  };
  return { mechanism: api.CKM_AES_GCM, parameter };
}

function uriOf(text: string): TokenUri {
  const [path = "", query = ""] = text.slice(SCHEME.length).split("?");
  const attributes = new Map(
    [...path.split(";"), ...query.split("&")].map((part) => {
      const [name, ...value] = part.split("=");
      return [name!, decoded(value.join("="))] as const;
    }),
  );
  const needed = ["token", "object", "module-path"].filter((name) => !attributes.get(name));
  if (!isTokenKey(text) || needed.length > 0) {
    const missing = isTokenKey(text) ? `${needed.join(", ")} missing` : `does not begin with ${SCHEME}`;
    throw usageError("BAD_PKCS11_URI", `${text}: not the URI of a key in a PKCS#11 token: ${missing}`);
  }
  const [token, object, module] = ["token", "object", "module-path"].map((name) => attributes.get(name)!);
  return { text, token: token!, object: object!, module: module! };
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

interface OpenedKey {
  readonly api: Pkcs11;
  readonly module: InstanceType<Pkcs11["PKCS11"]>;
  readonly session: Buffer;
  readonly key: Buffer;
}

/** Logs in for this one use. Usage errors PKCS11_PACKAGE_MISSING, PKCS11_PIN_MISSING, PKCS11_FAILED and PKCS11_KEY. */
async function withTokenKey<T>(
  uri: TokenUri,
  environment: NodeJS.ProcessEnv,
  use: (opened: OpenedKey) => T,
): Promise<T> {
  const pin = environment[PIN_VARIABLE];
  if (!pin)
    throw usageError("PKCS11_PIN_MISSING", `${PIN_VARIABLE}: the token ${uri.token} needs its PIN there`);
  const api = await loadPkcs11();
  const module = new api.PKCS11();
  try {
    module.load(uri.module);
    module.C_Initialize();
    try {
      const slot = module
        .C_GetSlotList(true)
        .find((one) => module.C_GetTokenInfo(one).label.trim() === uri.token);
      if (slot === undefined) {
        throw usageError("PKCS11_KEY", `${uri.module}: has no token with the label ${uri.token}`);
      }
      const session = module.C_OpenSession(slot, api.CKF_SERIAL_SESSION);
      module.C_Login(session, api.CKU_USER, pin);
      return use({ api, module, session, key: keyOf(api, module, session, uri) });
    } finally {
      // Ends the session and the login as well.
      module.C_Finalize();
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause.name !== "Pkcs11Error") throw cause;
    throw usageError("PKCS11_FAILED", `${uri.text}: ${cause.message}`, cause);
  } finally {
    module.close();
  }
}

function keyOf(
  api: Pkcs11,
  module: OpenedKey["module"],
  session: Buffer,
  { object, text }: TokenUri,
): Buffer {
  module.C_FindObjectsInit(session, [
    { type: api.CKA_CLASS, value: api.CKO_SECRET_KEY },
    { type: api.CKA_KEY_TYPE, value: api.CKK_AES },
    { type: api.CKA_LABEL, value: object },
  ]);
  const found = module.C_FindObjects(session, 2);
  module.C_FindObjectsFinal(session);
  const [key] = found;
  if (key === undefined || found.length > 1) {
    const count = key === undefined ? "no AES key" : "several AES keys";
    throw usageError("PKCS11_KEY", `${text}: the token has ${count} with the label ${object}`);
  }
  const [sensitive, extractable] = module.C_GetAttributeValue(session, key, [
    { type: api.CKA_SENSITIVE },
    { type: api.CKA_EXTRACTABLE },
  ]);
  const isSet = (attribute: typeof sensitive) => (attribute?.value as Buffer | undefined)?.[0] === 1;
  if (!isSet(sensitive) || isSet(extractable)) {
    throw usageError("PKCS11_KEY", `${text}: must be CKA_SENSITIVE and not CKA_EXTRACTABLE`);
  }
  return key;
}

async function loadPkcs11(): Promise<Pkcs11> {
  try {
    const loaded = (await import("pkcs11js")) as Pkcs11 & { readonly default?: Pkcs11 };
    return loaded.default ?? loaded;
  } catch (cause) {
    const text = "a store key in a PKCS#11 token needs the package pkcs11js: npm install pkcs11js";
    throw usageError("PKCS11_PACKAGE_MISSING", text, cause);
  }
}
