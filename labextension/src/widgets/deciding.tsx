// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { Deciding, DecidingField, IEffect } from '../model';
import { wording } from '../model';
import type { PolicyBasis } from '../schema';
import { EffectChart } from './charts';
import type { IContext } from './context';
import { insertIcon } from './icons';
import { Button } from './kit';
import { Card } from './results';

interface IProps {
  view: Deciding;
  trans: TranslationBundle;
}

/**
 * Where the line lies between yes and no: the choice, what it does to a thousand cases, and how to keep it.
 */
export function DecidingCard(props: {
  context: IContext;
  view: Deciding;
  mayKeep: boolean;
}): React.ReactElement {
  const { context, mayKeep, view } = props;
  const { trans } = context;
  React.useEffect(() => void view.load(), [view]);
  return (
    <UseSignal signal={view.changed}>
      {() => (
        <Card
          title={trans.__('When is it “%1”?', positiveName(view, trans))}
          hint={trans.__(
            "The model gives a probability. Where the line lies is your decision, not the model's."
          )}
        >
          <div className="jp-Dapp-deciding">
            <div className="jp-Dapp-deciding-choice">
              <Choice view={view} trans={trans} />
              <Fields view={view} trans={trans} />
              <Verdict view={view} trans={trans} />
              <Keep context={context} view={view} mayKeep={mayKeep} />
            </div>
            <Chart view={view} trans={trans} />
          </div>
        </Card>
      )}
    </UseSignal>
  );
}

function Choice(props: IProps): React.ReactElement {
  const { view, trans } = props;
  const name = React.useId();
  const choices: [PolicyBasis, string, string][] = [
    ['cost', trans.__('By cost'), trans.__('What each mistake costs')],
    ['capacity', trans.__('By capacity'), trans.__('How many can be looked at')],
    ['value', trans.__('By hand'), trans.__('Set the probability')]
  ];
  return (
    <div className="jp-Dapp-segments" role="radiogroup" aria-label={trans.__('How to choose')}>
      {choices.map(([basis, label, title]) => (
        <label key={basis} title={title}>
          <input
            type="radio"
            name={name}
            checked={view.basis === basis}
            onChange={() => view.choose(basis)}
          />
          <span>{label}</span>
        </label>
      ))}
    </div>
  );
}

function Fields(props: IProps): React.ReactElement {
  const { view, trans } = props;
  const positive = positiveName(view, trans);
  switch (view.basis) {
    case 'cost':
      return (
        <div className="jp-Dapp-deciding-fields">
          <Field
            {...props}
            name="falseAlarm"
            label={trans.__('A false alarm costs')}
            hint={trans.__('Named “%1”, but it is not', positive)}
          />
          <Field
            {...props}
            name="missed"
            label={trans.__('A missed case costs')}
            hint={trans.__('It is “%1”, but was not named', positive)}
          />
        </div>
      );
    case 'capacity':
      return (
        <div className="jp-Dapp-deciding-fields">
          <Field
            {...props}
            name="capacity"
            label={trans.__('Of 100 cases, how many can be looked at?')}
            hint=""
          />
        </div>
      );
    case 'value':
      return (
        <label className="jp-Dapp-field">
          <span>
            {trans.__('Probability from which it is “%1”: %2', positive, wording.percent(view.threshold))}
          </span>
          <input
            type="range"
            min={0}
            max={100}
            step={1}
            value={view.text('threshold')}
            onChange={event => view.type('threshold', event.target.value)}
          />
        </label>
      );
  }
}

function Field(props: IProps & { name: DecidingField; label: string; hint: string }): React.ReactElement {
  const { view, name, label, hint } = props;
  const isWrong = view.number(name) === null;
  return (
    <label className="jp-Dapp-field">
      <span>{label}</span>
      <input
        type="text"
        inputMode="decimal"
        value={view.text(name)}
        aria-invalid={isWrong}
        onChange={event => view.type(name, event.target.value)}
      />
      {hint && <span className="jp-Dapp-hint">{hint}</span>}
    </label>
  );
}

function Verdict(props: IProps): React.ReactElement {
  const { view, trans } = props;
  if (!view.isGiven) {
    return (
      <p className="jp-Dapp-hint" role="status">
        {trans.__('Give a number to see what it does.')}
      </p>
    );
  }
  const { chosen } = view;
  const whole = (value: number): string => wording.count(Math.round(value));
  const share = (value: number | null): string => (value === null ? '–' : wording.percent(value));
  const facts: [string, string][] = [
    [trans.__('Right of those named'), share(chosen.precision)],
    [trans.__('Found of all there are'), share(chosen.recall)]
  ];
  if (view.basis === 'cost') {
    facts.push(
      [trans.__('Cost of 1,000 cases'), whole(view.cost(chosen))],
      [trans.__('Without the model'), whole(view.costWithout)]
    );
  }
  return (
    <div className="jp-Dapp-verdict" aria-live="polite">
      <p>
        {trans.__(
          'Named from %1 on. Of 1,000 cases it names %2: %3 rightly and %4 wrongly. %5 are missed.',
          wording.percent(view.threshold),
          whole(chosen.named),
          whole(chosen.right),
          whole(chosen.wrong),
          whole(chosen.missed)
        )}
      </p>
      <dl>
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Keep(props: { context: IContext; view: Deciding; mayKeep: boolean }): React.ReactElement {
  const { context, mayKeep, view } = props;
  const { commands, trans } = context;
  const { failure, kept, policy } = view;
  const insert = (): void => {
    const { name } = view.results.model;
    const number = (field: DecidingField): number => view.number(field) ?? 0;
    const chosen = {
      cost: { falseAlarm: number('falseAlarm'), missed: number('missed') },
      capacity: { capacity: number('capacity') },
      value: { value: number('threshold') }
    }[view.basis];
    void commands.execute(CommandIDs.insertCode, { kind: 'threshold', name, ...chosen });
  };
  return (
    <>
      <div className="jp-Dapp-deciding-keep">
        {mayKeep && (
          <Button kind="primary" disabled={view.isKeeping || !view.isGiven} onClick={() => void view.keep()}>
            {trans.__('Decide like this from now on')}
          </Button>
        )}
        <Button icon={insertIcon} disabled={!view.isGiven} onClick={insert}>
          {trans.__('Insert into notebook')}
        </Button>
      </div>
      {failure && (
        <div className="jp-Dapp-problem" role="alert">
          {wording.failureText(failure, trans)}
        </div>
      )}
      {kept && <p role="status">{kept.sentence}</p>}
      {policy && (
        <p className="jp-Dapp-faint">
          {trans.__(
            'Now it is decided from %1 on, by %2, %3.',
            wording.percent(policy.threshold),
            policy.set_by.name,
            wording.ago(policy.at, trans)
          )}
        </p>
      )}
    </>
  );
}

function Chart(props: IProps): React.ReactElement {
  const { view, trans } = props;
  const { negatives, positives } = view.decisions;
  const isCost = view.basis === 'cost';
  const lines: [string, (each: IEffect) => number][] = isCost
    ? [[trans.__('Cost of 1,000 cases'), each => view.cost(each)]]
    : [
        [trans.__('Named rightly'), each => each.right],
        [trans.__('Named wrongly'), each => each.wrong],
        [trans.__('Missed'), each => each.missed]
      ];
  return (
    <div>
      <EffectChart
        title={isCost ? trans.__('What each line would cost') : trans.__('What each line would do')}
        thresholds={view.effects.map(each => each.threshold)}
        lines={lines.map(([label, value]) => ({ label, values: view.effects.map(value) }))}
        at={view.isGiven ? view.threshold : null}
        xLabel={trans.__('Named from this probability on')}
        yLabel={isCost ? '' : trans.__('of 1,000 cases')}
      />
      <p className="jp-Dapp-hint">
        {trans.__('On %1 rows that it had never seen', wording.count(positives + negatives))}
      </p>
    </div>
  );
}

function positiveName(view: Deciding, trans: TranslationBundle): string {
  return wording.answer(view.decisions.positive, view.results.target_column?.kind, trans);
}
