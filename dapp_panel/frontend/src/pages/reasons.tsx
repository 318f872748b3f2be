// Why a model says what it says about one case: how far each column moves the answer from that for typical cases.
import * as format from "../format";
import type { Results, Reasons as Told } from "../schema";
import { targetKind } from "../words";

const SHOWN = 6;

export function Reasons({ of, results }: { of: Told; results: Results }) {
  const share = of.label.startsWith("Probability");
  const unit = results.target_column?.unit;
  const amount = (value: number) => (share ? format.percent(value) : format.amount(format.number(value), unit));
  const columns = new Map(results.features.map((each) => [each.name, each]));
  const moved = (value: number) =>
    `${value < 0 ? "−" : "+"}${share ? `${format.rough(Math.abs(value) * 100, 2)} points` : format.amount(format.rough(Math.abs(value), 3), unit)}`;
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
              <span class="clip small muted">
                {each.value === null ? "not known" : format.amount(format.cell(each.value, columns.get(each.column)?.kind), columns.get(each.column)?.unit)}
              </span>
            </span>
            <span class="bars-track two-sided" aria-hidden="true">
              <span class={`bars-fill ${each.effect < 0 ? "down" : "up"}`} style={{ width: `${Math.max(0.5, (Math.abs(each.effect) / most) * 50)}%` }} />
            </span>
            <span class="bars-text num">{moved(each.effect)}</span>
          </li>
        ))}
      </ul>
      <p class="small muted">
        {format.answers(of.label, targetKind(results))}: {amount(of.output)}; for typical cases {amount(of.base)}. A reason is not a cause.
      </p>
    </div>
  );
}
