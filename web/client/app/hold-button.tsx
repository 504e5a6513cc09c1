/** A button to talk: held by mouse, touch or key. A click without a pointer, as of a screen reader, begins and ends a talk. */

const HOLD_KEYS = ["Space", "Enter"];
/** Whether a key holds a button. Where the focus goes meanwhile, the button is not told that the key is up. */
let isHeld = false;

interface HoldButtonProps {
  readonly class: string;
  readonly text: string;
  /** The name for screen readers, where the text alone does not say to whom. */
  readonly label?: string;
  readonly canTalk: boolean;
  /** The floor is there or asked for. */
  readonly isWanted: boolean;
  readonly begin: () => void;
  readonly release: () => void;
}

export function HoldButton(props: HoldButtonProps) {
  const { class: name, text, label, canTalk, isWanted, begin, release } = props;
  return (
    <button
      type="button"
      class={name}
      aria-label={label}
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
      onBlur={() => {
        if (isHeld) release();
        isHeld = false;
      }}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!HOLD_KEYS.includes(event.code)) return;
        event.preventDefault();
        if (event.repeat || !canTalk) return;
        isHeld = true;
        begin();
      }}
      onKeyUp={(event) => {
        if (!HOLD_KEYS.includes(event.code)) return;
        event.preventDefault();
        isHeld = false;
        release();
      }}
      onClick={(event) => {
        if (event.detail !== 0) return;
        if (isWanted) release();
        else if (canTalk) begin();
      }}
    >
      {text}
    </button>
  );
}
