// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ReactWidget, searchIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IActivityView } from '../model';
import { narrowed, wording } from '../model';
import type { Event } from '../schema';
import type { IContext } from './context';
import { ActivityLine } from './lists';

/** Lines that are drawn at first; more are drawn when they are asked for. */
const STEP = 200;

/**
 * What happened, in a tab: day by day, narrowed to kinds, people and words.
 */
export class ActivityPanel extends ReactWidget {
  constructor(private readonly _context: IContext) {
    super();
    this.addClass('jp-Dapp');
    this.addClass('jp-Dapp-page');
    this.node.tabIndex = -1;
  }

  protected render(): React.ReactElement {
    const { activity, stateChanged } = this._context.workspace;
    return (
      <UseSignal signal={stateChanged}>
        {() => <UseSignal signal={activity.changed}>{() => <Page context={this._context} />}</UseSignal>}
      </UseSignal>
    );
  }
}

function Page(props: { context: IContext }): React.ReactElement {
  const { context } = props;
  const { trans, workspace } = context;
  const [view, setView] = React.useState<IActivityView>({ text: '', kind: '', person: '' });
  const [shown, setShown] = React.useState(STEP);
  const { items } = workspace.activity;
  const found = narrowed(items, view, event => wording.eventText(event, trans));
  const people = [...new Map(items.flatMap(each => (each.actor ? [[each.actor.id, each.actor.name]] : [])))];
  const change = (part: Partial<IActivityView>): void => setView({ ...view, ...part });
  return (
    <>
      <header className="jp-Dapp-head">
        <div className="jp-Dapp-head-what">
          <h2>{trans.__('Activity')}</h2>
          <p>{trans.__('What happened in the workspace, newest first')}</p>
        </div>
        <div className="jp-Dapp-search jp-Dapp-head-search">
          <searchIcon.react tag="span" className="jp-Dapp-search-icon" elementSize="normal" />
          <input
            type="search"
            value={view.text}
            placeholder={trans.__('Search')}
            aria-label={trans.__('Search the activity')}
            onChange={event => change({ text: event.target.value })}
          />
        </div>
        <Choice
          label={trans.__('About')}
          value={view.kind}
          options={[
            ['', trans.__('everything')],
            ['dataset', trans.__('datasets')],
            ['model', trans.__('models')],
            ['prediction', trans.__('predictions')],
            ['insight', trans.__('insights')],
            ['user', trans.__('people')],
            ['system', trans.__('the platform')]
          ]}
          onChange={kind => change({ kind })}
        />
        <Choice
          label={trans.__('By')}
          value={view.person}
          options={[['', trans.__('everybody')], ...people.map(([id, name]): [string, string] => [id, name])]}
          onChange={person => change({ person })}
        />
      </header>
      <div className="jp-Dapp-page-body">
        {found.length === 0 && (
          <p className="jp-Dapp-nothing">
            {workspace.activity.isLoaded ? trans.__('Nothing found.') : trans.__('Loading…')}
          </p>
        )}
        {byDay(found.slice(0, shown)).map(([day, events]) => (
          <section className="jp-Dapp-card" key={day} aria-label={day}>
            <h3>{day}</h3>
            <ol className="jp-Dapp-feed">
              {events.map(event => (
                <ActivityLine key={event.id} event={event} context={context} />
              ))}
            </ol>
          </section>
        ))}
        {found.length > shown && (
          <button type="button" className="jp-Dapp-link" onClick={() => setShown(shown + STEP)}>
            {trans.__('Show more')}
          </button>
        )}
      </div>
    </>
  );
}

function Choice(props: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}): React.ReactElement {
  const { label, value, options, onChange } = props;
  return (
    <label className="jp-Dapp-field jp-mod-inline">
      <span>{label}</span>
      <select value={value} onChange={event => onChange(event.target.value)}>
        {options.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Events under the day on which they happened, in the words of the reader's language. */
function byDay(events: readonly Event[]): [string, Event[]][] {
  const days = new Map<string, Event[]>();
  for (const event of events) {
    const day = new Date(event.at).toLocaleDateString(undefined, {
      weekday: 'long',
      day: 'numeric',
      month: 'long'
    });
    days.set(day, [...(days.get(day) ?? []), event]);
  }
  return [...days];
}
