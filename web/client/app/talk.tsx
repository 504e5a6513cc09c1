/** Hold to talk: by mouse, touch or key. A click without a pointer, as of a screen reader, begins and ends a talk. */
import { shortName } from "./names.ts";
import { floor, group, left, microphone, press, release, talkKey, user } from "./store.ts";

const TYPING = "input, textarea, select, button, [contenteditable]";

/** The key is held anywhere on the page but where keys have a meaning of their own. */
export function listenForKey(): void {
  addEventListener("keydown", (event) => {
    const { code, target, repeat } = event;
    if (code !== talkKey.value || user.value === undefined) return;
    if (target instanceof Element && target.matches(TYPING)) return;
    event.preventDefault();
    if (!repeat) press();
  });
  addEventListener("keyup", ({ code }) => code === talkKey.value && release());
}

export function Talk() {
  const state = floor.value?.state ?? "idle";
  const isTalking = state === "granted";
  return (
    <section class="talk" aria-label="Talk">
      <HoldButton class={`hold ${state}`} text={isTalking ? "Talking" : "Hold to talk"} />
      <p class="floor" role="status">
        {floor.value?.isEmergency && <strong class="emergency">Emergency. </strong>}
        {floorText()}
      </p>
      {left.value !== undefined && <p class="quiet">{left.value} s left</p>}
      <HoldButton class="alarm" text="Emergency: hold to talk" isEmergency />
    </section>
  );
}

const HOLD_KEYS = ["Space", "Enter"];

interface HoldButtonProps {
  readonly class: string;
  readonly text: string;
  readonly isEmergency?: boolean;
}

function HoldButton({ class: name, text, isEmergency = false }: HoldButtonProps) {
  const state = floor.value?.state ?? "idle";
  const isWanted = state === "granted" || state === "pending" || state === "queued";
  const canTalk =
    microphone.value === "on" && group.value?.key !== undefined && group.value.call === "joined";
  const begin = () => canTalk && press(isEmergency);
  return (
    <button
      type="button"
      class={name}
      aria-pressed={isWanted}
      aria-disabled={!canTalk}
      onPointerDown={(event) => {
        if (event.button !== 0 || !canTalk) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        begin();
      }}
      onPointerUp={release}
      onPointerCancel={release}
      onLostPointerCapture={release}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!HOLD_KEYS.includes(event.code)) return;
        event.preventDefault();
        if (!event.repeat) begin();
      }}
      onKeyUp={(event) => {
        if (!HOLD_KEYS.includes(event.code)) return;
        event.preventDefault();
        release();
      }}
      onClick={(event) => {
        if (event.detail !== 0) return;
        if (isWanted) release();
        else begin();
      }}
    >
      {text}
    </button>
  );
}

function floorText(): string {
  const now = floor.value;
  if (microphone.value !== "on") return "You listen only.";
  switch (now?.state) {
    case "granted":
      return "Everybody hears you.";
    case "pending":
      return "Asking for the floor …";
    case "queued":
      return `In the queue, place ${now.position ?? "?"}: ${who(now.talker)} talks.`;
    case "releasing":
      return "Giving back the floor …";
    case "taken":
      return `${who(now.talker)} talks.`;
    default:
      return "Nobody talks.";
  }
}

function who(talker: string | undefined): string {
  return talker === undefined ? "Somebody" : shortName(talker);
}
