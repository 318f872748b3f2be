// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import { caretLeftIcon, caretRightIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { CaseView, ICaseLine } from '../model';
import { wording } from '../model';
import type { ColumnKind, PredictRead, Reasons } from '../schema';
import { Button, IconButton } from './kit';
import { Card } from './results';

/** Columns that are shown before the rest is folded away. */
const LARGE = 1e6;
const FIRST = 8;

/**
 * One row, what the model says about it, and why; every value can be changed.
 */
export function CaseCard(props: { view: CaseView; trans: TranslationBundle }): React.ReactElement {
  const { view, trans } = props;
  React.useEffect(() => {
    if (!view.answer && !view.isAsking) {
      void view.take(0);
    }
  }, [view]);
  return (
    <UseSignal signal={view.changed}>
      {() => (
        <Card
          title={trans.__('Why does it say so?')}
          hint={trans.__(
            'One row, and how far each column moves the answer. Change a value to see what it would say then.'
          )}
        >
          <div className="jp-Dapp-case">
            <Chooser view={view} trans={trans} />
            <Outcome view={view} trans={trans} />
            <Lines view={view} trans={trans} />
          </div>
        </Card>
      )}
    </UseSignal>
  );
}

function Chooser(props: { view: CaseView; trans: TranslationBundle }): React.ReactElement {
  const { view, trans } = props;
  const { row, total } = view;
  const [typed, setTyped] = React.useState<string | null>(null);
  return (
    <div className="jp-Dapp-case-chooser">
      <IconButton
        icon={caretLeftIcon}
        label={trans.__('The row before')}
        disabled={row === 0}
        onClick={() => void view.take(row - 1)}
      />
      <label className="jp-Dapp-field jp-mod-inline">
        <span>{trans.__('Row')}</span>
        <input
          type="number"
          min={0}
          max={Math.max(0, total - 1)}
          value={typed ?? row}
          onBlur={() => setTyped(null)}
          onChange={event => {
            setTyped(event.target.value);
            const wanted = Math.round(Number(event.target.value));
            if (event.target.value && wanted >= 0 && wanted < total) {
              void view.take(wanted);
            }
          }}
        />
      </label>
      <IconButton
        icon={caretRightIcon}
        label={trans.__('The next row')}
        disabled={row >= total - 1}
        onClick={() => void view.take(row + 1)}
      />
      {total > 0 && <span className="jp-Dapp-faint">{trans.__('of %1', wording.count(total))}</span>}
      {view.isChanged && <Button onClick={() => view.restore()}>{trans.__('As it was')}</Button>}
    </div>
  );
}

function Outcome(props: { view: CaseView; trans: TranslationBundle }): React.ReactElement {
  const { view, trans } = props;
  const { actual, answer, failure, results } = view;
  if (failure) {
    return (
      <div className="jp-Dapp-problem" role="alert">
        {wording.failureText(failure, trans)}
      </div>
    );
  }
  const [first] = answer?.predictions ?? [];
  if (!answer || !first) {
    return <p className="jp-Dapp-faint">{trans.__('Asking the model…')}</p>;
  }
  const kind = results.target_column?.kind;
  const said = shown(first.prediction, kind, trans);
  return (
    <div className={`jp-Dapp-case-outcome ${view.isAsking ? 'jp-mod-asking' : ''}`} aria-live="polite">
      <p className="jp-Dapp-case-answer">
        <span className="jp-Dapp-faint">{results.target}</span> {said}
        {first.probabilities && (
          <Likely probabilities={first.probabilities} answer={String(first.prediction)} />
        )}
      </p>
      {actual !== undefined && actual !== null && (
        <p className="jp-Dapp-faint">
          {view.isChanged
            ? trans.__('The row as it was is %1.', shown(actual, kind, trans))
            : trans.__('The table says %1.', shown(actual, kind, trans))}
        </p>
      )}
      {!first.reasons && view.isAsking ? (
        <p className="jp-Dapp-hint">{trans.__('Looking for the reasons…')}</p>
      ) : first.reasons ? (
        <p className="jp-Dapp-hint">{balance(first.reasons, view, trans)}</p>
      ) : (
        <p className="jp-Dapp-hint">
          {trans.__('This model was trained before reasons were kept. Train it anew to see them.')}
        </p>
      )}
      <Notes answer={answer} />
    </div>
  );
}

function Likely(props: { probabilities: Record<string, number>; answer: string }): React.ReactElement | null {
  const share = props.probabilities[props.answer];
  return share === undefined ? null : <span className="jp-Dapp-faint">{wording.percent(share)}</span>;
}

function Notes(props: { answer: PredictRead }): React.ReactElement {
  return (
    <>
      {props.answer.notes.map(note => (
        <p key={note} className="jp-Dapp-hint">
          {note}
        </p>
      ))}
    </>
  );
}

function Lines(props: { view: CaseView; trans: TranslationBundle }): React.ReactElement {
  const { view, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const { lines } = view;
  const reasons = view.answer?.predictions[0]?.reasons ?? null;
  // What moves a probability by less than a point is not drawn as if it decided.
  const most = Math.max(isShare(view) ? 0.01 : 1e-12, ...lines.map(each => Math.abs(each.effect ?? 0)));
  const drawn = isOpen ? lines : lines.slice(0, FIRST);
  return (
    <>
      <table className="jp-Dapp-case-lines">
        <thead>
          <tr>
            <th scope="col">{trans.__('Column')}</th>
            <th scope="col">{trans.__('Value')}</th>
            <th scope="col" colSpan={2}>
              {trans.__('Moves the answer')}
            </th>
          </tr>
        </thead>
        <tbody>
          {drawn.map(line => (
            <Line
              key={line.column.name}
              line={line}
              most={most}
              reasons={reasons}
              view={view}
              trans={trans}
            />
          ))}
        </tbody>
      </table>
      {lines.length > FIRST && (
        <button
          type="button"
          className="jp-Dapp-link"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? trans.__('Show less') : trans.__('Show all %1', lines.length)}
        </button>
      )}
    </>
  );
}

function Line(props: {
  line: ICaseLine;
  most: number;
  reasons: Reasons | null;
  view: CaseView;
  trans: TranslationBundle;
}): React.ReactElement {
  const { line, most, reasons, view, trans } = props;
  const { column, effect, isWrong, text } = line;
  const width = `${(Math.abs(effect ?? 0) / most) * 50}%`;
  return (
    <tr>
      <th scope="row" title={column.name}>
        {wording.columnLabel(column.name, column.unit)}
      </th>
      <td>
        <input
          type="text"
          value={text}
          placeholder={trans.__('not known')}
          aria-label={column.name}
          aria-invalid={isWrong}
          title={isWrong ? trans.__('A number is wanted here') : undefined}
          spellCheck={false}
          onChange={event => view.set(column.name, event.target.value)}
        />
      </td>
      <td className="jp-Dapp-case-track" aria-hidden="true">
        {effect !== null && effect !== 0 && (
          <span className={effect < 0 ? 'jp-mod-down' : 'jp-mod-up'} style={{ width }} />
        )}
      </td>
      <td className="jp-mod-number">{effect === null || !reasons ? '' : moved(effect, view, trans)}</td>
    </tr>
  );
}

/** Effects on a probability are told in points of a hundred. */
function moved(effect: number, view: CaseView, trans: TranslationBundle): string {
  if (effect === 0) {
    return '–';
  }
  const sign = effect < 0 ? '−' : '+';
  return isShare(view)
    ? trans.__('%1 points', `${sign}${(Math.abs(effect) * 100).toFixed(1)}`)
    : `${sign}${amount(Math.abs(effect), view)}`;
}

/** Of large amounts all are told in millions or billions, as the sentence above does. */
function amount(value: number, view: CaseView): string {
  const size = Math.abs(view.answer?.predictions[0]?.reasons?.output ?? 0);
  return size < LARGE ? wording.figure(value) : wording.figure(value, size);
}

function balance(reasons: Reasons, view: CaseView, trans: TranslationBundle): string {
  const told = (value: number): string => (isShare(view) ? wording.percent(value) : amount(value, view));
  return trans.__(
    '%1: %2; for typical rows %3. A reason is not a cause.',
    reasons.label,
    told(reasons.output),
    told(reasons.base)
  );
}

/** Of a class its probability is explained, of an amount the amount. */
function isShare({ results }: CaseView): boolean {
  return results.task !== 'regression';
}

function shown(value: unknown, kind: ColumnKind | undefined, trans: TranslationBundle): string {
  if (typeof value === 'number') {
    return Math.abs(value) < LARGE ? wording.figure(value) : wording.figure(value, value);
  }
  return wording.answer(value, kind, trans);
}
