/** The files of deploy/ and docs/metrics.md agree with the servers. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { selfSigned } from "../../cli/server/self-signed.ts";
import { createPrometheusMetrics as gmsMetrics } from "../../roles/gms/index.ts";
import { createPrometheusMetrics as kmsMetrics } from "../../roles/kms/index.ts";
import { metricsOf } from "../../roles/mcx/admin/metrics.ts";
import { admissionMetrics } from "../../roles/server/admission.ts";
import { certificateMetrics } from "../../roles/server/certificate-metrics.ts";
import { IssuerStates, issuerMetrics } from "../../roles/server/issuer-metrics.ts";
import { keyMetrics } from "../../roles/server/key-metrics.ts";
import { poolMetrics } from "../../roles/server/pool-metrics.ts";
import { processMetrics } from "../../roles/server/process-metrics.ts";
import { Admission } from "../../transport/admission/admission.ts";
import { runCli, temporaryFolder } from "../cli/run-cli.ts";
import { KAMAILIO } from "../sip/support/kamailio.ts";
import { describeWith } from "../support/foreign.ts";

/** Modules whose names are made at run time. */
const load = createRequire(import.meta.url);
const fileOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const read = (name: string) => readFileSync(fileOf(name), "utf8");

const namesIn = (text: string) => new Set(Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name!));

async function ownMetrics(): Promise<Set<string>> {
  const mcx = metricsOf({
    sessions: () => [],
    privateCalls: () => 0,
    videoCalls: () => 0,
    clients: () => [],
    totals: () => ({}),
    emergencies: () => [],
    onEmergency: () => () => undefined,
    calls: () => [],
    onCall: () => () => undefined,
  });
  const admission = admissionMetrics(new Admission());
  const texts = [
    await gmsMetrics().text(),
    await kmsMetrics().text(),
    await mcx.text(),
    await admission(),
    await certificateMetrics(undefined)(),
    await issuerMetrics(new IssuerStates())(),
    await keyMetrics({ period: () => 0, keys: () => 0, certificates: () => [] })(),
    await poolMetrics(() => undefined)(),
  ];
  return namesIn(texts.join("\n"));
}

/** Names of metrics in an expression of Prometheus. */
function used(text: string): Set<string> {
  const names = text.match(/\b(?:gms|kms|mcx|sockets|tls|token|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_bucket$/, "")));
}

it.each(["alerts.yml", "dashboard.json"])(
  "deploy/observability/%s asks for metrics that exist",
  async (name) => {
    const there = new Set([...(await ownMetrics()), ...namesIn(await processMetrics())]);
    const asked = used(read(`deploy/observability/${name}`));
    expect(asked.size).toBeGreaterThan(5);
    expect([...asked].filter((metric) => !there.has(metric))).toEqual([]);
  },
);

it("docs/metrics.md has every metric of the servers, and no other", async () => {
  const listed = Array.from(read("docs/metrics.md").matchAll(/^\| `([a-z_]+)` \|/gm), ([, name]) => name!);
  expect(listed.toSorted()).toEqual([...(await ownMetrics())].toSorted());
});

const UNITS = ["mikey-sakke.service", "mikey-sakke-gms@.service"];

it.for(UNITS)("deploy/systemd/%s has an exposure below 2.0 of 10", (name, context) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
    console.log(`skipped: ${name}: systemd-analyze is missing`);
    return context.skip();
  }
  const unit = fileOf(`deploy/systemd/${name}`);
  const run = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", unit], {
    encoding: "utf8",
  });
  const level = /Overall exposure level for \S+: ([\d.]+)/.exec(run.stdout)?.[1];
  expect(Number(level), run.stdout + run.stderr).toBeLessThan(2);
});

it("the systemd units of all servers and of further GMS processes have the same hardening", () => {
  const [one, other] = UNITS.map((name) => {
    const [, hardening] = read(`deploy/systemd/${name}`).split(/^UMask/m);
    return hardening!.replaceAll("/var/lib/mikey-sakke-gms-%i", "/var/lib/mikey-sakke");
  });
  expect(other).toBe(one);
});

/** `config check` of a configuration whose secrets are files of a folder of the test, in the environment that it has there. */
async function checked(
  config: string,
  secrets: string,
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  const folder = await temporaryFolder();
  const { certificate, key } = selfSigned(["localhost"], Date.now(), 1);
  await writeFile(join(folder, "tls.pem"), certificate);
  await writeFile(join(folder, "tls.key"), key);
  for (const [name, value] of Object.entries(environment)) {
    vi.stubEnv(name, value.replace(secrets, `${folder}/`));
  }
  await writeFile(join(folder, "database-url"), "postgresql://database.example.org/x");
  await writeFile(join(folder, "store-key"), "5a".repeat(32));
  for (const name of ["gms.token", "mcx.token"]) await writeFile(join(folder, name), "token");
  const file = join(folder, "config.json");
  await writeFile(file, config.replaceAll(secrets, `${folder}/`));
  const run = await runCli(["config", "check", "--config", file, "--data-dir", folder, "--json"]).finally(
    () => vi.unstubAllEnvs(),
  );
  const { servers } = run.json<{ servers: Record<string, unknown> }>();
  expect(run.status, run.stdout + run.stderr).toBe(0);
  return Object.keys(servers);
}

interface Compose {
  readonly services: Record<
    string,
    { command?: string[]; secrets?: string[]; volumes?: string[]; environment?: Record<string, string> }
  >;
  readonly secrets: Record<string, { file: string }>;
}

describe("deploy/compose", () => {
  const compose = parse(read("deploy/compose/compose.yaml"), { merge: true }) as Compose;
  const { services } = compose;

  it("has three GMS processes and their surroundings, and refers to nothing that is missing", () => {
    expect(Object.keys(services)).toEqual(["postgres", "servers", "gms-2", "gms-3", "kamailio"]);
    for (const { secrets = [], command = [] } of Object.values(services)) {
      expect(secrets.filter((name) => !(name in compose.secrets))).toEqual([]);
      const config = command.find((argument) => argument.startsWith("/config/"));
      if (config !== undefined) expect(existsSync(fileOf(`deploy/compose${config}`))).toBe(true);
    }
  });

  it("is valid for docker-compose", (context) => {
    if (spawnSync("docker-compose", ["version"]).status !== 0) {
      console.log("skipped: the form of compose.yaml: docker-compose is missing");
      return context.skip();
    }
    const run = spawnSync("docker-compose", ["--file", fileOf("deploy/compose/compose.yaml"), "config"], {
      encoding: "utf8",
    });
    expect(run.status, run.stderr).toBe(0);
  });

  it.each([
    ["servers", "servers.json", ["kms", "gms", "mcx", "console"]],
    ["gms-2", "gms.json", ["gms"]],
    ["gms-3", "gms.json", ["gms"]],
  ])("has %s, which passes config check with %s and reads existing secrets", async (of, name, servers) => {
    const config = read(`deploy/compose/config/${name}`);
    const service = services[of];
    expect(service!.command).toContain(`/config/${name}`);
    const used = Array.from(config.matchAll(/\/run\/secrets\/([\w.-]+)/g), ([, secret]) => secret!);
    expect(used.filter((secret) => !service!.secrets!.includes(secret))).toEqual([]);
    expect(await checked(config, "/run/secrets/", service!.environment!)).toEqual(servers);
  });
});

describeWith("Kamailio", KAMAILIO, "the Kamailio configuration of deploy/", () => {
  it("is valid for Kamailio, and leads to the processes of compose.yaml", () => {
    const run = spawnSync(KAMAILIO, ["-c", "-f", fileOf("deploy/compose/kamailio/kamailio.cfg")], {
      encoding: "utf8",
    });
    expect(run.status, run.stderr).toBe(0);
    const compose = read("deploy/compose/compose.yaml");
    const hosts = Array.from(
      read("deploy/compose/kamailio/servers.list").matchAll(/sip:([\d.]+):/g),
      ([, host]) => host!,
    );
    expect(hosts).toHaveLength(3);
    expect(hosts.filter((host) => !compose.includes(`ipv4_address: ${host}\n`))).toEqual([]);
  });
});

describe("deploy/kubernetes", () => {
  interface Resource {
    readonly apiVersion: string;
    readonly kind: string;
    readonly data?: Record<string, string>;
    readonly spec?: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
  }
  interface Container {
    readonly args: readonly string[];
    readonly env: readonly { readonly name: string; readonly value?: string }[];
  }
  const resources = parseAllDocuments(read("deploy/kubernetes/mikey-sakke.yaml")).map(
    (document) => document.toJS() as Resource,
  );

  it.each(resources.map((resource) => [`${resource.kind} of ${resource.apiVersion}`, resource] as const))(
    "has a %s that fits the schema of Kubernetes",
    (_, resource) => {
      const models = load(`kubernetes-models/${resource.apiVersion}/${resource.kind}`);
      const Model = models[resource.kind] as new (data: object) => { validate(): void };
      new Model(resource).validate();
      const wrong = new Model({ ...resource, metadata: { name: 7 } });
      expect(() => wrong.validate()).toThrow();
    },
  );

  it("has configurations that pass config check", async () => {
    const { data } = resources.find(({ kind }) => kind === "ConfigMap")!;
    const check = (name: string) => {
      const containers = resources
        .filter(({ kind }) => kind === "StatefulSet")
        .flatMap(({ spec }) => spec!.template.spec.containers);
      const { env } = containers.find(({ args }) => args.some((argument) => argument.endsWith(`/${name}`)))!;
      // The address of a pod stands in no file.
      const environment = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
      return checked(data![name]!, "/secrets/", Object.fromEntries(environment));
    };
    expect(await check("servers.json")).toEqual(["kms", "gms", "mcx", "console"]);
    expect(await check("gms.json")).toEqual(["gms"]);
  });
});
