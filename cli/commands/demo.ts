/** `demo`: the main job in one go, with figures. */
import type { Command } from "commander";
import type { DemoResult, Step } from "../demo/report.ts";
import type { Context, Runner } from "../terminal/command.ts";
import { EXIT, type ExitStatus } from "../terminal/exit-status.ts";
import { nextStep } from "../terminal/hints.ts";
import { integerOption } from "../terminal/options.ts";
import { describeError, table } from "../terminal/output.ts";

interface Options {
  members: string;
}

export function registerDemo(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "demo",
    {
      summary: "servers and a whole group on this machine in one go, with figures",
      description:
        "Start a KMS, a GMS and an MCX server on loopback, in a folder that goes with them, and the members of a group as " +
        "clients with sockets of their own: half over SIP (UDP and TCP), half over HTTPS. They get their keys, then the key " +
        "of the group, a new one, and one without a member who is removed. Under that key one member talks and all others " +
        "hear it, and short data goes to all; in another group the server mixes two members who talk at once. Then the key " +
        "is revoked. Fails if anything is not as it must be. The speed of this machine is reported and fails nothing.",
      example: "mikey-sakke demo --members 200",
    },
    (command) => command.option("--members <n>", "members of the group", "200"),
    demo,
  );
}

async function demo({ output }: Context, options: Options): Promise<ExitStatus> {
  const members = integerOption(options.members, "--members", 3, 2000);
  const { load } = await import("../../bindings/core/core.ts");
  const { runScenario } = await import("../demo/scenario.ts");
  const started = performance.now();
  const core = await load();
  try {
    const result = await runScenario(core, members, (label, total) => output.progress(label, total));
    const seconds = (performance.now() - started) / 1000;
    const { failure, ...found } = result;
    output.result(
      {
        status: failure === undefined ? "ok" : "failed",
        seconds: round(seconds, 2),
        ...found,
        steps: found.steps.map((step) => ({ ...step, ms: round(step.ms, 1), perSecond: rate(step) })),
        checks: found.checks.map((check) => ({ ...check })),
        measures: found.measures.map((measure) => ({ ...measure })),
        ...(failure !== undefined && { failure: describeError(failure), next: nextStep(failure) }),
      },
      () => [
        "",
        ...tablesOf(result),
        "",
        `${failure === undefined ? "Everything" : "Not everything"} is as it must be. ` +
          `The demo took ${seconds.toFixed(1)} s.`,
      ],
    );
    if (failure === undefined) return EXIT.accepted;
    if (!output.json) output.error(failure);
    return EXIT.refused;
  } finally {
    core.destroy();
  }
}

function tablesOf({ members, sip, http, gmkIds, steps, checks, measures }: DemoResult): string[] {
  const parts = [
    [
      `Group of ${members}: ${sip} over SIP (UDP and TCP), ${http} over HTTPS. GMK-IDs ${gmkIds.join(", ") || "none"}.`,
    ],
    table([
      ["step", "members", "time", "each", "rate"],
      ...steps.map((step) => [
        step.name,
        step.count === 1 ? "" : String(step.count),
        `${(step.ms / 1000).toFixed(2)} s`,
        step.count === 1 ? "" : `${(step.ms / step.count).toFixed(1)} ms`,
        step.count === 1 ? "" : `${rate(step)}/s`,
      ]),
    ]),
    checks.length === 0
      ? []
      : table([
          ["what members have", "have it", "of"],
          ...checks.map(({ what, held, of }) => [what, String(held), String(of)]),
        ]),
    measures.map(
      ({ what, held, of, note }) => `${what}: ${held} of ${of}${note === undefined ? "" : ` (${note})`}`,
    ),
  ];
  return parts.filter((part) => part.length > 0).flatMap((part, i) => (i === 0 ? part : ["", ...part]));
}

function rate({ count, ms }: Step): number {
  return Math.round((1000 * count) / ms);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
