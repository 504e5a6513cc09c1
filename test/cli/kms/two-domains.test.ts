/** A GMS under one KMS and a member under another, each of which permits the other; a third that nobody permits. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ALICE, GMS } from "../../support/names.ts";
import { runCli, temporaryFolder } from "../run-cli.ts";
import {
  cli,
  cliProcess,
  type KmsProcess,
  keysIn,
  provisionArgs,
  STORY_MS,
  serveKms,
} from "./kms-process.ts";

const CAROL = "sip:carol@away.example";
const MALLORY = "sip:gms@rogue.example";

async function permit(kms: KmsProcess, other: KmsProcess, ...domains: string[]): Promise<void> {
  const file = `${other.dataDir}.xml`;
  await cli("kms", "certificate", "export", "--data-dir", other.dataDir, "--out", file, "--force");
  const limits = domains.flatMap((domain) => ["--domain", domain]);
  await cli("kms", "certificate", "add", "--data-dir", kms.dataDir, "--kind", "external", ...limits, file);
}

it("seal works by the certificate cache between two domains, and refuses a KMS that is not permitted", {
  timeout: STORY_MS,
}, async () => {
  const folder = await temporaryFolder();
  const [home, away, rogue] = await Promise.all(
    ["home", "away", "rogue"].map((name) =>
      serveKms(join(folder, name), "--kms-uri", `kms.${name}.example`, "--log-level", "warn"),
    ),
  );
  await permit(home!, away!, "away.example");
  await permit(away!, home!, "home.example");
  const at = (name: string) => join(folder, name);
  const unlimited = ["kms", "certificate", "add", "--data-dir", home!.dataDir, `${away!.dataDir}.xml`];
  expect((await runCli([...unlimited, "--json"])).json()).toMatchObject({ code: "NO_DOMAINS" });
  const gms = await cliProcess(...provisionArgs(home!, GMS, at("gms")));
  expect(gms.json()).toMatchObject({
    kmsUri: "kms.home.example",
    certificates: ["kms.home.example", "kms.away.example"],
  });
  await cliProcess(...provisionArgs(away!, CAROL, at("carol")));
  await cli(...provisionArgs(rogue!, MALLORY, at("mallory")));

  const seal = (as: string, member: string, out: string) => {
    const members = at("members.txt");
    const group = ["--group", "sip:fire@home.example", "--members", members];
    return writeFile(members, `${member}\n`).then(() =>
      runCli(["seal", ...keysIn(at(as)), ...group, "--out", at(out), "--json"]),
    );
  };
  const sealed = await seal("gms", `${CAROL} kms.away.example`, "sealed");
  expect(sealed.status).toBe(0);
  const opened = await cliProcess("open", ...keysIn(at("carol")), at("sealed"));
  expect(opened.json()).toMatchObject({
    messages: [
      {
        keyId: sealed.json().gmkId,
        initiator: { uri: GMS, kmsUri: "kms.home.example" },
        recipient: { uri: CAROL, kmsUri: "kms.away.example" },
      },
    ],
  });

  // The home KMS does not permit the third, so its clients have no certificate of it.
  const toRogue = await seal("gms", "sip:dave@rogue.example kms.rogue.example", "none");
  expect(toRogue.status).toBe(2);
  expect(toRogue.json()).toMatchObject({ code: "UNKNOWN_KMS" });

  // It has issued keys for a name of the home domain, which it may not vouch for.
  await cliProcess(...provisionArgs(away!, GMS, at("forger")));
  expect((await seal("forger", `${CAROL} kms.away.example`, "own")).status).toBe(0);
  await cliProcess("open", ...keysIn(at("carol")), at("own"));
  await cliProcess(...provisionArgs(home!, ALICE, at("alice")));
  expect((await seal("forger", `${ALICE} kms.home.example`, "forgery")).status).toBe(0);
  const forgery = await runCli(["open", ...keysIn(at("alice")), at("forgery"), "--json"]);
  expect(forgery.json()).toMatchObject({ messages: [{ status: "refused", code: "INITIATOR_NOT_OF_KMS" }] });

  // The third knows Carol's KMS, but she does not know the third.
  await permit(rogue!, away!, "away.example");
  await cli(...provisionArgs(rogue!, MALLORY, at("mallory")), "--force");
  expect((await seal("mallory", `${CAROL} kms.away.example`, "forged")).status).toBe(0);
  const refused = await runCli(["open", ...keysIn(at("carol")), at("forged"), "--json"]);
  expect(refused.status).toBe(1);
  expect(refused.json()).toMatchObject({ messages: [{ status: "refused", code: "UNKNOWN_INITIATOR_KMS" }] });

  // Nor does a client take keys from a KMS that is not the one it was told.
  const wrong = [...provisionArgs(rogue!, GMS, at("wrong")), "--kms-uri", "kms.home.example", "--json"];
  const other = await runCli(wrong);
  expect(other.status).toBe(1);

  // A KMS that is not permitted any more is missing from the next cache.
  await cli("kms", "certificate", "remove", "--data-dir", home!.dataDir, "kms.away.example");
  const after = await cli(...provisionArgs(home!, GMS, at("gms")), "--force");
  expect(after.json()).toMatchObject({ certificates: ["kms.home.example"] });
});
