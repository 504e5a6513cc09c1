/** Hints on what to do next after an error, by its stable code. */
import { type ErrorCode, MikeySakkeError } from "../../base/errors.ts";

const HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  FILE_EXISTS: "Choose another name, or add --force to replace it.",
  FILE_NOT_FOUND:
    "Check the path. On the command line it is relative to the current folder, in a configuration to the file of that.",
  FILE_DENIED: "Run the command as the owner of that path, or give another path.",
  READ_ONLY: "Give a path on a file system that may be written, or mount this one so.",
  DISK_FULL: "Make room there, or give a path on another disk.",
  STORE_FULL: "Make room on the disk of the database, and start again: nothing that was committed is lost.",
  NO_INPUT: "Give a FILE, or pipe the message into the command.",
  KMS_KEY_ENCRYPTED: "Ask the KMS for keys without a transport key (TrK).",
  KMS_REFUSED: "The file holds a refusal of the KMS, not keys. Ask the KMS again.",
  TIME_OUTSIDE_WINDOW: "For a message from a file give its time with --at; `inspect` shows it as T.",
  KEY_PERIOD_NOT_CURRENT: "For a message from a file give its time with --at; `inspect` shows it as T.",
  NO_KEY_FOR_PERIOD: "Get the keys of that period: kms keyprov --at TIME.",
  NO_SIGNING_KEY: "Get the keys of the present period: kms keyprov.",
  UNKNOWN_INITIATOR_KMS: "Give the certificate of that KMS with --peer-cert.",
  HIDDEN_INITIATOR_UNKNOWN: "Give the initiator that the carrier named with --from.",
  KEY_SET_OF_OTHER_KMS: "Give the certificate of the KMS that issued the keys with --cert.",
  KEY_SET_UID_MISMATCH: "Keys and certificate do not belong together: ask the KMS for both again.",
  RSK_INVALID: "Keys and certificate do not belong together: ask the KMS for both again.",
  SSK_INVALID: "Keys and certificate do not belong together: ask the KMS for both again.",
  NOT_FOR_ME: "Give the keys of the member that the message is for with --keys.",
  RESPONDER_KMS_NOT_MINE: "Give the keys and the certificate of that KMS with --keys and --cert.",
  DEMO_INCOMPLETE: "If the machine is very slow or busy, try fewer members: mikey-sakke demo --members 20.",
  DEMO_SERVERS:
    "What stands above is what they said. `mikey-sakke serve --data-dir new` starts the same servers alone.",
  DEMO_FAILED: "No speed of a machine explains this: please report it, with all that was printed.",
  NO_KMS: "Make one with `mikey-sakke serve kms`, or give its folder with --data-dir.",
  KMS_MISSING:
    "Restore the database, or correct database.url. `--init` makes a new KMS in it: all keys of the old one are lost then.",
  SETTING_FIXED: "Put the old value back. Another value needs another server with a database of its own.",
  OTHER_KMS: "Give another folder with --data-dir for another KMS.",
  OTHER_DATABASE: "Change database.url in the configuration, which all commands read.",
  BAD_CONFIG: "docs/kms.md, docs/gms.md and docs/mcx.md list what a configuration may have.",
  BAD_ENVIRONMENT: "docs/gms.md says how variables are named; take away the one that is none.",
  GMS_NOT_RUNNING: "Start it with `mikey-sakke serve`, or give its folder with --data-dir or --local.",
  NO_GROUP_KEY:
    "Look whether the user is a member: `mikey-sakke group show GROUP`. If so, give it more time with --timeout.",
  KEY_PENDING:
    "Wait until then: before that nobody may speak under it (E.6.4). `mikey-sakke group rekey` makes one for now.",
  NO_MCX: "Make one with `mikey-sakke serve`.",
  NO_GMS: "Make one with `mikey-sakke serve` or `mikey-sakke serve gms`.",
  GROUP_UNKNOWN: "`mikey-sakke group list` shows the groups.",
  GROUP_CHANGED: "Look at the group again with `mikey-sakke group show`, and decide anew.",
  GMK_UNKNOWN: "`mikey-sakke group keys` shows the GMKs of a group.",
  REKEY_UNKNOWN: "`mikey-sakke group status` shows the rekeys.",
  TLS_NEEDED: "Name certificate and key in the configuration, or listen on loopback.",
  TOKENS_NEEDED: "Name the issuer in the configuration, or listen on loopback.",
  ADDRESS_IN_USE:
    "Choose another port, with --port or --sip-port or, if it is named there, in the configuration.",
  STORE_LOCKED: "Stop the process that has it, or give another folder with --data-dir.",
  WRONG_STORE_KEY: "Give the key that the database was made with, as store.key or MIKEY_SAKKE_STORE_KEY.",
  STORE_TOO_NEW: "Use the version of mikey-sakke that ran last on this database, or a newer one.",
  BACKUP_TOO_NEW: "Use the version of mikey-sakke that made it, or a newer one.",
  BACKUP_DAMAGED: "Take another copy of the file, or an older backup: `mikey-sakke restore --check` tells.",
  BACKUP_BROKEN_OFF: "Look into the log of the server, and make the backup again.",
  NOT_A_BACKUP: "Give a file that `mikey-sakke backup` made.",
  NO_DATABASE: "Check --data-dir, and database.url in the configuration.",
  STORE_KEY_MISSING: "Give the file with the key with --store-key. Without that key nothing can be restored.",
  TARGET_NOT_EMPTY: "Give another --data-dir or --database, or move the database away that is there.",
  USER_UNKNOWN: "Enrol the user first: kms user add.",
  PERIOD_ISSUED: "Choose a later period, or add --at-once where the old keys are known to others.",
  NO_DEVELOPMENT_TOKENS: "Get a token from the issuer in the configuration.",
  XML_SIGNATURE_KEY: "Give the keys that the KMS made last for the user with --trk and --ink, and --kms-uri.",
  TLS_UNTRUSTED: "Give the certificate of the server, or of its authority, with --ca.",
  TLS_EXPIRED:
    "Renew it at the server; SIGHUP makes a server of ours read it again. Check the clock of this machine too.",
  TLS_NOT_YET_VALID: "Check the clock of this machine, and that of the server.",
  TLS_WRONG_NAME: "Use a name that is in the certificate, or have one made for this name.",
  KMS_UNREACHABLE: "Check --kms-url, and that the KMS runs.",
};

/** After an answer of a KMS, by HTTP status: its own error codes are not standard. */
const REFUSALS: Readonly<Record<number, string>> = {
  401: "Get another access token.",
  403: "The KMS's audit log says why. If it wants a signature or a TrK, give --ink and --trk.",
  404: "Check --kms-url; an older KMS may not have this request.",
  503: "The KMS is busy or cannot check tokens: try again later.",
};

/** After an answer of an MCX server. */
const MCX_REFUSALS: Readonly<Record<number, string>> = {
  401: "Get another access token.",
  403: "Look whether the user is a member: `mikey-sakke group show`. The log of the server says more.",
  404: "Check the URI of the group: `mikey-sakke group list` shows them.",
  503: "The MCX server does not reach the GMS, or is full: try again later.",
};

/** Error code of a KMS of ours for a request whose time is too far from its own. */
const STALE_REQUEST = 40006;
const STALE_HINT = "Check the clock of this machine, then that of the KMS.";

export function nextStep(error: unknown): string | undefined {
  if (!(error instanceof MikeySakkeError)) return undefined;
  const status = "status" in error ? Number(error.status) : undefined;
  if ("errorCode" in error && error.errorCode === STALE_REQUEST && /time/i.test(error.message))
    return STALE_HINT;
  if (error.code === "MCX_REFUSED") return MCX_REFUSALS[status!];
  if (status !== undefined) return REFUSALS[status] ?? "Ask the operator of the KMS.";
  return HINTS[error.code];
}
