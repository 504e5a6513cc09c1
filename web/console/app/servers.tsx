/** The servers: whether each can answer, the figures of its metrics, and plots of the last day. */
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { session } from "./api.ts";
import { health, notice, processes } from "./store.ts";
import { Table } from "./table.tsx";
import { errorText, span, timeText } from "./words.ts";

const NAMES = { kms: "KMS", gms: "GMS", mcx: "MCX server" } as const;
/** Octets and seconds of the process are the same for all servers in it. */
const FIGURE =
  /^(?:kms|gms|mcx)_|^(?:process_resident_memory_bytes|process_open_fds|nodejs_eventloop_lag_p99_seconds|sockets_connections)$/;

export function Servers() {
  return (
    <>
      <h1>Servers</h1>
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
      <LoadedPlots />
    </>
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

/** What draws plots is loaded when somebody looks at them. */
function LoadedPlots() {
  const [Plots, setPlots] = useState<FunctionComponent | undefined>(undefined);
  useEffect(() => {
    import("./plots.tsx")
      .then((loaded) => setPlots(() => loaded.Plots))
      .catch((error: unknown) => {
        notice.value = errorText(error);
      });
  }, []);
  return Plots === undefined ? null : <Plots />;
}

function figureText(name: string, value: number): string {
  if (name.endsWith("_bytes")) return `${(value / 1e6).toFixed(0)} MB`;
  if (name.endsWith("_seconds")) return `${value.toFixed(3)} s`;
  return value.toLocaleString();
}
