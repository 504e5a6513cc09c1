/**
 * Issues to all users of a database until it is done or killed, and says what it did, a line at a time. Standard output
 * is a pipe, which Node.js writes synchronously: what was said before a kill has been said.
 */
import { createHash } from "node:crypto";
import { createKmsPool } from "../../../../dist/bindings/pool/kms.js";
import { createKeyIssuer, issueAll } from "../../../../dist/roles/kms/issue/index.js";
import { Envelope, KmsStore, openDatabase } from "../../../../dist/store/index.js";

const { database, storeKey, periodNo, deliver } = JSON.parse(process.argv[2]);
const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);

const db = await openDatabase(database);
const store = KmsStore.open(db, await Envelope.open(db, new Uint8Array(Buffer.from(storeKey, "hex"))));
const pool = await createKmsPool({ workers: 2 });
const issuer = await createKeyIssuer({ store, core: pool.core, pool, now: Date.now });
let missing = 0;
const onProgress = (done, total) => {
  if (done === 0) missing = total;
  say("saved", done);
};
const onKeySet = ({ userUri, rsk, ssk, pvt }) => {
  say("key", userUri, createHash("sha256").update(rsk).update(ssk).update(pvt).digest("hex"));
};
say("begin");
try {
  await issueAll(store, issuer, { periodNo, onProgress, ...(deliver && { onKeySet }) });
  say("finished", missing);
} catch (error) {
  say("failed", error.kind, error.code);
  process.exitCode = 1;
} finally {
  await issuer.destroy();
  await pool.destroy();
  await db.close();
}
