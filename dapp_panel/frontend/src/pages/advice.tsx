// Before a training starts: what it would do, how rows are held back, and what should be looked at, each with its one-click fix.
import { useEffect, useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import type { Advice as Told, Fix, TrainRequest, ValidationGuess } from "../schema";
import { bySeverity } from "../words";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Badge, Bones, Card, Notice } from "../parts/surface";

export type Wish = Partial<TrainRequest>;

/** Where nothing else is wished for, rows are held back as it is suggested; what is found then is asked for under that. */
async function adviceFor(request: TrainRequest): Promise<Told> {
  const first = await call<Told>("models.advise", request);
  const suggested = first.validation.validation;
  if (request.validation || (suggested !== "time" && suggested !== "group")) return first;
  return call<Told>("models.advise", { ...request, validation: suggested });
}

/** What a training would do; asked again a moment after the wishes have changed. */
export function useAdvice(request: TrainRequest | null): { told: Told | null; trouble: Failure | null; asking: boolean } {
  const [told, setTold] = useState<Told | null>(null);
  const [trouble, setTrouble] = useState<Failure | null>(null);
  const [asking, setAsking] = useState(false);
  const key = JSON.stringify(request);
  useEffect(() => {
    if (!request) return undefined;
    let late = false;
    setAsking(true);
    const timer = setTimeout(() => {
      adviceFor(request)
        .then(
          (fresh) => {
            if (late) return;
            setTold(fresh);
            setTrouble(null);
          },
          (error: Failure) => !late && setTrouble(error),
        )
        .finally(() => !late && setAsking(false));
    }, 250);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [key]);
  return { told, trouble, asking };
}

interface AdviceProps {
  told: Told | null;
  trouble: Failure | null;
  asking: boolean;
  validation: TrainRequest["validation"];
  applied: Fix[];
  onApply: (fix: Fix) => void;
  onUndo: (fix: Fix) => void;
}

export function Advice({ told, trouble, asking, validation, applied, onApply, onUndo }: AdviceProps) {
  const raised = bySeverity((told?.guards ?? []).filter((each) => each.state !== "passed"));
  const passed = (told?.guards ?? []).length - raised.length;
  return (
    <Card title="Before it starts" note={trouble ? undefined : told?.sentence} flush>
      <div class={`advice ${asking ? "thinking" : ""}`} aria-live="polite">
        {trouble && (
          <div class="pad">
            <Notice tone="bad">{trouble.message}</Notice>
          </div>
        )}
        {!told && !trouble && (
          <div class="pad">
            <Bones lines={2} height={40} />
          </div>
        )}
        {told && !trouble && (
          <>
            <div class="pad stack" style={{ "--gap": "10px" }}>
              <SplitPicture guess={told.validation} chosen={validation ?? null} />
            </div>
            <ul class="lines">
              {raised.map((guard) => (
                <li key={guard.code} class={`finding in-card ${guard.state === "done" ? "info" : guard.severity === "alert" ? "alert" : "warning"}`}>
                  <Icon name={guard.state === "done" ? "info" : guard.severity === "alert" ? "alert" : "warn"} size={20} />
                  <div class="grow stack" style={{ "--gap": "8px" }}>
                    <p>{guard.sentence}</p>
                    {guard.fixes.length > 0 && (
                      <div class="row wrap" style={{ "--gap": "8px" }}>
                        {guard.fixes.map((fix, index) => (
                          <Button key={fix.code} small tone={index === 0 ? "plain" : "ghost"} title={fix.label} onClick={() => onApply(fix)}>
                            {format.cut(fix.label)}
                          </Button>
                        ))}
                      </div>
                    )}
                  </div>
                </li>
              ))}
            </ul>
            {passed > 0 && (
              <p class="pad small muted">
                {format.counted(passed, "check")} passed. Leaks, repeated rows and rare answers are looked for as soon as it starts.
              </p>
            )}
          </>
        )}
        {applied.length > 0 && (
          <div class="pad row wrap" style={{ "--gap": "8px" }}>
            {applied.map((fix) => (
              <span class="chip" key={fix.label}>
                <span class="chip-words">{fix.label}</span>
                <button type="button" class="chip-close" aria-label={`Undo: ${fix.label}`} onClick={() => onUndo(fix)}>
                  <Icon name="close" size={14} />
                </button>
              </span>
            ))}
          </div>
        )}
      </div>
    </Card>
  );
}

const WAYS: Record<string, string> = {
  random: "Rows picked at random are held back",
  stratified: "Rows picked at random are held back, each answer in its share",
  group: "Whole groups are held back, so that it is tested on ones that it has never met",
  time: "The latest rows are held back, so that it is tested on the future",
};

/** How rows are held back, drawn: what is learned from, what takes turns, what is locked away. */
export function SplitPicture({ guess, chosen }: { guess: ValidationGuess; chosen: string | null }) {
  const way = chosen ?? guess.validation;
  const folds = Math.max(1, guess.folds);
  const words = WAYS[way] ?? way;
  return (
    <figure class="split">
      <figcaption class="stack" style={{ "--gap": "4px" }}>
        <span>
          {words}. {chosen && chosen !== guess.validation ? <Badge>Your choice</Badge> : <Badge tone="accent">Suggested</Badge>}
        </span>
        <span class="small muted">
          {chosen && chosen !== guess.validation ? `Suggested: ${(WAYS[guess.validation] ?? guess.validation).toLowerCase()}. ${guess.reason}` : guess.reason}
        </span>
      </figcaption>
      <svg
        viewBox="0 0 400 44"
        class="split-picture"
        role="img"
        aria-label={`${words}; ${folds} parts take turns, one more is locked away`}
        preserveAspectRatio="none"
      >
        {way === "time" ? <Forward folds={folds} /> : <Turns folds={folds} scattered={way !== "group"} />}
      </svg>
      <p class="split-legend small muted">
        <span class="swatch part-learn" /> learns <span class="swatch part-check" /> takes turns at checking <span class="swatch part-lock" /> locked away for
        the scores
      </p>
    </figure>
  );
}

function Turns({ folds, scattered }: { folds: number; scattered: boolean }) {
  const cells = scattered ? 40 : 16;
  const wide = 400 / cells;
  // A fixed scatter: the picture is of a kind of split, not of these rows.
  const lot = (index: number) => (scattered ? (index * 7 + Math.floor(index / 5) * 3) % (folds + 1) : Math.floor((index * (folds + 1)) / cells));
  return (
    <>
      {Array.from({ length: cells }, (_, index) => (
        <rect
          key={index}
          x={index * wide + 0.5}
          y={0}
          width={wide - 1}
          height={44}
          rx={2}
          class={lot(index) === folds ? "part-lock" : lot(index) === 0 ? "part-check" : "part-learn"}
        />
      ))}
    </>
  );
}

function Forward({ folds }: { folds: number }) {
  const turns = Math.min(4, folds);
  const tall = 44 / turns;
  return (
    <>
      {Array.from({ length: turns }, (_, turn) => {
        const end = 320 * ((turn + 1) / (turns + 1));
        const next = 320 * ((turn + 2) / (turns + 1));
        return (
          <g key={turn}>
            <rect x={0} y={turn * tall + 0.5} width={end - 1} height={tall - 1} rx={2} class="part-learn" />
            <rect x={end} y={turn * tall + 0.5} width={next - end - 1} height={tall - 1} rx={2} class="part-check" />
          </g>
        );
      })}
      <rect x={322} y={0} width={78} height={44} rx={2} class="part-lock" />
    </>
  );
}
