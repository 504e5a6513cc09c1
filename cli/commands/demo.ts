/** `demo`: the main job in one go, with figures. */
import type { Command } from "commander";
import type { Context, Runner } from "../command.ts";
import type { Step } from "../demo/clock.ts";
import { integerOption } from "../options.ts";
import { EXIT, type ExitStatus, table } from "../output.ts";

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
        "of the group, a new one, and one without a member who is removed. Under that key one talks, all others hear it, and " +
        "short data goes to all; in another group the server mixes two who talk. Then the key is revoked. Fails if anything " +
        "is not as it must be.",
      example: "mikey-sakke demo --members 200",
    },
    (command) => command.option("--members <n>", "members of the group", "200"),
    demo,
  );
}

async function demo({ output }: Context, options: Options): Promise<ExitStatus> {
  const members = integerOption(options.members, "--members", 3, 2000);
  const { load } = await import("../../bindings/core.ts");
  const { runScenario } = await import("../demo/scenario.ts");
  const started = performance.now();
  const core = await load();
  try {
    const result = await runScenario(core, members, (label, total) => output.progress(label, total));
    const seconds = (performance.now() - started) / 1000;
    const { steps, checks, sip, http, gmkIds } = result;
    output.result(
      {
        status: "ok",
        seconds: round(seconds, 2),
        ...result,
        steps: steps.map((step) => ({ ...step, ms: round(step.ms, 1), perSecond: rate(step) })),
        checks: checks.map((check) => ({ ...check })),
      },
      () => [
        "",
        `Group of ${members}: ${sip} over SIP (UDP and TCP), ${http} over HTTPS. GMK-IDs ${gmkIds.join(", ")}.`,
        "",
        ...table([
          ["step", "members", "time", "each", "rate"],
          ...steps.map((step) => [
            step.name,
            step.count === 1 ? "" : String(step.count),
            `${(step.ms / 1000).toFixed(2)} s`,
            step.count === 1 ? "" : `${(step.ms / step.count).toFixed(1)} ms`,
            step.count === 1 ? "" : `${rate(step)}/s`,
          ]),
        ]),
        "",
        ...table([
          ["what members have", "have it", "of"],
          ...checks.map(({ what, held, of }) => [what, String(held), String(of)]),
        ]),
        "",
        `All as it must be, in ${seconds.toFixed(1)} s.`,
      ],
    );
    return EXIT.accepted;
  } finally {
    core.destroy();
  }
}

function rate({ count, ms }: Step): number {
  return Math.round((1000 * count) / ms);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
