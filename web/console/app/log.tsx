/** The audit logs of GMS and KMS, the newest first, with a search in the last thousands. */
import { useEffect, useState } from "preact/hooks";
import type { GmsAuditRecord } from "../../../store/gms/records.ts";
import type { AuditRecord } from "../../../store/kms/records.ts";
import { say } from "../../client/app/notice.ts";
import { api, askKms } from "./api.ts";
import { Table } from "./table.tsx";
import { errorText, timeText } from "./words.ts";

interface Entry {
  readonly key: string;
  readonly at: number;
  readonly server: string;
  readonly actor: string;
  readonly action: string;
  readonly of: string;
  readonly outcome: string;
  readonly detail: string;
}

/** Entries kept of each log, at most. */
const NEWEST = 5000;
const SHOWN = 200;

/** A log is told from any of its entries on, so its end is looked for first, by halves. */
async function newest<T>(ask: (after: number, limit: number) => Promise<T[]>): Promise<T[]> {
  const goesBeyond = async (id: number) => (await ask(id, 1)).length > 0;
  let low = 0;
  let high = NEWEST;
  while (await goesBeyond(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > NEWEST / 10) {
    const middle = Math.floor((low + high) / 2);
    if (await goesBeyond(middle)) low = middle;
    else high = middle;
  }
  return ask(Math.max(0, high - NEWEST), NEWEST);
}

async function load(): Promise<Entry[]> {
  const [gms, kms] = await Promise.all([
    newest(async (after, limit) => {
      const query = new URLSearchParams({ after: String(after), limit: String(limit) });
      return (await api<{ entries: GmsAuditRecord[] }>("GET", `/gms/v1/audit?${query}`)).entries;
    }),
    newest((after, limit) => askKms<AuditRecord[]>("auditLog", { after, limit })),
  ]);
  const detailOf = (code: string | undefined, detail: unknown) =>
    [code, detail && JSON.stringify(detail)].filter(Boolean).join(" ");
  return [
    ...gms.map(({ id, at, actor, action, groupUri, outcome, code, detail }) => ({
      ...{ key: `gms ${id}`, at, server: "GMS", actor, action, outcome },
      of: groupUri ?? "",
      detail: detailOf(code, detail),
    })),
    ...kms.map(({ id, at, actor, action, userUri, outcome, code, detail }) => ({
      ...{ key: `kms ${id}`, at, server: "KMS", actor, action, outcome },
      of: userUri ?? "",
      detail: detailOf(code, detail),
    })),
  ].sort((a, b) => b.at - a.at);
}

export function Log() {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [sought, setSought] = useState("");
  const look = () =>
    void load()
      .then(setEntries)
      .catch((error: unknown) => {
        say(errorText(error));
      });
  useEffect(look, []);
  const words = sought.toLowerCase().split(/\s+/);
  const found = entries.filter(({ key: _key, at: _at, ...texts }) => {
    const text = Object.values(texts).join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return (
    <>
      <div class="head">
        <h1>Audit log</h1>
        <div class="buttons">
          <label class="seek">
            Find
            <input type="search" value={sought} onInput={(event) => setSought(event.currentTarget.value)} />
          </label>
          <button type="button" onClick={look}>
            Load again
          </button>
        </div>
      </div>
      <p class="quiet" role="status">
        {found.length} of {entries.length} entries{found.length > SHOWN && `, the newest ${SHOWN}`}
      </p>
      <Table label="Entries" columns={["Time", "Server", "By", "Action", "Of", "Outcome", "Detail"]}>
        {found.slice(0, SHOWN).map(({ key, at, server, actor, action, of, outcome, detail }) => (
          <tr key={key}>
            <td>{timeText(at)}</td>
            <td>{server}</td>
            <td>{actor}</td>
            <td>{action}</td>
            <td>{of}</td>
            <td class={outcome === "ok" ? undefined : "bad"}>{outcome}</td>
            <td class="reason">{detail}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}
