/** Values of the options of group and client commands. */
import { describe, expect, it } from "vitest";
import { eventLine } from "../../../cli/device/events.ts";
import { knownServers } from "../../../cli/device/known-servers.ts";
import { sipServer } from "../../../cli/device/sip.ts";
import { membersOf, settingsOf } from "../../../cli/gms/group-options.ts";
import { durationOption, durationText } from "../../../cli/terminal/durations.ts";
import { startStatus } from "../../../cli/terminal/progress.ts";
import { refusedKeys } from "../../../roles/gms/common/refused-keys.ts";
import type { GroupClientEvent } from "../../../roles/group-keys/index.ts";
import { runCli } from "../run-cli.ts";

async function* nothing(): AsyncGenerator<Uint8Array> {}

describe("a time span on the command line", () => {
  it.each([
    ["90s", 90_000],
    ["5m", 300_000],
    ["12h", 43_200_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
  ])("%s is accepted", (text, ms) => {
    expect(durationOption(text, "--x")).toBe(ms);
    expect(durationOption(durationText(ms), "--x")).toBe(ms);
  });

  it.each(["", "0s", "7", "7y", "-1d", "1.5h", "never"])("%j is refused", (text) => {
    expect(() => durationOption(text, "--x")).toThrow(expect.objectContaining({ code: "BAD_DURATION" }));
  });
});

describe("the SIP address of a server on the command line", () => {
  it.each([
    ["sip:gms.example.org", "udp", "gms.example.org", 5060, "sip:gms.example.org:5060"],
    ["sip:gms@10.0.0.1:5070;transport=tcp", "tcp", "10.0.0.1", 5070, "sip:10.0.0.1:5070;transport=tcp"],
    ["sip:[::1]:5061;transport=tls", "tls", "::1", 5061, "sip:[::1]:5061;transport=tls"],
    ["sips:gms.example.org", "tls", "gms.example.org", 5061, "sips:gms.example.org:5061"],
    ["ws://gms.example.org", "ws", "gms.example.org", 80, "sip:gms.example.org:80;transport=ws"],
    ["wss://gms.example.org:8443", "wss", "gms.example.org", 8443, "sip:gms.example.org:8443;transport=ws"],
  ])("%s is accepted", (text, way, host, port, uri) => {
    expect(sipServer(text, "--sip")).toEqual({ way, host, port, uri });
  });

  it.each(["", "gms.example.org", "https://gms", "sip:", "sip:h;transport=sctp", "sip:h:x"])(
    "%j is refused",
    (text) => {
      expect(() => sipServer(text, "--sip")).toThrow(expect.objectContaining({ code: "BAD_SIP_URI" }));
    },
  );

  it("is by default a transport of this machine's servers", () => {
    const running = {
      kmsUri: "k",
      kmsUrl: "https://k",
      gmsUri: "sip:g",
      xcapRoot: "https://g/xcap",
      sip: { udp: "sip:127.0.0.1:1;transport=udp", wss: "wss://127.0.0.1:2" },
      ca: "tls.crt",
    };
    expect(knownServers({}, running)).toMatchObject({ kmsUrl: "https://k", sip: { way: "udp", port: 1 } });
    expect(knownServers({ sip: "wss" }, running)).toMatchObject({ sip: { way: "wss", port: 2 } });
    expect(knownServers({ gmsUri: "sip:other", ca: "x" }, running)).toMatchObject({
      gmsUri: "sip:other",
      ca: "x",
    });
    expect(() => knownServers({ kmsUrl: "https://k" }, undefined)).toThrow(
      expect.objectContaining({ code: "NO_SERVER" }),
    );
  });
});

describe("the members and settings of a group command", () => {
  it("that are named are of one kind and one KMS", async () => {
    const args = { kind: "mcx-server", memberKms: "kms.away.example" } as const;
    expect(await membersOf(["sip:mix@example.org"], args, nothing())).toEqual([
      { uri: "sip:mix@example.org", kind: "mcx-server", kmsUri: "kms.away.example" },
    ]);
    expect(settingsOf({ rekeyEvery: "1d", gmkLifetime: "never", rekeyOnAdd: false })).toEqual({
      rekeyEveryMs: 86_400_000,
      gmkLifetimeMs: 0,
      rekeyOnAdd: false,
    });
  });

  it.each([
    [["group", "add", "sip:g@example.org"], "NO_MEMBER"],
    [["group", "add", "sip:g@example.org", "sip:a@b", "sip:a@b"], "DUPLICATE_URI"],
    [["group", "create", "a b"], "BAD_URI"],
    [["group", "set", "sip:g@example.org"], "NO_SETTING"],
    [["group", "set", "sip:g@example.org", "--rekey-every", "often"], "BAD_DURATION"],
    [["group", "revoke", "054aebXX"], "BAD_KEY_ID"],
    [["group", "rekey", "sip:g@example.org", "--activation", "soon"], "BAD_TIME"],
    [["client", "run", "--user", "sip:a@b"], "NO_SERVER"],
    [["client", "run", "--user", "sip:a@b", "--kms-url", "https://k", "--gms-uri", "sip:g"], "NO_SERVER"],
  ])("%j end the command with 2", async (args, code) => {
    const run = await runCli([...args, "--json"]);
    expect(run.status).toBe(2);
    expect(run.json<{ code: string }>().code).toBe(code);
  });
});

it.each([
  [0, "this user held no key"],
  [1, "every other member refuses the one key that this user held"],
  [2, "every other member refuses the 2 keys that this user held"],
])("user lost says what became of %i keys", (count, text) => {
  expect(refusedKeys(count)).toBe(text);
});

describe("a device prints of a key", () => {
  const key = {
    ...{ gmkId: 0x054aeb01, gukId: 0x054aeb02, groups: ["sip:fire@example.org"], text: "" },
    ...{ activation: 0, expiry: undefined },
  };

  it.each([
    [
      { type: "key", change: "added", key: { ...key, state: "active" } },
      "added  GMK 054aeb01 of sip:fire@example.org: active",
    ],
    [
      { type: "key", change: "revoked", key: { ...key, state: "revoked" } },
      "revoked  GMK 054aeb01 of sip:fire@example.org",
    ],
    [
      { type: "key", change: "revoked", key: { ...key, state: "revoked", groups: [], text: "lost" } },
      'revoked  GMK 054aeb01: "lost"',
    ],
    [
      { type: "key-state", key: { ...key, state: "expired" } },
      "expired  GMK 054aeb01 of sip:fire@example.org",
    ],
  ] as unknown as [GroupClientEvent, string][])(
    "what has happened, and its state only where that is another: %j",
    (event, line) => {
      expect(eventLine(event)).toBe(line);
    },
  );
});

it("the status line redraws itself on a terminal, and is a line for each change elsewhere", () => {
  const shown = (isTTY: boolean) => {
    const written: string[] = [];
    const line = startStatus({ write: (text) => written.push(text), isTTY, columns: 10 });
    for (const one of ["a", "a", "a long status line"]) line.show(one);
    line.end();
    return written.join("");
  };
  expect(shown(false)).toBe("a\na long status line\n");
  expect(shown(true)).toBe("\r\x1b[Ka\r\x1b[Ka long st\n");
});
