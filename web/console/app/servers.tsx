/** The servers: whether each can answer, the figures of its metrics, and plots of the last day. */
import { say } from "../../client/app/notice.ts";
import { session } from "./api.ts";
import { AskButton } from "./dialog.tsx";
import { Loaded } from "./loaded.tsx";
import { change, health, processes } from "./store.ts";
import { Table } from "./table.tsx";
import { span, timeText } from "./words.ts";

const NAMES = { kms: "KMS", gms: "GMS", mcx: "MCX server" } as const;
/** Octets and seconds of the process are the same for all servers in it. */
const FIGURE =
  /^(?:kms|gms|mcx)_|^(?:process_resident_memory_bytes|process_open_fds|nodejs_eventloop_lag_p99_seconds|sockets_connections)$/;

export function Servers() {
  return (
    <>
      <div class="head">
        <h1>Servers</h1>
        <ResetClock />
      </div>
      <ul class="cards">
        {health.value.map(({ server, ok, detail, figures }) => (
          <li key={server} class="card">
            <h2>{NAMES[server]}</h2>
            <span class="quiet">{session.value?.identities[server]}</span>
            <span class={ok ? "good" : "bad"}>
              {[ok ? "ready" : "not ready", detail].filter(Boolean).join(", ")}
            </span>
            <dl class="facts">
              {Object.entries(figures)
                .filter(([name]) => FIGURE.test(name))
                .map(([name, value]) => (
                  <div key={name} class="fact">
                    <dt>{name.replace(/_/g, " ")}</dt>
                    <dd>{figureText(name, value)}</dd>
                  </div>
                ))}
            </dl>
          </li>
        ))}
      </ul>
      <Processes />
      <Loaded load={loadPlots} />
    </>
  );
}

function ResetClock() {
  return (
    <AskButton
      text="Reset clock"
      title="Let the time of messages go on from the database's clock?"
      act={async () => {
        const { ahead, groups } = await change.resetClock();
        say(
          ahead === 0
            ? "The time of messages was right"
            : [
                `The time of messages was ${ahead} s ahead`,
                ...(groups.length > 0 ? [`give a new key to ${groups.join(", ")}`] : []),
              ].join(": "),
        );
      }}
    >
      <p>
        For when the clock of the database was ahead for a while and is right again. Until then the GMS sends
        nothing (CLOCK_AHEAD).
      </p>
    </AskButton>
  );
}

/** Clocks further apart than this are worth a look. */
const CLOCK_MS = 1000;

function Processes() {
  if (processes.value.length === 0) return null;
  return (
    <section aria-label="Processes">
      <h2>Processes</h2>
      <Table
        label="Processes of GMS and MCX server"
        columns={["Process", "Server", "State", "Clock", "Up for", "Last report"]}
        wide={["Last report"]}
      >
        {processes.value.map(({ server, name, since, seenAt, clockAhead, fault }) => (
          <tr key={`${server} ${name}`}>
            <th scope="row">{name}</th>
            <td>{NAMES[server]}</td>
            <td class={fault === undefined ? "good" : "bad"}>{fault ?? "ready"}</td>
            <td class={Math.abs(clockAhead) < CLOCK_MS ? undefined : "bad"}>{clockText(clockAhead)}</td>
            <td>{span(Math.max(0, seenAt - since))}</td>
            <td class="wide">{timeText(seenAt)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

/** Against the clock of the database. */
function clockText(ahead: number): string {
  const off = Math.round(ahead);
  return off === 0 ? "right" : `${Math.abs(off)} ms ${off > 0 ? "ahead" : "behind"}`;
}

const loadPlots = async () => (await import("./plots.tsx")).Plots;

function figureText(name: string, value: number): string {
  if (name.endsWith("_bytes")) return `${(value / 1e6).toFixed(0)} MB`;
  if (name.endsWith("_seconds")) return `${value.toFixed(3)} s`;
  return value.toLocaleString();
}
