// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { bellIcon, checkIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ApiError } from '../api';
import { CommandIDs } from '../commands';
import { wording } from '../model';
import type { NotificationRead } from '../schema';
import type { IContext } from './context';

/** From here on the number is not told any more. */
const MANY = 100;

/** The bell with the number of lines that are not read; opens them. */
export function BellButton(props: { context: IContext }): React.ReactElement {
  const { trans, workspace } = props.context;
  const { bell } = workspace;
  return (
    <UseSignal signal={bell.changed}>
      {() => {
        const { unread, isOpen } = bell;
        const many = unread >= MANY ? trans.__('%1 or more', MANY) : String(unread);
        const label = unread ? trans.__('Notices, %1 unread', many) : trans.__('Notices');
        return (
          <button
            type="button"
            className="jp-Dapp-iconButton jp-Dapp-bell"
            title={label}
            aria-label={label}
            aria-expanded={isOpen}
            onClick={() => (bell.isOpen = !isOpen)}
          >
            <bellIcon.react tag="span" elementSize="normal" />
            {unread > 0 && (
              <span className="jp-Dapp-bell-count" aria-hidden="true">
                {unread >= MANY ? '99+' : unread}
              </span>
            )}
          </button>
        );
      }}
    </UseSignal>
  );
}

/** What concerns the reader, while the bell is open. */
export function BellLines(props: { context: IContext }): React.ReactElement {
  const { bell } = props.context.workspace;
  return (
    <UseSignal signal={bell.changed}>{() => bell.isOpen && <Lines context={props.context} />}</UseSignal>
  );
}

function Lines(props: { context: IContext }): React.ReactElement {
  const { context } = props;
  const { trans, workspace } = context;
  const { bell } = workspace;
  const { items, unread, isLoaded, failure } = bell;
  const box = React.useRef<HTMLElement>(null);
  const [problem, setProblem] = React.useState('');
  React.useEffect(() => box.current?.focus(), []);
  const mark = async (id: string | null): Promise<void> => {
    try {
      await bell.mark(id);
      setProblem('');
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      setProblem(wording.failureText(error, trans));
    }
  };
  const said = problem || (failure ? wording.failureText(failure, trans) : '');
  return (
    <section
      ref={box}
      className="jp-Dapp-notices"
      aria-label={trans.__('Notices')}
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          bell.isOpen = false;
          document.querySelector<HTMLElement>('.jp-Dapp-bell')?.focus();
        }
      }}
    >
      <header>
        <h3>{trans.__('Notices')}</h3>
        {unread > 0 && (
          <button type="button" className="jp-Dapp-link" onClick={() => void mark(null)}>
            <checkIcon.react tag="span" elementSize="small" />
            {trans.__('All read')}
          </button>
        )}
      </header>
      {said && (
        <div className="jp-Dapp-problem" role="alert">
          {said}
        </div>
      )}
      {items.length === 0 && !said && (
        <p className="jp-Dapp-nothing">
          {isLoaded
            ? trans.__(
                'Datasets that are ready, trainings that end and what is shared with you show up here.'
              )
            : trans.__('Loading…')}
        </p>
      )}
      <ul>
        {items.map(each => (
          <li key={each.id}>
            <Line notice={each} context={context} onRead={() => void mark(each.id)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Line(props: {
  notice: NotificationRead;
  context: IContext;
  onRead: () => void;
}): React.ReactElement {
  const { notice, context, onRead } = props;
  const { commands, trans } = context;
  const { link, severity, title, is_read: isRead } = notice;
  const opens: Record<string, string> = {
    dataset: CommandIDs.openDataset,
    model: CommandIDs.openModel,
    insight: CommandIDs.openInsights
  };
  const follow = (): void => {
    if (!isRead) {
      onRead();
    }
    if (link && opens[link.kind]) {
      void commands.execute(opens[link.kind], { id: link.id });
    }
  };
  return (
    <button
      type="button"
      className={`jp-Dapp-notice jp-mod-${severity} ${isRead ? '' : 'jp-mod-unread'}`}
      title={new Date(notice.at).toLocaleString()}
      onClick={follow}
    >
      <span className="jp-Dapp-notice-mark" role="img" aria-label={isRead ? undefined : trans.__('Unread')} />
      <span className="jp-Dapp-notice-text">{title}</span>
      <time dateTime={notice.at}>{wording.ago(notice.at, trans)}</time>
    </button>
  );
}
