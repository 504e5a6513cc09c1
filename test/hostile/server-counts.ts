/** Reads what the servers say that they took, on their listeners for operators. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerProcess } from "./server.ts";

export interface ServerCounts {
  /** SUBSCRIBEs that were granted. */
  readonly subscribed: number;
  /** PUBLISHs that brought a CSK, and such as renewed a binding. */
  readonly bound: number;
  readonly joined: number;
  /** Short data that was taken for a group. */
  readonly sent: number;
  /** Short data that a client did not take, or whose answer did not come. */
  readonly notBrought: number;
  readonly bindings: readonly string[];
  readonly participants: readonly string[];
  /** Refusals of the MCX server by code, and of the GMS's SUBSCRIBEs. */
  readonly refusals: Readonly<Record<string, number>>;
}

export async function serverCounts({ adminUrl, mcxAdminUrl, dataDir }: ServerProcess): Promise<ServerCounts> {
  const { token } = JSON.parse(await readFile(join(dataDir, "mcx-admin.json"), "utf8")) as { token: string };
  const mcx = samplesOf(await text(new URL("/metrics", mcxAdminUrl)));
  const gms = samplesOf(await text(new URL("/metrics", adminUrl)));
  const json = async (name: string) =>
    JSON.parse(await text(new URL(`/mcx/v1/${name}`, mcxAdminUrl), token)) as {
      clients?: string[];
      sessions?: { participants: string[] }[];
    };
  const event = (name: string) => mcx.get(`mcx_events_total{event="${name}"}`) ?? 0;
  const refusals: Record<string, number> = {};
  for (const [name, value] of [...mcx, ...gms]) {
    const code =
      /^mcx_events_total\{event="(refused_\w+)"\}$/.exec(name)?.[1] ??
      /^gms_subscribes_total\{code="(\w+)"\}$/.exec(name)?.[1];
    if (code !== undefined && code !== "ok") refusals[code] = value;
  }
  return {
    subscribed: gms.get('gms_subscribes_total{code="ok"}') ?? 0,
    bound: event("csk_uploaded") + event("binding_refreshed"),
    joined: event("call_joined"),
    sent: event("mcdata_taken"),
    notBrought: event("mcdata_failed"),
    bindings: [...((await json("clients")).clients ?? [])].sort(),
    participants: ((await json("sessions")).sessions ?? [])
      .flatMap(({ participants }) => participants)
      .sort(),
    refusals,
  };
}

/** Lines of the exposition format: name with its labels, and value. */
function samplesOf(exposition: string): Map<string, number> {
  const samples = exposition.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line): [string, number] => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

async function text(url: URL, token?: string): Promise<string> {
  const answer = await fetch(
    url,
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}
