/** Emergency calls: those that nobody has acknowledged stand above every view, with a sound. */
import { computed } from "@preact/signals";
import { say } from "../../client/app/notice.ts";
import { canSound, isSoundOn, soundWhile, switchSound } from "./alarm-sound.ts";
import { hrefOf } from "./route.ts";
import { alarms, change } from "./store.ts";
import { errorText, shortName, timeText } from "./words.ts";

const open = computed(() => alarms.value.filter(({ acknowledged }) => acknowledged === undefined));

/** Sounds while an alarm is open, for as long as the page lives. */
export function soundAlarms(): void {
  soundWhile(() => open.value.length > 0);
}

function acknowledge(id: number): void {
  change.acknowledge(id).catch((error: unknown) => {
    say(errorText(error));
  });
}

export function Alarms() {
  return (
    <section class="alarms" aria-label="Emergency calls" role="alert" hidden={open.value.length === 0}>
      {open.value.map(({ id, user, groupUri, at }) => (
        <article key={id} aria-label={`Emergency call of ${user}`}>
          <h2>Emergency: {shortName(user)}</h2>
          <p>
            {user} calls <a href={hrefOf("groups", groupUri)}>{groupUri}</a> since {timeText(at)}
          </p>
          <button
            type="button"
            class="main"
            aria-label={`Acknowledge emergency call of ${user}`}
            onClick={() => acknowledge(id)}
          >
            Acknowledge
          </button>
        </article>
      ))}
    </section>
  );
}

/** The emergency calls of before, with who acknowledged them. */
export function PastAlarms() {
  const past = alarms.value.filter(({ acknowledged }) => acknowledged !== undefined).reverse();
  return (
    <section aria-label="Acknowledged emergency calls">
      <div class="head">
        <h2>Emergency calls</h2>
        <button type="button" aria-pressed={isSoundOn.value} onClick={switchSound}>
          Alarm sound
        </button>
      </div>
      {isSoundOn.value && !canSound.value && (
        <p class="quiet">The browser allows sound once you have clicked or pressed a key in this page.</p>
      )}
      {past.length === 0 && <p>No emergency call has been acknowledged.</p>}
      <ul>
        {past.map(({ id, user, groupUri, at, acknowledged }) => (
          <li key={id}>
            {timeText(at)}: {user} in {groupUri}, acknowledged by {acknowledged!.by} at{" "}
            {timeText(acknowledged!.at)}
          </li>
        ))}
      </ul>
    </section>
  );
}
