/** The calls that are over and those that go on, the newest first: when each was, and who talked in it for how long. */
import { useState } from "preact/hooks";
import type { CallRecord } from "../../../roles/mcx/admin/metrics.ts";
import { pastCalls } from "./past-calls.ts";
import { hrefOf } from "./route.ts";
import { groups } from "./store.ts";
import { Table } from "./table.tsx";
import { shortName, span, timeText } from "./words.ts";

/** Drawn at a time. */
const SHOWN = 200;

export function CallHistory() {
  const [sought, setSought] = useState("");
  const names = new Map(groups.value?.map(({ uri, settings }) => [uri, settings.displayName]));
  const nameOf = ({ groupUri }: CallRecord) => names.get(groupUri) ?? groupUri;
  const all = [...pastCalls.value.values()].reverse();
  const found = all.filter((call) => {
    const texts = [nameOf(call), call.groupUri, ...call.talkers.map(({ user }) => user)];
    return texts.join(" ").toLowerCase().includes(sought.toLowerCase());
  });
  return (
    <>
      <div class="head">
        <h1>Call history</h1>
        <label class="seek">
          Find
          <input type="search" value={sought} onInput={(event) => setSought(event.currentTarget.value)} />
        </label>
      </div>
      <p class="quiet" role="status">
        {found.length} of {all.length} calls{found.length > SHOWN && `, the newest ${SHOWN}`}
      </p>
      <Table label="Calls" columns={["Group", "From", "To", "Participants", "Who talked"]}>
        {found.slice(0, SHOWN).map((call) => (
          <tr key={call.id}>
            <td>
              <a href={hrefOf("groups", call.groupUri)}>{nameOf(call)}</a>
            </td>
            <td>{timeText(call.from)}</td>
            <td>{call.to === undefined ? "goes on" : timeText(call.to)}</td>
            <td>{call.participants}</td>
            <td class="reason">{talkersText(call)}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

/** Names the talkers of a call, the one who talked last first. */
function talkersText({ talkers }: CallRecord): string {
  if (talkers.length === 0) return "nobody";
  return talkers
    .map(({ user, talks, ms }) => `${shortName(user)} ${span(ms)}${talks > 1 ? ` in ${talks} talks` : ""}`)
    .reverse()
    .join(", ");
}
