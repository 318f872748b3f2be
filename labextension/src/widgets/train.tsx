// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import * as React from 'react';

import { ApiError } from '../api';
import { CommandIDs } from '../commands';
import type { DatasetView, IApplied } from '../model';
import { Advising, trainingLine, withoutFix, wording } from '../model';
import type { DatasetRead, Family, Fix, ModelRead, TrainRequest, Validation } from '../schema';
import { BUDGETS } from '../schema';
import { AdviceCard } from './advice';
import type { IContext } from './context';
import { insertIcon, trainIcon } from './icons';
import { Button, Message } from './kit';
import { PagePanel } from './panel';
import { Card } from './results';

const FAMILIES: readonly Family[] = ['linear', 'lightgbm', 'forest', 'neighbours', 'neural'];

/**
 * The form that starts a training, in a tab.
 */
export class TrainPanel extends PagePanel<DatasetView> {
  /** Emitted with the model whose training has begun. */
  get started(): ISignal<this, ModelRead> {
    return this._started;
  }

  override dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  protected draw(): React.ReactElement {
    const { context, view } = this;
    const { trans } = context;
    const { dataset, failure } = view;
    if (failure) {
      return (
        <Message icon={trainIcon} tone="bad" title={trans.__('This dataset cannot be used')}>
          <p>{wording.failureText(failure, trans)}</p>
        </Message>
      );
    }
    if (dataset?.status !== 'ready') {
      return <Message icon={trainIcon} title={trans.__('Opening…')} />;
    }
    return (
      <Form context={context} view={view} dataset={dataset} onStarted={model => this._started.emit(model)} />
    );
  }

  private _started = new Signal<this, ModelRead>(this);
}

/** What the form holds; what is left open is chosen by the server and said in the results. */
interface IChoices {
  target: string;
  name: string;
  seconds: number;
  families: readonly Family[];
  validation: Validation | '';
  /** The column whose groups stay together, where rows are held back by groups. */
  group: string;
  exclude: readonly string[];
  /** What fixes have changed beyond the fields of the form. */
  wish: Partial<TrainRequest>;
}

function requestOf(dataset: DatasetRead, choices: IChoices): TrainRequest {
  const { target, name, seconds, families, validation, group, exclude, wish } = choices;
  return {
    ...wish,
    dataset: dataset.id,
    version: dataset.version,
    target,
    name: name.trim() || null,
    time_budget: seconds,
    families: families.length === FAMILIES.length ? null : [...families],
    validation: validation || null,
    group: validation === 'group' ? group || null : null,
    exclude: exclude.filter(column => column !== target)
  };
}

function Form(props: {
  context: IContext;
  view: DatasetView;
  dataset: DatasetRead;
  onStarted: (model: ModelRead) => void;
}): React.ReactElement {
  const { context, view, dataset, onStarted } = props;
  const { commands, trans, workspace } = context;
  const [choices, setChoices] = React.useState<IChoices>({
    target: dataset.likely_target ?? dataset.schema[dataset.schema.length - 1]?.name ?? '',
    name: '',
    seconds: workspace.preferences.timeBudget,
    families: FAMILIES,
    validation: '',
    group: '',
    exclude: [],
    wish: {}
  });
  const [applied, setApplied] = React.useState<readonly IApplied<IChoices>[]>([]);
  const [isBusy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const advising = useAdvice(context, dataset, choices);
  const change = (part: Partial<IChoices>): void => {
    setChoices({ ...choices, ...part, ...(part.target === undefined ? {} : { wish: {} }) });
    if (part.target !== undefined) {
      setApplied([]);
    }
  };
  const fix = (chosen: Fix): void => {
    setApplied([...applied, { fix: chosen, before: choices }]);
    setChoices(mended(choices, chosen));
  };
  const undo = (chosen: Fix): void => {
    const left = withoutFix(applied, chosen);
    setApplied(left.applied);
    setChoices(left.before ?? choices);
  };

  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      const model = await workspace.api.train(requestOf(dataset, choices));
      workspace.models.put(model);
      onStarted(model);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      setProblem(wording.failureText(error, trans));
      setBusy(false);
    }
  };

  return (
    <form
      className="jp-Dapp-form"
      onSubmit={event => {
        event.preventDefault();
        void submit();
      }}
    >
      <header className="jp-Dapp-head">
        <div className="jp-Dapp-head-what">
          <h2>{trans.__('Train a model on %1', dataset.name)}</h2>
          <p>{wording.shape(dataset, trans)}</p>
        </div>
      </header>
      <div className="jp-Dapp-page-body jp-mod-form">
        <div className="jp-Dapp-form-main">
          <Target choices={choices} dataset={dataset} view={view} trans={trans} change={change} />
          <Budget choices={choices} trans={trans} change={change} />
          <Families choices={choices} trans={trans} change={change} />
          <More choices={choices} dataset={dataset} trans={trans} change={change} />
        </div>
        <AdviceCard advising={advising} applied={applied} trans={trans} onFix={fix} onUndo={undo} />
        {problem && (
          <div className="jp-Dapp-problem" role="alert">
            {problem}
          </div>
        )}
        <div className="jp-Dapp-form-actions">
          <Button kind="primary" icon={trainIcon} submits disabled={isBusy || !isComplete(choices)}>
            {isBusy ? trans.__('Starting…') : trans.__('Train')}
          </Button>
          <Button
            icon={insertIcon}
            onClick={() =>
              void commands.execute(CommandIDs.insertCode, {
                kind: 'code',
                name: dataset.name,
                code: `${trainingLine(dataset.name, requestOf(dataset, choices))}\nmodel.wait()`
              })
            }
          >
            {trans.__('Insert into notebook')}
          </Button>
        </div>
      </div>
    </form>
  );
}

function isComplete({ target, families, validation, group }: IChoices): boolean {
  return target !== '' && families.length > 0 && (validation !== 'group' || group !== '');
}

/** The choices after one press: what the form has a field for is seen there. */
function mended(choices: IChoices, fix: Fix): IChoices {
  const { exclude, validation, group, ...others } = fix.change as Partial<TrainRequest>;
  return {
    ...choices,
    exclude: exclude ?? choices.exclude,
    validation: validation ?? choices.validation,
    group: group ?? choices.group,
    wish: { ...choices.wish, ...others }
  };
}

/** What the server says to the choices; neither the time nor the name changes what is found. */
function useAdvice(context: IContext, dataset: DatasetRead, choices: IChoices): Advising {
  const [advising] = React.useState(() => new Advising(context.workspace.api));
  const request = { ...requestOf(dataset, choices), time_budget: BUDGETS.quick, name: null };
  const key = JSON.stringify(request);
  React.useEffect(() => {
    if (isComplete(choices)) {
      advising.ask(request);
    }
  }, [key]);
  React.useEffect(() => () => advising.dispose(), []);
  return advising;
}

interface IPart {
  choices: IChoices;
  trans: TranslationBundle;
  change: (part: Partial<IChoices>) => void;
}

function Target(props: IPart & { dataset: DatasetRead; view: DatasetView }): React.ReactElement {
  const { choices, dataset, view, trans, change } = props;
  const likely = dataset.likely_target;
  const reason = view.profile?.likely_target_reason;
  return (
    <Card title={trans.__('What should be predicted?')}>
      <label className="jp-Dapp-field">
        <span>{trans.__('Target')}</span>
        <select value={choices.target} onChange={event => change({ target: event.target.value })}>
          {dataset.schema.map(column => (
            <option key={column.name} value={column.name}>
              {column.name === likely
                ? trans.__('%1 (%2, likely)', column.name, wording.kindName(column.kind, trans))
                : trans.__('%1 (%2)', column.name, wording.kindName(column.kind, trans))}
            </option>
          ))}
        </select>
      </label>
      {reason && choices.target === likely && (
        <p className="jp-Dapp-hint">{trans.__('Likely: %1', reason)}</p>
      )}
      <label className="jp-Dapp-field">
        <span>{trans.__('Name of the model')}</span>
        <input
          type="text"
          maxLength={200}
          value={choices.name}
          placeholder={trans.__('chosen for you')}
          onChange={event => change({ name: event.target.value })}
        />
      </label>
    </Card>
  );
}

function Budget(props: IPart): React.ReactElement {
  const { choices, trans, change } = props;
  const options: [number, string, string][] = [
    [BUDGETS.quick, trans.__('Quick'), trans.__('a first look')],
    [BUDGETS.standard, trans.__('Standard'), trans.__('for everyday use')],
    [BUDGETS.thorough, trans.__('Thorough'), trans.__('for the last bit')]
  ];
  const isOwn = !options.some(([seconds]) => seconds === choices.seconds);
  return (
    <Card title={trans.__('How long may it search?')}>
      <div className="jp-Dapp-options" role="radiogroup" aria-label={trans.__('Time budget')}>
        {options.map(([seconds, label, hint]) => (
          <label
            key={seconds}
            className={`jp-Dapp-option ${seconds === choices.seconds ? 'jp-mod-chosen' : ''}`}
          >
            <input
              type="radio"
              name="budget"
              checked={seconds === choices.seconds}
              onChange={() => change({ seconds })}
            />
            <span className="jp-Dapp-option-title">{label}</span>
            <span className="jp-Dapp-option-detail">{wording.duration(seconds, trans)}</span>
            <span className="jp-Dapp-faint">{hint}</span>
          </label>
        ))}
        <label className={`jp-Dapp-option ${isOwn ? 'jp-mod-chosen' : ''}`}>
          <span className="jp-Dapp-option-title">{trans.__('Your own')}</span>
          <input
            type="number"
            min={5}
            max={86400}
            aria-label={trans.__('Seconds')}
            value={choices.seconds}
            onChange={event => change({ seconds: Math.max(5, Math.round(Number(event.target.value)) || 5) })}
          />
          <span className="jp-Dapp-faint">{trans.__('seconds')}</span>
        </label>
      </div>
      <p className="jp-Dapp-hint">{trans.__('You can stop at any time and keep the best so far.')}</p>
    </Card>
  );
}

function Families(props: IPart): React.ReactElement {
  const { choices, trans, change } = props;
  const hints: Record<Family, string> = {
    linear: trans.__('simple, quick, easy to explain'),
    lightgbm: trans.__('usually the strongest on tables'),
    forest: trans.__('robust, little to tune'),
    neighbours: trans.__('answers like the most similar rows'),
    neural: trans.__('follows smooth curves, hard to explain')
  };
  const toggle = (family: Family): void =>
    change({
      families: FAMILIES.filter(each => (each === family) !== choices.families.includes(each))
    });
  return (
    <Card title={trans.__('Which kinds of model?')}>
      <div className="jp-Dapp-checks">
        {FAMILIES.map(family => (
          <label key={family}>
            <input
              type="checkbox"
              checked={choices.families.includes(family)}
              onChange={() => toggle(family)}
            />
            <span>{wording.familyName(family, trans)}</span>
            <span className="jp-Dapp-faint">{hints[family]}</span>
          </label>
        ))}
      </div>
    </Card>
  );
}

function More(props: IPart & { dataset: DatasetRead }): React.ReactElement {
  const { choices, dataset, trans, change } = props;
  const others = dataset.schema.filter(column => column.name !== choices.target);
  const toggle = (column: string): void =>
    change({
      exclude: choices.exclude.includes(column)
        ? choices.exclude.filter(each => each !== column)
        : [...choices.exclude, column]
    });
  return (
    <details className="jp-Dapp-card jp-Dapp-details">
      <summary>{trans.__('More settings')}</summary>
      <label className="jp-Dapp-field">
        <span>{trans.__('Test on')}</span>
        <select
          value={choices.validation}
          onChange={event => change({ validation: event.target.value as Validation | '' })}
        >
          <option value="">{trans.__('whatever fits the data')}</option>
          <option value="random">{trans.__('random rows')}</option>
          <option value="stratified">{trans.__('random rows, each answer in its share')}</option>
          <option value="group">{trans.__('whole groups')}</option>
          <option value="time">{trans.__('the latest rows')}</option>
        </select>
      </label>
      {choices.validation === 'group' && (
        <label className="jp-Dapp-field">
          <span>{trans.__('Groups are the same')}</span>
          <select value={choices.group} onChange={event => change({ group: event.target.value })}>
            <option value="">{trans.__('choose a column')}</option>
            {others.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <fieldset>
        <legend>{trans.__('Columns that may be used')}</legend>
        <div className="jp-Dapp-checks jp-mod-dense">
          {others.map(({ name }) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={!choices.exclude.includes(name)}
                onChange={() => toggle(name)}
              />
              <span>{name}</span>
            </label>
          ))}
        </div>
      </fieldset>
    </details>
  );
}
