// Why a model says what it says about one case: how far each column moves the answer from that for typical cases.
import * as format from "../format";
import type { Reasons as Told } from "../schema";

const SHOWN = 6;

export function Reasons({ of }: { of: Told }) {
  const share = of.label.startsWith("Probability");
  const amount = (value: number) => (share ? format.percent(value) : format.number(value));
  const moved = (value: number) => `${value < 0 ? "−" : "+"}${share ? `${format.rough(Math.abs(value) * 100, 2)} points` : format.rough(Math.abs(value), 3)}`;
  const shown = of.reasons.filter((each) => each.effect !== 0).slice(0, SHOWN);
  const most = Math.max(1e-12, ...shown.map((each) => Math.abs(each.effect)));
  return (
    <div class="stack" style={{ "--gap": "10px" }}>
      <h3 class="small-title">Why?</h3>
      {shown.length === 0 && <p class="muted">No column moves the answer away from that for typical cases.</p>}
      <ul class="bars reasons">
        {shown.map((each) => (
          <li key={each.column}>
            <span class="bars-name" title={each.column}>
              <span class="clip">{each.column}</span>
              <span class="clip small muted">{each.value === null ? "not known" : format.cell(each.value)}</span>
            </span>
            <span class="bars-track two-sided" aria-hidden="true">
              <span class={`bars-fill ${each.effect < 0 ? "down" : "up"}`} style={{ width: `${Math.max(0.5, (Math.abs(each.effect) / most) * 50)}%` }} />
            </span>
            <span class="bars-text num">{moved(each.effect)}</span>
          </li>
        ))}
      </ul>
      <p class="small muted">
        {format.answers(of.label)}: {amount(of.output)}; for typical cases {amount(of.base)}. A reason is not a cause.
      </p>
    </div>
  );
}
