/** Tests what the console changes: each dialog in Chromium does at the servers what the command of the same name does. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeKmsCertificate } from "../../../documents/kms-xml/index.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import { AWAY_KMS, newMembers } from "../../gms/memory-gms.ts";
import { type ConsoleWorld, consoleWorld, GROUP } from "../../server/console/running-console.ts";
import { violationsInAllWays } from "../support/axe.ts";
import { describeInChromium, launchChromium } from "../support/chromium.ts";
import { buildPages } from "./support/build.ts";
import { showView } from "./support/console.ts";

const OTHER = "sip:boats@home.example";
const HOUR_MS = 3_600_000;

describeInChromium("changes from the console", () => {
  let here: ConsoleWorld;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    buildPages();
    here = await consoleWorld({ runs: true });
    await admin().createGroup(operator("test"), { uri: GROUP, members: newMembers(2) });
    await admin().createGroup(operator("test"), { uri: OTHER, members: newMembers(2) });
    browser = await launchChromium();
    page = await (await browser.newContext()).newPage();
    await page.goto(here.console.link());
    await page.locator(`a[href="#/groups/${encodeURIComponent(GROUP)}"]`).click();
  });
  afterAll(async () => {
    await browser?.close();
    await here?.close();
  });

  const admin = () => here.core.context.admin;
  const dialog = () => page.getByRole("dialog");
  const field = (name: string | RegExp) => dialog().getByLabel(name);
  const open = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const unfold = (name: string) => dialog().getByText(name, { exact: true }).click();
  /** Clicks the button of that name in the dialog, and waits until the dialog is closed. */
  async function submit(name: string): Promise<void> {
    await dialog().getByRole("button", { name, exact: true }).click();
    await dialog().waitFor({ state: "detached" });
  }
  async function isClean(): Promise<void> {
    expect(await violationsInAllWays(page)).toEqual([]);
  }
  const settings = async (uri = GROUP) => (await admin().group(uri))!.settings;
  const membersOf = (uri = GROUP) => admin().members(uri, { limit: 9 });

  it("makes a group with settings and members of another KMS", async () => {
    await showView(page, "Groups");
    await open("New group");
    await field("Identity").fill("sip:harbour@home.example");
    await field(/^Members/).fill(`sip:ann@home.example\nsip:xena@away.example ${AWAY_KMS}`);
    await unfold("KMS, kind and priority");
    await field(/^Priority/).fill("9");
    await unfold("Settings");
    await field("Data (MCData)").uncheck();
    await field(/^A new key every/).fill("36");
    await isClean();
    await submit("New group");
    expect(await settings("sip:harbour@home.example")).toMatchObject({
      displayName: "sip:harbour@home.example",
      services: ["mcptt"],
      rekeyEveryMs: 36 * HOUR_MS,
      rekeyOnAdd: false,
    });
    expect(await membersOf("sip:harbour@home.example")).toMatchObject([
      { uri: "sip:ann@home.example", priority: 9 },
      { uri: "sip:xena@away.example", kmsUri: AWAY_KMS, priority: 9 },
    ]);
  });

  it("changes the settings of a group, and overwrites nothing that changed meanwhile", async () => {
    await page.goto(`${here.origin}/#/groups/${encodeURIComponent(GROUP)}`);
    // The group before has a button of the same name, until this one is shown.
    await page.getByRole("heading", { level: 1, name: GROUP, exact: true }).waitFor();
    await open("Settings");
    await field("Name").fill("Fire brigade");
    await field(/^Users who may manage/).fill("sip:ann@home.example");
    await field(/^A new key every/).fill("12");
    await field(/^Hours for which/).fill("48");
    await field(/^Added members/).check();
    await isClean();
    await submit("Settings");
    expect(await settings()).toMatchObject({
      displayName: "Fire brigade",
      services: ["mcptt", "mcdata"],
      managers: ["sip:ann@home.example"],
      rekeyEveryMs: 12 * HOUR_MS,
      gmkLifetimeMs: 48 * HOUR_MS,
      rekeyOnAdd: true,
    });
    await open("Settings");
    await admin().changeGroup(operator("another"), GROUP, { displayName: "Fire and rescue" });
    await page.getByRole("heading", { name: "Fire and rescue", exact: true }).waitFor({ state: "attached" });
    await field(/^A new key every/).fill("");
    await dialog().getByRole("button", { name: "Settings", exact: true }).click();
    await dialog()
      .getByRole("alert")
      .getByText(/revision/)
      .waitFor();
    await dialog().getByRole("button", { name: "Cancel" }).click();
    expect(await settings()).toMatchObject({ displayName: "Fire and rescue", rekeyEveryMs: 12 * HOUR_MS });
    await open("Settings");
    await field(/^A new key every/).fill("");
    await submit("Settings");
    expect(await settings()).toMatchObject({ displayName: "Fire and rescue" });
    expect((await settings()).rekeyEveryMs).toBeUndefined();
  });

  it("gives a member another priority without a new key", async () => {
    const before = (await admin().rekeys({ groupUri: GROUP, limit: 9 })).length;
    const { uri } = (await membersOf())[0]!;
    await open(`Priority of ${uri}`);
    await field(/^Priority/).fill("200");
    await submit("Priority");
    await page.getByRole("row", { name: new RegExp(`${uri} priority 200`) }).waitFor();
    expect((await membersOf())[0]).toMatchObject({ uri, priority: 200 });
    await open(`Priority of ${uri}`);
    await field(/^Priority/).fill("");
    await submit("Priority");
    await page.getByRole("row", { name: new RegExp(`${uri} priority`) }).waitFor({ state: "detached" });
    expect((await membersOf())[0]!.priority).toBeUndefined();
    expect((await admin().rekeys({ groupUri: GROUP, limit: 9 })).length).toBe(before);
  });

  it("gives a new key with a begin, an end and a text, shared with another group, and revokes those before it", async () => {
    const old = (await admin().gmks(GROUP)).at(-1)!.gmkId;
    await open("New key");
    await unfold("When, for whom, and why");
    await field(/^Senders use it from/).fill("2099-01-01T06:00:00");
    await field(/^It expires/).fill("2099-02-01T06:00:00");
    await field("Text for the members").fill("winter");
    await field(/^Other groups/).fill(OTHER);
    await field("are revoked once the members have it").check();
    await isClean();
    await submit("New key");
    const made = (await admin().gmks(GROUP)).find(({ text }) => text === "winter")!;
    const timeOf = (text: string) => page.evaluate((local) => Date.parse(local), text);
    expect(made).toMatchObject({
      groups: [OTHER, GROUP],
      activation: await timeOf("2099-01-01T06:00:00"),
      expiry: await timeOf("2099-02-01T06:00:00"),
    });
    const isRevoked = async () => {
      for (const { id } of await admin().rekeys({ groupUri: GROUP, limit: 20 })) {
        const waiting = await admin().deliveries(id, { state: "sealed", limit: 9 });
        await here.world.store.record(
          waiting.map(({ memberUri }) => ({ rekey: id, memberUri, state: "acknowledged" as const })),
        );
      }
      return (await admin().gmks(GROUP)).find(({ gmkId }) => gmkId === old)?.state;
    };
    await expect.poll(isRevoked, { timeout: 60_000 }).toBe("revoked");
  });

  it("keeps the key in use beside a new one", async () => {
    await open("New key");
    await unfold("When, for whom, and why");
    await field("stay in use beside it").check();
    await submit("New key");
    const live = (await admin().gmks(GROUP)).filter(({ state }) => state === "live");
    expect(live.length).toBe(2);
  });

  it("says what is wrong with a line of members, and does nothing", async () => {
    await open("Add members");
    await field(/^Members/).fill("sip:dan@home.example kms.home.example more");
    await dialog().getByRole("button", { name: "Add members" }).click();
    await dialog().getByText('"sip:dan@home.example kms.home.example more": expected an identity').waitFor();
    await dialog().getByRole("button", { name: "Cancel" }).click();
    expect(await membersOf()).toHaveLength(2);
  });

  it("revokes a user at the KMS alone, and reinstates them", async () => {
    await here.kms.enrol(["sip:ann@home.example"]);
    await showView(page, "Users");
    await open("Revoke sip:ann@home.example");
    await field(/^Reason/).fill("on leave");
    await submit("Revoke");
    await page.getByRole("row", { name: /sip:ann@.*revoked since .*on leave/ }).waitFor();
    expect(await here.kms.user("sip:ann@home.example")).toMatchObject({ reason: "on leave" });
    expect((await membersOf("sip:harbour@home.example")).map(({ uri }) => uri)).toContain(
      "sip:ann@home.example",
    );
    await open("Reinstate sip:ann@home.example");
    await submit("Reinstate");
    await page.getByRole("row", { name: /sip:ann@home.example enrolled/ }).waitFor();
    expect((await here.kms.user("sip:ann@home.example"))?.revokedAt).toBeUndefined();
  });

  it("makes new master keys from a key period on", async () => {
    await showView(page, "KMS");
    const rows = page.getByRole("region", { name: "Master keys", exact: true }).locator("tbody tr");
    await expect.poll(() => rows.count()).toBe(1);
    const { fromPeriod } = (await here.kms.masters())[0]!;
    await open("New master keys");
    await field(/^First key period/).fill(String(fromPeriod + 3));
    await isClean();
    await submit("New master keys");
    await rows.filter({ hasText: `from ${fromPeriod} to before ${fromPeriod + 3}` }).waitFor();
    await rows
      .filter({ hasText: `from ${fromPeriod + 3}` })
      .filter({ hasText: "valid" })
      .last()
      .waitFor();
    expect((await here.kms.masters()).map((master) => master.fromPeriod)).toEqual([
      fromPeriod,
      fromPeriod + 3,
    ]);
  });

  it("permits another KMS for the domains that are said, revokes its certificate, and takes it away", async () => {
    const { certificate } = here.world.away;
    const name = "away.xml";
    const mimeType = "text/xml";
    const file = {
      name,
      mimeType,
      buffer: Buffer.from(writeKmsCertificate({ ...certificate, certUri: "away:1" })),
    };
    await open("Permit another KMS");
    await field("File with its certificates").setInputFiles({ name, mimeType, buffer: Buffer.from("<no/>") });
    await dialog().getByRole("button", { name: "Permit another KMS" }).click();
    await expect.poll(() => dialog().getByRole("alert").innerText()).not.toBe("");
    expect((await here.kms.certificates()).others).toEqual([]);
    await field("File with its certificates").setInputFiles(file);
    await field(/^Domains/).fill("away.example");
    await field("Our users").selectOption("migration");
    await submit("Permit another KMS");
    const row = page.getByRole("row", { name: new RegExp(`${AWAY_KMS} migration .*away.example`) });
    await row.waitFor();
    await isClean();
    const [other] = (await here.kms.certificates()).others;
    expect(other).toMatchObject({
      kind: "migration",
      certificate: { kmsDomains: ["away.example"], role: "External" },
    });
    expect(other!.certificate.pubEncKey).toEqual(certificate.pubEncKey);
    await open("Make known now");
    await submit("Make known now");
    await page.getByText(`GMS and MCX server know ${AWAY_KMS}, `).waitFor();
    await open("Revoke certificate away:1");
    await submit("Revoke");
    await page.getByRole("row", { name: new RegExp(`${AWAY_KMS} migration, revoked`) }).waitFor();
    await open(`Remove ${AWAY_KMS}`);
    await submit("Remove");
    await page.getByRole("row", { name: new RegExp(AWAY_KMS) }).waitFor({ state: "detached" });
    expect((await here.kms.certificates()).others).toEqual([]);
  });

  it("saves a certificate of the KMS for the operators of others", async () => {
    const { certUri, kmsUri } = (await here.kms.certificates()).own[0]!;
    const saving = page.waitForEvent("download");
    await open(`Save certificate ${certUri}`);
    const download = await saving;
    expect(download.suggestedFilename()).toBe(`${kmsUri}.xml`);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe(
      writeKmsCertificate((await here.kms.certificates()).own[0]!),
    );
  });

  it("resets the time of messages, and says that it was right", async () => {
    await showView(page, "Servers");
    await open("Reset clock");
    await submit("Reset clock");
    await page.getByText("The time of messages was right").waitFor();
  });
});
