/** The participants of the group's call, and which of them talks. */
import { user } from "./calls.ts";
import { shortName } from "./names.ts";
import { floor, group } from "./store.ts";

export function Present() {
  const present = group.value?.present;
  if (present === undefined) return null;
  const talker = floor.value?.state === "granted" ? user.value : floor.value?.talker;
  return (
    <section class="present" aria-label="In the call">
      <h2>In the call</h2>
      <ul>
        {present.map((uri) => (
          <li key={uri} class={uri === talker ? "talks" : undefined}>
            {shortName(uri)}
            {uri === user.value && " (you)"}
            {uri === talker && " talks"}
          </li>
        ))}
      </ul>
    </section>
  );
}
