/** The rows of the benchmark and their names. Names stay the same from version to version, so that results compare. */

/** One thing to time. */
export interface Row {
  readonly name: RowName;
  /** Operations that one call of `run` does. */
  readonly operations: number;
  /** Fresh input for the next call; not timed. */
  readonly prepare?: () => void;
  readonly run: () => unknown;
}

/** Receivers, messages or users of one call where the name says "batch". */
export const BATCH = 64;

/** Every row in the order of the table, with what one operation is. */
export const ROW_TITLES = {
  "field.multiply": "multiplication mod p",
  "sakke.encapsulate.batch": "SAKKE encapsulate, receivers never seen before, batch of 64",
  "sakke.encapsulate.single": "SAKKE encapsulate, one receiver never seen before",
  "sakke.decapsulate": "SAKKE decapsulate with check, nothing prepared",
  "sakke.decapsulate.prepared": "SAKKE decapsulate with check, key prepared",
  "sakke.issue.batch": "SAKKE: KMS issues one RSK, batch of 64",
  "sakke.validate": "SAKKE: user validates an RSK",
  "eccsi.sign.batch": "ECCSI sign, batch of 64",
  "eccsi.sign.single": "ECCSI sign, one message",
  "eccsi.verify": "ECCSI verify, signer never seen before",
  "eccsi.verify.batch": "ECCSI verify, batch of 64 signers never seen before",
  "eccsi.verify.known": "ECCSI verify, known signer",
  "kms.issue.batch": "KMS issues RSK, SSK and PVT of one user, batch of 64",
  "imessage.seal.batch": "whole GMK I_MESSAGE sealed, batch of 64",
  "imessage.open": "parse, verify, open, check one I_MESSAGE, key prepared",
  "imessage.first": "load a receiver's key without preparing it, and open its first I_MESSAGE",
  "start.receiver": "prepare a receiver's key, with its check",
} as const;

export type RowName = keyof typeof ROW_TITLES;

export const ROW_NAMES = Object.keys(ROW_TITLES) as RowName[];
